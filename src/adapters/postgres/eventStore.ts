import { readFileSync } from 'node:fs';
import type { NewEvent, Position } from '../../eventsourcing/event.js';
import { START, StoredEvent } from '../../eventsourcing/event.js';
import type { AppendPriority, AppendResult, EventStore } from '../../eventsourcing/eventStore.js';
import {
  checkAppend,
  ConcurrencyConflict,
  EventIdReused,
  StoreUnavailable,
} from '../../eventsourcing/eventStore.js';
import type { Sql, SqlPriority } from '../../sql/sql.js';
import { SqlError } from '../../sql/sql.js';
import { RecentEvents } from './recentEvents.js';

interface EventRow {
  position: number;
  stream: string;
  revision: number;
  id: string;
  type: string;
  data: string;
  metadata: string;
}

interface OutcomeRow {
  outcome: 'stored' | 'repeated' | 'conflict' | 'reused';
  last_position: number;
  stream_revision: number;
}

interface PendingAppend {
  readonly stream: string;
  readonly expected: number;
  readonly events: readonly NewEvent[];
  resolve(result: AppendResult): void;
  reject(error: Error): void;
}

/** Appends that share one commit; above it the commit's own cost no longer shows. */
const MAX_GROUP = 256;
/** Characters of data that share one commit: a group is one parameter, held twice in memory. */
const MAX_GROUP_CHARS = 2_000_000;

/** Told by every append, in its own transaction (store.sql). */
const CHANNEL = 'tollgraph_events';

const COLUMNS = 'position, stream, revision, id, type, data, metadata';

/**
 * The embedded event store on the SQL port. Appends that wait while another is in flight share the
 * next commit (group commit); the journal has a lane of its own and never waits behind commands.
 */
export class PostgresEventStore implements EventStore {
  readonly #lanes: Record<AppendPriority, PendingAppend[]> = { journal: [], command: [] };
  readonly #busy: Record<AppendPriority, boolean> = { journal: false, command: false };
  readonly #listeners = new Set<() => void>();
  readonly #recent = new RecentEvents();

  readonly #unlisten: (() => void) | undefined;

  private constructor(private readonly sql: Sql) {
    // Appends of other processes; those of this one wake at once below.
    this.#unlisten = sql.listen?.(CHANNEL, () => this.#wake());
  }

  static async open(sql: Sql): Promise<PostgresEventStore> {
    await sql.script(readFileSync(new URL('./store.sql', import.meta.url), 'utf8'));
    return new PostgresEventStore(sql);
  }

  async append(
    stream: string,
    expected: number,
    events: readonly NewEvent[],
    priority: AppendPriority = 'command',
  ): Promise<AppendResult> {
    checkAppend(stream, events);
    return new Promise((resolve, reject) => {
      this.#lanes[priority].push({ stream, expected, events, resolve, reject });
      void this.#drain(priority);
    });
  }

  async #drain(lane: AppendPriority): Promise<void> {
    if (this.#busy[lane]) return;
    this.#busy[lane] = true;
    while (this.#lanes[lane].length > 0) {
      // Whoever appends again in the turn in which its last append was stored shares the next commit;
      // without this, commits of one and of all others would take turns. The journal gathers by itself.
      if (lane === 'command') await new Promise((resolve) => setImmediate(resolve));
      await this.#commit(this.#takeGroup(lane), lane);
    }
    this.#busy[lane] = false;
  }

