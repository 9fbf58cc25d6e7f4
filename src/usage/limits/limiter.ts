import type { Environment, Position } from '../../eventsourcing/event.js';
import { Outage } from '../../outage.js';
import type { AggregationOf } from '../../plans/meters.js';
import { MAX_USE_AMOUNT } from '../../plans/meters.js';
import type { Limit } from '../../plans/profile.js';
import type { SLIDING_MS } from '../../plans/profile.js';
import type { Amounts } from './amounts.js';
import type { Subject } from '../events.js';
import type { Anchors, FixedWindow } from './periods.js';
import { isFixed, periodAt } from './periods.js';

/** Amounts by meter: whole numbers of the meter's smallest unit, up to MAX_USE_AMOUNT. */
export type MeterAmounts = Readonly<Record<string, number>>;

/** A limit and where it stands. */
export interface LimitState {
  readonly limit: Limit;
  /** Above 2^53 the nearest number: limits are smaller, so that nothing is decided by the difference. */
  readonly used: number;
  /** The same to the last digit, where it is above 2^53. */
  readonly usedExactly?: bigint;
  readonly remaining: number;
  /**
   * When the period ends (fixed), the oldest call leaves the window (sliding), or the bucket is full
   * again; milliseconds since the epoch, Infinity for the whole life.
   */
  readonly resetAt: number;
  /** When it stood so, by the clock that the limits go by: with several nodes not the node's own. */
  readonly at: number;
  /** Length of the window that it stands in, in milliseconds. */
  readonly windowMs: number;
}

/** What is used, to the last digit: JSON's numbers are exact up to 2^53 alone. */
export const usedText = ({ used, usedExactly }: LimitState): string => String(usedExactly ?? used);

/** What an error says of the limit that refuses: amounts in the smallest unit of its meter, as texts. */
export function refusedLimit(state: LimitState) {
  const { id, amount, window } = state.limit;
  return { limit: id, amount: String(amount), window, used: usedText(state) };
}

/** End customers of an account whose counters are kept at once: those that were idle longest are loaded again. */
export const MAX_CUSTOMERS = 10_000;

/** The limits of a key, or of an end customer, which hold beside those of the account. */
export interface KeyLimits {
  readonly id: string;
  readonly limits: readonly Limit[];
}

/** Whose limits, and which. */
export interface Account {
  readonly accountId: string;
  readonly environment: Environment;
  readonly limits: readonly Limit[];
  /** From when its months count. */
  readonly anchors?: Anchors | undefined;
  /** Undefined where no key asks, or one without limits of its own. */
  readonly key?: KeyLimits | undefined;
  /** The end customer that a use names, by the id that stands for them. */
  readonly customer?: KeyLimits | undefined;
  /**
   * Milliseconds since the epoch. It says which day and month it is, never how much time has passed; a
   * limiter with a clock of its own leaves it aside.
   */
  readonly now: number;
}

/** A use that wants to pass. */
export interface Asked extends Account {
  /** Of the record that follows: a counter that is loaded meanwhile then knows whether it holds the use. */
  readonly useId: string;
  /** What it may come to at most. Limits on other meters are not asked. */
  readonly amounts: MeterAmounts;
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
   * The use is stored. It came to so much of these meters, of others to what was taken: what was taken above it
   * is given back, and never more. A take ends once, here or in `undo`: whatever is called afterwards changes
   * nothing.
   * @param position of its batch
   * @returns where the limits stood after the take, with that
   */
  settle(actual: MeterAmounts, position: Position): readonly LimitState[];
  /** Gives everything back; for a call that was neither answered nor recorded. */
  undo(): void;
  /**
   * A reservation of it is stored, and it stays open until that ends.
   * @param position of its batch
   */
  reserved(position: Position): void;
}

