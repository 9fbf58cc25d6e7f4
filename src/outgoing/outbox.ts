import type { Sql, Statement } from '../sql/sql.js';
import type { Taken } from './places.js';
import { MAX_OF_OWNER } from './places.js';

const CHANNEL = 'tollgraph_outgoing';

const MIGRATION = `
CREATE SCHEMA IF NOT EXISTS vault;
-- What leaves: each webhook, each mail, from when it was asked for (decision 33).
CREATE TABLE IF NOT EXISTS vault.deliveries (
  kind       text NOT NULL,
  id         text NOT NULL,
  -- Where it goes: one lane never holds up another.
  lane       text NOT NULL,
  -- What it is about, as its kind has it.
  about      json NOT NULL,
  -- The same for search; null where nobody searches.
  topic      text,
  asked_at   timestamptz NOT NULL,
  -- Raised by each replay, with attempts of its own.
  round      int NOT NULL DEFAULT 1,
  began_at   timestamptz NOT NULL,
  attempts   int NOT NULL DEFAULT 0,
  -- Null once it has ended.
  due_at     timestamptz,
  -- DELIVERED, or why it was given up.
  outcome    text,
  ended_at   timestamptz,
  -- The command that asked for this round; null for the first.
  asked_by   text,
  PRIMARY KEY (kind, id)
);
-- Whose receiver it is: an owner's lanes share places. Null where it is the lane's alone.
ALTER TABLE vault.deliveries ADD COLUMN IF NOT EXISTS owner text;
CREATE INDEX IF NOT EXISTS deliveries_due_by_owner
  ON vault.deliveries ((coalesce(owner, lane)), due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS deliveries_due ON vault.deliveries (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS deliveries_by_lane ON vault.deliveries (kind, lane, asked_at, id);
CREATE INDEX IF NOT EXISTS deliveries_by_end ON vault.deliveries (ended_at) WHERE ended_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS vault.attempts (
  kind        text NOT NULL,
  id          text NOT NULL,
  round       int NOT NULL,
  number      int NOT NULL,
  at          timestamptz NOT NULL,
  duration_ms int NOT NULL,
  -- Of the answer; null where there was none.
  status      int,
  -- Why it was none, or why it does not count; null for one that has delivered.
  failure     text,
  PRIMARY KEY (kind, id, round, number),
  FOREIGN KEY (kind, id) REFERENCES vault.deliveries ON DELETE CASCADE
);`;

export const DELIVERED = 'DELIVERED';
/** Given up after the last attempt. */
export const EXHAUSTED = 'EXHAUSTED';

/** Something that leaves, as it stands. */
export interface Delivery {
  readonly kind: string;
  readonly id: string;
  readonly lane: string;
  readonly owner: string;
  readonly about: unknown;
  readonly round: number;
  /** Of this round, before the one that is made now. */
  readonly attempts: number;
  /** When this round began. */
  readonly beganAt: Date;
}

/** Something to send. */
export interface Asked {
  readonly kind: string;
  /** Asked for again under the same id, it changes nothing. */
  readonly id: string;
  readonly lane: string;
  /** Whose receiver it is; by default the lane's alone. */
  readonly owner?: string | undefined;
  readonly about: object;
  readonly topic?: string;
  /** When what it is about has happened, ISO 8601; by default when it is asked for. */
  readonly askedAt?: string;
}

/** One attempt, and what came of it. */
export interface Attempt {
  readonly at: Date;
  readonly durationMs: number;
  readonly status: number | null;
  readonly failure: string | null;
}

/** A delivery as its log shows it. */
export interface LoggedDelivery {
  readonly id: string;
  readonly about: unknown;
  readonly askedAt: Date;
  readonly dueAt: Date | null;
  readonly outcome: string | null;
  readonly endedAt: Date | null;
}

export interface LoggedAttempt extends Attempt {
  readonly deliveryId: string;
}

/** Which deliveries of a lane; what is left out is not asked for. */
export interface DeliveryFilter {
  readonly ids?: readonly string[] | undefined;
  readonly topics?: readonly string[] | undefined;
  readonly status?: 'PENDING' | 'DELIVERED' | 'GIVEN_UP' | undefined;
  /** Asked for from this time on. */
  readonly from?: Date | undefined;
  /** Asked for before this time. */
  readonly to?: Date | undefined;
}