  #takeGroup(lane: AppendPriority): PendingAppend[] {
    let chars = 0;
    let count = 0;
    for (const { events } of this.#lanes[lane]) {
      for (const { data } of events) chars += data.length;
      if (count > 0 && (count >= MAX_GROUP || chars > MAX_GROUP_CHARS)) break;
      count++;
    }
    return this.#lanes[lane].splice(0, count);
  }

  async #commit(group: readonly PendingAppend[], lane: AppendPriority): Promise<void> {
    const priority = lane === 'journal' ? 'journal' : 'query';
    let outcomes: OutcomeRow[];
    try {
      outcomes = (await this.#appendExpected(group, priority)) ?? (await this.#appendAny(group, priority));
    } catch (error) {
      if (error instanceof SqlError && group.length > 1) {
        // Refused and rolled back for one of them: each by itself, so that the others get through.
        for (const append of group) await this.#commit([append], lane);
        return;
      }
      const unavailable = new StoreUnavailable('the event store did not confirm the append', {
        cause: error,
      });
      for (const append of group) append.reject(unavailable);
      return;
    }
    this.#recent.add(group.flatMap((append, index) => storedOf(append, outcomes[index] as OutcomeRow)));
    group.forEach((append, index) => {
      const outcome = outcomes[index] as OutcomeRow;
      const { stream, expected } = append;
      if (outcome.outcome === 'stored' || outcome.outcome === 'repeated') {
        append.resolve({
          position: outcome.last_position,
          revision: outcome.stream_revision,
          repeated: outcome.outcome === 'repeated',
        });
      } else if (outcome.outcome === 'conflict') {
        append.reject(new ConcurrencyConflict(stream, expected, outcome.stream_revision));
      } else {
        append.reject(new EventIdReused(stream));
      }
    });
    this.#wake();
  }

  #wake(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Stores a group in which all is as expected; undefined, with nothing stored, where it is not. */
  async #appendExpected(
    group: readonly PendingAppend[],
    priority: SqlPriority,
  ): Promise<OutcomeRow[] | undefined> {
    // Two appends to one stream: the second's predecessor is not there yet.
    if (new Set(group.map(({ stream }) => stream)).size < group.length) return undefined;
    const { text, params } = appendExpectedStatement(group);
    const [row] = await this.sql.query<{ last: Position | null }>(text, params, priority);
    if (row?.last == null) return undefined;
    let position = row.last - group.reduce((total, { events }) => total + events.length, 0);
    return group.map(({ expected, events }) => ({
      outcome: 'stored',
      last_position: (position += events.length),
      stream_revision: expected + events.length,
    }));
  }

  /** Stores what can be stored of a group, and tells of each append what became of it. */
  #appendAny(group: readonly PendingAppend[], priority: SqlPriority): Promise<OutcomeRow[]> {
    const events = group.flatMap((append) => append.events);
    return this.sql.query<OutcomeRow>(
      APPEND_ANY,
      [
        group.map(({ stream }) => stream),
        group.map(({ expected }) => expected),
        group.map(({ events: { length } }) => length),
        events.map(({ id }) => id),
        events.map(({ type }) => type),
        events.map(({ data }) => data),
        events.map(({ metadata }) => metadata),
      ],
      priority,
    );
  }

  async readStream(stream: string, { from = 0, limit = 1000 } = {}): Promise<StoredEvent[]> {
    return this.#read(
      `SELECT ${COLUMNS} FROM store.events WHERE stream = $1 AND revision >= $2 ORDER BY revision LIMIT $3`,
      [stream, from, limit],
    );
  }

  async readLast(stream: string): Promise<StoredEvent | undefined> {
    const [last] = await this.#read(
      `SELECT ${COLUMNS} FROM store.events WHERE stream = $1 ORDER BY revision DESC LIMIT 1`,
      [stream],
    );
    return last;
  }

  async readAll(after: Position, limit: number, maxBytes: number): Promise<StoredEvent[]> {
    const recent = this.#recent.after(after, limit, maxBytes);
    if (recent) return recent;
    return this.#read(
      `SELECT ${COLUMNS} FROM (
         SELECT *, sum(octet_length(data)) OVER (ORDER BY position) - octet_length(data) AS bytes_before
           FROM (SELECT * FROM store.events WHERE position > $1 ORDER BY position LIMIT $2) AS page
       ) AS sized WHERE bytes_before < $3 ORDER BY position`,
      [after, limit, maxBytes],
    );
  }

  async readTypes(
    types: ReadonlySet<string>,
    after: Position,
    upTo: Position,
    limit: number,
    maxBytes: number,
  ): Promise<StoredEvent[]> {
    return this.#read(
      `SELECT ${COLUMNS} FROM (
         SELECT *, sum(octet_length(data)) OVER (ORDER BY position) - octet_length(data) AS bytes_before
           FROM (SELECT * FROM store.events WHERE position > $1 AND position <= $2 AND type = ANY ($3)
                  ORDER BY position LIMIT $4) AS page
       ) AS sized WHERE bytes_before < $5 ORDER BY position`,
      [after, upTo, [...types], limit, maxBytes],
    );
  }

  async readAllBackwards(before: Position, limit: number): Promise<StoredEvent[]> {
    return this.#read(
      `SELECT ${COLUMNS} FROM store.events WHERE position < $1 ORDER BY position DESC LIMIT $2`,
      [before, limit],
    );
  }

  async head(): Promise<Position> {
    const rows = await this.#query<{ head: number | null }>(
      'SELECT max(position) AS head FROM store.events',
      [],
    );
    return rows[0]?.head ?? START;
  }

  async countAfter(after: Position, limit: number): Promise<number> {
    const rows = await this.#query<{ count: number }>(
      'SELECT count(*) FROM (SELECT FROM store.events WHERE position > $1 LIMIT $2) AS later',
      [after, limit],
    );
    return rows[0]?.count ?? 0;
  }

  onWake(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The SQL connection belongs to the composition root and stays open. */
  async close(): Promise<void> {
    this.#unlisten?.();
    this.#listeners.clear();
  }

  async #read(text: string, params: readonly unknown[]): Promise<StoredEvent[]> {
    const rows = await this.#query<EventRow>(text, params);
    return rows.map(
      (r) => new StoredEvent(r.position, r.stream, r.revision, r.id, r.type, r.data, r.metadata),
    );
  }

  async #query<R extends object>(text: string, params: readonly unknown[]): Promise<R[]> {
    try {
      return await this.sql.query<R>(text, params);
    } catch (error) {
      throw new StoreUnavailable('the event store did not answer', { cause: error });
    }
  }
}

