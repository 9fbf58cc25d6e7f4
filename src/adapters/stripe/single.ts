import type Stripe from 'stripe';
import type { PaymentPage, Payments } from '../../billing/payments.js';
import { PaymentRefused } from '../../billing/payments.js';
import { asked } from './errors.js';
import { idOf } from './ids.js';
import { refundedOf } from './refunds.js';
import { pageStatusOf } from './snapshots.js';

/** What a payment without a customer is for. */
export const PURPOSE = 'tollgraph_purpose';
/** Which installation has made it, since several may share an account here; left out, this one. */
const INSTALLATION = 'tollgraph_installation';
/** How many things it pays for; left out, one. */
const QUANTITY = 'tollgraph_quantity';
/** Which of them a refund is for. */
const THING = 'tollgraph_thing';

/** The most that Stripe lists at once. */
const PAGE = 100;

type Single = Pick<
  Payments,
  'createIntent' | 'openPaymentPage' | 'paymentPage' | 'intent' | 'intentOfCharge' | 'refundOne'
>;

/** Whether another installation has made a payment, or a page. */
export const isElsewhere = (metadata: Stripe.Metadata | null, installation: string): boolean =>
  (metadata?.[INSTALLATION] ?? installation) !== installation;

/** What a payment without a customer is for; undefined for one that is none of this installation's. */
export const purposeOf = (metadata: Stripe.Metadata | null, installation: string): string | undefined =>
  isElsewhere(metadata, installation) ? undefined : metadata?.[PURPOSE];

/** Payments without a customer, for things that are sold by the piece. */
export function stripeSingle(stripe: Stripe, installation: string): Single {
  const pageOf = (session: Stripe.Checkout.Session): PaymentPage => {
    const { id, url, payment_status: paid, payment_intent: intent } = session;
    const paidBy = paid === 'paid' ? idOf(intent) : undefined;
    return { id, url, status: pageStatusOf(session), intent: paidBy ?? null };
  };

  /** Those that were made for single things. */
  const refundsOfThings = async (intent: string): Promise<Stripe.Refund[]> => {
    const { data } = await asked(() => stripe.refunds.list({ payment_intent: intent, limit: PAGE }));
    return data.filter(
      ({ metadata, status }) =>
        metadata?.[THING] !== undefined && status !== 'failed' && status !== 'canceled',
    );
  };

  /** A charge that was disputed once says so for ever: what became of it stands elsewhere. */
  const isTakenBack = async (intent: string): Promise<boolean> => {
    const { data } = await asked(() => stripe.disputes.list({ payment_intent: intent, limit: PAGE }));
    return data.some(({ status }) => status !== 'won' && !status.startsWith('warning_'));
  };

  return {
    createIntent: async ({ amount, currency, purpose }, key) => {
      const { id, client_secret: clientSecret } = await asked(() =>
        stripe.paymentIntents.create(
          {
            amount,
            currency,
            automatic_payment_methods: { enabled: true },
            metadata: { [PURPOSE]: purpose, [INSTALLATION]: installation },
          },
          { idempotencyKey: key },
        ),
      );
      return { id, clientSecret: clientSecret ?? '' };
    },

    openPaymentPage: async ({ amount, currency, purpose, quantity, name, paidUrl, unpaidUrl }, key) => {
      const metadata = {
        [PURPOSE]: purpose,
        [INSTALLATION]: installation,
        [QUANTITY]: String(quantity),
      };
      const session = await asked(() =>
        stripe.checkout.sessions.create(
          {
            mode: 'payment',
            line_items: [{ quantity, price_data: { currency, unit_amount: amount, product_data: { name } } }],
            payment_intent_data: { metadata },
            metadata,
            success_url: paidUrl,
            cancel_url: unpaidUrl,
          },
          { idempotencyKey: key },
        ),
      );
      return pageOf(session);
    },

    paymentPage: async (id) => {
      const session = await asked(() => stripe.checkout.sessions.retrieve(id));
      const { metadata } = session;
      return {
        ...pageOf(session),
        purpose: purposeOf(metadata, installation),
        quantity: quantityOf(metadata),
      };
    },

    intent: async (id) => {
      const found = await asked(() => stripe.paymentIntents.retrieve(id, { expand: ['latest_charge'] }));
      const { amount, amount_received: received, currency, status, metadata, latest_charge: charge } = found;
      const refunded = await refundedOf(stripe, charge);
      const things = refunded > 0 ? await refundsOfThings(id) : [];
      return {
        amount: status === 'succeeded' ? received : amount,
        currency,
        status,
        purpose: purposeOf(metadata, installation),
        quantity: quantityOf(metadata),
        refunded,
        refundedForThings: things.reduce((sum, one) => sum + one.amount, 0),
        disputed: typeof charge === 'object' && charge?.disputed === true && (await isTakenBack(id)),
      };
    },

    intentOfCharge: async (charge) =>
      idOf((await asked(() => stripe.charges.retrieve(charge))).payment_intent),

    refundOne: async (id, { thing, amount }, key) => {
      // A key is forgotten after a day, and part of a payment could be given back twice.
      const made = (await refundsOfThings(id)).find(({ metadata }) => metadata?.[THING] === thing);
      if (made) return made.id;
      if (amount <= 0) {
        throw new PaymentRefused('charge_already_refunded', 'All of the payment was given back.', false);
      }
      const refund = await asked(() =>
        stripe.refunds.create(
          { payment_intent: id, amount, metadata: { [THING]: thing } },
          { idempotencyKey: key },
        ),
      );
      return refund.id;
    },
  };
}

function quantityOf(metadata: Stripe.Metadata | null): number {
  const said = Number(metadata?.[QUANTITY] ?? 1);
  return Number.isSafeInteger(said) && said > 0 ? said : 1;
}
