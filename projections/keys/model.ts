import { as } from '../../src/eventsourcing/event.js';
import type { KeyEvent } from '../../src/keys/events.js';
import type { Statement } from '../../src/sql/sql.js';
import type { ReadModel } from '../readModel.js';

/** A row as it is written, its columns in the table's order. */
interface Row {
  readonly id: string;
  readonly account_id: string;
  readonly name: string;
  readonly environment: string;
  readonly scopes: readonly string[];
  readonly hash: string;
  readonly prefix: string;
  readonly last4: string;
  readonly issued_at: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
  readonly revision: number;
}

/** All keys: what the key cache is loaded from, and what an account sees of its own. */
export const keys: ReadModel = {
  name: 'keys',
  version: 1,
  tables: ['keys'],
  handles: new Set<KeyEvent['type']>(['KeyIssued', 'KeyRevoked']),
  create: (t) => `
    CREATE TABLE ${t('keys')} (
      id          text PRIMARY KEY,
      account_id  text NOT NULL,
      name        text NOT NULL,
      environment text NOT NULL,
      scopes      text[] NOT NULL,
      hash        text NOT NULL,
      prefix      text NOT NULL,
      last4       text NOT NULL,
      issued_at   timestamptz NOT NULL,
      expires_at  timestamptz,
      revoked_at  timestamptz,
      revision    bigint NOT NULL
    );`,
  indexes: (t) => [
    `CREATE UNIQUE INDEX ON ${t('keys')} (hash)`,
    `CREATE INDEX ON ${t('keys')} (account_id, issued_at, id)`,
  ],
  fold: (events, t) => {
    const issued = new Map<string, Row>();
    // Keys that were issued on an earlier page.
    const revoked = new Map<string, Pick<Row, 'id' | 'revoked_at' | 'revision'>>();
    for (const stored of events) {
      const event = as<KeyEvent>(stored);
      const { streamId: id, revision, metadata } = stored;
      if (event.type === 'KeyRevoked') {
        const change = { revoked_at: metadata.at, revision };
        const row = issued.get(id);
        if (row) issued.set(id, { ...row, ...change });
        else revoked.set(id, { id, ...change });
        continue;
      }
      const { accountId, name, environment, scopes, hash, prefix, last4, expiresAt } = event.data;
      issued.set(id, {
        id,
        account_id: accountId,
        name,
        environment,
        scopes,
        hash,
        prefix,
        last4,
        issued_at: metadata.at,
        expires_at: expiresAt,
        revoked_at: null,
        revision,
      });
    }
    const statements: Statement[] = [];
    if (issued.size > 0) {
      statements.push({
        text: `INSERT INTO ${t('keys')} SELECT * FROM json_to_recordset($1::json)
                 AS r(id text, account_id text, name text, environment text, scopes text[], hash text, prefix text,
                      last4 text, issued_at timestamptz, expires_at timestamptz, revoked_at timestamptz, revision bigint)`,
        params: [JSON.stringify([...issued.values()])],
      });
    }
    if (revoked.size > 0) {
      statements.push({
        text: `UPDATE ${t('keys')} AS k SET revoked_at = r.revoked_at, revision = r.revision
                 FROM json_to_recordset($1::json) AS r(id text, revoked_at timestamptz, revision bigint)
                WHERE k.id = r.id`,
        params: [JSON.stringify([...revoked.values()])],
      });
    }
    return statements;
  },
};
