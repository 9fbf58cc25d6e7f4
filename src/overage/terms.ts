import type { Allowance } from './events.js';
import type { BillingEvent } from '../billing/events.js';
import type { Position, StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import type { ProfileEvent } from '../plans/events.js';
import type { Overage } from '../plans/prices.js';
import type { Profile } from '../plans/profile.js';
import type { Period } from '../usage/periods.js';
import { billedPart, periodAt } from '../usage/periods.js';

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

/** A subscription that is paid for, from its start or the end of its trial on. */
export interface PaidLife {
  readonly subscription: string;
  readonly currency: string;
  readonly interval: 'month' | 'year';
  /** Milliseconds since the epoch: billing periods are months from there on. */
  readonly anchor: number;
  readonly terms: readonly TermsOf[];
  /** ISO 8601; undefined while it runs. */
  readonly endedAt: string | undefined;
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

/** What the plan includes is never less than what the newest profile says: nobody pays for what is not refused. */
function pricedOf(pinned: Profile | undefined, newest: Profile | undefined, planId: string): Priced[] {
  const plan = pinned?.plans.find(({ id }) => id === planId);
  const now = newest?.plans.find(({ id }) => id === planId);
  return (plan?.overage ?? []).flatMap((overage) => {
    const amounts = [plan, now].flatMap(
      (one) => one?.limits.find(({ id }) => id === overage.limit)?.amount ?? [],
    );
    return amounts.length === 0 ? [] : [{ ...overage, included: Math.max(...amounts) }];
  });
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
  for (const stored of history) {
    const { type, data } = as<TermsEvent>(stored);
    const set = (plan: string): TermsOf => ({
      revision: stored.revision,
      eventId: stored.id,
      at: stored.metadata.at,
      plan,
      overage: pricedOf(
        profiles.length === 0 ? undefined : profileAt(profiles, stored.position),
        newest,
        plan,
      ),
    });
    const life = lives.at(-1);
    switch (type) {
      case 'SubscriptionStarted':
      case 'TrialConverted': {
        const { subscription, currency, interval, periodStart, plan } = data;
        const anchor = Date.parse(periodStart);
        lives.push({ subscription, currency, interval, anchor, terms: [set(plan)], endedAt: undefined });
        break;
      }
      case 'PlanChanged':
        if (!life || life.endedAt !== undefined) break;
        life.terms = [...life.terms, set(data.plan)];
        life.interval = data.interval;
        break;
      case 'PaidSubscriptionEnded':
        if (life?.subscription === data.subscription && life.endedAt === undefined)
          life.endedAt = data.endedAt;
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
type TermsEvent = Extract<
  BillingEvent,
  { type: 'SubscriptionStarted' | 'TrialConverted' | 'PlanChanged' | 'PaidSubscriptionEnded' }
>;

/** The billing period that a moment falls in, cut off where the subscription has ended. */
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
