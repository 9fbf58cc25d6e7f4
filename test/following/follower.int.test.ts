import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import type { Position, StoredEvent } from '../../src/eventsourcing/event.js';
import { START } from '../../src/eventsourcing/event.js';
import { NO_STREAM } from '../../src/eventsourcing/eventStore.js';
import type { FollowerOptions } from '../../src/following/follower.js';
import { Follower } from '../../src/following/follower.js';
import { EventReader } from '../../src/following/reader.js';
import { freshSql } from '../support/database.js';
import { deferred, InterceptedStore, newEvent, newStream } from '../eventsourcing/fixtures.js';

const LONG = 60_000;
/** No test waits for the safety net: what it would hide must come by a wake-up. */
const NEVER = 3_600_000;

let database: Awaited<ReturnType<typeof freshSql>>;
let store: InterceptedStore;
let reader: EventReader;
let followers: Follower[];

beforeAll(async () => {
  database = await freshSql();
});
afterAll(() => database.remove());

beforeEach(async () => {
  store = new InterceptedStore(await PostgresEventStore.open(database.sql));
  reader = new EventReader(store, NEVER);
  followers = [];
});
afterEach(async () => {
  reader.close();
  await Promise.all(followers.map((follower) => follower.stop()));
});

function follow(options: Partial<FollowerOptions>): Follower {
  const follower = new Follower({
    name: 'test',
    reader,
    from: START,
    handle: () => undefined,
    onError: (error) => {
      throw error;
    },
    ...options,
  });
  followers.push(follower);
  return follower;
}

async function append(count = 1): Promise<Position> {
  const events = Array.from({ length: count }, () => newEvent());
  return (await store.append(newStream(), NO_STREAM, events)).position;
}

const positions = (events: readonly StoredEvent[]): Position[] => events.map(({ position }) => position);

it('reads everything from the start, in order, and what comes later', async () => {
  await append(3);
  const seen: Position[] = [];
  const follower = follow({ handle: (events) => void seen.push(...positions(events)) });
  follower.start();
  expect(await follower.reached(await append(2), LONG)).toBe(true);
  expect(await follower.reached(await append(1), LONG)).toBe(true);

  const all = await store.readAll(START, 1_000, 1_000_000);
  expect(seen).toEqual(positions(all));
});

it('reads another page for who begins to wait while an empty one is read', async () => {
  const from = await store.head();
  const [reading, held] = [deferred(), deferred()];
  store.onReadAll = async (read, _after, limit) => {
    const page = await read(limit);
    reading.resolve();
    await held.promise;
    return page;
  };
  const follower = follow({ from });
  follower.start();
  await reading.promise;
  // On the embedded database another instance's appends wake nobody here, as behind a pooler.
  const elsewhere = await PostgresEventStore.open(database.sql);
  const { position } = await elsewhere.append(newStream(), NO_STREAM, [newEvent()]);
  const arrived = follower.reached(position, LONG);
  held.resolve();
  expect(await arrived).toBe(true);
});

it('starts behind the position it is given', async () => {
  const from = await append(2);
  const next = await append(1);
  const seen: Position[] = [];
  const follower = follow({ from, handle: (events) => void seen.push(...positions(events)) });
  follower.start();
  expect(await follower.reached(next, LONG)).toBe(true);
  expect(seen).toEqual([next]);
});

it('has not reached a position before its page is handled, and takes no second page meanwhile', async () => {
  const from = await store.head();
  const entered = deferred();
  const release = deferred();
  let calls = 0;
  const follower = follow({
    from,
    handle: async () => {
      calls++;
      entered.resolve();
      await release.promise;
    },
  });
  const position = await append();
  const reached = follower.reached(position, LONG);
  follower.start();
  await entered.promise;
  const later = await append();

  expect(follower.position).toBe(from);
  expect(calls).toBe(1);
  release.resolve();
  expect(await reached).toBe(true);
  expect(await follower.reached(later, LONG)).toBe(true);
  expect(calls).toBe(2);
});

it('gives the same page again after an error, and says meanwhile why it is not making progress', async () => {
  const from = await store.head();
  const pages: Position[][] = [];
  const failures: unknown[] = [];
  const follower: Follower = follow({
    from,
    handle: (events) => {
      pages.push(positions(events));
      if (pages.length < 3) throw new Error(`attempt ${pages.length}`);
    },
    onError: (error, attempt) => {
      expect(follower.position).toBe(from);
      expect(follower.failure).toBe(error);
      failures.push([(error as Error).message, attempt]);
    },
  });
  const position = await append(2);
  follower.start();
  expect(await follower.reached(position, LONG)).toBe(true);
  expect(failures).toEqual([
    ['attempt 1', 1],
    ['attempt 2', 2],
  ]);
  expect(pages[0]).toHaveLength(2);
  expect(pages[1]).toEqual(pages[0]);
  expect(pages[2]).toEqual(pages[0]);
  expect(await follower.reached(await append(), LONG)).toBe(true);
  expect(follower.failure).toBeUndefined();
});

