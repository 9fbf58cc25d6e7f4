import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import type { CommandContext, CommandResult } from '../../src/eventsourcing/commandHandler.js';
import { CommandContended, CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import type { Decider } from '../../src/eventsourcing/decider.js';
import { accept, refuse } from '../../src/eventsourcing/decider.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import type { EventStore } from '../../src/eventsourcing/eventStore.js';
import { ConcurrencyConflict, StoreUnavailable } from '../../src/eventsourcing/eventStore.js';
import { freshSql } from '../support/database.js';
import { deferred, InterceptedStore, newStream } from './fixtures.js';

/** A purse: puts in and takes out, never below zero. Zero changes nothing, odd amounts make two events. */
interface Move {
  readonly amount: number;
  readonly secret?: string;
}
interface Moved {
  readonly type: 'Moved';
  readonly data: Move;
}
const purse: Decider<number, Move, Moved> = {
  initial: 0,
  evolve: (sum, { data }) => sum + data.amount,
  decide: (sum, move) => {
    if (sum + move.amount < 0) return refuse('TOO_LITTLE', 'There is not enough in the purse.', 'amount');
    if (move.amount === 0) return accept();
    const event: Moved = { type: 'Moved', data: move };
    return move.amount % 2 === 0
      ? accept(event)
      : accept(event, { type: 'Moved', data: { ...move, amount: 0 } });
  },
};

let database: Awaited<ReturnType<typeof freshSql>>;
let store: EventStore;
let commands: CommandHandler;
beforeAll(async () => {
  database = await freshSql();
  store = await PostgresEventStore.open(database.sql);
  commands = new CommandHandler(store);
});
afterAll(() => database.remove());

function context(over: Partial<CommandContext> = {}): CommandContext {
  return {
    commandId: randomUUID(),
    caller: 'user:a',
    requestHash: 'hash',
    at: new Date('2026-11-22T12:00:00Z'),
    environment: 'live',
    correlationId: 'test',
    ...over,
  };
}

const move = (
  stream: string,
  amount: number,
  over: Partial<CommandContext> = {},
  handler = commands,
): Promise<CommandResult<Moved>> =>
  handler.handle(purse, stream, { amount }, context({ requestHash: String(amount), ...over }));

const sumOf = (events: readonly StoredEvent[]): number =>
  events.reduce((sum, event) => sum + (event.data as Move).amount, 0);

const dataOf = (result: CommandResult<Moved>): Move[] =>
  result.kind === 'accepted' ? result.events.map(({ data }) => data) : [];

describe('a command', () => {
  it('whose events nobody could read back fails alone, before anything is stored', async () => {
    const stream = newStream();
    const before = await store.head();
    const bad = (over: Partial<Move>) => {
      const given = { amount: 2, ...over };
      return commands.handle(purse, stream, given, context());
    };
    const [nan, half, good] = await Promise.allSettled([
      bad({ amount: NaN }),
      bad({ secret: '\ud83d' }),
      move(newStream(), 2),
    ]);
    for (const failed of [nan, half]) {
      expect(failed).toMatchObject({ status: 'rejected', reason: { name: 'UnreadableValue' } });
    }
    expect(good).toMatchObject({ status: 'fulfilled', value: { kind: 'accepted' } });
    expect(await store.readStream(stream)).toEqual([]);
    expect(await store.readAll(before, 10, 1e6)).toHaveLength(1);
  });

  it('appends its events with where they come from', async () => {
    const stream = newStream();
    const result = await move(stream, 3, { causationId: 'cause', environment: 'test' });
    const stored = await store.readStream(stream);
    expect(result).toMatchObject({ kind: 'accepted', replayed: false, position: stored[1]?.position });
    expect(stored.map(({ type, data }) => [type, data])).toEqual([
      ['Moved', { amount: 3 }],
      ['Moved', { amount: 0 }],
    ]);
    expect(stored[0]?.metadata).toMatchObject({
      schemaVersion: 1,
      at: '2026-11-22T12:00:00.000Z',
      environment: 'test',
      correlationId: 'test',
      causationId: 'cause',
      caller: 'user:a',
      requestHash: '3',
    });
    expect(stored[1]?.metadata.commandId).toBe(stored[0]?.metadata.commandId);
  });

  it('that is refused adds nothing and is not remembered', async () => {
    const stream = newStream();
    const commandId = randomUUID();
    expect(await move(stream, -2, { commandId })).toMatchObject({
      kind: 'refused',
      refusal: { code: 'TOO_LITTLE', field: 'amount' },
    });
    await move(stream, 4);
    expect(await move(stream, -2, { commandId })).toMatchObject({ kind: 'accepted', replayed: false });
    expect(sumOf(await store.readStream(stream))).toBe(2);
  });

  it('that changes nothing is accepted at the position of the stream', async () => {
    const stream = newStream();
    const first = await move(stream, 2);
    expect(await move(stream, 0)).toEqual({
      kind: 'accepted',
      events: [],
      stored: [],
      position: first.kind === 'accepted' ? first.position : undefined,
      replayed: false,
    });
    expect(await store.readStream(stream)).toHaveLength(1);
  });

  it('is decided on the whole stream, however long', async () => {
    const stream = newStream();
    const metadata = JSON.stringify({
      schemaVersion: 1,
      at: '2026-11-22T12:00:00.000Z',
      environment: 'live',
      correlationId: 'test',
    });
    const events = Array.from({ length: 1_001 }, () => ({
      id: randomUUID(),
      type: 'Moved',
      data: '{"amount":2}',
      metadata,
    }));
    await store.append(stream, -1, events);
    expect(await move(stream, -2_004)).toMatchObject({ kind: 'refused' });
    expect(await move(stream, -2_002)).toMatchObject({ kind: 'accepted' });
  });

  it('is seen by the listeners of this process before its answer', async () => {
    const handler = new CommandHandler(store);
    const seen: StoredEvent[] = [];
    handler.onAppended((events) => seen.push(...events));
    const stream = newStream();
    await move(stream, 3, {}, handler);
    const stored = await store.readStream(stream);
    expect(seen.map(({ id, revision, type }) => ({ id, revision, type }))).toEqual(
      stored.map(({ id, revision, type }) => ({ id, revision, type })),
    );
  });
});

/** The store, as one that can't tell events that it had before from new ones. */
function untold(on: EventStore): EventStore {
  const intercepted = new InterceptedStore(on);
  intercepted.onAppend = async (append) => {
    const { position, revision } = await append();
    return { position, revision };
  };
  return intercepted;
}

/** Holds the first `count` that come until all of them are there; later ones pass. */
function barrier(count: number): () => Promise<void> {
  const all = deferred();
  let come = 0;
  return () => {
    if (++come === count) all.resolve();
    return all.promise;
  };
}

describe('law 4: commands are idempotent', () => {
  it('holds for any sequence of commands and repetitions', async () => {
    const step = fc.record({
      id: fc.integer({ min: 0, max: 5 }),
      caller: fc.constantFrom('user:a', 'user:b'),
      amount: fc.integer({ min: -6, max: 9 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const stream = newStream();
        const first = new Map<string, { amount: number; result: CommandResult<Moved> }>();
        for (const { id, caller, amount } of steps) {
          const before = await store.readStream(stream);
          const result = await move(stream, amount, { commandId: String(id), caller });
          const after = await store.readStream(stream);
          const known = first.get(`${caller}|${id}`);
          if (!known) {
            const changed = result.kind === 'accepted' && result.events.length > 0;
            if (changed) first.set(`${caller}|${id}`, { amount, result });
            expect(after.length > before.length).toBe(changed);
            continue;
          }
          expect(after).toHaveLength(before.length);
          if (known.amount === amount) {
            expect(dataOf(result)).toEqual(dataOf(known.result));
            expect(result).toMatchObject({
              replayed: true,
              position: (known.result as { position: number }).position,
            });
          } else {
            expect(result).toMatchObject({
              kind: 'refused',
              refusal: { code: 'COMMAND_ID_REUSED', field: 'commandId' },
            });
          }
        }
      }),
      { numRuns: 25 },
    );
  });

  describe.each([
    ['a store that tells repeated events', (on: EventStore): EventStore => on],
    ['a store that does not tell them', untold],
  ])('on %s', (_which, wrap) => {
    it('ten sendings at the same moment add the events once, and one alone is the first', async () => {
      // As on several nodes: each has read the stream before any has appended.
      const together = barrier(10);
      const stream = newStream();
      const commandId = randomUUID();
      const results = await Promise.all(
        Array.from({ length: 10 }, (_, n) => {
          const intercepted = new InterceptedStore(store);
          intercepted.onAppend = async (append) => {
            await together();
            return append();
          };
          const handler = new CommandHandler(wrap(intercepted));
          return move(stream, 3, { commandId, correlationId: `sending ${n}` }, handler);
        }),
      );
      const stored = await store.readStream(stream);
      expect(stored).toHaveLength(2);
      expect(new Set(results.map((result) => JSON.stringify(dataOf(result))))).toEqual(
        new Set([JSON.stringify(stored.map(({ data }) => data))]),
      );
      expect(results.filter((result) => result.kind === 'accepted' && !result.replayed)).toHaveLength(1);
      // Also what the answers say of the events is what is stored of them.
      for (const result of results) {
        expect(result).toMatchObject({ kind: 'accepted', position: stored[1]?.position });
        const said = result.kind === 'accepted' ? result.stored.map(({ metadataText }) => metadataText) : [];
        expect(said).toEqual(stored.map(({ metadataText }) => metadataText));
      }
    });
  });

  it('holds weeks later, after others have changed the stream, and says what it said at first', async () => {
    const stream = newStream();
    const commandId = randomUUID();
    const first = await move(stream, 3, { commandId });
    for (let day = 1; day <= 40; day++) {
      await move(stream, 2, { at: new Date(Date.UTC(2026, 10, 22 + day)), caller: 'user:b' });
    }
    const again = await move(stream, 3, { commandId, at: new Date('2027-02-01T00:00:00Z') });
    expect(again).toMatchObject({
      replayed: true,
      position: (first as { position: number }).position,
      stored: [{ metadata: { at: '2026-11-22T12:00:00.000Z' } }, {}],
    });
    expect(dataOf(again)).toEqual([{ amount: 3 }, { amount: 0 }]);
    expect(await store.readStream(stream)).toHaveLength(42);
  });

  // Each sending of IssueKey mints a secret of its own: the one that is stored is the first result, and
  // no other may be taken for it.
  it('gives every sending the events of the first also where each would have made others', async () => {
    const stream = newStream();
    const sent = context();
    const results = await Promise.all(
      Array.from({ length: 10 }, () =>
        commands.handle(purse, stream, { amount: 2, secret: randomUUID() }, sent),
      ),
    );
    const stored = await store.readStream(stream);
    expect(stored).toHaveLength(1);
    for (const result of results) expect(dataOf(result)).toEqual([stored[0]?.data]);
    expect(results.filter((result) => result.kind === 'accepted' && !result.replayed)).toHaveLength(1);
  });

  it('gives the first result to a sending whose first confirmation was lost', async () => {
    const intercepted = new InterceptedStore(store);
    const handler = new CommandHandler(intercepted);
    const stream = newStream();
    const commandId = randomUUID();
    intercepted.onAppend = async (append) => {
      await append();
      throw new StoreUnavailable('the confirmation was lost');
    };
    await expect(move(stream, 2, { commandId }, handler)).rejects.toBeInstanceOf(StoreUnavailable);
    intercepted.onAppend = (append) => append();
    expect(await move(stream, 2, { commandId }, handler)).toMatchObject({
      kind: 'accepted',
      replayed: true,
    });
    expect(await store.readStream(stream)).toHaveLength(1);
  });
});

describe('racing commands on one stream', () => {
  it('are all decided, each on what the others left', async () => {
    const stream = newStream();
    await move(stream, 20);
    const results = await Promise.all(Array.from({ length: 20 }, () => move(stream, -2)));
    const accepted = results.filter(({ kind }) => kind === 'accepted');
    expect(accepted).toHaveLength(10);
    expect(results).toHaveLength(20);
    expect(sumOf(await store.readStream(stream))).toBe(0);
  });

  it('are counted when they are decided again', async () => {
    const intercepted = new InterceptedStore(store);
    const handler = new CommandHandler(intercepted);
    const stream = newStream();
    const waiting = deferred();
    const release = deferred();
    intercepted.onAppend = async (append) => {
      waiting.resolve();
      await release.promise;
      return append();
    };
    const late = move(stream, 2, {}, handler);
    await waiting.promise;
    await move(stream, 4);
    release.resolve();
    expect(await late).toMatchObject({ kind: 'accepted', replayed: false });
    expect(handler.conflicts).toBe(1);
    expect(sumOf(await store.readStream(stream))).toBe(6);
  });

  it('give up after a bound, store nothing then, and say that it can be tried again', async () => {
    const intercepted = new InterceptedStore(store);
    const handler = new CommandHandler(intercepted);
    const stream = newStream();
    let appends = 0;
    intercepted.onAppend = () => {
      appends++;
      return Promise.reject(new ConcurrencyConflict(stream, -1, 0));
    };
    const contended = move(stream, 2, {}, handler);
    await expect(contended).rejects.toBeInstanceOf(CommandContended);
    expect(appends).toBe(20);
    expect(await store.readStream(stream)).toEqual([]);
  });
});

describe('what a stream is believed to hold', () => {
  /** A handler that counts how often it reads a stream. */
  function counted() {
    let reads = 0;
    const spied = new InterceptedStore(store);
    const readStream = spied.readStream.bind(spied);
    spied.readStream = (...about) => {
      reads++;
      return readStream(...about);
    };
    return { handler: new CommandHandler(spied), reads: () => reads };
  }

  it('saves a look where it is right', async () => {
    const stream = newStream();
    const { handler, reads } = counted();
    const first = { believed: { state: 0, revision: -1 } };
    await handler.handle(purse, stream, { amount: 4 }, context(), first);
    await handler.handle(purse, stream, { amount: -4 }, context(), { believed: { state: 4, revision: 0 } });
    expect(reads()).toBe(0);
    expect((await store.readStream(stream)).map(({ data }) => data)).toEqual([{ amount: 4 }, { amount: -4 }]);
  });

  it('decides nothing where it is wrong', async () => {
    const stream = newStream();
    await commands.handle(purse, stream, { amount: 4 }, context());
    const { handler, reads } = counted();
    // More is there than is believed, and less.
    const poor = { believed: { state: 0, revision: -1 } };
    const taken = await handler.handle(purse, stream, { amount: -2 }, context(), poor);
    expect([taken.kind, reads()]).toEqual(['accepted', 1]);
    const rich = { believed: { state: 100, revision: 0 } };
    const refused = await handler.handle(purse, stream, { amount: -50 }, context(), rich);
    expect(refused).toMatchObject({ kind: 'refused', refusal: { code: 'TOO_LITTLE' } });
    // A command that was handled before is met on the stream.
    const again = context();
    const put = await handler.handle(purse, stream, { amount: 6 }, again);
    const stale = { believed: { state: 2, revision: 1 } };
    expect(await handler.handle(purse, stream, { amount: 6 }, again, stale)).toMatchObject({
      kind: 'accepted',
      replayed: true,
      events: put.kind === 'accepted' ? put.events : [],
    });
    expect((await store.readStream(stream)).map(({ data }) => data)).toEqual([
      { amount: 4 },
      { amount: -2 },
      { amount: 6 },
    ]);
  });
});
