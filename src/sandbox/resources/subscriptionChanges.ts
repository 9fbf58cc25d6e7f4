import { invalid } from '../errors.js';
import type { Params } from '../http/route.js';
import { numberOf, objectOf, textOf } from '../http/route.js';
import type { InvoiceItem, Subscription, SubscriptionItem } from '../objects.js';
import { credit, prorated, upTo } from '../rules/proration.js';
import type { Seconds } from '../rules/time.js';
import { totalsOf } from '../rules/totals.js';
import type { Unit } from '../unit.js';
import { mergedMetadata } from '../unit.js';
import { reductionOf } from './invoiceTotals.js';
import { describeProration, describeItem, priceAmount, pricingOf } from './lines.js';
import { discountsOf } from './subscriptionBilling.js';
import { isMetered, MAX_ITEMS, newItem, periodOf, ratesOf, recurringPrice } from './subscriptionItems.js';
import { usageOf } from './usage.js';

export type ProrationBehavior = 'always_invoice' | 'create_prorations' | 'none';

export interface ItemChange {
  readonly behavior: ProrationBehavior;
  /** As of when the time is divided. */
  readonly at: Seconds;
  /** Periods begin anew: everything that was billed is given back, and nothing is charged here. */
  readonly restart: boolean;
}

interface Changed {
  readonly before: SubscriptionItem | undefined;
  readonly after: SubscriptionItem | undefined;
}

/**
 * Changes the items of a subscription, and leaves credits and debits for the time that is left as pending
 * invoice items. `subscription.items` is replaced, never its items.
 */
export function changeItems(
  unit: Unit,
  subscription: Subscription,
  given: readonly Params[],
  change: ItemChange,
): void {
  const changes = given.map((params, index) => changed(unit, subscription, params, index));
  const kept = subscription.items.data.filter(
    (item) => !changes.some(({ before }) => before?.id === item.id),
  );
  const replaced = new Map(changes.map(({ before, after }) => [before?.id, after]));
  const items = [
    ...subscription.items.data.flatMap((item) => {
      if (!replaced.has(item.id)) return [item];
      const after = replaced.get(item.id);
      return after ? [after] : [];
    }),
    ...changes.flatMap(({ before, after }) => (!before && after ? [after] : [])),
  ];
  if (items.length === 0) throw invalid('A subscription must have at least one active item.', 'items');
  if (items.length > MAX_ITEMS) throw invalid(`A subscription has at most ${MAX_ITEMS} items.`, 'items');
  if (new Set(items.map(({ price }) => price.id)).size < items.length) {
    throw invalid('Cannot add multiple subscription items with the same price.', 'items');
  }
  if (items.some(({ price }) => price.currency !== subscription.currency)) {
    throw invalid(`All prices of a subscription must be in its currency, ${subscription.currency}.`, 'items');
  }
  const all = change.restart ? [...changes, ...kept.map((item) => ({ before: item, after: item }))] : changes;
  // All credits first, then all debits, as on Stripe's invoices.
  const free = subscription.status === 'trialing' || subscription.status === 'incomplete';
  for (const one of all) if (!free) giveBack(unit, subscription, one, change);
  for (const one of all) if (!free && !change.restart) charge(unit, subscription, one, change);
  subscription.items.data = items;
}

function changed(unit: Unit, subscription: Subscription, params: Params, index: number): Changed {
  const id = textOf(params, 'id');
  const param = `items[${index}]`;
  if (id === undefined) {
    const price = recurringPrice(unit, params, param);
    const period = isTrial(subscription, unit.now)
      ? { start: subscription.trial_start ?? unit.now, end: subscription.trial_end ?? unit.now }
      : periodOf(subscription, price, unit.now);
    return { before: undefined, after: newItem(unit, subscription.id, params, price, period) };
  }
  const before = subscription.items.data.find((item) => item.id === id);
  if (!before) throw invalid(`No such subscription item: '${id}'`, `${param}[id]`, 'resource_missing');
  if (params['deleted'] === true) return { before, after: undefined };
  const after = structuredClone(before);
  if (textOf(params, 'price') !== undefined || objectOf(params, 'price_data')) {
    const price = recurringPrice(unit, params, param);
    const fresh = newItem(
      unit,
      subscription.id,
      {},
      price,
      periodOfChange(subscription, before, price, unit.now),
    );
    after.price = price;
    after['plan'] = fresh['plan'];
    after.current_period_start = fresh.current_period_start;
    after.current_period_end = fresh.current_period_end;
    if (isMetered(after)) delete after.quantity;
    else after.quantity ??= 1;
  }
  const quantity = numberOf(params, 'quantity');
  if (quantity !== undefined) {
    if (isMetered(after))
      throw invalid('Quantity should not be specified where usage_type is `metered`.', `${param}[quantity]`);
    if (quantity < 0)
      throw invalid('Invalid non-negative integer', `${param}[quantity]`, 'parameter_invalid_integer');
    after.quantity = quantity;
  }
  after.metadata = mergedMetadata(after.metadata, params['metadata']);
  if (params['tax_rates'] !== undefined) after.tax_rates = ratesOf(unit, params['tax_rates']);
  return { before, after };
}

