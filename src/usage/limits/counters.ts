import type { Position } from '../../eventsourcing/event.js';
import { START } from '../../eventsourcing/event.js';
import type { AggregationOf } from '../../plans/meters.js';
import type { Limit } from '../../plans/profile.js';
import { SLIDING_MS } from '../../plans/profile.js';
import { Bucket } from './bucket.js';
import { ExactSum } from '../../exactSum.js';
import type { LimitState, MeterAmounts, Spent } from './limiter.js';
import { agesIn, kindOf, owedAfter } from './limiter.js';
import type { Anchors, FixedWindow, Period, PeriodReset } from './periods.js';
import { isFixed, periodAt } from './periods.js';
import { SlidingWindow } from './slidingWindow.js';

/** One moment: as time passes, for what slides, and by the clock, for days and months. */
export interface Moment {
  readonly elapsed: number;
  readonly at: number;
  readonly anchors: Anchors | undefined;
}

/** A take that is neither settled nor undone. */
export interface OpenTake {
  readonly amounts: MeterAmounts;
  readonly moment: Moment;
  /** Of its reservation, where it has one. */
  recordedAt: Position | undefined;
}

/**
 * What counters have of an open take. `taken`: it was taken from them. `again`: they were loaded since, without its
 * record, and it was added. `loaded`: they were loaded with the record of its reservation.
 */
export type Holding = 'taken' | 'again' | 'loaded';

/** The counter of one meter and window. */
export interface Counter {
  /** Whether it can tell at that moment: the sum of a period may have to be loaded. */
  covers(moment: Moment): boolean;
  /** How long until the amount passes, in milliseconds; Infinity where it never does. */
  waitFor(limit: Limit, amount: number, moment: Moment): number;
  spend(amount: number, moment: Moment): void;
  /**
   * Gives back.
   * @param taken what was taken `then`, of which `amount` comes back
   */
  giveBack(limit: Limit, amount: number, taken: number, then: Moment, now: number): void;
  state(limit: Limit, moment: Moment): LimitState;
  load(spent: Spent, moment: Moment): void;
  /** Holds what is loaded in place of all that it held, and these takes beside it. */
  reload(limit: Limit, spent: Spent, moment: Moment, open: readonly OpenTake[]): void;
  /** Whether a record of that moment is in what was loaded. */
  hasLoaded(position: Position, moment: Moment): boolean;
  /**
   * Adds what the journal has, or takes it back, unless it was there when the counter was loaded.
   * @param age how long ago it was used, in milliseconds
   */
  note(limit: Limit, amount: number, moment: Moment, age: number, position: Position): void;
}

const stateOf = (
  limit: Limit,
  used: number,
  { at }: Moment,
  resetAt: number,
  windowMs: number,
): LimitState => ({ limit, used, remaining: Math.max(0, limit.amount - used), resetAt, at, windowMs });

class WindowCounter implements Counter {
  #times: SlidingWindow;
  #loadedTo: Position = START;

  constructor(
    private readonly windowMs: number,
    limit: Limit,
    spent: Spent,
    moment: Moment,
  ) {
    this.#times = new SlidingWindow(windowMs);
    this.reload(limit, spent, moment, []);
  }

  reload({ meter, amount }: Limit, spent: Spent, { elapsed }: Moment, open: readonly OpenTake[]): void {
    this.#loadedTo = spent.upTo;
    const times = agesIn(spent, meter, this.windowMs, amount).map((age) => [elapsed - age, 1] as const);
    const taken = open.map(({ amounts, moment }) => [moment.elapsed, amounts[meter] ?? 0] as const);
    this.#times = new SlidingWindow(this.windowMs);
    for (const [at, count] of [...times, ...taken].sort(([a], [b]) => a - b)) this.#times.add(at, count);
  }

  hasLoaded(position: Position): boolean {
    return position <= this.#loadedTo;
  }

  covers(): boolean {
    return true;
  }

  waitFor(limit: Limit, amount: number, { elapsed }: Moment): number {
    return this.#times.freeAt(elapsed, limit.amount, amount) - elapsed;
  }

  spend(amount: number, { elapsed }: Moment): void {
    this.#times.add(elapsed, amount);
  }

  giveBack(_limit: Limit, amount: number, _taken: number, then: Moment): void {
    this.#times.remove(then.elapsed, amount);
  }

  state(limit: Limit, moment: Moment): LimitState {
    const { elapsed, at } = moment;
    const used = this.#times.used(elapsed);
    const free = this.#times.freeAt(elapsed, Math.max(1, Math.min(used, limit.amount)));
    return stateOf(limit, used, moment, at + free - elapsed, this.windowMs);
  }

  load(): void {}

