import type { ProjectorOptions } from '../../src/following/projector.js';
import { Projector } from '../../src/following/projector.js';
import type { ReadModel, Tables } from '../../src/following/readModel.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import { correctionsDecider } from '../../src/eventsourcing/correct.js';
import { CorrectedStore } from '../../src/eventsourcing/correctedStore.js';
import type { Position, StoredEvent } from '../../src/eventsourcing/event.js';
import { CORRECTIONS_STREAM } from '../../src/eventsourcing/events.js';
import type { EventStore } from '../../src/eventsourcing/eventStore.js';
import { NO_STREAM } from '../../src/eventsourcing/eventStore.js';

import type { Policy } from '../../src/eventsourcing/policy.js';
import { PolicyRunner } from '../../src/following/policyRunner.js';
import { EventReader } from '../../src/following/reader.js';
import type { Sql } from '../../src/sql/sql.js';
import { freshSql } from '../support/database.js';
import { notes } from '../projections/models.js';
import { deferred, newEvent, newStream } from './fixtures.js';
import { withoutPlaces } from './withoutPlaces.js';

const LONG = 60_000;

let database: Awaited<ReturnType<typeof freshSql>>;
let sql: Sql;
let store: EventStore;
let closing: (() => Promise<void> | void)[];

beforeAll(async () => {
  database = await freshSql();
  sql = database.sql;
});
afterAll(() => database.remove());

beforeEach(async () => {
  await sql.script('DROP SCHEMA IF EXISTS read, store, vault CASCADE');
  store = await CorrectedStore.open(await PostgresEventStore.open(sql));
  closing = [];
});
afterEach(async () => {
  for (const close of closing.reverse()) await close();
});

/** A model that folds any text: its length. */
const lengths: ReadModel = {
  name: 'lengths',
  version: 1,
  tables: ['lengths'],
  handles: new Set(['Noted']),
  create: (t) => `CREATE TABLE ${t('lengths')} (position bigint PRIMARY KEY, length int NOT NULL);`,
  fold: (events, t) =>
    events.map(({ position, data }) => ({
      text: `INSERT INTO ${t('lengths')} VALUES ($1, $2)`,
      params: [position, (data as { text: string }).text.length],
    })),
};

async function project(models = [notes, lengths], options: ProjectorOptions = {}): Promise<Projector> {
  const reader = new EventReader(store);
  const all = { retryMs: [], ...options };
  const projector = await Projector.open(sql, reader, models, () => undefined, all);
  projector.start();
  closing.push(async () => {
    reader.close();
    await projector.stop();
  });
  return projector;
}

/** Stores three notes in a stream, of which PostgreSQL takes the second by no means. */
async function threeNotes(): Promise<{ stream: string; last: Position }> {
  const stream = newStream();
  const note = (text: string) => newEvent({ data: JSON.stringify({ text }) });
  await store.append(stream, NO_STREAM, [note('one'), note('t?o'), note('three')]);
  // Stored before anything was refused at the door.
  await sql.query(`UPDATE store.events SET data = replace(data, 't?o', 't' || chr(92) || 'u0000o')`);
  store = await CorrectedStore.open(await PostgresEventStore.open(sql));
  return { stream, last: await store.head() };
}

async function correct(stream: string, revision: number, data: object): Promise<Position> {
  const [event] = await store.readStream(stream, { from: revision, limit: 1 });
  const context = {
    commandId: crypto.randomUUID(),
    caller: 'operator:root',
    requestHash: 'r',
    at: new Date(),
    environment: 'live',
    correlationId: 'c',
  } as const;
  const command = { event: event as StoredEvent, data, reason: null };
  const result = await new CommandHandler(store).handle(
    correctionsDecider,
    CORRECTIONS_STREAM,
    command,
    context,
  );
  if (result.kind === 'refused') throw new Error(result.refusal.message);
  return result.position;
}

const texts = (projector: Projector): Promise<object[]> =>
  sql.query(`SELECT position, text FROM ${projector.access('notes').t('notes')} ORDER BY 1`);
const lengthsOf = async (projector: Projector): Promise<number[]> => {
  const rows = await sql.query<{ length: number }>(
    `SELECT length FROM ${projector.access('lengths').t('lengths')} ORDER BY position`,
  );
  return rows.map(({ length }) => length);
};
const generationOf = (projector: Projector): number => projector.access('lengths').state().generation;

async function generation(projector: Projector, wanted: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if (generationOf(projector) === wanted) resolve();
    };
    projector.onChanged('lengths', look);
    look();
  });
}

