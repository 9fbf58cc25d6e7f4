import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { usage } from '../../projections/usage/model.js';
import { UsageQueries } from '../../projections/usage/queries.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import type { Position } from '../../src/eventsourcing/event.js';
import { NO_STREAM } from '../../src/eventsourcing/eventStore.js';
import { Projector } from '../../src/following/projector.js';
import { EventReader } from '../../src/following/reader.js';
import type { Phase, Use } from '../../src/usage/events.js';
import { usageStream, useHash } from '../../src/usage/events.js';
import { newEvent } from '../eventsourcing/fixtures.js';
import { freshSql } from '../support/database.js';
import { newUse } from '../usage/uses.js';

const LONG = 60_000;
const MONTH = 'month:2026-11';
const ACCOUNT = { accountId: 'a', environment: 'live', keyId: undefined } as const;

let database: Awaited<ReturnType<typeof freshSql>>;
let store: PostgresEventStore;
let projector: Projector;
let queries: UsageQueries;
let reader: EventReader;

beforeAll(async () => {
  database = await freshSql();
  store = await PostgresEventStore.open(database.sql);
  reader = new EventReader(store);
  projector = await Projector.open(database.sql, reader, [usage], () => undefined, { retryMs: [] });
  projector.start();
  queries = new UsageQueries(database.sql, projector.access('usage'));
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

const record = (id: string, phase: Phase, amount: number, over: Partial<Use> = {}): Use =>
  newUse({
    id,
    phase,
    meters: amount === 0 ? {} : { videos: amount },
    ...(phase === 'reserved' && {
      reservation: { expiresAt: Date.UTC(2026, 10, 22, 13), onExpiry: 'charge' },
    }),
    ...(phase === 'final' && { replaces: { videos: 1 } }),
    ...over,
  });

async function counted(accountId: string): Promise<readonly [amount: number, held: number]> {
  const { amounts, held } = await queries.counters({ ...ACCOUNT, accountId }, [MONTH]);
  return [amounts.of('videos', MONTH), held.of('videos', MONTH)];
}

it('counts the first record of each phase, and the last phase alone', async () => {
  const step = async (uses: readonly Use[], type?: string): Promise<readonly [number, number]> => {
    await projector.reached('usage', await flush('a', uses, type), LONG);
    return counted('a');
  };
  expect(await step([record('r', 'reserved', 5)])).toEqual([0, 5]);
  expect(await step([record('r', 'reserved', 7)])).toEqual([0, 5]);
  expect((await queries.overdue(Date.UTC(2026, 10, 22, 13), 10)).map((row) => row.use_id)).toEqual(['r']);
  expect(await step([record('r', 'expired', 5)])).toEqual([5, 0]);
  expect(await queries.overdue(Date.UTC(2026, 10, 22, 14), 10)).toEqual([]);
  expect(await step([record('r', 'final', 3), record('r', 'final', 4)])).toEqual([3, 0]);
  expect(await step([record('r', 'expired', 9)])).toEqual([3, 0]);
  expect(await step([record('r', 'reversed', 3), record('r', 'reversed', 3)])).toEqual([0, 0]);
  // One whose caller was told to try again is given up; what is reported stays.
  expect(await step([record('s', 'reserved', 2), record('t', 'final', 8)])).toEqual([8, 2]);
  expect(await step([record('s', 'reserved', 2), record('t', 'final', 8)], 'UsesCorrected')).toEqual([8, 0]);
  const [account] = await queries.known([useHash('a', 't')]);
  expect(account).toMatchObject({ hash: useHash('a', 't'), phase: 'final' });
  expect((await queries.duplicates('a', 10)).map(({ use_id, differs }) => [use_id, differs])).toEqual([
    ['r', false],
    ['r', true],
    ['r', true],
    ['r', true],
  ]);
  expect((await queries.reservation('r')).map(({ phase }) => phase)).toEqual(
    ['reserved', 'expired', 'final', 'reversed'].slice(0, 3),
  );
});

it('looks up what was reserved once to count uses that are final at once, and once to take away what came to nothing', async () => {
  const position = await flush('looks', [record('p', 'final', 1, { replaces: undefined })]);
  const stored = await store.readTypes(usage.handles, position - 1, position, 1, 1e6);
  const { t } = projector.access('usage');
  const looks = usage.fold(stored, t).flatMap(({ text }) => text.split(`FROM ${t('reservations')}`).slice(1));
  expect(looks).toHaveLength(2);
});

/** What stands in the ledger, said as people say it. */
function expected(uses: readonly Use[]): readonly [number, number] {
  const first = new Map<string, Map<Phase, number>>();
  for (const { id, phase, meters } of uses) {
    const phases = first.get(id) ?? new Map<Phase, number>();
    first.set(id, phases);
    if (phase && !phases.has(phase)) phases.set(phase, meters['videos'] ?? 0);
  }
  let [amount, held] = [0, 0];
  for (const phases of first.values()) {
    const standing = (['final', 'expired', 'reserved'] as const).find((phase) => phases.has(phase));
    if (standing === 'reserved') held += phases.get('reserved') ?? 0;
    else if (standing) amount += phases.get(standing) ?? 0;
    amount -= phases.get('reversed') ?? 0;
  }
  return [amount, held];
}

it('is what is expected of any history, however it falls into pages, and when it is rebuilt', async () => {
  const use = fc.record({
    id: fc.constantFrom('x', 'y', 'z'),
    phase: fc.constantFrom<Phase>('reserved', 'expired', 'final', 'reversed'),
    amount: fc.nat({ max: 9 }),
    // Without anything that it replaces, most of what is counted is added up before it goes to the database.
    plain: fc.boolean(),
    key: fc.constantFrom('', 'k1', 'k2'),
    month: fc.constantFrom('2026-10', '2026-11'),
  });
  const batch = fc.record({
    uses: fc.array(use, { minLength: 1, maxLength: 4 }),
    // Whether the next one comes to a page of its own.
    read: fc.boolean(),
  });
  const batches = fc.array(batch, { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(batches, async (history) => {
      const account = randomUUID();
      const told = history.map(({ uses }) =>
        uses.map(({ id, phase, amount, plain, key, month }) =>
          record(id, phase, amount, {
            key: key && `${account}.${key}`,
            // The property counts one month; what falls into another must leave nothing behind.
            periods: [MONTH, `day:${month}-01`],
            ...(phase === 'final' && plain && { replaces: undefined }),
          }),
        ),
      );
      let last = 0;
      for (const [i, uses] of told.entries()) {
        last = await flush(account, uses);
        if (history[i]?.read) await projector.reached('usage', last, LONG);
      }
      await projector.reached('usage', last, LONG);
      expect(await counted(account)).toEqual(expected(told.flat()));
    }),
    { numRuns: 60 },
  );
  expect((await projector.rebuild('usage')).differing).toEqual([]);
});
