import type { Role } from '../../src/teams/events.js';
import type { Sql } from '../../src/sql/sql.js';
import type { ReadModelAccess } from '../../src/following/readModel.js';

export interface MemberRow {
  readonly account_id: string;
  readonly user_id: string;
  readonly role: Role;
  readonly own: boolean;
  readonly since: Date;
}

/** An account that a user is a member of. */
export interface MembershipRow extends MemberRow {
  /** Who opened it. */
  readonly owner_id: string;
}

export interface InvitationRow {
  readonly id: string;
  readonly account_id: string;
  /** Sealed for the invitation. */
  readonly email: string;
  readonly role: Role;
  readonly invited_by: string;
  readonly invited_at: Date;
  readonly expires_at: Date;
}

/** The place behind a row in the order of a list. */
export interface TeamCursor {
  readonly at: Date;
  readonly id: string;
}

export class TeamQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  /** Who works in an account, the first who came first; one more than `first` where there are more. */
  members(accountId: string, first: number, after: TeamCursor | undefined): Promise<MemberRow[]> {
    return this.sql.query(
      `SELECT * FROM ${this.model.t('members')}
        WHERE account_id = $1 AND role IS NOT NULL
          AND ($2::timestamptz IS NULL OR (since, user_id) > ($2::timestamptz, $3::text))
        ORDER BY since, user_id LIMIT $4`,
      [accountId, after?.at ?? null, after?.id ?? null, first + 1],
    );
  }

  /** The accounts that a user works in, the one that was first comes first; one more where there are more. */
  accountsOf(userId: string, first: number, after: TeamCursor | undefined): Promise<MembershipRow[]> {
    const members = this.model.t('members');
    return this.sql.query(
      `SELECT m.*, o.user_id AS owner_id
         FROM ${members} AS m JOIN ${members} AS o ON o.account_id = m.account_id AND o.own
        WHERE m.user_id = $1 AND m.role IS NOT NULL
          AND ($2::timestamptz IS NULL OR (m.since, m.account_id) > ($2::timestamptz, $3::text))
        ORDER BY m.since, m.account_id LIMIT $4`,
      [userId, after?.at ?? null, after?.id ?? null, first + 1],
    );
  }

  /** Invitations to an account that wait for an answer at `now`, the oldest first; one more where there are more. */
  invitations(
    accountId: string,
    now: Date,
    first: number,
    after: TeamCursor | undefined,
  ): Promise<InvitationRow[]> {
    return this.sql.query(
      `SELECT * FROM ${this.model.t('invitations')}
        WHERE account_id = $1 AND email IS NOT NULL AND expires_at > $5
          AND ($2::timestamptz IS NULL OR (invited_at, id) > ($2::timestamptz, $3::text))
        ORDER BY invited_at, id LIMIT $4`,
      [accountId, after?.at ?? null, after?.id ?? null, first + 1, now],
    );
  }

  /** Invitations that wait for an answer at `now`. */
  waiting(ids: readonly string[], now: Date): Promise<InvitationRow[]> {
    return this.sql.query(
      `SELECT * FROM ${this.model.t('invitations')}
        WHERE id = ANY($1::text[]) AND email IS NOT NULL AND expires_at > $2`,
      [ids, now],
    );
  }

  /** Accounts that the user works in and has not opened. */
  async joined(userId: string): Promise<string[]> {
    const rows = await this.sql.query<{ account_id: string }>(
      `SELECT account_id FROM ${this.model.t('members')}
        WHERE user_id = $1 AND role IS NOT NULL AND NOT own ORDER BY account_id`,
      [userId],
    );
    return rows.map(({ account_id }) => account_id);
  }

  /** All that were invited to an account, also those whose invitation is over. */
  async invited(accountId: string): Promise<string[]> {
    const rows = await this.sql.query<{ id: string }>(
      `SELECT id FROM ${this.model.t('invitations')} WHERE account_id = $1 ORDER BY id`,
      [accountId],
    );
    return rows.map(({ id }) => id);
  }

  /** Invitations whose e-mail nobody needs any more. */
  async over(now: Date): Promise<string[]> {
    const rows = await this.sql.query<{ id: string }>(
      `SELECT id FROM ${this.model.t('invitations')} WHERE email IS NULL OR expires_at <= $1 ORDER BY id`,
      [now],
    );
    return rows.map(({ id }) => id);
  }

  /** Everything, for the memberships in memory: ended ones too, own accounts not. */
  memberships(): Promise<{ accountId: string; userId: string; role: Role | null; revision: number }[]> {
    return this.sql.query(
      `SELECT account_id AS "accountId", user_id AS "userId", role, revision
         FROM ${this.model.t('members')} WHERE NOT own`,
    );
  }
}