export interface NotTaken {
  /**
   * `refused`: it passes after `retryAfterMs`. `never`: it needs more than the limit has when it is
   * untouched.
   */
  readonly kind: 'refused' | 'never';
  readonly at: number;
  /** The limit that has to wait longest, or that it can never fit. */
  readonly limit: LimitState;
  /** 0 for `never`; Infinity where a limit for the whole life is used up. */
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
   * Takes the amounts.
   * @throws Outage when nobody can tell: nothing was taken that counts
   */
  take(asked: Asked): Take | Promise<Take>;
  /** Where the limits stand, taking nothing. */
  states(account: Account): Promise<readonly LimitState[]>;
  /**
   * Says that uses of these are about to be stored that no take has let through. Should this process end before it
   * has noted them, their counters are loaded anew within a minute; where it cannot tell whether they are stored,
   * within a quarter of an hour.
   * @returns called once they are noted, ends that
   * @throws Outage when nobody can be told
   */
  announce(accounts: readonly Account[]): (() => void) | Promise<() => void>;
  /** Counts what is a fact, whatever the limits say. Counters that nobody has loaded have it when they are. */
  note(noted: readonly Noted[]): void | Promise<void>;
  /** Loads the counters of a subject anew when they are asked for next; takes that are open stay. */
  forget(subject: Subject): void | Promise<void>;
}

