import type { BillingEvent, Discount, Terms } from './events.js';
import type { Asked, BillingState, Paid } from './state.js';
import { evolve } from './state.js';

/** A subscription as Stripe says it is now. Times are ISO 8601. */
export interface Snapshot extends Omit<Terms, 'plan' | 'price'> {
  /** Null, as the price is, where the price at Stripe is none that we know. */
  readonly plan: string | null;
  readonly price: string | null;
  readonly status:
    | 'incomplete'
    | 'incomplete_expired'
    | 'trialing'
    | 'active'
    | 'past_due'
    | 'canceled'
    | 'unpaid'
    | 'paused';
  readonly createdAt: string;
  readonly trialEndsAt: string | undefined;
  readonly cancelsAt: string | undefined;
  readonly endedAt: string | undefined;
  /** Since when it is paused because somebody has asked for it; absent for a trial that has ended without a card. */
  readonly pausedAt?: string | undefined;
  /** Why it ended: Stripe's word. */
  readonly endReason: string | undefined;
  readonly scheduled: { readonly plan: string; readonly price: string; readonly at: string } | undefined;
  /** When the oldest payment that is open was due; absent: with the period. */
  readonly overdueSince?: string | undefined;
  /** Whether we have ended it, since the account has another. */
  readonly duplicate?: boolean;
  /** Those that are not over; absent where nobody has looked. */
  readonly discounts?: readonly Discount[];
  /** Names the card that pays, the same for all customers; null where something else pays, absent for nothing. */
  readonly card?: string | null | undefined;
}

/** One that we know the plan of. */
type NamedSnapshot = Snapshot & Pick<Terms, 'plan' | 'price'>;

/**
 * Those that are to our plans. The one that is paid for is followed whatever its price has become, e.g. one that was
 * given in Stripe's dashboard: it keeps the plan that it was bought for, and its end ends that.
 */
const named = (paid: Paid | undefined, snapshots: readonly Snapshot[]): NamedSnapshot[] =>
  snapshots.flatMap((one) => {
    const { plan, price } = one;
    if (plan !== null && price !== null) return { ...one, plan, price };
    return paid?.subscription === one.subscription ? { ...one, plan: paid.plan, price: paid.price } : [];
  });

/**
 * Subscriptions beside the one that is paid for, e.g. of two pages that were paid at once; also those that were
 * ended as such, and are not recorded.
 */
export const duplicatesOf = ({ paid, over }: BillingState, snapshots: readonly Snapshot[]): NamedSnapshot[] =>
  named(paid, snapshots).filter(({ subscription, status, duplicate }) => {
    if (!paid || subscription === paid.subscription || over.has(subscription)) return false;
    return status === 'canceled' ? duplicate === true : !NEVER_ACTIVE.has(status);
  });

const DAY_MS = 24 * 3_600_000;
const NEVER_ACTIVE = new Set<Snapshot['status']>(['incomplete', 'incomplete_expired']);

/**
 * What has changed since the last time, as events. Stripe's answer is the state of now, so that whatever the
 * webhooks said, in whatever order, the last recording ends in the same state (law 6).
 * @param at when Stripe was asked, by the clock that bills
 */
export function recordSubscriptions(
  before: BillingState,
  all: readonly Snapshot[],
  graceDays: number,
  at: string,
): BillingEvent[] {
  const events: BillingEvent[] = [];
  const snapshots = named(before.paid, all);
  let state = before;
  const tell = (event: BillingEvent): void => {
    events.push(event);
    state = evolve(state, event);
  };
  const current = snapshots.find(({ subscription }) => subscription === state.paid?.subscription);
  if (current) follow(current);
  for (const { subscription, status } of snapshots) {
    if (status === 'incomplete_expired' && !state.over.has(subscription)) {
      tell({ type: 'ActivationFailed', data: { subscription } });
    }
  }
  if (!state.paid) {
    const byAge = [...snapshots].sort((a, b) => a.createdAt.localeCompare(b.createdAt));
    for (const next of byAge) {
      if (state.paid || state.over.has(next.subscription) || NEVER_ACTIVE.has(next.status)) continue;
      // It never counted.
      if (next.duplicate === true) continue;
      const terms = termsOf(next);
      tell(
        // Also one that is over by now: an account has one trial.
        next.trialEndsAt === undefined
          ? { type: 'SubscriptionStarted', data: terms }
          : { type: 'TrialStarted', data: { ...terms, trialEndsAt: next.trialEndsAt } },
      );
      follow(next);
    }
  }
  return events;

  function follow(now: NamedSnapshot): void {
    for (;;) {
      const event = state.paid && nextChange(state.paid, now, state, graceDays, at);
      if (!event) return;
      tell(event);
    }
  }
}

