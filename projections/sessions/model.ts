import type { SessionEvent } from '../../src/sessions/events.js';
import type { UserEvent } from '../../src/accounts/events.js';
import { as } from '../../src/eventsourcing/event.js';
import type { ReadModel } from '../../src/following/readModel.js';

type Handled = SessionEvent | Extract<UserEvent, { type: 'SessionsEnded' | 'PasswordChanged' }>;

/** Sessions with their ends, and the epoch of users who ended all of theirs. */
export const sessions: ReadModel = {
  name: 'sessions',
  version: 2,
  tables: ['sessions', 'epochs'],
  handles: new Set<Handled['type']>(['SessionStarted', 'SessionEnded', 'SessionsEnded', 'PasswordChanged']),
  create: (t) => `
    CREATE TABLE ${t('sessions')} (
      id         text PRIMARY KEY,
      user_id    text NOT NULL,
      account_id text NOT NULL,
      epoch      int NOT NULL,
      started_at timestamptz NOT NULL,
      -- By itself, not by the user's epoch.
      ended_at   timestamptz,
      reason     text
    );
    CREATE TABLE ${t('epochs')} (
      user_id  text PRIMARY KEY,
      -- Sessions of earlier ones have ended.
      epoch    int NOT NULL,
      began_at timestamptz NOT NULL
    );`,
  indexes: (t) => [
    `CREATE INDEX ON ${t('sessions')} (ended_at) WHERE ended_at IS NOT NULL`,
    `CREATE INDEX ON ${t('epochs')} (began_at)`,
  ],
  fold: (events, t) => {
    const started: object[] = [];
    const ended: object[] = [];
    const epochs = new Map<string, object>();
    for (const stored of events) {
      const event = as<Handled>(stored);
      const { streamId: id, metadata } = stored;
      switch (event.type) {
        case 'SessionStarted': {
          const { userId, accountId, epoch } = event.data;
          started.push({ id, user_id: userId, account_id: accountId, epoch, started_at: metadata.at });
          break;
        }
        case 'SessionEnded':
          ended.push({ id, ended_at: metadata.at, reason: event.data.reason });
          break;
        case 'SessionsEnded':
        case 'PasswordChanged':
          epochs.set(id, { user_id: id, epoch: event.data.epoch, began_at: metadata.at });
          break;
      }
    }
    return [
      {
        rows: started,
        text: `INSERT INTO ${t('sessions')} SELECT * FROM json_to_recordset($1::json)
                 AS r(id text, user_id text, account_id text, epoch int, started_at timestamptz)`,
      },
      {
        rows: ended,
        text: `UPDATE ${t('sessions')} AS s SET ended_at = r.ended_at, reason = r.reason
                 FROM json_to_recordset($1::json) AS r(id text, ended_at timestamptz, reason text)
                WHERE s.id = r.id`,
      },
      {
        rows: [...epochs.values()],
        text: `INSERT INTO ${t('epochs')} SELECT * FROM json_to_recordset($1::json)
                 AS r(user_id text, epoch int, began_at timestamptz)
               ON CONFLICT (user_id) DO UPDATE SET epoch = excluded.epoch, began_at = excluded.began_at`,
      },
    ]
      .filter(({ rows }) => rows.length > 0)
      .map(({ text, rows }) => ({ text, params: [JSON.stringify(rows)] }));
  },
};
