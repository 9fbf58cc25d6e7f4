import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Sql } from '../sql/sql.js';

const MIGRATION = `
CREATE SCHEMA IF NOT EXISTS vault;
-- One key for each person; deleting the row erases what was sealed with it, in every event and copy.
CREATE TABLE IF NOT EXISTS vault.subject_keys (
  subject text PRIMARY KEY,
  wrapped text NOT NULL
);`;

/** AES-256-GCM with a random 96-bit nonce (NIST SP 800-38D); the context is authenticated with it. */
function encrypt(key: Buffer, plain: Buffer, context: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
}

function decrypt(key: Buffer, text: string, context: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 })
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(12, 28));
  return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
}

/** A personal text as events hold it: `v1:<subject>:<ciphertext>`. */
export type Sealed = string;

/**
 * Personal fields of events, encrypted with a key per subject that lives in `vault`, wrapped by the
 * master key (decision 21). Without the subject's key what was sealed reads as erased.
 */
export class PersonalData {
  private constructor(
    private readonly sql: Sql,
    private readonly masterKey: Buffer,
  ) {}

  static async open(sql: Sql, masterKey: Buffer): Promise<PersonalData> {
    await sql.script(MIGRATION);
    return new PersonalData(sql, masterKey);
  }

  async seal(subject: string, plain: string): Promise<Sealed> {
    const key = (await this.#key(subject)) ?? (await this.#createKey(subject));
    return `v1:${subject}:${encrypt(key, Buffer.from(plain, 'utf8'), subject)}`;
  }

  /** @returns null when the subject's data has been erased */
  async unseal(sealed: Sealed): Promise<string | null> {
    const [version, subject, body] = sealed.split(':');
    if (version !== 'v1' || subject === undefined || body === undefined) {
      throw new Error('not a sealed text of version 1');
    }
    const key = await this.#key(subject);
    return key ? decrypt(key, body, subject).toString('utf8') : null;
  }

  async #key(subject: string): Promise<Buffer | undefined> {
    const [row] = await this.sql.query<{ wrapped: string }>(
      'SELECT wrapped FROM vault.subject_keys WHERE subject = $1',
      [subject],
    );
    return row && decrypt(this.masterKey, row.wrapped, subject);
  }

  async #createKey(subject: string): Promise<Buffer> {
    const wrapped = encrypt(this.masterKey, randomBytes(32), subject);
    await this.sql.query(
      'INSERT INTO vault.subject_keys (subject, wrapped) VALUES ($1, $2) ON CONFLICT (subject) DO NOTHING',
      [subject, wrapped],
    );
    // Whoever came first has set the key.
    return (await this.#key(subject)) as Buffer;
  }
}