/** The next thing in which what we know differs from what Stripe says; undefined where nothing does. */
function nextChange(
  paid: Paid,
  now: NamedSnapshot,
  { asked }: BillingState,
  graceDays: number,
  at: string,
): BillingEvent | undefined {
  const { subscription, plan } = paid;
  const changeId = asked?.kind === 'change' ? asked.id : null;
  if (now.status === 'canceled' || now.status === 'incomplete_expired') {
    const endedAt = now.endedAt ?? now.periodEnd;
    const reason = now.endReason ?? 'cancellation_requested';
    return { type: 'PaidSubscriptionEnded', data: { subscription, plan, reason, endedAt } };
  }
  if (paid.pausedAt !== undefined && paid.pausedAt !== now.pausedAt) {
    // It may have been paused again since.
    return { type: 'SubscriptionResumed', data: { ...termsOf(now), ...billedFrom(paid.pausedAt, now, at) } };
  }
  if (!paid.converted && isConverted(now)) {
    return { type: 'TrialConverted', data: { ...termsOf(now), ...priceOf(paid) } };
  }
  if (now.price !== paid.price || now.amount !== paid.amount) {
    return { type: 'PlanChanged', data: { ...termsOf(now), from: plan, changeId } };
  }
  if (now.periodStart !== paid.periodStart || now.periodEnd !== paid.periodEnd) {
    return { type: 'PeriodRenewed', data: termsOf(now) };
  }
  if (now.pausedAt !== undefined && paid.pausedAt === undefined && paid.converted) {
    return { type: 'SubscriptionPaused', data: { subscription, plan: now.plan, at: now.pausedAt } };
  }
  return paymentChange(paid, now, graceDays) ?? discountChange(paid, now) ?? endChange(paid, now, asked);
}

/** What is used after a pause is billed in periods of their own, also where Stripe's period goes on through it. */
function billedFrom(
  pausedAt: string,
  { periodStart }: Snapshot,
  at: string,
): { readonly billedFrom?: string } {
  if (Date.parse(periodStart) > Date.parse(pausedAt)) return {};
  return { billedFrom: Date.parse(at) > Date.parse(pausedAt) ? at : pausedAt };
}

/** Whether its trial is over, and it is paid for; also where it was paused since. */
function isConverted({ status, trialEndsAt, pausedAt, periodEnd }: Snapshot): boolean {
  if (status !== 'paused') return status !== 'trialing';
  if (pausedAt === undefined) return false;
  // A trial that was paused and resumed has ended with that, before its time: its period is another since.
  return trialEndsAt === undefined || trialEndsAt <= pausedAt || trialEndsAt !== periodEnd;
}

function discountChange({ subscription, discounts }: Paid, now: Snapshot): BillingEvent | undefined {
  const nameOf = (all: readonly Discount[]): string =>
    JSON.stringify(all.map(({ id, endsAt }) => [id, endsAt]));
  if (!now.discounts || nameOf(now.discounts) === nameOf(discounts)) return undefined;
  return { type: 'DiscountsChanged', data: { subscription, discounts: now.discounts } };
}

function paymentChange(paid: Paid, now: Snapshot, graceDays: number): BillingEvent | undefined {
  const { plan } = paid;
  const suspend = (reason: 'unpaid' | 'trial_without_card'): BillingEvent | undefined =>
    paid.suspended ? undefined : { type: 'AccessSuspended', data: { plan, reason } };
  switch (now.status) {
    case 'past_due': {
      const since = now.overdueSince ?? now.periodStart;
      if (paid.overdue) {
        // A new period that cannot be paid either; the one before was, though its webhook may be lost. Whoever has
        // had their time of grace stays without access until something is paid.
        const again = !paid.suspended && Date.parse(paid.overdue.since) < Date.parse(since);
        return again ? { type: 'PaymentRecovered', data: { plan } } : undefined;
      }
      const graceEndsAt = new Date(Date.parse(since) + graceDays * DAY_MS).toISOString();
      return { type: 'PaymentOverdue', data: { plan, since, graceEndsAt } };
    }
    case 'unpaid':
      return suspend('unpaid');
    case 'paused':
      return paid.pausedAt === undefined ? suspend('trial_without_card') : undefined;
    case 'active':
    case 'trialing':
      if (paid.overdue) return { type: 'PaymentRecovered', data: { plan } };
      return paid.suspended ? { type: 'AccessRestored', data: { plan } } : undefined;
    case 'incomplete':
    case 'incomplete_expired':
    case 'canceled':
      return undefined;
  }
}

function endChange(paid: Paid, now: Snapshot, asked: Asked | undefined): BillingEvent | undefined {
  if (now.cancelsAt !== paid.cancelsAt) {
    return now.cancelsAt === undefined
      ? { type: 'CancellationRevoked', data: { plan: paid.plan } }
      : { type: 'CancellationScheduled', data: { at: now.cancelsAt } };
  }
  const { scheduled } = now;
  if (scheduled?.price === paid.scheduled?.price && scheduled?.at === paid.scheduled?.at) return undefined;
  if (!scheduled) {
    if (!paid.scheduled) return undefined;
    const { price } = paid.scheduled;
    const stays = asked?.kind === 'change' && asked.price === paid.price;
    return { type: 'PlanChangeUnscheduled', data: stays ? { price, changeId: asked.id } : { price } };
  }
  const changeId = asked?.kind === 'change' ? asked.id : null;
  return { type: 'PlanChangeScheduled', data: { changeId, ...scheduled } };
}

/** Whether an account has had its time after a payment that failed. */
export const isGraceOver = ({ overdue, suspended }: Paid, now: string): boolean =>
  overdue !== undefined && !suspended && Date.parse(overdue.graceEndsAt) <= Date.parse(now);

const termsOf = ({
  subscription,
  plan,
  price,
  interval,
  amount,
  currency,
  periodStart,
  periodEnd,
}: Terms): Terms => ({ subscription, plan, price, interval, amount, currency, periodStart, periodEnd });

/** What is paid for: a trial that ends with another price is converted first, then changed. */
const priceOf = ({ plan, price, interval, amount }: Terms) => ({ plan, price, interval, amount });