/** A new rhythm runs from the same anchor (flexible billing mode); a trial keeps its end. */
function periodOfChange(
  subscription: Subscription,
  before: SubscriptionItem,
  price: SubscriptionItem['price'],
  at: Seconds,
) {
  const same =
    before.price.recurring?.interval === price.recurring?.interval &&
    before.price.recurring?.interval_count === price.recurring?.interval_count;
  // At the very end of a period its renewal begins the next one, in whatever rhythm.
  const over = before.current_period_end <= at;
  if (same || over || isTrial(subscription, at))
    return { start: before.current_period_start, end: before.current_period_end };
  return periodOf(subscription, price, at);
}

const isTrial = ({ trial_end: end }: Subscription, at: Seconds): boolean => end !== null && end > at;

const sameTerms = (before: SubscriptionItem, after: SubscriptionItem): boolean =>
  before.price.id === after.price.id && before.quantity === after.quantity;

/** What was really billed for the time that is left; open use of a metered price is billed. */
function giveBack(
  unit: Unit,
  subscription: Subscription,
  { before, after }: Changed,
  change: ItemChange,
): void {
  if (!before || (after && sameTerms(before, after) && !change.restart)) return;
  if (isMetered(before)) return billUse(unit, subscription, before, after, change.at);
  if (change.behavior === 'none') return;
  const billed = before.$.billed.filter(({ end }) => end > change.at);
  const amount = credit(before.$.billed, change.at);
  // An item that stays is the same before and after.
  if (after) after.$.billed = upTo(before.$.billed, change.at);
  if (billed.length === 0) return;
  const [first] = billed;
  addPending(unit, subscription, before, {
    amount,
    description: describeProration(unit, true, before.price, before.quantity ?? 1, change.at),
    at: change.at,
    end: before.current_period_end,
    ...(first?.invoice !== undefined && {
      credited: { invoice: first.invoice, invoice_line_items: billed.flatMap(({ line }) => line ?? []) },
    }),
  });
}

/** The new terms for the time that is left, less the discounts that the subscription has. */
function charge(
  unit: Unit,
  subscription: Subscription,
  { before, after }: Changed,
  change: ItemChange,
): void {
  if (!after || isMetered(after) || change.behavior === 'none') return;
  if (before && sameTerms(before, after)) return;
  const period = { start: after.current_period_start, end: after.current_period_end };
  const amount = prorated(discounted(unit, subscription, after), change.at, period);
  if (change.at >= period.end) return;
  const kept = before ? after.$.billed : [];
  after.$.billed = [...kept, { amount, start: change.at, end: period.end }];
  addPending(unit, subscription, after, {
    amount,
    description: describeProration(unit, false, after.price, after.quantity ?? 1, change.at),
    at: change.at,
    end: period.end,
  });
}

/** Proration lines are net: no discount applies to them later. */
function discounted(
  unit: Unit,
  subscription: Subscription,
  { price, quantity = 1 }: SubscriptionItem,
): number {
  const line = {
    amount: priceAmount(price, quantity),
    discountable: true,
    product: price.product,
    taxes: [],
  };
  const reductions = discountsOf(unit, subscription).flatMap((id) => reductionOf(unit, id, price.currency));
  return totalsOf([line], reductions).total;
}

/** Use up to the change is billed at the price that held then (flexible billing mode). */
function billUse(
  unit: Unit,
  subscription: Subscription,
  before: SubscriptionItem,
  after: SubscriptionItem | undefined,
  at: Seconds,
): void {
  const from = before.$.usageFrom;
  const used = usageOf(unit, before.price, subscription.customer, from, at);
  if (after) after.$.usageFrom = at;
  if (used === 0) return;
  addPending(unit, subscription, before, {
    amount: priceAmount(before.price, used),
    description: describeItem(unit, before.price, used),
    at: from,
    end: at,
    quantity: used,
    proration: false,
  });
}

interface Pending {
  readonly amount: number;
  readonly description: string;
  readonly at: Seconds;
  readonly end: Seconds;
  readonly quantity?: number;
  readonly proration?: boolean;
  readonly credited?: { readonly invoice: string; readonly invoice_line_items: string[] };
}

function addPending(unit: Unit, subscription: Subscription, item: SubscriptionItem, of: Pending): void {
  const quantity = of.quantity ?? item.quantity ?? 1;
  const pending: InvoiceItem = {
    ...unit.base('invoiceitem', 'invoiceitem'),
    amount: of.amount,
    currency: subscription.currency,
    customer: subscription.customer,
    customer_account: null,
    date: unit.now,
    description: of.description,
    discountable: false,
    discounts: [],
    invoice: null,
    metadata: {},
    net_amount: of.amount,
    parent: {
      type: 'subscription_details',
      subscription_details: { subscription: subscription.id, subscription_item: item.id },
    },
    period: { start: of.at, end: of.end },
    pricing: pricingOf(item.price),
    proration: of.proration ?? true,
    quantity,
    quantity_decimal: `${quantity}`,
    tax_rates: item.tax_rates,
    test_clock: null,
    $: { ...(of.credited && { credited: of.credited }) },
  };
  unit.add('invoiceitem', pending);
  unit.emit('invoiceitem.created', pending);
}
