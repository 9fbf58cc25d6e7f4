import { randomUUID } from 'node:crypto';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { canonicalJson } from '../../src/canonicalJson.js';
import type { Environment } from '../../src/eventsourcing/event.js';
import { NO_STREAM } from '../../src/eventsourcing/eventStore.js';
import { Amounts } from '../../src/usage/limits/amounts.js';
import type { UsageEvent, Use } from '../../src/usage/events.js';
import { subjectId, usageStream } from '../../src/usage/events.js';
import type { JournalTail } from '../../src/usage/journal/journalTail.js';
import { JournalTails, readJournalTail, spentOf } from '../../src/usage/journal/journalTail.js';
import type { Deferred } from '../eventsourcing/fixtures.js';
import { deferred, InterceptedStore, newEvent, newStream } from '../eventsourcing/fixtures.js';
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
/** The times of what is found where the ledger has seen everything. */
const read = async (most = 10): Promise<Record<string, readonly number[]>> => {
  const { subjects } = await readJournalTail(store, SINCE, Number.MAX_SAFE_INTEGER, most);
  const times = [...subjects]
    .filter(([id]) => !id.startsWith('key:'))
    .map(([id, { recent }]) => [id, recent.map(({ at }) => at)] as const);
  return Object.fromEntries(times.filter(([, all]) => all.length > 0));
};
const account = (accountId: string, environment: Environment = 'live'): string =>
  subjectId({ accountId, environment, keyId: undefined });
const A = account('a');

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
    [account('a', 'test')]: [NOON - 25],
    [account('b')]: [NOON - 40],
  });
});

it('finds the calls of a key beside those of its account', async () => {
  await flush(NOON, {
    a: [
      newUse({ at: NOON - 1, key: 'k1' }),
      newUse({ at: NOON - 2, key: 'k2' }),
      newUse({ at: NOON, key: 'k1' }),
    ],
  });
  const { subjects } = await readJournalTail(store, SINCE, Number.MAX_SAFE_INTEGER, 10);
  const of = (keyId: string) =>
    subjects.get(subjectId({ accountId: 'a', environment: 'live', keyId }))?.recent.map(({ at }) => at);
  expect([of('k1'), of('k2')]).toEqual([[NOON - 1, NOON], [NOON - 2]]);
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

it('reads no further because old events caused others', async () => {
  const old = NOON - 86_400_000;
  const caused = (): ReturnType<typeof newEvent> => newEvent({ metadata: metadata(old, randomUUID()) });
  const registered = Array.from({ length: 250 }, () => [newEvent({ metadata: metadata(old) }), caused()]);
  await store.append(newStream(), NO_STREAM, registered.flat());
  await flush(NOON, { a: [newUse({ at: NOON })] });
  expect(await read()).toEqual({ [A]: [NOON] });
  expect(pages).toBe(1);
});

it('ends where the store ends', async () => {
  await flush(NOON, { a: [newUse({ at: NOON })] });
  for (let i = 0; i < 199; i++) await flush(NOON, { a: [newUse({ at: NOON })] });
  expect((await read(1_000))[A]?.length).toBe(200);
  expect(pages).toBe(2);
});

it('says of an account whose oldest calls it leaves out how far back it knows them', async () => {
  await flush(NOON, { a: [1, 2, 3].map((i) => newUse({ at: SINCE + i })), b: [newUse({ at: SINCE + 9 })] });
  const { subjects } = await readJournalTail(store, SINCE, Number.MAX_SAFE_INTEGER, 2);
  expect(subjects.get(A)?.since).toBe(SINCE + 2);
  expect(subjects.get(account('b'))?.since).toBe(SINCE);
});

describe('what an account has spent', () => {
  const DAY = 'day:2026-11-22';
  const costed = (at: number, cost: number): Use => newUse({ at, meters: { cost, requests: 1 } });
  const spent = (tail: JournalTail, amounts: Record<string, number>, seen: number) => {
    const entries = Object.entries(amounts).map(([meter, amount]) => [meter, DAY, amount] as const);
    return spentOf(tail, A, { amounts: new Amounts(entries), held: new Amounts(), seen }, NOON);
  };

  it('is what the ledger has, and what the journal has behind it', async () => {
    const taken = costed(NOON - 20, 7);
    await flush(NOON - 300_000, { a: [costed(NOON - 300_000, 1)] });
    const ledger = await store.head();
    // Written before the window began, but not seen by the ledger.
    await flush(NOON - 200_000, { a: [costed(NOON - 200_000, 2)] });
    await flush(NOON - 30, { a: [taken, costed(NOON - 10, 4)], b: [costed(NOON, 100)] });
    const middle = await store.head();
    await flush(NOON, { a: [taken] }, 'UsesCorrected');

    const tail = await readJournalTail(store, SINCE, ledger, 10);
    const before = spent(tail, { requests: 1, cost: 1 }, ledger);
    expect(before.periods.of('requests', DAY)).toBe(3);
    expect(before.periods.of('cost', DAY)).toBe(7);
    expect(before.periods.of('cost', 'month:2026-11')).toBe(6);
    expect(before.recent).toMatchObject([{ at: NOON - 10, amounts: { cost: 4, requests: 1 } }]);
    expect(before.periods.of('cost', 'lifetime')).toBe(6);
    expect(before.since).toBe(SINCE);
    // The ledger may have moved on since: nothing counts twice.
    const later = spent(tail, { requests: 4, cost: 14 }, middle);
    expect(later.periods.of('requests', DAY)).toBe(3);
    expect(later.periods.of('cost', DAY)).toBe(7);
  });

  it('is the ledger’s alone for an account that the tail does not have', () => {
    const none = spent({ since: SINCE, most: 9, upTo: 0, subjects: new Map() }, { cost: 3 }, 0);
    expect([...none.periods]).toEqual([['cost', DAY, 3n]]);
    expect(none).toMatchObject({ recent: [], since: SINCE, asOf: NOON });
  });
});

it('reads of the tail begin after they were asked for, and are shared', async () => {
  const begun: Deferred<JournalTail>[] = [];
  const tails = new JournalTails(() => {
    const reading: Deferred<JournalTail> = deferred();
    begun.push(reading);
    return reading.promise;
  });
  const first = tails.read();
  await Promise.resolve();
  await Promise.resolve();
  expect(begun).toHaveLength(1);
  const second = tails.read();
  expect(tails.read()).toBe(second);
  begun[0]?.reject(new Error('no answer'));
  await expect(first).rejects.toThrow('no answer');
  const tail = { since: 0, most: 9, upTo: 0, subjects: new Map() };
  await new Promise((resolve) => setImmediate(resolve));
  expect(begun).toHaveLength(2);
  begun[1]?.resolve(tail);
  expect(await second).toBe(tail);
});
