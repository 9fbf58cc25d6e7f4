import { auditLog } from '../../projections/audit/model.js';
import { audited } from '../../src/accounts/audited.js';
import { AuditQueries } from '../../projections/audit/queries.js';
import { tableNames } from '../../src/following/readModel.js';
import { StoredEvent } from '../../src/eventsourcing/event.js';
import type { Sql } from '../../src/sql/sql.js';
import { freshSql } from '../support/database.js';

const log = auditLog(audited);
const t = tableNames(log, 1);
const ENTRIES = 7;

let database: Awaited<ReturnType<typeof freshSql>>;
let queries: AuditQueries;
let asked = 0;
beforeAll(async () => {
  database = await freshSql();
  const { sql } = database;
  await sql.script(`CREATE SCHEMA IF NOT EXISTS read; ${log.create(t)}`);
  const metadata = JSON.stringify({ schemaVersion: 1, at: '2026-11-23T12:00:00.000Z' });
  const events = Array.from(
    { length: ENTRIES },
    (_, n) =>
      new StoredEvent(n * 10, `account-a${n % 2}`, 0, `e${n}`, 'AccountOpened', '{"ownerId":"u"}', metadata),
  );
  for (const { text, params } of log.fold(events, t)) await sql.query(text, params);
  const watched: Pick<Sql, 'query'> = {
    query: (...args) => {
      asked++;
      return sql.query(...args);
    },
  };
  const state = () => {
    throw new Error('nobody asks');
  };
  queries = new AuditQueries({ ...sql, ...watched }, { t, state });
});
afterAll(() => database.remove());
beforeEach(() => {
  asked = 0;
});

async function sizes(pageSize: number, filter = {}): Promise<{ sizes: number[]; ids: string[] }> {
  const pages = [];
  for await (const page of queries.all(filter, pageSize)) pages.push(page);
  return { sizes: pages.map(({ length }) => length), ids: pages.flat().map(({ id }) => id) };
}

it('all entries come once each, the newest first, in pages of at most the size', async () => {
  const ids = ['e6', 'e5', 'e4', 'e3', 'e2', 'e1', 'e0'];
  expect(await sizes(3)).toEqual({ sizes: [3, 3, 1], ids });
  expect(await sizes(ENTRIES)).toEqual({ sizes: [7], ids });
  expect(await sizes(100)).toEqual({ sizes: [7], ids });
  expect(await sizes(2, { accountId: 'a0' })).toEqual({ sizes: [2, 2], ids: ['e6', 'e4', 'e2', 'e0'] });
  expect(await sizes(2, { accountId: 'a2' })).toEqual({ sizes: [0], ids: [] });
});

it('a page is read when somebody takes it, and none after the last that was taken', async () => {
  const pages = queries.all({}, 2);
  expect(asked).toBe(0);
  await pages.next();
  expect(asked).toBe(1);
  await pages.next();
  expect(asked).toBe(2);
  await pages.return();
  expect(await pages.next()).toEqual({ done: true, value: undefined });
  expect(asked).toBe(2);
});
