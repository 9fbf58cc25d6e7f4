import { randomUUID } from 'node:crypto';
import { Projector } from '../../src/following/projector.js';
import { usage } from '../../projections/usage/model.js';
import { UsageQueries } from '../../projections/usage/queries.js';
import { popularity } from '../../projections/popularity/model.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import type { Position } from '../../src/eventsourcing/event.js';
import { NO_STREAM } from '../../src/eventsourcing/eventStore.js';
import { EventReader } from '../../src/following/reader.js';
import type { Sql } from '../../src/sql/sql.js';
import type { Use } from '../../src/usage/events.js';
import type { ParkedUseEvent } from '../../src/usage/events.js';
import { parkedUseStream, usageStream } from '../../src/usage/events.js';
import { newEvent } from '../eventsourcing/fixtures.js';
import { freshSql } from '../support/database.js';
import { newUse } from '../usage/uses.js';

const LONG = 60_000;

let database: Awaited<ReturnType<typeof freshSql>>;
let sql: Sql;
let store: PostgresEventStore;
let closing: (() => Promise<void> | void)[];

beforeAll(async () => {
  database = await freshSql();
  sql = database.sql;
});
afterAll(() => database.remove());

beforeEach(async () => {
  await sql.script('DROP SCHEMA IF EXISTS read, store, vault CASCADE');
  store = await PostgresEventStore.open(sql);
  closing = [];
});
afterEach(async () => {
  for (const close of closing.reverse()) await close();
});

async function project(): Promise<Projector> {
  const reader = new EventReader(store);
  const projector = await Projector.open(sql, reader, [usage, popularity], () => undefined, { retryMs: [] });
  projector.start();
  closing.push(async () => {
    reader.close();
    await projector.stop();
  });
  return projector;
}

/**
 * Stores a flush as it stands, whatever stands in it: the door refuses today what was stored before there was
 * one. What is not to be seen half done is stored before a projector runs.
 */
async function flush(groups: readonly { account: string; uses: readonly object[] }[]): Promise<Position> {
  const data = JSON.stringify({ groups, node: 'n', start: 's' });
  const refused = /\\u(0000|d[89a-f]..)/i.test(data);
  const event = newEvent({ type: 'UsesRecorded', data: refused ? '{}' : data });
  const { position } = await store.append(usageStream(randomUUID(), '2026-11-22'), NO_STREAM, [event]);
  if (refused) {
    await sql.query('UPDATE store.events SET data = $2 WHERE position = $1', [position, data]);
    store = await PostgresEventStore.open(sql);
  }
  return position;
}

/** What an operator decides of a parked use. */
async function decide(event: ParkedUseEvent): Promise<Position> {
  const { type, data } = event;
  const stream = parkedUseStream(data.event, data.index);
  const stored = newEvent({ type, data: JSON.stringify(data) });
  return (await store.append(stream, NO_STREAM, [stored])).position;
}

const labelled = (operation: string, over: Partial<Use> = {}): Use => newUse({ operation, ...over });

it('keeps uses apart whose labels look like the ends of others', async () => {
  const projector = await project();
  const position = await flush([
    {
      account: 'a',
      uses: [labelled('list'), labelled('list\u0001ok'), labelled('list', { status: 'error' })],
    },
    { account: 'b', uses: [labelled('ok', { key: 'key\u0001list' }), labelled('list\u0001ok')] },
  ]);
  expect(await projector.reached('usage', position, LONG)).toBe(true);
  expect(await projector.parked()).toEqual([]);
  const { t } = projector.access('usage');
  expect(
    await sql.query(
      `SELECT account, key, operation, status, uses AS requests FROM ${t('quarters')} ORDER BY 1, 2, 3, 4`,
    ),
  ).toEqual([
    { account: 'a', key: 'key', operation: 'list', status: 'error', requests: 1 },
    { account: 'a', key: 'key', operation: 'list', status: 'ok', requests: 1 },
    { account: 'a', key: 'key', operation: 'list\u0001ok', status: 'ok', requests: 1 },
    { account: 'b', key: 'key', operation: 'list\u0001ok', status: 'ok', requests: 1 },
    { account: 'b', key: 'key\u0001list', operation: 'ok', status: 'ok', requests: 1 },
  ]);
  expect((await projector.rebuild('usage')).differing).toEqual([]);
});

