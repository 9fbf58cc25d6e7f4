import { ApiError, invalid } from '../errors.js';
import type { Params } from '../http/route.js';
import { arrayOf, numberOf, objectOf, textOf } from '../http/route.js';
import type { Invoice, Subscription } from '../objects.js';
import { DAY, HOUR } from '../rules/time.js';
import type { Unit } from '../unit.js';
import { mergedMetadata } from '../unit.js';
import { chargeFailed } from './charging.js';
import { ownMethod } from './customers.js';
import { applyDiscounts, dropEnded } from './discounts.js';
import { finalize, pay } from './invoicing.js';
import { billSubscription, licensed, metered } from './subscriptionBilling.js';
import type { ProrationBehavior } from './subscriptionChanges.js';
import { changeItems } from './subscriptionChanges.js';
import { lastPeriodEnd, nextRenewal, periodOf, ratesOf } from './subscriptionItems.js';
import { dropPending, end } from './subscriptionStatus.js';

const PENDING_SECONDS = 23 * HOUR;
const ENDED = ['canceled', 'incomplete_expired'];

/** Changes a subscription as a request says. @throws ApiError */
export function updateSubscription(unit: Unit, subscription: Subscription, params: Params): Subscription {
  checkChangeable(subscription, params);
  setFields(unit, subscription, params);
  setEnd(unit, subscription, params);
  const before = structuredClone(subscription.items.data);
  const invoice = changeTerms(unit, subscription, params);
  if (invoice) {
    unit.emit('invoice.created', invoice);
    collect(unit, subscription, invoice, before, textOf(params, 'payment_behavior') ?? 'allow_incomplete');
  }
  if (subscription.cancel_at_period_end) subscription.cancel_at = lastPeriodEnd(subscription);
  unit.emitUpdate('customer.subscription.updated', subscription);
  return subscription;
}

function checkChangeable(subscription: Subscription, params: Params): void {
  if (!ENDED.includes(subscription.status)) return;
  const others = Object.keys(params).filter((name) => !['metadata', 'cancellation_details'].includes(name));
  if (others.length === 0) return;
  throw invalid(
    'A canceled subscription can only update its cancellation_details and metadata.',
    others[0],
    'invalid_canceled_subscription_fields',
  );
}

function setFields(unit: Unit, subscription: Subscription, params: Params): void {
  subscription.metadata = mergedMetadata(subscription.metadata, params['metadata']);
  const method = textOf(params, 'default_payment_method');
  if (method !== undefined)
    subscription.default_payment_method = ownMethod(unit, method, subscription.customer);
  if (params['default_payment_method'] === '') subscription.default_payment_method = null;
  if (params['description'] !== undefined)
    subscription['description'] = textOf(params, 'description') ?? null;
  if (params['default_tax_rates'] !== undefined)
    subscription.default_tax_rates = ratesOf(unit, params['default_tax_rates']);
  if (params['discounts'] !== undefined) {
    const { id, customer } = subscription;
    subscription.discounts = applyDiscounts(unit, params['discounts'], { subscription: id, customer });
  }
  const trial = objectOf(params, 'trial_settings') as Subscription['trial_settings'] | undefined;
  if (trial) subscription.trial_settings = trial;
  const details = objectOf(params, 'cancellation_details');
  if (details) Object.assign(subscription.cancellation_details, details);
  if (params['pause_collection'] === '') subscription.pause_collection = null;
  const pause = objectOf(params, 'pause_collection');
  if (pause) {
    subscription.pause_collection = {
      behavior: pause['behavior'] as NonNullable<Subscription['pause_collection']>['behavior'],
      resumes_at: numberOf(pause, 'resumes_at') ?? null,
    };
  }
}

/** `cancel_at_period_end` and `cancel_at`, each until it is taken back. */
function setEnd(unit: Unit, subscription: Subscription, params: Params): void {
  const atPeriodEnd = params['cancel_at_period_end'];
  const at = params['cancel_at'];
  const set = (cancelAt: number | null, atEnd: boolean): void => {
    subscription.cancel_at = cancelAt;
    subscription.cancel_at_period_end = atEnd;
    subscription.canceled_at = cancelAt === null ? null : unit.now;
    subscription.cancellation_details.reason = cancelAt === null ? null : 'cancellation_requested';
  };
  if (atPeriodEnd === true && !subscription.cancel_at_period_end) set(lastPeriodEnd(subscription), true);
  if (atPeriodEnd === false && subscription.cancel_at_period_end) set(null, false);
  if (at === '') set(null, false);
  if (at === 'min_period_end') set(nextRenewal(subscription), false);
  if (at === 'max_period_end' || at === 'max_billed_until') set(lastPeriodEnd(subscription), false);
  if (typeof at === 'number') {
    if (at <= unit.now) throw invalid('`cancel_at` must be in the future.', 'cancel_at');
    set(at, false);
  }
}

