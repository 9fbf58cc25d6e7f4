import fc from 'fast-check';
import { READ_MODELS } from '../../src/capabilities.js';
import type { ReadModel } from '../../src/following/readModel.js';
import { rowsDigest } from '../../src/following/compare.js';
import type { ProjectorOptions } from '../../src/following/projector.js';
import { Projector } from '../../src/following/projector.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { as } from '../../src/eventsourcing/event.js';
import { EventReader } from '../../src/following/reader.js';
import type { Sql } from '../../src/sql/sql.js';
import { GUARD_FAILED, LEASE_LOST, SqlError, SqlUnavailable } from '../../src/sql/sql.js';
import {
  deferred,
  InterceptedStore,
  interceptTransactions,
  newEvent,
  newStream,
} from '../eventsourcing/fixtures.js';
import { freshSql } from '../support/database.js';
import { Historian, history } from '../projections/histories.js';

const LONG = 60_000;

let database: Awaited<ReturnType<typeof freshSql>>;
let sql: Sql;
let store: InterceptedStore;
let closing: (() => Promise<void> | void)[];

beforeAll(async () => {
  database = await freshSql();
  sql = database.sql;
});
afterAll(() => database.remove());

beforeEach(async () => {
  await sql.script('DROP SCHEMA IF EXISTS read CASCADE; DROP SCHEMA IF EXISTS store CASCADE');
  store = new InterceptedStore(await PostgresEventStore.open(sql));
  closing = [];
});
afterEach(async () => {
  for (const close of closing.reverse()) await close();
});

async function project(
  models: readonly ReadModel[],
  on: Sql = sql,
  onError: (model: string, error: unknown) => void = () => undefined,
  options: ProjectorOptions = {},
): Promise<{ projector: Projector; reader: EventReader }> {
  const reader = new EventReader(store);
  const projector = await Projector.open(on, reader, models, onError, options);
  projector.start();
  closing.push(async () => {
    reader.close();
    await projector.stop();
  });
  return { projector, reader };
}

/** A digest of the rows of every table, by `model.table`. */
async function rowsOf(
  projector: Projector,
  models: readonly ReadModel[] = READ_MODELS,
): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const { name, tables } of models) {
    const { t } = projector.access(name);
    for (const table of tables) digests[`${name}.${table}`] = await rowsDigest(sql, t, table);
  }
  return digests;
}

/** A model of its own: counts the events of a type, in the order of their coming. */
const notes: ReadModel = {
  name: 'notes',
  version: 1,
  tables: ['notes'],
  handles: new Set(['Noted']),
  create: (t) => `CREATE TABLE ${t('notes')} (position bigint PRIMARY KEY, text text NOT NULL);`,
  fold: (events, t) =>
    events.map((event) => ({
      text: `INSERT INTO ${t('notes')} VALUES ($1, $2)`,
      params: [event.position, as<{ type: 'Noted'; data: { text?: string } }>(event).data.text ?? ''],
    })),
};

async function note(count = 1): Promise<number> {
  const events = Array.from({ length: count }, () => newEvent());
  return (await store.append(newStream(), -1, events)).position;
}

const countNotes = async (projector: Projector): Promise<number> => {
  const [row] = await sql.query<{ count: number }>(
    `SELECT count(*) AS count FROM ${projector.access('notes').t('notes')}`,
  );
  return row?.count ?? 0;
};

const isSwitch = (statements: readonly { readonly text: string }[]): boolean =>
  statements.some(({ text }) => text.includes('SET serving'));

