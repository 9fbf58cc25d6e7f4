import type { Sql } from '../../src/sql/sql.js';
import type { ReadModelAccess } from '../../src/following/readModel.js';

/** A user whom an issuer vouches for. */
export interface LinkRow {
  /** Keyed hash of issuer and subject. */
  readonly identity: string;
  readonly userId: string;
  readonly accountId: string;
}

export class IdentityQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  /** All, for the memory of links. */
  links(): Promise<LinkRow[]> {
    return this.sql.query(
      `SELECT identity, user_id AS "userId", account_id AS "accountId" FROM ${this.model.t('links')}`,
    );
  }
}
