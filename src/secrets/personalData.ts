import { randomBytes } from 'node:crypto';
import type { Sql } from '../sql/sql.js';
import { decrypt, encrypt } from './cipher.js';

const MIGRATION = `
CREATE SCHEMA IF NOT EXISTS vault;
-- One key for each person; without it what was sealed with it is erased, in every event and copy.
CREATE TABLE IF NOT EXISTS vault.subject_keys (
  subject text PRIMARY KEY,
  -- Null once it has been erased: the row stays, so that no key is made again.
  wrapped text
);
ALTER TABLE vault.subject_keys ALTER COLUMN wrapped DROP NOT NULL;`;

/** A personal text as events hold it: `v1:<subject>:<ciphertext>`. */
export type Sealed = string;

/** Something is to be sealed for a person whose data have been erased. */
export class SubjectErased extends Error {
  constructor(subject: string) {
    super(`the personal data of ${subject} have been erased`);
    this.name = 'SubjectErased';
  }
}

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

  /** @throws SubjectErased */
  async seal(subject: string, plain: string): Promise<Sealed> {
    const [sealed] = await this.sealAll([{ subject, plain }]);
    if (sealed === undefined || sealed instanceof Error) throw sealed ?? new SubjectErased(subject);
    return sealed;
  }

  /** The same for many at once, in their order; an error in the place of what belongs to somebody erased. */
  async sealAll(
    texts: readonly { readonly subject: string; readonly plain: string }[],
  ): Promise<(Sealed | SubjectErased)[]> {
    const subjects = [...new Set(texts.map(({ subject }) => subject))];
    let wrapped = await this.#wrapped(subjects);
    const missing = subjects.filter((subject) => !wrapped.has(subject));
    if (missing.length > 0) {
      await this.#createKeys(missing);
      // Whoever came first has set a key, or erased it.
      wrapped = new Map([...wrapped, ...(await this.#wrapped(missing))]);
    }
    return texts.map(({ subject, plain }) => {
      const key = wrapped.get(subject);
      if (key === undefined) return new SubjectErased(subject);
      const opened = decrypt(this.masterKey, key, subject);
      return `${VERSION}${subject}:${encrypt(opened, Buffer.from(plain, 'utf8'), subject)}`;
    });
  }

  /** @returns null when the subject's data has been erased */
  async unseal(sealed: Sealed): Promise<string | null> {
    const [plain = null] = await this.unsealAll([sealed]);
    if (plain instanceof Error) throw plain;
    return plain;
  }

  /** The same for many at once, in their order; one that cannot be opened is an error in its place. */
  async unsealAll(sealed: readonly Sealed[]): Promise<(string | null | Error)[]> {
    const wrapped = await this.#wrapped([...new Set(sealed.map(subjectOf))]);
    return sealed.map((text) => {
      try {
        const { subject, body } = partsOf(text);
        const key = wrapped.get(subject);
        if (key === undefined) return null;
        return decrypt(decrypt(this.masterKey, key, subject), body, subject).toString('utf8');
      } catch (error) {
        const { message } = error as Error;
        return new Error(`a sealed text cannot be opened: ${message}`, { cause: error });
      }
    });
  }

  /** Makes all that was ever sealed for the subjects unreadable, for good. Again it changes nothing. */
  async erase(subjects: readonly string[]): Promise<void> {
    await this.sql.query(
      `INSERT INTO vault.subject_keys (subject, wrapped) SELECT s, NULL FROM unnest($1::text[]) AS s
       ON CONFLICT (subject) DO UPDATE SET wrapped = NULL`,
      [[...new Set(subjects)]],
    );
  }

  /** Those of the subjects that have a key. */
  async withKey(subjects: readonly string[]): Promise<string[]> {
    const rows = await this.sql.query<{ subject: string }>(
      'SELECT subject FROM vault.subject_keys WHERE subject = ANY($1::text[]) AND wrapped IS NOT NULL',
      [subjects],
    );
    return rows.map(({ subject }) => subject);
  }

  /** Wrapped keys by subject; those that were erased, or never were, are left out. */
  async #wrapped(subjects: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const rows = await this.sql.query<{ subject: string; wrapped: string }>(
      'SELECT subject, wrapped FROM vault.subject_keys WHERE subject = ANY($1::text[]) AND wrapped IS NOT NULL',
      [subjects],
    );
    return new Map(rows.map(({ subject, wrapped }) => [subject, wrapped]));
  }

  async #createKeys(subjects: readonly string[]): Promise<void> {
    // In one order, so that two who make the same keys do not wait for each other.
    const sorted = [...subjects].sort();
    await this.sql.query(
      `INSERT INTO vault.subject_keys (subject, wrapped) SELECT * FROM unnest($1::text[], $2::text[])
       ON CONFLICT (subject) DO NOTHING`,
      [sorted, sorted.map((subject) => encrypt(this.masterKey, randomBytes(32), subject))],
    );
  }
}

const VERSION = 'v1:';

/** The subject may have colons in it; the ciphertext, in base64url, has none. */
const subjectOf = (sealed: Sealed): string => sealed.slice(VERSION.length, sealed.lastIndexOf(':'));

function partsOf(sealed: Sealed): { readonly subject: string; readonly body: string } {
  const end = sealed.lastIndexOf(':');
  if (!sealed.startsWith(VERSION) || end < VERSION.length) throw new Error('not a sealed text of version 1');
  return { subject: subjectOf(sealed), body: sealed.slice(end + 1) };
}
