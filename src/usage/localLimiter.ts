import type { Limit } from '../plans/profile.js';
import { SLIDING_MS } from '../plans/profile.js';
import { Bucket } from './bucket.js';
import type {
  Account,
  Asked,
  Limiter,
  LimitState,
  LoadSpent,
  Part,
  Sliding,
  Spent,
  Take,
} from './limiter.js';
import { amountTaken, checkCost, givenBack, longestOf, owedAfter, partsOf } from './limiter.js';
import { subjectId } from './events.js';
import type { FixedWindow } from './periods.js';
import { isFixed, periodEnd, periodOf } from './periods.js';
import { SlidingWindow } from './slidingWindow.js';

type Meter = Limit['meter'];

/** What is spent in the newest period of a kind. */
interface Period {
  name: string;
  amount: number;
}

interface Counters {
  /** Only the windows that the account's limits have: each holds at most the limit's amount. */
  readonly windows: Map<Sliding, SlidingWindow>;
  readonly buckets: Map<Sliding, Bucket>;
  /** Of every meter, whatever the limits: a plan that changes goes on with what was spent. */
  readonly periods: Readonly<Record<Meter, Readonly<Record<FixedWindow, Period>>>>;
  /** Parallel calls come with times out of order; what the counters see never goes backwards. */
  latest: number;
  /** Takes that are neither settled nor undone. */
  open: number;
}

/** Counters and the limits that hold for them. */
interface Held {
  readonly counters: Counters;
  readonly limits: readonly Limit[];
}

const FIXED: readonly FixedWindow[] = ['day', 'month'];

/**
 * The limiter of one process. A counter that is missing is loaded, never taken for zero. Synchronous where
 * the account's counters are in memory.
 */
export class LocalLimiter implements Limiter {
  readonly #counters = new Map<string, Counters>();
  readonly #loading = new Map<string, Promise<void>>();

  constructor(private readonly load: LoadSpent) {}

  take(asked: Asked): Take | Promise<Take> {
    const cost = checkCost(asked.cost);
    const parts = partsOf(asked, asked.cost);
    const held = this.#held(parts);
    if (held) return takeFrom(held, cost, asked.now);
    return this.#loaded(parts, asked.now).then((loaded) => takeFrom(loaded, cost, asked.now));
  }

  async states(account: Account): Promise<readonly LimitState[]> {
    const held = await this.#loaded(partsOf(account, 0), account.now);
    return statesOf(held, advance(held, account.now));
  }

  /** Accounts and keys whose counters are in memory. */
  get size(): number {
    return this.#counters.size;
  }

  /**
   * Forgets accounts and keys without a call since `before`, which are loaded again when they come back. The ledger
   * must have seen all their calls, and their windows must have passed.
   * @param before milliseconds since the epoch
   */
  forgetIdle(before: number): void {
    for (const [id, { latest, open }] of this.#counters) {
      if (open === 0 && latest < before) this.#counters.delete(id);
    }
  }

  /** Undefined where counters are missing. */
  #held(parts: readonly Part[]): readonly Held[] | undefined {
    const held: Held[] = [];
    for (const { subject, limits } of parts) {
      const counters = this.#counters.get(subjectId(subject));
      if (!counters || !covers(counters, limits)) return undefined;
      held.push({ counters, limits });
    }
    return held;
  }

  async #loaded(parts: readonly Part[], now: number): Promise<readonly Held[]> {
    for (;;) {
      const held = this.#held(parts);
      if (held) return held;
      await Promise.all(parts.filter((part) => !this.#held([part])).map((part) => this.#loadOnce(part, now)));
    }
  }

  #loadOnce(part: Part, now: number): Promise<void> {
    const id = subjectId(part.subject);
    let loading = this.#loading.get(id);
    if (!loading) {
      loading = this.#load(id, part, now).finally(() => this.#loading.delete(id));
      this.#loading.set(id, loading);
    }
    return loading;
  }

  async #load(id: string, { subject, limits }: Part, now: number): Promise<void> {
    const known = this.#counters.has(id);
    const spent = await this.load(subject, now, known, longestOf(limits));
    let counters = this.#counters.get(id);
    if (!counters) {
      const periods = { requests: periodsOf('requests', spent, now), cost: periodsOf('cost', spent, now) };
      counters = { windows: new Map(), buckets: new Map(), periods, latest: now, open: 0 };
      this.#counters.set(id, counters);
    }
    // Of a process whose clock was ahead of this one's.
    counters.latest = Math.max(counters.latest, spent.recent.at(-1)?.at ?? 0);
    addWindows(counters, limits, spent);
  }
}

