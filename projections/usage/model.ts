import type { Position, StoredEvent } from '../../src/eventsourcing/event.js';
import { as } from '../../src/eventsourcing/event.js';
import type { ParkedUseEvent, UsageEvent, Use, UseReversal } from '../../src/usage/events.js';
import type { ReadModel } from '../../src/following/readModel.js';
import { usesOf } from '../../src/usage/journal/readUses.js';
import { CELL_TABLES, cellIndexes, cellTables } from './cells.js';
import { ParkedUses } from './parkedUses.js';
import { PhasedUses } from './phasedUses.js';
import { readingIndexes, readingTables } from './readings.js';
import { Sums } from './sums.js';
import { TIMES_TABLES, timesIndexes, timesTables } from './times.js';

/**
 * The ledger of uses: what counts in each period, and by the quarter-hour for reports. A use that cannot be counted
 * is parked by itself (decision 32): what it spent is held, which limits count and nothing else does.
 */
export const usage: ReadModel = {
  name: 'usage',
  awaited: false,
  version: 15,
  tables: [
    'counters',
    ...CELL_TABLES,
    'keys',
    'minutes',
    'parked',
    'held',
    'ids',
    'reservations',
    'duplicates',
    'readings',
    ...TIMES_TABLES,
  ],
  // Sums do not ask which batch came first. Of a use that is stored twice they say the same, whichever counts.
  independent: true,
  handles: new Set<(UsageEvent | ParkedUseEvent | UseReversal)['type']>([
    'UseReversed',
    'UsesRecorded',
    'UsesCorrected',
    'ParkedUseCorrected',
    'ParkedUseLeftOut',
  ]),
  create: (t) => `
    -- A counter at which nothing is left has no row: so the rows do not tell how the events fell into pages.
    CREATE TABLE ${t('counters')} (
      -- An account in an environment, a key, or an end customer: subjectId in src/usage/events.ts.
      subject     text NOT NULL,
      meter       text NOT NULL,
      period      text NOT NULL,
      amount      numeric NOT NULL,
      -- Of reservations that are open: limits count it, and nothing else does.
      held        numeric NOT NULL,
      PRIMARY KEY (subject, meter, period)
    );
    CREATE TABLE ${t('keys')} (
      key         text PRIMARY KEY,
      -- Milliseconds since the epoch; of a call that counts.
      last_used   bigint NOT NULL
    );
    CREATE TABLE ${t('minutes')} (
      -- Since the epoch: in which a batch was stored.
      minute      bigint PRIMARY KEY,
      -- Of the first one.
      position    bigint NOT NULL
    );
    ${cellTables(t)}
    ${ParkedUses.tables(t)}
    ${PhasedUses.tables(t)}
    ${readingTables(t)}
    ${timesTables(t)}`,
  indexes: (t) => [...cellIndexes(t), ...readingIndexes(t), ...timesIndexes(t)],
  fold: (events, t) => {
    const sums = new Sums();
    const parked = new ParkedUses();
    const phased = new PhasedUses();
    const lastUsed = new Map<string, number>();
    const minutes = new Map<number, Position>();
    const count = (stored: StoredEvent, account: string, use: Use, sign: 1 | -1): void => {
      if (use.phase !== undefined) {
        phased.add(stored.position, account, use, use.phase, sign);
        return;
      }
      sums.add(account, use, sign);
      if (sign === 1 && use.meters['requests']) {
        lastUsed.set(use.key, Math.max(lastUsed.get(use.key) ?? 0, use.at));
      }
    };
    for (const stored of events) {
      const { type, data } = as<UsageEvent | ParkedUseEvent | UseReversal>(stored);
      switch (type) {
        case 'ParkedUseCorrected':
          count(stored, data.account, data.use, data.sign);
          parked.settle(data);
          break;
        case 'ParkedUseLeftOut':
          parked.settle(data);
          break;
        case 'UseReversed':
          count(stored, data.account, data.use, 1);
          break;
        case 'UsesRecorded':
        case 'UsesCorrected': {
          const minute = Math.floor(Date.parse(stored.metadata.at) / MINUTE_MS);
          if (!minutes.has(minute)) minutes.set(minute, stored.position);
          const { sign, groups, bad } = usesOf(stored);
          for (const { account, uses } of groups) for (const use of uses) count(stored, account, use, sign);
          for (const use of bad) parked.park(stored, use, sign);
        }
      }
    }
    const ofIds = phased.statements(t, (account, use) => sums.add(account, use, 1));
    return [
      ...sums.counterStatements(t),
      {
        text: `INSERT INTO ${t('keys')} AS k SELECT * FROM unnest($1::text[], $2::bigint[])
               ON CONFLICT (key) DO UPDATE SET last_used = greatest(k.last_used, excluded.last_used)`,
        params: [[...lastUsed.keys()], [...lastUsed.values()]],
      },
      ...sums.cells.statements(t),
      {
        text: `INSERT INTO ${t('minutes')} AS m SELECT * FROM unnest($1::bigint[], $2::bigint[])
               ON CONFLICT (minute) DO UPDATE SET position = least(m.position, excluded.position)`,
        params: [[...minutes.keys()], [...minutes.values()]],
      },
      ...parked.statements(t),
      ...ofIds,
      ...sums.emptyCounters(t),
    ];
  },
};

const MINUTE_MS = 60_000;
