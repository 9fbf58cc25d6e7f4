import { as } from '../../src/eventsourcing/event.js';
import type { KeyEvent } from '../../src/keys/events.js';
import type { Statement } from '../../src/sql/sql.js';
import type { ReadModel } from '../../src/following/readModel.js';
import type { KeyRotationRow } from './queries.js';

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
  readonly limits: readonly object[];
  readonly metadata: readonly object[];
  readonly revoked_at: string | null;
  readonly rotations: readonly KeyRotationRow[];
}

/** What has happened to a key that was issued on an earlier page. */
type Change = Pick<Row, 'id' | 'revoked_at' | 'rotations'>;

/** All keys: what the key cache is loaded from, and what an account sees of its own. */
export const keys: ReadModel = {
  name: 'keys',
  version: 2,
  tables: ['keys'],
  handles: new Set<KeyEvent['type']>(['KeyIssued', 'KeyRotated', 'KeyRevoked']),
  create: (t) => `
    CREATE TABLE ${t('keys')} (
      id          text PRIMARY KEY,
      account_id  text NOT NULL,
      name        text NOT NULL,
      environment text NOT NULL,
      scopes      text[] NOT NULL,
      -- Of the secret that it was issued with; those of later ones are in the rotations.
      hash        text NOT NULL,
      prefix      text NOT NULL,
      last4       text NOT NULL,
      issued_at   timestamptz NOT NULL,
      expires_at  timestamptz,
      limits      jsonb NOT NULL,
      metadata    jsonb NOT NULL,
      revoked_at  timestamptz,
      rotations   jsonb NOT NULL
    );`,
  indexes: (t) => [`CREATE INDEX ON ${t('keys')} (account_id, issued_at, id)`],
  fold: (events, t) => {
    const issued = new Map<string, Row>();
    const changed = new Map<string, Change>();
    for (const stored of events) {
      const event = as<KeyEvent>(stored);
      const { streamId: id, revision, metadata } = stored;
      if (event.type === 'KeyIssued') {
        const { data } = event;
        issued.set(id, {
          id,
          account_id: data.accountId,
          name: data.name,
          environment: data.environment,
          scopes: data.scopes,
          hash: data.hash,
          prefix: data.prefix,
          last4: data.last4,
          issued_at: metadata.at,
          expires_at: data.expiresAt,
          limits: data.limits,
          metadata: data.metadata,
          revoked_at: null,
          rotations: [],
        });
        continue;
      }
      const row = issued.get(id);
      const before: Change = row ?? changed.get(id) ?? { id, revoked_at: null, rotations: [] };
      const after =
        event.type === 'KeyRevoked'
          ? { revoked_at: metadata.at }
          : { rotations: [...before.rotations, rotation(event.data, revision, metadata.at)] };
      if (row) issued.set(id, { ...row, ...after });
      else changed.set(id, { ...before, ...after });
    }
    const statements: Statement[] = [];
    if (issued.size > 0) {
      statements.push({
        text: `INSERT INTO ${t('keys')} SELECT * FROM json_to_recordset($1::json)
                 AS r(id text, account_id text, name text, environment text, scopes text[], hash text, prefix text,
                      last4 text, issued_at timestamptz, expires_at timestamptz, limits jsonb, metadata jsonb,
                      revoked_at timestamptz, rotations jsonb)`,
        params: [JSON.stringify([...issued.values()])],
      });
    }
    if (changed.size > 0) {
      statements.push({
        text: `UPDATE ${t('keys')} AS k
                  SET revoked_at = coalesce(k.revoked_at, r.revoked_at), rotations = k.rotations || r.rotations
                 FROM json_to_recordset($1::json) AS r(id text, revoked_at timestamptz, rotations jsonb)
                WHERE k.id = r.id`,
        params: [JSON.stringify([...changed.values()])],
      });
    }
    return statements;
  },
};

function rotation(
  { hash, prefix, last4, graceEndsAt }: Extract<KeyEvent, { type: 'KeyRotated' }>['data'],
  revision: number,
  at: string,
): KeyRotationRow {
  return { revision, at, hash, prefix, last4, graceEndsAt };
}
