import { randomUUID } from 'node:crypto';
import { EventStoreDbEventStore } from '../../src/adapters/eventstoredb/eventStore.js';
import { START } from '../../src/eventsourcing/event.js';
import {
  ConcurrencyConflict,
  EventTooLarge,
  NO_STREAM,
  StoreUnavailable,
} from '../../src/eventsourcing/eventStore.js';
import type { Fault } from '../faults/proxy.js';
import { FaultyProxy } from '../faults/proxy.js';
import { eventStoreContract } from './eventStore.contract.js';
import { EventStoreDbStandIn } from './eventStoreDbStandIn.js';
import { deferred, newEvent, newStream } from './fixtures.js';

const LONG = 60_000;
const PAGE_BYTES = 1_000_000;

/** Two instances, as on two nodes. */
function open(
  url: string,
  category: string,
  timeoutMs?: number,
): [EventStoreDbEventStore, EventStoreDbEventStore] {
  const options = { url, categories: [category], ...(timeoutMs !== undefined && { timeoutMs }) };
  return [new EventStoreDbEventStore(options), new EventStoreDbEventStore(options)];
}

const interrupt = async (proxy: FaultyProxy): Promise<void> => {
  await proxy.inject('reset');
  await proxy.heal();
};

eventStoreContract("EventStoreDB's protocol, served by the stand-in", async () => {
  const server = await EventStoreDbStandIn.start();
  // Client and server share this thread, which a bulk of appends keeps busy.
  const instances = open(server.url, 'test', LONG);
  return {
    instances,
    category: 'test',
    // Client and server share this thread, and 100,000 would keep it busy for a minute.
    bulk: 10_000,
    interrupt: () => interrupt(server.proxy),
    remove: async () => {
      for (const store of instances) await store.close();
      await server.close();
    },
  };
});

const REAL = process.env['EVENTSTOREDB_URL'];
const SINGLE_NODE = /^esdb:\/\/(?:[^@/]*@)?([^:,/?@]+):?(\d*)\/?(?=\?|$)/;

if (REAL !== undefined) {
  eventStoreContract('EventStoreDB (EVENTSTOREDB_URL)', async () => {
    // Through a proxy that can break connections; a certificate would not fit it, nor would a cluster.
    const node = REAL.includes('tls=false') ? SINGLE_NODE.exec(REAL) : null;
    const proxy = node && (await FaultyProxy.open(node[1] as string, Number(node[2] || 2113)));
    // The server holds what earlier runs have left.
    const category = `test_${randomUUID().replace(/[^a-f]/g, '')}_${Date.now().toString(36).replace(/\d/g, '')}`;
    const instances = open(proxy ? `esdb://127.0.0.1:${proxy.listening}?tls=false` : REAL, category, LONG);
    return {
      instances,
      category,
      ...(proxy && { interrupt: () => interrupt(proxy) }),
      remove: async () => {
        for (const store of instances) await store.close();
        await proxy?.close();
      },
    };
  });
}

