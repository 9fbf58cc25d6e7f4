import type { Clock, Elapsed } from '../clock.js';
import { elapsed } from '../clock.js';
import { mayBePoison } from '../following/poison.js';
import { Wake } from '../wake.js';
import type { Delivery, Outbox } from './outbox.js';
import { DELIVERED, EXHAUSTED } from './outbox.js';
import { Places } from './places.js';

/** Looked at together. */
const PAGE = 200;
/** After an error of ours, e.g. of the database; for one delivery twice as long each time. */
const RETRY_MS = 5_000;
/** At most, where something is away, and where it may never succeed. */
const OUTAGE_RETRY_MS_MAX = 60_000;
const RETRY_MS_MAX = 3_600_000;
/** From one look at what waits for a clock that was ahead to the next. */
const RECALL_MS = 60_000;
/** Longest rest: what ended long ago is forgotten then. */
const REST_MS = 3_600_000;

/** How long the list tells of a delivery that has ended. */
export const KEPT_MS = 30 * 24 * 3_600_000;

/** What one attempt came to. */
export type Carried =
  | { readonly kind: 'delivered'; readonly status?: number }
  /** It failed; with an outcome it is pointless to try again. */
  | {
      readonly kind: 'failed';
      readonly failure: string;
      readonly status?: number;
      readonly outcome?: string;
    }
  /** There was no attempt: it had ended before, or has become pointless. */
  | { readonly kind: 'ended'; readonly outcome: string }
  /** There was none either: it is looked at again after so many milliseconds, whatever the clock says meanwhile. */
  | { readonly kind: 'later'; readonly afterMs: number };

/** Carries deliveries of one kind. */
export interface Carrier {
  /** The longest time from one attempt to the next, in milliseconds, and an hour at least. */
  readonly longestWaitMs: number;
  /** Milliseconds from a failed attempt to the next; undefined: there is none. @param attempts made so far */
  retryMs(delivery: Delivery, attempts: number): number | undefined;
  /**
   * Tries once.
   * @throws what is no fault of the receiver, as where it is stopped: it does not count as an attempt
   */
  carry(delivery: Delivery, stop: AbortSignal): Promise<Carried>;
  /** Makes an event of how it ended; again it changes nothing. */
  end(delivery: Delivery, outcome: string, attempts: number): Promise<void>;
}

export interface OutgoingWorkerOptions {
  readonly outbox: Outbox;
  /** By kind. */
  readonly carriers: ReadonlyMap<string, Carrier>;
  readonly clock: Clock;
  readonly elapsed?: Elapsed;
  readonly onError: (error: unknown) => void;
  /** Told of each that has ended: DELIVERED, or why it was given up. */
  readonly onEnded?: (delivery: Delivery, outcome: string) => void;
}

/**
 * Sends what was asked for, in any order and at least once: a crash between a delivery and its record delivers
 * again, under the same id. Many at once, few of one lane and of one owner, so that a slow receiver holds up nobody
 * else.
 */
export class OutgoingWorker {
  readonly #running = new Set<Promise<void>>();
  readonly #places = new Places();
  /** Those that are left alone for a while: until when, as time passes. */
  readonly #later = new Map<string, number>();
  /** How often each has failed in a row by no fault of its receiver. */
  readonly #failures = new Map<string, number>();
  /** When to look at what waits for a clock that was ahead, as time passes. */
  #recallAt = -Infinity;
  readonly #wake = new Wake();
  readonly #elapsed: Elapsed;
  #stop: AbortSignal = new AbortController().signal;

  constructor(private readonly options: OutgoingWorkerOptions) {
    this.#elapsed = options.elapsed ?? elapsed;
  }

  /** There may be something to do. */
  wake(): void {
    this.#wake.call();
  }