/** Items, trial and anchor; the invoice that bills the change now, where there is one. */
export function changeTerms(unit: Unit, subscription: Subscription, params: Params): Invoice | undefined {
  const behavior = (textOf(params, 'proration_behavior') ?? 'create_prorations') as ProrationBehavior;
  const given = numberOf(params, 'proration_date');
  const at = given ?? unit.now;
  const start = Math.min(...subscription.items.data.map((item) => item.current_period_start));
  if (given !== undefined && (at < start || at > lastPeriodEnd(subscription))) {
    throw invalid('Cannot specify `proration_date` outside of the current period.', 'proration_date');
  }
  const trialEnd = params['trial_end'];
  const endsTrial = trialEnd === 'now' && subscription.status === 'trialing';
  const anchorNow = anchorOf(params) === 'now' || endsTrial;
  const items = arrayOf(params, 'items');
  changeItems(unit, subscription, items, { behavior, at, restart: anchorNow });
  if (endsTrial) {
    subscription.trial_end = unit.now;
    if (!outlivesTrial(unit, subscription)) return undefined;
  }
  if (typeof trialEnd === 'number') extendTrial(unit, subscription, trialEnd);
  if (anchorNow) {
    restart(unit, subscription);
    return billSubscription(unit, subscription, {
      reason: endsTrial ? 'subscription_cycle' : 'subscription_update',
      advance: licensed(subscription.items.data),
      arrears: [],
      at: unit.now,
      autoAdvance: true,
      period: { start: unit.now, end: unit.now },
    });
  }
  if (behavior !== 'always_invoice' || items.length === 0) return undefined;
  return billSubscription(unit, subscription, {
    reason: 'subscription_update',
    advance: [],
    arrears: [],
    at: unit.now,
    autoAdvance: true,
    period: { start, end: unit.now },
    prorationDate: at,
  });
}

/** For an update it is an object since this version; for a preview still a text. */
function anchorOf(params: Params): string | undefined {
  return (
    textOf(objectOf(params, 'billing_cycle_anchor') ?? {}, 'type') ?? textOf(params, 'billing_cycle_anchor')
  );
}

/** Everything begins anew now. */
function restart(unit: Unit, subscription: Subscription): void {
  subscription.billing_cycle_anchor = unit.now;
  if (subscription.status === 'trialing') {
    subscription.status = 'active';
    subscription.trial_end = unit.now;
  }
  for (const item of subscription.items.data) {
    const { start, end: until } = periodOf(subscription, item.price, unit.now);
    Object.assign(item, { current_period_start: start, current_period_end: until });
    item.$.billed = [];
  }
}

function extendTrial(unit: Unit, subscription: Subscription, until: number): void {
  if (until <= unit.now)
    throw invalid('Invalid timestamp: must be an integer Unix timestamp in the future.', 'trial_end');
  if (until > unit.now + 730 * DAY) throw invalid('Trials have at most 730 days.', 'trial_end');
  subscription.trial_start ??= unit.now;
  subscription.trial_end = until;
  subscription.billing_cycle_anchor = until;
  subscription.status = 'trialing';
  for (const item of subscription.items.data) item.current_period_end = until;
}

/** Charges the invoice of a change within the request. */
function collect(
  unit: Unit,
  subscription: Subscription,
  invoice: Invoice,
  before: Subscription['items']['data'],
  behavior: string,
): void {
  const waits = behavior === 'pending_if_incomplete';
  if (waits) {
    subscription.$.pending = { invoice: invoice.id, items: subscription.items.data };
    subscription.items.data = before;
  }
  finalize(unit, invoice);
  if (invoice.status !== 'open') return;
  if (behavior !== 'default_incomplete') {
    const outcome = pay(unit, invoice);
    if (outcome === 'succeeded') return;
    if (behavior === 'error_if_incomplete') {
      const { status, body } = chargeFailed(unit.get('payment_intent', invoice.$.paymentIntent ?? ''));
      throw new ApiError(status, body);
    }
  }
  if (!waits || !subscription.$.pending) return;
  subscription.pending_update = {
    billing_cycle_anchor: null,
    cancel_at_period_end: null,
    discount: null,
    discounts: null,
    expires_at: Math.min(unit.now + PENDING_SECONDS, nextRenewal(subscription)),
    metadata: null,
    subscription_items: subscription.$.pending.items,
    trial_end: null,
    trial_from_plan: null,
  };
}

