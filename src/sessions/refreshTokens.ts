import { randomBytes } from 'node:crypto';
import { keyedHash } from '../secrets/secrets.js';
import type { Sql } from '../sql/sql.js';

const MIGRATION = `
CREATE SCHEMA IF NOT EXISTS vault;
CREATE TABLE IF NOT EXISTS vault.refresh_tokens (
  -- A keyed hash: the token itself is stored nowhere.
  hash       text PRIMARY KEY,
  session_id text NOT NULL,
  user_id    text NOT NULL,
  epoch      int NOT NULL,
  -- Goes into the token that follows this one.
  salt       text NOT NULL,
  expires_at timestamptz NOT NULL,
  -- When its successor was first asked for.
  used_at    timestamptz
);
CREATE INDEX IF NOT EXISTS refresh_tokens_by_session ON vault.refresh_tokens (session_id);
CREATE INDEX IF NOT EXISTS refresh_tokens_by_user ON vault.refresh_tokens (user_id);
CREATE INDEX IF NOT EXISTS refresh_tokens_by_end ON vault.refresh_tokens (expires_at);`;

/** A session ends by itself when it was not refreshed for so long. */
export const REFRESH_MS = 30 * 24 * 3_600_000;

/**
 * The same token sent again within this time, while its successor has not been used, gets that same
 * successor again: an answer was lost, or two tabs woke up at once.
 */
export const REPEAT_MS = 10_000;

/** Tokens are removed so long after their end: a clock that is ahead for a moment must not end sessions. */
export const REMOVED_MS = 2 * 24 * 3_600_000;

/** Whose session a refresh token continues. */
export interface RefreshedSession {
  readonly sessionId: string;
  readonly userId: string;
  readonly epoch: number;
}

export type Rotation =
  | { readonly kind: 'rotated'; readonly token: string }
  /** It was used before, and not as a repetition: two have it. */
  | { readonly kind: 'reused' };

interface Row {
  readonly session_id: string;
  readonly user_id: string;
  readonly epoch: number;
  readonly salt: string;
  readonly used_at: Date | null;
}

const TOKEN = /^rt_[A-Za-z0-9_-]{43}$/;

/**
 * Refresh tokens: opaque, 256 bits, each good for one successor. They lie in `vault` (decision 21), as
 * keyed hashes alone. A successor is an HMAC over its predecessor and a salt: whoever repeats a request
 * gets the same one, so that a session never has two tokens that are unused, and nobody can tell it from
 * the database.
 */
export class RefreshTokens {
  private constructor(
    private readonly sql: Sql,
    private readonly key: Buffer,
  ) {}

  static async open(sql: Sql, key: Buffer): Promise<RefreshTokens> {
    await sql.script(MIGRATION);
    return new RefreshTokens(sql, key);
  }

  /** The first token of a session. Tokens that are over are removed on the way. */
  async issue({ sessionId, userId, epoch }: RefreshedSession, now: number): Promise<string> {
    const token = `rt_${randomBytes(32).toString('base64url')}`;
    await this.sql.transaction([
      {
        text: 'DELETE FROM vault.refresh_tokens WHERE expires_at <= $1',
        params: [new Date(now - REMOVED_MS)],
      },
      {
        text: `INSERT INTO vault.refresh_tokens (hash, session_id, user_id, epoch, salt, expires_at)
               VALUES ($1, $2, $3, $4, $5, $6)`,
        params: [this.#hash(token), sessionId, userId, epoch, newSalt(), new Date(now + REFRESH_MS)],
      },
    ]);
    return token;
  }

  /** @returns undefined for a token that is unknown or over */
  async find(token: string, now: number): Promise<RefreshedSession | undefined> {
    const row = await this.#row(token, now);
    return row && { sessionId: row.session_id, userId: row.user_id, epoch: row.epoch };
  }

  /**
   * Exchanges a token for its successor; of many at the same time one does, and all get the same.
   * @returns undefined for a token that is unknown or over
   */
  async rotate(token: string, now: number): Promise<Rotation | undefined> {
    const row = await this.#row(token, now);
    if (!row) return undefined;
    const successor = `rt_${keyedHash(this.key, 'successor', `${token}\0${row.salt}`)}`;
    if (row.used_at === null && (await this.#exchange(token, successor, now))) {
      return { kind: 'rotated', token: successor };
    }
    const [used] = await this.sql.query<{ repeated: boolean }>(
      // Used later than now: the clock was ahead, and nobody can tell how long ago that is.
      `SELECT t.used_at > $3 AND t.used_at < $4 AND s.hash IS NOT NULL AND s.used_at IS NULL AS repeated
         FROM vault.refresh_tokens AS t LEFT JOIN vault.refresh_tokens AS s ON s.hash = $2 WHERE t.hash = $1`,
      [this.#hash(token), this.#hash(successor), new Date(now - REPEAT_MS), new Date(now + REPEAT_MS)],
    );
    // Its session has ended meanwhile, and it was forgotten.
    if (!used) return undefined;
    return used.repeated ? { kind: 'rotated', token: successor } : { kind: 'reused' };
  }

  /** A session is over. */
  async forgetSession(sessionId: string): Promise<void> {
    await this.sql.query('DELETE FROM vault.refresh_tokens WHERE session_id = $1', [sessionId]);
  }

  /** A user's sessions that began before this epoch are over; without one, all. */
  async forgetUser(userId: string, epoch: number | null): Promise<void> {
    await this.sql.query(
      'DELETE FROM vault.refresh_tokens WHERE user_id = $1 AND ($2::int IS NULL OR epoch < $2)',
      [userId, epoch],
    );
  }

  async #exchange(token: string, successor: string, now: number): Promise<boolean> {
    const [made] = await this.sql.query(
      `WITH used AS (
         UPDATE vault.refresh_tokens SET used_at = $3 WHERE hash = $1 AND used_at IS NULL
         RETURNING session_id, user_id, epoch)
       INSERT INTO vault.refresh_tokens (hash, session_id, user_id, epoch, salt, expires_at)
       SELECT $2, session_id, user_id, epoch, $4, $5 FROM used
       RETURNING session_id`,
      [this.#hash(token), this.#hash(successor), new Date(now), newSalt(), new Date(now + REFRESH_MS)],
    );
    return made !== undefined;
  }

  async #row(token: string, now: number): Promise<Row | undefined> {
    if (!TOKEN.test(token)) return undefined;
    const [row] = await this.sql.query<Row>(
      'SELECT * FROM vault.refresh_tokens WHERE hash = $1 AND expires_at > $2',
      [this.#hash(token), new Date(now)],
    );
    return row;
  }

  /** What is looked up is the HMAC's output, which tells a prober nothing. */
  #hash(token: string): string {
    return keyedHash(this.key, 'refresh', token);
  }
}

const newSalt = (): string => randomBytes(16).toString('base64url');
