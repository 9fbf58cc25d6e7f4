import type { Environment } from '../../src/eventsourcing/event.js';
import type { Sql } from '../../src/sql/sql.js';
import type { ReadModelAccess } from '../readModel.js';

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

export class UsageQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  /** Amounts of the given periods by `meter|period`. */
  async counters(
    account: string,
    environment: Environment,
    periods: readonly string[],
  ): Promise<Map<string, number>> {
    const rows = await this.sql.query<{ meter: string; period: string; amount: number }>(
      `SELECT meter, period, amount FROM ${this.model.t('counters')}
        WHERE account = $1 AND environment = $2 AND period = ANY($3::text[])`,
      [account, environment, periods],
    );
    return new Map(rows.map((row) => [`${row.meter}|${row.period}`, row.amount]));
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
        GROUP BY 1 HAVING sum(requests) > 0 ORDER BY 2 DESC, 1 LIMIT 50`,
      [account, environment, from, to],
    );
  }
}
