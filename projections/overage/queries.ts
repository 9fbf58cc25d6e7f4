import type { ReadModelAccess } from '../../src/following/readModel.js';
import type { Sql } from '../../src/sql/sql.js';

/** By what an account is billed. */
export interface BilledAccountRow {
  readonly account_id: string;
  /** Milliseconds since the epoch; null for one that has never subscribed. */
  readonly anchor: number | null;
  readonly trial: boolean;
  readonly terms: number | null;
  readonly ended_at: Date | null;
  readonly revision: number;
  readonly allowed: boolean;
  readonly cap_amount: number | null;
  readonly cap_currency: string | null;
  readonly cap_rule: 'refuse' | 'alert' | null;
  readonly settings_revision: number;
}

const COLUMNS =
  'account_id, anchor, trial, CASE WHEN terms IS NOT NULL THEN greatest(terms, grant_revision) END AS terms, ended_at, greatest(revision, CASE WHEN terms IS NOT NULL THEN grant_revision END) AS revision, allowed, cap_amount, cap_currency, cap_rule, settings_revision';

export class OverageQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  all(): Promise<BilledAccountRow[]> {
    return this.#rows('WHERE anchor IS NOT NULL OR settings_revision >= 0');
  }

  async of(accountId: string): Promise<BilledAccountRow | undefined> {
    const [row] = await this.#rows('WHERE account_id = $1', [accountId]);
    return row;
  }

  /** Accounts that have, or have had, use above limits that they pay for, and may have something to be done. */
  open(): Promise<BilledAccountRow[]> {
    return this.#rows(
      `WHERE ever_allowed AND anchor IS NOT NULL
         AND (ended_at IS NULL OR closed_to IS NULL OR closed_to < ended_at
              OR closed_period IS DISTINCT FROM invoiced_period)
       ORDER BY account_id`,
    );
  }

  #rows(where: string, params: readonly unknown[] = []): Promise<BilledAccountRow[]> {
    return this.sql.query<BilledAccountRow & Record<string, unknown>>(
      `SELECT ${COLUMNS} FROM ${this.model.t('accounts')} ${where}`,
      params,
    );
  }
}
