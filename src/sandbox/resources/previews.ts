import { ApiError } from '../errors.js';
import type { Params } from '../http/route.js';
import { arrayOf, numberOf, objectOf, textOf } from '../http/route.js';
import type { Invoice, Subscription } from '../objects.js';
import { HOUR } from '../rules/time.js';
import type { Unit } from '../unit.js';
import { sandboxId } from '../unit.js';
import { applyDiscounts } from './discounts.js';
import { recompute } from './invoiceTotals.js';
import { draftInvoice } from './invoicing.js';
import { advancePeriods, billSubscription, licensed, metered } from './subscriptionBilling.js';
import { changeTerms } from './subscriptionLife.js';
import { createSubscription } from './subscriptions.js';
import { lastPeriodEnd, nextRenewal } from './subscriptionItems.js';

/** The invoice that would come: everything is done in a fork, and forgotten. @throws ApiError */
export function previewInvoice(unit: Unit, params: Params): Invoice {
  const fork = unit.fork();
  const details = objectOf(params, 'subscription_details') ?? {};
  const given = objectOf(params, 'subscription') ? undefined : textOf(params, 'subscription');
  const schedule = textOf(params, 'schedule');
  const id = given ?? unit.find('subscription_schedule', schedule)?.subscription ?? undefined;
  const invoice =
    id === undefined
      ? previewNew(fork, params, details)
      : previewExisting(fork, discounted(fork, id, params), details);
  if (!invoice) throw none(textOf(params, 'customer') ?? unit.find('subscription', id)?.customer ?? '');
  if (id === undefined) {
    for (const discount of arrayOf(params, 'discounts')) {
      const kept = textOf(discount, 'discount');
      if (kept !== undefined && !invoice.discounts.includes(kept)) invoice.discounts.push(kept);
    }
  }
  recompute(fork, invoice);
  return {
    ...invoice,
    // One that only the preview has can't be asked for: it is shown whole.
    total_discount_amounts: invoice.total_discount_amounts.map((one) =>
      unit.find('discount', one.discount)
        ? one
        : { ...one, discount: fork.get('discount', one.discount) as unknown as string },
    ),
    id: sandboxId('upcoming_in'),
    ending_balance: invoice.amount_due === 0 ? invoice.total + invoice.starting_balance : 0,
  };
}

/** A subscription, with the discounts that a preview is asked for in place of its own. */
function discounted(unit: Unit, id: string, params: Params): Subscription {
  const subscription = unit.edit('subscription', id, 'subscription');
  if (params['discounts'] !== undefined) {
    const { customer } = subscription;
    subscription.discounts = applyDiscounts(unit, params['discounts'], { subscription: id, customer });
  }
  return subscription;
}

const none = (customer: string): ApiError =>
  new ApiError(404, {
    type: 'invalid_request_error',
    code: 'invoice_upcoming_none',
    message: `No upcoming invoices for customer: '${customer}'`,
  });

/** A change that is billed at once, or the renewal with what is pending then. */
function previewExisting(unit: Unit, subscription: Subscription, details: Params): Invoice | undefined {
  if (['canceled', 'incomplete_expired'].includes(subscription.status)) return undefined;
  const now = changeTerms(unit, subscription, details);
  if (now) return now;
  const { cancel_at_period_end: asked, cancel_at: at } = details as {
    cancel_at_period_end?: boolean;
    cancel_at?: number;
  };
  const renewal = nextRenewal(subscription);
  const ends =
    at ?? (asked === true ? lastPeriodEnd(subscription) : asked === false ? null : subscription.cancel_at);
  const over = details['cancel_now'] === true || (ends !== null && ends <= renewal);
  const until = details['cancel_now'] === true ? unit.now : renewal;
  const due = subscription.items.data.filter((item) => item.current_period_end <= until);
  const period = {
    start: Math.min(...subscription.items.data.map((item) => item.current_period_start)),
    end: until,
  };
  const arrears = metered(over ? subscription.items.data : due);
  if (!over) {
    advancePeriods(subscription, renewal);
    if (subscription.status === 'trialing') subscription.status = 'active';
  }
  const invoice = billSubscription(unit, subscription, {
    reason: 'upcoming',
    advance: over ? [] : licensed(due),
    arrears,
    at: until,
    autoAdvance: true,
    period,
    ...(numberOf(details, 'proration_date') !== undefined && {
      prorationDate: numberOf(details, 'proration_date') ?? 0,
    }),
  });
  if (invoice) {
    invoice.created = until;
    invoice.next_payment_attempt = invoice.automatically_finalizes_at = until + HOUR;
  }
  return invoice;
}

/** The first invoice of a subscription that there is not yet, or a customer's pending items. */
function previewNew(unit: Unit, params: Params, details: Params): Invoice | undefined {
  const customer = textOf(params, 'customer');
  const items = arrayOf(details, 'items');
  const known = customer ?? unit.id('customer');
  if (customer === undefined) {
    const stand = {
      ...unit.base('customer', 'customer', known),
      balance: 0,
      currency: null,
      delinquent: false,
      discount: null,
      email: null,
      invoice_prefix: 'PREVIEW',
      invoice_settings: { default_payment_method: null },
      metadata: {},
      name: null,
      next_invoice_sequence: 1,
      tax_exempt: 'none',
    };
    unit.add('customer', stand);
  }
  if (items.length > 0) {
    const { invoice } = createSubscription(unit, {
      ...details,
      customer: known,
      items,
      discounts: params['discounts'],
      payment_behavior: 'default_incomplete',
    });
    return invoice && { ...invoice, status: 'draft', number: null };
  }
  const pending = unit.filter('invoiceitem', (item) => item.invoice === null && item.customer === known);
  const currency = pending[0]?.currency;
  if (currency === undefined) return undefined;
  return draftInvoice(unit, {
    id: unit.id('invoice'),
    customer: known,
    currency,
    reason: 'upcoming',
    lines: [],
    discounts: [],
    taxRates: [],
    period: { start: unit.now, end: unit.now },
    autoAdvance: true,
  });
}