/** The events of an append, if they were stored now. */
function storedOf(
  { stream, events }: PendingAppend,
  { outcome, last_position, stream_revision }: OutcomeRow,
): StoredEvent[] {
  if (outcome !== 'stored') return [];
  return events.map(({ id, type, data, metadata }, index) => {
    const behind = events.length - 1 - index;
    return new StoredEvent(
      last_position - behind,
      stream,
      stream_revision - behind,
      id,
      type,
      data,
      metadata,
    );
  });
}

const APPEND_ANY =
  'SELECT * FROM store.append($1::text[], $2::bigint[], $3::int[], $4::uuid[], $5::text[], $6::text[], $7::text[])';
const APPEND_EXPECTED = 'SELECT store.append_expected($1::json, $2::int) AS last';
const APPEND_EXPECTED_ONE = 'SELECT store.append_expected($1, $2, $3, $4, $5, $6) AS last';

/** JSON is cheaper than arrays, whose every element is escaped; and a batch of the journal is dearer to escape than to commit. */
function appendExpectedStatement(group: readonly PendingAppend[]): {
  text: string;
  params: readonly unknown[];
} {
  const [append] = group;
  const [event] = append?.events ?? [];
  if (append && event && group.length === 1 && append.events.length === 1) {
    const { stream, expected } = append;
    return {
      text: APPEND_EXPECTED_ONE,
      params: [stream, expected + 1, event.id, event.type, event.data, event.metadata],
    };
  }
  const rows = group.flatMap(({ stream, expected, events }) =>
    events.map(({ id, type, data, metadata }, i) => ({
      s: stream,
      r: expected + 1 + i,
      i: id,
      t: type,
      d: data,
      m: metadata,
      f: i === 0,
    })),
  );
  return { text: APPEND_EXPECTED, params: [JSON.stringify(rows), rows.length] };
}
