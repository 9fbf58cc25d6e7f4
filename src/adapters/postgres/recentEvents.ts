import type { Position, StoredEvent } from '../../eventsourcing/event.js';

/** Characters of data that are kept: more than all followers are behind each other at the head. */
const MAX_CHARS = 2_000_000;

/**
 * The newest events of this process, for followers that would read back from the database what has just
 * been sent there. Positions have no gaps, so that a run of them without one is all that there is.
 */
export class RecentEvents {
  #events: StoredEvent[] = [];
  #chars = 0;

  /** Adds what a commit has stored, in order. What another process has stored meanwhile ends the run. */
  add(events: readonly StoredEvent[]): void {
    const [first] = events;
    const last = this.#events.at(-1);
    if (first && last && first.position !== last.position + 1) {
      this.#events = [];
      this.#chars = 0;
    }
    for (const event of events) {
      this.#events.push(event);
      this.#chars += event.dataText.length;
    }
    let over = 0;
    while (this.#chars > MAX_CHARS) this.#chars -= (this.#events[over++] as StoredEvent).dataText.length;
    if (over > 0) this.#events.splice(0, over);
  }

  /**
   * The events behind `after`, at most so many.
   * @param maxChars of data before the last event
   * @returns undefined where the database has to be asked
   */
  after(after: Position, limit: number, maxChars: number): StoredEvent[] | undefined {
    const [first] = this.#events;
    const last = this.#events.at(-1);
    if (!first || !last || after < first.position - 1 || after >= last.position) return undefined;
    const begin = after + 1 - first.position;
    let end = begin;
    for (let chars = 0; end < this.#events.length && end - begin < limit && chars < maxChars; end++) {
      chars += (this.#events[end] as StoredEvent).dataText.length;
    }
    return this.#events.slice(begin, end);
  }
}
