import { ApiError, invalid } from '../errors.js';
import { page, within } from '../http/lists.js';
import type { Params, Routes } from '../http/route.js';
import { arrayOf, numberOf, objectOf, textOf } from '../http/route.js';
import type { Invoice, InvoiceLine, Subscription, SubscriptionItem } from '../objects.js';
import { listOf } from '../present.js';
import { DAY } from '../rules/time.js';
import type { Unit } from '../unit.js';
import { mergedMetadata } from '../unit.js';
import { chargeFailed } from './charging.js';
import { livingCustomer, ownMethod } from './customers.js';
import { applyDiscounts } from './discounts.js';
import { finalize, methodFor, pay } from './invoicing.js';
import { describeItem, makeLine, priceAmount } from './lines.js';
import { billSubscription, licensed } from './subscriptionBilling.js';
import { cancelNow, pauseNow, resumeNow, updateSubscription } from './subscriptionLife.js';
import { lastPeriodEnd, newItem, periodOf, priceOf, ratesOf, recurringPrice } from './subscriptionItems.js';

export interface NewSubscription {
  readonly subscription: Subscription;
  readonly invoice: Invoice | undefined;
}

/** Starts a subscription and charges its first invoice. @throws ApiError */
export function createSubscription(unit: Unit, params: Params): NewSubscription {
  const customer = livingCustomer(unit, textOf(params, 'customer') ?? '');
  const id = unit.id('subscription');
  const trialEnd = trialEndOf(unit, params);
  const anchorGiven = numberOf(params, 'billing_cycle_anchor');
  const anchor = trialEnd ?? anchorGiven ?? unit.now;
  if (anchor < unit.now)
    throw invalid('The billing cycle anchor must be in the future.', 'billing_cycle_anchor');
  const given = arrayOf(params, 'items');
  if (given.length === 0) throw invalid('Missing required param: items.', 'items', 'parameter_missing');
  const items = given.map((item, index): SubscriptionItem => {
    const price = recurringPrice(unit, item, `items[${index}]`);
    const period =
      trialEnd === undefined
        ? periodOf({ billing_cycle_anchor: anchor }, price, unit.now)
        : { start: unit.now, end: trialEnd };
    return newItem(unit, id, item, price, period);
  });
  const currencies = new Set(items.map(({ price }) => price.currency));
  const [currency = ''] = currencies;
  if (currencies.size > 1 || (customer.currency !== null && customer.currency !== currency)) {
    throw invalid(
      `You cannot combine currencies on a single customer. This customer has had a subscription, coupon, or invoice item with currency ${customer.currency ?? currency}.`,
    );
  }
  const method = textOf(params, 'default_payment_method');
  const trialSettings = objectOf(params, 'trial_settings') as Subscription['trial_settings'] | undefined;
  const subscription: Subscription = {
    ...unit.base('subscription', 'subscription', id),
    application: null,
    application_fee_percent: null,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null },
    billing_cycle_anchor: anchor,
    billing_cycle_anchor_config: null,
    billing_mode: { flexible: { proration_discounts: 'included' }, type: 'flexible' },
    billing_schedules: [],
    billing_thresholds: null,
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    cancellation_details: { comment: null, feedback: null, feedback_option: null, reason: null },
    collection_method: 'charge_automatically',
    currency,
    customer: customer.id,
    customer_account: null,
    days_until_due: null,
    default_payment_method: method === undefined ? null : ownMethod(unit, method, customer.id),
    default_source: null,
    default_tax_rates: ratesOf(unit, params['default_tax_rates']),
    description: textOf(params, 'description') ?? null,
    discounts: [],
    ended_at: null,
    invoice_settings: {
      account_tax_ids: null,
      custom_fields: null,
      description: null,
      footer: null,
      issuer: { type: 'self' },
    },
    items: listOf(items, `/v1/subscription_items?subscription=${id}`),
    latest_invoice: null,
    managed_payments: null,
    metadata: mergedMetadata({}, params['metadata']),
    next_pending_invoice_item_invoice: null,
    on_behalf_of: null,
    pause_collection: null,
    payment_settings: {
      payment_method_options: null,
      payment_method_types: null,
      save_default_payment_method: 'off',
    },
    pending_invoice_item_interval: null,
    pending_setup_intent: null,
    pending_update: null,
    schedule: null,
    start_date: unit.now,
    status: trialEnd === undefined ? 'incomplete' : 'trialing',
    status_details: null,
    test_clock: null,
    transfer_data: null,
    trial_end: trialEnd ?? null,
    trial_settings: {
      end_behavior: {
        missing_payment_method: trialSettings?.end_behavior.missing_payment_method ?? 'create_invoice',
      },
    },
    trial_start: trialEnd === undefined ? null : unit.now,
    $: {},
  };
  unit.add('subscription', subscription);
  subscription.discounts = applyDiscounts(unit, params['discounts'], {
    subscription: id,
    customer: customer.id,
  });
  if (params['cancel_at_period_end'] === true) {
    Object.assign(subscription, {
      cancel_at_period_end: true,
      cancel_at: lastPeriodEnd(subscription),
      canceled_at: unit.now,
    });
  } else subscription.cancel_at = numberOf(params, 'cancel_at') ?? null;
  unit.emit('customer.subscription.created', subscription);
  const invoice = firstInvoice(unit, subscription, params);
  tellTrialEnd(unit, subscription);
  return { subscription, invoice };
}

