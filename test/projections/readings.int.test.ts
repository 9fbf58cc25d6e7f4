import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { usage } from '../../projections/usage/model.js';
import { UsageQueries } from '../../projections/usage/queries.js';
import { UsageReports } from '../../projections/usage/reports.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import type { Position } from '../../src/eventsourcing/event.js';
import { NO_STREAM } from '../../src/eventsourcing/eventStore.js';
import { UsageAnalytics } from '../../src/usage/analytics/analytics.js';
import type { ProjectionReading } from '../../src/usage/analytics/projectionResolvers.js';
import { projectionOf } from '../../src/usage/analytics/projectionResolvers.js';
import { Projector } from '../../src/following/projector.js';
import { EventReader } from '../../src/following/reader.js';
import type { Use } from '../../src/usage/events.js';
import { usageStream, useHash, useReversalStream } from '../../src/usage/events.js';
import { newEvent } from '../eventsourcing/fixtures.js';
import { freshSql } from '../support/database.js';
import { recording, rowsRead } from '../support/plans.js';
import { newUse } from '../usage/uses.js';

const LONG = 20_000;
const DAY = 86_400_000;
const FROM = Date.UTC(2026, 10, 20);
/** Three days, of which the last begins a period of its own. */
const DAYS = [0, 1, 2].map((day) => FROM + day * DAY);
const MONTHS = ['month:2026-11', 'month:2026-12'];

let database: Awaited<ReturnType<typeof freshSql>>;
let store: PostgresEventStore;
let projector: Projector;
let reader: EventReader;
let reports: UsageReports;
let queries: UsageQueries;

beforeAll(async () => {
  database = await freshSql();
  store = await PostgresEventStore.open(database.sql);
  reader = new EventReader(store);
  projector = await Projector.open(database.sql, reader, [usage], () => undefined, { retryMs: [] });
  projector.start();
  reports = new UsageReports(database.sql, projector.access('usage'));
  queries = new UsageQueries(database.sql, projector.access('usage'));
});
afterAll(async () => {
  reader.close();
  await projector.stop();
  await database.remove();
});

async function flush(account: string, uses: readonly Use[]): Promise<Position> {
  const data = JSON.stringify({ groups: [{ account, uses }], node: 'n', start: 's', batch: randomUUID() });
  const event = newEvent({ type: 'UsesRecorded', data });
  return (await store.append(usageStream(randomUUID(), '2026-11-22'), NO_STREAM, [event])).position;
}

async function reverse(account: string, use: Use): Promise<Position> {
  const data = JSON.stringify({ account, use: { ...use, phase: 'reversed', reason: 'wrong' } });
  const event = newEvent({ type: 'UseReversed', data });
  const stream = useReversalStream(useHash(account, `${use.id}.${randomUUID()}`));
  return (await store.append(stream, NO_STREAM, [event])).position;
}

const AGGREGATIONS = ['sum', 'count', 'max', 'latest', 'unique'] as const;
type Aggregation = (typeof AGGREGATIONS)[number];

/** A use as a back end reports it, of one meter: each is named by its aggregation. */
const reported = fc
  .record({
    id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    meter: fc.constantFrom<Aggregation>(...AGGREGATIONS),
    amount: fc.oneof(fc.nat({ max: 9 }), fc.constant(1e12)),
    value: fc.constantFrom('x', 'y', 'z'),
    key: fc.constantFrom('', 'k1', 'k2'),
    day: fc.nat({ max: 2 }),
    ms: fc.constantFrom(0, 1, DAY - 1),
    late: fc.boolean(),
  })
  .map(({ id, meter, amount, value, key, day, ms, late }): Use => {
    const readings: Use['readings'] =
      meter === 'unique'
        ? { unique: { aggregation: 'unique', property: 'model' } }
        : { [meter]: { aggregation: meter as 'max' | 'latest', amount } };
    const adds = meter === 'sum' || meter === 'count';
    return newUse({
      id,
      key,
      at: (DAYS[day] as number) + ms,
      meters: adds ? { [meter]: amount } : {},
      phase: 'final',
      properties: { model: value },
      ...(!adds && { readings }),
      // A late one counts in the period that is open.
      ...(late && { late: true as const }),
      periods: [late ? 'month:2026-12' : 'month:2026-11'],
    });
  });

