import fc from 'fast-check';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import { START } from '../../src/eventsourcing/event.js';
import { EventIdReused, NO_STREAM } from '../../src/eventsourcing/eventStore.js';
import { freshPlace, freshSql, ON_POSTGRES, openSql } from '../support/database.js';
import { eventStoreContract } from './eventStore.contract.js';
import { newEvent, newStream } from './fixtures.js';

eventStoreContract('the embedded store', async () => {
  const place = await freshPlace();
  const first = await openSql(place);
  // PGlite has one connection; on PostgreSQL two pools stand for two nodes.
  const others = ON_POSTGRES ? [await openSql(place)] : [];
  const stores = [await PostgresEventStore.open(first)] as [PostgresEventStore, ...PostgresEventStore[]];
  for (const sql of others) stores.push(await PostgresEventStore.open(sql));
  return {
    instances: stores,
    category: 'test',
    remove: async () => {
      for (const store of stores) await store.close();
      for (const sql of [first, ...others]) await sql.close();
      await place.remove();
    },
  };
});

describe('the embedded store alone', () => {
  let database: Awaited<ReturnType<typeof freshSql>>;
  let store: PostgresEventStore;
  beforeAll(async () => {
    database = await freshSql();
    store = await PostgresEventStore.open(database.sql);
  });
  afterAll(() => database.remove());

  // EventStoreDB cannot see these; ids that name their stream and their place keep them from happening.
  it.each([
    ['in another stream', newStream(), NO_STREAM],
    ['at another revision', undefined, 0],
  ])('refuses a known id %s', async (_where, other, expected) => {
    const stream = newStream();
    const event = newEvent();
    await store.append(stream, NO_STREAM, [event]);
    await expect(store.append(other ?? stream, expected, [event])).rejects.toBeInstanceOf(EventIdReused);
    expect(await store.readStream(stream)).toHaveLength(1);
    if (other !== undefined) expect(await store.readStream(other)).toEqual([]);
  });

  it('numbers events without a gap, also behind appends that were refused', async () => {
    const before = await store.head();
    const stream = newStream();
    await store.append(stream, NO_STREAM, [newEvent()]);
    await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) =>
        store.append(n % 2 ? newStream() : stream, NO_STREAM, [newEvent()]),
      ),
    );
    const positions = (await store.readAll(before, 100, 1_000_000)).map(({ position }) => position);
    expect(positions).toEqual(Array.from({ length: 11 }, (_, n) => before + 1 + n));
  });

  // What an instance has just stored it reads from memory, another one from the database.
  it('reads its newest events as they are stored, whoever else stores some', async () => {
    const stores = [store, await PostgresEventStore.open(database.sql)];
    const sizes = fc.array(fc.tuple(fc.nat(1), fc.constantFrom(1, 3, 300_000)), {
      minLength: 1,
      maxLength: 12,
    });
    const asked = fc.array(
      fc.tuple(fc.nat(1), fc.nat(20), fc.integer({ min: 1, max: 5 }), fc.constantFrom(1, 10, 1_000_000)),
    );
    const texts = (events: readonly StoredEvent[]): unknown[] =>
      events.map((e) => [e.position, e.stream, e.revision, e.id, e.type, e.dataText, e.metadataText]);
    await fc.assert(
      fc.asyncProperty(sizes, asked, async (appends, reads) => {
        for (const [by, length] of appends) {
          const data = JSON.stringify({ text: 'x'.repeat(length) });
          await stores[by]?.append(newStream(), NO_STREAM, [newEvent({ data }), newEvent()]);
        }
        const fresh = await PostgresEventStore.open(database.sql);
        const head = await fresh.head();
        for (const [by, back, limit, bytes] of reads) {
          const after = Math.max(START, head - back);
          const expected = texts(await fresh.readAll(after, limit, bytes));
          const got = texts((await stores[by]?.readAll(after, limit, bytes)) ?? []);
          expect(got.length > 0).toBe(expected.length > 0);
          expect(got).toEqual(expected.slice(0, got.length));
        }
      }),
      { numRuns: 25 },
    );
  });

  it('reads the same, and goes on behind it, when its rows were dumped and restored in another order', async () => {
    await store.append(newStream(), NO_STREAM, [newEvent(), newEvent()]);
    await store.append(newStream(), NO_STREAM, [newEvent({ data: '{ "a": "\\u00e9é" }' })]);
    const rows = await database.sql.query<{ row: string }>(
      'SELECT to_jsonb(e)::text AS row FROM store.events AS e ORDER BY md5(id::text)',
    );
    const other = await freshSql();
    try {
      await PostgresEventStore.open(other.sql);
      await other.sql.query(
        `INSERT INTO store.events
         SELECT r.* FROM jsonb_array_elements($1::jsonb) AS t(row), jsonb_populate_record(NULL::store.events, t.row) AS r`,
        [`[${rows.map(({ row }) => row).join(',')}]`],
      );
      const restored = await PostgresEventStore.open(other.sql);
      const texts = (events: readonly StoredEvent[]): unknown[] =>
        events.map((e) => [e.position, e.stream, e.revision, e.id, e.type, e.dataText, e.metadataText]);
      const all = await store.readAll(START, 1_000, 1_000_000);
      expect(all.length).toBeGreaterThan(3);
      expect(texts(await restored.readAll(START, 1_000, 1_000_000))).toEqual(texts(all));
      const [first] = all as [StoredEvent];
      const otherwise = newEvent({ id: first.id, data: '{"other":true}' });
      await expect(restored.append(first.stream, NO_STREAM, [otherwise])).rejects.toThrow(EventIdReused);
      const next = await restored.append(newStream(), NO_STREAM, [newEvent()]);
      expect(next.position).toBe((await store.head()) + 1);
    } finally {
      await other.remove();
    }
  });
});
