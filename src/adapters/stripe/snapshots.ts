import type Stripe from 'stripe';
import type { InvoiceSnapshot } from '../../billing/decideInvoice.js';
import type { Discount, InvoiceDiscount, InvoiceLine } from '../../billing/events.js';
import { DUPLICATE, TRIAL_USED } from '../../billing/events.js';
import type { CheckoutPage, Preview } from '../../billing/payments.js';
import type { Snapshot } from '../../billing/recordSubscription.js';
import { wholeOf } from '../../money/whole.js';
import { sumOf } from '../../money/money.js';
import { idOf } from './ids.js';
import { OVERAGE, OVERAGE_LINE, OVERAGE_QUANTITY } from './overageItems.js';

/** A price of ours as its metadata at Stripe say it: the profile may have another by now. */
export interface KnownPrice {
  readonly plan: string;
  readonly price: string;
}

/** A coupon at Stripe, as it is to us. */
export type KnownCoupon = Pick<Discount, 'coupon' | 'name' | 'percentOff' | 'amountOff' | 'currency'>;

/** What a price at Stripe is to us; undefined for one that is none of ours. */
export type PriceLookup = (price: Stripe.Price) => KnownPrice | undefined;
/** What was learned of Stripe's objects, by their ids there. */
export interface Seen {
  readonly price: (id: string) => KnownPrice | undefined;
  readonly coupon: (id: string) => KnownCoupon | undefined;
}

export const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();

/** Whether a page can still be paid, was paid, or is over. */
export function pageStatusOf({ status }: Stripe.Checkout.Session): CheckoutPage['status'] {
  if (status === 'complete') return 'complete';
  return status === 'expired' ? 'expired' : 'open';
}

/** The item that is a plan of ours; else the first, whose price may have been given in Stripe's dashboard. */
export const itemOf = ({ items }: Stripe.Subscription, lookUp: PriceLookup) =>
  items.data.find(({ price }) => lookUp(price)) ?? items.data[0];

/** @returns undefined for a subscription to nothing */
export function snapshotOf(
  subscription: Stripe.Subscription,
  lookUp: PriceLookup,
  seen: Seen,
): Snapshot | undefined {
  const item = itemOf(subscription, lookUp);
  if (!item) return undefined;
  const { price } = item;
  return {
    subscription: subscription.id,
    ...(lookUp(price) ?? { plan: null, price: null }),
    interval: price.recurring?.interval === 'year' ? 'year' : 'month',
    amount: price.unit_amount ?? 0,
    currency: price.currency,
    periodStart: iso(item.current_period_start),
    periodEnd: iso(item.current_period_end),
    status: subscription.status as Snapshot['status'],
    createdAt: iso(subscription.created),
    trialEndsAt: subscription.trial_end === null ? undefined : iso(subscription.trial_end),
    cancelsAt: cancelsAt(subscription, item.current_period_end),
    endedAt: subscription.ended_at === null ? undefined : iso(subscription.ended_at),
    pausedAt: pausedAt(subscription),
    endReason: endReasonOf(subscription),
    duplicate: subscription.cancellation_details?.comment === DUPLICATE,
    card: cardOf(subscription),
    scheduled: scheduledOf(subscription, price.id, seen.price),
    discounts: subscription.discounts.flatMap((one) => discountOf(one, seen) ?? []),
  };
}

/** Of a pause that somebody has asked for, and of no other. */
function pausedAt({ status, status_details: details }: Stripe.Subscription): string | undefined {
  if (status !== 'paused' || details?.paused.subscription.type !== 'pause_requested') return undefined;
  return iso(details.paused.transitioned_at);
}

/** Stripe's word, or ours where we have said why. */
function endReasonOf({ cancellation_details: details }: Stripe.Subscription): string | undefined {
  return details?.comment === TRIAL_USED ? TRIAL_USED : (details?.reason ?? undefined);
}

function cardOf({ default_payment_method: method }: Stripe.Subscription): Snapshot['card'] {
  if (method === null || typeof method === 'string') return undefined;
  return method.card ? (method.card.fingerprint ?? undefined) : null;
}

/** The portal sets `cancel_at`, others the flag. */
function cancelsAt(
  { cancel_at: at, cancel_at_period_end: atEnd }: Stripe.Subscription,
  periodEnd: number,
): string | undefined {
  if (at !== null) return iso(at);
  return atEnd ? iso(periodEnd) : undefined;
}

function scheduledOf(
  { schedule, status }: Stripe.Subscription,
  current: string,
  seen: Seen['price'],
): Snapshot['scheduled'] {
  if (schedule === null || typeof schedule === 'string' || status === 'canceled') return undefined;
  if (schedule.status !== 'active' && schedule.status !== 'not_started') return undefined;
  const end = schedule.current_phase?.end_date ?? 0;
  for (const { start_date: start, items } of schedule.phases) {
    if (start < end) continue;
    for (const { price } of items) {
      const id = idOf(price);
      const known = id === undefined || id === current ? undefined : seen(id);
      if (known) return { ...known, at: iso(start) };
    }
  }
  return undefined;
}