/** What the journal has of a use that was not let through by a take: reported, settled or taken back. */
export interface Noted extends Account {
  /** What was added; below zero for what is given back. */
  readonly amounts: MeterAmounts;
  /** When it was used, milliseconds since the epoch. */
  readonly at: number;
  /** For each window that does not slide, a moment of the period in which it counts. */
  readonly counts: Readonly<Record<FixedWindow, number>>;
  /** Names the record, so that it is counted once whoever notes it. */
  readonly record: string;
  /** Of its batch: counters that were loaded later have it. */
  readonly position: Position;
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

/** A use that counts. */
export interface Spend {
  readonly id: string;
  readonly at: number;
  readonly amounts: MeterAmounts;
}

/** What the ledger and the journal's tail know of a subject (decision 15). */
export interface Spent {
  /** Of periods such as `month:2026-11`. */
  readonly periods: Amounts;
  /** Uses from `since` on, oldest first. */
  readonly recent: readonly Spend[];
  /** Milliseconds since the epoch. What was spent before is not known. */
  readonly since: number;
  /** What the clock that these times come from says now; one that was set since has no part in their ages. */
  readonly asOf: number;
  /** The most that a limit by the minute or hour holds of what is counted: of more only the newest matters. */
  readonly most: number;
  /** The last event that is in it. */
  readonly upTo: Position;
}

/** The windows that slide. */
export type Sliding = keyof typeof SLIDING_MS;

/** What counters are loaded for. */
export interface Wanted {
  readonly subject: Subject;
  /** Of the take that waits: though midnight may pass meanwhile. */
  readonly now: number;
  /** Ids of the periods whose amounts are wanted. */
  readonly periods: readonly string[];
  /**
   * Whether the subject may have called lately, by this process or another; otherwise the ledger has all its
   * calls, and no window has any.
   */
  readonly fresh: boolean;
  /** Window of the limits that wait: how far back calls matter. */
  readonly longest: Sliding;
}

/** @throws Outage while nobody can tell; the limits then let nothing through, and are loaded by the next call */
export type LoadSpent = (wanted: Wanted) => Promise<Spent>;

export const longestOf = (limits: readonly Limit[]): Sliding =>
  limits.some(({ window }) => window === 'hour') ? 'hour' : 'minute';

/** The ids of the periods that limits stand in at that time, each once. */
export function periodsOfLimits(limits: readonly Limit[], at: number, anchors?: Anchors): readonly string[] {
  const ids = limits.flatMap(({ window }) => (isFixed(window) ? periodAt(window, at, anchors).id : []));
  return [...new Set(ids)];
}

/** A subject and its limits. */
export interface Part {
  readonly subject: Subject;
  /** All that it has. */
  readonly limits: readonly Limit[];
  /** Those that a use is held against. */
  readonly asked: readonly Limit[];
}

/**
 * The account and, where they have limits of their own, the key and the end customer; without amounts all limits are
 * asked.
 */
export function partsOf(
  { accountId, environment, limits, key, customer }: Account,
  amounts?: MeterAmounts,
): Part[] {
  const of = { accountId, environment, keyId: undefined };
  const parts: Part[] = [{ subject: of, limits, asked: onMeters(limits, amounts) }];
  if (key && key.limits.length > 0) {
    parts.push({
      subject: { ...of, keyId: key.id },
      limits: key.limits,
      asked: onMeters(key.limits, amounts),
    });
  }
  if (customer && customer.limits.length > 0) {
    parts.push({
      subject: { ...of, customerId: customer.id },
      limits: customer.limits,
      asked: onMeters(customer.limits, amounts),
    });
  }
  return parts;
}

function onMeters(limits: readonly Limit[], amounts: MeterAmounts | undefined): readonly Limit[] {
  if (!amounts || limits.every(({ meter }) => Object.hasOwn(amounts, meter))) return limits;
  return limits.filter(({ meter }) => Object.hasOwn(amounts, meter));
}

/**
 * How a limit is counted (decision 13): a day, month and longer in the counter of the period; by the minute
 * or hour what is counted slides, and what is summed is a bucket.
 */
export type LimitKind = 'period' | 'window' | 'bucket';

export function kindOf({ meter, window }: Limit, aggregationOf: AggregationOf): LimitKind {
  if (isFixed(window)) return 'period';
  return aggregationOf(meter) === 'count' ? 'window' : 'bucket';
}

/** @throws RangeError for an amount that would give something away, or that could never be counted */
export function checkAmounts(amounts: MeterAmounts): void {
  for (const meter in amounts) {
    const amount = amounts[meter] as number;
    if (!Number.isInteger(amount) || amount < 0 || amount > MAX_USE_AMOUNT) {
      throw new RangeError(`a use cannot come to ${amount} of the meter ${meter}`);
    }
  }
}

/** What of the amounts taken comes back when a use came to `actual`; undefined for nothing. */
export function difference(taken: MeterAmounts, actual: MeterAmounts): MeterAmounts | undefined {
  let back: Record<string, number> | undefined;
  for (const meter in taken) {
    const amount = taken[meter] as number;
    const points = amount - Math.max(0, actual[meter] ?? amount);
    if (points > 0) (back ??= {})[meter] = points;
  }
  return back;
}

/** States of the time of a take, as they are with `back` of it given back. */
export function givenBack(
  states: readonly LimitState[],
  back: MeterAmounts,
  aggregationOf: AggregationOf,
): readonly LimitState[] {
  return states.map((state) => {
    const { limit, used, usedExactly, resetAt, at, windowMs } = state;
    const points = back[limit.meter] ?? 0;
    if (points === 0) return state;
    const exactly = usedExactly !== undefined && usedExactly - BigInt(points);
    const left = exactly === false ? Math.max(0, used - points) : Number(exactly);
    const sooner =
      kindOf(limit, aggregationOf) === 'bucket' ? Math.floor((points * windowMs) / limit.amount) : 0;
    return {
      ...state,
      used: left,
      ...(exactly !== false && { usedExactly: exactly }),
      remaining: Math.max(0, limit.amount - left),
      resetAt: Math.max(at, resetAt - sooner),
    };
  });
}

/** Whether what was taken stands above a soft limit. */
export const isOver = (states: readonly LimitState[], amounts: MeterAmounts): boolean =>
  states.some(
    ({ limit, used }) => limit.mode === 'soft' && used > limit.amount && (amounts[limit.meter] as number) > 0,
  );

/** How long ago it was, in milliseconds: what a clock says that was ahead is taken for now. */
export const ageOf = (at: number, { asOf }: Spent): number => Math.max(0, asOf - at);

/**
 * What a bucket of a meter owes after a loss: never less than it did, and at most all. What was spent before
 * `since` is taken for the most that it can have been, a whole bucket, which is refilled within one window.
 */
export function owedAfter(spent: Spent, meter: string, windowMs: number, amount: number): number {
  const all = amount * windowMs;
  let owed = all;
  let age = ageOf(spent.since, spent);
  for (const { at, amounts } of spent.recent) {
    const younger = Math.min(age, ageOf(at, spent));
    owed = Math.max(0, owed - (age - younger) * amount) + (amounts[meter] ?? 0) * windowMs;
    age = younger;
  }
  return Math.ceil(Math.min(all, Math.max(0, owed - age * amount)) / windowMs);
}

/**
 * The ages of the uses that a sliding window counts, the oldest first: one for each of the amount, and the
 * newest alone of more than any limit holds, since one use may come to billions.
 */
export function agesIn(spent: Spent, meter: string, windowMs: number, limit: number): number[] {
  const most = Math.max(spent.most, limit);
  const ages: number[] = [];
  for (let i = spent.recent.length - 1; i >= 0 && ages.length < most; i--) {
    const { at, amounts } = spent.recent[i] as Spend;
    const age = ageOf(at, spent);
    if (age >= windowMs) continue;
    for (let n = Math.min(amounts[meter] ?? 0, most - ages.length); n > 0; n--) ages.push(age);
  }
  return ages.reverse();
}
