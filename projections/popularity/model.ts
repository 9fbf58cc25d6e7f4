import { as } from '../../src/eventsourcing/event.js';
import type { UsageEvent } from '../../src/usage/events.js';
import type { ReadModel } from '../../src/following/readModel.js';

/**
 * How often each pattern was read with a live key. A model of its own, so that reading a pattern
 * does not drop the cached answers of the catalogue (decision 20).
 */
export const popularity: ReadModel = {
  name: 'popularity',
  awaited: false,
  version: 1,
  tables: ['uses'],
  handles: new Set<UsageEvent['type']>(['UsesRecorded', 'UsesCorrected']),
  create: (t) => `CREATE TABLE ${t('uses')} (pattern_id text PRIMARY KEY, uses bigint NOT NULL);`,
  fold: (events, t) => {
    const counts = new Map<string, number>();
    for (const stored of events) {
      const { type, data } = as<UsageEvent>(stored);
      const sign = type === 'UsesCorrected' ? -1 : 1;
      for (const { uses } of data.groups) {
        for (const { environment, patterns } of uses) {
          if (environment !== 'live') continue;
          for (const id of patterns) counts.set(id, (counts.get(id) ?? 0) + sign);
        }
      }
    }
    if (counts.size === 0) return [];
    const ids = [...counts.keys()].sort();
    return [
      {
        text: `INSERT INTO ${t('uses')} AS u SELECT * FROM unnest($1::text[], $2::bigint[])
               ON CONFLICT (pattern_id) DO UPDATE SET uses = u.uses + excluded.uses`,
        params: [ids, ids.map((id) => counts.get(id))],
      },
    ];
  },
};