/** Where a delivery goes on: at a time, or nowhere, for the reason that is given. */
export type Next = { readonly dueAt: Date } | { readonly outcome: string; readonly endedAt: Date };

/** Selects by a filter: parameters 1 and 2 are kind and lane, 3 to 7 the filter's. */
const FILTERED = `kind = $1 AND lane = $2
          AND ($3::text[] IS NULL OR id = ANY($3)) AND ($4::text[] IS NULL OR topic = ANY($4))
          AND ($5::text IS NULL OR $5 = CASE WHEN due_at IS NOT NULL THEN 'PENDING'
                                             WHEN outcome = 'DELIVERED' THEN 'DELIVERED' ELSE 'GIVEN_UP' END)
          AND ($6::timestamptz IS NULL OR asked_at >= $6) AND ($7::timestamptz IS NULL OR asked_at < $7)`;

const valuesOf = ({ ids, topics, status, from, to }: DeliveryFilter): unknown[] => [
  ids ?? null,
  topics ?? null,
  status ?? null,
  from ?? null,
  to ?? null,
];

/**
 * The list of what leaves, in `vault`, with every attempt: a rebuild never drops it, and a crash forgets nothing
 * of it. What became of each for good is an event; where the two differ the event is right.
 */
export class Outbox {
  readonly #listeners = new Set<() => void>();

  private constructor(private readonly sql: Sql) {}

  static async open(sql: Sql): Promise<Outbox> {
    await sql.script(MIGRATION);
    return new Outbox(sql);
  }

  /** Asks for deliveries, due at once. Those that were asked for before stay as they are. */
  async ask(asked: readonly Asked[], now: Date): Promise<void> {
    if (asked.length === 0) return;
    await this.sql.transaction([
      {
        text: `INSERT INTO vault.deliveries (kind, id, lane, owner, about, topic, asked_at, began_at, due_at)
               SELECT kind, id, lane, owner, about, topic, coalesce("askedAt", $2), $2, $2
                 FROM json_to_recordset($1::json)
                   AS r(kind text, id text, lane text, owner text, about json, topic text, "askedAt" timestamptz)
               ON CONFLICT (kind, id) DO NOTHING`,
        params: [JSON.stringify(asked), now],
      },
      ...this.#tell(),
    ]);
    this.#wake();
  }

  /**
   * Asks once more, with all attempts, for what has ended by its stream, whatever the list says of it.
   * @param command sent again, it asks for nothing more
   */
  async askAgain(asked: Asked, command: string, now: Date): Promise<void> {
    const { kind, id, lane, owner = null, about, topic = null, askedAt = now } = asked;
    await this.sql.transaction([
      {
        text: `INSERT INTO vault.deliveries AS d
                      (kind, id, lane, about, topic, asked_at, began_at, due_at, asked_by, owner)
               VALUES ($1, $2, $3, $4::json, $5, $6, $7, $7, $8, $9)
               ON CONFLICT (kind, id) DO UPDATE
                  SET round = d.round + 1, began_at = $7, attempts = 0, due_at = $7, outcome = NULL, ended_at = NULL,
                      asked_by = $8
                WHERE d.asked_by IS DISTINCT FROM $8`,
        params: [kind, id, lane, JSON.stringify(about), topic, askedAt, now, command, owner],
      },
      ...this.#tell(),
    ]);
    this.#wake();
  }

  /**
   * Makes due what waits for a clock that was ahead: what was never attempted, and what would wait longer than its
   * kind ever does, in milliseconds.
   */
  async recall(longest: readonly { readonly kind: string; readonly ms: number }[], now: Date): Promise<void> {
    await this.sql.query(
      `UPDATE vault.deliveries AS d SET due_at = $1
         FROM json_to_recordset($2::json) AS w(kind text, ms float8)
        WHERE d.kind = w.kind AND d.due_at > $1
          AND (d.due_at = d.began_at OR d.due_at > $1::timestamptz + w.ms * interval '1 ms')`,
      [now, JSON.stringify(longest)],
    );
  }