function trialEndOf(unit: Unit, params: Params): number | undefined {
  const days = numberOf(params, 'trial_period_days');
  if (days !== undefined && params['trial_end'] !== undefined) {
    throw invalid('You cannot set `trial_period_days` and `trial_end` both.', 'trial_period_days');
  }
  if (days !== undefined) {
    if (days < 0 || days > 730) throw invalid('Trials have at most 730 days.', 'trial_period_days');
    return days === 0 ? undefined : unit.now + days * DAY;
  }
  const end = numberOf(params, 'trial_end');
  if (end !== undefined && end <= unit.now)
    throw invalid('Invalid timestamp: must be an integer Unix timestamp in the future.', 'trial_end');
  return end;
}

/** The first invoice is final and charged within the request. */
function firstInvoice(unit: Unit, subscription: Subscription, params: Params): Invoice | undefined {
  const free =
    params['proration_behavior'] === 'none' &&
    subscription.billing_cycle_anchor > unit.now &&
    subscription.status !== 'trialing';
  const invoice = billSubscription(unit, subscription, {
    reason: 'subscription_create',
    advance: free ? [] : licensed(subscription.items.data),
    arrears: [],
    at: unit.now,
    autoAdvance: true,
    period: { start: unit.now, end: unit.now },
    extra: (id) => arrayOf(params, 'add_invoice_items').map((item, n) => extraLine(unit, id, item, n)),
  });
  if (!invoice) {
    if (subscription.status === 'incomplete') subscription.status = 'active';
    unit.emitUpdate('customer.subscription.updated', subscription);
    return undefined;
  }
  unit.emit('invoice.created', invoice);
  finalize(unit, invoice);
  unit.emitUpdate('customer.subscription.updated', subscription);
  const behavior = textOf(params, 'payment_behavior') ?? 'allow_incomplete';
  if (invoice.status !== 'open' || behavior === 'default_incomplete') return invoice;
  if (methodFor(unit, invoice) === null) {
    throw invalid(
      'This customer has no attached payment source or default payment method. Please consider adding a default payment method.',
      undefined,
      'resource_missing',
    );
  }
  const outcome = pay(unit, invoice);
  if (outcome !== 'succeeded' && behavior === 'error_if_incomplete') {
    const { status, body } = chargeFailed(unit.get('payment_intent', invoice.$.paymentIntent ?? ''));
    throw new ApiError(status, body);
  }
  return invoice;
}

/** A one-time price on the first invoice. */
function extraLine(unit: Unit, invoice: string, params: Params, index: number): InvoiceLine {
  const price = priceOf(unit, params, `add_invoice_items[${index}]`);
  const quantity = numberOf(params, 'quantity') ?? 1;
  return makeLine(invoice, {
    amount: priceAmount(price, quantity),
    currency: price.currency,
    description: describeItem(unit, price, quantity),
    period: { start: unit.now, end: unit.now },
    quantity,
    price,
    taxRates: ratesOf(unit, params['tax_rates']),
  });
}

/** Three days before a trial ends, or at once where it is shorter. */
export function tellTrialEnd(unit: Unit, subscription: Subscription): void {
  const { trial_end: end, status } = subscription;
  if (status !== 'trialing' || end === null || end - 3 * DAY > unit.now) return;
  if (subscription.$.toldTrialEnd === end) return;
  subscription.$.toldTrialEnd = end;
  unit.emit('customer.subscription.trial_will_end', subscription);
}

export const subscriptionRoutes: Routes = {
  'POST /v1/subscriptions': (unit, params) => createSubscription(unit, params).subscription,
  'GET /v1/subscriptions': (unit, params) => {
    const status = textOf(params, 'status');
    return page(unit, 'subscription', params, '/v1/subscriptions', (one) => {
      const fits =
        status === undefined
          ? one.status !== 'canceled'
          : status === 'all' ||
            (status === 'ended'
              ? ['canceled', 'incomplete_expired'].includes(one.status)
              : one.status === status);
      return (
        fits &&
        (params['customer'] === undefined || one.customer === params['customer']) &&
        (params['price'] === undefined || one.items.data.some(({ price }) => price.id === params['price'])) &&
        one.items.data.some(
          (item) =>
            within(item.current_period_end, params['current_period_end'] as number | undefined) &&
            within(item.current_period_start, params['current_period_start'] as number | undefined),
        )
      );
    });
  },
  'GET /v1/subscriptions/*': (unit, _params, id = '') => unit.get('subscription', id),
  'POST /v1/subscriptions/*': (unit, params, id = '') =>
    updateSubscription(unit, unit.edit('subscription', id), params),
  'DELETE /v1/subscriptions/*': (unit, params, id = '') =>
    cancelNow(unit, unit.edit('subscription', id), params),
  'POST /v1/subscriptions/*/pause': (unit, params, id = '') =>
    pauseNow(unit, unit.edit('subscription', id), params),
  'POST /v1/subscriptions/*/resume': (unit, params, id = '') =>
    resumeNow(unit, unit.edit('subscription', id), params),
  'GET /v1/subscription_items': (unit, params) => {
    const { items } = unit.get('subscription', textOf(params, 'subscription') ?? '', 'subscription');
    return { ...listOf(items.data, '/v1/subscription_items') };
  },
};
