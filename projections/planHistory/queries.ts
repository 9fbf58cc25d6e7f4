import type { ReadModelAccess } from '../../src/following/readModel.js';
import type { Sql } from '../../src/sql/sql.js';

export interface AccountCounts {
  readonly opened: number;
  readonly deleted: number;
}

export class PlanHistoryQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  /**
   * How many accounts were open at a moment, by their plan: what is granted before what is paid. The largest first.
   * @param defaultPlan of those that have none of their own
   */
  accountsByPlan(
    at: Date,
    defaultPlan: string,
  ): Promise<{ readonly plan: string; readonly accounts: number }[]> {
    const { t } = this.model;
    return this.sql.query(
      `WITH open AS (
         SELECT id FROM ${t('accounts')}
          WHERE opened_at <= $1::timestamptz AND (deleted_at IS NULL OR deleted_at > $1::timestamptz)
       ), last AS (
         SELECT DISTINCT ON (account, source) account, source, plan, until FROM ${t('plans')}
          WHERE at <= $1::timestamptz ORDER BY account, source, revision DESC
       ), own AS (
         SELECT DISTINCT ON (account) account, plan FROM last
          WHERE plan IS NOT NULL AND (until IS NULL OR until > $1::timestamptz) ORDER BY account, source
       )
       SELECT coalesce(own.plan, $2::text) AS plan, count(*)::int AS accounts
         FROM open LEFT JOIN own ON own.account = open.id GROUP BY 1 ORDER BY 2 DESC, 1`,
      [at, defaultPlan],
    );
  }

  /** How many were opened and deleted from one moment (exclusive) to another (inclusive). */
  async changes(from: Date, to: Date): Promise<AccountCounts> {
    const [row] = await this.sql.query<AccountCounts>(
      `SELECT count(*) FILTER (WHERE opened_at > $1 AND opened_at <= $2)::int AS opened,
              count(*) FILTER (WHERE deleted_at > $1 AND deleted_at <= $2)::int AS deleted
         FROM ${this.model.t('accounts')}`,
      [from, to],
    );
    return row ?? { opened: 0, deleted: 0 };
  }
}
