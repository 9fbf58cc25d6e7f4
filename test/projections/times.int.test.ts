import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { ACCURACY, quantilesOf } from '../../projections/calls/sketches.js';
import { usage } from '../../projections/usage/model.js';
import { UsageReports } from '../../projections/usage/reports.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import type { Position } from '../../src/eventsourcing/event.js';
import { NO_STREAM } from '../../src/eventsourcing/eventStore.js';
import { Projector } from '../../src/following/projector.js';
import { EventReader } from '../../src/following/reader.js';
import type { Use } from '../../src/usage/events.js';
import { usageStream, useHash, useReversalStream } from '../../src/usage/events.js';
import { newEvent } from '../eventsourcing/fixtures.js';
import { freshSql } from '../support/database.js';
import { newUse } from '../usage/uses.js';

const LONG = 20_000;
const HOUR_MS = 3_600_000;
const FROM = Date.UTC(2026, 2, 6);

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

async function flush(account: string, uses: readonly Use[]): Promise<Position> {
  const data = JSON.stringify({ groups: [{ account, uses }], node: 'n', start: 's', batch: randomUUID() });
  const event = newEvent({ type: 'UsesRecorded', data });
  return (await store.append(usageStream(randomUUID(), '2026-03-06'), NO_STREAM, [event])).position;
}

async function reverse(account: string, use: Use): Promise<Position> {
  const data = JSON.stringify({ account, use: { ...use, phase: 'reversed', reason: 'wrong' } });
  const stream = useReversalStream(useHash(account, `${use.id}.${randomUUID()}`));
  return (await store.append(stream, NO_STREAM, [newEvent({ type: 'UseReversed', data })])).position;
}

const reported = fc
  .record({
    id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    hour: fc.nat({ max: 47 }),
    durationUs: fc.oneof(fc.constant(0), fc.nat({ max: 5_000_000 })),
    source: fc.constantFrom(null, 'ocr', 'asr'),
    phase: fc.constantFrom<Use['phase']>('final', 'final', 'final', 'expired'),
  })
  .map(({ hour, ...use }) => newUse({ ...use, at: FROM + hour * HOUR_MS + 1 }));
const step = fc.oneof(
  { weight: 3, arbitrary: fc.array(reported, { minLength: 1, maxLength: 6 }).map((uses) => ({ uses })) },
  { weight: 1, arbitrary: fc.constantFrom('a', 'b', 'c').map((id) => ({ reverse: id })) },
);

it('has percentiles of the durations that were reported, each use once and none that was taken back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (history) => {
      const account = randomUUID();
      const first = new Map<string, Use>();
      const reversed = new Set<string>();
      let last: Position = 0;
      for (const one of history) {
        if ('uses' in one) {
          last = await flush(account, one.uses);
          for (const use of one.uses) if (use.phase === 'final' && !first.has(use.id)) first.set(use.id, use);
        } else {
          const use = first.get(one.reverse);
          if (!use) continue;
          last = await reverse(account, use);
          reversed.add(use.id);
        }
      }
      await projector.reached('usage', last, LONG);
      const told = [...first.values()].filter((use) => !reversed.has(use.id) && use.durationUs > 0);
      const days = [0, 1, 2].map((day) => new Date(FROM + day * 24 * HOUR_MS));
      const groups = [[''], ['ocr'], ['asr']];
      const asked = { account, environment: 'live', filter: {} } as const;
      const rows = await reports.times(asked, days, ['source'], groups);
      const found = rows.map(({ bucket, group, bins }) => {
        const [median = NaN] = quantilesOf(bins, [0.5]) ?? [];
        return { place: `${bucket} ${group[0]}`, calls: bins.reduce((sum, [, n]) => sum + n, 0), median };
      });
      const expected = new Map<string, number[]>();
      for (const { at, source, durationUs } of told) {
        const place = `${Math.floor((at - FROM) / (24 * HOUR_MS))} ${source ?? ''}`;
        expected.set(place, [...(expected.get(place) ?? []), durationUs]);
      }
      expect(found.map(({ place, calls }) => [place, calls]).sort()).toEqual(
        [...expected].map(([place, values]) => [place, values.length]).sort(),
      );
      for (const { place, median } of found) {
        const values = [...(expected.get(place) ?? [])].sort((a, b) => a - b);
        const truth = values[Math.floor(0.5 * (values.length - 1))] ?? NaN;
        expect(Math.abs(median - truth)).toBeLessThanOrEqual(truth * ACCURACY + 1e-6);
      }
    }),
    { numRuns: 40 },
  );
  expect((await projector.rebuild('usage')).differing).toEqual([]);
});