  /**
   * Those that are due and may find a place: each owner's first one before anybody's second, counting those that
   * run; among these the longest waiting first. However much waits for one owner, it is read by an index for each.
   * @param without ids that are left alone
   */
  async due(now: Date, limit: number, taken: Taken, without: readonly string[]): Promise<Delivery[]> {
    return this.sql.query<Delivery & Record<string, unknown>>(
      `WITH RECURSIVE owners AS (
         (SELECT coalesce(owner, lane) AS owner FROM vault.deliveries WHERE due_at IS NOT NULL ORDER BY 1 LIMIT 1)
         UNION ALL
         SELECT (SELECT coalesce(d.owner, d.lane) FROM vault.deliveries AS d
                  WHERE d.due_at IS NOT NULL AND coalesce(d.owner, d.lane) > owners.owner
                  ORDER BY coalesce(d.owner, d.lane) LIMIT 1)
           FROM owners WHERE owners.owner IS NOT NULL),
       served AS (
         SELECT owner, coalesce(running, 0) AS running
           FROM owners LEFT JOIN json_to_recordset($2::json) AS r(owner text, running int) USING (owner)
          WHERE owner IS NOT NULL)
       SELECT kind, id, lane, served.owner, about, round, attempts, began_at AS "beganAt"
         FROM served CROSS JOIN LATERAL (
           SELECT d.*, row_number() OVER (ORDER BY due_at, id) AS nth FROM vault.deliveries AS d
            WHERE coalesce(d.owner, d.lane) = served.owner AND due_at <= $1
              AND kind <> ALL($3::text[]) AND lane <> ALL($4::text[]) AND id <> ALL($5::text[])
            ORDER BY due_at, id LIMIT greatest(0, $6 - served.running)) AS first
        ORDER BY running + nth, due_at, id LIMIT $7`,
      [
        now,
        JSON.stringify(taken.owners),
        taken.kinds,
        taken.lanes,
        [...taken.running, ...without],
        MAX_OF_OWNER,
        limit,
      ],
    );
  }

  /** When the next one that is not due yet will be; undefined where none waits. */
  async nextDue(now: Date): Promise<Date | undefined> {
    const [row] = await this.sql.query<{ due: Date | null }>(
      'SELECT min(due_at) AS due FROM vault.deliveries WHERE due_at > $1',
      [now],
    );
    return row?.due ?? undefined;
  }

  /** Stores an attempt, and where the delivery goes on. A replay that came meanwhile stays asked for. */
  async attempted(delivery: Delivery, attempt: Attempt, next: Next): Promise<void> {
    const { kind, id, round, attempts } = delivery;
    const { at, durationMs, status, failure } = attempt;
    await this.sql.transaction([
      {
        text: `INSERT INTO vault.attempts SELECT kind, id, $3, $4, $5, $6, $7, $8 FROM vault.deliveries
                WHERE kind = $1 AND id = $2 ON CONFLICT DO NOTHING`,
        params: [kind, id, round, attempts + 1, at, durationMs, status, failure],
      },
      this.#goOn(delivery, next, attempts + 1),
    ]);
  }

  /** The same without an attempt. */
  async goOn(delivery: Delivery, next: Next): Promise<void> {
    const { text, params = [] } = this.#goOn(delivery, next, delivery.attempts);
    await this.sql.query(text, params);
  }

  /** Whether anything of a lane was delivered from a time on. */
  async deliveredSince(kind: string, lane: string, since: Date): Promise<boolean> {
    const [row] = await this.sql.query(
      `SELECT 1 AS one FROM vault.deliveries
        WHERE kind = $1 AND lane = $2 AND outcome = '${DELIVERED}' AND ended_at >= $3 LIMIT 1`,
      [kind, lane, since],
    );
    return row !== undefined;
  }

