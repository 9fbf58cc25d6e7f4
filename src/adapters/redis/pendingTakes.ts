import type { Logger } from '../../logger.js';
import { LimitsUnavailable } from '../../usage/limits/limiter.js';

/** What is pending in Redis until this process says what became of it (limits.lua). */
export interface Pending<Whose> {
  /** Whose: those of one account and key share it. */
  readonly whose: Whose;
  /** As the script has it. */
  readonly member: string;
  /** When it was made, as time passes. */
  readonly madeAt: number;
  /** When it was made or renewed last. */
  heldAt: number;
}

interface Kept<Whose> {
  readonly pending: Pending<Whose>;
  /** Told where Redis has it no more, with the places of the parts that have lost it. */
  readonly onMissing: (places: readonly number[]) => Promise<void>;
}

export interface PendingTakesOptions<Whose> {
  /** Sends members of one account and key; answers with the places of members and parts that are gone, in turn. */
  readonly send: (
    operation: 'keep' | 'renew',
    whose: Whose,
    members: readonly string[],
  ) => Promise<readonly number[]>;
  /** Names those whose members can be sent together. */
  readonly nameOf: (whose: Whose) => string;
  readonly elapsed: () => number;
  /** From a record to its word to Redis, in milliseconds: what is kept meanwhile goes in one script. */
  readonly keepDelayMs: number;
  readonly log: Logger;
}

/** Well below the minute after which what nobody renews has no owner. */
const RENEW_MS = 20_000;
/** Nothing takes as long: nobody knows what became of it. It lapses, and what it was taken from is loaded again. */
const MAX_HELD_MS = 15 * 60_000;
const MAX_SENT = 500;

/**
 * The takes of this process that Redis holds for it. What cannot be told stays pending, and is dropped with its
 * counters: they are loaded from the journal, which has it.
 */
export class PendingTakes<Whose> {
  readonly #held = new Set<Pending<Whose>>();
  #kept: Kept<Whose>[] = [];
  #keeping: NodeJS.Timeout | undefined;
  readonly #renewing: NodeJS.Timeout;
  readonly #running = new Set<Promise<unknown>>();

  constructor(private readonly options: PendingTakesOptions<Whose>) {
    this.#renewing = setInterval(() => this.renew(), RENEW_MS).unref();
  }

  add(whose: Whose, member: string): Pending<Whose> {
    const now = this.options.elapsed();
    const pending = { whose, member, madeAt: now, heldAt: now };
    this.#held.add(pending);
    return pending;
  }

  /** It was given back, or will be. */
  delete(pending: Pending<Whose>): void {
    this.#held.delete(pending);
  }

  /** Its use is stored, or what was announced is noted. No answer waits for it. */
  keep(pending: Pending<Whose>, onMissing: Kept<Whose>['onMissing']): void {
    this.#held.delete(pending);
    this.#kept.push({ pending, onMissing });
    const { keepDelayMs } = this.options;
    if (keepDelayMs === 0) this.#flush();
    else this.#keeping ??= setTimeout(() => this.#flush(), keepDelayMs).unref();
  }

  /** Lets something run that no answer waits for; `close` waits for it. */
  run(task: Promise<unknown>): void {
    const running = task
      .catch((error: unknown) => {
        if (!(error instanceof LimitsUnavailable)) this.options.log.error('a take cannot be ended', error);
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Those that are open for long are still this process' own. */
  renew(): void {
    const now = this.options.elapsed();
    for (const pending of this.#held) if (now - pending.madeAt > MAX_HELD_MS) this.#held.delete(pending);
    const old = [...this.#held].filter(({ heldAt }) => now - heldAt >= RENEW_MS);
    for (const some of this.#together(old, (pending) => pending)) {
      const [first] = some;
      if (!first) continue;
      for (const pending of some) pending.heldAt = now;
      const members = some.map(({ member }) => member);
      this.run(this.options.send('renew', first.whose, members));
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#renewing);
    this.#flush();
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #flush(): void {
    clearTimeout(this.#keeping);
    this.#keeping = undefined;
    const kept = this.#kept;
    this.#kept = [];
    for (const some of this.#together(kept, ({ pending }) => pending)) this.run(this.#keep(some));
  }

  async #keep(kept: readonly Kept<Whose>[]): Promise<void> {
    const [first] = kept;
    if (!first) return;
    const members = kept.map(({ pending }) => pending.member);
    const gone = await this.options.send('keep', first.pending.whose, members);
    const places = new Map<number, number[]>();
    for (let i = 0; i + 1 < gone.length; i += 2) {
      const [member, part] = [gone[i] as number, gone[i + 1] as number];
      places.set(member, [...(places.get(member) ?? []), part]);
    }
    await Promise.all([...places].map(async ([member, parts]) => kept[member - 1]?.onMissing(parts)));
  }

  /** Those of one account and key together, not too many at once. */
  #together<T>(all: readonly T[], pendingOf: (one: T) => Pending<Whose>): T[][] {
    const groups = new Map<string, T[][]>();
    for (const one of all) {
      const name = this.options.nameOf(pendingOf(one).whose);
      const lists = groups.get(name) ?? [];
      const last = lists.at(-1);
      if (last && last.length < MAX_SENT) last.push(one);
      else groups.set(name, [...lists, [one]]);
    }
    return [...groups.values()].flat();
  }
}