  /** Works until it is told to stop; what is under way then is broken off, and attempted again later. */
  async run(until: AbortSignal): Promise<void> {
    this.#stop = until;
    const { outbox, clock, onError } = this.options;
    const stop = outbox.onAsked(() => this.wake());
    while (!until.aborted) {
      this.#wake.looks();
      let restMs = REST_MS;
      try {
        await this.#begin();
        const now = new Date(clock());
        await outbox.forget(new Date(now.getTime() - KEPT_MS), PAGE);
        const next = await outbox.nextDue(now);
        if (next) restMs = Math.min(restMs, Math.max(0, next.getTime() - clock()));
        for (const at of [this.#recallAt, ...this.#later.values()]) {
          restMs = Math.min(restMs, Math.max(0, at - this.#elapsed()));
        }
      } catch (error) {
        onError(error);
        restMs = RETRY_MS;
      }
      await this.#wake.rest(until, restMs);
    }
    stop();
    await this.#ended();
  }

  /** Does all that is due now, and what becomes due by that. For tests, and whoever has no loop. */
  async drain(): Promise<void> {
    while ((await this.#begin()) > 0 || this.#running.size > 0) await this.#ended();
  }

  async #ended(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** Begins as many of those that are due as may run. @returns how many */
  async #begin(): Promise<number> {
    const { outbox, clock } = this.options;
    await this.#recall();
    for (let begun = 0; ;) {
      for (const [id, at] of this.#later) if (at <= this.#elapsed()) this.#later.delete(id);
      const due = await outbox.due(new Date(clock()), PAGE, this.#places.taken, [...this.#later.keys()]);
      const before = begun;
      for (const delivery of due) {
        if (!this.#places.has(delivery)) continue;
        this.#start(delivery);
        begun++;
      }
      const started = begun - before;
      // Behind those that found no place there may be some of other lanes.
      if (started === 0 || (started === due.length && due.length < PAGE)) return begun;
    }
  }

  async #recall(): Promise<void> {
    const { outbox, carriers, clock, onError } = this.options;
    if (this.#elapsed() < this.#recallAt) return;
    this.#recallAt = this.#elapsed() + RECALL_MS;
    const longest = [...carriers].map(([kind, { longestWaitMs: ms }]) => ({ kind, ms }));
    // It holds up nothing that is due.
    await outbox.recall(longest, new Date(clock())).catch(onError);
  }

  #start(delivery: Delivery): void {
    this.#places.take(delivery);
    const done = this.#deliver(delivery)
      .then(() => void this.#failures.delete(delivery.id))
      .catch((error: unknown) => this.#postpone(delivery, error))
      .finally(() => {
        this.#running.delete(done);
        this.#places.leave(delivery);
        this.wake();
      });
    this.#running.add(done);
  }

  async #deliver(delivery: Delivery): Promise<void> {
    const { outbox, carriers, clock } = this.options;
    const carrier = carriers.get(delivery.kind);
    if (!carrier) throw new Error(`nobody carries deliveries of the kind ${delivery.kind}`);
    const at = new Date(clock());
    const started = this.#elapsed();
    const carried = await carrier.carry(delivery, this.#stop);
    const durationMs = this.#elapsed() - started;
    if (carried.kind === 'later') {
      this.#later.set(delivery.id, this.#elapsed() + carried.afterMs);
      return;
    }
    const { onEnded } = this.options;
    if (carried.kind === 'ended') {
      await carrier.end(delivery, carried.outcome, delivery.attempts);
      await outbox.goOn(delivery, { outcome: carried.outcome, endedAt: at });
      onEnded?.(delivery, carried.outcome);
      return;
    }
    this.#places.took(delivery, durationMs);
    const attempts = delivery.attempts + 1;
    const { status = null } = carried;
    const failure = carried.kind === 'failed' ? carried.failure : null;
    const attempt = { at, durationMs, status, failure };
    const given = carried.kind === 'delivered' ? DELIVERED : carried.outcome;
    const retryMs = given === undefined ? carrier.retryMs(delivery, attempts) : undefined;
    if (retryMs !== undefined) {
      return outbox.attempted(delivery, attempt, { dueAt: new Date(at.getTime() + retryMs) });
    }
    const outcome = given ?? EXHAUSTED;
    await carrier.end(delivery, outcome, attempts);
    await outbox.attempted(delivery, attempt, { outcome, endedAt: at });
    onEnded?.(delivery, outcome);
  }

  /** No fault of whoever receives it. */
  async #postpone(delivery: Delivery, error: unknown): Promise<void> {
    const { outbox, clock, onError } = this.options;
    if (!this.#stop.aborted) onError(error);
    const failures = this.#failures.get(delivery.id) ?? 0;
    this.#failures.set(delivery.id, failures + 1);
    const longest = mayBePoison(error) ? RETRY_MS_MAX : OUTAGE_RETRY_MS_MAX;
    const waitMs = Math.min(RETRY_MS * 2 ** failures, longest);
    try {
      await outbox.goOn(delivery, { dueAt: new Date(clock() + waitMs) });
    } catch (notStored) {
      onError(notStored);
      // The list says still that it is due.
      this.#later.set(delivery.id, this.#elapsed() + waitMs);
    }
  }
}
