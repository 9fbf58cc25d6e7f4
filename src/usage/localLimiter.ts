import type { Elapsed } from '../clock.js';
import { elapsed } from '../clock.js';
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
import { ageOf, amountTaken, checkCost, givenBack, longestOf, owedAfter, partsOf } from './limiter.js';
import { subjectId } from './events.js';
import { isFixed, periodEnd, periodOf } from './periods.js';
import { SlidingWindow } from './slidingWindow.js';

type Meter = Limit['meter'];

/** What is spent in one fixed period. */
type Amounts = Record<Meter, number>;

interface Counters {
  /** Only the windows that the account's limits have: each holds at most the limit's amount. */
  readonly windows: Map<Sliding, SlidingWindow>;
  readonly buckets: Map<Sliding, Bucket>;
  /** By the period's name; each under its own, so that a clock that is set back finds it again. */
  readonly periods: Map<string, Amounts>;
  /** When they were asked for last, as time passes. */
  latest: number;
  /** Takes that are neither settled nor undone. */
  open: number;
}

/** Counters and the limits that hold for them. */
interface Held {
  readonly counters: Counters;
  readonly limits: readonly Limit[];
}

/** One moment: as time passes, for what slides, and by the clock, for days and months. */
interface Moment {
  readonly elapsed: number;
  readonly at: number;
}

/** Periods that a subject's counters keep: the newest that were loaded. */
const PERIODS_KEPT = 6;

/**
 * The limiter of one process. A counter that is missing is loaded, never taken for zero. Synchronous where
 * the account's counters are in memory.
 */
export class LocalLimiter implements Limiter {
  readonly #counters = new Map<string, Counters>();
  readonly #loading = new Map<string, Promise<void>>();

  constructor(
    private readonly load: LoadSpent,
    private readonly time: Elapsed = elapsed,
  ) {}

  take(asked: Asked): Take | Promise<Take> {
    const cost = checkCost(asked.cost);
    const parts = partsOf(asked, asked.cost);
    const held = this.#held(parts, asked.now);
    if (held) return takeFrom(held, cost, this.#moment(asked.now));
    return this.#loaded(parts, asked.now).then((loaded) => takeFrom(loaded, cost, this.#moment(asked.now)));
  }

  async states(account: Account): Promise<readonly LimitState[]> {
    const held = await this.#loaded(partsOf(account, 0), account.now);
    const moment = this.#moment(account.now);
    touch(held, moment);
    return statesOf(held, moment);
  }

  /** Accounts and keys whose counters are in memory. */
  get size(): number {
    return this.#counters.size;
  }

  /**
   * Forgets accounts and keys without a call since `before`, which are loaded again when they come back. The ledger
   * must have seen all their calls, and their windows must have passed.
   * @param before as time passes
   */
  forgetIdle(before: number): void {
    for (const [id, { latest, open }] of this.#counters) {
      if (open === 0 && latest < before) this.#counters.delete(id);
    }
  }

  #moment(at: number): Moment {
    return { elapsed: this.time(), at };
  }

  /** Undefined where counters are missing. */
  #held(parts: readonly Part[], at: number): readonly Held[] | undefined {
    const held: Held[] = [];
    for (const { subject, limits } of parts) {
      const counters = this.#counters.get(subjectId(subject));
      if (!counters || !covers(counters, limits, at)) return undefined;
      held.push({ counters, limits });
    }
    return held;
  }

  async #loaded(parts: readonly Part[], at: number): Promise<readonly Held[]> {
    for (;;) {
      const held = this.#held(parts, at);
      if (held) return held;
      await Promise.all(
        parts.filter((part) => !this.#held([part], at)).map((part) => this.#loadOnce(part, at)),
      );
    }
  }

  #loadOnce(part: Part, at: number): Promise<void> {
    const id = subjectId(part.subject);
    let loading = this.#loading.get(id);
    if (!loading) {
      loading = this.#load(id, part, at).finally(() => this.#loading.delete(id));
      this.#loading.set(id, loading);
    }
    return loading;
  }

  async #load(id: string, { subject, limits }: Part, at: number): Promise<void> {
    const began = this.time();
    const known = this.#counters.has(id);
    const spent = await this.load(subject, at, known, longestOf(limits));
    let counters = this.#counters.get(id);
    if (!counters) {
      counters = { windows: new Map(), buckets: new Map(), periods: new Map(), latest: began, open: 0 };
      this.#counters.set(id, counters);
    }
    addPeriods(counters, spent, at);
    addWindows(counters, limits, spent, began);
  }
}

const FIXED = ['day', 'month'] as const;

function addPeriods({ periods }: Counters, spent: Spent, at: number): void {
  for (const window of FIXED) {
    const name = periodOf(window, at);
    const spentOn = (meter: Meter): number => spent.periods.of(meter, name);
    const amounts = periods.get(name) ?? { requests: spentOn('requests'), cost: spentOn('cost') };
    // Behind the others, so that it goes last.
    periods.delete(name);
    periods.set(name, amounts);
  }
  for (const name of periods.keys()) {
    if (periods.size <= PERIODS_KEPT) break;
    periods.delete(name);
  }
}

/** Whether there are counters for all of the limits: a plan may have changed to one with other windows. */
function covers({ windows, buckets, periods }: Counters, limits: readonly Limit[], at: number): boolean {
  for (const window of FIXED) if (!periods.has(periodOf(window, at))) return false;
  for (const { meter, window } of limits) {
    if (!isFixed(window) && !(meter === 'requests' ? windows : buckets).has(window)) return false;
  }
  return true;
}

