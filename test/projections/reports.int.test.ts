import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import type { Dimension } from '../../projections/usage/cells.js';
import { usage } from '../../projections/usage/model.js';
import type { BucketSums, Grouping } from '../../projections/usage/reports.js';
import { addedUp, UsageReports } from '../../projections/usage/reports.js';
import { UsageQueries } from '../../projections/usage/queries.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import type { Position } from '../../src/eventsourcing/event.js';
import { NO_STREAM } from '../../src/eventsourcing/eventStore.js';
import { Projector } from '../../src/following/projector.js';
import { EventReader } from '../../src/following/reader.js';
import { calendarSteps } from '../../src/text/timeZone.js';
import type { Use } from '../../src/usage/events.js';
import { usageStream } from '../../src/usage/events.js';
import { newEvent } from '../eventsourcing/fixtures.js';
import { freshSql } from '../support/database.js';
import { recording, rowsRead } from '../support/plans.js';
import { newUse } from '../usage/uses.js';

const LONG = 60_000;
const QUARTER_MS = 15 * 60_000;

let database: Awaited<ReturnType<typeof freshSql>>;
let store: PostgresEventStore;
let projector: Projector;
let reports: UsageReports;
let reader: EventReader;

beforeAll(async () => {
  database = await freshSql();
  store = await PostgresEventStore.open(database.sql);
  reader = new EventReader(store);
  projector = await Projector.open(database.sql, reader, [usage], () => undefined, { retryMs: [] });
  projector.start();
  reports = new UsageReports(database.sql, projector.access('usage'));
});
afterAll(async () => {
  reader.close();
  await projector.stop();
  await database.remove();
});

async function flush(account: string, uses: readonly Use[], type = 'UsesRecorded'): Promise<Position> {
  const data = JSON.stringify({ groups: [{ account, uses }], node: 'n', start: 's', batch: randomUUID() });
  const event = newEvent({ type, data });
  return (await store.append(usageStream(randomUUID(), '2026-11-22'), NO_STREAM, [event])).position;
}

const asked = (account: string, filter: Partial<Record<Dimension, string>> = {}) =>
  ({ account, environment: 'live', filter }) as const;

const sorted = (amounts: readonly (readonly [string, number])[]): unknown =>
  [...amounts].sort(([a], [b]) => (a < b ? -1 : 1));

/** By bucket and group: calls, refused ones, errors, and what meters came to. */
const shown = ({ bucket, group, uses, refused, errors, amounts }: BucketSums): unknown => [
  bucket,
  group,
  [uses, refused, errors].map(Number),
  sorted(
    [...amounts].filter(([, amount]) => amount !== 0n).map(([meter, amount]) => [meter, Number(amount)]),
  ),
];

const FROM = Date.UTC(2026, 2, 6);

/** Uses of a few days about the change to summer time in New York (8 March 2026). */
const use = fc
  .record({
    quarter: fc.nat({ max: 5 * 96 - 1 }),
    key: fc.constantFrom('a', 'b', ''),
    endpoint: fc.constantFrom('/graphql', '/v1/x'),
    operation: fc.constantFrom(null, 'List'),
    rootFields: fc.constantFrom<readonly string[]>([], ['me'], ['me', 'patterns']),
    source: fc.constantFrom(null, 'binance'),
    subject: fc.constantFrom(undefined, 's1', 's2'),
    plan: fc.constantFrom(undefined, 'free', 'pro'),
    model: fc.constantFrom(undefined, 'small', 'large'),
    region: fc.constantFrom(undefined, 'eu'),
    phase: fc.constantFrom<Use['phase']>(undefined, 'final'),
    status: fc.constantFrom<Use['status']>('ok', 'ok', 'error', 'refused'),
    requests: fc.nat({ max: 3 }),
    videos: fc.nat({ max: 2 }),
  })
  .map(({ quarter, subject, plan, model, region, phase, requests, videos, ...rest }) =>
    newUse({
      ...rest,
      ...(plan !== undefined && { plan }),
      ...(phase !== undefined && rest.status === 'ok' && { phase }),
      properties: { ...(model && { model }), ...(region && { region }), job: String(quarter) },
      ...((model ?? region) && { reportBy: ['region', 'model', 'absent'] }),
      at: FROM + quarter * QUARTER_MS + 1_234,
      ...(subject !== undefined && { subject }),
      meters: rest.status === 'refused' ? {} : { requests, ...(videos > 0 && { videos }) },
      refusal:
        rest.status === 'refused' ? { amount: 1, code: 'RATE_LIMITED', count: 2, limit: 'x', used: 1 } : null,
    }),
  );