function periodsOf(meter: Meter, spent: Spent, now: number): Record<FixedWindow, Period> {
  const period = (window: FixedWindow): Period => {
    const name = periodOf(window, now);
    return { name, amount: spent.periods.get(`${meter}|${name}`) ?? 0 };
  };
  return { day: period('day'), month: period('month') };
}

/** Whether there are counters for all of the limits: a plan may have changed to one with other windows. */
function covers({ windows, buckets }: Counters, limits: readonly Limit[]): boolean {
  for (const { meter, window } of limits) {
    if (!isFixed(window) && !(meter === 'requests' ? windows : buckets).has(window)) return false;
  }
  return true;
}

function addWindows({ windows, buckets, latest }: Counters, limits: readonly Limit[], spent: Spent): void {
  for (const { meter, window, amount } of limits) {
    if (isFixed(window)) continue;
    const windowMs = SLIDING_MS[window];
    if (meter === 'cost' && !buckets.has(window)) {
      buckets.set(window, new Bucket(windowMs, owedAfter(spent, windowMs, amount, latest), latest));
    } else if (meter === 'requests' && !windows.has(window)) {
      const times = new SlidingWindow(windowMs);
      for (const { at } of spent.recent) times.add(at);
      windows.set(window, times);
    }
  }
}

/** One time for all of them, that never goes backwards. */
function advance(held: readonly Held[], asked: number): number {
  let now = asked;
  for (const { counters } of held) now = Math.max(now, counters.latest);
  for (const { counters } of held) counters.latest = now;
  return now;
}

function statesOf(held: readonly Held[], now: number): LimitState[] {
  const states: LimitState[] = [];
  for (const { counters, limits } of held) {
    for (const limit of limits) states.push(stateOf(counters, limit, now));
  }
  return states;
}

function takeFrom(held: readonly Held[], cost: number, asked: number): Take {
  const now = advance(held, asked);
  let refusing: LimitState | undefined;
  let freeAt = now;
  for (const { counters, limits } of held) {
    for (const limit of limits) {
      const at = nextFree(counters, limit, cost, now);
      if (at <= freeAt) continue;
      freeAt = at;
      refusing = stateOf(counters, limit, now);
    }
  }
  if (refusing) {
    const kind = freeAt === Infinity ? 'never' : 'refused';
    const retryAfterMs = kind === 'never' ? 0 : freeAt - now;
    return { kind, at: now, limit: refusing, retryAfterMs, states: statesOf(held, now) };
  }

  const periods = [periodOf('day', now), periodOf('month', now)];
  for (const { counters, limits } of held) {
    spend(counters, limits, cost, now);
    counters.open++;
  }
  const states = statesOf(held, now);
  let open = true;
  /** Ends the take. @returns whether it was still open */
  const close = (): boolean => {
    if (!open) return false;
    open = false;
    for (const { counters } of held) counters.open--;
    return true;
  };
  const giveBackAll = (points: number): void => {
    for (const { counters, limits } of held) giveBack(counters, limits, now, cost, points);
  };
  return {
    kind: 'taken',
    at: now,
    periods,
    states,
    settle: (actualCost) => {
      const points = Math.max(0, cost - actualCost);
      if (close()) giveBackAll(points);
      return givenBack(states, points, now);
    },
    undo: () => {
      if (!close()) return;
      giveBackAll(cost);
      for (const { counters, limits } of held) takeBack(counters, limits, now);
    },
  };
}

