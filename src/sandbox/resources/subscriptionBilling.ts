import type { Invoice, InvoiceItem, InvoiceLine, Subscription, SubscriptionItem } from '../objects.js';
import type { Period, Seconds } from '../rules/time.js';
import { boundary } from '../rules/time.js';
import { prorated } from '../rules/proration.js';
import type { Unit } from '../unit.js';
import { netOf } from './invoiceTotals.js';
import type { InvoiceInput } from './invoicing.js';
import { draftInvoice, measure } from './invoicing.js';
import { describeItem, makeLine, nameOf, priceAmount } from './lines.js';
import { isMetered, periodOf } from './subscriptionItems.js';

/** What is billed for a subscription at a moment. */
export interface Bill {
  readonly reason: string;
  /** Licensed items whose period begins: billed in advance. */
  readonly advance: readonly SubscriptionItem[];
  /** Metered items whose use is billed, up to a moment. */
  readonly arrears: readonly SubscriptionItem[];
  readonly at: Seconds;
  readonly autoAdvance: boolean;
  readonly period: Period;
  readonly prorationDate?: number;
  /** More lines: one-time prices of a first invoice. */
  readonly extra?: (invoice: string) => InvoiceLine[];
}

/**
 * Drafts an invoice of pending items, use and the periods that begin, in this order. Undefined where
 * there is nothing to bill.
 */
export function billSubscription(unit: Unit, subscription: Subscription, bill: Bill): Invoice | undefined {
  const id = unit.id('invoice');
  const pending = pendingItems(unit, subscription);
  const lines = [
    ...pending.map((item) => fromPending(id, item)),
    ...bill.arrears.map((item) => meteredLine(subscription, id, item, bill.at)),
    ...bill.advance.map((item) => advanceLine(unit, subscription, id, item)),
    ...(bill.extra?.(id) ?? []),
  ];
  if (lines.length === 0) return undefined;
  const invoice = draftInvoice(unit, {
    ...inputOf(unit, subscription),
    id,
    reason: bill.reason,
    lines,
    period: bill.period,
    autoAdvance: bill.autoAdvance,
    prorationDate: bill.prorationDate,
  });
  for (const item of pending) unit.edit('invoiceitem', item.id).invoice = id;
  for (const item of bill.arrears) item.$.usageFrom = bill.at;
  for (const item of bill.advance) {
    const line = lines.find(({ $ }) => $.item === item.id && !$.metered && $.invoiceItem === undefined);
    item.$.billed = line
      ? [
          {
            amount: netOf(line),
            start: item.current_period_start,
            end: item.current_period_end,
            invoice: id,
            line: line.id,
          },
        ]
      : [];
  }
  measure(unit, invoice);
  return invoice;
}

type Inherited = Pick<
  InvoiceInput,
  'currency' | 'customer' | 'discounts' | 'metadata' | 'subscription' | 'taxRates'
>;

function inputOf(unit: Unit, subscription: Subscription): Inherited {
  return {
    customer: subscription.customer,
    currency: subscription.currency,
    subscription,
    discounts: discountsOf(unit, subscription),
    taxRates: subscription.default_tax_rates,
  };
}

/** Those of the subscription, otherwise the customer's. */
export function discountsOf(unit: Unit, subscription: Subscription): string[] {
  if (subscription.discounts.length > 0) return subscription.discounts;
  const discount = unit.get('customer', subscription.customer).discount;
  return discount ? [discount.id] : [];
}

const pendingItems = (unit: Unit, { id, customer, currency }: Subscription): InvoiceItem[] =>
  unit.filter(
    'invoiceitem',
    (item) =>
      item.invoice === null &&
      item.customer === customer &&
      item.currency === currency &&
      [undefined, id].includes(item.parent?.subscription_details.subscription),
  );

export function fromPending(invoice: string, item: InvoiceItem): InvoiceLine {
  const details = item.parent?.subscription_details;
  return makeLine(invoice, {
    amount: item.amount,
    currency: item.currency,
    description: item.description ?? 'Invoice item',
    period: item.period,
    quantity: item.quantity,
    pricing: item.pricing,
    discountable: item.discountable,
    discounts: item.discounts,
    subscription: details?.subscription ?? null,
    item: details?.subscription_item ?? undefined,
    invoiceItem: item.id,
    proration: item.proration,
    taxRates: item.tax_rates,
    metadata: item.metadata,
    credited: item.$.credited,
  });
}

function meteredLine(
  subscription: Subscription,
  invoice: string,
  item: SubscriptionItem,
  at: Seconds,
): InvoiceLine {
  return makeLine(invoice, {
    amount: 0,
    currency: subscription.currency,
    description: '',
    period: { start: item.$.usageFrom, end: at },
    quantity: 0,
    price: item.price,
    subscription: subscription.id,
    item: item.id,
    metered: { start: item.$.usageFrom, end: at },
    taxRates: item.tax_rates,
  });
}

/** A whole period, a shorter one before a later anchor, or a trial. */
function advanceLine(
  unit: Unit,
  subscription: Subscription,
  invoice: string,
  item: SubscriptionItem,
): InvoiceLine {
  const { price, quantity = 1 } = item;
  const period = { start: item.current_period_start, end: item.current_period_end };
  const trial = subscription.status === 'trialing';
  const amount = trial ? 0 : periodAmount(subscription, item);
  return makeLine(invoice, {
    amount,
    currency: subscription.currency,
    description: trial
      ? `Free trial for ${quantity} × ${nameOf(unit, price)}`
      : describeItem(unit, price, quantity),
    period,
    quantity,
    price,
    subscription: subscription.id,
    item: item.id,
    taxRates: item.tax_rates,
  });
}

function periodAmount(
  subscription: Subscription,
  { price, quantity = 1, ...item }: SubscriptionItem,
): number {
  const amount = priceAmount(price, quantity);
  const { billing_cycle_anchor: anchor } = subscription;
  if (item.current_period_end !== anchor || !price.recurring) return amount;
  const start = boundary(anchor, price.recurring, -1);
  // The anchor may also be where a whole period ends.
  return item.current_period_start <= start
    ? amount
    : prorated(amount, item.current_period_start, { start, end: anchor });
}

/** Moves the items whose period is over into the one that holds a moment. */
export function advancePeriods(subscription: Subscription, at: Seconds): SubscriptionItem[] {
  const over = subscription.items.data.filter((item) => item.current_period_end <= at);
  for (const item of over) {
    const { start, end } = periodOf(subscription, item.price, at);
    item.current_period_start = start;
    item.current_period_end = end;
    item.$.billed = [];
  }
  return over;
}

export const licensed = (items: readonly SubscriptionItem[]): SubscriptionItem[] =>
  items.filter((item) => !isMetered(item));
export const metered = (items: readonly SubscriptionItem[]): SubscriptionItem[] => items.filter(isMetered);
