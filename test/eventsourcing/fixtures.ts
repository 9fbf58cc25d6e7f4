import { randomUUID } from 'node:crypto';
import type { NewEvent, Position, StoredEvent } from '../../src/eventsourcing/event.js';
import type { AppendPriority, AppendResult, EventStore } from '../../src/eventsourcing/eventStore.js';
import type { Sql } from '../../src/sql/sql.js';

/** A new event that no other is like; `over` sets what a test is about. */
export function newEvent(over: Partial<NewEvent> = {}): NewEvent {
  const id = randomUUID();
  const metadata = {
    schemaVersion: 1,
    at: '2026-11-22T12:00:00.000Z',
    environment: 'live',
    correlationId: id,
  };
  return { id, type: 'Noted', data: '{}', metadata: JSON.stringify(metadata), ...over };
}

/** The name of a stream that no other test uses. */
export const newStream = (): string => `test-${randomUUID()}`;

export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: Error): void;
}

export function deferred<T = void>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((res, rej) => {
    resolve = res;
    reject = rej;
  });
  return { promise, resolve, reject };
}

/** A real event store of which single calls can be intercepted. */
export class InterceptedStore implements EventStore {
  /** Stands between the caller and an append. */
  onAppend = (append: () => Promise<AppendResult>, _events: readonly NewEvent[]): Promise<AppendResult> =>
    append();
  /** Stands between the caller and a page of all events. */
  onReadAll = (
    read: (limit: number) => Promise<StoredEvent[]>,
    _after: Position,
    limit: number,
  ): Promise<StoredEvent[]> => read(limit);

  /** Stands between the caller and the head. */
  onHead = (head: () => Promise<Position>): Promise<Position> => head();

  constructor(private readonly store: EventStore) {}

  append(
    stream: string,
    expected: number,
    events: readonly NewEvent[],
    priority?: AppendPriority,
  ): Promise<AppendResult> {
    return this.onAppend(() => this.store.append(stream, expected, events, priority), events);
  }
  readAll(after: Position, limit: number, maxBytes: number): Promise<StoredEvent[]> {
    return this.onReadAll((most) => this.store.readAll(after, most, maxBytes), after, limit);
  }
  readTypes(
    types: ReadonlySet<string>,
    after: Position,
    upTo: Position,
    limit: number,
    maxBytes: number,
  ): Promise<StoredEvent[]> {
    return this.onReadAll((most) => this.store.readTypes(types, after, upTo, most, maxBytes), after, limit);
  }
  readStream(stream: string, options?: { from?: number; limit?: number }): Promise<StoredEvent[]> {
    return this.store.readStream(stream, options);
  }
  readLast(stream: string): Promise<StoredEvent | undefined> {
    return this.store.readLast(stream);
  }
  readAllBackwards(before: Position, limit: number): Promise<StoredEvent[]> {
    return this.store.readAllBackwards(before, limit);
  }
  head(): Promise<Position> {
    return this.onHead(() => this.store.head());
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
}

/** A real database of which transactions can be intercepted. */
export function interceptTransactions(
  sql: Sql,
  intercept: (
    run: () => ReturnType<Sql['transaction']>,
    statements: Parameters<Sql['transaction']>[0],
  ) => ReturnType<Sql['transaction']>,
): Sql {
  return {
    query: (text, params, priority) => sql.query(text, params, priority),
    transaction: (statements, priority) => intercept(() => sql.transaction(statements, priority), statements),
    script: (text) => sql.script(text),
    close: () => sql.close(),
  };
}
