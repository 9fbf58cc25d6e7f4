import type { NewEvent, Position, StoredEvent } from './event.js';
import { Outage } from '../outage.js';
import { isReadable, isStorable } from './json.js';

/** The expected revision of a stream that must not exist yet. */
export const NO_STREAM = -1;

export interface AppendResult {
  /** Position of the last event of this append. */
  readonly position: Position;
  /** Revision of the last event of this append. */
  readonly revision: number;
  /**
   * Whether these events had been stored before, perhaps by another sender with other metadata.
   * Undefined where the store can't tell.
   */
  readonly repeated?: boolean;
}

/** Journal appends go first; all others queue behind them. */
export type AppendPriority = 'journal' | 'command';

/**
 * The port every event store adapter implements; test/eventsourcing/eventStore.contract.ts is its
 * specification.
 */
export interface EventStore {
  /**
   * Appends all events or none. The same event ids at the same expected revision succeed again and
   * return the first result. An append has no "any revision": repeating that could store twice.
   * @throws ConcurrencyConflict when the stream is at another revision
   * @throws EventIdReused when an id is known with another content or in another place
   * @throws EventTooLarge above MAX_APPEND_BYTES
   * @throws TypeError for what a reader would not get back: NUL and halves of surrogate pairs, escaped or not;
   *   nothing is stored of it
   * @throws StoreUnavailable when the outcome is unknown: try again with the same ids
   */
  append(
    stream: string,
    expectedRevision: number,
    events: readonly NewEvent[],
    priority?: AppendPriority,
  ): Promise<AppendResult>;

  /**
   * Events of one stream in order, from `from` (inclusive), at most `limit`. A store that does not know where they
   * stand in the global order gives them the head's position: whoever has seen events up to there has seen these.
   */
  readStream(stream: string, options?: { from?: number; limit?: number }): Promise<StoredEvent[]>;

  /** The last event of a stream, if there is one. */
  readLast(stream: string): Promise<StoredEvent | undefined>;

  /**
   * Events of all streams in global order, after `after` (exclusive). A page ends early at about `maxBytes`, and
   * may end earlier; only at the head it is empty.
   */
  readAll(after: Position, limit: number, maxBytes: number): Promise<StoredEvent[]>;

  /** Like `readAll`, but only events of some types, up to `upTo` (inclusive); empty where there are no more. */
  readTypes(
    types: ReadonlySet<string>,
    after: Position,
    upTo: Position,
    limit: number,
    maxBytes: number,
  ): Promise<StoredEvent[]>;

  /** The newest events before `before` (exclusive), newest first. */
  readAllBackwards(before: Position, limit: number): Promise<StoredEvent[]>;

  /**
   * The position of the newest event, START when there is none. Like `readStream` and `readLast` it knows
   * whatever any process had been told is stored before it was asked (law 8 stands on it).
   */
  head(): Promise<Position>;

  /** How many events come after `after`, counted up to `limit`: positions need not be dense. */
  countAfter(after: Position, limit: number): Promise<number>;

  /** Where it knows of corrections (correctedStore.ts): the position of the newest one. */
  newestCorrection?(): Position;

  /** Calls back when there may be new events. A missed call costs a poll interval, no more. */
  onWake(listener: () => void): () => void;

  close(): Promise<void>;
}

/** Largest append in bytes of data and metadata (EventStoreDB's default of 1 MiB, less its framing). */
export const MAX_APPEND_BYTES = 1_000_000;

export class ConcurrencyConflict extends Error {
  constructor(
    readonly stream: string,
    readonly expectedRevision: number,
    readonly actualRevision: number,
  ) {
    super(`stream ${stream} is at revision ${actualRevision}, expected ${expectedRevision}`);
    this.name = 'ConcurrencyConflict';
  }
}

export class EventIdReused extends Error {
  constructor(readonly stream: string) {
    super(`an event id of this append to ${stream} is already stored with other content or elsewhere`);
    this.name = 'EventIdReused';
  }
}

export class EventTooLarge extends Error {
  constructor(stream: string, bytes: number) {
    super(`an append of ${bytes} bytes to ${stream} is above the limit of ${MAX_APPEND_BYTES} bytes`);
    this.name = 'EventTooLarge';
  }
}

/** The store did not answer, or not in time; an append may or may not be stored. */
export class StoreUnavailable extends Outage {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'StoreUnavailable';
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** What an append counts: its data and metadata. */
export function appendBytes(events: readonly NewEvent[]): number {
  return events.reduce(
    (bytes, { data, metadata }) => bytes + Buffer.byteLength(data) + Buffer.byteLength(metadata),
    0,
  );
}

/**
 * Checks events before they reach an adapter's client: some clients end the process over a bad one.
 * @throws EventTooLarge, TypeError
 */
export function checkAppend(stream: string, events: readonly NewEvent[]): void {
  if (!/^[a-z_]+-.+$/.test(stream)) throw new TypeError(`"${stream}" is not named category-id`);
  if (events.length === 0) throw new TypeError(`an append to ${stream} needs at least one event`);
  if (new Set(events.map(({ id }) => id)).size < events.length) {
    throw new TypeError(`an append to ${stream} has an event id twice`);
  }
  for (const event of events) {
    if (!UUID.test(event.id)) throw new TypeError(`"${event.id}" is not a lower-case UUID`);
    if (!event.type) throw new TypeError(`an event for ${stream} has no type`);
    if (!isStorable(stream) || !isStorable(event.type)) {
      throw new TypeError('the name of a stream or of a type has text that cannot be stored');
    }
    if (!isReadable(event.data) || !isReadable(event.metadata)) {
      throw new TypeError(`an event for ${stream} holds what a reader would not get back`);
    }
  }
  const bytes = appendBytes(events);
  if (bytes > MAX_APPEND_BYTES) throw new EventTooLarge(stream, bytes);
}