describe('the event store on EventStoreDB', () => {
  let server: EventStoreDbStandIn;
  const stores: EventStoreDbEventStore[] = [];
  beforeEach(async () => {
    server = await EventStoreDbStandIn.start();
  });
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    await server.close();
  });

  const connect = (
    options: Partial<ConstructorParameters<typeof EventStoreDbEventStore>[0]> = {},
  ): EventStoreDbEventStore => {
    const store = new EventStoreDbEventStore({
      url: server.url,
      categories: ['test', 'other'],
      timeoutMs: LONG,
      ...options,
    });
    stores.push(store);
    return store;
  };

  const all = async (store: EventStoreDbEventStore): Promise<string[]> => {
    const ids: string[] = [];
    for (let at = START; ;) {
      const page = await store.readAll(at, 100, PAGE_BYTES);
      if (page.length === 0) return ids;
      for (const { id, position } of page) {
        ids.push(id);
        at = position;
      }
    }
  };

  it("passes over the system's events and those of others, wherever they stand", async () => {
    const store = connect();
    const ids: string[] = [];
    for (let n = 0; n < 6; n++) {
      for (let m = 0; m < 2 ** n * 40; m++) {
        server.storeForeign(m % 2 ? '$stats-node' : `test_of_others-${n}`);
        server.storeForeign('testless');
      }
      const event = newEvent();
      await store.append(newStream(), NO_STREAM, [event]);
      ids.push(event.id);
    }
    const head = await store.head();
    for (let n = 0; n < 1_200; n++) server.storeForeign('$stats-node');

    expect(await all(store)).toEqual(ids);
    expect(await store.readAll(head, 10, PAGE_BYTES)).toEqual([]);
    expect(await connect().head()).toBe(head);
    const backwards = await connect().readAllBackwards(Number.MAX_SAFE_INTEGER, 100);
    expect(backwards.map(({ id }) => id)).toEqual(ids.reverse());

    // Also when it knows already how much of what lies behind its last event is not its own.
    const event = newEvent();
    await store.append(newStream(), NO_STREAM, [event]);
    expect((await store.readAll(head, 10, PAGE_BYTES)).map(({ id }) => id)).toEqual([event.id]);
  });

  it.each([
    ['none', ''],
    ['bytes', `\u0001\u0002${'x'.repeat(50)}`],
    ['a JSON text', '"correlation"'],
    ['JSON of their own', '{"$correlationId":"1"}'],
  ])(
    'passes over events of others in streams that are named like ours, with metadata that are %s',
    async (_what, metadata) => {
      const store = connect();
      server.storeForeign('test-of-others', metadata);
      const event = newEvent();
      const { position } = await store.append(newStream(), NO_STREAM, [event]);
      server.storeForeign('test-of-others', metadata);
      expect(await all(store)).toEqual([event.id]);
      expect(await connect().head()).toBe(position);
      expect(await store.countAfter(START, 10)).toBe(1);
      const backwards = await store.readAllBackwards(Number.MAX_SAFE_INTEGER, 10);
      expect(backwards.map(({ id }) => id)).toEqual([event.id]);
    },
  );

  it('writes to no category that it would not read', async () => {
    await expect(connect().append('unknown-1', NO_STREAM, [newEvent()])).rejects.toBeInstanceOf(TypeError);
  });

  it.each([
    ['data', 'that JSON.stringify would write in other characters', '{ "a": 1.0, "a": "\\u0041" }', '{}'],
    ['data', 'that are no JSON', 'no {JSON', '{}'],
    ['data', 'that are a JSON text or number', '7', '{}'],
    ['metadata', 'that JSON.stringify would write in other characters', '{}', '{ "b" : 1e2 }'],
    ['metadata', 'that have our own key', '{}', '{"eventId":"mine","z":1}'],
    ['metadata', 'that are no object', '{}', '[1,2]'],
    ['metadata', 'that are empty', '{}', ''],
    [
      'metadata',
      'with keys like numbers and __proto__',
      '{}',
      '{"1":1,"b":2,"__proto__":{"x":3},"constructor":4}',
    ],
  ])('reads %s back %s', async (_what, _which, data, metadata) => {
    const store = connect();
    const stream = newStream();
    const event = newEvent({ data, metadata });
    await store.append(stream, NO_STREAM, [event]);
    const [read] = await store.readStream(stream);
    expect([read?.id, read?.dataText, read?.metadataText]).toEqual([event.id, data, metadata]);
    expect((await store.readAll(START, 10, PAGE_BYTES))[0]).toMatchObject({
      dataText: data,
      metadataText: metadata,
    });
  });

  // Law 8: a node that follows the leader may not have yet what the leader has acknowledged.
  it('asks the leader of a cluster for the head and for streams, and any node for pages', async () => {
    const store = connect();
    const stream = newStream();
    await store.append(stream, NO_STREAM, [newEvent()]);
    await store.readAll(START, 10, PAGE_BYTES);
    expect(server.leaderReads).toBe(0);
    const pages = server.reads;
    await store.head();
    await store.readStream(stream);
    await store.readLast(stream);
    expect(server.leaderReads).toBeGreaterThan(4);
    expect(server.reads).toBe(pages);
  });

  // On few cores a read from the end of the log blocks a thread of the server's until it stands still.
  it('finds the end of the log once, and reads forwards from there', async () => {
    const [store, writer] = [connect(), connect()];
    for (let n = 0; n < 700; n++) server.storeForeign('others-1');
    await store.head();
    const before = server.backwardReads;
    for (let n = 0; n < 20; n++) {
      for (let m = 0; m < 30 * n; m++) server.storeForeign('others-2');
      const { position } = await writer.append(newStream(), NO_STREAM, [newEvent()]);
      const sent = server.sentOfLog;
      expect(await Promise.all(Array.from({ length: 50 }, () => store.head()))).toEqual(
        Array.from({ length: 50 }, () => position),
      );
      // Who asks at the same time shares the answer, which begins behind what is known.
      expect(server.sentOfLog - sent).toBeLessThan(3 * (30 * n + 2));
    }
    expect(server.backwardReads).toBe(before);
  });

  it('looks for the newest event from the end again when much of its own has come meanwhile', async () => {
    const [store, writer] = [connect(), connect()];
    await store.head();
    for (let n = 0; n < 10; n++) {
      await writer.append(
        newStream(),
        NO_STREAM,
        Array.from({ length: 500 }, () => newEvent()),
      );
    }
    const { position } = await writer.append(newStream(), NO_STREAM, [newEvent()]);
    const sent = server.sentOfLog;
    expect(await store.head()).toBe(position);
    expect(server.sentOfLog - sent).toBeLessThan(3_000);
  });

  it('has events of others sent once to all who read past them, and most of them never', async () => {
    const store = connect();
    const ids: string[] = [];
    const starts = [START];
    const OTHERS = 20_000;
    const write = async (): Promise<void> => {
      const event = newEvent();
      starts.push((await store.append(newStream(), NO_STREAM, [event])).position);
      ids.push(event.id);
    };
    for (let n = 0; n < 5; n++) await write();
    for (let n = 0; n < OTHERS; n++) server.storeForeign(`others-${n % 7}`);
    for (let n = 0; n < 5; n++) await write();

    const sent = server.sentOfLog;
    const pages = await Promise.all(
      starts.map(async (start) => (await store.readAll(start, 100, PAGE_BYTES)).map(({ id }) => id)),
    );
    expect(pages).toEqual(starts.map((_start, n) => ids.slice(n)));
    expect(server.sentOfLog - sent).toBeLessThan(OTHERS / 2);
    // What is known to be empty is not sent again.
    const again = server.sentOfLog;
    for (const start of starts) await store.readAll(start, 100, PAGE_BYTES);
    expect(server.sentOfLog - again).toBeLessThan(500);
    expect(await connect().head()).toBe(starts.at(-1));
    expect(await connect().countAfter(START, 100)).toBe(ids.length);
  });

  it('refuses, and does not repeat, what the server finds too large', async () => {
    // Above the limit of the server's, below ours: a server may be set lower.
    server.maxAppendBytes = 10_000;
    const large = newEvent({ data: JSON.stringify({ text: 'x'.repeat(20_000) }) });
    await expect(connect().append(newStream(), NO_STREAM, [large])).rejects.toBeInstanceOf(EventTooLarge);
    expect(server.appends).toBe(1);
  });

  it('never has more calls open than a connection carries, and closes with none', async () => {
    const store = connect();
    store.onWake(() => undefined);
    const stream = newStream();
    await store.append(stream, NO_STREAM, [newEvent()]);
    await Promise.all(
      Array.from({ length: 600 }, (_, n) => {
        if (n % 3 === 0) return store.append(newStream(), NO_STREAM, [newEvent()], 'journal');
        if (n % 3 === 1) return store.append(newStream(), NO_STREAM, [newEvent()]);
        return n % 2 ? store.readStream(stream) : store.readAllBackwards(Number.MAX_SAFE_INTEGER, 1);
      }),
    );
    expect(server.mostCalls).toBeGreaterThan(1);
    // A call that was cancelled counts until the server knows.
    expect(server.mostCalls).toBeLessThanOrEqual(90);
    await store.close();
    await server.quiet();
    expect(server.calls).toBe(0);
  });

  describe('sends all appends of a connection by one call', () => {
    it('which costs the server less than a call for each', async () => {
      const store = connect();
      await Promise.all(
        Array.from({ length: 300 }, async (_, n) => {
          const stream = newStream();
          const priority = n % 2 ? 'command' : 'journal';
          await store.append(stream, NO_STREAM, [newEvent()], priority);
          await expect(store.append(stream, NO_STREAM, [newEvent()])).rejects.toMatchObject({
            actualRevision: 0,
          });
        }),
      );
      expect([server.appendCalls, server.appends]).toEqual([1, 600]);
    });

    it('of which one that is not answered in time keeps up no other', async () => {
      const store = connect({ timeoutMs: 1_000 });
      const [slow, stored] = [newStream(), newEvent()];
      const late = deferred();
      let tries = 0;
      server.holdBack = (stream) => (stream === slow && tries++ === 0 ? late.promise : undefined);
      const append = store.append(slow, NO_STREAM, [stored]);
      let done = false;
      const others = async (): Promise<void> => {
        while (!done) await store.append(newStream(), NO_STREAM, [newEvent()]);
      };
      const writing = others();
      try {
        expect(await append).toMatchObject({ revision: 0 });
      } finally {
        done = true;
        await writing;
      }
      // The answer to the first try comes when nobody waits for it.
      late.resolve();
      await store.append(newStream(), NO_STREAM, [newEvent()]);
      expect([server.appendCalls, tries]).toEqual([1, 2]);
      expect((await store.readStream(slow)).map(({ id }) => id)).toEqual([stored.id]);
    });

    it('and by another when nothing comes on it, while reads are answered', async () => {
      const store = connect({ timeoutMs: 1_000 });
      server.holdBack = (_stream, call) => (call === 1 ? new Promise(() => undefined) : undefined);
      const stream = newStream();
      const append = store.append(stream, NO_STREAM, [newEvent()]);
      let done = false;
      const reading = (async () => {
        while (!done) await store.readStream(stream);
      })();
      try {
        expect(await append).toMatchObject({ revision: 0 });
      } finally {
        done = true;
        await reading;
      }
      expect(server.appendCalls).toBe(2);
    });

    it('whose end leaves all in flight unknown, and nothing of another cluster', async () => {
      const other = await EventStoreDbStandIn.start();
      try {
        const [store, elsewhere] = [connect(), connect({ url: other.url })];
        const held = deferred();
        const arrived = deferred();
        let waiting = 0;
        for (const one of [server, other]) {
          one.holdBack = (_stream, call) => {
            if (call > 1) return undefined;
            if (++waiting === 20) arrived.resolve();
            return held.promise;
          };
        }
        const events = Array.from({ length: 10 }, () => newEvent());
        const send = (to: EventStoreDbEventStore): Promise<unknown> =>
          Promise.all(events.map((event, n) => to.append(`test-${n}`, NO_STREAM, [event])));
        const [here, there] = [send(store), send(elsewhere)];
        await arrived.promise;
        await interrupt(server.proxy);
        await here;
        held.resolve();
        await there;
        // Each was stored, and then found by its ids: the second try stored nothing.
        expect([server.appends, server.appendCalls]).toEqual([20, 2]);
        expect((await all(store)).sort()).toEqual(events.map(({ id }) => id).sort());
        expect([other.appends, other.appendCalls]).toEqual([10, 1]);
      } finally {
        await stores.pop()?.close();
        await other.close();
      }
    });

    it.each(['Timeout', 'Unknown', 'Server Is Busy'])(
      'of which "%s" says nothing of whether it is stored',
      async (what) => {
        const store = connect();
        const [stream, event] = [newStream(), newEvent()];
        let said = 0;
        server.sayInstead = () => (said++ === 0 ? what : undefined);
        expect(await store.append(stream, NO_STREAM, [event])).toMatchObject({ revision: 0 });
        expect(server.appends).toBe(2);
        expect((await store.readStream(stream)).map(({ id }) => id)).toEqual([event.id]);
        server.sayInstead = () => what;
        const unknown = connect({ giveUpMs: 100 }).append(stream, 0, [newEvent()]);
        await expect(unknown).rejects.toBeInstanceOf(StoreUnavailable);
      },
    );

    it.each(['AccessDenied', 'StreamDeleted'])('of which "%s" is not tried again', async (what) => {
      server.sayInstead = () => what;
      const refused = connect().append(newStream(), NO_STREAM, [newEvent()]);
      await expect(refused).rejects.toThrow(what);
      await expect(refused).rejects.not.toBeInstanceOf(StoreUnavailable);
      expect(server.appends).toBe(1);
    });

    it("whatever the server's clock says", async () => {
      server.clockAheadMs = 3_600_000;
      const store = connect({ giveUpMs: 100 });
      expect(await store.append(newStream(), NO_STREAM, [newEvent()])).toMatchObject({ revision: 0 });
    });
  });

  it('wakes for what another instance appends, also when the server was away', async () => {
    const [listener, writer] = [connect({ timeoutMs: 300 }), connect({ timeoutMs: 300 })];
    for (const fault of [undefined, 'refuse', 'freeze', 'forget'] as const) {
      if (fault) {
        await server.proxy.inject(fault);
        await expect(listener.head()).rejects.toBeInstanceOf(StoreUnavailable);
        await server.proxy.heal();
      }
      const woken = deferred();
      const stop = listener.onWake(() => woken.resolve());
      await again(() => writer.append(newStream(), NO_STREAM, [newEvent()]));
      await woken.promise;
      stop();
    }
  });

  it('is not woken by what it has appended itself a second time', async () => {
    const store = connect();
    let wakes = 0;
    store.onWake(() => wakes++);
    for (let n = 0; n < 5; n++) await store.append(newStream(), NO_STREAM, [newEvent()]);
    const other = deferred();
    store.onWake(() => other.resolve());
    await connect().append(newStream(), NO_STREAM, [newEvent()]);
    await other.promise;
    expect(wakes).toBeLessThanOrEqual(6);
  });

  // Two events of a live subscription in a row, or two long reads at once, block the threads of a server
  // with few cores.
  it('has no subscription open while nothing is to be left out, and one long read at a time', async () => {
    const store = connect();
    store.onWake(() => undefined);
    for (let n = 0; n < 3; n++) {
      await connect().append(
        newStream(),
        NO_STREAM,
        Array.from({ length: 400 }, () => newEvent()),
      );
    }
    await Promise.all(Array.from({ length: 12 }, () => store.readAll(START, 1_000, PAGE_BYTES)));
    expect(server.subscriptions).toBe(0);
    // One that was ended counts until the server knows.
    expect(server.mostLongReads).toBeLessThanOrEqual(3);
  });

  describe.each<Fault>(['refuse', 'reset', 'freeze', 'forget', 'lose answers', 'half-close to client'])(
    'when its connection meets "%s"',
    (fault) => {
      it('stores every append once, gives up in time on what it cannot, and reads on by itself', async () => {
        const store = connect({ timeoutMs: 300, giveUpMs: 600 });
        const stored = newEvent();
        const stream = newStream();
        await again(() => store.append(stream, NO_STREAM, [stored]));

        const events = Array.from({ length: 40 }, () => newEvent());
        const appends = events.map((event, n) =>
          store.append(`other-${n}-${event.id}`, NO_STREAM, [event]).then(
            () => true,
            (error: unknown) => {
              expect(error).toBeInstanceOf(StoreUnavailable);
              return false;
            },
          ),
        );
        await server.proxy.inject(fault);
        const during = [newEvent(), newEvent()];
        const more = during.map((event) =>
          store.append(stream, 0, [event]).then(
            () => event.id,
            (error: unknown) => error,
          ),
        );
        const read = store.readStream(stream).catch((error: unknown) => error);
        const acknowledged = await Promise.all(appends);
        const outcomes = await Promise.all(more);
        expect(await read).toEqual(fault === 'reset' ? expect.anything() : expect.any(StoreUnavailable));
        await server.proxy.heal();

        // The same ids again, as callers do who were told that the outcome is unknown.
        for (const [n, event] of events.entries()) {
          await again(() => store.append(`other-${n}-${event.id}`, NO_STREAM, [event]));
        }
        for (const event of during) {
          await again(() => store.append(stream, 0, [event])).catch((error: unknown) =>
            expect(error).toBeInstanceOf(ConcurrencyConflict),
          );
        }
        const ids = await again(() => all(store));
        expect(new Set(ids).size).toBe(ids.length);
        expect(ids.length).toBe(1 + 40 + 1);
        for (const [n, event] of events.entries()) if (acknowledged[n]) expect(ids).toContain(event.id);
        for (const outcome of outcomes) if (typeof outcome === 'string') expect(ids).toContain(outcome);
      });
    },
  );

  /** Until the store is there again. */
  const again = async <T>(call: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
      }
    }
  };

  it('gives up at once when it is closed while it tries again', async () => {
    const store = connect({ giveUpMs: 3_600_000 });
    await server.proxy.inject('refuse');
    const append = store.append(newStream(), NO_STREAM, [newEvent()]).catch((error: unknown) => error);
    await store.close();
    expect(await append).toBeInstanceOf(StoreUnavailable);
    await server.proxy.heal();
  });
});
