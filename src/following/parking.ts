import type { Sql, Statement } from '../sql/sql.js';
import { compositeKey } from '../eventsourcing/compositeKey.js';
import type { Position, StoredEvent } from '../eventsourcing/event.js';
import { contentHash } from '../eventsourcing/ids.js';
import { mayBePoison } from './poison.js';

const MIGRATION = `
CREATE SCHEMA IF NOT EXISTS read;
-- Events that a reader could not handle, and those that wait behind them in their streams.
CREATE TABLE IF NOT EXISTS read.parked (
  reader    text        NOT NULL,
  stream    text        NOT NULL,
  position  bigint      NOT NULL,
  revision  bigint      NOT NULL,
  -- Why; null for those that wait.
  reason    text,
  parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (reader, stream, position)
);
-- What an operator has decided to leave out. Not derived from events, and so kept over rebuilds.
CREATE SCHEMA IF NOT EXISTS vault;
CREATE TABLE IF NOT EXISTS vault.skipped (
  -- A read model with its version, or a policy: a new version decides anew.
  subject    text        NOT NULL,
  position   bigint      NOT NULL,
  stream     text        NOT NULL,
  reason     text        NOT NULL,
  skipped_by text        NOT NULL,
  skipped_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (subject, position)
);`;

const REASON_MAX = 500;
/** Parked events that are read again at a time. */
const PAGE = 500;

/** A stream whose events a reader sets aside until an operator decides. */
export interface ParkedStream {
  /** For the command line. */
  readonly id: string;
  readonly subject: string;
  readonly stream: string;
  readonly events: number;
  readonly first: Position;
  /** Of the first one, in its stream. */
  readonly revision: number;
  readonly reason: string;
  readonly since: Date;
}

/** What became of a parked stream. */
export interface Unparking {
  readonly stream: string;
  readonly subject: string;
  /** Events that were handled now. */
  readonly replayed: number;
  readonly skipped: number;
  /** Events that are still parked, since one of them failed again. */
  readonly remaining: number;
  readonly reason?: string;
}

/** What an operator says when leaving an event out. */
export interface Skip {
  readonly reason: string;
  readonly by: string;
  /** All events of the stream that are parked now; otherwise only the first. */
  readonly all: boolean;
}

/**
 * The parked streams of one reader: a generation of a read model, or a policy. Statements go into the
 * transaction that moves the reader's checkpoint.
 */
export class Parking {
  #streams = new Set<string>();
  #skipped = new Set<Position>();

  /**
   * @param reader whose events these are
   * @param subject the same for people, and for what is skipped: without the generation
   */
  constructor(
    private readonly sql: Sql,
    readonly reader: string,
    readonly subject: string,
  ) {}

  static migrate(sql: Sql): Promise<void> {
    return sql.script(MIGRATION);
  }

  /** Reads what is stored; before the first event, and after a write of unknown outcome. */
  async load(): Promise<void> {
    const [streams, skipped] = await Promise.all([
      this.sql.query<{ stream: string }>('SELECT DISTINCT stream FROM read.parked WHERE reader = $1', [
        this.reader,
      ]),
      this.sql.query<{ position: Position }>('SELECT position FROM vault.skipped WHERE subject = $1', [
        this.subject,
      ]),
    ]);
    this.#streams = new Set(streams.map(({ stream }) => stream));
    this.#skipped = new Set(skipped.map(({ position }) => position));
  }

  /** How many streams are parked. */
  get size(): number {
    return this.#streams.size;
  }

  has(stream: string): boolean {
    return this.#streams.has(stream);
  }

  skips(event: StoredEvent): boolean {
    return this.#skipped.has(event.position);
  }

  /** Whether the event at this place is parked. */
  async holds(stream: string, revision: number): Promise<boolean> {
    const rows = await this.sql.query(
      'SELECT FROM read.parked WHERE reader = $1 AND stream = $2 AND revision = $3',
      [this.reader, stream, revision],
    );
    return rows.length > 0;
  }

  /** After the commit of a `park`. */
  add(stream: string): void {
    this.#streams.add(stream);
  }

  /** Records an event that could not be handled, or ones that wait behind it. */
  park(events: readonly StoredEvent[], reason?: unknown): Statement[] {
    if (events.length === 0) return [];
    const statement = {
      text: `INSERT INTO read.parked (reader, stream, position, revision, reason)
             SELECT $1, e.stream, e.position, e.revision, $5
               FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS e(stream, position, revision)
             ON CONFLICT DO NOTHING`,
      params: [
        this.reader,
        events.map(({ stream }) => stream),
        events.map(({ position }) => position),
        events.map(({ revision }) => revision),
        reason === undefined ? null : reasonOf(reason),
      ],
    };
    return [statement];
  }

  async list(): Promise<ParkedStream[]> {
    const rows = await this.sql.query<{
      stream: string;
      events: number;
      first: Position;
      revision: number;
      reason: string | null;
      since: Date;
    }>(
      `SELECT stream, count(*) AS events, min(position) AS first, min(revision) AS revision, min(parked_at) AS since,
              (array_agg(reason ORDER BY position))[1] AS reason
         FROM read.parked WHERE reader = $1 GROUP BY stream ORDER BY first`,
      [this.reader],
    );
    return rows.map((row) => ({
      ...row,
      id: contentHash(compositeKey(this.subject, row.stream)).slice(0, 10),
      subject: this.subject,
      reason: row.reason ?? 'waits behind an event that was skipped',
    }));
  }

