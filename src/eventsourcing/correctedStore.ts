import type { NewEvent, Position } from './event.js';
import { as, START, StoredEvent } from './event.js';
import type { EventCorrected } from './events.js';
import { CORRECTIONS_STREAM } from './events.js';
import type { AppendPriority, AppendResult, EventStore } from './eventStore.js';

const PAGE = 500;

/** What a corrected event says. */
interface CorrectedContent {
  readonly data: string;
  readonly schemaVersion: number;
  readonly reason: string | null;
}

interface Correction extends CorrectedContent {
  /** Of the correction, in the one stream of all: unlike positions, they are exact wherever it was read. */
  readonly revision: number;
}

/**
 * Any event store, whose events are read as they were corrected: by read models, policies, deciders and
 * whatever follows in memory, on every adapter. A correction of another process is known as soon as it is
 * read in its place in the global order.
 */
export class CorrectedStore implements EventStore {
  readonly #corrections = new Map<string, Correction>();
  /** How many are known without a gap, from the first one on. */
  #known = 0;
  #newest: Position = START;

  private constructor(private readonly store: EventStore) {}

  /** @throws StoreUnavailable */
  static async open(store: EventStore): Promise<CorrectedStore> {
    const corrected = new CorrectedStore(store);
    // Events of a stream may bear the head's position. It is asked for first: what is appended meanwhile is
    // met in its place later on.
    const head = await store.head();
    for (let from = 0; ; from += PAGE) {
      const page = await store.readStream(CORRECTIONS_STREAM, { from, limit: PAGE });
      corrected.#learn(page);
      const last = page.at(-1);
      if (last) corrected.#newest = Math.min(last.position, head);
      if (page.length < PAGE) return corrected;
    }
  }

  /**
   * A position up to which this process knows all corrections: that of the newest one that it has met in its
   * place, or the head as it was at the start where the store does not tell their places.
   */
  newestCorrection(): Position {
    return this.#newest;
  }

  append(
    stream: string,
    expected: number,
    events: readonly NewEvent[],
    priority?: AppendPriority,
  ): Promise<AppendResult> {
    return this.store.append(stream, expected, events, priority);
  }

  async readStream(stream: string, options?: { from?: number; limit?: number }): Promise<StoredEvent[]> {
    return this.#corrected(await this.store.readStream(stream, options));
  }

  async readLast(stream: string): Promise<StoredEvent | undefined> {
    const last = await this.store.readLast(stream);
    return last && this.#corrected([last])[0];
  }

  async readAll(after: Position, limit: number, maxBytes: number): Promise<StoredEvent[]> {
    return this.#inPlace(await this.store.readAll(after, limit, maxBytes));
  }

  async readTypes(
    types: ReadonlySet<string>,
    after: Position,
    upTo: Position,
    limit: number,
    maxBytes: number,
  ): Promise<StoredEvent[]> {
    return this.#inPlace(await this.store.readTypes(types, after, upTo, limit, maxBytes));
  }

  async readAllBackwards(before: Position, limit: number): Promise<StoredEvent[]> {
    return this.#inPlace(await this.store.readAllBackwards(before, limit));
  }

  head(): Promise<Position> {
    return this.store.head();
  }

  countAfter(after: Position, limit: number): Promise<number> {
    return this.store.countAfter(after, limit);
  }

  onWake(listener: () => void): () => void {
    return this.store.onWake(listener);
  }

  close(): Promise<void> {
    return this.store.close();
  }

  /** Events that bear their own positions. */
  #inPlace(events: StoredEvent[]): StoredEvent[] {
    const corrected = this.#corrected(events);
    for (const event of events) {
      if (isCorrection(event) && event.revision < this.#known) {
        this.#newest = Math.max(this.#newest, event.position);
      }
    }
    return corrected;
  }

  #corrected(events: StoredEvent[]): StoredEvent[] {
    this.#learn(events);
    if (this.#corrections.size === 0) return events;
    return events.map((event) => {
      const correction = this.#corrections.get(event.id);
      return correction ? correctedEvent(event, correction) : event;
    });
  }

  #learn(events: readonly StoredEvent[]): void {
    const corrections = events.filter(isCorrection).sort((a, b) => a.revision - b.revision);
    for (const stored of corrections) {
      const { revision } = stored;
      if (revision === this.#known) this.#known++;
      const { event, data, schemaVersion, reason } = as<EventCorrected>(stored).data;
      if ((this.#corrections.get(event)?.revision ?? -1) >= revision) continue;
      this.#corrections.set(event, { revision, data: JSON.stringify(data), schemaVersion, reason });
    }
  }
}

function isCorrection({ type, stream }: StoredEvent): boolean {
  return type === 'EventCorrected' && stream === CORRECTIONS_STREAM;
}

/** An event as everybody reads it once it is corrected. */
export function correctedEvent(
  { position, stream, revision, id, type, metadata }: StoredEvent,
  { data, schemaVersion, reason }: CorrectedContent,
): StoredEvent {
  const { reason: _stored, ...rest } = metadata;
  const said = { ...rest, schemaVersion, ...(reason !== null && { reason }) };
  return new StoredEvent(position, stream, revision, id, type, data, JSON.stringify(said));
}