/** A discount that was asked for whole. */
function discountOf(given: string | Stripe.Discount, seen: Seen): Discount | undefined {
  if (typeof given === 'string') return undefined;
  const { id, end } = given;
  return { id, ...couponIn(given, seen), endsAt: end === null ? null : iso(end) };
}

/** One that was deleted at Stripe has no terms any more. */
const UNKNOWN: KnownCoupon = {
  coupon: null,
  name: 'Discount',
  percentOff: null,
  amountOff: null,
  currency: null,
};

const couponIn = ({ source }: Pick<Stripe.Discount, 'source'>, seen: Seen): KnownCoupon =>
  seen.coupon(idOf(source.coupon) ?? '') ?? UNKNOWN;

/** The ids of the coupons that a subscription has. */
export const discountsIn = ({ discounts }: Stripe.Subscription): (string | undefined)[] =>
  discounts.map((one) => (typeof one === 'string' ? undefined : idOf(one.source.coupon)));

/** The ids of the coupons that have taken something off an invoice. */
export const couponsIn = ({ total_discount_amounts: all }: Stripe.Invoice): (string | undefined)[] =>
  (all ?? []).map(({ discount }) =>
    typeof discount === 'string' ? undefined : idOf(discount.source.coupon),
  );

/** The ids of the prices that a schedule will bring. */
export function scheduledPrices({ schedule }: Stripe.Subscription): string[] {
  if (schedule === null || typeof schedule === 'string') return [];
  return schedule.phases.flatMap(({ items }) => items.flatMap(({ price }) => idOf(price) ?? []));
}

export function invoiceOf(invoice: Stripe.Invoice, seen: Seen): InvoiceSnapshot {
  const { status_transitions: transitions } = invoice;
  return {
    id: invoice.id,
    customer: idOf(invoice.customer) ?? '',
    status: (invoice.status ?? 'draft') as InvoiceSnapshot['status'],
    number: invoice.number,
    reason: invoice.billing_reason ?? 'manual',
    issuedAt: iso(transitions.finalized_at ?? invoice.created),
    ...previewOf(invoice, seen),
    discount: sumOf(invoice.total_discount_amounts ?? []),
    paid: invoice.amount_paid,
    attempts: invoice.attempt_count,
    nextAttemptAt: invoice.next_payment_attempt === null ? null : iso(invoice.next_payment_attempt),
    // A note on an open invoice lowers what is paid, one on a paid invoice gives back.
    credited: invoice.pre_payment_credit_notes_amount + invoice.post_payment_credit_notes_amount,
  };
}

export function previewOf(invoice: Stripe.Invoice, seen: Seen): Preview {
  const lines = invoice.lines.data.map((line) => lineOf(line, seen));
  const taxes = invoice.total_taxes ?? [];
  const starts = lines.map(({ periodStart }) => periodStart).sort();
  const ends = lines.map(({ periodEnd }) => periodEnd).sort();
  return {
    currency: invoice.currency,
    lines,
    subtotal: invoice.subtotal,
    discounts: (invoice.total_discount_amounts ?? []).map(({ discount, amount }): InvoiceDiscount => {
      const { coupon, name, percentOff, amountOff } =
        typeof discount === 'string' ? UNKNOWN : couponIn(discount, seen);
      return { coupon, name, amount, percentOff, amountOff };
    }),
    tax: sumOf(taxes),
    taxIncluded: sumOf(taxes.filter(({ tax_behavior: behavior }) => behavior === 'inclusive')),
    total: invoice.total,
    // As it was issued: a credit note on it lowers what Stripe calls due.
    due: invoice.amount_due + invoice.pre_payment_credit_notes_amount,
    periodStart: starts[0] ?? iso(invoice.period_start),
    periodEnd: ends.at(-1) ?? iso(invoice.period_end),
  };
}

function lineOf(line: Stripe.InvoiceLineItem, seen: Seen): InvoiceLine {
  const price = idOf(line.pricing?.price_details?.price);
  const { parent } = line;
  const proration =
    (parent?.subscription_item_details?.proration ?? parent?.invoice_item_details?.proration) === true;
  const known = price === undefined ? undefined : seen.price(price);
  const { [OVERAGE]: overage, [OVERAGE_LINE]: rated, [OVERAGE_QUANTITY]: used } = line.metadata;
  if (overage !== undefined) {
    return {
      id: line.id,
      kind: 'usage',
      description: line.description ?? '',
      quantity: wholeOf(BigInt(/^\d+$/.test(used ?? '') ? (used as string) : 1)),
      amount: line.amount,
      periodStart: iso(line.period.start),
      periodEnd: iso(line.period.end),
      price: null,
      events: [overage],
      ...(rated !== undefined && { ratedLine: rated }),
    };
  }
  return {
    id: line.id,
    kind: proration ? 'proration' : known === undefined ? 'other' : 'plan',
    description: line.description ?? '',
    quantity: line.quantity ?? 1,
    amount: line.amount,
    periodStart: iso(line.period.start),
    periodEnd: iso(line.period.end),
    price: known?.price ?? null,
    events: [],
  };
}