  note({ amount: most }: Limit, amount: number, { elapsed }: Moment, age: number, position: Position): void {
    // What is given back late stays counted until the window has passed.
    if (position <= this.#loadedTo || amount <= 0 || age >= this.windowMs) return;
    this.#times.add(elapsed, Math.min(amount, most));
  }
}

class BucketCounter implements Counter {
  #bucket: Bucket;
  #loadedTo: Position = START;

  constructor(
    private readonly windowMs: number,
    limit: Limit,
    spent: Spent,
    moment: Moment,
  ) {
    this.#bucket = new Bucket(windowMs, 0, moment.elapsed);
    this.reload(limit, spent, moment, []);
  }

  reload({ meter, amount }: Limit, spent: Spent, { elapsed }: Moment, open: readonly OpenTake[]): void {
    this.#loadedTo = spent.upTo;
    this.#bucket = new Bucket(this.windowMs, owedAfter(spent, meter, this.windowMs, amount), elapsed);
    for (const { amounts } of open) this.#bucket.take(amounts[meter] ?? 0);
  }

  hasLoaded(position: Position): boolean {
    return position <= this.#loadedTo;
  }

  covers(): boolean {
    return true;
  }

  waitFor(limit: Limit, amount: number, { elapsed }: Moment): number {
    return this.#bucket.freeAt(elapsed, limit.amount, amount) - elapsed;
  }

  spend(amount: number): void {
    this.#bucket.take(amount);
  }

  giveBack(limit: Limit, amount: number, taken: number, then: Moment, now: number): void {
    this.#bucket.giveBack(now, limit.amount, amount, taken, then.elapsed);
  }

  state(limit: Limit, moment: Moment): LimitState {
    const { elapsed, at } = moment;
    const used = this.#bucket.used(elapsed, limit.amount);
    const full = this.#bucket.freeAt(elapsed, limit.amount, limit.amount);
    return stateOf(limit, used, moment, at + full - elapsed, this.windowMs);
  }

  load(): void {}

  note({ amount: most }: Limit, amount: number, _moment: Moment, age: number, position: Position): void {
    if (position <= this.#loadedTo || amount <= 0 || age >= this.windowMs) return;
    this.#bucket.take(Math.min(amount, most));
  }
}

/** Periods that a counter keeps, the newest that were loaded: late settlements and clocks that come back. */
const PERIODS_KEPT = 3;

/** What is spent in each period of a window: each has a sum of its own, which is never reset. */
class PeriodCounter implements Counter {
  readonly #sums = new Map<string, ExactSum>();
  readonly #loadedTo = new Map<string, Position>();
  #current: Period | undefined;
  #anchor: number | null | undefined;
  #reset: PeriodReset | undefined;

  constructor(
    private readonly window: FixedWindow,
    private readonly meter: string,
  ) {}

  covers(moment: Moment): boolean {
    return this.#sums.has(this.#period(moment).id);
  }

  waitFor(limit: Limit, amount: number, moment: Moment): number {
    const { id, end } = this.#period(moment);
    return this.#used(id) + amount <= limit.amount ? 0 : end - moment.at;
  }

  spend(amount: number, moment: Moment): void {
    this.#add(this.#period(moment).id, amount);
  }

  giveBack(_limit: Limit, amount: number, _taken: number, then: Moment): void {
    this.#add(periodAt(this.window, then.at, then.anchors).id, -amount);
  }

