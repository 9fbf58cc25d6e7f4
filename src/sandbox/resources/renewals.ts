import { ApiError } from '../errors.js';
import type { Invoice, Subscription } from '../objects.js';
import { DAY, HOUR } from '../rules/time.js';
import type { Seconds } from '../rules/time.js';
import type { Unit } from '../unit.js';
import { dropEnded } from './discounts.js';
import { cancelIntent, finalize, methodFor, pay, voidInvoice } from './invoicing.js';
import { previewInvoice } from './previews.js';
import { advancePeriods, billSubscription, licensed, metered } from './subscriptionBilling.js';
import { nextRenewal } from './subscriptionItems.js';
import { outlivesTrial } from './subscriptionLife.js';
import { dropPending, end, subscriptionOf } from './subscriptionStatus.js';
import { tellTrialEnd } from './subscriptions.js';
import { usageOf } from './usage.js';

/** Something that falls due. Of several at one moment the first one listed comes first. */
export interface Job {
  readonly at: Seconds;
  readonly name: string;
  readonly run: (unit: Unit) => void;
}

const INCOMPLETE_SECONDS = 23 * HOUR;
/** Within the hour of a draft: time stands still there for whoever puts late use on it. */
const LATE_USE_SECONDS = 45 * 60;
/** How long a draft waits for an endpoint that never answers. */
const UNHEARD_SECONDS = 72 * HOUR;
const RUNNING = ['active', 'past_due', 'trialing', 'unpaid'];

export function subscriptionJobs(subscription: Subscription, upcomingDays: number): Job[] {
  const { id, status, cancel_at: cancelAt, trial_end: trialEnd, pending_update: pending } = subscription;
  const job = (name: string, at: Seconds, work: (unit: Unit, subscription: Subscription) => void): Job => ({
    at,
    name: `${name} ${id}`,
    run: (unit) => work(unit, unit.edit('subscription', id)),
  });
  if (status === 'incomplete')
    return [job('expire', subscription.created + INCOMPLETE_SECONDS, expireIncomplete)];
  const jobs: Job[] = [];
  const resumes = subscription.pause_collection?.resumes_at;
  if (resumes != null) jobs.push(job('collect again', resumes, resumeCollection));
  if (cancelAt !== null && [...RUNNING, 'paused'].includes(status))
    jobs.push(job('end', cancelAt, endAsPlanned));
  if (!RUNNING.includes(status)) return jobs;
  if (pending) jobs.push(job('drop update', pending.expires_at, expirePending));
  if (status === 'trialing' && trialEnd !== null && subscription.$.toldTrialEnd !== trialEnd) {
    jobs.push(job('trial ends soon', trialEnd - 3 * DAY, tellTrialEnd));
  }
  const renewal = nextRenewal(subscription);
  const start = Math.max(...subscription.items.data.map((item) => item.current_period_start));
  const upcoming = renewal - upcomingDays * DAY;
  if (
    subscription.$.toldUpcoming !== renewal &&
    upcoming > start &&
    (cancelAt === null || cancelAt > renewal)
  ) {
    jobs.push(job('upcoming', upcoming, tellUpcoming));
  }
  jobs.push(job('renew', renewal, renew));
  return jobs;
}

export function invoiceJobs(invoice: Invoice): Job[] {
  const { id, status, auto_advance: advances, next_payment_attempt: attempt } = invoice;
  const job = (name: string, at: Seconds, work: (unit: Unit, invoice: Invoice) => void): Job => ({
    at,
    name: `${name} ${id}`,
    run: (unit) => work(unit, unit.edit('invoice', id)),
  });
  if (status === 'draft' && advances && invoice.automatically_finalizes_at !== null) {
    const heard = invoice.webhooks_delivered_at !== null;
    const waits = job('wait for late use', invoice.created + LATE_USE_SECONDS, (_unit, { $ }) => {
      $.waited = true;
    });
    return [
      ...(invoice.$.waited === true ? [] : [waits]),
      job(
        'finalize',
        heard ? invoice.automatically_finalizes_at : invoice.created + UNHEARD_SECONDS,
        finalizeDue,
      ),
    ];
  }
  if (status === 'open' && advances && attempt !== null) return [job('retry', attempt, retry)];
  return [];
}

