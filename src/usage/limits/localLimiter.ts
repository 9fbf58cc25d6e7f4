import type { Elapsed } from '../../clock.js';
import { elapsed } from '../../clock.js';
import type { AggregationOf } from '../../plans/meters.js';
import { builtInAggregation } from '../../plans/meters.js';
import type { Limit } from '../../plans/profile.js';
import type { Position } from '../../eventsourcing/event.js';
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
import { compositeKey } from '../../eventsourcing/compositeKey.js';
import {
  MAX_CUSTOMERS,
  checkAmounts,
  difference,
  givenBack,
  longestOf,
  partsOf,
  periodsOfLimits,
} from './limiter.js';
import type { Subject } from '../events.js';
import { subjectId } from '../events.js';
import { isFixed, periodsOf } from './periods.js';

/** Counters of end customers that one load looks at, at most, to drop those that are too many. */
const LOOKS = 8;

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
  /** By account, the counters of end customers: whose were asked for longest ago come first. */
  readonly #customers = new Map<string, Set<Counters>>();
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
    for (const counters of held.subjects) counters.touch(moment.elapsed);
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
    counters.touch(now);
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
    for (const counters of this.#counters.values()) {
      const { latest, open } = counters;
      if (open.size === 0 && latest < before) this.#drop(counters);
    }
    for (const [account, customers] of this.#customers) {
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
    if (!counters) this.#counters.set(id, (counters = new Counters(id, moment.elapsed)));
    counters.load(limits, spent, moment, this.#aggregationOf);
    this.#noted.delete(id);
    if (subject.customerId !== undefined) this.#keepCustomer(counters, payerOf(subject), moment.elapsed);
  }

  /** Where there are too many, drops the counters of end customers who were idle longest. */
  #keepCustomer(counters: Counters, account: string, now: number): void {
    const customers = this.#customers.get(account) ?? new Set();
    this.#customers.set(account, customers);
    counters.join(customers);
    // Those with takes that are open stay for now; however many there are, a load looks at few.
    let looks = LOOKS;
    for (const oldest of customers) {
      if (customers.size <= this.#maxCustomers || looks-- === 0 || oldest === counters) return;
      if (oldest.open.size > 0) oldest.join(customers);
      else {
        this.#drop(oldest);
        this.#dropped.set(account, now);
      }
    }
  }

  #drop(counters: Counters): void {
    counters.leave();
    this.#counters.delete(counters.id);
  }

  #takeFrom(held: Held, asked: Asked): Take {
    const moment = this.#moment(asked);
    const { at } = moment;
    const { amounts } = asked;
    const { checks, subjects } = held;
    for (const counters of subjects) counters.touch(moment.elapsed);
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
