import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Elapsed } from '../../clock.js';
import { elapsed } from '../../clock.js';
import { compositeKey } from '../../eventsourcing/compositeKey.js';
import type { Position } from '../../eventsourcing/event.js';
import type { Logger } from '../../logger.js';
import type { AggregationOf } from '../../plans/meters.js';
import { builtInAggregation } from '../../plans/meters.js';
import type { Limit } from '../../plans/profile.js';
import { SLIDING_MS } from '../../plans/profile.js';
import type {
  Account,
  MeterAmounts,
  Asked,
  Limiter,
  LimitState,
  LoadSpent,
  Noted,
  Part,
  Spent,
  Take,
} from '../../usage/limits/limiter.js';
import type { Subject } from '../../usage/events.js';
import { subjectId } from '../../usage/events.js';
import {
  MAX_CUSTOMERS,
  ageOf,
  agesIn,
  checkAmounts,
  difference,
  givenBack,
  kindOf,
  longestOf,
  owedAfter,
  partsOf,
  periodsOfLimits,
} from '../../usage/limits/limiter.js';
import type { Anchors, Period } from '../../usage/limits/periods.js';
import { isFixed, periodAt, periodsOf } from '../../usage/limits/periods.js';
import type { Reply } from './connection.js';
import { RedisScript } from './connection.js';
import { PendingTakes } from './pendingTakes.js';

const SCRIPT = readFileSync(new URL('./limits.lua', import.meta.url), 'utf8');

/** Counters that nobody asks for go, and are loaded again: two of the longest windows. */
const KEEP_MS = 2 * SLIDING_MS.hour;

/**
 * The server's clock was set if it differs from the time that passes here by more than that: what it has let
 * expire may then have been used since. Far less than the time for which counters are kept.
 */
const SET_MS = 5 * 60_000;

const KEEP_DELAY_MS = 20;

/** Loads and period boundaries that one take may meet. */
const MAX_TRIES = 10;

export interface RedisLimiterOptions {
  readonly url: string;
  /** Begins the names of all keys: one for each installation. */
  readonly prefix: string;
  readonly load: LoadSpent;
  readonly log: Logger;
  /** Whose time counts: the server's, which all nodes share, or the one that a take comes with. */
  readonly time?: 'server' | 'given';
  /** What a limit counts like; by default only what every profile has is known. */
  readonly aggregationOf?: AggregationOf;
  /** What the clock above is held against, to tell whether it was set. */
  readonly elapsed?: Elapsed;
  /** How long Redis may wait to be told of what is stored, in milliseconds; 0 tells at once. */
  readonly keepDelayMs?: number;
  /** End customers of an account whose counters are kept at once. */
  readonly maxCustomers?: number;
  /** Told whenever counters were missing. */
  readonly onLoad?: () => void;
  /** Told whenever counters were dropped with takes whose process had ended before it told what became of them. */
  readonly onOwnerless?: () => void;
}

/** Whose takes: the account and key that asked. */
interface Whose {
  readonly parts: readonly Part[];
  readonly account: Timed;
}

/**
 * The limiter that several nodes share: one script on one Redis decides for all of them. Names of keys
 * carry the run id of the server, so that a restart or failover, whose counters may be older, finds none
 * and loads them (decision 15).
 */
export class RedisLimiter implements Limiter {
  readonly #script: RedisScript;
  readonly #loading = new Map<string, Promise<void>>();
  readonly #pending: PendingTakes<Whose>;
  /** Of the server's clock, ahead of this one's: to name the right periods at the first try. */
  #skew = 0;
  /** The time that a call came with last. */
  #given = 0;
  /** Of the server's clock, ahead of the time that passes here. */
  #ahead: number | undefined;
  #wasSet = false;

  readonly #aggregationOf: AggregationOf;