/** The same sums, as anybody would add them up. */
function expected(
  uses: readonly Use[],
  boundaries: readonly number[],
  groupBy: readonly Grouping[],
): unknown[] {
  const rows = new Map<
    string,
    { bucket: number; group: string[]; counts: number[]; amounts: Record<string, number> }
  >();
  for (const one of uses) {
    const bucket = boundaries.findLastIndex((boundary) => boundary <= one.at);
    if (bucket < 0 || bucket >= boundaries.length - 1) continue;
    const group = groupBy.map((grouping) =>
      grouping.startsWith('property.')
        ? (one.properties?.[grouping.slice('property.'.length)] ?? '')
        : grouping === 'field'
          ? one.rootFields.join()
          : (one[grouping as Exclude<Dimension, 'field'>] ??
            (grouping === 'operation' ? one.rootFields.join() : '')),
    );
    const id = JSON.stringify([bucket, group]);
    const row = rows.get(id) ?? { bucket, group, counts: [0, 0, 0], amounts: {} };
    rows.set(id, row);
    const count = one.refusal?.count ?? 1;
    const add = (i: number): void => void (row.counts[i] = (row.counts[i] as number) + count);
    add(0);
    if (one.status === 'refused') add(1);
    if (one.status === 'error') add(2);
    for (const [meter, amount] of Object.entries(one.meters)) {
      if (amount > 0) row.amounts[meter] = (row.amounts[meter] ?? 0) + amount;
    }
  }
  return [...rows.values()].map(({ bucket, group, counts, amounts }) => [
    bucket,
    group,
    counts,
    sorted(Object.entries(amounts)),
  ]);
}

const inOrder = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row)).sort();

it('adds up any uses by the day of any zone, by group, and when it is rebuilt', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(use, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 3 }),
      fc.constantFrom('UTC', 'Asia/Kolkata', 'Asia/Kathmandu', 'America/New_York'),
      fc.constantFrom<readonly Grouping[]>(
        [],
        ['plan', 'property.model'],
        ['property.region', 'property.model'],
        ['key'],
        ['endpoint', 'status'],
        ['field', 'operation'],
        ['source', 'subject', 'key'],
      ),
      async (batches, zone, groupBy) => {
        const account = randomUUID();
        let last = 0;
        for (const uses of batches) last = await flush(account, uses);
        // What was stored although the callers were told to try again counts nothing.
        const [taken = []] = batches;
        if (batches.length > 1) last = await flush(account, taken, 'UsesCorrected');
        await projector.reached('usage', last, LONG);
        // What a back end reports again under the same id counts all the same.
        const kept = taken.filter(({ phase }) => phase === 'final');
        const counted = batches.length > 1 ? [...kept, ...batches.slice(1).flat()] : batches.flat();
        const day = 86_400_000;
        const boundaries = calendarSteps(zone, 'day', FROM + day / 2, FROM + 4 * day, 10);
        const dates = boundaries.map((at) => new Date(at));
        const { sums } = await reports.timeline(asked(account), dates, groupBy, 1_000);
        expect(inOrder(sums.map(shown))).toEqual(inOrder(expected(counted, boundaries, groupBy)));
        // What is left out is told together: nothing is missing in the sums of a bucket.
        const few = await reports.timeline(asked(account), dates, groupBy, 1);
        const byBucket = (some: readonly BucketSums[]): unknown =>
          dates.map((_, bucket) =>
            shown({ ...addedUp(some.filter((one) => one.bucket === bucket)), ...{ bucket, group: [] } }),
          );
        expect(byBucket([...few.sums, ...few.others])).toEqual(byBucket(sums));
        const groups = (some: readonly BucketSums[]): number =>
          new Set(some.map(({ group }) => JSON.stringify(group))).size;
        expect(few.omitted).toBe(Math.max(0, groups(sums) - 1));
        const all = await reports.groups(
          asked(account),
          new Date(FROM),
          new Date(FROM + 5 * day),
          groupBy,
          1_000,
        );
        const whole = [FROM, FROM + 5 * day];
        expect(inOrder(all.sums.map((sum) => shown({ ...sum, bucket: 0 })))).toEqual(
          inOrder(expected(counted, whole, groupBy)),
        );
      },
    ),
    { numRuns: 30 },
  );
  expect((await projector.rebuild('usage')).differing).toEqual([]);
});

