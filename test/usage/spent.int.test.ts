import { randomUUID } from 'node:crypto';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { canonicalJson } from '../../src/canonicalJson.js';
import { NO_STREAM } from '../../src/eventsourcing/eventStore.js';
import type { UsageEvent, Use } from '../../src/usage/events.js';
import { usageStream } from '../../src/usage/events.js';
import { readRecentUses, recentKey } from '../../src/usage/spent.js';
import { InterceptedStore, newEvent, newStream } from '../eventsourcing/fixtures.js';
import { freshSql } from '../support/database.js';
import { newUse } from './uses.js';

const NOON = Date.UTC(2026, 10, 22, 12);
const MINUTE = 60_000;
const SINCE = NOON - MINUTE;

let database: Awaited<ReturnType<typeof freshSql>>;
let store: InterceptedStore;
let pages: number;
beforeAll(async () => {
  database = await freshSql();
  await PostgresEventStore.open(database.sql);
});
afterAll(() => database.remove());
beforeEach(async () => {
  await database.sql.query('DELETE FROM store.events');
  pages = 0;
  store = new InterceptedStore(await PostgresEventStore.open(database.sql));
  const read = store.readAllBackwards.bind(store);
  store.readAllBackwards = (before, limit) => {
    pages++;
    return read(before, limit);
  };
});

const metadata = (at: number, causationId?: string): string =>
  JSON.stringify({
    schemaVersion: 1,
    at: new Date(at).toISOString(),
    environment: 'live',
    correlationId: 'c',
    ...(causationId !== undefined && { causationId }),
  });

/** Appends a flush that was written at `at`. */
async function flush(
  at: number,
  uses: Readonly<Record<string, readonly Use[]>>,
  type: UsageEvent['type'] = 'UsesRecorded',
): Promise<void> {
  const groups = Object.entries(uses).map(([account, of]) => ({ account, uses: of }));
  const data = canonicalJson({
    groups,
    node: 'n',
    start: 's',
    ...(type === 'UsesCorrected' && { batch: 'b' }),
  });
  const event = newEvent({ type, data, metadata: metadata(at) });
  await store.append(usageStream(randomUUID(), '2026-11-22'), NO_STREAM, [event]);
}
const read = async (most = 10): Promise<Record<string, readonly number[]>> =>
  Object.fromEntries(await readRecentUses(store, SINCE, most));
const A = recentKey('a', 'live');

it('knows nothing of an empty journal', async () => {
  expect(await read()).toEqual({});
});

it('finds the calls of the window, oldest first, by account and environment', async () => {
  await flush(NOON - 10, {
    a: [newUse({ at: NOON - 20 }), newUse({ at: NOON - 30 }), newUse({ at: NOON - 25, environment: 'test' })],
    b: [newUse({ at: NOON - 40 })],
  });
  await flush(NOON, { a: [newUse({ at: NOON - 5 })] });
  expect(await read()).toEqual({
    [A]: [NOON - 30, NOON - 20, NOON - 5],
    [recentKey('a', 'test')]: [NOON - 25],
    [recentKey('b', 'live')]: [NOON - 40],
  });
});

it('leaves out calls from before the window that were stored within it', async () => {
  await flush(SINCE + 5, { a: [newUse({ at: SINCE - 1 }), newUse({ at: SINCE })] });
  expect(await read()).toEqual({ [A]: [SINCE] });
});

it('keeps the newest times of an account, as many as a limit can need', async () => {
  await flush(NOON, { a: [1, 2, 3, 4, 5].map((i) => newUse({ at: SINCE + i })) });
  expect(await read(3)).toEqual({ [A]: [SINCE + 3, SINCE + 4, SINCE + 5] });
});

it('does not count refusals', async () => {
  const refusal = { amount: 1, code: 'RATE_LIMITED', count: 1, limit: 'l', used: 1 };
  await flush(NOON, { a: [newUse({ at: NOON, meters: {}, status: 'refused', refusal })] });
  expect(await read()).toEqual({});
});

it('does not count uses that were taken back, but the others of their batch', async () => {
  const [taken, kept] = [newUse({ at: NOON - 20 }), newUse({ at: NOON - 10 })];
  await flush(NOON - 5, { a: [taken, kept] });
  await flush(NOON, { a: [taken] }, 'UsesCorrected');
  expect(await read()).toEqual({ [A]: [NOON - 10] });
});

it('reads past other events, also past those that bear the time of an old cause', async () => {
  await flush(NOON - 20, { a: [newUse({ at: NOON - 30 })] });
  const old = metadata(NOON - 86_400_000, randomUUID());
  await store.append(newStream(), NO_STREAM, [
    newEvent({ metadata: old }),
    newEvent({ metadata: metadata(NOON) }),
  ]);
  expect(await read()).toEqual({ [A]: [NOON - 30] });
});

it('reads on until an event was written before the window, over pages, and no further', async () => {
  const noted = (count: number, at: number): Promise<unknown> =>
    store.append(
      newStream(),
      NO_STREAM,
      Array.from({ length: count }, () => newEvent({ metadata: metadata(at) })),
    );
  // A use that claims to be in the window, behind an event from before it: it can't be, and isn't read.
  await flush(SINCE - 1, { a: [newUse({ at: SINCE + 1 })] });
  await noted(450, SINCE - 1);
  await flush(SINCE, { a: [newUse({ at: SINCE + 2 })] });
  await noted(250, NOON);
  await flush(NOON, { a: [newUse({ at: NOON })] });
  expect(await read()).toEqual({ [A]: [SINCE + 2, NOON] });
  expect(pages).toBe(2);
});

it('ends where the store ends', async () => {
  await flush(NOON, { a: [newUse({ at: NOON })] });
  for (let i = 0; i < 199; i++) await flush(NOON, { a: [newUse({ at: NOON })] });
  expect((await read(1_000))[A]?.length).toBe(200);
  expect(pages).toBe(2);
});