function addWindows(
  { windows, buckets }: Counters,
  limits: readonly Limit[],
  spent: Spent,
  asOf: number,
): void {
  for (const { meter, window, amount } of limits) {
    if (isFixed(window)) continue;
    const windowMs = SLIDING_MS[window];
    if (meter === 'cost' && !buckets.has(window)) {
      buckets.set(window, new Bucket(windowMs, owedAfter(spent, windowMs, amount), asOf));
    } else if (meter === 'requests' && !windows.has(window)) {
      const times = new SlidingWindow(windowMs);
      for (const { at } of spent.recent) times.add(asOf - ageOf(at, spent));
      windows.set(window, times);
    }
  }
}

function touch(held: readonly Held[], { elapsed: now }: Moment): void {
  for (const { counters } of held) counters.latest = now;
}

function statesOf(held: readonly Held[], moment: Moment): LimitState[] {
  const states: LimitState[] = [];
  for (const { counters, limits } of held) {
    for (const limit of limits) states.push(stateOf(counters, limit, moment));
  }
  return states;
}

function takeFrom(held: readonly Held[], cost: number, moment: Moment): Take {
  const { at } = moment;
  touch(held, moment);
  let refusing: LimitState | undefined;
  let wait = 0;
  for (const { counters, limits } of held) {
    for (const limit of limits) {
      const ms = waitFor(counters, limit, cost, moment);
      if (ms <= wait) continue;
      wait = ms;
      refusing = stateOf(counters, limit, moment);
    }
  }
  if (refusing) {
    const kind = wait === Infinity ? 'never' : 'refused';
    const retryAfterMs = kind === 'never' ? 0 : wait;
    return { kind, at, limit: refusing, retryAfterMs, states: statesOf(held, moment) };
  }

  for (const { counters, limits } of held) {
    spend(counters, limits, cost, moment);
    counters.open++;
  }
  const states = statesOf(held, moment);
  let open = true;
  /** Ends the take. @returns whether it was still open */
  const close = (): boolean => {
    if (!open) return false;
    open = false;
    for (const { counters } of held) counters.open--;
    return true;
  };
  const giveBackAll = (points: number): void => {
    for (const { counters, limits } of held) giveBack(counters, limits, moment, cost, points);
  };
  return {
    kind: 'taken',
    at,
    periods: FIXED.map((window) => periodOf(window, at)),
    states,
    settle: (actualCost) => {
      const points = Math.max(0, cost - actualCost);
      if (close()) giveBackAll(points);
      return givenBack(states, points, at);
    },
    undo: () => {
      if (!close()) return;
      giveBackAll(cost);
      for (const { counters, limits } of held) takeBack(counters, limits, moment);
    },
  };
}

/** Takes a request back that was counted then. */
function takeBack(counters: Counters, limits: readonly Limit[], moment: Moment): void {
  for (const { meter, window } of limits) {
    if (meter === 'requests' && !isFixed(window)) counters.windows.get(window)?.remove(moment.elapsed);
  }
  addToPeriods(counters, moment, -1, 0);
}

function spend(counters: Counters, limits: readonly Limit[], cost: number, moment: Moment): void {
  for (const { meter, window } of limits) {
    if (isFixed(window)) continue;
    if (meter === 'requests') counters.windows.get(window)?.add(moment.elapsed);
    else counters.buckets.get(window)?.take(cost);
  }
  addToPeriods(counters, moment, 1, cost);
}

/** Gives cost points back that were taken then. */
function giveBack(
  counters: Counters,
  limits: readonly Limit[],
  moment: Moment,
  taken: number,
  points: number,
): void {
  if (points === 0) return;
  for (const { meter, window, amount } of limits) {
    if (meter === 'cost' && !isFixed(window)) {
      counters.buckets.get(window)?.giveBack(counters.latest, amount, points, taken, moment.elapsed);
    }
  }
  addToPeriods(counters, moment, 0, -points);
}

function addToPeriods({ periods }: Counters, { at }: Moment, requests: number, cost: number): void {
  for (const window of FIXED) {
    const amounts = periods.get(periodOf(window, at));
    if (!amounts) continue;
    amounts.requests += requests;
    amounts.cost += cost;
  }
}

const usedIn = ({ periods }: Counters, meter: Meter, window: (typeof FIXED)[number], at: number): number =>
  periods.get(periodOf(window, at))?.[meter] ?? 0;

/** How long until the call passes this limit, in milliseconds; Infinity where it never does. */
function waitFor(counters: Counters, limit: Limit, cost: number, { elapsed: now, at }: Moment): number {
  const { meter, window, amount } = limit;
  const points = amountTaken(limit, cost);
  if (points === 0) return 0;
  if (points > amount) return Infinity;
  if (isFixed(window)) {
    return usedIn(counters, meter, window, at) + points <= amount ? 0 : periodEnd(window, at) - at;
  }
  const free =
    meter === 'requests'
      ? counterOf(counters.windows, window).freeAt(now, amount)
      : counterOf(counters.buckets, window).freeAt(now, amount, points);
  return free - now;
}

function stateOf(counters: Counters, limit: Limit, { elapsed: now, at }: Moment): LimitState {
  const { meter, window, amount } = limit;
  if (isFixed(window)) {
    return standing(limit, usedIn(counters, meter, window, at), periodEnd(window, at), at);
  }
  if (meter === 'cost') {
    const bucket = counterOf(counters.buckets, window);
    return standing(limit, bucket.used(now, amount), at + bucket.freeAt(now, amount, amount) - now, at);
  }
  const times = counterOf(counters.windows, window);
  const used = times.used(now);
  const free = times.freeAt(now, Math.max(1, Math.min(used, amount)));
  return standing(limit, used, at + free - now, at);
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
