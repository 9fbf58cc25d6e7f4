import { as } from '../../src/eventsourcing/event.js';
import type { ParkedUseEvent, UsageEvent, Use } from '../../src/usage/events.js';
import { usesOf } from '../../src/usage/journal/readUses.js';
import type { ReadModel } from '../../src/following/readModel.js';

/**
 * How often each pattern was read with a live key. A model of its own, so that reading a pattern
 * does not drop the cached answers of the catalogue (decision 20).
 */
export const popularity: ReadModel = {
  name: 'popularity',
  awaited: false,
  version: 2,
  tables: ['uses'],
  independent: true,
  handles: new Set<(UsageEvent | ParkedUseEvent)['type']>([
    'UsesRecorded',
    'UsesCorrected',
    'ParkedUseCorrected',
  ]),
  create: (t) => `CREATE TABLE ${t('uses')} (pattern_id text PRIMARY KEY, uses bigint NOT NULL);`,
  fold: (events, t) => {
    const counts = new Map<string, number>();
    const count = ({ environment, patterns }: Use, sign: 1 | -1): void => {
      if (environment !== 'live') return;
      for (const id of patterns) counts.set(id, (counts.get(id) ?? 0) + sign);
    };
    for (const stored of events) {
      const { type, data } = as<UsageEvent | Extract<ParkedUseEvent, { type: 'ParkedUseCorrected' }>>(stored);
      if (type === 'ParkedUseCorrected') {
        count(data.use, data.sign);
        continue;
      }
      const { sign, groups } = usesOf(stored);
      for (const { uses } of groups) for (const use of uses) count(use, sign);
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
