import type { Environment, Position } from '../../src/eventsourcing/event.js';
import type { Sql } from '../../src/sql/sql.js';
import { Amounts } from '../../src/usage/amounts.js';
import type { Subject } from '../../src/usage/events.js';
import { subjectId } from '../../src/usage/events.js';
import type { ReadModelAccess } from '../../src/following/readModel.js';

export interface UsageBucketRow {
  /** The UTC hour or day, e.g. `2026-11-22T13` or `2026-11-22`. */
  readonly bucket: string;
  readonly requests: number;
  readonly refused: number;
  readonly errors: number;
  readonly duration_us: number;
}

export interface UsageByOperationRow {
  readonly operation: string;
  readonly requests: number;
}

export const MAX_OPERATIONS = 50;

export class UsageQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  /** The last event that the ledger has seen. */
  seen(): Position {
    return this.model.state().checkpoint;
  }

  /** When keys were used last, milliseconds since the epoch; those that never were are not in it. */
  async lastUsed(keyIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const rows = await this.sql.query<{ key: string; last_used: number }>(
      `SELECT key, last_used FROM ${this.model.t('keys')} WHERE key = ANY($1::text[])`,
      [keyIds],
    );
    return new Map(rows.map(({ key, last_used }) => [key, last_used]));
  }

  /** Amounts of the given periods, and the last event that is in them. */
  async counters(
    subject: Subject,
    periods: readonly string[],
  ): Promise<{ readonly amounts: Amounts; readonly seen: Position }> {
    for (;;) {
      const { model, version, generation } = this.model.state();
      // One statement: the amounts and the checkpoint of one moment.
      const rows = await this.sql.query<{
        checkpoint: Position;
        meter: string | null;
        period: string;
        amount: number;
      }>(
        `SELECT m.checkpoint, c.meter, c.period, c.amount
           FROM read.models m
           LEFT JOIN ${this.model.t('counters')} c
             ON c.subject = $1 AND c.period = ANY($2::text[])
          WHERE m.model = $3 AND m.version = $4 AND m.generation = $5`,
        [subjectId(subject), periods, model, version, generation],
      );
      const [first] = rows;
      // A rebuild has put another generation in its place: ask that one.
      if (!first) continue;
      const amounts = rows.flatMap(({ meter, period, amount }) =>
        meter === null ? [] : [[meter, period, amount] as const],
      );
      return { amounts: new Amounts(amounts), seen: first.checkpoint };
    }
  }

  /**
   * Sums by hour or day, the oldest first, from `from` (inclusive) to `to` (exclusive), both UTC hours.
   * @param length characters of the bucket's name: 13 for hours, 10 for days
   */
  buckets(
    account: string,
    environment: Environment,
    from: string,
    to: string,
    length: 10 | 13,
  ): Promise<UsageBucketRow[]> {
    return this.sql.query(
      `SELECT left(hour, $5::int) AS bucket,
              sum(requests)::bigint AS requests,
              coalesce(sum(uses) FILTER (WHERE status = 'refused'), 0)::bigint AS refused,
              coalesce(sum(uses) FILTER (WHERE status IN ('error', 'timeout')), 0)::bigint AS errors,
              sum(duration_us)::bigint AS duration_us
         FROM ${this.model.t('hours')}
        WHERE account = $1 AND environment = $2 AND hour >= $3 AND hour < $4
        GROUP BY 1 ORDER BY 1`,
      [account, environment, from, to, length],
    );
  }

  byOperation(
    account: string,
    environment: Environment,
    from: string,
    to: string,
  ): Promise<UsageByOperationRow[]> {
    return this.sql.query(
      `SELECT operation, sum(requests)::bigint AS requests FROM ${this.model.t('hours')}
        WHERE account = $1 AND environment = $2 AND hour >= $3 AND hour < $4
        GROUP BY 1 HAVING sum(requests) > 0 ORDER BY 2 DESC, 1 LIMIT ${MAX_OPERATIONS}`,
      [account, environment, from, to],
    );
  }
}