/** At once: nothing is given back and nothing more is billed, unless the request says so. */
export function cancelNow(unit: Unit, subscription: Subscription, params: Params): Subscription {
  if (ENDED.includes(subscription.status)) {
    throw new ApiError(404, {
      type: 'invalid_request_error',
      code: 'resource_missing',
      message: `No such subscription: '${subscription.id}'`,
      param: 'id',
    });
  }
  const prorate = params['prorate'] === true;
  const invoiceNow = params['invoice_now'] === true;
  dropPending(unit, subscription);
  if (prorate) {
    const { items } = subscription;
    const behavior = 'create_prorations';
    // As if everything began anew: what is left is given back, use is billed.
    changeItems(unit, subscription, [], { behavior, at: unit.now, restart: true });
    subscription.items = items;
  }
  if (invoiceNow) {
    const invoice = billSubscription(unit, subscription, {
      reason: 'subscription_update',
      advance: [],
      arrears: prorate ? [] : metered(subscription.items.data),
      at: unit.now,
      autoAdvance: true,
      period: { start: subscription.start_date, end: unit.now },
    });
    if (invoice) {
      unit.emit('invoice.created', invoice);
      finalize(unit, invoice);
      if (invoice.status === 'open') pay(unit, invoice);
    }
  } else if (!prorate) dropProrations(unit, subscription);
  const details = objectOf(params, 'cancellation_details');
  if (details) Object.assign(subscription.cancellation_details, details);
  subscription.cancellation_details.reason ??= 'cancellation_requested';
  end(unit, subscription, 'canceled');
  return subscription;
}

function dropProrations(unit: Unit, { id }: Subscription): void {
  for (const item of unit.filter(
    'invoiceitem',
    ({ invoice, proration, parent }) =>
      invoice === null && proration && parent?.subscription_details.subscription === id,
  )) {
    unit.emit('invoiceitem.deleted', item);
    unit.remove('invoiceitem', item.id);
  }
}

/** Neither invoices nor periods until it is resumed; what is left of the period is credited on the next invoice. */
export function pauseNow(unit: Unit, subscription: Subscription, params: Params): Subscription {
  if (!['active', 'trialing', 'past_due', 'unpaid'].includes(subscription.status)) {
    throw invalid(`You cannot pause a subscription that is ${subscription.status}.`);
  }
  if (subscription.schedule !== null) {
    throw invalid('You cannot pause a subscription that is managed by a subscription schedule.');
  }
  if (textOf(params, 'invoicing_behavior') === 'invoice') {
    throw invalid('The sandbox leaves what is credited for the next invoice alone.', 'invoicing_behavior');
  }
  const from = textOf(objectOf(objectOf(params, 'bill_for') ?? {}, 'unused_time_from') ?? {}, 'type');
  if (from !== 'none') {
    const start = Math.min(...subscription.items.data.map((item) => item.current_period_start));
    const at = from === 'item_current_period_start' ? start : unit.now;
    changeItems(unit, subscription, [], { behavior: 'create_prorations', at, restart: true });
  }
  pause(unit, subscription, 'pause_requested');
  return subscription;
}

/** Whether a trial that ends goes on: one without a card may be paused, or ended. */
export function outlivesTrial(unit: Unit, subscription: Subscription): boolean {
  const customer = unit.get('customer', subscription.customer);
  const method = subscription.default_payment_method ?? customer.invoice_settings.default_payment_method;
  const { missing_payment_method: behavior } = subscription.trial_settings.end_behavior;
  if (method !== null || behavior === 'create_invoice') return true;
  if (behavior === 'pause') pause(unit, subscription, 'trial_end_without_payment_method');
  else end(unit, subscription, 'canceled');
  return false;
}

type PauseReason = NonNullable<Subscription['status_details']>['paused']['subscription']['type'];

export function pause(unit: Unit, subscription: Subscription, reason: PauseReason): void {
  subscription.status = 'paused';
  subscription.status_details = {
    paused: { type: 'subscription', subscription: { type: reason }, transitioned_at: unit.now },
  };
  unit.emit('customer.subscription.paused', subscription);
  unit.emitUpdate('customer.subscription.updated', subscription);
}

/** A paused subscription goes on with a new period: once that was charged, or only once it is paid. */
export function resumeNow(unit: Unit, subscription: Subscription, params: Params): Subscription {
  if (subscription.status !== 'paused') throw invalid('Only paused subscriptions can be resumed.');
  const { items } = subscription;
  // Months of a coupon go by during a pause, too.
  dropEnded(unit, subscription);
  const over = nextRenewal(subscription) <= unit.now;
  if ((anchorOf(params) ?? 'now') === 'now' || over) {
    subscription.billing_cycle_anchor = unit.now;
    for (const item of items.data) {
      const { start, end: until } = periodOf(subscription, item.price, unit.now);
      Object.assign(item, { current_period_start: start, current_period_end: until });
      item.$.usageFrom = unit.now;
    }
    const invoice = billSubscription(unit, subscription, {
      reason: 'subscription_update',
      advance: licensed(items.data),
      arrears: [],
      at: unit.now,
      autoAdvance: true,
      period: { start: unit.now, end: unit.now },
    });
    if (invoice) {
      unit.emit('invoice.created', invoice);
      finalize(unit, invoice);
      const paid = invoice.status === 'paid' || pay(unit, invoice) === 'succeeded';
      if (!paid && textOf(params, 'payment_behavior') === 'resume_on_payment_success') return subscription;
      subscription.status = paid ? 'active' : 'past_due';
    }
  }
  if (subscription.status === 'paused') subscription.status = 'active';
  subscription.status_details = null;
  unit.emit('customer.subscription.resumed', subscription);
  unit.emitUpdate('customer.subscription.updated', subscription);
  return subscription;
}