  private constructor(private readonly options: RedisLimiterOptions) {
    this.#aggregationOf = options.aggregationOf ?? builtInAggregation;
    this.#script = new RedisScript(options.url, SCRIPT, options.log);
    this.#pending = new PendingTakes({
      send: async (operation, { parts, account }, members) => {
        const args = [String(members.length), ...members];
        const [, ...gone] = await this.#run(
          operation,
          withoutLimits(parts),
          this.#later(account),
          {},
          0,
          args,
        );
        return gone.map(Number);
      },
      nameOf: ({ parts }) => compositeKey(...parts.map(({ subject }) => subjectId(subject))),
      elapsed: options.elapsed ?? elapsed,
      keepDelayMs: options.keepDelayMs ?? KEEP_DELAY_MS,
      log: options.log,
    });
  }

  /** Resolves once the first try to connect is over: an outage at the start is one like any other. */
  static async open(options: RedisLimiterOptions): Promise<RedisLimiter> {
    const limiter = new RedisLimiter(options);
    await limiter.#script.tried;
    return limiter;
  }

  get up(): boolean {
    return this.#script.up;
  }

  async take(asked: Asked): Promise<Take> {
    const { amounts, useId, anchors } = asked;
    checkAmounts(amounts);
    const parts = partsOf(asked, amounts);
    const decided = await this.#ask('take', parts, asked, amounts, useId);
    const { kind, at, takenAt, refusing, wait, states, entry } = decided;
    if (kind !== 'taken') {
      const limit = states[refusing - 1];
      if (!limit) throw new Error(`the script refused by limit ${refusing} of ${states.length}`);
      return { kind, at, limit, retryAfterMs: kind === 'never' ? 0 : wait, states };
    }
    const whose: Whose = { parts, account: asked };
    const member = `${takenAt}|${entry}`;
    const pending = this.#pending.add(whose, member);
    let open = true;
    /** @param stored where its use is stored: what it came to, and where */
    const end = (back: MeterAmounts | undefined, stored?: Stored): void => {
      if (!open) return;
      open = false;
      // It was dropped with its counters: those that were loaded before its record have to have it.
      const onMissing = async (places: readonly number[]): Promise<void> => {
        if (stored) await this.#noteMissing(whose, places, useId, at, stored);
      };
      if (!back) {
        this.#pending.keep(pending, onMissing);
        return;
      }
      this.#pending.delete(pending);
      const taken = parts.flatMap((part) => part.asked.map(({ meter }) => String(amounts[meter] ?? 0)));
      const left = textOf(amounts, back);
      const leftEntry = left && `${takenAt}|${left}${entry.slice(entry.indexOf('|'))}`;
      const args = [member, leftEntry, takenAt, ...taken];
      // No answer waits for it. What gets lost stays pending, and is dropped with its counters.
      const given = this.#run('back', parts, asked, back, at, args);
      this.#pending.run(
        given.then(async ([, ...places]) => {
          if (places.length > 0) await onMissing(places.map(Number));
        }),
      );
    };
    return {
      kind,
      at,
      periods: periodsOf(at, anchors),
      states,
      settle: (actual, position) => {
        const back = difference(amounts, actual);
        end(back, { amounts: back ? without(amounts, back) : amounts, position });
        return back ? givenBack(states, back, this.#aggregationOf) : states;
      },
      undo: () => end(amounts),
      // Its entry says nothing of a reservation: where nodes share the counters, that is settled when it is stored.
      reserved: () => undefined,
    };
  }

  async states(account: Account): Promise<readonly LimitState[]> {
    return (await this.#ask('look', partsOf(account), account, {}, '')).states;
  }

  async note(noted: readonly Noted[]): Promise<void> {
    await Promise.all(
      noted.map((one) => {
        const age = String(Math.max(0, one.now - one.at));
        const parts = partsOf(one, one.amounts);
        return this.#run('note', parts, one, one.amounts, one.counts, [
          one.record,
          String(one.position),
          age,
        ]);
      }),
    );
  }

  async announce(accounts: readonly Account[]): Promise<() => void> {
    const announced = await Promise.all(
      accounts.map(async (account) => {
        const parts = partsOf(account);
        if (parts.every(({ limits }) => limits.length === 0)) return [];
        const whose: Whose = { parts: withoutLimits(parts), account };
        const member = `note|${randomUUID()}`;
        await this.#run('announce', whose.parts, account, {}, 0, [member]);
        return [this.#pending.add(whose, member)];
      }),
    );
    return () => {
      for (const pending of announced.flat()) this.#pending.keep(pending, async () => undefined);
    };
  }

  /** Counts a use that is stored, for the parts that had dropped its take. */
  async #noteMissing(
    { parts, account }: Whose,
    places: readonly number[],
    useId: string,
    at: number,
    { amounts, position }: Stored,
  ): Promise<void> {
    const some = parts.map((part, i) => (places.includes(i + 1) ? part : { ...part, asked: [] }));
    // In windows it counts as of now, which gives nothing away.
    const args = [compositeKey('take', useId, ...places), String(position), '0'];
    await this.#run('note', some, this.#later(account), amounts, at, args);
  }

  /** The same, as of the time that was given last, where times are given. */
  #later(account: Timed): Timed {
    return { ...account, now: this.#given };
  }

  /** The counters are loaded anew at the next call: calls have passed that they do not know of. */
  async forget(subject: Subject): Promise<void> {
    await this.#run('forget', [{ subject, limits: [], asked: [] }], { now: 0 }, {}, 0, []);
  }

  /** What is being given back arrives, if Redis is there. */
  async close(): Promise<void> {
    await this.#pending.close();
    await this.#script.close();
  }

  async #ask(
    operation: 'take' | 'look',
    parts: readonly Part[],
    account: Timed,
    amounts: MeterAmounts,
    useId: string,
  ): Promise<Decision> {
    this.#given = account.now;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const at = account.now + this.#skew;
      const entry = `${textOf(amounts)}|${periodsOf(at, account.anchors).join()}|${useId}`;
      const [from, to] = holdFor(at, account.anchors);
      const names = parts.map(({ limits }) => namesOf(limits));
      const args = [digits(from), digits(to), ...names, entry];
      const reply = await this.#run(operation, parts, account, amounts, at, args);
      const [kind, now] = [reply[0], Number(reply[1])];
      this.#hold(now);
      if (kind === 'period') this.#skew = now - account.now;
      else if (kind === 'load') {
        if (reply[2] === 'ownerless') this.options.onOwnerless?.();
        await this.#loaded(parts, wantedOf(reply), account);
      } else return { ...decision(reply, parts, now, account.anchors), entry };
    }
    throw new Error(`the counters of ${parts.map(({ subject }) => subjectId(subject)).join()} do not stay`);
  }

  /** Holds the server's clock against the time that has passed since the answer before. */
  #hold(now: number): void {
    const ahead = now - (this.options.elapsed ?? elapsed)();
    if (Math.abs(ahead - (this.#ahead ?? ahead)) > SET_MS) this.#wasSet = true;
    this.#ahead = ahead;
  }

  /** Loads once for all that wait. */
  #loaded(parts: readonly Part[], wanted: WantedPart, account: Timed): Promise<void> {
    const { place } = wanted;
    const part = parts[place - 1];
    if (!part) throw new Error(`the script asks for part ${place} of ${parts.length}`);
    const id = subjectId(part.subject);
    let loading = this.#loading.get(id);
    if (!loading) {
      loading = this.#load(parts, part, wanted, account).finally(() => this.#loading.delete(id));
      this.#loading.set(id, loading);
    }
    return loading;
  }

  async #load(
    parts: readonly Part[],
    part: Part,
    { place, now, all, forgotten }: WantedPart,
    account: Timed,
  ): Promise<void> {
    this.options.onLoad?.();
    const { subject, limits } = part;
    const { anchors } = account;
    const spent = await this.options.load({
      subject,
      now,
      periods: periodsOfLimits(limits, now, anchors),
      fresh: !(all && (await this.#lostNothing(account.now))),
      longest: longestOf(limits),
    });
    const recorded = spent.recent.filter(({ at }) => ageOf(at, spent) < RECORDED_MS).map(({ id }) => id);
    const args = [
      String(place),
      forgotten,
      namesOf(limits),
      String(spent.most),
      String(spent.upTo),
      String(recorded.length),
      ...recorded,
      ...limits.flatMap((limit) => this.#loadedOf(limit, spent, now, anchors)),
    ];
    // The account comes along for its time; of the others nothing is loaded. Where the counters were dropped
    // meanwhile nothing is, and whoever asked is told to load again.
    const others = parts.map((other) => ({ ...other, asked: other === part ? limits : [] }));
    await this.#run('load', others, account, {}, now, args);
  }

  /** What the counter of a limit holds, as the script takes it: how many numbers, and the numbers. */
  #loadedOf(limit: Limit, spent: Spent, now: number, anchors: Anchors | undefined): string[] {
    const { meter, window, amount } = limit;
    if (isFixed(window)) {
      const sum = spent.periods.exactly(meter, periodAt(window, now, anchors).id);
      return ['1', String(sum < MAX_SUM ? sum : MAX_SUM)];
    }
    const windowMs = SLIDING_MS[window];
    if (kindOf(limit, this.#aggregationOf) === 'bucket') {
      return ['1', String(owedAfter(spent, meter, windowMs, amount) * windowMs)];
    }
    const ages = agesIn(spent, meter, windowMs, amount);
    return [String(ages.length), ...ages.map(String)];
  }

  /**
   * Whether the server has kept everything for as long as counters are kept: what is missing then has not
   * been used for as long, and the journal's tail need not be read for everyone who comes back.
   */
  async #lostNothing(now: number): Promise<boolean> {
    const { prefix } = this.options;
    const args = ['began', this.#time(now), String(KEEP_MS), '0', '0', this.#wasSet ? 'anew' : ''];
    const [, sinceMs] = await this.#script.run((runId) => [`${prefix}:${runId}:began`], args);
    this.#wasSet = false;
    return Number(sinceMs) > KEEP_MS;
  }

  #time(now: number): string {
    return this.options.time === 'given' ? String(now) : '';
  }

  #run(
    operation: string,
    parts: readonly Part[],
    { now, anchors }: Timed,
    amounts: MeterAmounts,
    /** When the periods are those that are meant: one time for all, or for each window its own. */
    times: number | Noted['counts'],
    args: readonly string[],
  ): Promise<Reply> {
    const { prefix } = this.options;
    const lists: { readonly part: Part; readonly name: string }[] = [];
    const described = parts.flatMap((part, place) =>
      part.asked.flatMap((limit) => {
        const { meter, window, amount, mode = 'hard' } = limit;
        const kind = kindOf(limit, this.#aggregationOf);
        const head = [String(place + 1), kind, nameOf(limit), String(amount), String(amounts[meter] ?? 0)];
        if (isFixed(window)) {
          const at = typeof times === 'number' ? times : times[window];
          const { id, end } = periodAt(window, at, anchors);
          return [...head, digits(end), id, mode];
        }
        if (kind === 'window') lists.push({ part, name: nameOf(limit) });
        return [...head, String(SLIDING_MS[window]), String(2 * parts.length + lists.length), mode];
      }),
    );
    // One hash slot for all keys of an account.
    const keys = (runId: string): string[] => {
      const of = ({ subject }: Part, what: string): string => {
        const { accountId, environment, keyId, customerId } = subject;
        const account = `${prefix}:${runId}:{${compositeKey(accountId, environment)}}`;
        const whose = customerId === undefined ? [keyId] : [keyId, customerId];
        return `${account}:${compositeKey(...whose, what)}`;
      };
      return [
        ...parts.flatMap((part) => [of(part, 'counters'), of(part, 'takes')]),
        ...lists.map(({ part, name }) => of(part, name)),
      ];
    };
    const limits = String(described.length / 8);
    return this.#script.run(keys, [
      operation,
      this.#time(now),
      String(KEEP_MS),
      String(parts.length),
      limits,
      String(1 + parts.findIndex(({ subject }) => subject.customerId !== undefined)),
      String(this.options.maxCustomers ?? MAX_CUSTOMERS),
      ...described,
      ...args,
    ]);
  }
}

