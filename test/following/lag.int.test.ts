import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import type { EventStore } from '../../src/eventsourcing/eventStore.js';
import { NO_STREAM } from '../../src/eventsourcing/eventStore.js';
import { lagOf } from '../../src/following/lag.js';
import { freshSql } from '../support/database.js';
import { newEvent, newStream } from '../eventsourcing/fixtures.js';

const NOON = Date.UTC(2026, 10, 22, 12);

let database: Awaited<ReturnType<typeof freshSql>>;
let store: EventStore;
beforeAll(async () => {
  database = await freshSql();
  store = await PostgresEventStore.open(database.sql);
});
afterAll(() => database.remove());

const happened = (at: number) => {
  const metadata = {
    schemaVersion: 1,
    at: new Date(at).toISOString(),
    environment: 'live',
    correlationId: 'lag',
  };
  return newEvent({ metadata: JSON.stringify(metadata) });
};

it('is the number of events behind a position, and the age of the oldest of them', async () => {
  const { position } = await store.append(newStream(), NO_STREAM, [happened(NOON - 60_000)]);
  expect(await lagOf(store, position, NOON)).toEqual({ events: 0, seconds: 0 });

  const events = [happened(NOON - 5_000), happened(NOON - 2_000)];
  const { position: head } = await store.append(newStream(), NO_STREAM, events);
  expect(await lagOf(store, position, NOON)).toEqual({ events: 2, seconds: 5 });
  expect(await lagOf(store, head, NOON)).toEqual({ events: 0, seconds: 0 });
});

it('is never negative where clocks differ', async () => {
  const before = await store.head();
  await store.append(newStream(), NO_STREAM, [happened(NOON + 3_000)]);
  expect(await lagOf(store, before, NOON)).toEqual({ events: 1, seconds: 0 });
});

it('is not told by dates that a clock has set which was ahead', async () => {
  const before = await store.head();
  const stream = newStream();
  await store.append(stream, NO_STREAM, [happened(NOON + 3_600_000)]);
  expect(await lagOf(store, before, NOON)).toEqual({ events: 1, seconds: null });
  // It is at least as old as what came after it.
  await store.append(stream, 0, [happened(NOON - 700_000), happened(NOON)]);
  expect(await lagOf(store, before, NOON)).toEqual({ events: 3, seconds: 700 });
});
