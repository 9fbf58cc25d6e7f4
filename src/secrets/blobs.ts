import { createHash } from 'node:crypto';
import type { Sql } from '../sql/sql.js';
import type { PersonalData } from './personalData.js';

const MIGRATION = `
CREATE SCHEMA IF NOT EXISTS vault;
-- Large or personal bodies. Events hold hash and size.
CREATE TABLE IF NOT EXISTS vault.blobs (
  hash    text NOT NULL,
  subject text NOT NULL,
  sealed  text NOT NULL,
  PRIMARY KEY (hash, subject)
);`;

/** What an event says of a body that it does not hold itself. */
export interface BlobRef {
  /** SHA-256 in lower-case hex. */
  readonly hash: string;
  readonly bytes: number;
}

/**
 * Large or personal bodies (decision 22), encrypted with the key of whom they are about: erasing the key erases
 * them. A body is stored before the event that cites it; one without an event is of no consequence.
 */
export class Blobs {
  private constructor(
    private readonly sql: Sql,
    private readonly personal: PersonalData,
  ) {}

  static async open(sql: Sql, personal: PersonalData): Promise<Blobs> {
    await sql.script(MIGRATION);
    return new Blobs(sql, personal);
  }

  /** Again it changes nothing. @throws SubjectErased */
  async put(subject: string, body: Uint8Array): Promise<BlobRef> {
    const hash = createHash('sha256').update(body).digest('hex');
    const sealed = await this.personal.seal(subject, Buffer.from(body).toString('base64'));
    await this.sql.query(
      'INSERT INTO vault.blobs (hash, subject, sealed) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
      [hash, subject, sealed],
    );
    return { hash, bytes: body.byteLength };
  }

  /** @returns null for one that is not there, or has been erased */
  async get(subject: string, hash: string): Promise<Buffer | null> {
    const [row] = await this.sql.query<{ sealed: string }>(
      'SELECT sealed FROM vault.blobs WHERE hash = $1 AND subject = $2',
      [hash, subject],
    );
    const text = row ? await this.personal.unseal(row.sealed) : null;
    return text === null ? null : Buffer.from(text, 'base64');
  }
}
