import type Stripe from 'stripe';
import { asked } from './errors.js';
import { idOf } from './ids.js';

const PAGE = 100;

/** Payments of invoices that were given back without a credit note: the invoice itself does not tell of it. */
export const stripeRefunds = (stripe: Stripe) => ({
  /** The invoice that a charge was for; undefined where it was for none. */
  invoiceOfCharge: async (charge: string): Promise<string | undefined> => {
    const { payment_intent: intent } = await asked(() => stripe.charges.retrieve(charge));
    const id = idOf(intent);
    if (id === undefined) return undefined;
    const payment = { type: 'payment_intent', payment_intent: id } as const;
    const { data } = await asked(() => stripe.invoicePayments.list({ payment, limit: 1 }));
    return data[0] && idOf(data[0].invoice);
  },

  /** What was given back of an invoice beside its credit notes, in minor units. */
  besideNotes: async (invoice: string): Promise<number> => {
    const payments = await asked(() => stripe.invoicePayments.list({ invoice, limit: PAGE }));
    const refunded = await Promise.all(
      payments.data.map(async ({ payment: { payment_intent: intent } }) => {
        const id = idOf(intent);
        if (id === undefined) return 0;
        const expand = ['latest_charge'];
        const { latest_charge: charge } = await asked(() => stripe.paymentIntents.retrieve(id, { expand }));
        return typeof charge === 'object' && charge !== null ? charge.amount_refunded : 0;
      }),
    );
    const notes = await asked(() => stripe.creditNotes.list({ invoice, limit: PAGE }));
    const noted = notes.data.flatMap(({ refunds }) => refunds.map(({ amount_refunded: amount }) => amount));
    return Math.max(0, sumOf(refunded) - sumOf(noted));
  },
});

const sumOf = (amounts: readonly number[]): number => amounts.reduce((sum, amount) => sum + amount, 0);