  state(limit: Limit, moment: Moment): LimitState {
    const { id, begin, end } = this.#period(moment);
    const state = stateOf(limit, this.#used(id), moment, end, end - begin);
    if (state.used <= Number.MAX_SAFE_INTEGER) return state;
    return { ...state, usedExactly: this.#sums.get(id)?.exactly ?? 0n };
  }

  load({ periods, upTo }: Spent, moment: Moment): void {
    const { id } = this.#period(moment);
    if (this.#sums.has(id)) return;
    this.#sums.set(id, new ExactSum(periods.exactly(this.meter, id)));
    this.#loadedTo.set(id, upTo);
    for (const oldest of this.#sums.keys()) {
      if (this.#sums.size <= PERIODS_KEPT) break;
      this.#sums.delete(oldest);
      this.#loadedTo.delete(oldest);
    }
  }

  reload(_limit: Limit, spent: Spent, moment: Moment, open: readonly OpenTake[]): void {
    this.#sums.clear();
    this.#loadedTo.clear();
    this.load(spent, moment);
    for (const { amounts, moment: then } of open) {
      this.#add(periodAt(this.window, then.at, then.anchors).id, amounts[this.meter] ?? 0);
    }
  }

  hasLoaded(position: Position, { at, anchors }: Moment): boolean {
    return position <= (this.#loadedTo.get(periodAt(this.window, at, anchors).id) ?? START);
  }

  note(_limit: Limit, amount: number, { at, anchors }: Moment, _age: number, position: Position): void {
    const { id } = periodAt(this.window, at, anchors);
    if (position > (this.#loadedTo.get(id) ?? Infinity)) this.#add(id, amount);
  }

  #used(id: string): number {
    return this.#sums.get(id)?.rounded ?? 0;
  }

  /** To a period that is not kept any more nothing is added: it is loaded whole. */
  #add(id: string, amount: number): void {
    this.#sums.get(id)?.add(amount);
  }

  /** Nearly all calls of a subject stand in the same one. */
  #period({ at, anchors }: Moment): Period {
    const anchor = this.window === 'month' ? anchors?.month : anchors?.billing;
    const reset = anchors?.resets?.[this.window];
    const current = this.#current;
    const same = anchor === this.#anchor && reset === this.#reset;
    if (current && same && at >= current.begin && at < current.end) return current;
    this.#anchor = anchor;
    this.#reset = reset;
    return (this.#current = periodAt(this.window, at, anchors));
  }
}

/**
 * The counters of an account or key: one for each limit. One of a limit that is gone is forgotten, since nobody
 * counts for it meanwhile.
 */
export class Counters {
  #limits: readonly Limit[] = [];
  #byLimit = new Map<Limit, Counter>();
  #byName = new Map<string, Counter>();
  /** When they were asked for last, as time passes. */
  latest: number;
  /** The takes that are open. */
  readonly open = new Map<OpenTake, Holding>();
  /** Whether all of them have to be loaded anew. */
  #stale = false;
  /** Those that these are among, in the order in which they were asked for last. */
  #among: Set<Counters> | undefined;

  /** @param id of the subject */
  constructor(
    readonly id: string,
    asOf: number,
  ) {
    this.latest = asOf;
  }

  /** They are asked for. @param now as time passes */
  touch(now: number): void {
    this.latest = now;
    if (this.#among?.delete(this)) this.#among.add(this);
  }

  /** Puts these behind all others of which only so many are kept. */
  join(among: Set<Counters>): void {
    this.#among = among;
    among.delete(this);
    among.add(this);
  }

  /** They are dropped. */
  leave(): void {
    this.#among?.delete(this);
    this.#among = undefined;
  }

  /** Has them loaded anew when they are asked for next. */
  forget(): void {
    this.#stale = true;
  }

  /** The counter of a limit; undefined where it has to be loaded. */
  of(limits: readonly Limit[], limit: Limit, moment: Moment): Counter | undefined {
    if (this.#stale) return undefined;
    if (limits !== this.#limits) this.#hold(limits);
    const counter = this.#byLimit.get(limit);
    return counter?.covers(moment) ? counter : undefined;
  }

  /** The counters of limits, where they are loaded. */
  *loaded(limits: readonly Limit[]): Generator<readonly [Limit, Counter]> {
    for (const limit of limits) {
      const counter = this.#byName.get(nameOf(limit));
      if (counter) yield [limit, counter];
    }
  }

  /** Loads what is missing for these limits. */
  load(limits: readonly Limit[], spent: Spent, moment: Moment, aggregationOf: AggregationOf): void {
    this.#hold(limits);
    const open = this.#stale ? this.#openAgain(spent) : undefined;
    for (const limit of limits) {
      const name = nameOf(limit);
      let counter = this.#byName.get(name);
      if (counter && open) counter.reload(limit, spent, moment, open);
      if (!counter) this.#byName.set(name, (counter = newCounter(limit, spent, moment, aggregationOf)));
      this.#byLimit.set(limit, counter);
      counter.load(spent, moment);
    }
    this.#stale = false;
  }

  /** The open takes that are not in what is loaded. */
  #openAgain({ upTo }: Spent): OpenTake[] {
    const again: OpenTake[] = [];
    for (const take of this.open.keys()) {
      const loaded = take.recordedAt !== undefined && take.recordedAt <= upTo;
      this.open.set(take, loaded ? 'loaded' : 'again');
      if (!loaded) again.push(take);
    }
    return again;
  }

  #hold(limits: readonly Limit[]): void {
    const kept = limits.flatMap((limit) => {
      const counter = this.#byName.get(nameOf(limit));
      return counter ? [[limit, nameOf(limit), counter] as const] : [];
    });
    this.#limits = limits;
    this.#byName = new Map(kept.map(([, name, counter]) => [name, counter]));
    this.#byLimit = new Map(kept.map(([limit, , counter]) => [limit, counter]));
  }
}

/** Neither part can hold the character (METER_ID). */
const nameOf = ({ meter, window }: Limit): string => `${meter}|${window}`;

function newCounter(limit: Limit, spent: Spent, moment: Moment, aggregationOf: AggregationOf): Counter {
  const { meter, window } = limit;
  if (isFixed(window)) return new PeriodCounter(window, meter);
  const windowMs = SLIDING_MS[window];
  return kindOf(limit, aggregationOf) === 'window'
    ? new WindowCounter(windowMs, limit, spent, moment)
    : new BucketCounter(windowMs, limit, spent, moment);
}
