import { randomInt } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type {
  AllStreamRecordedEvent,
  AllStreamResolvedEvent,
  EventData,
  EventStoreDBClient,
  Position as LogPosition,
  ReadPosition,
  RecordedEvent,
  ResolvedEvent,
  StreamingRead,
} from '@eventstore/db-client';
import {
  BACKWARDS,
  END,
  FORWARDS,
  isCommandError,
  ErrorType,
  MaxAppendSizeExceededError,
  NO_STREAM as NO_STREAM_YET,
  START as BEGINNING,
  StreamNotFoundError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import type { NewEvent, Position } from '../../eventsourcing/event.js';
import { START, StoredEvent } from '../../eventsourcing/event.js';
import type { AppendPriority, AppendResult, EventStore } from '../../eventsourcing/eventStore.js';
import {
  appendBytes,
  checkAppend,
  ConcurrencyConflict,
  EventIdReused,
  EventTooLarge,
  NO_STREAM,
  StoreUnavailable,
} from '../../eventsourcing/eventStore.js';
import { Connection, NoAnswer } from './connection.js';
import { decodeData, decodeMetadata, encode } from './encoding.js';
import { Slots } from './slots.js';
import { WakeUps } from './wakeUps.js';

/** Calls at once, beside one subscription: a connection carries 100, and one more would wait without an error. */
const CALLS = { command: 64, journal: 4, read: 8 } as const;

/** Events of a page that is read to find few of ours among those of others. */
const SCAN = 500;

const RETRY_MS_MIN = 20;
const RETRY_MS_MAX = 500;

/** Errors that another try would only repeat; after any other an append may be stored. */
const FINAL: ReadonlySet<ErrorType> = new Set([
  ErrorType.ACCESS_DENIED,
  ErrorType.INVALID_ARGUMENT,
  ErrorType.INVALID_TRANSACTION,
  ErrorType.MISSING_REQUIRED_METADATA_PROPERTY,
  ErrorType.STREAM_DELETED,
  ErrorType.UNSUPPORTED,
]);

export interface EventStoreDbOptions {
  /** An `esdb://` or `esdb+discover://` connection string, with TLS options and credentials. */
  readonly url: string;
  /** The categories that are ours; events of all others are passed over, and never written. */
  readonly categories: readonly string[];
  /** How long one try of an append may take, and the server may be silent within a page. */
  readonly timeoutMs?: number;
  /** How long an append is tried again before its outcome is called unknown. */
  readonly giveUpMs?: number;
}

/**
 * The event store on EventStoreDB. Positions are the log's commit positions: byte offsets with gaps,
 * of which an event written by `append` has the same as its prepare position.
 */
export class EventStoreDbEventStore implements EventStore {
  readonly #connection: Connection;
  readonly #categories: ReadonlySet<string>;
  readonly #timeoutMs: number;
  readonly #giveUpMs: number;
  readonly #slots = {
    command: new Slots(CALLS.command),
    journal: new Slots(CALLS.journal),
    read: new Slots(CALLS.read),
  };
  readonly #wakeUps: WakeUps;
  readonly #listeners = new Set<() => void>();
  readonly #closing = new AbortController();
  /** The newest of our events that this process knows of. */
  #newest: Position = START;
  /** The newest event that listeners were woken for. */
  #woken: Position = START;
  /** Where the log goes on behind `after`, past events that are not ours. */
  #passed: { readonly after: Position; readonly to: LogPosition } | undefined;

  constructor(options: EventStoreDbOptions) {
    this.#connection = new Connection(options.url);
    this.#categories = new Set(options.categories);
    // Every append that rests between two tries listens to it.
    setMaxListeners(0, this.#closing.signal);
    this.#timeoutMs = options.timeoutMs ?? 2_500;
    this.#giveUpMs = options.giveUpMs ?? 4_000;
    const prefixes = options.categories.map((category) => `${category}-`);
    this.#wakeUps = new WakeUps(this.#connection, prefixes, (commit) =>
      this.#wake(commit === undefined ? undefined : Number(commit)),
    );
  }

  async append(
    stream: string,
    expected: number,
    events: readonly NewEvent[],
    priority: AppendPriority = 'command',
  ): Promise<AppendResult> {
    checkAppend(stream, events);
    if (!this.#isOurs(stream)) {
      throw new TypeError(`"${stream}" is of no category that this store was opened with`);
    }
    const encoded = events.map(encode);
    const result = await this.#slots[priority].run(() => this.#append(stream, expected, events, encoded));
    this.#wake(result.position);
    return result;
  }

  /** Tries until the outcome is known: the same ids at the same revision are stored once. */
  async #append(
    stream: string,
    expected: number,
    events: readonly NewEvent[],
    encoded: EventData[],
  ): Promise<AppendResult> {
    const expectedRevision = expected === NO_STREAM ? NO_STREAM_YET : BigInt(expected);
    const giveUpAt = performance.now() + this.#giveUpMs;
    for (let attempt = 1; ; attempt++) {
      const { client } = this.#connection;
      const since = performance.now();
      try {
        const { success, position, nextExpectedRevision } = await this.#bounded(
          client.appendToStream(stream, encoded, { expectedRevision, deadline: this.#timeoutMs }),
        );
        this.#connection.answered();
        // With throwOnAppendFailure=false in the connection string a conflict is no error.
        if (!success) return await this.#refuse(stream, expected, events, Number(nextExpectedRevision));
        if (!position) throw new StoreUnavailable('the first try of this append is not yet replicated');
        return { position: Number(position.commit), revision: expected + events.length };
      } catch (error) {
        if (error instanceof WrongExpectedVersionError) {
          const { actualVersion } = error;
          const actual = typeof actualVersion === 'bigint' ? Number(actualVersion) : NO_STREAM;
          return this.#refuse(stream, expected, events, actual);
        }
        if (error instanceof MaxAppendSizeExceededError) {
          throw new EventTooLarge(stream, appendBytes(events));
        }
        if (isRefusal(error)) throw error;
        this.#connection.failed(client, since, error);
        const rest = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** attempt);
        if (this.#closing.signal.aborted || performance.now() + rest > giveUpAt) {
          throw new StoreUnavailable('the event store did not confirm the append', { cause: error });
        }
        const { signal } = this.#closing;
        await delay(randomInt(rest / 2, rest), undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** The stream is at another revision: is it because the same ids stand there already, with other content? */
  async #refuse(
    stream: string,
    expected: number,
    events: readonly NewEvent[],
    actual: number,
  ): Promise<never> {
    if (actual > expected) {
      const ids = new Set(events.map(({ id }) => id));
      const there = await this.#readStream(stream, FORWARDS, BigInt(expected + 1), events.length);
      if (there.some(({ metadata }) => ids.has(decodeMetadata(metadata)?.id ?? ''))) {
        throw new EventIdReused(stream);
      }
    }
    throw new ConcurrencyConflict(stream, expected, actual);
  }

  async readStream(stream: string, { from = 0, limit = 1000 } = {}): Promise<StoredEvent[]> {
    return this.#withPosition(await this.#readStream(stream, FORWARDS, BigInt(from), limit));
  }

  async readLast(stream: string): Promise<StoredEvent | undefined> {
    const [last] = await this.#withPosition(await this.#readStream(stream, BACKWARDS, END, 1));
    return last;
  }

  async readAll(after: Position, limit: number, maxBytes: number): Promise<StoredEvent[]> {
    const events: StoredEvent[] = [];
    let bytes = 0;
    let seen = after;
    let from: ReadPosition =
      this.#passed?.after === after ? this.#passed.to : after === START ? BEGINNING : logPosition(after);
    for (;;) {
      const count = Math.max(limit - events.length + 1, SCAN);
      const page = await this.#page(FORWARDS, from, count, (event) => {
        const position = Number(event.position.commit);
        // A read begins with the event at its position, not behind it.
        if (position <= seen) return true;
        const ours = this.#ours(event);
        if (ours) {
          if (events.length === limit || bytes >= maxBytes) return false;
          events.push(ours);
          bytes += ours.dataText.length;
        }
        seen = position;
        return true;
      });
      if (page.stopped) break;
      if (page.last) from = page.last;
      if (page.count < count) {
        if (page.last) this.#passed = { after: events.at(-1)?.position ?? after, to: page.last };
        break;
      }
    }
    this.#newest = Math.max(this.#newest, events.at(-1)?.position ?? START);
    return events;
  }

  /** The server filters subscriptions, not reads: pages are read whole, and what is not asked for is left out. */
  async readTypes(
    types: ReadonlySet<string>,
    after: Position,
    upTo: Position,
    limit: number,
    maxBytes: number,
  ): Promise<StoredEvent[]> {
    for (let at = after; at < upTo;) {
      const page = await this.readAll(at, limit, maxBytes);
      const last = page.at(-1);
      if (!last) break;
      const matching = page.filter(({ type, position }) => types.has(type) && position <= upTo);
      if (matching.length > 0) return matching;
      at = last.position;
    }
    return [];
  }

  async readAllBackwards(before: Position, limit: number): Promise<StoredEvent[]> {
    const events: StoredEvent[] = [];
    let from: ReadPosition = before === Number.MAX_SAFE_INTEGER ? END : logPosition(before);
    while (events.length < limit) {
      const page = await this.#page(BACKWARDS, from, SCAN, (event) => {
        const ours = this.#ours(event);
        if (ours) events.push(ours);
        return events.length < limit;
      });
      if (page.count < SCAN || !page.last) break;
      from = page.last;
    }
    return events;
  }

  /** Asked of the leader: another node may not have yet what the leader has acknowledged. */
  async head(): Promise<Position> {
    let from: ReadPosition = END;
    for (let found = false; !found;) {
      const take = (event: AllStreamRecordedEvent): boolean => {
        const position = Number(event.position.commit);
        found = position <= this.#newest || this.#ours(event) !== undefined;
        if (found) this.#newest = Math.max(this.#newest, position);
        return !found;
      };
      const page = await this.#page(BACKWARDS, from, SCAN, take, true);
      if (page.count < SCAN || !page.last) break;
      from = page.last;
    }
    return this.#newest;
  }

  /** The log has no count of its own: what is ours among its events is counted page by page. */
  async countAfter(after: Position, limit: number): Promise<number> {
    let count = 0;
    let from: ReadPosition = after === START ? BEGINNING : logPosition(after);
    while (count < limit) {
      const page = await this.#page(FORWARDS, from, SCAN, (event) => {
        if (this.#isOurs(event.streamId) && Number(event.position.commit) > after) count++;
        return count < limit;
      });
      if (page.count < SCAN || !page.last) break;
      from = page.last;
    }
    return count;
  }

  onWake(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#wakeUps.start();
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#listeners.clear();
    await this.#wakeUps.close();
    await Promise.all(Object.values(this.#slots).map((slots) => slots.idle()));
    await this.#connection.close();
  }

  #wake(position: Position | undefined): void {
    if (position !== undefined) {
      // What was appended here comes again by the subscription, or has come already.
      if (position <= this.#woken) return;
      this.#woken = position;
      this.#newest = Math.max(this.#newest, position);
    }
    for (const listener of this.#listeners) listener();
  }

  #isOurs(stream: string): boolean {
    return this.#categories.has(stream.slice(0, stream.indexOf('-')));
  }

  /** An event of ours; undefined for one of the system's, or of somebody else who uses the same cluster. */
  #ours(event: AllStreamRecordedEvent): StoredEvent | undefined {
    return this.#isOurs(event.streamId) ? decode(event, Number(event.position.commit)) : undefined;
  }

  /**
   * The server does not say where in the log the events of a stream stand. They bear the position of
   * the head, read afterwards: whoever has seen events up to there has seen these.
   */
  async #withPosition(events: readonly RecordedEvent[]): Promise<StoredEvent[]> {
    if (events.length === 0) return [];
    const head = await this.head();
    return events.map((event) => {
      const stored = decode(event, head);
      if (!stored) throw new Error(`${event.streamId} holds an event that was not written by Tollgraph`);
      return stored;
    });
  }

  /** From the leader, like the head. */
  async #readStream(
    stream: string,
    direction: typeof FORWARDS | typeof BACKWARDS,
    fromRevision: bigint | typeof END,
    maxCount: number,
  ): Promise<RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    const read = (client: EventStoreDBClient): StreamingRead<ResolvedEvent> =>
      client.readStream(stream, { direction, fromRevision, maxCount, requiresLeader: true });
    try {
      await this.#read(read, ({ event }) => {
        if (event) events.push(event);
        return true;
      });
    } catch (error) {
      if (!(error instanceof StreamNotFoundError)) throw error;
    }
    return events;
  }

  /** Reads a page of the log. `take` says of each event whether to go on behind it. */
  async #page(
    direction: typeof FORWARDS | typeof BACKWARDS,
    fromPosition: ReadPosition,
    maxCount: number,
    take: (event: AllStreamRecordedEvent) => boolean,
    requiresLeader = false,
  ): Promise<{ count: number; last: LogPosition | undefined; stopped: boolean }> {
    let count = 0;
    let last: LogPosition | undefined;
    let stopped = false;
    const read = (client: EventStoreDBClient): StreamingRead<AllStreamResolvedEvent> =>
      client.readAll({ direction, fromPosition, maxCount, requiresLeader });
    await this.#read(read, ({ event }) => {
      count++;
      if (!event) return true;
      stopped = !take(event);
      if (!stopped) last = event.position;
      return !stopped;
    });
    return { count, last, stopped };
  }

  /** One bounded read, within its time, whose call is always ended. */
  #read<R>(
    open: (client: EventStoreDBClient) => StreamingRead<R>,
    take: (resolved: R) => boolean,
  ): Promise<void> {
    return this.#slots.read.run(async () => {
      const { client } = this.#connection;
      let since = performance.now();
      const stream = open(client);
      // An error that comes when nobody iterates any more would end the process.
      stream.on('error', () => undefined);
      const late = new NoAnswer(this.#timeoutMs);
      const timer = setTimeout(() => {
        const then = since;
        // Behind what has arrived meanwhile, if it is this process that was busy.
        setImmediate(() => {
          if (since === then) stream.destroy(late);
        });
      }, this.#timeoutMs);
      try {
        for await (const resolved of stream as AsyncIterable<R>) {
          timer.refresh();
          since = performance.now();
          if (!take(resolved)) break;
        }
        // A call that this side cancels ends as if the server had sent all.
        if (client !== this.#connection.client || this.#closing.signal.aborted) throw late;
        this.#connection.answered();
      } catch (error) {
        if (error instanceof StreamNotFoundError || isRefusal(error)) throw error;
        this.#connection.failed(client, since, error);
        throw new StoreUnavailable('the event store did not answer', { cause: error });
      } finally {
        clearTimeout(timer);
        // The end of the loop alone would leave the call open on the server.
        void stream.cancel().catch(() => undefined);
      }
    });
  }

  /** The client's own deadline covers the call, not the way to it. */
  async #bounded<T>(answer: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const ms = this.#timeoutMs + 100;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new NoAnswer(ms)), ms);
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Another try would only repeat it; after any other error an append may be stored. */
function isRefusal(error: unknown): boolean {
  return !(error instanceof Error) || (isCommandError(error) && FINAL.has(error.type));
}

const logPosition = (position: Position): LogPosition => ({
  commit: BigInt(position),
  prepare: BigInt(position),
});

function decode(event: RecordedEvent, position: Position): StoredEvent | undefined {
  const metadata = decodeMetadata(event.metadata);
  return (
    metadata &&
    new StoredEvent(
      position,
      event.streamId,
      Number(event.revision),
      metadata.id,
      event.type,
      decodeData(event.data),
      metadata.text,
    )
  );
}
