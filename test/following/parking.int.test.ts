import fc from 'fast-check';
import { READ_MODELS } from '../../src/capabilities.js';
import { rowsDigest } from '../../src/following/compare.js';
import type { ReadModel } from '../../src/following/readModel.js';
import { Projector } from '../../src/following/projector.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import type { NewEvent, Position } from '../../src/eventsourcing/event.js';
import type { EventStore } from '../../src/eventsourcing/eventStore.js';
import type { ParkedStream } from '../../src/following/parking.js';
import { EventReader } from '../../src/following/reader.js';
import type { Sql } from '../../src/sql/sql.js';
import { SqlError, SqlUnavailable } from '../../src/sql/sql.js';
import { deferred, interceptTransactions, newEvent, newStream } from '../eventsourcing/fixtures.js';
import { withoutPlaces } from '../eventsourcing/withoutPlaces.js';
import { freshSql } from '../support/database.js';
import { Historian, history } from '../projections/histories.js';
import { fragile, notes, Poison } from '../projections/models.js';

const LONG = 60_000;
const BY = { by: 'operator', reason: 'a test' };

let database: Awaited<ReturnType<typeof freshSql>>;
let sql: Sql;
let store: PostgresEventStore;
let poison: Poison;
/** The store as projectors read it. */
let seen: EventStore;
let closing: (() => Promise<void> | void)[];

beforeAll(async () => {
  database = await freshSql();
  sql = database.sql;
});
afterAll(() => database.remove());

beforeEach(async () => {
  await sql.script('DROP SCHEMA IF EXISTS read, store, vault CASCADE');
  seen = store = await PostgresEventStore.open(sql);
  poison = new Poison();
  closing = [];
});
afterEach(async () => {
  for (const close of closing.reverse()) await close();
});

async function project(
  models: readonly ReadModel[],
  on: Sql = sql,
  retryMs: readonly number[] = [1, 1],
): Promise<Projector> {
  const reader = new EventReader(seen);
  const projector = await Projector.open(on, reader, models, () => undefined, { retryMs });
  projector.start();
  closing.push(async () => {
    reader.close();
    await projector.stop();
  });
  return projector;
}

const revisions = new Map<string, number>();
async function append(stream: string, ...events: readonly NewEvent[]): Promise<Position> {
  const { position, revision } = await store.append(stream, revisions.get(stream) ?? -1, events);
  revisions.set(stream, revision);
  return position;
}

/** Positions of the notes that are there. */
async function noted(projector: Projector): Promise<Position[]> {
  const rows = await sql.query<{ position: Position }>(
    `SELECT position FROM ${projector.access('notes').t('notes')} ORDER BY position`,
  );
  return rows.map(({ position }) => position);
}

async function onlyParked(projector: Projector): Promise<ParkedStream> {
  const parked = await projector.parked();
  expect(parked).toHaveLength(1);
  return parked[0] as ParkedStream;
}

/** A rebuild is the full replay that rows are held against. */
async function expectAFullReplay(projector: Projector, ...models: readonly string[]): Promise<void> {
  for (const name of models) expect((await projector.rebuild(name)).differing).toEqual([]);
}

/** Positions 1 to 7: a stream with poison in its middle between events of another one. */
async function poisonInTheMiddle(): Promise<{ ill: string; well: string }> {
  const [ill, well] = [newStream(), newStream()];
  await append(well, newEvent(), newEvent());
  await append(ill, newEvent(), poison.event(), newEvent());
  await append(well, newEvent(), newEvent());
  return { ill, well };
}

describe.each(['fold', 'write'] as const)('an event whose %s fails', (how) => {
  it('is parked with the later events of its stream, shown with the reason, and the rest flows', async () => {
    const { ill, well } = await poisonInTheMiddle();
    const projector = await project([fragile(notes, poison, how)]);
    expect(await projector.reached('notes', 7, LONG)).toBe(true);
    expect(await noted(projector)).toEqual([1, 2, 3, 6, 7]);
    expect(await onlyParked(projector)).toMatchObject({
      subject: 'notes v1',
      stream: ill,
      events: 2,
      first: 4,
      reason: expect.stringMatching(
        how === 'fold' ? /^TypeError: cannot fold/ : /division by zero/,
      ) as unknown,
    });
    expect(projector.failures()).toEqual([]);
    expect(projector.parkedStreams()).toEqual([{ model: 'notes', streams: 1 }]);

    await append(ill, newEvent());
    expect(await projector.reached('notes', await append(well, newEvent()), LONG)).toBe(true);
    expect(await noted(projector)).toEqual([1, 2, 3, 6, 7, 9]);
    expect(await onlyParked(projector)).toMatchObject({ events: 3, first: 4 });
  });
});

