import { compositeKey } from '../../src/eventsourcing/compositeKey.js';
import { as } from '../../src/eventsourcing/event.js';
import type { ReadModel } from '../../src/following/readModel.js';
import type { QuotaEvent } from '../../src/usage/events.js';

/** Which quota of an account was reset last, by window. */
export const quotaResets: ReadModel = {
  name: 'quotaResets',
  version: 1,
  tables: ['resets'],
  handles: new Set<QuotaEvent['type']>(['QuotaReset']),
  create: (t) => `
    CREATE TABLE ${t('resets')} (
      account    text NOT NULL,
      limit_window text NOT NULL,
      period     text NOT NULL,
      generation int NOT NULL,
      reset_at   timestamptz NOT NULL,
      PRIMARY KEY (account, limit_window)
    );`,
  indexes: (t) => [`CREATE INDEX ON ${t('resets')} (reset_at)`],
  fold: (events, t) => {
    const rows = new Map<string, object>();
    for (const stored of events) {
      const { window, period, generation } = as<QuotaEvent>(stored).data;
      const row = { account: stored.streamId, window, period, generation, reset_at: stored.metadata.at };
      rows.set(compositeKey(stored.streamId, window), row);
    }
    return [
      {
        text: `INSERT INTO ${t('resets')}
               SELECT * FROM json_to_recordset($1::json)
                 AS r(account text, "window" text, period text, generation int, reset_at timestamptz)
               ON CONFLICT (account, limit_window) DO UPDATE SET period = excluded.period,
                 generation = excluded.generation, reset_at = excluded.reset_at`,
        params: [JSON.stringify([...rows.values()])],
      },
    ];
  },
};
