import type { Environment } from '../../src/eventsourcing/event.js';
import type { KeyLimit, KeyMetadata, Scope } from '../../src/keys/events.js';
import type { Sql } from '../../src/sql/sql.js';
import type { ReadModelAccess } from '../../src/following/readModel.js';

export interface KeyRow {
  readonly id: string;
  readonly account_id: string;
  readonly name: string;
  readonly environment: Environment;
  readonly scopes: readonly Scope[];
  readonly hash: string;
  readonly prefix: string;
  readonly last4: string;
  readonly issued_at: Date;
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
  readonly limits: readonly KeyLimit[];
  readonly metadata: readonly KeyMetadata[];
  /** The oldest first. */
  readonly rotations: readonly KeyRotationRow[];
}

/** Times in ISO 8601. */
export interface KeyRotationRow {
  /** Of the event, which orders them. */
  readonly revision: number;
  readonly at: string;
  readonly hash: string;
  readonly prefix: string;
  readonly last4: string;
  /** When the secret before stops working. */
  readonly graceEndsAt: string;
}

/** What a call needs to know of a key. */
export type KnownKeyRow = Pick<
  KeyRow,
  | 'id'
  | 'account_id'
  | 'environment'
  | 'scopes'
  | 'hash'
  | 'limits'
  | 'rotations'
  | 'expires_at'
  | 'revoked_at'
>;

/** The place behind a row in the order of `ofAccount`. */
export interface KeyCursor {
  readonly issuedAt: Date;
  readonly id: string;
}

export class KeyQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  /** Keys of an account, the oldest first; one more than `first` where there are more. */
  ofAccount(accountId: string, first: number, after: KeyCursor | undefined): Promise<KeyRow[]> {
    return this.sql.query(
      `SELECT * FROM ${this.model.t('keys')}
        WHERE account_id = $1 AND ($2::timestamptz IS NULL OR (issued_at, id) > ($2::timestamptz, $3::text))
        ORDER BY issued_at, id LIMIT $4`,
      [accountId, after?.issuedAt ?? null, after?.id ?? null, first + 1],
    );
  }

  /** Keys of whatever account. */
  byIds(ids: readonly string[]): Promise<KeyRow[]> {
    return this.sql.query(`SELECT * FROM ${this.model.t('keys')} WHERE id = ANY($1::text[])`, [ids]);
  }

  /** Ids of an account's keys that have not been revoked. */
  async unrevoked(accountId: string): Promise<string[]> {
    const rows = await this.sql.query<{ id: string }>(
      `SELECT id FROM ${this.model.t('keys')} WHERE account_id = $1 AND revoked_at IS NULL ORDER BY id`,
      [accountId],
    );
    return rows.map(({ id }) => id);
  }

  /** Everything, for the key cache. */
  known(): Promise<KnownKeyRow[]> {
    return this.sql.query(
      `SELECT id, account_id, environment, scopes, hash, limits, rotations, expires_at, revoked_at
         FROM ${this.model.t('keys')}`,
    );
  }
}
