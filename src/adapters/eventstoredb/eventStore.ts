import { END } from '@eventstore/db-client';
import type { NewEvent, Position, StoredEvent } from '../../eventsourcing/event.js';
import { START } from '../../eventsourcing/event.js';
import type { AppendPriority, AppendResult, EventStore } from '../../eventsourcing/eventStore.js';
import { checkAppend, ConcurrencyConflict, EventIdReused } from '../../eventsourcing/eventStore.js';
import { Appends } from './appends.js';
import { Connection } from './connection.js';
import type { RecordedEvent } from './encoding.js';
import { decode, streamOf } from './encoding.js';
import { Log } from './log.js';
import type { StreamRead } from './readCall.js';
import { Reads } from './reads.js';
import { WakeUps } from './wakeUps.js';

export interface EventStoreDbOptions {
  /** An `esdb://` or `esdb+discover://` connection string, with TLS options and credentials. */
  readonly url: string;
  /** The categories that are ours; events of all others are passed over, and never written. */
  readonly categories: readonly string[];
  /** How long one try of an append may take, and the server may be silent within a read. */
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
  readonly #reads: Reads;
  readonly #log: Log;
  readonly #appends: Appends;
  readonly #wakeUps: WakeUps;
  readonly #listeners = new Set<() => void>();
  /** The newest event that listeners were woken for. */
  #woken: Position = START;

  constructor({ url, categories, timeoutMs = 2_500, giveUpMs = 4_000 }: EventStoreDbOptions) {
    this.#connection = new Connection(url);
    this.#reads = new Reads(this.#connection, timeoutMs);
    this.#log = new Log(this.#reads, categories);
    this.#appends = new Appends({
      connection: this.#connection,
      timeoutMs,
      giveUpMs,
      onConflict: (...conflict) => this.#refuse(...conflict),
    });
    this.#wakeUps = new WakeUps(
      () => this.#log.head(),
      (newest) => this.#wake(newest),
    );
  }

  async append(
    stream: string,
    expected: number,
    events: readonly NewEvent[],
    priority: AppendPriority = 'command',
  ): Promise<AppendResult> {
    checkAppend(stream, events);
    if (!this.#log.isOurs(stream)) {
      throw new TypeError(`"${stream}" is of no category that this store was opened with`);
    }
    const result = await this.#appends.append(stream, expected, events, priority);
    this.#wake(result.position);
    return result;
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
      const there = await this.#readStream({ stream, from: expected + 1, count: events.length });
      if (there.some((record) => ids.has(decode(record, START)?.id ?? ''))) throw new EventIdReused(stream);
    }
    throw new ConcurrencyConflict(stream, expected, actual);
  }

  async readStream(stream: string, { from = 0, limit = 1000 } = {}): Promise<StoredEvent[]> {
    return this.#withPosition(await this.#readStream({ stream, from, count: limit }));
  }

  async readLast(stream: string): Promise<StoredEvent | undefined> {
    const records = await this.#readStream({ stream, from: END, backwards: true, count: 1 });
    const [last] = await this.#withPosition(records);
    return last;
  }

  async readAll(after: Position, limit: number, maxBytes: number): Promise<StoredEvent[]> {
    const events: StoredEvent[] = [];
    let bytes = 0;
    await this.#log.forwards(after, (event) => {
      if (events.length === limit || bytes >= maxBytes) return false;
      events.push(event);
      bytes += event.dataText.length;
      return true;
    });
    this.#log.know(events.at(-1)?.position ?? START);
    return events;
  }

  /** The server filters by streams: whole pages of ours are read, and what is not asked for is left out. */
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
    await this.#log.backwards(before, limit, (event) => void events.push(event));
    return events;
  }

  head(): Promise<Position> {
    return this.#log.head();
  }

  /** The log has no count of its own: what is ours in it is counted page by page. */
  async countAfter(after: Position, limit: number): Promise<number> {
    let count = 0;
    await this.#log.forwards(after, () => ++count < limit);
    return count;
  }

  onWake(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#wakeUps.start();
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    await Promise.all([this.#wakeUps.close(), this.#appends.close()]);
    await this.#reads.idle();
    await this.#connection.close();
  }

  #wake(position: Position): void {
    // What was appended here is seen again at the head, or has been seen already.
    if (position <= this.#woken) return;
    this.#woken = position;
    this.#log.know(position);
    for (const listener of this.#listeners) listener();
  }

  /**
   * The server does not say where in the log the events of a stream stand. They bear the position of
   * the head, read afterwards: whoever has seen events up to there has seen these.
   */
  async #withPosition(records: readonly RecordedEvent[]): Promise<StoredEvent[]> {
    if (records.length === 0) return [];
    const position = await this.head();
    return records.map((record) => {
      const event = decode(record, position);
      if (!event) throw new Error(`${streamOf(record)} holds an event that was not written by Tollgraph`);
      return event;
    });
  }

  /** From the leader, like the head. */
  async #readStream(read: StreamRead): Promise<RecordedEvent[]> {
    const records: RecordedEvent[] = [];
    await this.#reads.read(read, (answer) => {
      const record = answer.getEvent()?.getEvent();
      if (record) records.push(record);
      return true;
    });
    return records;
  }
}
