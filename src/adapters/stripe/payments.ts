import Stripe from 'stripe';
import type { Coupon } from '../../billing/decideCoupon.js';
import type { Offer } from '../../billing/decide.js';
import type { InvoiceSnapshot } from '../../billing/decideInvoice.js';
import type { CheckoutPage, PaidPage, Payments, Preview } from '../../billing/payments.js';
import { PaymentRefused } from '../../billing/payments.js';
import type { Snapshot } from '../../billing/recordSubscription.js';
import { StripeCoupons } from './coupons.js';
import { PURCHASE } from './credits.js';
import { asked } from './errors.js';
import { idOf } from './ids.js';
import { withAllLines } from './lines.js';
import { StripePrices } from './prices.js';
import { stripeRefunds } from './refunds.js';
import { stripeSchedules } from './schedules.js';
import { purposeOf, stripeSingle } from './single.js';
import {
  couponsIn,
  discountsIn,
  invoiceOf,
  iso,
  itemOf,
  pageStatusOf,
  previewOf,
  scheduledPrices,
  snapshotOf,
} from './snapshots.js';

/** Names the account in what we make at Stripe. */
const ACCOUNT = 'tollgraph_account';
const CHECKOUT = 'tollgraph_checkout';

/** Of an invoice, to be expanded: which discounts have taken something off. */
const DISCOUNTS = 'total_discount_amounts.discount';

const CALL_MS = 20_000;
const RETRIES = 2;
/** Of a customer's subscriptions and invoices, the newest. */
const PAGE = 100;
/** Looked at together: the rest comes the next time. */
const MAX_UNDELIVERED = 1_000;

export interface StripeOptions {
  readonly secretKey: string;
  readonly live: boolean;
  /** Names this installation, of those that may share an account at Stripe. */
  readonly installation: string;
  /** The profile's name. */
  readonly profile: string;
  /** Prices that exist already, by `<plan>-<interval>`: those that are sold, then former ones. */
  readonly priceIds: ReadonlyMap<string, readonly string[]>;
  /** All that is sold by subscription. */
  readonly offers: () => readonly Offer[];
  /** Where it is not Stripe's own address. */
  readonly address?: { readonly host: string; readonly port: number; readonly protocol: 'http' | 'https' };
}