it('shows the groups with the most calls, and filters', async () => {
  const account = randomUUID();
  const uses = [3, 1, 2].flatMap((count, i) =>
    Array.from({ length: count }, () => newUse({ at: FROM, key: `k${i}`, endpoint: i === 0 ? '/x' : '/y' })),
  );
  await projector.reached('usage', await flush(account, uses), LONG);
  const [from, to] = [new Date(FROM), new Date(FROM + QUARTER_MS)];
  const first = await reports.groups(asked(account), from, to, ['key'], 2);
  expect([first.omitted, first.sums.map(({ group, uses: calls }) => [...group, Number(calls)])]).toEqual([
    1,
    [
      ['k0', 3],
      ['k2', 2],
    ],
  ]);
  expect(first.others.map(({ bucket, uses: calls, omitted }) => [bucket, Number(calls), omitted])).toEqual([
    [0, 1, 1],
  ]);
  expect(Number((await reports.total(asked(account, { endpoint: '/y' }), from, to)).uses)).toBe(3);
  const fields = [['me'], ['me', 'patterns'], []].map((rootFields) =>
    newUse({ at: FROM, rootFields, key: 'f' }),
  );
  await projector.reached('usage', await flush(account, fields), LONG);
  for (const [field, calls] of Object.entries({ me: 2, patterns: 1, 'me,patterns': 1, '': 1, pattern: 0 })) {
    const { uses: found } = await reports.total(asked(account, { field, key: 'f' }), from, to);
    expect([field, Number(found)]).toEqual([field, calls]);
  }
  expect(await reports.total(asked(account, { key: 'nobody' }), from, to)).toMatchObject({
    uses: 0n,
    errors: 0n,
  });
  const everybody = await reports.total({ account: undefined, environment: 'live', filter: {} }, from, to);
  expect(Number(everybody.uses)).toBeGreaterThanOrEqual(6);
});

it('leaves out no group that has nothing in the time, though it was used on the same day', async () => {
  const account = randomUUID();
  const day = 86_400_000;
  const at = (hours: number): number => FROM + hours * 3_600_000;
  // Days of Kolkata are read as whole days of UTC, of which five and a half hours are taken off again.
  const uses = [newUse({ at: at(6), key: 'inside' }), newUse({ at: at(23), key: 'outside' })];
  await projector.reached('usage', await flush(account, uses), LONG);
  const boundaries = calendarSteps('Asia/Kolkata', 'day', FROM + day / 4, FROM + day / 2, 10);
  const dates = boundaries.map((time) => new Date(time));
  expect(dates).toHaveLength(2);
  const { sums, omitted, others } = await reports.timeline(asked(account), dates, ['key'], 1);
  expect([sums.map(({ group }) => group), omitted, others]).toEqual([[['inside']], 0, []]);
});