  /**
   * Handles the parked events of a stream in their order, all of them or up to one that fails again.
   * The reader's live events wait meanwhile.
   * @param read the stream's events from a revision on
   * @param handle handles events and commits them together with the given statements
   */
  async replay(
    stream: string,
    skip: Skip | undefined,
    read: (stream: string, from: number, limit: number) => Promise<StoredEvent[]>,
    handle: (events: readonly StoredEvent[], statements: readonly Statement[]) => Promise<void>,
  ): Promise<Unparking> {
    const { subject } = this;
    let replayed = 0;
    let skipped = 0;
    if (skip) skipped = await this.#skip(stream, skip, (statements) => handle([], statements));
    for (;;) {
      const waiting = await this.#waiting(stream);
      const [first] = waiting;
      const last = waiting.at(-1);
      if (!first || !last) {
        this.#streams.delete(stream);
        return { stream, subject, replayed, skipped, remaining: 0 };
      }
      // Read by their stream, they may not tell where they stand; what is parked does.
      const places = new Map(waiting.map(({ position, revision }) => [revision, position]));
      const stored = await read(stream, first.revision, last.revision - first.revision + 1);
      const events = stored.flatMap((event) => {
        const place = places.get(event.revision);
        return place === undefined ? [] : [event.at(place)];
      });
      const handled = await this.#handle(events, handle);
      replayed += handled.count;
      if (handled.count < events.length || events.length < waiting.length) {
        const reason = reasonOf(handled.error ?? new Error('the stream has fewer events than are parked'));
        const [{ remaining } = { remaining: 0 }] = await this.sql.query<{ remaining: number }>(
          'SELECT count(*) AS remaining FROM read.parked WHERE reader = $1 AND stream = $2',
          [this.reader, stream],
        );
        return { stream, subject, replayed, skipped, remaining, reason };
      }
    }
  }

  /** Handles as many as it can; halves what fails down to the event at fault. */
  async #handle(
    events: readonly StoredEvent[],
    handle: (events: readonly StoredEvent[], statements: readonly Statement[]) => Promise<void>,
  ): Promise<{ count: number; error?: unknown }> {
    const [first] = events;
    if (!first) return { count: 0 };
    try {
      await handle(events, [this.#unpark(events)]);
      return { count: events.length };
    } catch (error) {
      if (!mayBePoison(error)) throw error;
      if (events.length === 1) {
        await handle([], [this.#blame(first, error)]);
        return { count: 0, error };
      }
      const middle = events.length >> 1;
      const left = await this.#handle(events.slice(0, middle), handle);
      if (left.count < middle) return left;
      const right = await this.#handle(events.slice(middle), handle);
      return { ...right, count: middle + right.count };
    }
  }

  /** The first of them, as far as one page of their stream reaches. */
  async #waiting(stream: string): Promise<{ position: Position; revision: number }[]> {
    const rows = await this.sql.query<{ position: Position; revision: number }>(
      `SELECT position, revision FROM read.parked WHERE reader = $1 AND stream = $2 ORDER BY position LIMIT ${PAGE}`,
      [this.reader, stream],
    );
    const end = (rows[0]?.revision ?? 0) + PAGE;
    return rows.filter(({ revision }) => revision < end);
  }

  async #skip(
    stream: string,
    { reason, by, all }: Skip,
    commit: (statements: readonly Statement[]) => Promise<void>,
  ): Promise<number> {
    const rows = await this.sql.query<{ position: Position }>(
      `SELECT position FROM read.parked WHERE reader = $1 AND stream = $2 ORDER BY position ${all ? '' : 'LIMIT 1'}`,
      [this.reader, stream],
    );
    const positions = rows.map(({ position }) => position);
    await commit([
      {
        text: `INSERT INTO vault.skipped (subject, position, stream, reason, skipped_by)
               SELECT $1, p, $3, $4, $5 FROM unnest($2::bigint[]) AS p ON CONFLICT DO NOTHING`,
        params: [this.subject, positions, stream, reason, by],
      },
      {
        text: 'DELETE FROM read.parked WHERE reader = $1 AND stream = $2 AND position = ANY($3::bigint[])',
        params: [this.reader, stream, positions],
      },
    ]);
    for (const position of positions) this.#skipped.add(position);
    return positions.length;
  }

  #unpark(events: readonly StoredEvent[]): Statement {
    return {
      text: 'DELETE FROM read.parked WHERE reader = $1 AND stream = $2 AND position = ANY($3::bigint[])',
      params: [this.reader, events[0]?.stream, events.map(({ position }) => position)],
    };
  }

  #blame({ stream, position }: StoredEvent, error: unknown): Statement {
    return {
      text: 'UPDATE read.parked SET reason = $4 WHERE reader = $1 AND stream = $2 AND position = $3',
      params: [this.reader, stream, position, reasonOf(error)],
    };
  }
}

/** An error as an operator reads it; PostgreSQL's text takes no null character. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.replaceAll('\0', '').toWellFormed().slice(0, REASON_MAX);
}
