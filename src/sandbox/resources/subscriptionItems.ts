import { invalid } from '../errors.js';
import type { Params } from '../http/route.js';
import { numberOf, objectOf, textOf } from '../http/route.js';
import type { Price, Subscription, SubscriptionItem, TaxRate } from '../objects.js';
import type { Period, Seconds } from '../rules/time.js';
import { boundary } from '../rules/time.js';
import type { Unit } from '../unit.js';
import { mergedMetadata, sandboxId } from '../unit.js';
import { createPrice } from './catalogue.js';

export const MAX_ITEMS = 20;

/** The price that an item names or describes. @throws ApiError */
export function priceOf(unit: Unit, params: Params, param = 'items[0]'): Price {
  const data = objectOf(params, 'price_data');
  if (data) return createPrice(unit, data);
  const id = textOf(params, 'price');
  if (id === undefined)
    throw invalid(`Missing required param: ${param}[price].`, `${param}[price]`, 'parameter_missing');
  const price = unit.get('price', id, `${param}[price]`);
  if (!price.active) {
    throw invalid(
      `The price specified is inactive. This field only accepts active prices.`,
      `${param}[price]`,
    );
  }
  return price;
}

/** A price that is billed again and again, as subscriptions need it. @throws ApiError */
export function recurringPrice(unit: Unit, params: Params, param: string): Price {
  const price = priceOf(unit, params, param);
  if (price.recurring) return price;
  throw invalid(
    `The price specified is set to \`type=one_time\` but this field only accepts prices with \`type=recurring\`.`,
    `${param}[price]`,
  );
}

export const isMetered = ({ price }: Pick<SubscriptionItem, 'price'>): boolean =>
  price.recurring?.usage_type === 'metered';

export function newItem(
  unit: Unit,
  subscription: string,
  params: Params,
  price: Price,
  period: Period,
): SubscriptionItem {
  const metered = price.recurring?.usage_type === 'metered';
  if (metered && numberOf(params, 'quantity') !== undefined) {
    throw invalid('Quantity should not be specified where usage_type is `metered`.', 'items[0][quantity]');
  }
  return {
    id: sandboxId('si'),
    object: 'subscription_item',
    billing_thresholds: null,
    created: unit.now,
    current_period_end: period.end,
    current_period_start: period.start,
    current_trial: null,
    discounts: [],
    metadata: mergedMetadata({}, params['metadata']),
    plan: planOf(price),
    price,
    ...(!metered && { quantity: numberOf(params, 'quantity') ?? 1 }),
    subscription,
    tax_rates: ratesOf(unit, params['tax_rates']),
    $: { billed: [], usageFrom: unit.now },
  };
}

export function ratesOf(unit: Unit, ids: unknown): TaxRate[] {
  return Array.isArray(ids) ? (ids as string[]).map((id) => unit.get('tax_rate', id, 'tax_rates')) : [];
}

/** The price in the shape that it had before prices, which the API still shows beside it. */
export function planOf(price: Price) {
  const { recurring } = price;
  return {
    id: price.id,
    object: 'plan',
    active: price.active,
    amount: price.unit_amount,
    amount_decimal: price.unit_amount_decimal,
    billing_scheme: price.billing_scheme,
    created: price.created,
    currency: price.currency,
    interval: recurring?.interval,
    interval_count: recurring?.interval_count,
    livemode: false,
    metadata: price.metadata,
    meter: recurring?.meter ?? null,
    nickname: price.nickname,
    product: price.product,
    tiers_mode: price.tiers_mode,
    transform_usage: price.transform_quantity,
    trial_period_days: null,
    usage_type: recurring?.usage_type,
  };
}

/** Whether an item's price is billed to the rhythm of the anchor from a moment on. */
export function periodOf(
  subscription: Pick<Subscription, 'billing_cycle_anchor'>,
  price: Price,
  at: Seconds,
): Period {
  const { recurring } = price;
  if (!recurring) throw new Error('a subscription item without a rhythm');
  const { billing_cycle_anchor: anchor } = subscription;
  // Before a later anchor there is a first, shorter period.
  if (at < anchor) return { start: at, end: anchor };
  let n = 0;
  while (boundary(anchor, recurring, n + 1) <= at) n++;
  return { start: boundary(anchor, recurring, n), end: boundary(anchor, recurring, n + 1) };
}

/** When the subscription is billed next. */
export const nextRenewal = ({ items }: Subscription): Seconds =>
  Math.min(...items.data.map(({ current_period_end: end }) => end));

/** When all of it has run out: where `cancel_at_period_end` ends it. */
export const lastPeriodEnd = ({ items }: Subscription): Seconds =>
  Math.max(...items.data.map(({ current_period_end: end }) => end));