describe('a use that cannot be counted', () => {
  const MONTH = 'month:2026-11';
  const BAD: readonly (readonly [what: string, use: object, reason: string])[] = [
    ['NUL in its label', newUse({ operation: 'li\0st' }), '"operation" is not a name'],
    ['half a surrogate pair in its label', newUse({ operation: 'half \ud83d' }), '"operation" is not a name'],
    ['half a surrogate pair in its key', newUse({ key: '\udc00' }), '"key" is not a name'],
    ['a label beyond any index', newUse({ operation: 'x'.repeat(9_000) }), '"operation" is not a name'],
    ['no amounts', { ...newUse(), meters: null }, '"meters" are not amounts'],
    ['an amount that is none', newUse({ meters: { requests: 1e300 } }), '"meters" has what is not an amount'],
    ['a time beyond all calendars', newUse({ at: 9e15 }), '"at" is not a time'],
    ['a pattern that is no name', { ...newUse(), patterns: [{}] }, '"patterns" are not names'],
    ['nothing', null as unknown as object, 'it is not a use'],
  ];

  it.each(BAD)('is parked alone: %s', async (_what, use, reason) => {
    const groups = [
      { account: 'a', uses: [newUse({ patterns: ['p'] }), use, newUse({ patterns: ['p'] })] },
      { account: 'b', uses: [newUse()] },
    ];
    await flush(groups);
    const projector = await project();
    const queries = new UsageQueries(sql, projector.access('usage'));
    const position = await flush([{ account: 'a', uses: [newUse()] }]);
    expect(await projector.allReached(position, LONG)).toBe(true);
    expect(await projector.parked()).toEqual([]);
    expect(await queries.parkedUses(10)).toMatchObject([{ place: 1, account: 'a', reason }]);
    expect(await queries.parkedCount()).toBe(1);
    const of = async (account: string) =>
      queries.counters({ accountId: account, environment: 'live', keyId: undefined }, [MONTH]);
    expect((await of('a')).amounts.of('requests', MONTH)).toBe(3);
    expect((await of('b')).amounts.of('requests', MONTH)).toBe(1);
    expect([await queries.waits('a'), await queries.waits('b')]).toEqual([true, false]);
    for (const name of ['usage', 'popularity']) expect((await projector.rebuild(name)).differing).toEqual([]);
    expect(await queries.parkedCount()).toBe(1);
  });

  it('holds for the limits what it spent, until an operator decides', async () => {
    const bad = newUse({ operation: '\0', meters: { cost: 7, requests: 1 }, patterns: ['p'] });
    const { environment, key, at, meters, periods } = bad;
    const held = { environment, key, at, meters, periods };
    await flush([{ account: 'a', uses: [bad, newUse(), bad] }]);
    const projector = await project();
    const queries = new UsageQueries(sql, projector.access('usage'));
    await projector.allReached(await store.head(), LONG);
    const [first, second] = await queries.parkedUses(10);
    if (!first || !second) throw new Error('two uses should be parked');
    const counted = async (keyId?: string) => {
      const subject = { accountId: 'a', environment: 'live', keyId } as const;
      const { amounts, held: kept } = await queries.counters(subject, [MONTH]);
      const of = (meter: string): number[] => [amounts.of(meter, MONTH), kept.of(meter, MONTH)];
      return { requests: of('requests'), cost: of('cost') };
    };
    expect(await counted()).toEqual({ requests: [1, 2], cost: [0, 14] });
    expect(await counted('key')).toEqual({ requests: [1, 2], cost: [0, 14] });

    const of = { event: first.event, sign: 1, held, account: 'a' } as const;
    const use = newUse({ operation: 'mended', meters: { cost: 5, requests: 1 }, patterns: ['p'] });
    await decide({ type: 'ParkedUseCorrected', data: { ...of, index: first.place, use } });
    const last = await decide({ type: 'ParkedUseLeftOut', data: { ...of, index: second.place } });
    await projector.allReached(last, LONG);
    expect(await counted()).toEqual({ requests: [2, 0], cost: [5, 0] });
    expect(await queries.parkedUses(10)).toEqual([]);
    expect(await queries.waits('a')).toBe(false);
    expect(await sql.query(`SELECT * FROM ${projector.access('popularity').t('uses')}`)).toEqual([
      { pattern_id: 'p', uses: 1 },
    ]);
    for (const name of ['usage', 'popularity']) expect((await projector.rebuild(name)).differing).toEqual([]);
  });
});

it('parks a batch that cannot be read at all, alone, and says that it is incomplete', async () => {
  const projector = await project();
  const queries = new UsageQueries(sql, projector.access('usage'));
  const stream = usageStream(randomUUID(), '2026-11-22');
  const batch = (data: object) => newEvent({ type: 'UsesRecorded', data: JSON.stringify(data) });
  const sound = { groups: [{ account: 'a', uses: [newUse()] }], node: 'n', start: 's' };
  await store.append(stream, NO_STREAM, [batch(sound), batch({ node: 'n' }), batch(sound), batch(sound)]);
  expect(await projector.allReached(await store.head(), LONG)).toBe(true);
  const { amounts, incomplete } = await queries.counters(
    { accountId: 'a', environment: 'live', keyId: undefined },
    ['month:2026-11'],
  );
  expect({ requests: amounts.of('requests', 'month:2026-11'), incomplete }).toEqual({
    requests: 3,
    incomplete: true,
  });
  expect(await projector.parked()).toMatchObject([{ events: 1 }, { events: 1 }]);
  expect(await queries.waits('b')).toBe(true);
});
