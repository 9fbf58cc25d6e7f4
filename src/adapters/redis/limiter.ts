import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Elapsed } from '../../clock.js';
import { elapsed } from '../../clock.js';
import { compositeKey } from '../../eventsourcing/compositeKey.js';
import type { Logger } from '../../logger.js';
import type { Limit } from '../../plans/profile.js';
import { SLIDING_MS } from '../../plans/profile.js';
import type {
  Account,
  Asked,
  Limiter,
  LimitState,
  LoadSpent,
  Part,
  Spent,
  Take,
  Taken,
} from '../../usage/limiter.js';
import type { Subject } from '../../usage/events.js';
import { subjectId } from '../../usage/events.js';
import {
  ageOf,
  checkCost,
  givenBack,
  LimitsUnavailable,
  longestOf,
  owedAfter,
  partsOf,
} from '../../usage/limiter.js';
import { isFixed, periodsAt } from '../../usage/periods.js';
import type { Reply } from './connection.js';
import { RedisScript } from './connection.js';

const SCRIPT = readFileSync(new URL('./limits.lua', import.meta.url), 'utf8');

/** Counters that nobody asks for go, and are loaded again: two of the longest windows. */
const KEEP_MS = 2 * SLIDING_MS.hour;

/**
 * The server's clock was set if it differs from the time that passes here by more than that: what it has let
 * expire may then have been used since. Far less than the time for which counters are kept.
 */
const SET_MS = 5 * 60_000;

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
  /** What the clock above is held against, to tell whether it was set. */
  readonly elapsed?: Elapsed;
  /** Told whenever counters were missing. */
  readonly onLoad?: () => void;
}

/**
 * The limiter that several nodes share: one script on one Redis decides for all of them. Names of keys
 * carry the run id of the server, so that a restart or failover, whose counters may be older, finds none
 * and loads them (decision 15).
 */
export class RedisLimiter implements Limiter {
  readonly #script: RedisScript;
  readonly #loading = new Map<string, Promise<void>>();
  readonly #givingBack = new Set<Promise<unknown>>();
  /** Of the server's clock, ahead of this one's: to name the right periods at the first try. */
  #skew = 0;
  /** Of the server's clock, ahead of the time that passes here. */
  #ahead: number | undefined;
  #wasSet = false;

