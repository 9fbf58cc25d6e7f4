import { as } from '../../src/eventsourcing/event.js';
import type { KeyEvent } from '../../src/keys/events.js';
import type { ReadModel } from '../readModel.js';

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
      hash        text NOT NULL UNIQUE,
      prefix      text NOT NULL,
      last4       text NOT NULL,
      issued_at   timestamptz NOT NULL,
      expires_at  timestamptz,
      revoked_at  timestamptz,
      revision    bigint NOT NULL
    );
    CREATE INDEX ON ${t('keys')} (account_id, issued_at, id);`,
  fold: (events, t) =>
    events.map((stored) => {
      const event = as<KeyEvent>(stored);
      const { streamId, revision, metadata } = stored;
      if (event.type === 'KeyRevoked') {
        return {
          text: `UPDATE ${t('keys')} SET revoked_at = $2, revision = $3 WHERE id = $1`,
          params: [streamId, metadata.at, revision],
        };
      }
      const { accountId, name, environment, scopes, hash, prefix, last4, expiresAt } = event.data;
      return {
        text: `INSERT INTO ${t('keys')} VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, NULL, $11)`,
        params: [
          streamId,
          accountId,
          name,
          environment,
          [...scopes],
          hash,
          prefix,
          last4,
          metadata.at,
          expiresAt,
          revision,
        ],
      };
    }),
};
