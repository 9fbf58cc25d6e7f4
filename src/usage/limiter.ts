import type { Environment } from '../eventsourcing/event.js';
import { Outage } from '../outage.js';
import type { Limit } from '../plans/profile.js';
import { SLIDING_MS } from '../plans/profile.js';
import type { Amounts } from './amounts.js';
import type { Subject } from './events.js';
import { isFixed } from './periods.js';

/** A limit and where it stands. */
export interface LimitState {
  readonly limit: Limit;
  readonly used: number;
  readonly remaining: number;
  /**
   * When the period ends (fixed), the oldest call leaves the window (sliding), or the bucket is full
   * again (cost); milliseconds since the epoch.
   */
  readonly resetAt: number;
  /** When it stood so, by the clock that the limits go by: with several nodes not the node's own. */
  readonly at: number;
}

/** A key's limits, which hold beside those of its account. */
export interface KeyLimits {
  readonly id: string;
  readonly limits: readonly Limit[];
}

/** Whose limits, and which. */
export interface Account {
  readonly accountId: string;
  readonly environment: Environment;
  readonly limits: readonly Limit[];
  /** Undefined where no key asks, or one without limits of its own. */
  readonly key?: KeyLimits | undefined;
  /**
   * Milliseconds since the epoch. It says which day and month it is, never how much time has passed; a
   * limiter with a clock of its own leaves it aside.
   */
  readonly now: number;
}

/** One request that wants to pass. */
export interface Asked extends Account {
  /** Cost points, whole; null where no formula says: limits on cost are then not asked. */
  readonly cost: number | null;
  /** Whether the call may change something: what an outage of the limiter means may depend on it. */
  readonly writes: boolean;
}

export interface Taken {
  readonly kind: 'taken';
  /** The one time of this use: record and periods follow it (decision 14). */
  readonly at: number;
  readonly periods: readonly string[];
  readonly states: readonly LimitState[];
  /**
   * The call came to so many cost points: what was taken above them is given back, and never more.
   * A take ends once, here or in `undo`: whatever is called afterwards changes nothing.
   * @returns where the limits stood after the take, with that
   */
  settle(actualCost: number): readonly LimitState[];
  /** Gives everything back; for a call that was neither answered nor recorded. */
  undo(): void;
}

export interface NotTaken {
  /**
   * `refused`: it passes after `retryAfterMs`. `never`: it costs more than the limit has when it is
   * untouched.
   */
  readonly kind: 'refused' | 'never';
  readonly at: number;
  /** The limit that has to wait longest, or that it can never fit. */
  readonly limit: LimitState;
  /** 0 for `never`. */
  readonly retryAfterMs: number;
  readonly states: readonly LimitState[];
}

export type Take = Taken | NotTaken;

/**
 * Takes from all limits of an account and its key at once or from none (decisions 13 to 15).
 *
 * Clocks may be set. A limit by the minute or hour goes by the time that has passed, and what is loaded from
 * after now counts as of now; so setting the clock makes nobody wait longer than one window. Law 2 holds
 * exactly in every stretch in which clocks run as time passes. Where one is set, calls may be taken for older
 * than they are: in one process only those loaded at its start, through Redis those of before the step. Then
 * at most one window's amount passes too much for each step. A day or month is what the clock says; the
 * counter of each stays, so that a clock that comes back goes on with what was spent.
 */
export interface Limiter {
  /**
   * Takes one request and its cost points.
   * @throws Outage when nobody can tell: nothing was taken that counts
   */
  take(asked: Asked): Take | Promise<Take>;
  /** Where the limits stand, taking nothing. */
  states(account: Account): Promise<readonly LimitState[]>;
}

/** What decides is away: nobody knows whether a call may pass. */
export class LimitsUnavailable extends Outage {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LimitsUnavailable';
  }
}

/** What an account has spent cannot be found out, and must not be taken for nothing (decision 15). */
export class CountersUnavailable extends Outage {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CountersUnavailable';
  }
}

