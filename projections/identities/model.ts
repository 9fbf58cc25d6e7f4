import type { IdentityLinked } from '../../src/identities/events.js';
import { as } from '../../src/eventsourcing/event.js';
import type { ReadModel } from '../../src/following/readModel.js';

/** Which user somebody is whom an OIDC issuer vouches for. */
export const identities: ReadModel = {
  name: 'identities',
  version: 1,
  tables: ['links'],
  handles: new Set<IdentityLinked['type']>(['IdentityLinked']),
  create: (t) => `
    CREATE TABLE ${t('links')} (
      -- Keyed hash of issuer and subject.
      identity   text PRIMARY KEY,
      user_id    text NOT NULL,
      account_id text NOT NULL,
      issuer     text NOT NULL,
      linked_at  timestamptz NOT NULL
    );`,
  fold: (events, t) => {
    const links = events.map((stored) => {
      const { userId, accountId, issuer } = as<IdentityLinked>(stored).data;
      const { streamId: identity, metadata } = stored;
      return { identity, user_id: userId, account_id: accountId, issuer, linked_at: metadata.at };
    });
    return [
      {
        text: `INSERT INTO ${t('links')} SELECT * FROM json_to_recordset($1::json)
                 AS r(identity text, user_id text, account_id text, issuer text, linked_at timestamptz)`,
        params: [JSON.stringify(links)],
      },
    ];
  },
};
