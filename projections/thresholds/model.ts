import { as } from '../../src/eventsourcing/event.js';
import type { ReadModel } from '../../src/following/readModel.js';
import type { UsageThresholdEvent } from '../../src/usage/events.js';

type Reached = Extract<UsageThresholdEvent, { type: 'UsageThresholdReached' }>;

/** The thresholds that accounts have reached. */
export const thresholds: ReadModel = {
  name: 'thresholds',
  awaited: false,
  version: 1,
  tables: ['thresholds'],
  independent: true,
  handles: new Set<Reached['type']>(['UsageThresholdReached']),
  create: (t) => `
    CREATE TABLE ${t('thresholds')} (
      id         text PRIMARY KEY,
      account    text NOT NULL,
      -- Null for a limit of the account's plan.
      key        text,
      limit_name text NOT NULL,
      meter      text NOT NULL,
      "window"   text NOT NULL,
      max        bigint NOT NULL,
      period     text NOT NULL,
      percent    int NOT NULL,
      used       numeric NOT NULL,
      reached_at timestamptz NOT NULL
    );`,
  indexes: (t) => [`CREATE INDEX ON ${t('thresholds')} (account, reached_at, percent, id)`],
  fold: (events, t) => {
    const rows = events.map((stored) => {
      const { accountId, keyId, limit, used, ...data } = as<Reached>(stored).data;
      const whose = { id: stored.streamId, account: accountId, key: keyId, limit_name: limit };
      return { ...whose, ...data, used: String(used), reached_at: stored.metadata.at };
    });
    return [
      {
        text: `INSERT INTO ${t('thresholds')}
               SELECT * FROM json_to_recordset($1::json) AS r(id text, account text, key text, limit_name text,
                 meter text, "window" text, max bigint, period text, percent int, used numeric, reached_at timestamptz)`,
        params: [JSON.stringify(rows)],
      },
    ];
  },
};
