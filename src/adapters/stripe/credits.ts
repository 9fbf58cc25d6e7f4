import type Stripe from 'stripe';
import type { CreditPayments, PackCheckout } from '../../credits/payments.js';
import { PaymentRefused } from '../../billing/payments.js';
import { asked } from './errors.js';
import { idOf } from './ids.js';
import { refundedOf } from './refunds.js';

const ACCOUNT = 'tollgraph_account';
/** Statuses of a payment of a page that was completed: nothing more comes of it. */
const REFUSED: ReadonlySet<string> = new Set(['requires_payment_method', 'canceled']);
/** The purchase that a payment is for. */
export const PURCHASE = 'tollgraph_purchase';

export function stripeCredits(stripe: Stripe): CreditPayments {
  const checkoutOf = (session: Stripe.Checkout.Session): PackCheckout => {
    const { id, url, expires_at: expires, status, payment_status: paid, payment_intent: intent } = session;
    const payment = idOf(intent) ?? null;
    const refused = typeof intent === 'object' && REFUSED.has(intent?.status ?? '');
    return {
      session: id,
      url,
      expiresAt: new Date(expires * 1000).toISOString(),
      status: status === 'complete' ? 'complete' : status === 'expired' ? 'expired' : 'open',
      payment: paid === 'paid' ? payment : null,
      failed: status === 'complete' && paid === 'unpaid' && refused,
    };
  };

  /** The card that a customer has on file: the default one, else the newest. @throws PaymentRefused for none */
  const cardOf = async (customer: string): Promise<string> => {
    const found = await asked(() => stripe.customers.retrieve(customer));
    const standard = found.deleted ? null : found.invoice_settings.default_payment_method;
    const known = idOf(standard);
    if (known !== undefined) return known;
    const { data } = await asked(() => stripe.paymentMethods.list({ customer, limit: 1 }));
    const [newest] = data;
    if (newest) return newest.id;
    throw new PaymentRefused('no_payment_method', 'There is no card on file.', true);
  };

  const checkout = async (session: string): Promise<PackCheckout> => {
    const expand = ['payment_intent'];
    return checkoutOf(await asked(() => stripe.checkout.sessions.retrieve(session, { expand })));
  };

  const intentOf = async (customer: string, purchase: string): Promise<Stripe.PaymentIntent | undefined> => {
    const { data } = await asked(() => stripe.paymentIntents.list({ customer, limit: 100 }));
    return data.find(({ metadata }) => metadata[PURCHASE] === purchase);
  };

  return {
    open: async ({ accountId, customer, purchase, name, returnUrl }, key) => {
      const metadata = { [ACCOUNT]: accountId, [PURCHASE]: purchase.id };
      const session = await asked(() =>
        stripe.checkout.sessions.create(
          {
            mode: 'payment',
            customer,
            client_reference_id: accountId,
            line_items: [
              {
                quantity: 1,
                price_data: {
                  currency: purchase.currency,
                  unit_amount: purchase.amount,
                  product_data: { name },
                },
              },
            ],
            payment_intent_data: { metadata },
            metadata,
            success_url: `${returnUrl}?checkout={CHECKOUT_SESSION_ID}`,
            cancel_url: returnUrl,
          },
          { idempotencyKey: key },
        ),
      );
      return checkoutOf(session);
    },

    checkout,

    expire: async (session, key) => {
      try {
        await asked(() => stripe.checkout.sessions.expire(session, {}, { idempotencyKey: key }));
      } catch (error) {
        // It is over already: paid, or expired.
        if (!(error instanceof PaymentRefused)) throw error;
      }
      return checkout(session);
    },

    charged: async ({ customer, purchase }) => {
      const intent = await intentOf(customer, purchase.id);
      if (intent?.status === 'succeeded') return intent.id;
      return intent?.status === 'processing' ? null : undefined;
    },

    charge: async ({ accountId, customer, purchase, name }, key) => {
      // It may have been paid long ago, and the answer lost.
      const before = await intentOf(customer, purchase.id);
      const intent =
        before ??
        (await asked(async () =>
          stripe.paymentIntents.create(
            {
              amount: purchase.amount,
              currency: purchase.currency,
              customer,
              payment_method: await cardOf(customer),
              off_session: true,
              confirm: true,
              description: name,
              metadata: { [ACCOUNT]: accountId, [PURCHASE]: purchase.id },
            },
            { idempotencyKey: key },
          ),
        ));
      if (intent.status === 'succeeded') return intent.id;
      if (intent.status === 'processing') return null;
      throw new PaymentRefused(intent.status, 'The card on file could not be charged.', true);
    },

    refund: async (payment, key) => {
      const intent = await asked(() =>
        stripe.paymentIntents.retrieve(payment, { expand: ['latest_charge'] }),
      );
      const { latest_charge: charge, amount_received: received, currency } = intent;
      const back = await refundedOf(stripe, charge);
      // It may have been done long ago, and its answer lost, or by somebody at Stripe.
      if (back < received) {
        await asked(() => stripe.refunds.create({ payment_intent: payment }, { idempotencyKey: key }));
      }
      return { amount: received, currency };
    },

    refunded: async (id) => {
      const charge = await asked(() => stripe.charges.retrieve(id));
      const { currency, payment_intent: intent } = charge;
      const amount = await refundedOf(stripe, charge);
      return { amount, currency, payment: idOf(intent) ?? null };
    },
  };
}
