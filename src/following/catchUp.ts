import { Outage } from '../outage.js';
import type { StoredEvent } from '../eventsourcing/event.js';

/** A read that takes longer than this (ms) is discarded: its result may be outdated. */
const READ_MS = 500;
/**
 * A discarded read is followed by another one, so often: a store that pauses for a second, as EventStoreDB does at
 * times, makes calls late and not vain.
 */
const ATTEMPTS = 3;
/** Streams that are read at once; calls for more are refused, and find the store less busy later. */
const MAX_READS = 256;

export interface StreamCatchUpOptions {
  /** Reads a whole stream; of streams that grow by human actions (decision 4). */
  readonly load: (stream: string) => Promise<readonly StoredEvent[]>;
  /** Takes events in memory that it may have already, or will get again. */
  readonly apply: (events: readonly StoredEvent[]) => void;
  /** Milliseconds that never go backwards. */
  readonly clock: () => number;
  readonly timeoutMs?: number;
}

/** Brings what is in memory up to date for single streams, past the follower that does it for all. */
export class StreamCatchUp {
  /** Reads that others may share: what the last attempt says is no older than the time-out. */
  readonly #shared = new Map<string, Promise<void>>();
  #reads = 0;

  constructor(private readonly options: StreamCatchUpOptions) {}

  /** @throws Outage when the store does not tell, or not in time */
  async of(streams: readonly string[]): Promise<void> {
    await Promise.all(streams.map((stream) => this.#shared.get(stream) ?? this.#begin(stream)));
  }

  #begin(stream: string): Promise<void> {
    const reading = this.#read(stream).finally(() => this.#shared.delete(stream));
    this.#shared.set(stream, reading);
    return reading;
  }

  async #read(stream: string): Promise<void> {
    for (let attempt = 1; !(await this.#bounded(stream)); attempt++) {
      if (attempt === ATTEMPTS) throw new Outage(`${stream} could not be read in time`);
    }
  }

  /** @returns whether the answer came in time */
  async #bounded(stream: string): Promise<boolean> {
    const { load, apply, clock, timeoutMs = READ_MS } = this.options;
    if (this.#reads === MAX_READS) throw new Outage('too many streams are read at once');
    const began = clock();
    this.#reads++;
    // One that is given up goes on until the store itself gives it up, and counts for so long.
    const loaded = load(stream).finally(() => this.#reads--);
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), timeoutMs);
    });
    try {
      const events = await Promise.race([loaded, timeout]);
      // A process that stood still meanwhile may hear of the answer first, and of the time-out afterwards.
      if (events === undefined || clock() - began > timeoutMs) return false;
      apply(events);
      return true;
    } finally {
      clearTimeout(timer);
    }
  }
}