type Step = { readonly uses: readonly Use[] } | { readonly reverse: string };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.array(reported, { minLength: 1, maxLength: 5 }).map((uses) => ({ uses })) },
  { weight: 1, arbitrary: fc.constantFrom('a', 'b', 'c', 'd').map((id) => ({ reverse: id })) },
);

/** What some uses come to, said as people say it. They stand in the order in which they were stored. */
function meters(uses: readonly Use[]): Record<string, number> {
  const amounts: Record<string, number> = {};
  let latest = -1;
  const values = new Set<string>();
  for (const { at, meters: added, readings = {}, properties } of uses) {
    for (const [meter, amount] of Object.entries(added)) amounts[meter] = (amounts[meter] ?? 0) + amount;
    for (const [meter, reading] of Object.entries(readings)) {
      if (reading.aggregation === 'unique') amounts[meter] = values.add(properties?.['model'] ?? '').size;
      else if (reading.aggregation === 'max') amounts[meter] = Math.max(amounts[meter] ?? 0, reading.amount);
      else if (at >= latest) [latest, amounts[meter]] = [at, reading.amount];
    }
  }
  return amounts;
}

const shown = (amounts: ReadonlyMap<string, bigint>): Record<string, number> =>
  Object.fromEntries([...amounts].map(([meter, amount]) => [meter, Number(amount)]));
/** Of what adds up, nothing is as good as 0. */
const withoutZeros = (amounts: Record<string, number>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(amounts).filter(([meter, n]) => n !== 0 || (meter !== 'sum' && meter !== 'count')),
  );

// Laws 1, 5 and 7.
it('shows of every aggregation what the fold of the journal is, whatever comes twice, late or is taken back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (history) => {
      const account = randomUUID();
      // A key belongs to one account.
      const keyOf = (name: string): string => name && `${account}.${name}`;
      const k1 = keyOf('k1');
      const first = new Map<string, Use>();
      const reversed = new Set<string>();
      let last: Position = 0;
      for (const one of history) {
        if ('uses' in one) {
          const uses = one.uses.map((use) => ({ ...use, key: keyOf(use.key) }));
          last = await flush(account, uses);
          for (const use of uses) if (!first.has(use.id)) first.set(use.id, use);
        } else {
          const use = first.get(one.reverse);
          if (!use) continue;
          last = await reverse(account, use);
          reversed.add(use.id);
        }
      }
      await projector.reached('usage', last, LONG);
      const counted = [...first.values()].filter(({ id }) => !reversed.has(id));
      const asked = (filter: Partial<Record<'key', string>> = {}) =>
        ({ account, environment: 'live', filter }) as const;
      const to = new Date(FROM + 3 * DAY);
      const total = async (filter?: Partial<Record<'key', string>>) =>
        withoutZeros(shown((await reports.total(asked(filter), new Date(FROM), to)).amounts));
      expect(await total()).toEqual(withoutZeros(meters(counted)));
      expect(await total({ key: k1 })).toEqual(withoutZeros(meters(counted.filter(({ key }) => key === k1))));
      const boundaries = [...DAYS.map((at) => new Date(at)), to];
      const { sums } = await reports.timeline(asked(), boundaries, ['key'], 10);
      const points = sums.map(({ bucket, group, amounts }) => [
        bucket,
        group[0],
        withoutZeros(shown(amounts)),
      ]);
      const expected = DAYS.flatMap((begin, bucket) =>
        ['', k1, keyOf('k2')].flatMap((name) => {
          const some = counted.filter(({ at, key }) => key === name && at >= begin && at < begin + DAY);
          return some.length === 0 ? [] : [[bucket, name, withoutZeros(meters(some))]];
        }),
      );
      expect(points.map((point) => JSON.stringify(sortedKeys(point))).sort()).toEqual(
        expected.map((point) => JSON.stringify(sortedKeys(point))).sort(),
      );
      for (const period of MONTHS) {
        for (const keyId of [undefined, k1]) {
          const subject = { accountId: account, environment: 'live', keyId } as const;
          const { totals } = await queries.totals(subject, period);
          const some = counted.filter(
            ({ key, periods }) => periods.includes(period) && (keyId === undefined || key === keyId),
          );
          expect(withoutZeros(shown(totals))).toEqual(withoutZeros(meters(some)));
        }
      }
    }),
    { numRuns: 40 },
  );
  expect((await projector.rebuild('usage')).differing).toEqual([]);
});