describe('law 5: every read model can be dropped and rebuilt', () => {
  it('gives the same rows folded as they came and rebuilt, however the events fall into pages', async () => {
    let sizes = [1];
    let reads = 0;
    store.onReadAll = (read) => read(sizes[reads++ % sizes.length] as number);
    const { projector, reader } = await project(READ_MODELS);
    const pageSizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(history, pageSizes, pageSizes, async (happenings, live, rebuilding) => {
        sizes = live;
        await new Historian(store).write(happenings);
        expect(await projector.allReached(await store.head(), LONG)).toBe(true);
        const incremental = await rowsOf(projector);

        sizes = rebuilding.map((size) => size * 20);
        // Pages that were read for the live fold would be used again.
        for (let i = 0; i < 10; i++) await reader.page(i);
        for (const { name } of READ_MODELS) expect((await projector.rebuild(name)).differing).toEqual([]);
        expect(await rowsOf(projector)).toEqual(incremental);
      }),
      { numRuns: 8 },
    );
  });

  it('tells which tables of a rebuild are not the same', async () => {
    const { projector } = await project([notes]);
    expect(await projector.reached('notes', await note(3), LONG)).toBe(true);
    await sql.query(`UPDATE ${projector.access('notes').t('notes')} SET text = 'tampered'`);
    expect(await projector.rebuild('notes')).toMatchObject({
      events: 3,
      differing: [{ table: 'notes', changed: 3 }],
    });
    expect(await projector.rebuild('notes')).toMatchObject({ events: 3, differing: [] });
  });

  it('prints which rows are gone, new and changed, with what they were and are', async () => {
    const { projector } = await project([notes]);
    expect(await projector.reached('notes', await note(9), LONG)).toBe(true);
    const table = projector.access('notes').t('notes');
    await sql.script(`
      UPDATE ${table} SET text = 'tampered' WHERE position = 2;
      DELETE FROM ${table} WHERE position IN (4, 9);
      INSERT INTO ${table} VALUES (-1, 'made up');`);
    const expected = [
      {
        table: 'notes',
        missing: 1,
        added: 2,
        changed: 1,
        examples: [
          { key: { position: -1 }, before: { position: -1, text: 'made up' }, after: null },
          {
            key: { position: 2 },
            before: { position: 2, text: 'tampered' },
            after: { position: 2, text: '' },
          },
          { key: { position: 4 }, before: null, after: { position: 4, text: '' } },
          { key: { position: 9 }, before: null, after: { position: 9, text: '' } },
        ],
      },
    ];
    // Looked at without switching first: nothing is mended by that.
    const dry = await projector.rebuild('notes', { dryRun: true });
    expect(dry).toMatchObject({ differing: expected, switched: false, generation: 1 });
    expect(await countNotes(projector)).toBe(8);
    // However small the pieces are in which rows are compared.
    for (const compareRows of [1, 2, 3]) {
      const { projector: pieces } = await project([notes], sql, undefined, { load: { compareRows } });
      expect((await pieces.rebuild('notes', { dryRun: true })).differing).toEqual(expected);
      await pieces.stop();
    }
    const { projector: last } = await project([notes]);
    expect(await last.reached('notes', await note(), LONG)).toBe(true);
    expect(await last.rebuild('notes')).toMatchObject({ differing: expected, switched: true });
    expect(await countNotes(last)).toBe(10);
  });

  it('shows how far a rebuild is, and ends it when the operator goes away', async () => {
    const { projector } = await project([notes], sql, undefined, { load: { events: 10 } });
    const head = await note(30);
    expect(await projector.reached('notes', head, LONG)).toBe(true);
    const shown: number[] = [];
    await projector.rebuild('notes', { onProgress: ({ events }) => void shown.push(events) });
    expect(shown).toEqual([10, 20, 30]);

    const operator = new AbortController();
    const rebuild = projector.rebuild('notes', {
      signal: operator.signal,
      onProgress: () => operator.abort(new Error('gone')),
    });
    await expect(projector.rebuild('notes')).rejects.toThrow('notes: it is being rebuilt');
    await expect(rebuild).rejects.toThrow('gone');
    expect(await sql.query(`SELECT generation, serving FROM read.models`)).toEqual([
      { generation: 2, serving: true },
    ]);
    expect(await projector.reached('notes', await note(), LONG)).toBe(true);
    expect(await countNotes(projector)).toBe(31);
  });

  it('lets those who wait for a position wait on over the switch', async () => {
    const atSwitch = deferred();
    const release = deferred();
    const on = interceptTransactions(sql, async (run, statements) => {
      if (isSwitch(statements)) {
        atSwitch.resolve();
        await release.promise;
      }
      return run();
    });
    const { projector } = await project([notes], on);
    expect(await projector.reached('notes', await note(2), LONG)).toBe(true);
    const rebuild = projector.rebuild('notes');
    await atSwitch.promise;
    const reached = projector.reached('notes', await note(), LONG);
    release.resolve();
    await rebuild;
    expect(await reached).toBe(true);
    expect(await countNotes(projector)).toBe(3);
  });

  it('goes on with the new generation when the confirmation of the switch was lost', async () => {
    let lose = true;
    const on = interceptTransactions(sql, async (run, statements) => {
      const rows = await run();
      if (!lose || !isSwitch(statements)) return rows;
      lose = false;
      throw new SqlUnavailable('the confirmation was lost');
    });
    const { projector } = await project([notes], on);
    expect(await projector.reached('notes', await note(2), LONG)).toBe(true);
    await expect(projector.rebuild('notes')).rejects.toBeInstanceOf(SqlUnavailable);
    expect(await projector.reached('notes', await note(), LONG)).toBe(true);
    expect(projector.access('notes').state().generation).toBe(2);
    expect(await countNotes(projector)).toBe(3);
  });

  it('makes the indexes of queries after the load, also when a first load was cut short', async () => {
    await note(30);
    const indexed: ReadModel = {
      ...notes,
      indexes: (t) => [`CREATE INDEX ON ${t('notes')} (text)`],
    };
    const indexes = async (): Promise<number> => {
      const [row] = await sql.query<{ count: number }>(
        `SELECT count(*) AS count FROM pg_indexes WHERE schemaname = 'read' AND indexdef LIKE '%(text)'`,
      );
      return row?.count ?? 0;
    };
    const failed = deferred();
    const on = interceptTransactions(sql, (run, statements) =>
      statements.some(({ text }) => text.startsWith('CREATE INDEX'))
        ? Promise.reject(new SqlUnavailable('away'))
        : run(),
    );
    const { projector: first } = await project([indexed], on, () => failed.resolve());
    await failed.promise;
    await first.stop();
    expect(await indexes()).toBe(0);

    const { projector } = await project([indexed]);
    expect(await projector.reached('notes', await note(), LONG)).toBe(true);
    expect(await indexes()).toBe(1);
    expect(await countNotes(projector)).toBe(31);
    expect(await projector.rebuild('notes')).toMatchObject({ differing: [] });
    expect(await indexes()).toBe(1);
  });

  it('rebuilds while events keep arriving, and goes on behind them', async () => {
    const { projector } = await project([notes]);
    expect(await projector.reached('notes', await note(50), LONG)).toBe(true);
    let written = 50;
    let rebuilding = true;
    const writing = (async () => {
      while (rebuilding) {
        await note(2);
        written += 2;
      }
    })();
    const reports = [await projector.rebuild('notes'), await projector.rebuild('notes')];
    rebuilding = false;
    await writing;
    for (const { differing } of reports) expect(differing).toEqual([]);
    expect(await projector.reached('notes', await note(), LONG)).toBe(true);
    expect(await countNotes(projector)).toBe(written + 1);
    expect(projector.access('notes').state().generation).toBe(3);
  });

  it('answers queries from the old generation until the switch, and no query fails over it', async () => {
    const atSwitch = deferred();
    const release = deferred();
    let counted: Promise<number> | undefined;
    const on = interceptTransactions(sql, async (run, statements) => {
      if (!isSwitch(statements)) return run();
      atSwitch.resolve();
      await release.promise;
      const rows = await run();
      // The pointer has moved, this process has not been told yet.
      counted = countNotes(projector);
      await counted;
      return rows;
    });
    const { projector } = await project([notes], on);
    expect(await projector.reached('notes', await note(4), LONG)).toBe(true);
    const rebuild = projector.rebuild('notes');
    await atSwitch.promise;
    expect(projector.access('notes').state().generation).toBe(1);
    expect(await countNotes(projector)).toBe(4);
    release.resolve();
    await rebuild;
    expect(await counted).toBe(4);
    expect(projector.access('notes').state().generation).toBe(2);
    expect(await countNotes(projector)).toBe(4);
  });

  it('leaves one generation behind, also where a rebuild was interrupted', async () => {
    const on = interceptTransactions(sql, (run, statements) =>
      isSwitch(statements) ? Promise.reject(new SqlUnavailable('away')) : run(),
    );
    const { projector } = await project([notes], on);
    expect(await projector.reached('notes', await note(2), LONG)).toBe(true);
    await expect(projector.rebuild('notes')).rejects.toBeInstanceOf(SqlUnavailable);
    // It goes on with the old one.
    expect(await projector.reached('notes', await note(), LONG)).toBe(true);

    const { projector: next } = await project([notes]);
    expect(await next.rebuild('notes')).toMatchObject({ differing: [] });
    expect(await countNotes(next)).toBe(3);
    expect(await sql.query(`SELECT generation, serving FROM read.models WHERE model = 'notes'`)).toEqual([
      { generation: 2, serving: true },
    ]);
    expect(
      await sql.query(
        `SELECT tablename FROM pg_tables WHERE schemaname = 'read' AND tablename LIKE 'notes%'`,
      ),
    ).toEqual([{ tablename: 'notes_v1_g2_notes' }]);
  });

  it('goes on from its checkpoint after a restart', async () => {
    const first = await project([notes]);
    expect(await first.projector.reached('notes', await note(3), LONG)).toBe(true);
    await first.projector.stop();
    const { projector } = await project([notes]);
    expect(projector.access('notes').state()).toMatchObject({ checkpoint: await store.head() });
    expect(await projector.reached('notes', await note(2), LONG)).toBe(true);
    expect(await countNotes(projector)).toBe(5);
  });
});

