import { compositeKey } from '../../src/eventsourcing/compositeKey.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import { as } from '../../src/eventsourcing/event.js';
import type { ParkedUseEvent, UsageEvent, Use } from '../../src/usage/events.js';
import { subjectsOf } from '../../src/usage/events.js';
import type { ReadModel } from '../../src/following/readModel.js';
import { usesOf } from '../../src/usage/readUses.js';
import { ParkedUses } from './parkedUses.js';
import { PhasedUses } from './phasedUses.js';

/** A row of `hours`: what it is of, and its sums. */
interface Hour {
  readonly of: readonly string[];
  uses: number;
  requests: number;
  durationUs: number;
}

/** A row of `counters`. */
interface Sum {
  readonly of: readonly string[];
  amount: number;
}

/**
 * The ledger of uses: what counts in each period, and by the hour for reports. A use that cannot be counted
 * is parked by itself (decision 32): what it spent is held, which limits count and nothing else does.
 */
export const usage: ReadModel = {
  name: 'usage',
  awaited: false,
  version: 6,
  tables: ['counters', 'hours', 'keys', 'parked', 'held', 'ids', 'reservations', 'duplicates'],
  // Sums do not ask which batch came first. Of a use that is stored twice they say the same, whichever counts.
  independent: true,
  handles: new Set<(UsageEvent | ParkedUseEvent)['type']>([
    'UsesRecorded',
    'UsesCorrected',
    'ParkedUseCorrected',
    'ParkedUseLeftOut',
  ]),
  create: (t) => `
    CREATE TABLE ${t('counters')} (
      -- An account in an environment, or a key: subjectId in src/usage/events.ts.
      subject     text NOT NULL,
      meter       text NOT NULL,
      period      text NOT NULL,
      amount      bigint NOT NULL,
      -- Of reservations that are open: limits count it, and nothing else does.
      held        bigint NOT NULL,
      PRIMARY KEY (subject, meter, period)
    );
    CREATE TABLE ${t('keys')} (
      key         text PRIMARY KEY,
      -- Milliseconds since the epoch; of a call that counts.
      last_used   bigint NOT NULL
    );
    CREATE TABLE ${t('hours')} (
      account     text NOT NULL,
      environment text NOT NULL,
      -- The UTC hour, e.g. 2026-11-22T13.
      hour        text NOT NULL,
      key         text NOT NULL,
      operation   text NOT NULL,
      status      text NOT NULL,
      uses        bigint NOT NULL,
      requests    bigint NOT NULL,
      duration_us bigint NOT NULL,
      PRIMARY KEY (account, environment, hour, key, operation, status)
    );
    ${ParkedUses.tables(t)}
    ${PhasedUses.tables(t)}`,
  fold: (events, t) => {
    const sums = new Sums();
    const parked = new ParkedUses();
    const phased = new PhasedUses();
    const lastUsed = new Map<string, number>();
    const count = (stored: StoredEvent, account: string, use: Use, sign: 1 | -1): void => {
      if (use.phase !== undefined) {
        phased.add(stored.position, account, use, use.phase, sign, hourOf(use.at));
        return;
      }
      sums.add(account, use, sign);
      if (sign === 1 && use.meters['requests']) {
        lastUsed.set(use.key, Math.max(lastUsed.get(use.key) ?? 0, use.at));
      }
    };
    for (const stored of events) {
      const { type, data } = as<UsageEvent | ParkedUseEvent>(stored);
      switch (type) {
        case 'ParkedUseCorrected':
          count(stored, data.account, data.use, data.sign);
          parked.settle(data);
          break;
        case 'ParkedUseLeftOut':
          parked.settle(data);
          break;
        case 'UsesRecorded':
        case 'UsesCorrected': {
          const { sign, groups, bad } = usesOf(stored);
          for (const { account, uses } of groups) for (const use of uses) count(stored, account, use, sign);
          for (const use of bad) parked.park(stored, use, sign);
        }
      }
    }
    const counters = sorted(sums.counters);
    const hours = sorted(sums.hours);
    return [
      {
        text: `INSERT INTO ${t('counters')} AS c
               SELECT *, 0 FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
               ON CONFLICT (subject, meter, period) DO UPDATE SET amount = c.amount + excluded.amount`,
        params: [...columns(counters, 3), counters.map(({ amount }) => amount)],
      },
      {
        text: `INSERT INTO ${t('hours')} AS h
               SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                                    $7::bigint[], $8::bigint[], $9::bigint[])
               ON CONFLICT (account, environment, hour, key, operation, status) DO UPDATE SET
                 uses = h.uses + excluded.uses, requests = h.requests + excluded.requests,
                 duration_us = h.duration_us + excluded.duration_us`,
        params: [
          ...columns(hours, 6),
          hours.map(({ uses }) => uses),
          hours.map(({ requests }) => requests),
          hours.map(({ durationUs }) => durationUs),
        ],
      },
      {
        text: `INSERT INTO ${t('keys')} AS k SELECT * FROM unnest($1::text[], $2::bigint[])
               ON CONFLICT (key) DO UPDATE SET last_used = greatest(k.last_used, excluded.last_used)`,
        params: [[...lastUsed.keys()], [...lastUsed.values()]],
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
  readonly hourOfDay: string;
  readonly hour: Hour;
  /** By meter: the sums of its subjects and periods. */
  readonly sums: Map<string, readonly Sum[]>;
}

/** Of one page. Uses that follow each other mostly go to the same place, and finding one costs more than adding. */
class Sums {
  readonly counters = new Map<string, Sum>();
  readonly hours = new Map<string, Hour>();
  #last: Place | undefined;
  #account: string | undefined;

  add(account: string, use: Use, sign: 1 | -1): void {
    const place = this.#placeOf(account, use);
    for (const meter in use.meters) {
      const amount = sign * (use.meters[meter] as number);
      if (amount === 0) continue;
      for (const sum of this.#sumsOf(account, place, meter)) sum.amount += amount;
    }
    const { hour } = place;
    hour.uses += sign * (use.refusal?.count ?? 1);
    hour.requests += sign * (use.meters['requests'] ?? 0);
    hour.durationUs += sign * use.durationUs;
  }

  #placeOf(account: string, use: Use): Place {
    const hourOfDay = hourOf(use.at);
    const last = this.#last;
    if (last && this.#account === account && last.hourOfDay === hourOfDay && goTogether(last.use, use)) {
      return last;
    }
    const operation = use.operation ?? use.rootFields.join(',');
    const of = [account, use.environment, hourOfDay, use.key, operation, use.status];
    const id = compositeKey(...of);
    let hour = this.hours.get(id);
    if (!hour) this.hours.set(id, (hour = { of, uses: 0, requests: 0, durationUs: 0 }));
    this.#account = account;
    return (this.#last = { use, hourOfDay, hour, sums: new Map() });
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
    if (!sum) this.counters.set(id, (sum = { of, amount: 0 }));
    return sum;
  }
}

/** Whether two uses of an account and an hour are added to the same sums. */
function goTogether(a: Use, b: Use): boolean {
  return (
    a.key === b.key &&
    a.environment === b.environment &&
    a.status === b.status &&
    a.operation === b.operation &&
    (a.operation !== null || same(a.rootFields, b.rootFields)) &&
    same(a.periods, b.periods)
  );
}

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((text, i) => text === b[i]);

const HOUR_MS = 3_600_000;
let knownHour = -1;
let knownHourText = '';

/** Formatting a date costs more than all the rest of a use; nearly all uses share an hour. */
function hourOf(at: number): string {
  const hour = Math.floor(at / HOUR_MS);
  if (hour !== knownHour) {
    knownHour = hour;
    knownHourText = new Date(hour * HOUR_MS).toISOString().slice(0, 13);
  }
  return knownHourText;
}