it('a correction lets the stream flow for who has parked it, and renews who had read the event before', async () => {
  const { stream, last } = await threeNotes();
  const projector = await project();
  expect(await projector.allReached(last, LONG)).toBe(true);
  expect(await texts(projector)).toEqual([{ position: 1, text: 'one' }]);
  expect(await lengthsOf(projector)).toEqual([3, 3, 5]);
  const [parked] = await projector.parked();
  if (!parked) throw new Error('nothing is parked');
  expect(parked).toMatchObject({ stream, revision: 1, events: 2, reason: expect.any(String) as unknown });

  // What it says is still wrong at first: it can be corrected again.
  const first = await correct(stream, 1, { text: 'a much longer text' });
  expect(await projector.allReached(first, LONG)).toBe(true);
  await generation(projector, 2);
  expect(await lengthsOf(projector)).toEqual([3, 18, 5]);
  const second = await correct(stream, 1, { text: 'mended' });
  expect(await projector.allReached(second, LONG)).toBe(true);
  await generation(projector, 3);
  expect(await lengthsOf(projector)).toEqual([3, 6, 5]);

  expect(await projector.unpark(parked)).toMatchObject({ replayed: 2, remaining: 0 });
  const mended = [
    { position: 1, text: 'one' },
    { position: 2, text: 'mended' },
    { position: 3, text: 'three' },
  ];
  expect(await texts(projector)).toEqual(mended);
  for (const name of ['notes', 'lengths']) {
    expect((await projector.rebuild(name)).differing).toEqual([]);
  }
  expect(await texts(projector)).toEqual(mended);
  // Nothing is renewed twice.
  const { position } = await store.append(newStream(), NO_STREAM, [newEvent({ data: '{"text":""}' })]);
  expect(await projector.allReached(position, LONG)).toBe(true);
  expect(generationOf(projector)).toBe(4);
});

it('what a correction makes obsolete is renewed after a crash, too', async () => {
  const { stream, last } = await threeNotes();
  const before = await project();
  expect(await before.allReached(last, LONG)).toBe(true);
  await closing.pop()?.();
  await correct(stream, 1, { text: 'mended' });
  // The process ended when it had seen the correction, and before the rebuild.
  await sql.query(`UPDATE read.models SET outdated = true, checkpoint = 4 WHERE model = 'lengths'`);
  const after = await project();
  await generation(after, 2);
  expect(await lengthsOf(after)).toEqual([3, 6, 5]);
});