describe('where a model stands', () => {
  it('has seen every event, and says of which the last was that changed it', async () => {
    let changes = 0;
    const { projector } = await project([notes]);
    projector.onChanged('notes', () => changes++);
    const changed = await note();
    expect(await projector.reached('notes', changed, LONG)).toBe(true);
    const before = changes;
    const { position } = await store.append(newStream(), -1, [newEvent({ type: 'Unheard' })]);
    expect(await projector.reached('notes', position, LONG)).toBe(true);
    expect(projector.access('notes').state()).toMatchObject({ checkpoint: position, changed });
    expect(changes).toBe(before);
  });
});

describe('the lease', () => {
  it('lets an older projector write nothing once a newer one has started', async () => {
    const refused = deferred<unknown>();
    const old = await project([notes], sql, (_model, error) => refused.resolve(error));
    const seen = await note();
    expect(await old.projector.reached('notes', seen, LONG)).toBe(true);

    const { projector } = await project([notes]);
    const next = await note();
    expect(await projector.reached('notes', next, LONG)).toBe(true);
    const error = await refused.promise;
    expect(error).toBeInstanceOf(SqlError);
    // It sees that the lease is another's, or first that the checkpoint is elsewhere.
    expect([GUARD_FAILED, LEASE_LOST]).toContain((error as SqlError).code);
    expect(old.projector.access('notes').state().checkpoint).toBe(seen);
    expect(old.projector.failures()).toMatchObject([{ model: 'notes' }]);
    expect(await countNotes(projector)).toBe(2);
  });

  it('lets an older projector switch no generation', async () => {
    const atSwitch = deferred();
    const release = deferred();
    const on = interceptTransactions(sql, async (run, statements) => {
      if (isSwitch(statements)) {
        atSwitch.resolve();
        await release.promise;
      }
      return run();
    });
    const old = await project([notes], on);
    expect(await old.projector.reached('notes', await note(2), LONG)).toBe(true);
    const rebuild = old.projector.rebuild('notes');
    await atSwitch.promise;
    const { projector } = await project([notes]);
    expect(await projector.reached('notes', await note(), LONG)).toBe(true);
    release.resolve();
    await expect(rebuild).rejects.toBeInstanceOf(SqlError);

    expect(await projector.reached('notes', await note(), LONG)).toBe(true);
    expect(await countNotes(projector)).toBe(4);
  });
});