/** A use that is stored: what it came to, and the position of its batch. */
interface Stored {
  readonly amounts: MeterAmounts;
  readonly position: Position;
}

const withoutLimits = (parts: readonly Part[]): readonly Part[] =>
  parts.map((part) => (part.asked.length === 0 ? part : { ...part, asked: [] }));

const without = (amounts: MeterAmounts, back: MeterAmounts): MeterAmounts =>
  Object.fromEntries(Object.entries(amounts).map(([meter, amount]) => [meter, amount - (back[meter] ?? 0)]));

/** What stays of amounts without what is given back; empty where nothing does. */
const textOf = (amounts: MeterAmounts, back: MeterAmounts = {}): string =>
  Object.entries(amounts)
    .map(([meter, amount]) => [meter, amount - (back[meter] ?? 0)] as const)
    .flatMap(([meter, left]) => (left > 0 ? `${meter}=${left}` : []))
    .join();

/** What of an account says which periods are meant. */
type Timed = Pick<Account, 'now' | 'anchors'>;

/** Takes lapse after a minute: a use that was recorded before that is in none that is open. */
const RECORDED_MS = 2 * SLIDING_MS.minute;

/** What Redis counts is of 64 bits; where a sum stands at that it is not added to (limits.lua). */
const MAX_SUM = 2n ** 63n - 1n;