/** A call that counts. */
export interface Spend {
  readonly at: number;
  /** Cost points that it came to. */
  readonly cost: number;
}

/** What the ledger and the journal's tail know of a subject (decision 15). */
export interface Spent {
  /** Of periods such as `month:2026-11`. */
  readonly periods: Amounts;
  /** Calls from `since` on, oldest first. */
  readonly recent: readonly Spend[];
  /** Milliseconds since the epoch. What was spent before is not known. */
  readonly since: number;
  /** What the clock that these times come from says now; one that was set since has no part in their ages. */
  readonly asOf: number;
}

/** The windows that slide. */
export type Sliding = keyof typeof SLIDING_MS;

/**
 * @param now of the take that waits: its periods are the ones to load, though midnight may pass meanwhile
 * @param fresh whether the account may have called lately, by this process or another; otherwise the ledger
 *   has all its calls, and no window has any
 * @param longest window of the limits that wait: how far back calls matter
 * @throws Outage while nobody can tell; the limits then let nothing through, and are loaded by the next call
 */
export type LoadSpent = (subject: Subject, now: number, fresh: boolean, longest: Sliding) => Promise<Spent>;

export const longestOf = (limits: readonly Limit[]): Sliding =>
  limits.some(({ window }) => window === 'hour') ? 'hour' : 'minute';

/** A subject and the limits that a call is held against. */
export interface Part {
  readonly subject: Subject;
  readonly limits: readonly Limit[];
}

/** The account and, where it has limits of its own, the key; limits on cost only where the cost is known. */
export function partsOf({ accountId, environment, limits, key }: Account, cost: number | null): Part[] {
  const held = (all: readonly Limit[]): readonly Limit[] =>
    cost === null ? all.filter(({ meter }) => meter !== 'cost') : all;
  const account = { subject: { accountId, environment, keyId: undefined }, limits: held(limits) };
  if (!key || key.limits.length === 0) return [account];
  return [account, { subject: { accountId, environment, keyId: key.id }, limits: held(key.limits) }];
}

/** A limit on how much, of which a call of these cost points takes so much. */
export const amountTaken = ({ meter }: Limit, cost: number): number => (meter === 'requests' ? 1 : cost);

/** @throws RangeError for a cost that would give points away */
export function checkCost(cost: number | null): number {
  if (cost === null) return 0;
  if (!Number.isSafeInteger(cost) || cost < 0) throw new RangeError(`a call cannot cost ${cost} points`);
  return cost;
}

/** States of the time of a take, as they are with `points` of it given back. */
export function givenBack(states: readonly LimitState[], points: number, at: number): readonly LimitState[] {
  if (points === 0) return states;
  return states.map((state) => {
    const { limit, used, resetAt } = state;
    const { meter, window, amount } = limit;
    if (meter !== 'cost') return state;
    const left = Math.max(0, used - points);
    const sooner = isFixed(window) ? 0 : Math.floor((points * SLIDING_MS[window]) / amount);
    return {
      limit,
      used: left,
      remaining: Math.max(0, amount - left),
      resetAt: Math.max(at, resetAt - sooner),
      at,
    };
  });
}

/** How long ago it was, in milliseconds: what a clock says that was ahead is taken for now. */
export const ageOf = (at: number, { asOf }: Spent): number => Math.max(0, asOf - at);

/**
 * Points that a bucket owes after a loss: never less than it did, and at most all. What was spent before
 * `since` is taken for the most that it can have been, a whole bucket, which is refilled within one window.
 */
export function owedAfter(spent: Spent, windowMs: number, amount: number): number {
  const all = amount * windowMs;
  let owed = all;
  let age = ageOf(spent.since, spent);
  for (const spend of spent.recent) {
    const younger = Math.min(age, ageOf(spend.at, spent));
    owed = Math.max(0, owed - (age - younger) * amount) + spend.cost * windowMs;
    age = younger;
  }
  return Math.ceil(Math.min(all, Math.max(0, owed - age * amount)) / windowMs);
}