describe('law 10: no fact is lost', () => {
  it('recognises a commit of which the confirmation was lost', async () => {
    let lose = true;
    const on = interceptTransactions(sql, async (run) => {
      const rows = await run();
      if (!lose) return rows;
      lose = false;
      throw new SqlUnavailable('the confirmation was lost');
    });
    const { projector } = await project([notes], on);
    expect(await projector.reached('notes', await note(2), LONG)).toBe(true);
    expect(await countNotes(projector)).toBe(2);
    expect(projector.failures()).toEqual([]);
  });

  // The page that is tried again need not be the one that was committed: it may have grown.
  it('recognises it also when more events have arrived until it tries again', async () => {
    const lost = deferred();
    let state: 'lose the confirmation' | 'away' | 'well' = 'lose the confirmation';
    const on = interceptTransactions(sql, async (run) => {
      if (state === 'away') throw new SqlUnavailable('the database is away');
      const rows = await run();
      if (state === 'well') return rows;
      state = 'away';
      throw new SqlUnavailable('the confirmation was lost');
    });
    const { projector, reader } = await project([notes], on, () => lost.resolve());
    const committed = await note(2);
    await lost.promise;
    // Other followers read on, so that the page that was tried is no longer kept.
    for (let n = 0; n < 12; n++) await reader.page((await note()) - 1);
    state = 'well';
    expect(await projector.reached('notes', await store.head(), LONG)).toBe(true);
    expect(projector.access('notes').state().changed).toBeGreaterThan(committed);
    expect(await countNotes(projector)).toBe(14);
  });

  it('holds the rows of a full replay whatever transactions failed, before or after their commit', async () => {
    type Fault = 'none' | 'not committed' | 'refused' | 'not confirmed';
    let faults: Fault[] = [];
    const on = interceptTransactions(sql, async (run) => {
      const fault = faults.shift() ?? 'none';
      if (fault === 'not committed') throw new SqlUnavailable('the database is away');
      if (fault === 'refused') throw new SqlError('deadlock detected', '40P01');
      const rows = await run();
      if (fault === 'not confirmed') throw new SqlUnavailable('the confirmation was lost');
      return rows;
    });
    store.onReadAll = (read, after) => read(1 + (after % 7));
    const { projector } = await project(READ_MODELS, on);
    await fc.assert(
      fc.asyncProperty(
        history,
        fc.array(fc.constantFrom<Fault>('none', 'none', 'not committed', 'refused', 'not confirmed'), {
          maxLength: 14,
        }),
        async (happenings, injected) => {
          faults = [...injected];
          await new Historian(store).write(happenings);
          expect(await projector.allReached(await store.head(), LONG)).toBe(true);
          faults = [];
          const survived = await rowsOf(projector);
          for (const { name } of READ_MODELS) await projector.rebuild(name);
          expect(await rowsOf(projector)).toEqual(survived);
        },
      ),
      { numRuns: 8 },
    );
  });
});