export function stripePayments(options: StripeOptions): Payments {
  const { secretKey, live, installation, profile, priceIds, offers, address } = options;
  const stripe = new Stripe(secretKey, {
    ...address,
    telemetry: false,
    timeout: CALL_MS,
    maxNetworkRetries: RETRIES,
  });
  const prices = new StripePrices(stripe, profile, priceIds);
  const refunds = stripeRefunds(stripe);
  const coupons = new StripeCoupons(stripe, profile, prices);
  const schedules = stripeSchedules(stripe);
  const known = { price: prices.seen, coupon: coupons.seen };

  const theItem = async (subscription: string): Promise<{ id: string; price: string; periodEnd: number }> => {
    const found = await asked(() => stripe.subscriptions.retrieve(subscription));
    const item = itemOf(found, prices.lookUp);
    if (!item) throw new PaymentRefused('resource_missing', 'The subscription has no item.', false);
    return { id: item.id, price: item.price.id, periodEnd: item.current_period_end };
  };

  /** A coupon as calls take it; nothing leaves the discounts as they are. */
  const discountsOf = async (coupon: Coupon | undefined) =>
    coupon ? { discounts: [{ coupon: await coupons.idOf(coupon, offers()) }] } : {};

  /** The same of a change: a price that was agreed is what the account pays, whatever coupon it has from before. */
  const discountsWith = async (coupon: Coupon | undefined, { agreed }: Offer) =>
    agreed === true ? { discounts: '' as const } : discountsOf(coupon);

  const pageOf = (session: Stripe.Checkout.Session): CheckoutPage => ({
    session: session.id,
    url: session.url,
    expiresAt: iso(session.expires_at),
    status: pageStatusOf(session),
    checkoutId: session.metadata?.[CHECKOUT] ?? null,
  });

  const whole = (invoice: Stripe.Invoice): Promise<Stripe.Invoice> => withAllLines(stripe, invoice);

  const learn = async (invoice: Stripe.Invoice): Promise<void> => {
    await coupons.learn(couponsIn(invoice));
    await prices.learn(invoice.lines.data.map(({ pricing }) => idOf(pricing?.price_details?.price)));
  };

  const preview = async (params: Stripe.InvoiceCreatePreviewParams): Promise<Preview> => {
    const invoice = await asked(() => stripe.invoices.createPreview({ ...params, expand: [DISCOUNTS] }));
    await learn(invoice);
    return previewOf(invoice, known);
  };

  /** When the oldest open invoice was due: with its period, or when it was made, for use of a month. */
  const overdueSince = async ({ subscription, periodStart }: Snapshot): Promise<string | undefined> => {
    const { data } = await asked(() => stripe.invoices.list({ subscription, status: 'open', limit: PAGE }));
    const oldest = data.at(-1);
    if (!oldest) return undefined;
    return oldest.billing_reason === 'subscription_cycle' && iso(oldest.created) >= periodStart
      ? periodStart
      : iso(oldest.created);
  };

  return {
    live,

    ...stripeSingle(stripe, installation),

    findCustomer: async (accountId) => {
      const { data } = await asked(() =>
        stripe.customers.search({ query: `metadata['${ACCOUNT}']:'${accountId}'`, limit: 1 }),
      );
      return data[0]?.id;
    },

    createCustomer: async ({ accountId, email }, key) => {
      const { id } = await asked(() =>
        stripe.customers.create(
          { metadata: { [ACCOUNT]: accountId }, ...(email !== null && { email }) },
          { idempotencyKey: key },
        ),
      );
      return id;
    },

    accountOf: async (customer) => {
      try {
        const found = await asked(() => stripe.customers.retrieve(customer));
        return 'deleted' in found && found.deleted ? undefined : (found as Stripe.Customer).metadata[ACCOUNT];
      } catch (error) {
        if (error instanceof PaymentRefused) return undefined;
        throw error;
      }
    },

    createCheckout: async (
      { accountId, customer, checkoutId, offer, trialDays, coupon, successUrl, cancelUrl },
      key,
    ) => {
      const price = await prices.idOf(offer);
      const discounts = await discountsOf(coupon);
      const metadata = { [ACCOUNT]: accountId, [CHECKOUT]: checkoutId };
      const session = await asked(() =>
        stripe.checkout.sessions.create(
          {
            mode: 'subscription',
            customer,
            client_reference_id: accountId,
            line_items: [{ price, quantity: 1 }],
            ...discounts,
            // A trial needs a card, too.
            payment_method_collection: 'always',
            ...(trialDays !== null && { allowed_payment_method_types: ['card' as const] }),
            subscription_data: {
              metadata,
              ...(trialDays !== null && {
                trial_period_days: trialDays,
                trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
              }),
            },
            metadata,
            success_url: successUrl,
            cancel_url: cancelUrl,
          },
          { idempotencyKey: key },
        ),
      );
      return pageOf(session);
    },

    paidPage: async (id) => {
      let session: Stripe.Checkout.Session;
      try {
        session = await asked(() => stripe.checkout.sessions.retrieve(id));
      } catch (error) {
        if (error instanceof PaymentRefused) return undefined;
        throw error;
      }
      const what = soldOn(session, installation);
      if (!what) return undefined;
      const { url, payment_status: payment, payment_intent: intent, amount_total: amount } = session;
      const status = pageStatusOf(session);
      const paid = payment !== 'unpaid';
      const intentId = idOf(intent);
      const failed =
        status === 'complete' &&
        !paid &&
        intentId !== undefined &&
        ['requires_payment_method', 'canceled'].includes(
          (await asked(() => stripe.paymentIntents.retrieve(intentId))).status,
        );
      return {
        status,
        url,
        paid,
        failed,
        what,
        total: { amount: amount ?? 0, currency: session.currency ?? 'usd' },
        invoice: idOf(session.invoice) ?? null,
        createdAt: iso(session.created),
      };
    },

    catalogue: async (shelf) => [...(await prices.catalogue(shelf)), ...(await coupons.catalogue(shelf))],

    makeCatalogue: async (shelf) => {
      for (const offer of shelf.offers) await prices.make(offer);
      for (const coupon of shelf.coupons) await coupons.idOf(coupon, shelf.offers);
    },

    checkout: async (session) => pageOf(await asked(() => stripe.checkout.sessions.retrieve(session))),

    expireCheckout: async (session, key) => {
      try {
        return pageOf(
          await asked(() => stripe.checkout.sessions.expire(session, {}, { idempotencyKey: key })),
        );
      } catch (error) {
        // It is over, or was paid a moment ago.
        if (!(error instanceof PaymentRefused)) throw error;
        return pageOf(await asked(() => stripe.checkout.sessions.retrieve(session)));
      }
    },

    openPortal: async (customer, returnUrl) => {
      const { url } = await asked(() =>
        stripe.billingPortal.sessions.create({ customer, return_url: returnUrl }),
      );
      return url;
    },

    subscriptions: async (customer) => {
      const { data } = await asked(() =>
        stripe.subscriptions.list({
          customer,
          status: 'all',
          limit: PAGE,
          expand: ['data.schedule', 'data.default_payment_method', 'data.discounts'],
        }),
      );
      await prices.learn(data.flatMap(scheduledPrices));
      await coupons.learn(data.flatMap(discountsIn));
      const snapshots = data.flatMap((one) => snapshotOf(one, prices.lookUp, known) ?? []);
      return Promise.all(
        snapshots.map(async (one) =>
          one.status === 'past_due' ? { ...one, overdueSince: await overdueSince(one) } : one,
        ),
      );
    },

    previewChange: async ({ customer, subscription, offer, coupon }, prorationAt) => {
      const { id } = await theItem(subscription);
      const price = await prices.idOf(offer);
      const discounts = await discountsWith(coupon, offer);
      return preview({
        customer,
        subscription,
        ...discounts,
        subscription_details: {
          items: [{ id, price }],
          ...(prorationAt === undefined
            ? { proration_behavior: 'none' }
            : { proration_behavior: 'always_invoice', proration_date: seconds(prorationAt) }),
        },
      });
    },

    changeNow: async ({ subscription, offer, coupon, prorationAt }, key) => {
      const discounts = await discountsWith(coupon, offer);
      await schedules.release(subscription, key);
      const { id } = await theItem(subscription);
      const price = await prices.idOf(offer);
      await asked(() =>
        stripe.subscriptions.update(
          subscription,
          {
            items: [{ id, price }],
            proration_behavior: 'always_invoice',
            proration_date: seconds(prorationAt),
            payment_behavior: 'error_if_incomplete',
            ...discounts,
          },
          { idempotencyKey: key },
        ),
      );
    },

    changeAtPeriodEnd: async ({ subscription, offer, coupon }, key) => {
      const { interval } = offer;
      const { price: from, periodEnd } = await theItem(subscription);
      const price = await prices.idOf(offer);
      const change = {
        subscription,
        from,
        periodEnd,
        price,
        interval,
        ...(await discountsWith(coupon, offer)),
      };
      await schedules.changeAtPeriodEnd(change, key);
    },

    stay: schedules.release,

    cancel: async (subscription, when, key, reason) => {
      await schedules.release(subscription, key);
      await asked(() =>
        when === 'now'
          ? stripe.subscriptions.cancel(
              subscription,
              reason === undefined ? {} : { cancellation_details: { comment: reason } },
              { idempotencyKey: key },
            )
          : stripe.subscriptions.update(
              subscription,
              { cancel_at_period_end: true },
              { idempotencyKey: key },
            ),
      );
    },

    resume: async (subscription, key) => {
      const { cancel_at: at, cancel_at_period_end: atEnd } = await asked(() =>
        stripe.subscriptions.retrieve(subscription),
      );
      // It was taken back before: what has a schedule since takes no such call any more.
      if (at === null && !atEnd) return;
      // The portal sets a time and no flag. Stripe takes one of both in a call.
      const [end, name] = atEnd
        ? [{ cancel_at_period_end: false }, key]
        : [{ cancel_at: '' as const }, `${key}:at`];
      await asked(() => stripe.subscriptions.update(subscription, end, { idempotencyKey: name }));
    },

    pause: async (subscription, key) => {
      // What has a schedule can't be paused, also where all that it was for has come.
      await schedules.release(subscription, key);
      await asked(() => stripe.subscriptions.pause(subscription, {}, { idempotencyKey: key }));
    },

    endPause: async (subscription, key) => {
      await asked(() => stripe.subscriptions.resume(subscription, {}, { idempotencyKey: key }));
    },

    refundSubscription: async (subscription, key) => {
      const { data } = await asked(() => stripe.invoices.list({ subscription, limit: PAGE }));
      let refunded = 0;
      for (const {
        id,
        status,
        total,
        amount_paid: paid,
        post_payment_credit_notes_amount: credited,
      } of data) {
        if (status === 'open') {
          await asked(() => stripe.invoices.voidInvoice(id, {}, { idempotencyKey: `${key}:void:${id}` }));
        }
        if (status !== 'paid' || total <= 0) continue;
        refunded += total;
        if (credited > 0) continue;
        // What the customer's balance has paid goes back to it.
        const from = { refund_amount: paid, ...(total > paid && { credit_amount: total - paid }) };
        await asked(() =>
          stripe.creditNotes.create(
            { invoice: id, amount: total, reason: 'duplicate', ...from },
            { idempotencyKey: `${key}:credit:${id}` },
          ),
        );
      }
      return { refunded, invoices: data.filter(({ status }) => status !== 'draft').map(({ id }) => id) };
    },

    undelivered: async () => {
      const events: Stripe.Event[] = [];
      for (let after: string | undefined; ; after = events.at(-1)?.id) {
        const { data, has_more: more } = await asked(() =>
          stripe.events.list({
            delivery_success: false,
            limit: PAGE,
            ...(after !== undefined && { starting_after: after }),
          }),
        );
        events.push(...data);
        if (!more || data.length === 0 || events.length >= MAX_UNDELIVERED) return events.reverse();
      }
    },

    invoice: async (id, withRefunds = false) => {
      const invoice = await whole(await asked(() => stripe.invoices.retrieve(id, { expand: [DISCOUNTS] })));
      await learn(invoice);
      const snapshot = invoiceOf(invoice, known);
      return withRefunds ? { ...snapshot, refunded: await refunds.besideNotes(id) } : snapshot;
    },

    refund: refunds.refund,
    invoiceOfCharge: refunds.invoiceOfCharge,

    invoices: async (customer) => {
      const { data } = await asked(() =>
        stripe.invoices.list({ customer, limit: PAGE, expand: [`data.${DISCOUNTS}`] }),
      );
      const invoices: InvoiceSnapshot[] = [];
      for (const one of data) {
        const invoice = await whole(one);
        await learn(invoice);
        invoices.push(invoiceOf(invoice, known));
      }
      return invoices;
    },

    upcoming: async (customer, subscription) => {
      try {
        return await preview({ customer, subscription });
      } catch (error) {
        // There is none, e.g. since the subscription is about to end.
        if (error instanceof PaymentRefused) return undefined;
        throw error;
      }
    },
  };
}

/** What of ours is sold on a page; undefined for one of somebody else's. */
function soldOn(
  { metadata, subscription }: Stripe.Checkout.Session,
  installation: string,
): PaidPage['what'] | undefined {
  const { [ACCOUNT]: accountId, [CHECKOUT]: checkout, [PURCHASE]: purchase } = metadata ?? {};
  if (purposeOf(metadata, installation) === 'analysis') return { kind: 'analysis' };
  if (accountId === undefined) return undefined;
  if (purchase !== undefined) return { kind: 'credits', accountId, purchase };
  if (checkout === undefined) return undefined;
  return { kind: 'subscription', accountId, subscription: idOf(subscription) ?? null };
}

const seconds = (at: string): number => Math.floor(Date.parse(at) / 1000);
