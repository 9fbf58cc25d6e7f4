import type { ReadModelAccess } from '../../src/following/readModel.js';
import type { Sql } from '../../src/sql/sql.js';

/** A rule set with its newest version. */
export interface RuleSetRow {
  readonly id: string;
  readonly account_id: string;
  readonly version: number;
  /** Sealed. */
  readonly content: string;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export class RuleSetQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  /** The oldest first; one more than `first` where there are more. @param after the last of the page before */
  ofAccount(
    accountId: string,
    first: number,
    after: { readonly at: Date; readonly id: string } | undefined,
  ): Promise<RuleSetRow[]> {
    return this.sql.query(
      `SELECT s.*, v.content FROM ${this.model.t('rule_sets')} s
         JOIN ${this.model.t('rule_set_versions')} v ON v.id = s.id AND v.version = s.version
        WHERE s.account_id = $1
          AND ($2::timestamptz IS NULL OR (s.created_at, s.id) > ($2::timestamptz, $3::text))
        ORDER BY s.created_at, s.id LIMIT $4`,
      [accountId, after?.at ?? null, after?.id ?? null, first + 1],
    );
  }

  byIds(ids: readonly string[]): Promise<RuleSetRow[]> {
    return this.sql.query(
      `SELECT s.*, v.content FROM ${this.model.t('rule_sets')} s
         JOIN ${this.model.t('rule_set_versions')} v ON v.id = s.id AND v.version = s.version
        WHERE s.id = ANY($1::text[])`,
      [ids],
    );
  }

  /** The content of a version, sealed; undefined where there is none. */
  async content(id: string, version: number): Promise<string | undefined> {
    const [row] = await this.sql.query<{ content: string }>(
      `SELECT content FROM ${this.model.t('rule_set_versions')} WHERE id = $1 AND version = $2`,
      [id, version],
    );
    return row?.content;
  }

  /** Ids of all that an account has. */
  async ids(accountId: string): Promise<string[]> {
    const rows = await this.sql.query<{ id: string }>(
      `SELECT id FROM ${this.model.t('rule_sets')} WHERE account_id = $1 ORDER BY id`,
      [accountId],
    );
    return rows.map(({ id }) => id);
  }
}
