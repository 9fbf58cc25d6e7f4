import type { Elapsed } from '../clock.js';
import { elapsed } from '../clock.js';
import type { AggregationOf } from '../plans/meters.js';
import { builtInAggregation } from '../plans/meters.js';
import type { Limit } from '../plans/profile.js';
import type { Position } from '../eventsourcing/event.js';
import type { Counter, Moment, OpenTake } from './counters.js';
import { Counters } from './counters.js';
import type {
  Account,
  MeterAmounts,
  Asked,
  Limiter,
  LimitState,
  LoadSpent,
  Noted,
  Part,
  Take,
} from './limiter.js';
import { compositeKey } from '../eventsourcing/compositeKey.js';
import {
  MAX_CUSTOMERS,
  checkAmounts,
  difference,
  givenBack,
  longestOf,
  partsOf,
  periodsOfLimits,
} from './limiter.js';
import type { Subject } from './events.js';
import { subjectId } from './events.js';
import { isFixed, periodsOf } from './periods.js';

/** A limit that a use is held against, and what counts for it. */
interface Check {
  readonly limit: Limit;
  readonly counter: Counter;
  /** The counters that it is one of. */
  readonly counters: Counters;
}

/** What a call needs: all its checks, and whose counters they are. */
interface Held {
  readonly checks: readonly Check[];
  readonly subjects: readonly Counters[];
}

export interface LocalLimiterOptions {
  readonly load: LoadSpent;
  readonly aggregationOf?: AggregationOf;
  readonly time?: Elapsed;
  /** End customers of an account whose counters are kept at once. */
  readonly maxCustomers?: number;
}

/**
 * The limiter of one process. A counter that is missing is loaded, never taken for zero. Synchronous where
 * the account's counters are in memory.
 */
export class LocalLimiter implements Limiter {
  readonly #counters = new Map<string, Counters>();
  readonly #loading = new Map<string, Promise<void>>();
  /** Those of whom something was noted while there were no counters, and when as time passes. */
  readonly #noted = new Map<string, number>();
  /** By account, the end customers that have counters. */
  readonly #customers = new Map<string, Set<string>>();
  /** Accounts whose end customers, without counters, may have been used lately, and when last. */
  readonly #dropped = new Map<string, number>();
  readonly #maxCustomers: number;
  readonly #load: LoadSpent;
  readonly #aggregationOf: AggregationOf;
  readonly #time: Elapsed;

  constructor({
    load,
    aggregationOf = builtInAggregation,
    time = elapsed,
    maxCustomers = MAX_CUSTOMERS,
  }: LocalLimiterOptions) {
    this.#maxCustomers = maxCustomers;
    this.#load = load;
    this.#aggregationOf = aggregationOf;
    this.#time = time;
  }

  take(asked: Asked): Take | Promise<Take> {
    checkAmounts(asked.amounts);
    const parts = partsOf(asked, asked.amounts);
    const held = this.#held(parts, this.#moment(asked));
    if (held) return this.#takeFrom(held, asked);
    return this.#loaded(parts, asked).then((loaded) => this.#takeFrom(loaded, asked));
  }

  async states(account: Account): Promise<readonly LimitState[]> {
    const held = await this.#loaded(partsOf(account), account);
    const moment = this.#moment(account);
    for (const counters of held.subjects) counters.latest = moment.elapsed;
    return statesOf(held, moment);
  }

  /** Counters end with the process. */
  announce(): () => void {
    return () => undefined;
  }

  note(noted: readonly Noted[]): void {
    for (const one of noted) {
      for (const part of partsOf(one, one.amounts)) {
        const id = subjectId(part.subject);
        // A load that is under way may have read the journal before the record.
        const loading = this.#loading.get(id);
        if (loading) void loading.catch(() => undefined).then(() => this.#noteOne(id, part, one));
        else this.#noteOne(id, part, one);
      }
    }
  }

  #noteOne(id: string, { subject, asked }: Part, noted: Noted): void {
    const { elapsed: now } = this.#moment(noted);
    const counters = this.#counters.get(id);
    if (!counters) {
      if (subject.customerId === undefined) this.#noted.set(id, now);
      else this.#dropped.set(payerOf(subject), now);
      return;
    }
    counters.latest = now;
    const { amounts, counts, anchors, position } = noted;
    for (const [limit, counter] of counters.loaded(asked)) {
      const at = isFixed(limit.window) ? counts[limit.window] : noted.now;
      const moment = { elapsed: now, at, anchors };
      counter.note(limit, amounts[limit.meter] as number, moment, noted.now - noted.at, position);
    }
  }

  forget(subject: Subject): void {
    const id = subjectId(subject);
    const forget = (): void => this.#counters.get(id)?.forget();
    // A load that is under way may have read what they are dropped for.
    const loading = this.#loading.get(id);
    if (loading) void loading.catch(() => undefined).then(forget);
    else forget();
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
      if (open.size === 0 && latest < before) this.#counters.delete(id);
    }
    for (const [account, customers] of this.#customers) {
      for (const id of customers) if (!this.#counters.has(id)) customers.delete(id);
      if (customers.size === 0) this.#customers.delete(account);
    }
    for (const times of [this.#noted, this.#dropped]) {
      for (const [id, at] of times) if (at < before) times.delete(id);
    }
  }

  #moment({ now, anchors }: Account): Moment {
    return { elapsed: this.#time(), at: now, anchors };
  }

  /** Undefined where counters are missing. */
  #held(parts: readonly Part[], moment: Moment): Held | undefined {
    const checks: Check[] = [];
    const subjects: Counters[] = [];
    for (const { subject, limits, asked } of parts) {
      const counters = this.#counters.get(subjectId(subject));
      if (!counters) return undefined;
      for (const limit of asked) {
        const counter = counters.of(limits, limit, moment);
        if (!counter) return undefined;
        checks.push({ limit, counter, counters });
      }
      subjects.push(counters);
    }
    return { checks, subjects };
  }

