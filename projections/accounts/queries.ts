import type { Sql } from '../../src/sql/sql.js';
import type { ReadModelAccess } from '../readModel.js';

export interface AccountRow {
  readonly id: string;
  readonly owner_id: string;
  readonly opened_at: Date;
}

export interface UserRow {
  readonly id: string;
  readonly account_id: string;
  /** Sealed. */
  readonly email: string;
  /** Sealed. */
  readonly name: string;
  readonly registered_at: Date;
}

export interface PlanRow {
  readonly accountId: string;
  readonly plan: string;
  readonly revision: number;
}

export class AccountQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  accounts(ids: readonly string[]): Promise<AccountRow[]> {
    return this.sql.query(`SELECT * FROM ${this.model.t('accounts')} WHERE id = ANY($1::text[])`, [ids]);
  }

  users(ids: readonly string[]): Promise<UserRow[]> {
    return this.sql.query(`SELECT * FROM ${this.model.t('users')} WHERE id = ANY($1::text[])`, [ids]);
  }

  plans(): Promise<PlanRow[]> {
    return this.sql.query(`SELECT account_id AS "accountId", plan, revision FROM ${this.model.t('plans')}`);
  }
}