describe('the rebuild that a correction asks for', () => {
  const noted = async (): Promise<Position> =>
    (await store.append(newStream(), NO_STREAM, [newEvent({ data: '{"text":""}' })])).position;

  /** Counts the generations that are begun, and lets no further one than the first be. */
  function broken(): { model: ReadModel; mend: () => void; begun: () => number; tried: Promise<void> } {
    const tried = deferred();
    let whole = false;
    let begun = 0;
    const create = (t: Tables): string => {
      if (++begun > 1) tried.resolve();
      return begun === 1 || whole ? lengths.create(t) : 'no SQL';
    };
    return {
      model: { ...lengths, create },
      mend: () => (whole = true),
      begun: () => begun,
      tried: tried.promise,
    };
  }

  it('waits after it has failed', async () => {
    const { stream, last } = await threeNotes();
    const { model, begun, tried } = broken();
    const projector = await project([model], { renewMs: 3_600_000 });
    expect(await projector.allReached(last, LONG)).toBe(true);
    await correct(stream, 1, { text: 'mended' });
    await tried;
    for (let page = 0; page < 5; page++) expect(await projector.allReached(await noted(), LONG)).toBe(true);
    expect(begun()).toBe(2);
  });

  it('is tried again when nothing else happens', async () => {
    const { stream, last } = await threeNotes();
    const { model, mend, tried } = broken();
    const projector = await project([model], { renewMs: 1 });
    expect(await projector.allReached(last, LONG)).toBe(true);
    await correct(stream, 1, { text: 'mended' });
    await tried;
    mend();
    await generation(projector, 2);
    expect(await lengthsOf(projector)).toEqual([3, 6, 5]);
  });

  it('is repeated for a correction that came while it went on', async () => {
    const { stream, last } = await threeNotes();
    const inner = store;
    let meanwhile: (() => Promise<void>) | undefined;
    store = new Proxy(inner, {
      get: (target, name) => {
        if (name === 'readTypes')
          return async (...args: Parameters<EventStore['readTypes']>) => {
            const page = await inner.readTypes(...args);
            const now = meanwhile;
            meanwhile = undefined;
            await now?.();
            return page;
          };
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    const projector = await project([lengths]);
    expect(await projector.allReached(last, LONG)).toBe(true);
    meanwhile = async () => {
      // Its first page has been read, and the generation that serves meets the correction.
      const second = await correct(stream, 2, { text: 'mended, too' });
      expect(await projector.allReached(second, LONG)).toBe(true);
    };
    await correct(stream, 1, { text: 'mended' });
    await generation(projector, 3);
    expect(await lengthsOf(projector)).toEqual([3, 6, 11]);
  });
});

it('is known to processes that were there before, and to those that start later', async () => {
  const { stream } = await threeNotes();
  const other = await CorrectedStore.open(await PostgresEventStore.open(sql));
  const position = await correct(stream, 1, { text: 'mended' });
  const read = async (from: EventStore) =>
    (await from.readStream(stream)).map(({ data }) => (data as { text: string }).text);
  await new EventReader(other).page(0);
  const later = await CorrectedStore.open(await PostgresEventStore.open(sql));
  for (const from of [other, later]) {
    expect(from.newestCorrection?.()).toBe(position);
    expect(await read(from)).toEqual(['one', 'mended', 'three']);
    const all = await from.readAll(0, 10, 1_000_000);
    expect((all[1] as StoredEvent).data).toEqual({ text: 'mended' });
    const back = await from.readAllBackwards(position, 10);
    expect((back[1] as StoredEvent).data).toEqual({ text: 'mended' });
    expect((back[1] as StoredEvent).id).toBe((all[1] as StoredEvent).id);
  }
});

describe('where events of a stream bear the position of the head', () => {
  const withoutPlacesOf = async (read?: () => Promise<void>): Promise<EventStore> =>
    withoutPlaces(await PostgresEventStore.open(sql), read);

  it('the newest of two corrections wins', async () => {
    const { stream } = await threeNotes();
    await correct(stream, 1, { text: 'still wrong' });
    const second = await correct(stream, 1, { text: 'mended' });
    const later = await CorrectedStore.open(await withoutPlacesOf());
    const says = async (): Promise<unknown> => (await later.readStream(stream))[1]?.data;
    expect(await says()).toEqual({ text: 'mended' });
    expect(later.newestCorrection()).toBe(second);
    await later.readAll(0, 100, 1_000_000);
    await later.readAllBackwards(second + 1, 100);
    expect(await says()).toEqual({ text: 'mended' });
    expect(later.newestCorrection()).toBe(second);
  });

  it('one that is stored while they are read is not taken for known', async () => {
    const { stream } = await threeNotes();
    const first = await correct(stream, 1, { text: 'still wrong' });
    let second: Position | undefined;
    const opening = await withoutPlacesOf(async () => {
      second ??= await correct(stream, 1, { text: 'mended' });
    });
    const later = await CorrectedStore.open(opening);
    expect(second).toBeGreaterThan(first);
    expect(later.newestCorrection()).toBe(first);
    await later.readStream(CORRECTIONS_STREAM);
    expect(later.newestCorrection()).toBe(first);
    await later.readAll(first, 100, 1_000_000);
    expect(later.newestCorrection()).toBe(second);
  });

  it('one is not taken for known because a newer one was met', async () => {
    const { stream } = await threeNotes();
    const other = await CorrectedStore.open(await withoutPlacesOf());
    const first = await correct(stream, 1, { text: 'mended' });
    const second = await correct(stream, 2, { text: 'mended, too' });
    await other.readAllBackwards(second + 1, 1);
    expect(other.newestCorrection()).toBe(0);
    await other.readAll(first - 1, 100, 1_000_000);
    expect(other.newestCorrection()).toBe(second);
  });
});

it('pages that were read before it became known are not shown again, whoever learnt of it', async () => {
  const { stream, last } = await threeNotes();
  const other = await CorrectedStore.open(await PostgresEventStore.open(sql));
  const reader = new EventReader(other);
  closing.push(() => reader.close());
  const types = new Set(['Noted']);
  const pages = async (): Promise<unknown[]> => {
    const read = [await reader.page(0), await reader.history(types, 0, last, 100, 1_000_000)];
    return read.map((events) => events[2]?.data);
  };
  await correct(stream, 2, { text: 'once' });
  expect(await pages()).toEqual([{ text: 'once' }, { text: 'once' }]);
  expect(await pages()).toEqual([{ text: 'once' }, { text: 'once' }]);
  const position = await correct(stream, 2, { text: 'twice' });
  // By another reader of the same store, like that of the access in memory.
  await other.readAll(last, 10, 1_000_000);
  expect(reader.newestCorrection).toBe(position);
  expect(await pages()).toEqual([{ text: 'twice' }, { text: 'twice' }]);
});

it('lets a policy react that could not', async () => {
  const { stream, last } = await threeNotes();
  const seen: string[] = [];
  const policy: Policy = {
    name: 'reads',
    handles: new Set(['Noted']),
    react: async ({ data }) => {
      const { text } = data as { text: string };
      if (text.includes('\0')) throw new TypeError('no text');
      seen.push(text);
    },
  };
  const reader = new EventReader(store);
  const policies = await PolicyRunner.open(sql, reader, [policy], () => undefined, { retryMs: [] });
  policies.start();
  closing.push(async () => {
    reader.close();
    await policies.stop();
  });
  expect(await policies.reached(last, LONG)).toBe(true);
  const [parked] = await policies.parked();
  if (!parked) throw new Error('nothing is parked');
  await correct(stream, 1, { text: 'two' });
  expect(await policies.unpark(parked)).toMatchObject({ replayed: 2, remaining: 0 });
  expect(seen).toEqual(['one', 'two', 'three']);
});

it('refuses what a reader could not take either', async () => {
  const { stream } = await threeNotes();
  for (const text of ['\0', '\ud83d']) {
    await expect(correct(stream, 1, { text })).rejects.toThrow('neither NUL nor half a surrogate pair');
  }
});
