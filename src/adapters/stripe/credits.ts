import type Stripe from 'stripe';
import type { CreditPayments, PackCheckout } from '../../credits/payments.js';
import { asked } from './errors.js';

const ACCOUNT = 'tollgraph_account';
const PURCHASE = 'tollgraph_purchase';

export function stripeCredits(stripe: Stripe): CreditPayments {
  const checkoutOf = (session: Stripe.Checkout.Session): PackCheckout => {
    const { id, url, expires_at: expires, status, payment_status: paid, payment_intent: intent } = session;
    const payment = typeof intent === 'string' ? intent : (intent?.id ?? null);
    return {
      session: id,
      url,
      expiresAt: new Date(expires * 1000).toISOString(),
      status: status === 'complete' ? 'complete' : status === 'expired' ? 'expired' : 'open',
      payment: paid === 'paid' ? payment : null,
    };
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
            success_url: returnUrl,
            cancel_url: returnUrl,
          },
          { idempotencyKey: key },
        ),
      );
      return checkoutOf(session);
    },

    checkout: async (session) => checkoutOf(await asked(() => stripe.checkout.sessions.retrieve(session))),

    refund: async (payment, key) => {
      // It may have been done long ago, and its answer lost.
      const { data } = await asked(() => stripe.refunds.list({ payment_intent: payment, limit: 1 }));
      const refund =
        data.find(({ status }) => status !== 'failed' && status !== 'canceled') ??
        (await asked(() => stripe.refunds.create({ payment_intent: payment }, { idempotencyKey: key })));
      return { amount: refund.amount, currency: refund.currency };
    },
  };
}
