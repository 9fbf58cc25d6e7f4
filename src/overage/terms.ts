import type { Allowance } from './events.js';
import type { BillingEvent } from '../billing/events.js';
import { anchorFrom } from '../billing/events.js';
import type { Position, StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import type { ProfileEvent, SubscriptionEvent } from '../plans/events.js';
import type { Overage } from '../plans/prices.js';
import type { Plan, Profile } from '../plans/profile.js';
import { MAX_AMOUNT } from '../plans/profile.js';
import type { Period } from '../usage/limits/periods.js';
import { billedPart, periodAt } from '../usage/limits/periods.js';

/** What use above a limit costs under one price, and what the plan includes. */
export interface Priced extends Overage {
  /** Smallest units of the meter in one billing period. */
  readonly included: number;
}

/** The prices that hold from one event of the subscription to the next. */
export interface TermsOf {
  /** Of the event that set them. */
  readonly revision: number;
  readonly eventId: string;
  /** When the event was stored, ISO 8601. */
  readonly at: string;
  readonly plan: string;
  readonly overage: readonly Priced[];
}

/** A subscription while it is paid for: from its start, or the end of its trial or of a pause, to its end or a pause. */
export interface PaidLife {
  readonly subscription: string;
  readonly currency: string;
  readonly interval: 'month' | 'year';
  /** Milliseconds since the epoch: billing periods are months from there on. */
  readonly anchor: number;
  readonly terms: readonly TermsOf[];
  /** ISO 8601; undefined while it runs. */
  readonly endedAt: string | undefined;
  /** Whether the subscription is over, and not only paused. */
  readonly over?: boolean;
}

/** A billing period, as it is closed. */
export interface BillingPeriod {
  readonly id: string;
  readonly from: string;
  readonly to: string;
}

const iso = (at: number): string => new Date(at).toISOString();

/** The profile that was published last before a position: prices are pinned to it (decision 5). */
function profileAt(versions: readonly StoredEvent[], position: Position): Profile | undefined {
  return as<ProfileEvent>(versions.findLast((one) => one.position < position) ?? (versions[0] as StoredEvent))
    .data.profile;
}

/**
 * The prices in the currency of the subscription; where there is none, limits are hard. What the plan includes is never
 * less than what the newest profile says, or a plan that an operator has granted: nobody pays for what is not refused.
 */
function pricedOf(
  profiles: readonly (Profile | undefined)[],
  planId: string,
  grantedId: string | undefined,
  currency: string,
): Priced[] {
  const named = (wanted: string | undefined): Plan[] =>
    profiles.flatMap((profile) => profile?.plans.find(({ id }) => id === wanted) ?? []);
  const granted = named(grantedId);
  const paid = named(planId);
  const all = profiles[0]?.plans.find(({ id }) => id === planId)?.overage ?? [];
  return all.flatMap((overage) => {
    if (overage.currency !== currency) return [];
    const amounts = paid.flatMap(({ limits }) => limits.find(({ id }) => id === overage.limit)?.amount ?? []);
    if (amounts.length === 0) return [];
    const given = granted.map((plan) => includedIn(plan, overage.meter));
    return [{ ...overage, included: Math.max(...amounts, ...given) }];
  });
}

/** What a plan lets use of a meter in a billing period, by the limits that are about as long. */
function includedIn({ limits }: Plan, meter: string): number {
  const amounts = limits
    .filter(
      (limit) => limit.meter === meter && (limit.window === 'month' || limit.window === 'billing-period'),
    )
    .map(({ amount }) => amount);
  return amounts.length === 0 ? MAX_AMOUNT : Math.min(...amounts);
}

/**
 * The subscriptions of an account with their prices, oldest first; trials are free, and no part of it.
 * @param history of the subscription's stream
 * @param profiles ProfilePublished, oldest first
 */
export function livesOf(history: readonly StoredEvent[], profiles: readonly StoredEvent[]): PaidLife[] {
  const lives: { -readonly [K in keyof PaidLife]: PaidLife[K] }[] = [];
  const last = profiles.at(-1);
  const newest = last && as<ProfileEvent>(last).data.profile;
  let granted: string | undefined;
  for (const stored of history) {
    const { type, data } = as<TermsEvent>(stored);
    const set = (plan: string, currency: string): TermsOf => ({
      revision: stored.revision,
      eventId: stored.id,
      at: stored.metadata.at,
      plan,
      overage: pricedOf(
        [profiles.length === 0 ? undefined : profileAt(profiles, stored.position), newest],
        plan,
        granted,
        currency,
      ),
    });
    const life = lives.at(-1);
    switch (type) {
      case 'SubscriptionStarted':
      case 'SubscriptionResumed':
      case 'TrialConverted': {
        const { subscription, currency, interval, plan } = data;
        const anchor = anchorFrom(data);
        lives.push({
          subscription,
          currency,
          interval,
          anchor,
          terms: [set(plan, currency)],
          endedAt: undefined,
        });
        break;
      }
      case 'PlanChanged':
        if (!life || life.endedAt !== undefined) break;
        life.terms = [...life.terms, set(data.plan, life.currency)];
        life.interval = data.interval;
        break;
      case 'PlanGranted':
      case 'SubscriptionEnded': {
        granted = type === 'PlanGranted' ? data.plan : undefined;
        const plan = life?.endedAt === undefined ? life?.terms.at(-1)?.plan : undefined;
        if (life && plan !== undefined) life.terms = [...life.terms, set(plan, life.currency)];
        break;
      }
      case 'SubscriptionPaused':
        if (life?.subscription === data.subscription && life.endedAt === undefined) life.endedAt = data.at;
        break;
      case 'PaidSubscriptionEnded':
        if (life?.subscription === data.subscription && life.endedAt === undefined)
          life.endedAt = data.endedAt;
        for (const one of lives) if (one.subscription === data.subscription) one.over = true;
        break;
      default:
      // What else there is changes no price.
    }
  }
  return lives;
}

/** What each price of a subscription includes. */
export const allowancesOf = ({ terms }: PaidLife): Allowance[] =>
  terms.flatMap(({ revision, overage }) =>
    overage.map(({ meter, included }) => ({ terms: revision, meter, amount: included })),
  );

/** A subscription as one of its periods was closed: with what its prices included then. */
export const asClosed = (life: PaidLife, allowances: readonly Allowance[]): PaidLife => ({
  ...life,
  terms: life.terms.map((terms) => ({
    ...terms,
    overage: terms.overage.map((priced) => {
      const pinned = allowances.find((one) => one.terms === terms.revision && one.meter === priced.meter);
      return pinned ? { ...priced, included: pinned.amount } : priced;
    }),
  })),
});

/** The events that say by what an account is billed. */
type TermsEvent =
  | Extract<
      BillingEvent,
      {
        type:
          | 'SubscriptionStarted'
          | 'SubscriptionResumed'
          | 'SubscriptionPaused'
          | 'TrialConverted'
          | 'PlanChanged'
          | 'PaidSubscriptionEnded';
      }
    >
  | SubscriptionEvent;

/** Whether a billing period is one of a subscription, and between the same two pauses. */
export const isPeriodOf = ({ anchor }: PaidLife, periodId: string): boolean =>
  periodId.startsWith(`month:${anchor}:`);

/** The billing period that a moment falls in, cut off where the subscription has ended or was paused. */
export function periodOfLife({ anchor, endedAt }: PaidLife, at: number): BillingPeriod {
  const { id, begin, end }: Period = periodAt('billing-period', Math.max(at, anchor), { billing: anchor });
  const to = endedAt === undefined ? end : Math.min(end, Date.parse(endedAt));
  return { id, from: iso(begin), to: iso(to) };
}

/**
 * The part before the first one of a subscription. A node whose clock is behind the payment service's counts there
 * what is used in the first moments: it is billed with the first.
 * @returns undefined for a part of another period
 */
export function partBefore(part: string): string | undefined {
  const [, anchor = '', revision = ''] = /^month:(\d+):0:(\d+)$/.exec(part) ?? [];
  return anchor === '' ? undefined : `month:${anchor}:-1:${revision}`;
}

/** The names under which the ledger has what was used in a period, by the revision of the terms. */
export const partsOfPeriod = ({ terms }: PaidLife, periodId: string): string[] =>
  terms.flatMap(({ revision }) => {
    const part = billedPart(periodId, revision);
    const before = partBefore(part);
    return before === undefined ? [part] : [part, before];
  });
