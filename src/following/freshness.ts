import type { Position } from '../eventsourcing/event.js';

/** What is in memory counts as recent for so long after it was proven to be (decision 17), in milliseconds. */
export const STALE_MS = 750;
/** From one proof to the next, in milliseconds: two may fail before anybody notices. */
const PROVE_MS = 250;

/** How old what a process has in memory may be. */
export interface Recency {
  /** Milliseconds since the newest proof that it was up to date; Infinity before the first. */
  readonly ageMs: number;
  /** Whether that is too long. */
  readonly stale: boolean;
}

/** For a process that has its event store for itself: nothing happens that it does not know. */
export const ALWAYS_FRESH: Recency = { ageMs: 0, stale: false };

export interface FreshnessOptions {
  /** The newest event of the store, not older than what any process had been told is stored. */
  readonly head: () => Promise<Position>;
  /** Waits until what is in memory has come to a position; false when that took longer than `timeoutMs`. */
  readonly reached: (position: Position, timeoutMs: number) => Promise<boolean>;
  /** Milliseconds that never go backwards, also when the system's clock does. */
  readonly clock: () => number;
}

/**
 * Proves that what is in memory is recent, without a word from other processes: the head of the store is
 * read, and whoever has seen that head had everything that was stored when the reading began. An event
 * that told the same would stay in the store for ever.
 */
export class Freshness implements Recency {
  #provenAt = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #proving: Promise<boolean> | undefined;

  constructor(private readonly options: FreshnessOptions) {}

  get ageMs(): number {
    return this.options.clock() - this.#provenAt;
  }

  /** Asked at every call. */
  get stale(): boolean {
    return this.options.clock() - this.#provenAt > STALE_MS;
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.prove(), PROVE_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#proving;
  }

  /** One proof at a time. @returns false when there was none: the age goes on growing, and tells */
  prove(): Promise<boolean> {
    return (this.#proving ??= this.#prove().finally(() => (this.#proving = undefined)));
  }

  async #prove(): Promise<boolean> {
    const { clock, head, reached } = this.options;
    const at = clock();
    try {
      // What is proven later than that would be stale already.
      if (!(await reached(await head(), STALE_MS))) return false;
    } catch {
      return false;
    }
    this.#provenAt = at;
    return true;
  }
}
