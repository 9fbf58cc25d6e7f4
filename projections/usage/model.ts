import { as } from '../../src/eventsourcing/event.js';
import type { UsageEvent, Use } from '../../src/usage/events.js';
import { subjectId } from '../../src/usage/events.js';
import type { ReadModel } from '../readModel.js';

interface Hour {
  uses: number;
  requests: number;
  durationUs: number;
}

/** Separates the parts of a map's key; no part can contain it. */
const SEP = '\u0001';

/** The ledger of uses: what counts in each period, and by the hour for reports. */
export const usage: ReadModel = {
  name: 'usage',
  version: 2,
  tables: ['counters', 'hours', 'keys'],
  handles: new Set<UsageEvent['type']>(['UsesRecorded', 'UsesCorrected']),
  create: (t) => `
    CREATE TABLE ${t('counters')} (
      -- An account in an environment, or a key: subjectId in src/usage/limiter.ts.
      subject     text NOT NULL,
      meter       text NOT NULL,
      period      text NOT NULL,
      amount      bigint NOT NULL,
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
    );`,
  fold: (events, t) => {
    const counters = new Map<string, number>();
    const hours = new Map<string, Hour>();
    const lastUsed = new Map<string, number>();
    for (const stored of events) {
      const { type, data } = as<UsageEvent>(stored);
      const sign = type === 'UsesCorrected' ? -1 : 1;
      for (const { account, uses } of data.groups) {
        for (const use of uses) {
          count(account, use, sign, counters, hours);
          if (sign === 1 && use.meters['requests']) {
            lastUsed.set(use.key, Math.max(lastUsed.get(use.key) ?? 0, use.at));
          }
        }
      }
    }
    const counterIds = [...counters.keys()].sort();
    const hourIds = [...hours.keys()].sort();
    const columns = (ids: readonly string[], parts: number): string[][] => {
      const split = ids.map((id) => id.split(SEP));
      return Array.from({ length: parts }, (_, i) => split.map((row) => row[i] as string));
    };
    const values = hourIds.map((id) => hours.get(id) as Hour);
    return [
      {
        text: `INSERT INTO ${t('counters')} AS c
               SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
               ON CONFLICT (subject, meter, period) DO UPDATE SET amount = c.amount + excluded.amount`,
        params: [...columns(counterIds, 3), counterIds.map((id) => counters.get(id))],
      },
      {
        text: `INSERT INTO ${t('hours')} AS h
               SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                                    $7::bigint[], $8::bigint[], $9::bigint[])
               ON CONFLICT (account, environment, hour, key, operation, status) DO UPDATE SET
                 uses = h.uses + excluded.uses, requests = h.requests + excluded.requests,
                 duration_us = h.duration_us + excluded.duration_us`,
        params: [
          ...columns(hourIds, 6),
          values.map((hour) => hour.uses),
          values.map((hour) => hour.requests),
          values.map((hour) => hour.durationUs),
        ],
      },
      {
        text: `INSERT INTO ${t('keys')} AS k SELECT * FROM unnest($1::text[], $2::bigint[])
               ON CONFLICT (key) DO UPDATE SET last_used = greatest(k.last_used, excluded.last_used)`,
        params: [[...lastUsed.keys()], [...lastUsed.values()]],
      },
    ];
  },
};

function count(
  account: string,
  use: Use,
  sign: 1 | -1,
  counters: Map<string, number>,
  hours: Map<string, Hour>,
): void {
  const { environment } = use;
  const subject = subjectId({ accountId: account, environment, keyId: undefined });
  const keySubject = subjectId({ accountId: account, environment, keyId: use.key });
  for (const meter in use.meters) {
    const amount = sign * (use.meters[meter] as number);
    if (amount === 0) continue;
    for (const period of use.periods) {
      add(counters, subject + SEP + meter + SEP + period, amount);
      add(counters, keySubject + SEP + meter + SEP + period, amount);
    }
  }
  const operation = use.operation ?? use.rootFields.join(',');
  const id =
    account + SEP + environment + SEP + hourOf(use.at) + SEP + use.key + SEP + operation + SEP + use.status;
  let hour = hours.get(id);
  if (!hour) hours.set(id, (hour = { uses: 0, requests: 0, durationUs: 0 }));
  hour.uses += sign * (use.refusal?.count ?? 1);
  hour.requests += sign * (use.meters['requests'] ?? 0);
  hour.durationUs += sign * use.durationUs;
}

function add(counters: Map<string, number>, id: string, amount: number): void {
  counters.set(id, (counters.get(id) ?? 0) + amount);
}

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
