import type { Sql } from '../../src/sql/sql.js';
import type { ReadModelAccess } from '../../src/following/readModel.js';

export interface AccountRow {
  readonly id: string;
  readonly owner_id: string;
  readonly opened_at: Date;
  readonly deleted_at: Date | null;
  /** Sealed; null where it was given none, and once it is deleted. */
  readonly name: string | null;
}

export interface UserRow {
  readonly id: string;
  readonly account_id: string;
  /** Sealed; null once it has been erased. */
  readonly email: string | null;
  /** Sealed; null once it has been erased. */
  readonly name: string | null;
  readonly email_verified: boolean;
  readonly registered_at: Date;
  readonly erased_at: Date | null;
}

export interface PlanRow {
  readonly accountId: string;
  readonly source: 'granted' | 'paid';
  /** Null once it has ended. */
  readonly plan: string | null;
  readonly revision: number;
  /** When it ends by itself, milliseconds since the epoch; null for one that does not. */
  readonly until: number | null;
}

/** Which accounts; what is not given is not asked for. */
export interface AccountsAsked {
  readonly id?: string | undefined;
  readonly planId?: string | undefined;
  /** Of accounts that were granted none. */
  readonly defaultPlan: string;
}

export class AccountQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  accounts(ids: readonly string[]): Promise<AccountRow[]> {
    return this.sql.query(`SELECT * FROM ${this.model.t('accounts')} WHERE id = ANY($1::text[])`, [ids]);
  }

  /**
   * Accounts, the newest first; one more than `first` where there are more.
   * @param before the last account of the page before
   */
  page(
    { id, planId, defaultPlan }: AccountsAsked,
    first: number,
    before: { readonly at: Date; readonly id: string } | undefined,
  ): Promise<AccountRow[]> {
    return this.sql.query(
      `SELECT a.* FROM ${this.model.t('accounts')} a
         LEFT JOIN ${this.model.t('plans')} g ON g.account_id = a.id AND g.source = 'granted'
         LEFT JOIN ${this.model.t('plans')} p ON p.account_id = a.id AND p.source = 'paid'
        WHERE ($1::text IS NULL OR a.id = $1)
          AND ($2::text IS NULL OR COALESCE(g.plan, p.plan, $3::text) = $2)
          AND ($4::timestamptz IS NULL OR (a.opened_at, a.id) < ($4::timestamptz, $5::text))
        ORDER BY a.opened_at DESC, a.id DESC LIMIT $6`,
      [id ?? null, planId ?? null, defaultPlan, before?.at ?? null, before?.id ?? null, first + 1],
    );
  }

  users(ids: readonly string[]): Promise<UserRow[]> {
    return this.sql.query(`SELECT * FROM ${this.model.t('users')} WHERE id = ANY($1::text[])`, [ids]);
  }

  /** Deleted accounts, each with the user whose data are erased with it. */
  deleted(): Promise<{ accountId: string; ownerId: string }[]> {
    return this.sql.query(
      `SELECT id AS "accountId", owner_id AS "ownerId" FROM ${this.model.t('accounts')}
        WHERE deleted_at IS NOT NULL`,
    );
  }

  /** The plan that an account has of its own: what is granted goes before what is paid for. */
  async planOf(accountId: string): Promise<string | undefined> {
    const [row] = await this.sql.query<{ plan: string }>(
      `SELECT plan FROM ${this.model.t('plans')} WHERE account_id = $1 AND plan IS NOT NULL
        ORDER BY source LIMIT 1`,
      [accountId],
    );
    return row?.plan;
  }

  plans(): Promise<PlanRow[]> {
    return this.sql.query(
      `SELECT account_id AS "accountId", source, plan, revision,
              (extract(epoch FROM until) * 1000)::float8 AS until
         FROM ${this.model.t('plans')}`,
    );
  }

  /** Accounts whose plan was granted for a time that is over, the longest over first. */
  async grantsOver(at: Date, limit: number): Promise<string[]> {
    const rows = await this.sql.query<{ account_id: string }>(
      `SELECT account_id FROM ${this.model.t('plans')}
        WHERE source = 'granted' AND plan IS NOT NULL AND until <= $1 ORDER BY until LIMIT $2`,
      [at, limit],
    );
    return rows.map(({ account_id: id }) => id);
  }
}