it('a parked stream stays parked over a restart', async () => {
  const { ill } = await poisonInTheMiddle();
  const first = await project([fragile(notes, poison)]);
  expect(await first.reached('notes', 7, LONG)).toBe(true);
  await first.stop();

  poison.cure();
  const second = await project([fragile(notes, poison)]);
  expect(await second.reached('notes', await append(ill, newEvent()), LONG)).toBe(true);
  expect(await noted(second)).toEqual([1, 2, 3, 6, 7]);
  expect(await onlyParked(second)).toMatchObject({ events: 3 });
});

/** Whether a store tells where the events of a stream stand in the global order: EventStoreDB does not. */
const STORES: [string, (store: EventStore) => EventStore][] = [
  ['their positions', (store) => store],
  ['the position of the head', withoutPlaces],
];

it.each(STORES)('after a fix parked events are replayed in order, read with %s', async (_what, as) => {
  seen = as(store);
  const { ill } = await poisonInTheMiddle();
  const projector = await project([fragile(notes, poison)]);
  expect(await projector.reached('notes', 7, LONG)).toBe(true);
  const before = projector.access('notes').state();
  let changes = 0;
  projector.onChanged('notes', () => changes++);

  poison.cure();
  expect(await projector.unpark(await onlyParked(projector))).toEqual({
    subject: 'notes v1',
    stream: ill,
    replayed: 2,
    skipped: 0,
    remaining: 0,
  });
  expect(await noted(projector)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(await projector.parked()).toEqual([]);
  expect(projector.parkedStreams()).toEqual([{ model: 'notes', streams: 0 }]);
  // Answers that are cached by the state of the model are dropped, in this process and in others.
  expect(projector.access('notes').state()).toEqual({ ...before, replays: before.replays + 1 });
  expect(changes).toBe(1);

  expect(await projector.reached('notes', await append(ill, newEvent()), LONG)).toBe(true);
  expect(await noted(projector)).toHaveLength(8);
  await expectAFullReplay(projector, 'notes');
});

it('replays parked events that stand far apart in a long stream', async () => {
  const ill = newStream();
  const sparse = { ...fragile(notes, poison), independent: true };
  const filling = (): NewEvent[] => Array.from({ length: 700 }, () => newEvent());
  await append(ill, poison.event(), ...filling(), poison.event(), ...filling());
  const lengths: number[] = [];
  seen = new Proxy<EventStore>(store, {
    get: (target, name) => {
      if (name === 'readStream')
        return (stream: string, options: { from: number; limit: number }) => {
          lengths.push(options.limit);
          return target.readStream(stream, options);
        };
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  const projector = await project([sparse], sql, []);
  expect(await projector.reached('notes', await store.head(), LONG)).toBe(true);
  poison.cure();
  expect(await projector.unpark(await onlyParked(projector))).toMatchObject({ replayed: 2, remaining: 0 });
  // The stream between them is not read: one of the journal's holds a day.
  expect(Math.max(...lengths)).toBeLessThanOrEqual(500);
  expect(await noted(projector)).toHaveLength(1_402);
});

it('a replay that meets poison again keeps what is behind it parked', async () => {
  const ill = newStream();
  const first = poison.event();
  await append(ill, first, newEvent(), newEvent(), poison.event(), newEvent());
  const projector = await project([fragile(notes, poison)]);
  expect(await projector.reached('notes', 5, LONG)).toBe(true);
  expect(await noted(projector)).toEqual([]);

  poison.ids.delete(first.id);
  expect(await projector.unpark(await onlyParked(projector))).toMatchObject({
    replayed: 3,
    remaining: 2,
    reason: expect.stringContaining('cannot fold') as unknown,
  });
  expect(await noted(projector)).toEqual([1, 2, 3]);
  expect(await onlyParked(projector)).toMatchObject({
    events: 2,
    first: 4,
    reason: expect.stringContaining('cannot fold') as unknown,
  });
});

it.each([
  { all: false, skipped: 1, replayed: 1, rows: [1, 2, 3, 5, 6, 7, 8] },
  { all: true, skipped: 2, replayed: 0, rows: [1, 2, 3, 6, 7, 8] },
])('an operator skips, all: $all; a rebuild skips the same', async ({ all, skipped, replayed, rows }) => {
  const { ill } = await poisonInTheMiddle();
  const projector = await project([fragile(notes, poison)]);
  expect(await projector.reached('notes', 7, LONG)).toBe(true);
  const unparked = await projector.unpark(await onlyParked(projector), { ...BY, all });
  expect(unparked).toMatchObject({ skipped, replayed, remaining: 0 });
  expect(await projector.reached('notes', await append(ill, newEvent()), LONG)).toBe(true);
  expect(await noted(projector)).toEqual(rows);

  await expectAFullReplay(projector, 'notes');
  expect(await projector.parked()).toEqual([]);
  expect(
    await sql.query(
      'SELECT position, stream, reason, skipped_by, skipped_at <= clock_timestamp() AS dated FROM vault.skipped ORDER BY 1',
    ),
  ).toEqual(
    [4, 5].slice(0, skipped).map((position) => ({
      position,
      stream: ill,
      reason: 'a test',
      skipped_by: 'operator',
      dated: true,
    })),
  );
});

it('a rebuild parks poison as the live projection does, and forgets it once it is cured', async () => {
  await poisonInTheMiddle();
  const projector = await project([fragile(notes, poison)]);
  expect(await projector.reached('notes', 7, LONG)).toBe(true);
  await expectAFullReplay(projector, 'notes');
  expect(await onlyParked(projector)).toMatchObject({ events: 2, first: 4 });

  poison.cure();
  expect((await projector.rebuild('notes')).differing).toMatchObject([{ added: 2, missing: 0, changed: 0 }]);
  expect(await projector.parked()).toEqual([]);
  expect(projector.parkedStreams()).toEqual([{ model: 'notes', streams: 0 }]);
  expect(await noted(projector)).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

/** Nothing may be parked because a server is away, is restarted, or has lost a table. */
it.each([
  ['the database is away', new SqlUnavailable('away')],
  ['of a deadlock', new SqlError('deadlock detected', '40P01')],
  ['the disk is full', new SqlError('no space left on device', '53100')],
  ['the server only reads', new SqlError('cannot execute INSERT in a read-only transaction', '25006')],
  ['a table is gone', new SqlError('relation does not exist', '42P01')],
])('nothing is parked because %s', async (_why, error) => {
  let away = true;
  let failures = 0;
  const tried = deferred();
  const on = interceptTransactions(sql, (run, statements) => {
    if (!away || !statements.some(({ text }) => text.startsWith('INSERT INTO read.notes'))) return run();
    // Often enough for an event that was taken for poison to be parked.
    if (++failures === 3) tried.resolve();
    return Promise.reject(error);
  });
  await append(newStream(), newEvent(), newEvent());
  const projector = await project([notes], on, []);
  await Promise.race([tried.promise, projector.reached('notes', 2, LONG)]);
  expect(projector.failures()).toMatchObject([{ model: 'notes', error }]);
  away = false;
  expect(await projector.reached('notes', 2, LONG)).toBe(true);
  expect(await noted(projector)).toEqual([1, 2]);
  expect(await projector.parked()).toEqual([]);
});

it('parks once when the confirmation of the parking was lost', async () => {
  await poisonInTheMiddle();
  let lose = true;
  const on = interceptTransactions(sql, async (run, statements) => {
    const rows = await run();
    if (!lose || !statements.some(({ text }) => text.startsWith('INSERT INTO read.parked'))) return rows;
    lose = false;
    throw new SqlUnavailable('the confirmation was lost');
  });
  const projector = await project([fragile(notes, poison)], on);
  expect(await projector.reached('notes', 7, LONG)).toBe(true);
  expect(lose).toBe(false);
  expect(await noted(projector)).toEqual([1, 2, 3, 6, 7]);
  expect(await onlyParked(projector)).toMatchObject({ events: 2 });
});

it.each(STORES)(
  'laws 5 and 10: what is replayed with %s gives the rows of a full replay',
  async (_what, as) => {
    seen = as(store);
    const projector = await project(READ_MODELS.map((model) => fragile(model, poison)));
    const digests = async (): Promise<Record<string, string>> => {
      const rows: Record<string, string> = {};
      for (const { name, tables } of READ_MODELS) {
        const { t } = projector.access(name);
        for (const table of tables) rows[`${name}.${table}`] = await rowsDigest(sql, t, table);
      }
      return rows;
    };
    let parkedInAll = 0;
    await fc.assert(
      fc.asyncProperty(history, fc.nat({ max: 6 }), async (happenings, bad) => {
        poison.also = ({ position }) => position % 7 === bad;
        await new Historian(store).write(happenings);
        expect(await projector.allReached(await store.head(), LONG)).toBe(true);
        poison.cure();
        for (const parked of await projector.parked()) {
          parkedInAll += parked.events;
          expect(await projector.unpark(parked)).toMatchObject({ remaining: 0 });
        }
        const replayed = await digests();
        await expectAFullReplay(projector, ...READ_MODELS.map(({ name }) => name));
        expect(await digests()).toEqual(replayed);
      }),
      { numRuns: 3 },
    );
    expect(parkedInAll).toBeGreaterThan(0);
  },
);
