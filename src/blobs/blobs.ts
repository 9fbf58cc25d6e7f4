import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../clock.js';
import { contentHash } from '../eventsourcing/ids.js';
import { decrypt, decryptBytes, encrypt, encryptBytes } from '../secrets/cipher.js';
import type { Sql } from '../sql/sql.js';
import type { BlobFacts, BlobStore } from './store.js';

const MIGRATION = `
CREATE SCHEMA IF NOT EXISTS vault;
-- The key of each blob, wrapped by the master key: without it the blob is gone, in every copy and backup.
CREATE TABLE IF NOT EXISTS vault.blob_keys (
  id         text PRIMARY KEY,
  -- Of its body in the store.
  name       text NOT NULL UNIQUE,
  subject    text NOT NULL,
  -- Null once it was shredded: the row stays until the body is removed.
  wrapped    text,
  -- SHA-256 of the body, in hex.
  hash       text NOT NULL,
  bytes      bigint NOT NULL,
  -- Whether the body lies in the store.
  stored     boolean NOT NULL DEFAULT false,
  made_at    timestamptz NOT NULL,
  -- Null for what is kept until it is shredded.
  expires_at timestamptz
);
CREATE INDEX IF NOT EXISTS blob_keys_by_end ON vault.blob_keys (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS blob_keys_by_subject ON vault.blob_keys (subject);
CREATE INDEX IF NOT EXISTS blob_keys_left ON vault.blob_keys (made_at) WHERE wrapped IS NULL OR NOT stored;`;

/** A body that is not whole after so long was left by a crash, in milliseconds. */
const LEFT_MS = 3_600_000;
/** Blobs that are looked at in one statement. */
const BATCH = 200;

/** Another body lies under this id, or one did that was shredded. */
export class BlobExists extends Error {
  constructor(id: string) {
    super(`there is another blob ${id}, or there was`);
    this.name = 'BlobExists';
  }
}

interface KeyRow {
  readonly wrapped: string | null;
  readonly hash: string;
  readonly bytes: number;
  readonly stored: boolean;
  readonly expires_at: Date | null;
}

/**
 * Large or personal bodies, each encrypted with a key of its own (AES-256-GCM), which lies in `vault`. Shredding a
 * blob deletes its key at once; the body follows. A key goes before its body and is removed after it, so that a
 * crash at any point leaves nothing that the sweep does not find.
 */
export class Blobs {
  private constructor(
    private readonly sql: Sql,
    private readonly masterKey: Buffer,
    private readonly store: BlobStore,
    private readonly clock: Clock,
  ) {}

  static async open(sql: Sql, masterKey: Buffer, store: BlobStore, clock: Clock): Promise<Blobs> {
    await sql.script(MIGRATION);
    return new Blobs(sql, masterKey, store, clock);
  }