/** Takes a request back that was counted at `at`. */
function takeBack(counters: Counters, limits: readonly Limit[], at: number): void {
  for (const { meter, window } of limits) {
    if (meter === 'requests' && !isFixed(window)) counters.windows.get(window)?.remove(at);
  }
  for (const window of FIXED) addTo(counters, 'requests', window, at, -1);
}

function spend(counters: Counters, limits: readonly Limit[], cost: number, now: number): void {
  for (const { meter, window } of limits) {
    if (isFixed(window)) continue;
    if (meter === 'requests') counters.windows.get(window)?.add(now);
    else counters.buckets.get(window)?.take(cost);
  }
  for (const window of FIXED) {
    addTo(counters, 'requests', window, now, 1);
    addTo(counters, 'cost', window, now, cost);
  }
}

/** Gives cost points back that were taken at `at`. */
function giveBack(
  counters: Counters,
  limits: readonly Limit[],
  at: number,
  taken: number,
  points: number,
): void {
  if (points === 0) return;
  for (const { meter, window, amount } of limits) {
    if (meter === 'cost' && !isFixed(window)) {
      counters.buckets.get(window)?.giveBack(counters.latest, amount, points, taken, at);
    }
  }
  for (const window of FIXED) addTo(counters, 'cost', window, at, -points);
}

/** The period of `at`; undefined when a later one has begun. */
function periodAt({ periods }: Counters, meter: Meter, window: FixedWindow, at: number): Period | undefined {
  const period = periods[meter][window];
  const name = periodOf(window, at);
  // Names of a window sort by time.
  if (name > period.name) {
    period.name = name;
    period.amount = 0;
  }
  return name === period.name ? period : undefined;
}

function addTo(counters: Counters, meter: Meter, window: FixedWindow, at: number, amount: number): void {
  const period = periodAt(counters, meter, window, at);
  if (period) period.amount += amount;
}

const usedIn = (counters: Counters, meter: Meter, window: FixedWindow, now: number): number =>
  periodAt(counters, meter, window, now)?.amount ?? 0;

/** When the call passes this limit: now, later, or never (Infinity). */
function nextFree(counters: Counters, limit: Limit, cost: number, now: number): number {
  const { meter, window, amount } = limit;
  const points = amountTaken(limit, cost);
  if (points === 0) return now;
  if (points > amount) return Infinity;
  if (isFixed(window)) {
    return usedIn(counters, meter, window, now) + points <= amount ? now : periodEnd(window, now);
  }
  return meter === 'requests'
    ? counterOf(counters.windows, window).freeAt(now, amount)
    : counterOf(counters.buckets, window).freeAt(now, amount, points);
}

function stateOf(counters: Counters, limit: Limit, now: number): LimitState {
  const { meter, window, amount } = limit;
  if (isFixed(window)) {
    return standing(limit, usedIn(counters, meter, window, now), periodEnd(window, now), now);
  }
  if (meter === 'cost') {
    const bucket = counterOf(counters.buckets, window);
    return standing(limit, bucket.used(now, amount), bucket.freeAt(now, amount, amount), now);
  }
  const times = counterOf(counters.windows, window);
  const used = times.used(now);
  return standing(limit, used, times.freeAt(now, Math.max(1, Math.min(used, amount))), now);
}

const standing = (limit: Limit, used: number, resetAt: number, at: number): LimitState => ({
  limit,
  used,
  remaining: Math.max(0, limit.amount - used),
  resetAt,
  at,
});

function counterOf<C>(counters: ReadonlyMap<Sliding, C>, window: Sliding): C {
  const counter = counters.get(window);
  if (!counter) throw new Error(`the window of a ${window} is not loaded`);
  return counter;
}