/** Times are whole numbers for Lua; the whole life ends with the last of them. */
const digits = (time: number): string =>
  String(Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, time)));

/** Neither part can hold the character (METER_ID). */
const nameOf = ({ meter, window }: Limit): string => `${meter}|${window}`;

/** Limits that stay the same are the same list. */
const known = new WeakMap<readonly Limit[], string>();

function namesOf(limits: readonly Limit[]): string {
  let names = known.get(limits);
  if (names === undefined) known.set(limits, (names = limits.map(nameOf).sort().join()));
  return names;
}

/** For how long all periods hold that a use stands in at that time: at most a day of UTC. */
function holdFor(at: number, anchors: Anchors | undefined): readonly [from: number, to: number] {
  const day = periodAt('day', at);
  let [from, to] = [day.begin, day.end];
  const narrow = ({ begin, end }: Period): void => {
    from = Math.max(from, begin);
    to = Math.min(to, end);
  };
  // Months of the calendar begin with a day.
  if (anchors?.month != null) narrow(periodAt('month', at, anchors));
  if (anchors?.billing != null) narrow(periodAt('billing-period', at, anchors));
  return [from, to];
}

/** What the script misses. */
interface WantedPart {
  /** Of the part, from 1 on. */
  readonly place: number;
  /** By the clock that the limits go by. */
  readonly now: number;
  /** Whether there was nothing of the subject. */
  readonly all: boolean;
  /** When its counters were dropped: a load that is begun before they are dropped again comes to nothing. */
  readonly forgotten: string;
}

