import { announceProgress, onProgress } from '../../src/following/progressChannel.js';
import { AnswerCache } from '../../src/following/answerCache.js';
import { FollowedReadModels } from '../../src/following/followedReadModels.js';
import type { ReadModel } from '../../src/following/readModel.js';
import { Projector } from '../../src/following/projector.js';
import { onServingTables } from '../../src/following/servingTables.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { FollowedPolicies } from '../../src/following/followedPolicies.js';
import type { Policy } from '../../src/eventsourcing/policy.js';
import { PolicyRunner } from '../../src/following/policyRunner.js';
import { EventReader } from '../../src/following/reader.js';
import type { Sql } from '../../src/sql/sql.js';
import { deferred, newEvent, newStream } from '../eventsourcing/fixtures.js';
import { freshSql, ON_POSTGRES } from '../support/database.js';

const LONG = 60_000;

/** Counts the events of a type. */
const notes: ReadModel = {
  name: 'notes',
  version: 1,
  tables: ['notes'],
  handles: new Set(['Noted']),
  create: (t) => `CREATE TABLE ${t('notes')} (position bigint PRIMARY KEY);`,
  fold: (events, t) => [
    {
      text: `INSERT INTO ${t('notes')} SELECT unnest($1::bigint[])`,
      params: [events.map(({ position }) => position)],
    },
  ],
};

let sql: Sql;
let store: PostgresEventStore;
let closing: (() => unknown)[];

beforeEach(async () => {
  closing = [];
  const database = await freshSql();
  sql = database.sql;
  closing.push(() => database.remove());
  store = await PostgresEventStore.open(sql);
  closing.push(() => store.close());
});
afterEach(async () => {
  for (const close of closing.reverse()) await close();
});

function openReader(): EventReader {
  const reader = new EventReader(store);
  closing.push(() => reader.close());
  return reader;
}

/** The process that writes. */
async function project(): Promise<Projector> {
  const projector = await Projector.open(sql, openReader(), [notes], () => undefined);
  await PolicyRunner.open(sql, openReader(), [], () => undefined);
  await announceProgress(sql);
  projector.start();
  closing.push(() => projector.stop());
  return projector;
}

/** The process that only follows. */
async function follow(): Promise<FollowedReadModels> {
  const followed = await FollowedReadModels.open(
    sql,
    openReader(),
    [notes],
    onProgress(sql),
    () => undefined,
  );
  closing.push(() => followed.stop());
  return followed;
}

const note = async (): Promise<number> => (await store.append(newStream(), -1, [newEvent()])).position;
const other = async (): Promise<number> =>
  (await store.append(newStream(), -1, [newEvent({ type: 'Whispered' })])).position;

describe('read models that another process writes', () => {
  it('have reached an event when its rows are there', async () => {
    await project();
    const followed = await follow();
    const queries = onServingTables(sql, [notes], followed);
    for (let count = 1; count <= 3; count++) {
      expect(await followed.reached('notes', await note(), LONG)).toBe(true);
      const rows = await queries.query(`SELECT * FROM ${followed.access('notes').t('notes')}`);
      expect(rows.length).toBe(count);
    }
  });

  it('have reached an event that did not matter, although no checkpoint was stored for it', async () => {
    await project();
    const followed = await follow();
    await note();
    expect(await followed.allReached(await other(), LONG)).toBe(true);
  });

  it('have not reached an event that mattered while nobody writes, and have it once somebody does', async () => {
    const projector = await project();
    const followed = await follow();
    expect(await followed.reached('notes', await note(), LONG)).toBe(true);
    await projector.stop();
    const missing = await note();
    const later = await other();
    expect(await followed.reached('notes', missing, 300)).toBe(false);
    expect(await followed.reached('notes', later, 300)).toBe(false);
    await project();
    expect(await followed.reached('notes', later, LONG)).toBe(true);
  });

  it('are missing until a projector has built them', async () => {
    const position = await note();
    const followed = await follow();
    expect(followed.failures().map(({ model }) => model)).toEqual(['notes']);
    expect(await followed.reached('notes', position, 100)).toBe(false);
    await project();
    expect(await followed.reached('notes', position, LONG)).toBe(true);
    expect(followed.failures()).toEqual([]);
  });

  it('drop cached answers when they have changed, and not before', async () => {
    await project();
    const followed = await follow();
    await followed.reached('notes', await note(), LONG);
    const access = followed.access('notes');
    const answers = new AnswerCache([access]);
    let loads = 0;
    const count = (): Promise<number> =>
      answers.get('count', async () => {
        loads++;
        return (await sql.query(`SELECT * FROM ${access.t('notes')}`)).length;
      });
    expect(await count()).toBe(1);
    await followed.reached('notes', await other(), LONG);
    expect(await count()).toBe(1);
    expect(loads).toBe(1);
    await followed.reached('notes', await note(), LONG);
    expect(await count()).toBe(2);
    expect(loads).toBe(2);
  });

  it('answer a query that names the tables which a rebuild has just dropped', async () => {
    const projector = await project();
    const followed = await follow();
    await followed.reached('notes', await note(), LONG);
    const queries = onServingTables(sql, [notes], followed);
    const text = `SELECT position FROM ${followed.access('notes').t('notes')}`;
    await projector.rebuild('notes');
    await expect(sql.query(text)).rejects.toThrow('does not exist');
    expect((await queries.query(text)).length).toBe(1);
    expect((await queries.transaction([{ text }, { text }])).map((rows) => rows.length)).toEqual([1, 1]);
    // From then on the new tables are named.
    expect(followed.access('notes').state().generation).toBe(2);
    await expect(queries.query('SELECT * FROM read.notes_v7_g1_notes')).rejects.toThrow('does not exist');
    await expect(queries.query('SELECT 1 / 0')).rejects.toThrow('division by zero');
  });
});

describe('policies that another process runs', () => {
  it('have reached an event when it is handled, or did not matter', async () => {
    const handled: number[] = [];
    let reacting = deferred();
    const policy: Policy = {
      name: 'test',
      handles: new Set(['Noted']),
      react: async ({ position }) => {
        await reacting.promise;
        handled.push(position);
      },
    };
    const followed = await FollowedPolicies.open(
      sql,
      openReader(),
      [policy],
      onProgress(sql),
      () => undefined,
    );
    closing.push(() => followed.stop());
    const position = await note();
    const runner = await PolicyRunner.open(sql, openReader(), [policy], () => undefined);
    runner.start();
    closing.push(() => runner.stop());
    expect(await followed.reached(position, 200)).toBe(false);
    reacting.resolve();
    expect(await followed.reached(position, LONG)).toBe(true);
    expect(handled).toEqual([position]);
    reacting = deferred();
    expect(await followed.reached(await other(), LONG)).toBe(true);
  });
});

(ON_POSTGRES ? describe : describe.skip)('on PostgreSQL', () => {
  it('every move of a checkpoint or a pointer is told, in its own transaction', async () => {
    const projector = await project();
    let told = deferred();
    closing.push(onProgress(sql)(() => told.resolve()));
    // The connection listens.
    await told.promise;

    const tellsOf = async (act: () => Promise<unknown>): Promise<void> => {
      told = deferred();
      await act();
      await told.promise;
    };
    await tellsOf(note);
    await projector.allReached(await store.head(), LONG);
    await tellsOf(() => projector.rebuild('notes'));
    await tellsOf(() => sql.query(`INSERT INTO read.policies VALUES ('test', 7)`));
    await tellsOf(() => sql.query(`UPDATE read.policies SET checkpoint = 8`));
  });
});