  private constructor(private readonly options: RedisLimiterOptions) {
    this.#script = new RedisScript(options.url, SCRIPT, options.log);
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
    const cost = checkCost(asked.cost);
    const parts = partsOf(asked, asked.cost);
    const reply = await this.#ask('take', parts, asked.now, cost);
    const { kind, at, takenAt, refusing, wait, loads, states } = reply;
    if (kind !== 'taken') {
      const limit = states[refusing - 1];
      if (!limit) throw new Error(`the script refused by limit ${refusing} of ${states.length}`);
      return { kind, at, limit, retryAfterMs: kind === 'never' ? 0 : wait, states };
    }
    const { day, month } = periodsAt(at);
    let open = true;
    const back = (points: number, undo: boolean): void => {
      if (!open) return;
      open = false;
      if (points === 0 && !undo) return;
      const args = [
        ...loads,
        takenAt,
        String(cost),
        String(points),
        day.name,
        month.name,
        undo ? 'undo' : 'settle',
      ];
      // No answer waits for it. What gets lost stays spent: it gives nothing away.
      const given = this.#run('back', parts, asked.now, args)
        .catch((error: unknown) => {
          if (!(error instanceof LimitsUnavailable))
            this.options.log.error('points were not given back', error);
        })
        .finally(() => this.#givingBack.delete(given));
      this.#givingBack.add(given);
    };
    const taken: Taken = {
      kind,
      at,
      periods: [day.name, month.name],
      states,
      settle: (actualCost) => {
        const points = Math.max(0, cost - actualCost);
        back(points, false);
        return givenBack(states, points, at);
      },
      undo: () => back(cost, true),
    };
    return taken;
  }

  async states(account: Account): Promise<readonly LimitState[]> {
    return (await this.#ask('look', partsOf(account, 0), account.now, 0)).states;
  }

  /** The counters are loaded anew at the next call: calls have passed that they do not know of. */
  async forget(subject: Subject): Promise<void> {
    await this.#run('forget', [{ subject, limits: [] }], 0, []);
  }

  /** What is being given back arrives, if Redis is there. */
  async close(): Promise<void> {
    await Promise.all(this.#givingBack);
    await this.#script.close();
  }

  async #ask(
    operation: 'take' | 'look',
    parts: readonly Part[],
    at: number,
    cost: number,
  ): Promise<Decision> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const { day, month } = periodsAt(at + this.#skew);
      const periods = [day, month].flatMap(({ name, begin, end }) => [name, String(begin), String(end)]);
      const reply = await this.#run(operation, parts, at, [String(cost), ...periods]);
      const [kind, now] = [reply[0], Number(reply[1])];
      this.#hold(now);
      if (kind === 'period') this.#skew = now - at;
      else if (kind === 'load') await this.#loaded(parts, Number(reply[3]), now, reply[2] === 'all', at);
      else return decision(reply, parts);
    }
    throw new Error(`the counters of ${parts.map(({ subject }) => subjectId(subject)).join()} do not stay`);
  }

  /** Holds the server's clock against the time that has passed since the answer before. */
  #hold(now: number): void {
    const ahead = now - (this.options.elapsed ?? elapsed)();
    if (Math.abs(ahead - (this.#ahead ?? ahead)) > SET_MS) this.#wasSet = true;
    this.#ahead = ahead;
  }

  /**
   * Loads once for all that wait.
   * @param place of the part, from 1 on
   * @param now by the clock that the limits go by
   * @param all whether there was nothing of the subject
   * @param asked the time that the caller gave
   */
  #loaded(parts: readonly Part[], place: number, now: number, all: boolean, asked: number): Promise<void> {
    const part = partAt(parts, place);
    const id = subjectId(part.subject);
    let loading = this.#loading.get(id);
    if (!loading) {
      loading = this.#load(parts, place, part, now, all, asked).finally(() => this.#loading.delete(id));
      this.#loading.set(id, loading);
    }
    return loading;
  }

  async #load(
    parts: readonly Part[],
    place: number,
    part: Part,
    now: number,
    all: boolean,
    asked: number,
  ): Promise<void> {
    this.options.onLoad?.();
    const fresh = !(all && (await this.#lostNothing(asked)));
    const spent = await this.options.load(part.subject, now, fresh, longestOf(part.limits));
    const { day, month } = periodsAt(now);
    const amounts = [day, month].flatMap(({ name }) => [
      name,
      ...['requests', 'cost'].map((meter) => String(spent.periods.of(meter, name))),
    ]);
    const windows = part.limits.flatMap((limit) => windowOf(limit, spent));
    const args = [String(place), randomUUID(), ...amounts, ...windows];
    // The account comes along for its time; of the others nothing is loaded.
    const others = parts.map((other) => (other === part ? part : { ...other, limits: [] }));
    await this.#run('load', others, asked, args);
  }

  /**
   * Whether the server has kept everything for as long as counters are kept: what is missing then has not
   * been used for as long, and the journal's tail need not be read for everyone who comes back.
   */
  async #lostNothing(now: number): Promise<boolean> {
    const { prefix } = this.options;
    const args = ['began', this.#time(now), String(KEEP_MS), '0', this.#wasSet ? 'anew' : ''];
    const [, sinceMs] = await this.#script.run((runId) => [`${prefix}:${runId}:began`], args);
    this.#wasSet = false;
    return Number(sinceMs) > KEEP_MS;
  }

  #time(now: number): string {
    return this.options.time === 'given' ? String(now) : '';
  }

  #run(operation: string, parts: readonly Part[], now: number, args: readonly string[]): Promise<Reply> {
    const { prefix } = this.options;
    // One hash slot for all keys of an account.
    const keys = (runId: string): string[] =>
      parts.flatMap(({ subject: { accountId, environment, keyId } }) =>
        ['counters', 'minute', 'hour'].map((name) => {
          const account = `${prefix}:${runId}:{${compositeKey(accountId, environment)}}`;
          return `${account}:${compositeKey(keyId, name)}`;
        }),
      );
    const described = parts.flatMap(({ limits }, part) =>
      limits.flatMap(({ meter, window, amount }) => [String(part + 1), meter, window, String(amount)]),
    );
    return this.#script.run(keys, [
      operation,
      this.#time(now),
      String(KEEP_MS),
      String(described.length / 4),
      ...described,
      ...args,
    ]);
  }
}

function partAt(parts: readonly Part[], place: number): Part {
  const part = parts[place - 1];
  if (!part) throw new Error(`the script asks for part ${place} of ${parts.length}`);
  return part;
}

interface Decision {
  readonly kind: Take['kind'];
  readonly at: number;
  /** The limit's place, from 1 on. */
  readonly refusing: number;
  /** Milliseconds. */
  readonly wait: number;
  /** By the time that windows go by. */
  readonly takenAt: string;
  /** Which load each part's counters come from. */
  readonly loads: readonly string[];
  readonly states: readonly LimitState[];
}

function decision(reply: Reply, parts: readonly Part[]): Decision {
  const [kind, at, refusing, wait, takenAt, ...rest] = reply;
  const loads = rest.slice(0, parts.length).map(String);
  const standing = rest.slice(parts.length);
  const states = parts
    .flatMap(({ limits }) => limits)
    .map((limit, i) => {
      const used = Number(standing[2 * i]);
      const remaining = Math.max(0, limit.amount - used);
      const resetAt = Number(at) + Number(standing[2 * i + 1]);
      return { limit, used, remaining, resetAt, at: Number(at) };
    });
  return {
    kind: kind as Take['kind'],
    at: Number(at),
    refusing: Number(refusing),
    wait: Number(wait),
    takenAt: String(takenAt),
    loads,
    states,
  };
}

/** What a limit's window holds, as the script takes it: how many numbers, and the numbers, times as ages. */
function windowOf({ meter, window, amount }: Limit, spent: Spent): string[] {
  if (isFixed(window)) return ['0'];
  const windowMs = SLIDING_MS[window];
  if (meter === 'cost') return ['1', String(owedAfter(spent, windowMs, amount) * windowMs)];
  const ages = spent.recent.map(({ at }) => ageOf(at, spent)).filter((age) => age < windowMs);
  return [String(ages.length), ...ages.map(String)];
}
