import { compositeKey } from '../../src/eventsourcing/compositeKey.js';
import type { Position, StoredEvent } from '../../src/eventsourcing/event.js';
import { as } from '../../src/eventsourcing/event.js';
import type { ParkedUseEvent, UsageEvent, Use, UseReversal } from '../../src/usage/events.js';
import { subjectsOf } from '../../src/usage/events.js';
import type { ReadModel } from '../../src/following/readModel.js';
import { usesOf } from '../../src/usage/readUses.js';
import type { CellsOfPlace } from './cells.js';
import { CELL_TABLES, cellIndexes, Cells, cellTables, quarterOf, reportedIn } from './cells.js';
import { ExactSum } from '../../src/exactSum.js';
import { ParkedUses } from './parkedUses.js';
import { PhasedUses } from './phasedUses.js';
import { readingIndexes, readingTables } from './readings.js';

/** A row of `counters`. */
interface Sum {
  readonly of: readonly string[];
  readonly amount: ExactSum;
}

/**
 * The ledger of uses: what counts in each period, and by the quarter-hour for reports. A use that cannot be counted
 * is parked by itself (decision 32): what it spent is held, which limits count and nothing else does.
 */
export const usage: ReadModel = {
  name: 'usage',
  awaited: false,
  version: 11,
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
    ${readingTables(t)}`,
  indexes: (t) => [...cellIndexes(t), ...readingIndexes(t)],
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
    const counters = sorted(sums.counters);
    return [
      {
        text: `INSERT INTO ${t('counters')} AS c
               SELECT *, 0 FROM unnest($1::text[], $2::text[], $3::text[], $4::numeric[])
               ON CONFLICT (subject, meter, period) DO UPDATE SET amount = c.amount + excluded.amount`,
        params: [...columns(counters, 3), counters.map(({ amount }) => String(amount))],
      },
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
      ...phased.statements(t),
    ];
  },
};

/** Rows in the order of their keys, whatever came first: two folds never wait for each other's rows. */
const sorted = <R>(rows: ReadonlyMap<string, R>): R[] =>
  [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);

const columns = (rows: readonly { readonly of: readonly string[] }[], count: number): string[][] =>
  Array.from({ length: count }, (_, i) => rows.map(({ of }) => of[i] as string));

/** Where the amounts of a use go. */
interface Place {
  readonly use: Use;
  readonly cells: CellsOfPlace;
  /** By meter: the sums of its subjects and periods. */
  readonly sums: Map<string, readonly Sum[]>;
}

/** Of one page. Uses that follow each other mostly go to the same place, and finding one costs more than adding. */
class Sums {
  readonly counters = new Map<string, Sum>();
  readonly cells = new Cells();
  #last: Place | undefined;
  #account: string | undefined;

  add(account: string, use: Use, sign: 1 | -1): void {
    if (sign === -1) this.cells.takesBack();
    const place = this.#placeOf(account, use);
    for (const meter in use.meters) {
      const amount = sign * (use.meters[meter] as number);
      if (amount === 0) continue;
      for (const sum of this.#sumsOf(account, place, meter)) sum.amount.add(amount);
    }
    place.cells.add(use, sign);
  }

  #placeOf(account: string, use: Use): Place {
    const last = this.#last;
    if (last && this.#account === account && goTogether(last.use, use)) return last;
    this.#account = account;
    return (this.#last = { use, cells: this.cells.placeOf(account, use), sums: new Map() });
  }

  #sumsOf(accountId: string, { use, sums }: Place, meter: string): readonly Sum[] {
    const known = sums.get(meter);
    if (known) return known;
    const found = subjectsOf(accountId, use).flatMap((subject) =>
      use.periods.map((period) => this.#counter([subject, meter, period])),
    );
    sums.set(meter, found);
    return found;
  }

  #counter(of: readonly string[]): Sum {
    const id = compositeKey(...of);
    let sum = this.counters.get(id);
    if (!sum) this.counters.set(id, (sum = { of, amount: new ExactSum() }));
    return sum;
  }
}

/** Whether two uses of an account are added to the same sums. */
function goTogether(a: Use, b: Use): boolean {
  return (
    quarterOf(a.at) === quarterOf(b.at) &&
    a.key === b.key &&
    a.environment === b.environment &&
    a.status === b.status &&
    a.operation === b.operation &&
    (a.operation !== null || same(a.rootFields, b.rootFields)) &&
    a.endpoint === b.endpoint &&
    a.source === b.source &&
    a.subject === b.subject &&
    a.plan === b.plan &&
    reportedIn(a) === reportedIn(b) &&
    same(a.periods, b.periods)
  );
}

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((text, i) => text === b[i]);

const MINUTE_MS = 60_000;
