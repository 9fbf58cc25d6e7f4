import { randomUUID } from 'node:crypto';
import { Projector } from '../../src/following/projector.js';
import { usage } from '../../projections/usage/model.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import type { Position } from '../../src/eventsourcing/event.js';
import { NO_STREAM } from '../../src/eventsourcing/eventStore.js';
import { EventReader } from '../../src/following/reader.js';
import type { Sql } from '../../src/sql/sql.js';
import type { Use } from '../../src/usage/events.js';
import { usageStream } from '../../src/usage/events.js';
import { newEvent } from '../eventsourcing/fixtures.js';
import { freshSql } from '../support/database.js';
import { newUse } from '../usage/uses.js';

const LONG = 20_000;

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
  const projector = await Projector.open(sql, reader, [usage], () => undefined, { retryMs: [] });
  projector.start();
  closing.push(async () => {
    reader.close();
    await projector.stop();
  });
  return projector;
}

/** Stores a flush as it stands, whatever stands in it. */
async function flush(groups: readonly { account: string; uses: readonly object[] }[]): Promise<Position> {
  const data = JSON.stringify({ groups, node: 'n', start: 's' });
  const event = newEvent({ type: 'UsesRecorded', data });
  return (await store.append(usageStream(randomUUID(), '2026-11-22'), NO_STREAM, [event])).position;
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
      `SELECT account, key, operation, status, requests FROM ${t('hours')} ORDER BY 1, 2, 3, 4`,
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