  /** Deliveries of a lane, those that were asked for last first; one more than `first` where there are more. */
  log(
    kind: string,
    lane: string,
    filter: DeliveryFilter,
    first: number,
    after: { readonly askedAt: Date; readonly id: string } | undefined,
  ): Promise<LoggedDelivery[]> {
    return this.sql.query<LoggedDelivery & Record<string, unknown>>(
      `SELECT id, about, asked_at AS "askedAt", due_at AS "dueAt", outcome, ended_at AS "endedAt"
         FROM vault.deliveries
        WHERE ${FILTERED}
          AND ($8::timestamptz IS NULL OR (asked_at, id) < ($8::timestamptz, $9::text))
        ORDER BY asked_at DESC, id DESC LIMIT $10`,
      [kind, lane, ...valuesOf(filter), after?.askedAt ?? null, after?.id ?? null, first + 1],
    );
  }

  /** The newest attempts of deliveries, up to `each` of one. */
  attemptsOf(kind: string, ids: readonly string[], each: number): Promise<LoggedAttempt[]> {
    return this.sql.query<LoggedAttempt & Record<string, unknown>>(
      `SELECT a.id AS "deliveryId", a.at, a.duration_ms AS "durationMs", a.status, a.failure
         FROM unnest($2::text[]) AS asked(id) CROSS JOIN LATERAL (
           SELECT * FROM vault.attempts AS a WHERE a.kind = $1 AND a.id = asked.id
            ORDER BY round DESC, number DESC LIMIT $3) AS a
        ORDER BY a.id, a.round DESC, a.number DESC`,
      [kind, ids, each],
    );
  }

  /**
   * Asks again, at once and with all attempts, for deliveries of a lane that have ended, the oldest first.
   * @param command sent again, it asks for nothing more
   * @returns how many; with `limit` of them there may be more
   */
  async replay(
    kind: string,
    lane: string,
    filter: DeliveryFilter,
    command: string,
    limit: number,
    now: Date,
  ): Promise<number> {
    const [, [row] = []] = await this.sql.transaction([
      {
        text: `UPDATE vault.deliveries AS d
                  SET round = d.round + 1, began_at = $8, attempts = 0, due_at = $8, outcome = NULL, ended_at = NULL,
                      asked_by = $10
                 FROM (SELECT kind, id FROM vault.deliveries WHERE ${FILTERED} AND due_at IS NULL
                          AND NOT EXISTS (SELECT FROM vault.deliveries WHERE kind = $1 AND lane = $2 AND asked_by = $10)
                        ORDER BY asked_at, id LIMIT $9) AS found
                WHERE d.kind = found.kind AND d.id = found.id`,
        params: [kind, lane, ...valuesOf(filter), now, limit, command],
      },
      {
        text: `SELECT count(*)::int AS count FROM vault.deliveries
                WHERE kind = $1 AND lane = $2 AND asked_by = $3`,
        params: [kind, lane, command],
      },
      ...this.#tell(),
    ]);
    this.#wake();
    return (row as { count: number }).count;
  }

  /** Forgets deliveries that ended before a time, with their attempts; at most `limit` of them. */
  async forget(before: Date, limit: number): Promise<void> {
    await this.sql.query(
      `DELETE FROM vault.deliveries AS d USING (
         SELECT kind, id FROM vault.deliveries WHERE ended_at < $1 LIMIT $2) AS old
        WHERE d.kind = old.kind AND d.id = old.id`,
      [before, limit],
    );
  }

  /** Calls back when something was asked for, in whatever process. @returns how to stop listening */
  onAsked(listener: () => void): () => void {
    this.#listeners.add(listener);
    const stop = this.sql.listen?.(CHANNEL, listener);
    return () => {
      this.#listeners.delete(listener);
      stop?.();
    };
  }

  #goOn({ kind, id, round }: Delivery, next: Next, attempts: number): Statement {
    const [dueAt, outcome, endedAt] =
      'dueAt' in next ? [next.dueAt, null, null] : [null, next.outcome, next.endedAt];
    return {
      text: `UPDATE vault.deliveries SET attempts = $4, due_at = $5, outcome = $6, ended_at = $7
              WHERE kind = $1 AND id = $2 AND round = $3`,
      params: [kind, id, round, attempts, dueAt, outcome, endedAt],
    };
  }

  #tell(): Statement[] {
    return this.sql.listen ? [{ text: `SELECT pg_notify('${CHANNEL}', '')` }] : [];
  }

  #wake(): void {
    for (const listener of this.#listeners) listener();
  }
}