function expireIncomplete(unit: Unit, subscription: Subscription): void {
  const first = unit.find('invoice', subscription.latest_invoice);
  end(unit, subscription, 'incomplete_expired');
  if (first?.status === 'open') voidInvoice(unit, unit.edit('invoice', first.id));
}

function resumeCollection(unit: Unit, subscription: Subscription): void {
  subscription.pause_collection = null;
  unit.emitUpdate('customer.subscription.updated', subscription);
}

function expirePending(unit: Unit, subscription: Subscription): void {
  const id = subscription.$.pending?.invoice;
  dropPending(unit, subscription);
  const invoice = unit.find('invoice', id);
  if (invoice?.status === 'open') voidInvoice(unit, unit.edit('invoice', invoice.id));
  unit.emitUpdate('customer.subscription.updated', subscription);
}

function tellUpcoming(unit: Unit, subscription: Subscription): void {
  subscription.$.toldUpcoming = nextRenewal(subscription);
  unit.emit('invoice.upcoming', previewInvoice(unit, { subscription: subscription.id }));
}

/** The next period of what runs out now. Its invoice is a draft for an hour. */
function renew(unit: Unit, subscription: Subscription): void {
  const at = nextRenewal(subscription);
  const trialOver = subscription.status === 'trialing';
  if (trialOver && !outlivesTrial(unit, subscription)) return;
  const from = Math.min(...subscription.items.data.map((item) => item.current_period_start));
  const over = advancePeriods(subscription, at);
  dropEnded(unit, subscription);
  if (trialOver) subscription.status = 'active';
  const collects =
    subscription.status !== 'unpaid' && subscription.pause_collection?.behavior !== 'keep_as_draft';
  const invoice = billSubscription(unit, subscription, {
    reason: 'subscription_cycle',
    advance: licensed(over),
    arrears: metered(over),
    at,
    autoAdvance: collects,
    period: { start: from, end: at },
  });
  unit.emitUpdate('customer.subscription.updated', subscription);
  if (invoice) unit.emit('invoice.created', invoice);
}

/** As `cancel_at` says: what was used up to now is billed, nothing is given back. */
function endAsPlanned(unit: Unit, subscription: Subscription): void {
  const open = metered(subscription.items.data).some(
    ({ price, $ }) => usageOf(unit, price, subscription.customer, $.usageFrom, unit.now) > 0,
  );
  end(unit, subscription, 'canceled');
  const invoice = billSubscription(unit, subscription, {
    reason: 'subscription_cycle',
    advance: [],
    arrears: open ? metered(subscription.items.data) : [],
    at: unit.now,
    autoAdvance: true,
    period: {
      start: Math.min(...subscription.items.data.map((item) => item.current_period_start)),
      end: unit.now,
    },
  });
  if (invoice) unit.emit('invoice.created', invoice);
}

function finalizeDue(unit: Unit, invoice: Invoice): void {
  try {
    finalize(unit, invoice);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // It stays a draft, and somebody has to look at it.
    Object.assign(invoice, {
      auto_advance: false,
      automatically_finalizes_at: null,
      last_finalization_error: error.body,
      next_payment_attempt: null,
    });
    unit.emit('invoice.finalization_failed', invoice);
    return;
  }
  unit.emitUpdate('invoice.updated', invoice);
  if (invoice.status !== 'open') return;
  const behavior = unit.find('subscription', subscriptionOf(invoice))?.pause_collection?.behavior;
  if (behavior === 'void') voidInvoice(unit, invoice);
  else if (behavior === 'mark_uncollectible') {
    invoice.status = 'uncollectible';
    cancelIntent(unit, invoice, 'void_invoice');
    unit.emit('invoice.marked_uncollectible', invoice);
  } else pay(unit, invoice);
}

/** Hard declines need another card: until there is one, an attempt is counted and nothing is charged. */
function retry(unit: Unit, invoice: Invoice): void {
  pay(unit, invoice, { method: methodFor(unit, invoice) });
}