it('gets over a store that does not answer', async () => {
  const from = await store.head();
  let broken = true;
  store.onReadAll = async (read, _after, limit) => {
    if (broken) throw new Error('the store is away');
    return read(limit);
  };
  const follower = follow({ from, onError: () => (broken = false) });
  const position = await append();
  follower.start();
  expect(await follower.reached(position, LONG)).toBe(true);
});

it('ends the page it is in when it is stopped, and takes no other', async () => {
  const from = await store.head();
  const entered = deferred();
  const release = deferred();
  let calls = 0;
  const follower = follow({
    from,
    handle: async () => {
      calls++;
      entered.resolve();
      await release.promise;
    },
  });
  const first = await append();
  follower.start();
  await entered.promise;
  await append();

  let stopped = false;
  const stopping = follower.stop().then(() => (stopped = true));
  await store.head();
  expect(stopped).toBe(false);
  release.resolve();
  await stopping;
  expect(follower.position).toBe(first);
  expect(calls).toBe(1);
});

it('stops at once while it waits for events, and while it waits to try again', async () => {
  const idle = follow({ from: await store.head() });
  idle.start();
  await idle.stop();

  const failed = deferred();
  const failing = follow({
    from: await store.head(),
    handle: () => {
      throw new Error('always');
    },
    onError: () => failed.resolve(),
  });
  await append();
  failing.start();
  await failed.promise;
  await failing.stop();
});

it('answers that a position was not reached when the time is over', async () => {
  const follower = follow({ from: await store.head() });
  follower.start();
  expect(await follower.reached((await store.head()) + 1_000_000, 5)).toBe(false);
});

it('lets followers at different positions share pages', async () => {
  const from = await store.head();
  const middle = await append(2);
  const last = await append(2);
  const reads: Position[] = [];
  store.onReadAll = (read, after, limit) => {
    reads.push(after);
    return read(limit);
  };
  const seen = new Map<Follower, Position[]>();
  const start = (position: Position): Follower => {
    const follower: Follower = follow({
      from: position,
      handle: (events) => void seen.get(follower)?.push(...positions(events)),
    });
    seen.set(follower, []);
    follower.start();
    return follower;
  };
  const [a, b, c] = [start(from), start(from), start(middle)] as const;
  for (const follower of [a, b, c]) expect(await follower.reached(last, LONG)).toBe(true);

  expect(reads.filter((after) => after === from)).toHaveLength(1);
  expect(seen.get(a)).toHaveLength(4);
  expect(seen.get(b)).toEqual(seen.get(a));
  expect(seen.get(c)).toEqual(seen.get(a)?.slice(2));
});

it.each(['the first', 'the last'])(
  'reads the order of events once for followers that begin at places of their own, %s first',
  async (first) => {
    const begun = await store.head();
    for (let n = 0; n < 10; n++) await append();
    const last = await append(4_000);
    const starts = [begun, ...positions(await store.readAll(begun, 9, 1_000_000))];
    let reads = 0;
    let atOnce = 0;
    store.onReadAll = async (read, _after, limit) => {
      reads++;
      expect(++atOnce).toBe(1);
      const page = await read(limit);
      atOnce--;
      return page;
    };
    const seen = starts.map((): Position[] => []);
    const all = starts.map((from, n) => {
      return follow({ from, handle: (events) => void seen[n]?.push(...positions(events)) });
    });
    for (const follower of first === 'the first' ? all : all.toReversed()) follower.start();
    for (const follower of all) expect(await follower.reached(last, LONG)).toBe(true);

    // Each alone would need at least four.
    expect(reads).toBeLessThan(20);
    const whole = seen[0] ?? [];
    expect(whole).toHaveLength(4_010);
    expect(seen).toEqual(starts.map((_from, n) => whole.slice(n)));
  },
);

// A page that was asked for before an append can be empty although the append is stored by now. A
// follower that asks after the wake-up must not be given it: its own wake-up would be over.
it('does not let a follower share a page that is older than its last wake-up', async () => {
  const from = await store.head();
  const asked = deferred();
  const release = deferred();
  store.onReadAll = async (read, _after, limit) => {
    store.onReadAll = (next, _, most) => next(most);
    const page = await read(limit);
    asked.resolve();
    await release.promise;
    return page;
  };
  const slow = follow({ from });
  slow.start();
  await asked.promise;
  const position = await append();

  const quick = follow({ from });
  quick.start();
  const reached = quick.reached(position, LONG);
  release.resolve();
  expect(await reached).toBe(true);
  expect(await slow.reached(position, LONG)).toBe(true);
});
