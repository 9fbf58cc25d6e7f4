import { randomBytes } from 'node:crypto';
import { compositeKey } from '../../eventsourcing/compositeKey.js';
import { keyedHash } from '../../secrets/secrets.js';
import type { Sql } from '../../sql/sql.js';
import { tidy } from '../../text/text.js';

const SCHEMA = `
CREATE SCHEMA IF NOT EXISTS vault;
-- End customers as reporters name them; what the journal has is their ids (decision 27).
CREATE TABLE IF NOT EXISTS vault.use_subjects (
  account text NOT NULL,
  -- Keyed, of account and name.
  hash    text NOT NULL,
  id      text NOT NULL,
  PRIMARY KEY (account, hash)
);`;

const PURPOSE = 'use-subject';
/** No end customer has it: ids are longer. */
const NOBODY = '-';

/**
 * The end customers that uses name. A name may be personal, so the journal has a random id for it; once the row
 * here is deleted, nobody can tell whose it was.
 */
export class SubjectIds {
  private constructor(
    private readonly sql: Sql,
    private readonly secret: Buffer,
  ) {}

  static async open(sql: Sql, secret: Buffer): Promise<SubjectIds> {
    await sql.script(SCHEMA);
    return new SubjectIds(sql, secret);
  }

  /** The ids of names, each made when it is first asked for; in the order in which they are asked for. */
  async of(named: readonly (readonly [accountId: string, name: string])[]): Promise<string[]> {
    if (named.length === 0) return [];
    const hashes = named.map((pair) => keyedHash(this.secret, PURPOSE, compositeKey(...pair)));
    const wanted = new Map(hashes.map((hash, i) => [hash, named[i]?.[0] as string]));
    const [accounts, distinct] = [[...wanted.values()], [...wanted.keys()]];
    const read = async (): Promise<Map<string, string>> => {
      const rows = await this.sql.query<{ hash: string; id: string }>(
        'SELECT hash, id FROM vault.use_subjects WHERE account = ANY($1::text[]) AND hash = ANY($2::text[])',
        [accounts, distinct],
      );
      return new Map(rows.map(({ hash, id }) => [hash, id]));
    };
    let byHash = await read();
    // Most have been named before: a call writes nothing for them.
    if (byHash.size < distinct.length) {
      const ids = distinct.map(() => randomBytes(16).toString('base64url'));
      // Whoever was faster has named it.
      await this.sql.query(
        `INSERT INTO vault.use_subjects SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS r(a, h, i)
         ORDER BY a, h ON CONFLICT DO NOTHING`,
        [accounts, distinct, ids],
      );
      byHash = await read();
    }
    return hashes.map((hash) => byHash.get(hash) as string);
  }

  /**
   * The id of a name, for whoever asks what is counted for it.
   * @returns one that nobody has, for a name that was never reported
   */
  async idOf(accountId: string, name: string): Promise<string> {
    return (await this.known(accountId, tidy(name))) ?? NOBODY;
  }

  /** The id of a name that was reported before; undefined for others. */
  async known(accountId: string, name: string): Promise<string | undefined> {
    const [row] = await this.sql.query<{ id: string }>(
      'SELECT id FROM vault.use_subjects WHERE account = $1 AND hash = $2',
      [accountId, keyedHash(this.secret, PURPOSE, compositeKey(accountId, name))],
    );
    return row?.id;
  }

  /** Nobody can tell any more whom the uses of an account name. */
  async forget(accountId: string): Promise<void> {
    await this.sql.query('DELETE FROM vault.use_subjects WHERE account = $1', [accountId]);
  }
}
