import type { Environment } from '../eventsourcing/event.js';
import type { Limit } from '../plans/profile.js';
import { SLIDING_MS } from '../plans/profile.js';
import { isFixed, periodEnd, periodOf } from './periods.js';
import { SlidingWindow } from './slidingWindow.js';

/** A limit and where it stands. */
export interface LimitState {
  readonly limit: Limit;
  readonly used: number;
  readonly remaining: number;
  /** When the period ends (fixed), or the oldest call leaves the window (sliding); ms since the epoch. */
  readonly resetAt: number;
}

export type Take =
  | {
      readonly kind: 'taken';
      /** The one time of this use: record and periods follow it (decision 14). */
      readonly at: number;
      readonly periods: readonly string[];
      readonly states: readonly LimitState[];
      /** Gives everything back; for a call that was neither answered nor recorded. */
      undo(): void;
    }
  | {
      readonly kind: 'refused';
      readonly at: number;
      /** The limit that has to wait longest. */
      readonly limit: LimitState;
      readonly retryAfterMs: number;
      readonly states: readonly LimitState[];
    };

/** What the ledger and the journal's tail know of an account (decision 15). */
export interface Spent {
  /** Amounts by meter and period, e.g. `requests|month:2026-11`. */
  readonly periods: ReadonlyMap<string, number>;
  /** Times of the calls within the longest sliding window, oldest first. */
  readonly recent: readonly number[];
}

/** @param now of the take that waits: its periods are the ones to load, though midnight may pass meanwhile */
export type LoadSpent = (accountId: string, environment: Environment, now: number) => Promise<Spent>;

type Sliding = keyof typeof SLIDING_MS;

interface Counters {
  /** Only the windows that the account's limits have: each holds at most the limit's amount. */
  readonly sliding: Map<Sliding, SlidingWindow>;
  readonly recent: readonly number[];
  readonly periods: Map<string, number>;
  /** Parallel calls come with times out of order; what the counters see never goes backwards. */
  latest: number;
}

/**
 * Takes from all limits of an account at once or from none (decisions 13 to 15), in this process.
 * A counter that is missing is loaded, never taken for zero. Limits on cost are not decided here
 * before a cost formula exists.
 */
export class Limiter {
  readonly #counters = new Map<string, Counters>();
  readonly #loading = new Map<string, Promise<Counters>>();

  constructor(private readonly load: LoadSpent) {}

  /** Takes one request. Synchronous where the account's counters are in memory. */
  take(
    accountId: string,
    environment: Environment,
    limits: readonly Limit[],
    now: number,
  ): Take | Promise<Take> {
    const counters = this.#counters.get(`${accountId}|${environment}`);
    return counters
      ? takeFrom(counters, limits, now)
      : this.#loaded(accountId, environment, now).then((loaded) => takeFrom(loaded, limits, now));
  }

  /** Where the limits stand, taking nothing. */
  async states(
    accountId: string,
    environment: Environment,
    limits: readonly Limit[],
    now: number,
  ): Promise<LimitState[]> {
    const counters = await this.#loaded(accountId, environment, now);
    const at = advance(counters, now);
    return enforced(limits).map((limit) => stateOf(counters, limit, at));
  }

  #loaded(accountId: string, environment: Environment, now: number): Promise<Counters> {
    const id = `${accountId}|${environment}`;
    const known = this.#counters.get(id);
    if (known) return Promise.resolve(known);
    let loading = this.#loading.get(id);
    if (!loading) {
      loading = this.load(accountId, environment, now)
        .then((spent) => {
          const { recent, periods } = spent;
          const counters = { sliding: new Map(), recent, periods: new Map(periods), latest: now };
          this.#counters.set(id, counters);
          return counters;
        })
        .finally(() => this.#loading.delete(id));
      this.#loading.set(id, loading);
    }
    return loading;
  }
}

function slidingWindow(counters: Counters, name: Sliding): SlidingWindow {
  let window = counters.sliding.get(name);
  if (!window) {
    window = new SlidingWindow(SLIDING_MS[name]);
    for (const at of counters.recent) window.add(at);
    counters.sliding.set(name, window);
  }
  return window;
}

/** The limits that this version decides. */
export function enforced(limits: readonly Limit[]): readonly Limit[] {
  return limits.every((limit) => limit.meter === 'requests')
    ? limits
    : limits.filter((limit) => limit.meter === 'requests');
}

function advance(counters: Counters, now: number): number {
  return (counters.latest = Math.max(counters.latest, now));
}

function takeFrom(counters: Counters, all: readonly Limit[], asked: number): Take {
  const now = advance(counters, asked);
  const limits = enforced(all);
  let refusing: Limit | undefined;
  let freeAt = now;
  for (const limit of limits) {
    const at = nextFree(counters, limit, now);
    if (at > freeAt) {
      freeAt = at;
      refusing = limit;
    }
  }
  if (refusing) {
    return {
      kind: 'refused',
      at: now,
      limit: stateOf(counters, refusing, now),
      retryAfterMs: freeAt - now,
      states: limits.map((limit) => stateOf(counters, limit, now)),
    };
  }

  const windows = limits.flatMap(({ window }) => (isFixed(window) ? [] : [slidingWindow(counters, window)]));
  for (const window of windows) window.add(now);
  const periods = [periodOf('day', now), periodOf('month', now)];
  for (const period of periods) add(counters, period, 1);
  return {
    kind: 'taken',
    at: now,
    periods,
    states: limits.map((limit) => stateOf(counters, limit, now)),
    undo: () => {
      for (const window of windows) window.remove(now);
      for (const period of periods) add(counters, period, -1);
    },
  };
}

function add(counters: Counters, period: string, amount: number): void {
  const id = `requests|${period}`;
  counters.periods.set(id, (counters.periods.get(id) ?? 0) + amount);
}

/** When one more request passes this limit; now, where it passes now. */
function nextFree(counters: Counters, limit: Limit, now: number): number {
  const { window, amount } = limit;
  if (!isFixed(window)) return slidingWindow(counters, window).freeAt(now, amount);
  const used = counters.periods.get(`requests|${periodOf(window, now)}`) ?? 0;
  return used < amount ? now : periodEnd(window, now);
}

function stateOf(counters: Counters, limit: Limit, now: number): LimitState {
  const { window, amount } = limit;
  const used = isFixed(window)
    ? (counters.periods.get(`requests|${periodOf(window, now)}`) ?? 0)
    : slidingWindow(counters, window).used(now);
  const resetAt = isFixed(window)
    ? periodEnd(window, now)
    : slidingWindow(counters, window).freeAt(now, Math.max(1, Math.min(used, amount)));
  return { limit, used, remaining: Math.max(0, amount - used), resetAt };
}
