import { as } from '../../src/eventsourcing/event.js';
import type { MailEvent } from '../../src/mail/events.js';
import type { ReadModel } from '../../src/following/readModel.js';

/** Mails that were asked for, and what became of them. */
export const mails: ReadModel = {
  name: 'mails',
  awaited: false,
  version: 1,
  tables: ['mails'],
  handles: new Set<MailEvent['type']>(['MailRequested', 'MailSent', 'MailFailed']),
  create: (t) => `
    CREATE TABLE ${t('mails')} (
      id           text PRIMARY KEY,
      kind         text NOT NULL,
      user_id      text NOT NULL,
      requested_at timestamptz NOT NULL,
      done_at      timestamptz,
      -- Why it was not sent, where it was not.
      failure      text
    );`,
  indexes: (t) => [`CREATE INDEX ON ${t('mails')} (requested_at, id) WHERE done_at IS NULL`],
  fold: (events, t) => {
    const requested: object[] = [];
    const done: object[] = [];
    for (const stored of events) {
      const { type, data } = as<MailEvent>(stored);
      const { streamId: id, metadata } = stored;
      if (type === 'MailRequested') {
        requested.push({ id, kind: data.kind, user_id: data.userId, requested_at: metadata.at });
      } else {
        const failure = type === 'MailFailed' ? data.reason : null;
        done.push({ id, done_at: metadata.at, failure });
      }
    }
    return [
      {
        rows: requested,
        text: `INSERT INTO ${t('mails')} SELECT * FROM json_to_recordset($1::json)
                 AS r(id text, kind text, user_id text, requested_at timestamptz)`,
      },
      {
        rows: done,
        text: `UPDATE ${t('mails')} AS m SET done_at = r.done_at, failure = r.failure
                 FROM json_to_recordset($1::json) AS r(id text, done_at timestamptz, failure text)
                WHERE m.id = r.id`,
      },
    ]
      .filter(({ rows }) => rows.length > 0)
      .map(({ text, rows }) => ({ text, params: [JSON.stringify(rows)] }));
  },
};
