import type { NewEvent, Position, StoredEvent } from '../eventsourcing/event.js';
import type { AppendPriority, AppendResult, EventStore } from '../eventsourcing/eventStore.js';
import type { Tracing } from './tracing.js';

/** An event store whose appends and reads of streams show in the traces that they belong to. */
export class TracedStore implements EventStore {
  /** @param system as semantic conventions name the database */
  constructor(
    private readonly store: EventStore,
    private readonly tracing: Tracing,
    private readonly system: string,
  ) {}

  append(
    stream: string,
    expected: number,
    events: readonly NewEvent[],
    priority?: AppendPriority,
  ): Promise<AppendResult> {
    const append = (): Promise<AppendResult> => this.store.append(stream, expected, events, priority);
    return this.#traced('append', stream, { 'db.operation.batch.size': events.length }, append);
  }

  readStream(stream: string, options?: { from?: number; limit?: number }): Promise<StoredEvent[]> {
    return this.#traced('read', stream, {}, () => this.store.readStream(stream, options));
  }

  readLast(stream: string): Promise<StoredEvent | undefined> {
    return this.#traced('read', stream, {}, () => this.store.readLast(stream));
  }

  readAll(after: Position, limit: number, maxBytes: number): Promise<StoredEvent[]> {
    return this.store.readAll(after, limit, maxBytes);
  }

  readTypes(
    types: ReadonlySet<string>,
    after: Position,
    upTo: Position,
    limit: number,
    maxBytes: number,
  ): Promise<StoredEvent[]> {
    return this.store.readTypes(types, after, upTo, limit, maxBytes);
  }

  readAllBackwards(before: Position, limit: number): Promise<StoredEvent[]> {
    return this.store.readAllBackwards(before, limit);
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

  #traced<R>(
    operation: string,
    stream: string,
    attributes: Readonly<Record<string, number>>,
    work: () => Promise<R>,
  ): Promise<R> {
    if (this.tracing.active() === undefined) return work();
    // The category alone: a stream's id may be the hash of an e-mail.
    const category = stream.slice(0, stream.indexOf('-'));
    return this.tracing.run(
      {
        name: `${operation} ${category}`,
        kind: 'client',
        attributes: {
          'db.system.name': this.system,
          'db.operation.name': operation,
          'db.collection.name': category,
          ...attributes,
        },
      },
      work,
    );
  }
}