  async #loaded(parts: readonly Part[], account: Account): Promise<Held> {
    for (;;) {
      const moment = this.#moment(account);
      const held = this.#held(parts, moment);
      if (held) return held;
      const missing = parts.filter((part) => !this.#held([part], moment));
      await Promise.all(missing.map((part) => this.#loadOnce(part, account)));
    }
  }

  #loadOnce(part: Part, account: Account): Promise<void> {
    const id = subjectId(part.subject);
    let loading = this.#loading.get(id);
    if (!loading) {
      loading = this.#loadPart(id, part, account).finally(() => this.#loading.delete(id));
      this.#loading.set(id, loading);
    }
    return loading;
  }

  async #loadPart(id: string, { subject, limits }: Part, account: Account): Promise<void> {
    const moment = this.#moment(account);
    const { now, anchors } = account;
    const spent = await this.#load({
      subject,
      now,
      periods: periodsOfLimits(limits, now, anchors),
      fresh: this.#counters.has(id) || this.#noted.has(id) || this.#dropped.has(payerOf(subject)),
      longest: longestOf(limits),
    });
    let counters = this.#counters.get(id);
    if (!counters) this.#counters.set(id, (counters = new Counters(moment.elapsed)));
    counters.load(limits, spent, moment, this.#aggregationOf);
    this.#noted.delete(id);
    if (subject.customerId !== undefined) this.#keepCustomers(id, payerOf(subject), moment.elapsed);
  }

  /** Drops the counters of the end customer who was idle longest, where there are too many. */
  #keepCustomers(id: string, account: string, now: number): void {
    const customers = this.#customers.get(account) ?? new Set();
    this.#customers.set(account, customers.add(id));
    if (customers.size <= this.#maxCustomers) return;
    let oldest: string | undefined;
    let since = Infinity;
    for (const other of customers) {
      const counters = this.#counters.get(other);
      if (!counters) customers.delete(other);
      else if (other !== id && counters.open.size === 0 && counters.latest < since) {
        [oldest, since] = [other, counters.latest];
      }
    }
    if (oldest === undefined || customers.size <= this.#maxCustomers) return;
    customers.delete(oldest);
    this.#counters.delete(oldest);
    this.#dropped.set(account, now);
  }

  #takeFrom(held: Held, asked: Asked): Take {
    const moment = this.#moment(asked);
    const { at } = moment;
    const { amounts } = asked;
    const { checks, subjects } = held;
    for (const counters of subjects) counters.latest = moment.elapsed;
    let refusing: Check | undefined;
    let never = false;
    let wait = 0;
    for (const check of checks) {
      const { limit, counter } = check;
      const amount = amounts[limit.meter] as number;
      if (amount === 0 || limit.mode === 'soft') continue;
      if (amount > limit.amount) {
        never = true;
        refusing = check;
        break;
      }
      const ms = counter.waitFor(limit, amount, moment);
      if (ms <= wait) continue;
      wait = ms;
      refusing = check;
    }
    if (refusing) {
      const limit = refusing.counter.state(refusing.limit, moment);
      const [kind, retryAfterMs] = never ? (['never', 0] as const) : (['refused', wait] as const);
      return { kind, at, limit, retryAfterMs, states: statesOf(held, moment) };
    }

    for (const { limit, counter } of checks) counter.spend(amounts[limit.meter] as number, moment);
    const take: OpenTake = { amounts, moment, recordedAt: undefined };
    for (const counters of subjects) counters.open.set(take, 'taken');
    const states = statesOf(held, moment);
    let open = true;
    const end = (back: MeterAmounts | undefined, position?: Position): void => {
      if (!open) return;
      open = false;
      const now = subjects[0]?.latest ?? moment.elapsed;
      for (const { limit, counter, counters } of checks) {
        const taken = amounts[limit.meter] as number;
        let amount = back?.[limit.meter] ?? 0;
        const holding = counters.open.get(take);
        if (holding !== 'taken' && position !== undefined && counter.hasLoaded(position, moment)) {
          // What was loaded meanwhile has what it came to.
          amount = holding === 'again' ? taken : 0;
        }
        if (amount > 0) counter.giveBack(limit, amount, taken, moment, now);
      }
      for (const counters of subjects) counters.open.delete(take);
    };
    return {
      kind: 'taken',
      at,
      periods: periodsOf(at, moment.anchors),
      states,
      settle: (actual, position) => {
        const back = difference(amounts, actual);
        end(back, position);
        return back ? givenBack(states, back, this.#aggregationOf) : states;
      },
      undo: () => end(amounts),
      reserved: (position) => {
        take.recordedAt = position;
      },
    };
  }
}

/** Names the account of an end customer. */
const payerOf = ({ accountId, environment }: Subject): string => compositeKey(accountId, environment);

const statesOf = ({ checks }: Held, moment: Moment): LimitState[] =>
  checks.map(({ limit, counter }) => counter.state(limit, moment));