/** Of a point the amounts by name. */
const sortedKeys = ([bucket, name, amounts]: readonly unknown[]): unknown => [
  bucket,
  name,
  Object.entries(amounts as object).sort(([a], [b]) => (a < b ? -1 : 1)),
];

it('reads no more than the readings of the day or month that is asked for, whatever came before', async () => {
  const [account, other] = [randomUUID(), randomUUID()];
  const { t } = projector.access('usage');
  const [DAYS, A_DAY] = [600, 40];
  // Two years of readings, and as many ids of others.
  await database.sql.query(
    `WITH reading AS (
       SELECT n, gen_random_uuid() AS id, timestamptz '2025-01-01Z' + n / ${A_DAY} * interval '24 hours' AS at
         FROM generate_series(0, ${DAYS * A_DAY - 1}) AS n
     ), ids AS (
       INSERT INTO ${t('ids')} (id, position, content, place, phase)
       SELECT id, n, 0, 0, 3 FROM reading UNION ALL SELECT gen_random_uuid(), n, 0, 0, 3 FROM reading
     )
     INSERT INTO ${t('readings')}
            (id, meter, account, environment, key, plan, operation, field, endpoint, source, subject, status, properties,
             aggregation, at, position, place, amount, day, month)
     SELECT id, 'storage', CASE n % 4 WHEN 0 THEN $1::text ELSE $2 END, 'live', 'k', '', '', '', '', '', '', 'ok', '{}',
            'max', extract(epoch FROM at) * 1000, n, 0, n,
            to_char(at AT TIME ZONE 'UTC', '"day:"YYYY-MM-DD'), to_char(at AT TIME ZONE 'UTC', '"month:"YYYY-MM')
       FROM reading`,
    [account, other],
  );
  for (const table of ['ids', 'readings']) await database.sql.query(`ANALYZE ${t(table)}`);
  // Of what was taken back, by whomever, the ids may be read as a whole: there are few.
  const [taken] = await database.sql.query<{ back: number }>(
    `SELECT count(*)::int AS back FROM ${t('ids')} WHERE phase = 4`,
  );
  const atMost = (rows: number, wanted: number): boolean =>
    rows >= wanted && rows <= wanted + (taken?.back ?? 0);
  const { sql, queries: asked } = recording(database.sql);
  const subject = { accountId: account, environment: 'live', keyId: undefined } as const;
  const read = async (period: string): Promise<[largest: number, rows: number]> => {
    asked.length = 0;
    const { totals } = await new UsageQueries(sql, projector.access('usage')).totals(subject, period);
    const readings = asked.find(({ text }) => text.includes(t('readings')));
    if (!readings) throw new Error('readings were not asked for');
    return [Number(totals.get('storage')), await rowsRead(database.sql, readings)];
  };
  const [day, ofDay] = await read('day:2025-02-01');
  expect([day, atMost(ofDay, A_DAY / 4)]).toEqual([31 * A_DAY + 36, true]);
  const [month, ofMonth] = await read('month:2025-02');
  expect([month, atMost(ofMonth, (28 * A_DAY) / 4)]).toEqual([58 * A_DAY + 36, true]);
  const [none, ofNone] = await read('month:2031-01');
  expect([none, atMost(ofNone, 0)]).toEqual([NaN, true]);
  const span = [new Date(Date.UTC(2025, 1, 1)), new Date(Date.UTC(2025, 1, 3))] as const;
  asked.length = 0;
  const asks = { account, environment: 'live', filter: {} } as const;
  await new UsageReports(sql, projector.access('usage')).total(asks, ...span);
  const between = asked.find(({ text }) => text.includes(t('readings')));
  if (!between) throw new Error('readings were not asked for');
  expect(atMost(await rowsRead(database.sql, between), (2 * A_DAY) / 4)).toBe(true);
  // What does not add up is not projected.
  asked.length = 0;
  const reading = {
    analytics: new UsageAnalytics(new UsageReports(sql, projector.access('usage'))),
    planOf: () => ({ anchors: undefined }),
    profile: () => ({ meters: [] }),
  } as unknown as ProjectionReading;
  await projectionOf(reading, asks, 'month', Date.UTC(2025, 1, 20, 12), false);
  expect(asked.map(({ text }) => text.includes(t('readings')))).toEqual([false, false, false]);
});
