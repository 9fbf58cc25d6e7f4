import type { ReadModelAccess } from '../../src/following/readModel.js';
import type { Sql } from '../../src/sql/sql.js';

export interface ThresholdRow {
  readonly id: string;
  readonly key: string | null;
  readonly limit_name: string;
  readonly meter: string;
  readonly window: string;
  readonly max: number;
  readonly percent: number;
  /** All digits. */
  readonly used: string;
  readonly reached_at: Date;
}

/** The place behind a row in the order of the list. */
export interface ThresholdCursor {
  readonly reachedAt: Date;
  readonly percent: number;
  readonly id: string;
}

export class ThresholdQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  /** Those of an account, the newest first, and of one use the highest; one more than `first` where there are more. */
  reached(account: string, first: number, after: ThresholdCursor | undefined): Promise<ThresholdRow[]> {
    return this.sql.query(
      `SELECT id, key, limit_name, meter, "window", max, percent, used::text AS used, reached_at
         FROM ${this.model.t('thresholds')}
        WHERE account = $1 AND ($2::timestamptz IS NULL OR (reached_at, percent, id) < ($2::timestamptz, $3::int, $4::text))
        ORDER BY reached_at DESC, percent DESC, id DESC LIMIT $5`,
      [account, after?.reachedAt ?? null, after?.percent ?? null, after?.id ?? null, first + 1],
    );
  }
}
