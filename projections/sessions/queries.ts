import type { Sql } from '../../src/sql/sql.js';
import type { ReadModelAccess } from '../../src/following/readModel.js';

/** Ends of sessions. Times in milliseconds since the epoch. */
export interface SessionEnds {
  /** The first that ended comes first. */
  readonly sessions: readonly { readonly sessionId: string; readonly at: number }[];
  /** Users whose sessions of earlier epochs have all ended. */
  readonly epochs: readonly { readonly userId: string; readonly epoch: number; readonly at: number }[];
}

export class SessionQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  /** When users last ended all their sessions; those who never did are left out. */
  async ends(): Promise<{ userId: string; at: number }[]> {
    const rows = await this.sql.query<{ user_id: string; began_at: Date }>(
      `SELECT user_id, began_at FROM ${this.model.t('epochs')}`,
    );
    return rows.map(({ user_id: userId, began_at: at }) => ({ userId, at: at.getTime() }));
  }

  /** What has ended since then, for the memory of ended sessions. */
  async endedSince(since: Date): Promise<SessionEnds> {
    const { t } = this.model;
    const sessions = await this.sql.query<{ id: string; ended_at: Date }>(
      `SELECT id, ended_at FROM ${t('sessions')} WHERE ended_at >= $1 ORDER BY ended_at, id`,
      [since],
    );
    const epochs = await this.sql.query<{ user_id: string; epoch: number; began_at: Date }>(
      `SELECT user_id, epoch, began_at FROM ${t('epochs')} WHERE began_at >= $1 ORDER BY began_at, user_id`,
      [since],
    );
    return {
      sessions: sessions.map(({ id, ended_at: at }) => ({ sessionId: id, at: at.getTime() })),
      epochs: epochs.map(({ user_id: userId, epoch, began_at: at }) => ({ userId, epoch, at: at.getTime() })),
    };
  }
}