  /**
   * Stores a body; the same again changes nothing.
   * @param subject whose it is: an account, or whatever is erased as one
   * @param expiresAt when it is shredded by itself, in milliseconds since the epoch; null for never
   * @throws BlobExists
   */
  async put(
    id: string,
    body: Uint8Array,
    { subject, expiresAt }: { readonly subject: string; readonly expiresAt: number | null },
  ): Promise<BlobFacts> {
    const hash = createHash('sha256').update(body).digest('hex');
    const bytes = body.byteLength;
    const made = encrypt(this.masterKey, randomBytes(32), contextOf(id));
    await this.sql.query(
      `INSERT INTO vault.blob_keys (id, name, subject, wrapped, hash, bytes, made_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING`,
      [
        id,
        nameOf(id),
        subject,
        made,
        hash,
        bytes,
        this.#now(),
        expiresAt === null ? null : new Date(expiresAt),
      ],
    );
    const row = await this.#row(id);
    if (row === undefined || row.wrapped === null || row.hash !== hash) throw new BlobExists(id);
    if (row.stored) return { hash, bytes };
    await this.store.write(nameOf(id), encryptBytes(this.#unwrap(id, row.wrapped), body, contextOf(id)));
    const kept = await this.sql.query(
      'UPDATE vault.blob_keys SET stored = true WHERE id = $1 AND wrapped IS NOT NULL RETURNING id',
      [id],
    );
    // It was shredded meanwhile.
    if (kept.length === 0) throw new BlobExists(id);
    return { hash, bytes };
  }

  /** @returns null for what is not there, not whole, over, or shredded */
  async get(id: string): Promise<Buffer | null> {
    const row = await this.#row(id);
    if (!row?.stored || row.wrapped === null) return null;
    if (row.expires_at !== null && row.expires_at.getTime() <= this.clock()) return null;
    const body = await this.store.read(nameOf(id));
    return body === undefined ? null : decryptBytes(this.#unwrap(id, row.wrapped), body, contextOf(id));
  }

  /** Brings the end of a blob forward, in milliseconds since the epoch; never back. */
  async expireBy(id: string, time: number): Promise<void> {
    await this.sql.query(
      `UPDATE vault.blob_keys SET expires_at = $2 WHERE id = $1 AND (expires_at IS NULL OR expires_at > $2)`,
      [id, new Date(time)],
    );
  }

  /** Makes bodies unreadable for good, at once. What is not there is no error. */
  async shred(ids: readonly string[]): Promise<void> {
    await this.sql.query('UPDATE vault.blob_keys SET wrapped = NULL WHERE id = ANY($1::text[])', [ids]);
    await this.#remove(ids);
  }

  /** The same with all that a subject has. */
  async shredSubject(subject: string): Promise<void> {
    const rows = await this.sql.query<{ id: string }>(
      'UPDATE vault.blob_keys SET wrapped = NULL WHERE subject = $1 RETURNING id',
      [subject],
    );
    await this.#remove(rows.map(({ id }) => id));
  }

  /**
   * Shreds what is over, and removes what crashes have left.
   * @returns how many there were
   */
  async sweep(): Promise<number> {
    let swept = 0;
    for (;;) {
      const rows = await this.sql.query<{ id: string }>(
        `SELECT id FROM vault.blob_keys
          WHERE expires_at <= $1 OR wrapped IS NULL OR (NOT stored AND made_at < $2)
          ORDER BY made_at, id LIMIT ${BATCH}`,
        [this.#now(), new Date(this.clock() - LEFT_MS)],
      );
      if (rows.length === 0) break;
      await this.shred(rows.map(({ id }) => id));
      swept += rows.length;
    }
    return swept + (await this.#removeStrays());
  }

  /** Bodies without a key, as an old backup of the database leaves them. */
  async #removeStrays(): Promise<number> {
    const before = this.clock() - LEFT_MS;
    let removed = 0;
    for (let after = ''; ;) {
      const names = await this.store.olderThan(before, after, BATCH);
      const last = names.at(-1);
      if (last === undefined) return removed;
      const known = await this.sql.query<{ name: string }>(
        'SELECT name FROM vault.blob_keys WHERE name = ANY($1::text[])',
        [names],
      );
      const kept = new Set(known.map(({ name }) => name));
      for (const name of names) {
        if (kept.has(name)) continue;
        await this.store.remove(name);
        removed += 1;
      }
      after = last;
    }
  }

  async #remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) await this.store.remove(nameOf(id));
    await this.sql.query('DELETE FROM vault.blob_keys WHERE id = ANY($1::text[]) AND wrapped IS NULL', [ids]);
  }

  async #row(id: string): Promise<KeyRow | undefined> {
    const [row] = await this.sql.query<KeyRow>(
      'SELECT wrapped, hash, bytes, stored, expires_at FROM vault.blob_keys WHERE id = $1',
      [id],
    );
    return row;
  }

  #unwrap(id: string, wrapped: string): Buffer {
    return decrypt(this.masterKey, wrapped, contextOf(id));
  }

  #now(): Date {
    return new Date(this.clock());
  }
}

/** Authenticated with what is encrypted: a body is good for its own id alone. */
const contextOf = (id: string): string => `blob ${id}`;

/** As stores know it: fit for a file, and no word of what it is. */
const nameOf = (id: string): string => contentHash(contextOf(id)).slice(0, 32);
