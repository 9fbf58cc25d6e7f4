import { createHash } from 'node:crypto';
import DataLoader from 'dataloader';
import type { Sql } from '../sql/sql.js';
import type { PersonalData, SubjectErased } from '../secrets/personalData.js';
import type { BlobFacts } from './store.js';

const MIGRATION = `
CREATE SCHEMA IF NOT EXISTS vault;
-- Bodies that are about somebody. Events hold hash and size.
CREATE TABLE IF NOT EXISTS vault.blobs (
  hash    text NOT NULL,
  subject text NOT NULL,
  sealed  text NOT NULL,
  PRIMARY KEY (hash, subject)
);`;

/** So many small bodies are stored in one statement. */
const MAX_TOGETHER = 64;
const SMALL_BYTES = 64 * 1024;

interface Body {
  readonly subject: string;
  readonly body: Uint8Array;
}

/**
 * Bodies that are about somebody (decision 22), encrypted with the key of that person's data: erasing it erases
 * them, and nothing is taken for who was erased. Many small ones come at once, so that they are rows beside that
 * key; what is large, or ends by itself, is a blob. A body is stored before the event that cites it; one without
 * an event is of no consequence.
 */
export class PersonalBodies {
  /** Small bodies that come at once are stored at once. */
  readonly #small: DataLoader<Body, BlobFacts>;

  private constructor(
    private readonly sql: Sql,
    private readonly personal: PersonalData,
  ) {
    this.#small = new DataLoader((bodies: readonly Body[]) => this.#putAll(bodies), {
      cache: false,
      maxBatchSize: MAX_TOGETHER,
      // Once all requests that have arrived were read.
      batchScheduleFn: (dispatch) => void setImmediate(dispatch),
    });
  }

  static async open(sql: Sql, personal: PersonalData): Promise<PersonalBodies> {
    await sql.script(MIGRATION);
    return new PersonalBodies(sql, personal);
  }

  /** Again it changes nothing. @throws SubjectErased */
  async put(subject: string, body: Uint8Array): Promise<BlobFacts> {
    if (body.byteLength <= SMALL_BYTES) return this.#small.load({ subject, body });
    const [stored] = await this.#putAll([{ subject, body }]);
    if (stored === undefined || stored instanceof Error) throw stored ?? new Error('nothing was stored');
    return stored;
  }

  /** An error in the place of what belongs to somebody whose data have been erased. */
  async #putAll(bodies: readonly Body[]): Promise<(BlobFacts | SubjectErased)[]> {
    const sealed = await this.personal.sealAll(
      bodies.map(({ subject, body }) => ({ subject, plain: Buffer.from(body).toString('base64') })),
    );
    const put = bodies.map(({ subject, body }, place) => {
      const text = sealed[place];
      if (text === undefined || text instanceof Error) return text ?? new Error('nothing was sealed');
      const hash = createHash('sha256').update(body).digest('hex');
      return { hash, bytes: body.byteLength, subject, text };
    });
    // In one order, so that two who store the same bodies do not wait for each other.
    const rows = put
      .flatMap((one) => (one instanceof Error ? [] : [one]))
      .sort((a, b) => (a.hash < b.hash ? -1 : 1));
    if (rows.length > 0) {
      await this.sql.query(
        `INSERT INTO vault.blobs (hash, subject, sealed) SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
         ON CONFLICT DO NOTHING`,
        [rows.map(({ hash }) => hash), rows.map(({ subject }) => subject), rows.map(({ text }) => text)],
      );
    }
    return put.map((one) => (one instanceof Error ? one : { hash: one.hash, bytes: one.bytes }));
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
