import type { ReadModelAccess } from '../../src/following/readModel.js';
import type { Sql } from '../../src/sql/sql.js';

export interface QuotaResetRow {
  readonly accountId: string;
  readonly window: string;
  readonly period: string;
  readonly generation: number;
}

export class QuotaResetQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  /** What was reset since then, and not again. */
  since(at: Date): Promise<QuotaResetRow[]> {
    return this.sql.query(
      `SELECT account AS "accountId", limit_window AS "window", period, generation FROM ${this.model.t('resets')} WHERE reset_at >= $1`,
      [at],
    );
  }
}