it('reads four rows of each key and day for days half an hour off', async () => {
  const account = randomUUID();
  const [KEYS, DAYS] = [5, 4];
  let last = 0;
  for (let day = 0; day < DAYS; day++) {
    const uses = Array.from({ length: KEYS * 96 }, (_, i) =>
      newUse({ key: `k${i % KEYS}`, at: FROM + (day * 96 + Math.floor(i / KEYS)) * QUARTER_MS }),
    );
    last = await flush(account, uses);
  }
  await projector.reached('usage', last, LONG);
  const { sql, queries } = recording(database.sql);
  const recorded = new UsageReports(sql, projector.access('usage'));
  const boundaries = calendarSteps('Asia/Kolkata', 'day', FROM + QUARTER_MS * 80, FROM + 3 * 86_400_000, 10);
  expect(boundaries).toHaveLength(4);
  const dates = boundaries.map((at) => new Date(at));
  const { sums } = await recorded.timeline(asked(account), dates, ['key'], 100);
  expect(sums.map(({ uses }) => Number(uses))).toEqual(Array.from({ length: 3 * KEYS }, () => 96));
  const [statement] = queries;
  // Of so few rows a planner would rather read all.
  const settings = ['enable_seqscan = off', 'enable_bitmapscan = off'];
  const read = statement && (await rowsRead(database.sql, statement, settings));
  // Days between: one whole, six hours, and two quarter-hours. At the ends: three and four.
  expect(read).toBe(KEYS * (2 * 4 + 3 + 4));
});

it('puts no group together with others, however many there are in an hour', async () => {
  const account = randomUUID();
  const names = Array.from({ length: 1_200 }, (_, i) => `subject-${i}`);
  const uses = names.map((subject, i) => newUse({ at: FROM, subject, meters: { videos: i + 1 } }));
  await projector.reached('usage', await flush(account, uses), LONG);
  const [from, to] = [new Date(FROM), new Date(FROM + QUARTER_MS)];
  const { sums, omitted } = await reports.groups(asked(account), from, to, ['subject'], 2_000);
  expect([sums.length, omitted]).toEqual([names.length, 0]);
  const amounts = sums.map(({ group, amounts: of }) => [group[0], Number(of.get('videos'))] as const);
  expect(new Map(amounts)).toEqual(new Map(names.map((name, i) => [name, i + 1])));
  expect(Number((await reports.total(asked(account, { subject: 'subject-1199' }), from, to)).uses)).toBe(1);
});

// A bigint would end at 9,223,372,036,854,775,807.
it('is exact above what 64 bits hold, for reports, totals and limits', async () => {
  const account = randomUUID();
  const month = { accountId: account, environment: 'live', keyId: undefined } as const;
  const { t } = projector.access('usage');
  const most = newUse({ at: FROM, meters: { bytes: 1e12 }, periods: ['month:2026-03'] });
  await projector.reached('usage', await flush(account, [most]), LONG);
  for (const table of ['counters', 'quarters', 'six_hours', 'days']) {
    await database.sql.query(
      `UPDATE ${t(table)} SET amount = 9223372036854775807 WHERE meter = 'bytes' AND ${
        table === 'counters' ? 'subject LIKE' : 'account LIKE'
      } '%' || $1`,
      [account],
    );
  }
  await projector.reached('usage', await flush(account, [most]), LONG);
  const queries = new UsageQueries(database.sql, projector.access('usage'));
  const sum = 9_223_373_036_854_775_807n;
  expect((await queries.totals(month, 'month:2026-03')).totals.get('bytes')).toBe(sum);
  const total = await reports.total(asked(account), new Date(FROM), new Date(FROM + QUARTER_MS));
  expect(total.amounts.get('bytes')).toBe(sum);
  const { amounts } = await queries.counters(month, ['month:2026-03']);
  expect(amounts.exactly('bytes', 'month:2026-03')).toBe(sum);
});
