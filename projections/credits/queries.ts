import type { ReadModelAccess } from '../../src/following/readModel.js';
import type { Sql } from '../../src/sql/sql.js';

/** What an account may use above its limits, since it has paid before. */
export interface CreditRow {
  readonly account_id: string;
  readonly debt: number;
  readonly available: number;
  readonly drawn: Readonly<Record<string, number>>;
  readonly drawn_until: Date | null;
  readonly revision: number;
}

export class CreditQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  all(): Promise<CreditRow[]> {
    return this.sql.query<CreditRow & Record<string, unknown>>(
      `SELECT a.account_id, a.debt, a.drawn, a.drawn_until, a.revision,
              coalesce((SELECT sum(remaining) FROM ${this.model.t('grants')} g
                         WHERE g.account_id = a.account_id), 0)::bigint AS available
         FROM ${this.model.t('accounts')} a`,
    );
  }

  /** Accounts with a checkout of credits that is under way, or a refund that is asked for. */
  async pending(limit: number, without: readonly string[]): Promise<string[]> {
    const rows = await this.sql.query<{ account_id: string }>(
      `SELECT account_id FROM ${this.model.t('purchases')} WHERE account_id <> ALL($2::text[])
        UNION SELECT account_id FROM ${this.model.t('refunds')} WHERE account_id <> ALL($2::text[])
        ORDER BY account_id LIMIT $1`,
      [limit, without],
    );
    return rows.map(({ account_id: id }) => id);
  }

  /** Accounts that buy credits where few are left. */
  async toppingUp(limit: number, without: readonly string[]): Promise<string[]> {
    const rows = await this.sql.query<{ account_id: string }>(
      `SELECT account_id FROM ${this.model.t('top_ups')}
        WHERE account_id <> ALL($2::text[]) ORDER BY account_id LIMIT $1`,
      [limit, without],
    );
    return rows.map(({ account_id: id }) => id);
  }

  /** Accounts with credits that have expired by then. */
  async expired(by: Date, limit: number, without: readonly string[]): Promise<string[]> {
    const rows = await this.sql.query<{ account_id: string }>(
      `SELECT DISTINCT account_id FROM ${this.model.t('grants')}
        WHERE remaining > 0 AND expires_at <= $1 AND account_id <> ALL($3::text[])
        ORDER BY account_id LIMIT $2`,
      [by, limit, without],
    );
    return rows.map(({ account_id: id }) => id);
  }
}
