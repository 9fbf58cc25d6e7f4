import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { calls } from '../../projections/calls/model.js';
import { CallQueries } from '../../projections/calls/queries.js';
import type { CallDimension } from '../../projections/calls/queries.js';
import { ACCURACY, quantilesOf } from '../../projections/calls/sketches.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import type { Position } from '../../src/eventsourcing/event.js';
import { NO_STREAM } from '../../src/eventsourcing/eventStore.js';
import { Projector } from '../../src/following/projector.js';
import { EventReader } from '../../src/following/reader.js';
import type { Use } from '../../src/usage/events.js';
import { PRICED_ELSEWHERE, usageStream } from '../../src/usage/events.js';
import { newEvent } from '../eventsourcing/fixtures.js';
import { freshSql } from '../support/database.js';
import { newUse } from '../usage/uses.js';

const LONG = 20_000;
const HOUR_MS = 3_600_000;
const FROM = Date.UTC(2026, 2, 6);

let database: Awaited<ReturnType<typeof freshSql>>;
let store: PostgresEventStore;
let projector: Projector;
let queries: CallQueries;
let reader: EventReader;

beforeAll(async () => {
  database = await freshSql();
  store = await PostgresEventStore.open(database.sql);
  reader = new EventReader(store);
  projector = await Projector.open(database.sql, reader, [calls], () => undefined, { retryMs: [] });
  projector.start();
  queries = new CallQueries(database.sql, projector.access('calls'));
});
afterAll(async () => {
  reader.close();
  await projector.stop();
  await database.remove();
});

async function flush(account: string, uses: readonly Use[], type = 'UsesRecorded'): Promise<Position> {
  const data = JSON.stringify({ groups: [{ account, uses }], node: 'n', start: 's', batch: randomUUID() });
  const event = newEvent({ type, data });
  return (await store.append(usageStream(randomUUID(), '2026-03-06'), NO_STREAM, [event])).position;
}

const executed = (over: Partial<Use>): Use => newUse({ costVersion: '1', ...over });

const call = fc
  .record({
    hour: fc.nat({ max: 59 }),
    key: fc.constantFrom('a', 'b'),
    operation: fc.constantFrom('Pattern', null),
    endpoint: fc.constantFrom('/graphql', '/v1/x'),
    source: fc.constantFrom(null, 'ocr'),
    durationUs: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 5_000_000 })),
  })
  .map(({ hour, ...rest }) => executed({ ...rest, at: FROM + hour * HOUR_MS + 1_234 }));

/** The value itself of which so many are below, as the sketches choose it. */
const exact = (values: readonly number[], part: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor(part * (values.length - 1))] ?? NaN;

it('has percentiles within two percent, by the day of any zone and by group, whatever is taken back', async () => {
  const PARTS = [0, 0.5, 0.95, 0.99, 1];
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(call, { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 3 }),
      // Of UTC, of Kolkata, of New York.
      fc.constantFrom(0, 18.5, 4),
      fc.constantFrom<readonly CallDimension[]>(
        [],
        ['key'],
        ['operation', 'endpoint'],
        ['endpoint', 'key'],
        ['source'],
      ),
      async (batches, shift, groupBy) => {
        const account = randomUUID();
        let last = 0;
        for (const uses of batches) last = await flush(account, uses);
        const counted = batches.length > 1 ? batches.slice(1).flat() : batches.flat();
        if (batches.length > 1) last = await flush(account, batches[0] ?? [], 'UsesCorrected');
        await projector.reached('calls', last, LONG);

        const boundaries = [-1, 0, 1, 2].map((day) => FROM + (day * 24 + shift) * HOUR_MS);
        const expected = new Map<string, number[]>();
        for (const { at, durationUs, key, operation, rootFields, endpoint, source } of counted) {
          const hour = Math.floor(at / HOUR_MS) * HOUR_MS;
          const bucket = boundaries.findLastIndex((boundary) => boundary <= hour);
          if (bucket < 0 || bucket > 2) continue;
          const values = {
            ...{ key, endpoint },
            operation: operation ?? rootFields.join(','),
            source: source ?? '',
          };
          const name = JSON.stringify([bucket, ...groupBy.map((dimension) => values[dimension])]);
          expected.set(name, [...(expected.get(name) ?? []), durationUs]);
        }
        const asked = { account, environment: 'live', filter: {} } as const;
        const dates = boundaries.map((at) => new Date(at));
        const rows = await queries.sketches(asked, 'duration', dates, groupBy);
        const names = rows.map(({ bucket, group }) => JSON.stringify([bucket, ...group]));
        expect([...names].sort()).toEqual([...expected.keys()].sort());
        rows.forEach(({ bins }, i) => {
          const values = expected.get(names[i] as string) ?? [];
          const told = quantilesOf(bins, PARTS) ?? [];
          PARTS.forEach((part, n) => {
            const truth = exact(values, part);
            expect(Math.abs((told[n] ?? NaN) - truth)).toBeLessThanOrEqual(truth * ACCURACY + 1e-6);
          });
        });
      },
    ),
    { numRuns: 25 },
  );
  expect((await projector.rebuild('calls')).differing).toEqual([]);
});

it('counts what limits have refused, and of what a back end executes itself no time', async () => {
  const account = randomUUID();
  const refused = (limit: string, count: number): Use =>
    newUse({
      at: FROM,
      meters: {},
      refusal: { amount: 1, code: 'RATE_LIMITED', count, limit, used: 1 },
      status: 'refused',
    });
  const uses = [
    refused('requests-minute', 1),
    refused('requests-minute', 4),
    refused('requests-month', 2),
    newUse({ at: FROM, costVersion: PRICED_ELSEWHERE, meters: { cost: 7, requests: 1 } }),
    newUse({ at: FROM, costVersion: null }),
    executed({ at: FROM, endpoint: '/x', meters: { cost: 0, requests: 1 } }),
    executed({ at: FROM, endpoint: '/y', meters: { cost: 100, requests: 1 } }),
  ];
  await projector.reached('calls', await flush(account, uses), LONG);
  const [from, to] = [new Date(FROM), new Date(FROM + HOUR_MS)];
  const asked = { account, environment: 'live', filter: {} } as const;
  expect(await queries.denials(asked, from, to, 10)).toEqual([
    { limit: 'requests-minute', code: 'RATE_LIMITED', calls: 5n },
    { limit: 'requests-month', code: 'RATE_LIMITED', calls: 2n },
  ]);
  expect(await queries.denials(asked, to, new Date(FROM + 2 * HOUR_MS), 10)).toEqual([]);
  const counted = async (measure: 'duration' | 'cost'): Promise<readonly number[]> => {
    const [row] = await queries.sketches(asked, measure, [from, to], []);
    return (row?.bins ?? []).map(([, count]) => count);
  };
  expect((await counted('duration')).reduce((sum, count) => sum + count, 0)).toBe(2);
  expect(await counted('cost')).toEqual([1, 1, 1]);
  const shown = await queries.sketches(asked, 'duration', [from, to], ['endpoint'], [['/x'], ['/nowhere']]);
  expect(shown.map(({ group }) => group)).toEqual([['/x']]);
});