const wantedOf = ([, now, what, place, forgotten]: Reply): WantedPart => ({
  place: Number(place),
  now: Number(now),
  all: what === 'all',
  forgotten: String(forgotten ?? ''),
});

interface Decision {
  readonly kind: Take['kind'];
  readonly at: number;
  /** The limit's place, from 1 on. */
  readonly refusing: number;
  /** Milliseconds. */
  readonly wait: number;
  /** By the time that windows go by. */
  readonly takenAt: string;
  readonly states: readonly LimitState[];
  /** What stands for the take while it is open. */
  readonly entry: string;
}

function decision(
  reply: Reply,
  parts: readonly Part[],
  at: number,
  anchors: Anchors | undefined,
): Omit<Decision, 'entry'> {
  const [kind, , refusing, wait, takenAt, ...standing] = reply;
  const states = parts
    .flatMap(({ asked }) => asked)
    .map((limit, i): LimitState => {
      const { window, amount } = limit;
      const used = Number(standing[2 * i]);
      const remaining = Math.max(0, amount - used);
      if (!isFixed(window)) {
        const windowMs = SLIDING_MS[window];
        return { limit, used, remaining, resetAt: at + Number(standing[2 * i + 1]), at, windowMs };
      }
      const { begin, end } = periodAt(window, at, anchors);
      const usedExactly = used > Number.MAX_SAFE_INTEGER && BigInt(standing[2 * i] as string);
      const state = { limit, used, remaining, resetAt: end, at, windowMs: end - begin };
      return usedExactly === false ? state : { ...state, usedExactly };
    });
  const refusedBy = states[Number(refusing) - 1];
  // Nothing comes after the whole life.
  const forGood = refusedBy?.resetAt === Infinity;
  return {
    kind: kind as Take['kind'],
    at,
    refusing: Number(refusing),
    wait: forGood ? Infinity : Number(wait),
    takenAt: String(takenAt),
    states,
  };
}
