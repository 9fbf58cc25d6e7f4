import type { NewEvent, Position } from './event.js';
import { as, START, StoredEvent } from './event.js';
import type { EventCorrected } from './events.js';
import { CORRECTIONS_STREAM } from './events.js';
import type { AppendPriority, AppendResult, EventStore } from './eventStore.js';

const PAGE = 500;

/** What a corrected event says now. */
interface Correction {
  /** Of the correction. */
  readonly position: Position;
  readonly data: string;
  readonly schemaVersion: number;
  readonly reason: string | null;
}

/**
 * Any event store, whose events are read as they were corrected: by read models, policies, deciders and
 * whatever follows in memory, on every adapter. A correction of another process is known as soon as it is
 * read in its place in the global order.
 */
export class CorrectedStore implements EventStore {
  readonly #corrections = new Map<string, Correction>();
  #newest: Position = START;

  private constructor(private readonly store: EventStore) {}

  /** @throws StoreUnavailable */
  static async open(store: EventStore): Promise<CorrectedStore> {
    const corrected = new CorrectedStore(store);
    for (let from = 0; ; from += PAGE) {
      const page = await store.readStream(CORRECTIONS_STREAM, { from, limit: PAGE });
      corrected.#learn(page);
      if (page.length < PAGE) return corrected;
    }
  }

  /** Of the newest correction that this process knows. */
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
    return this.#corrected(await this.store.readAll(after, limit, maxBytes));
  }

  async readTypes(
    types: ReadonlySet<string>,
    after: Position,
    upTo: Position,
    limit: number,
    maxBytes: number,
  ): Promise<StoredEvent[]> {
    return this.#corrected(await this.store.readTypes(types, after, upTo, limit, maxBytes));
  }

  async readAllBackwards(before: Position, limit: number): Promise<StoredEvent[]> {
    return this.#corrected(await this.store.readAllBackwards(before, limit));
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

  #corrected(events: StoredEvent[]): StoredEvent[] {
    this.#learn(events);
    if (this.#corrections.size === 0) return events;
    return events.map((event) => {
      const correction = this.#corrections.get(event.id);
      return correction ? correctedEvent(event, correction) : event;
    });
  }

  #learn(events: readonly StoredEvent[]): void {
    for (const stored of events) {
      if (stored.type !== 'EventCorrected' || stored.stream !== CORRECTIONS_STREAM) continue;
      const { event, data, schemaVersion, reason } = as<EventCorrected>(stored).data;
      const { position } = stored;
      if ((this.#corrections.get(event)?.position ?? START) >= position) continue;
      this.#corrections.set(event, { position, data: JSON.stringify(data), schemaVersion, reason });
      this.#newest = Math.max(this.#newest, position);
    }
  }
}

function correctedEvent(
  { position, stream, revision, id, type, metadata }: StoredEvent,
  { data, schemaVersion, reason }: Correction,
): StoredEvent {
  const { reason: _stored, ...rest } = metadata;
  const said = { ...rest, schemaVersion, ...(reason !== null && { reason }) };
  return new StoredEvent(position, stream, revision, id, type, data, JSON.stringify(said));
}
