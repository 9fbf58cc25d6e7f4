import type Stripe from 'stripe';
import type { Payments } from '../../billing/payments.js';
import { asked } from './errors.js';
import { sumOf } from '../../money/money.js';
import { idOf } from './ids.js';

const PAGE = 100;

/** Of a charge, what was given back, in minor units: refunds that have failed or were cancelled gave nothing. */
export async function refundedOf(stripe: Stripe, charge: Stripe.Charge | string | null): Promise<number> {
  if (charge === null || typeof charge === 'string' || charge.amount_refunded === 0) return 0;
  const { data, has_more: more } = await asked(() => stripe.refunds.list({ charge: charge.id, limit: PAGE }));
  if (more) return charge.amount_refunded;
  const living = data.filter(({ status }) => status !== 'failed' && status !== 'canceled');
  return Math.min(charge.amount_refunded, sumOf(living));
}

/** Payments of invoices that were given back without a credit note: the invoice itself does not tell of it. */
export const stripeRefunds = (stripe: Stripe) => ({
  /** A refund does not name its customer in older versions: its charge does. */
  refund: async (id: string): ReturnType<Payments['refund']> => {
    const found = await asked(() => stripe.refunds.retrieve(id, { expand: ['charge'] }));
    const { charge, amount, currency, payment_intent: payment, status, failure_reason: reason } = found;
    return {
      amount,
      currency,
      charge: idOf(charge),
      payment: idOf(payment),
      customer: typeof charge === 'object' ? idOf(charge?.customer) : undefined,
      failed: status === 'failed',
      reason,
    };
  },

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
        if (id === undefined) return { amount: 0 };
        const expand = ['latest_charge'];
        const { latest_charge: charge } = await asked(() => stripe.paymentIntents.retrieve(id, { expand }));
        return { amount: await refundedOf(stripe, charge) };
      }),
    );
    const notes = await asked(() => stripe.creditNotes.list({ invoice, limit: PAGE }));
    const noted = notes.data.flatMap(({ refunds }) =>
      refunds.map(({ amount_refunded: amount }) => ({ amount })),
    );
    return Math.max(0, sumOf(refunded) - sumOf(noted));
  },
});
