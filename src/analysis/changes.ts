import type { StoredEvent } from '../eventsourcing/event.js';
import { analysisStream } from './events.js';

/** From one look at an analysis to the next where nothing is heard of it, in milliseconds. */
const LOOK_MS = 1_000;
/** Of an analysis that is new to somebody: the part that is done. */
const STEP = 0.02;

/** Tells whoever waits that an analysis has moved, and how far those are that this process works on. */
export class AnalysisChanges {
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #progress = new Map<string, number>();

  constructor(private readonly lookMs = LOOK_MS) {}

  /** Takes what commands of this process have stored. */
  apply(events: readonly StoredEvent[]): void {
    for (const { stream } of events) this.#wake(stream);
  }

  /** @param part that is done, 0 to 1; undefined once nobody works on it any more */
  progressed(id: string, part: number | undefined): void {
    if (part === undefined) {
      this.#progress.delete(id);
      return;
    }
    if (part - (this.#progress.get(id) ?? -1) < STEP) return;
    this.#progress.set(id, part);
    this.#wake(analysisStream(id));
  }

  /** Undefined where this process does not work on it. */
  progressOf(id: string): number | undefined {
    return this.#progress.get(id);
  }

  /**
   * The id at once, and then whenever the analysis has moved; where nothing is heard, for another process may work
   * on it, once a second.
   */
  watch(id: string): AsyncIterableIterator<string> {
    const stream = analysisStream(id);
    const end = new AbortController();
    let moved = true;
    let wake = (): void => undefined;
    const move = (): void => {
      moved = true;
      wake();
    };
    const others = this.#waiting.get(stream) ?? new Set();
    this.#waiting.set(stream, others.add(move));
    const { lookMs } = this;
    const iterator: AsyncIterableIterator<string> = {
      next: async () => {
        if (!moved && !end.signal.aborted) {
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, lookMs);
            wake = () => {
              clearTimeout(timer);
              resolve();
            };
          });
        }
        moved = false;
        return end.signal.aborted ? { done: true, value: undefined } : { done: false, value: id };
      },
      return: async () => {
        end.abort();
        wake();
        others.delete(move);
        if (others.size === 0) this.#waiting.delete(stream);
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  #wake(stream: string): void {
    for (const move of this.#waiting.get(stream) ?? []) move();
  }
}
