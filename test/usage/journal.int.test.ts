import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { popularity } from '../../projections/popularity/model.js';
import { Projector } from '../../src/following/projector.js';
import { usage } from '../../projections/usage/model.js';
import { UsageQueries } from '../../projections/usage/queries.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { canonicalJson } from '../../src/canonicalJson.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import { as } from '../../src/eventsourcing/event.js';
import type { AppendResult } from '../../src/eventsourcing/eventStore.js';
import { StoreUnavailable } from '../../src/eventsourcing/eventStore.js';
import { EventReader } from '../../src/following/reader.js';
import type { Logger } from '../../src/logger.js';
import { silentLogger } from '../../src/logger.js';
import { MAX_BATCH_BYTES, MAX_BATCH_USES } from '../../src/usage/journal/batch.js';
import { UnconfirmedBatchFile } from '../../src/usage/journal/unconfirmedBatch.js';
import type { UsageEvent } from '../../src/usage/events.js';
import { completeUse } from '../../src/usage/journal/useJson.js';
import { usageStream } from '../../src/usage/events.js';
import type { JournalOptions, ProvedBatch } from '../../src/usage/journal/journal.js';
import { Journal, JournalUnavailable } from '../../src/usage/journal/journal.js';
import { deferred, InterceptedStore } from '../eventsourcing/fixtures.js';
import { freshSql } from '../support/database.js';
import { newUse } from './uses.js';

const DAY = '2026-11-22';
const NOON = Date.UTC(2026, 10, 22, 12);
const LONG = 60_000;

let database: Awaited<ReturnType<typeof freshSql>>;
let store: InterceptedStore;
let projector: Projector;
let usageQueries: UsageQueries;
let reader: EventReader;
let journals: Journal[] = [];

beforeAll(async () => {
  database = await freshSql();
  store = new InterceptedStore(await PostgresEventStore.open(database.sql));
  reader = new EventReader(store);
  projector = await Projector.open(database.sql, reader, [usage, popularity], (_model, error) => {
    throw error;
  });
  projector.start();
  usageQueries = new UsageQueries(database.sql, projector.access('usage'));
});
afterAll(async () => {
  reader.close();
  await projector.stop();
  await database.remove();
});
beforeEach(() => {
  store.onAppend = (append) => append();
});
afterEach(async () => {
  await Promise.all(journals.map((journal) => journal.close()));
  journals = [];
});

interface TestJournal extends Journal {
  readonly node: string;
  /** Resolves each time that the journal has got through again. */
  recovered(): Promise<void>;
}

function open(over: Partial<JournalOptions> = {}): TestJournal {
  let recovery = deferred();
  const log: Logger = {
    ...silentLogger,
    info: () => {
      recovery.resolve();
      recovery = deferred();
    },
  };
  const node = over.node ?? randomUUID();
  const journal = new Journal({ store, node, clock: () => NOON, log, flushMs: 0, ...over });
  journals.push(journal);
  return Object.assign(journal, {
    node,
    recovered: async () => {
      while (journal.problem !== undefined) {
        await recovery.promise;
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  });
}

const batches = (journal: { node: string }, day = DAY): Promise<StoredEvent[]> =>
  store.readStream(usageStream(journal.node, day));

const usesIn = (event: StoredEvent): string[] =>
  as<UsageEvent>(event).data.groups.flatMap(({ uses }) => uses.map(({ id }) => id));

/** What the read model counts for an account: what it will be billed. */
async function counted(accountId: string): Promise<number> {
  expect(await projector.reached('usage', await store.head(), LONG)).toBe(true);
  const { amounts } = await usageQueries.counters({ accountId, environment: 'live', keyId: undefined }, [
    `day:${DAY}`,
  ]);
  return amounts.of('requests', `day:${DAY}`);
}

type Fault = 'none' | 'not stored' | 'not confirmed' | 'no answer, stored' | 'no answer, not stored';

/** The fates of the next appends, in order; after them all goes well. */
function inject(faults: readonly Fault[]): void {
  const left = [...faults];
  store.onAppend = async (append): Promise<AppendResult> => {
    const fault = left.shift() ?? 'none';
    if (fault === 'not stored') throw new StoreUnavailable('away');
    if (fault === 'no answer, not stored') return new Promise(() => undefined);
    const result = await append();
    if (fault === 'not confirmed') throw new StoreUnavailable('the confirmation was lost');
    if (fault === 'no answer, stored') return new Promise(() => undefined);
    return result;
  };
}

describe('law 1: durable before answered', () => {
  it('a record resolves only when its batch is stored', async () => {
    const journal = open();
    const stored = deferred();
    const confirm = deferred();
    store.onAppend = async (append) => {
      const result = await append();
      stored.resolve();
      await confirm.promise;
      return result;
    };
    let answered = false;
    const record = journal.record('a', newUse()).then((position) => {
      answered = true;
      return position;
    });
    await stored.promise;
    const [event] = await batches(journal);
    expect(answered).toBe(false);
    confirm.resolve();
    expect(await record).toBe(event?.position);
    expect(journal.lastPosition).toBe(event?.position);
  });

  it('of two records none waits for a later batch, and one append is in flight at most', async () => {
    const journal = open();
    let inFlight = 0;
    let most = 0;
    store.onAppend = async (append) => {
      most = Math.max(most, ++inFlight);
      const result = await append();
      inFlight--;
      return result;
    };
    const records: Promise<number>[] = [];
    for (let n = 0; n < 5; n++) {
      for (let i = 0; i < 10; i++) records.push(journal.record(`account-${i}`, newUse()));
      await Promise.race(records);
    }
    await Promise.all(records);
    expect(most).toBe(1);
    expect((await batches(journal)).flatMap(usesIn)).toHaveLength(50);
  });

  it('counts exactly the uses that were acknowledged, whatever happens to the appends', async () => {
    const fault = fc.constantFrom<Fault>(
      'none',
      'none',
      'not stored',
      'not confirmed',
      'no answer, stored',
      'no answer, not stored',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fault, { maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
        async (faults, bursts) => {
          const journal = open({ appendTimeoutMs: 40 });
          const account = randomUUID();
          inject(faults);
          let acknowledged = 0;
          for (const burst of bursts) {
            const records = Array.from({ length: burst }, () => journal.record(account, newUse()));
            for (const result of await Promise.allSettled(records)) {
              if (result.status === 'fulfilled') acknowledged++;
              else expect(result.reason).toBeInstanceOf(JournalUnavailable);
            }
            await journal.recovered();
          }
          await journal.close();
          expect(await counted(account)).toBe(acknowledged);
        },
      ),
      {
        numRuns: 12,
        examples: [
          // The batch proves stored, and then the correction's own outcome is unknown.
          [
            ['not confirmed', 'none', 'not confirmed'],
            [2, 1],
          ],
          [['not stored', 'not confirmed', 'none', 'not stored'], [3]],
        ],
      },
    );
  });
});

describe('when the outcome of an append is unknown', () => {
  it.each<Fault>(['not stored', 'not confirmed', 'no answer, stored', 'no answer, not stored'])(
    'callers are told, nothing is taken meanwhile, and afterwards they are not billed (%s)',
    async (fault) => {
      // Long enough for the appends that are answered, however slow the machine.
      const journal = open({ appendTimeoutMs: fault.startsWith('no answer') ? 2_000 : 60_000 });
      const account = randomUUID();
      await journal.record(account, newUse());
      const kept = newUse();
      await journal.record(account, kept);
      inject([fault]);
      const proved: ProvedBatch[] = [];
      journal.onProved((batch) => proved.push(batch));
      const refused = [newUse(), newUse()];
      const results = await Promise.allSettled(refused.map((use) => journal.record(account, use)));

      for (const result of results) {
        expect(result).toMatchObject({
          status: 'rejected',
          reason: expect.any(JournalUnavailable) as unknown,
        });
      }
      expect(() => journal.admit()).toThrow(JournalUnavailable);
      await expect(journal.record(account, newUse())).rejects.toBeInstanceOf(JournalUnavailable);

      await journal.recovered();
      expect(() => journal.admit()).not.toThrow();
      await journal.record(account, newUse());
      const all = await batches(journal);
      expect(all.map(({ type }) => type)).toEqual([
        'UsesRecorded',
        'UsesRecorded',
        'UsesRecorded',
        'UsesCorrected',
        'UsesRecorded',
      ]);
      const [, , batch, correction] = all as [StoredEvent, StoredEvent, StoredEvent, StoredEvent];
      expect((correction.data as { batch: string }).batch).toBe(batch.id);
      expect(usesIn(correction)).toEqual(refused.map(({ id }) => id));
      // Whoever counts beside the journal is told, since of some the first record counts.
      expect(proved).toMatchObject([
        { groups: [{ account, uses: refused }], position: batch.position, at: NOON },
      ]);
      expect(await counted(account)).toBe(3);
    },
  );

  it('the same event is tried again at the same revision', async () => {
    const journal = open();
    const tried: string[][] = [];
    let failures = 2;
    store.onAppend = (append, events) => {
      tried.push(events.map(({ id }) => id));
      return failures-- > 0 ? Promise.reject(new StoreUnavailable('away')) : append();
    };
    await expect(journal.record('a', newUse())).rejects.toBeInstanceOf(JournalUnavailable);
    await journal.recovered();
    expect(tried.slice(0, 3).every(([id]) => id === tried[0]?.[0])).toBe(true);
    expect(tried).toHaveLength(4);
  });

  it('uses that still waited are refused and never sent', async () => {
    const journal = open();
    const inFlight = deferred();
    const fail = deferred();
    store.onAppend = async () => {
      inFlight.resolve();
      await fail.promise;
      store.onAppend = (append) => append();
      throw new StoreUnavailable('away');
    };
    const first = newUse();
    const second = newUse();
    const records = [journal.record('a', first)];
    await inFlight.promise;
    records.push(journal.record('a', second));
    fail.resolve();
    for (const { status } of await Promise.allSettled(records)) expect(status).toBe('rejected');
    await journal.recovered();
    expect((await batches(journal)).map(usesIn)).toEqual([[first.id], [first.id]]);
  });

  it('a note that nobody waited for is kept', async () => {
    const journal = open();
    inject(['not confirmed']);
    const noted = newUse({ status: 'refused', meters: {} });
    const awaited = newUse();
    journal.note('a', noted);
    await expect(journal.record('a', awaited)).rejects.toBeInstanceOf(JournalUnavailable);
    await journal.recovered();
    const [batch, correction] = await batches(journal);
    expect(usesIn(batch as StoredEvent)).toEqual([noted.id, awaited.id]);
    expect(usesIn(correction as StoredEvent)).toEqual([awaited.id]);
  });

  it('calls are refused before any work when too many wait', async () => {
    const journal = open({ maxWaiting: 2 });
    const release = deferred();
    const inFlight = deferred();
    store.onAppend = async (append) => {
      inFlight.resolve();
      await release.promise;
      return append();
    };
    const records = [journal.record('a', newUse())];
    await inFlight.promise;
    records.push(journal.record('a', newUse()));
    expect(() => journal.admit()).not.toThrow();
    records.push(journal.record('a', newUse()));
    expect(() => journal.admit()).toThrow(JournalUnavailable);
    release.resolve();
    await Promise.all(records);
    expect(() => journal.admit()).not.toThrow();
  });
});

describe('a process that ends while it does not know whether a batch is stored', () => {
  let directory: string;
  let debtFile: UnconfirmedBatchFile;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tollgraph-debt-'));
    debtFile = new UnconfirmedBatchFile(join(directory, 'debt.json'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  /** Lets the appends meet their fates; then the store is away, and the process ends. */
  async function endAmid(faults: readonly Fault[], account: string): Promise<TestJournal> {
    const journal = open({ debtFile });
    await journal.record(account, newUse());
    inject(faults);
    const met = deferred();
    const { onAppend } = store;
    let left = faults.length;
    store.onAppend = (append, events) => {
      if (left-- > 0) return onAppend(append, events);
      met.resolve();
      return Promise.reject(new StoreUnavailable('away'));
    };
    await expect(journal.record(account, newUse())).rejects.toBeInstanceOf(JournalUnavailable);
    await met.promise;
    await journal.close();
    expect(await debtFile.read()).toBeDefined();
    store.onAppend = (append) => append();
    return journal;
  }

  it.each<[string, readonly Fault[]]>([
    ['it was not', ['not stored']],
    ['it was', ['not confirmed']],
    ['it was, by a later try', ['not stored', 'not confirmed']],
    ['its correction was too', ['not confirmed', 'none', 'not confirmed']],
  ])('the next one takes it back: %s', async (_case, faults) => {
    const account = randomUUID();
    const { node } = await endAmid(faults, account);
    const next = open({ node, debtFile, clock: () => NOON + 1 });
    await next.settleDebt();
    await next.record(account, newUse());
    expect(await counted(account)).toBe(2);
    const corrections = (await batches(next)).filter(({ type }) => type === 'UsesCorrected');
    expect(corrections).toHaveLength(1);
    expect(await readdir(directory)).toEqual([]);
    // Nothing is left for the one after it.
    await open({ node, debtFile }).settleDebt();
    expect(await batches(next)).toHaveLength(4);
  });

  it('nothing is taken back that another process’s event kept out', async () => {
    const account = randomUUID();
    const { node } = await endAmid(['not stored'], account);
    const other = open({ node, clock: () => NOON + 1 });
    await other.record(account, newUse());
    await open({ node, debtFile, clock: () => NOON + 2 }).settleDebt();
    expect((await batches(other)).map(({ type }) => type)).toEqual(['UsesRecorded', 'UsesRecorded']);
    expect(await readdir(directory)).toEqual([]);
  });

  it('the callers are not told before it is on disk', async () => {
    const journal = open({ debtFile });
    let kept: unknown;
    store.onAppend = async (append) => {
      await append();
      throw new StoreUnavailable('the confirmation was lost');
    };
    const use = newUse();
    await journal.record('a', use).catch(async () => (kept = await debtFile.read()));
    expect(kept).toMatchObject({ revision: -1, batch: { data: expect.stringContaining(use.id) as unknown } });
    store.onAppend = (append) => append();
    await journal.recovered();
    expect(await readdir(directory)).toEqual([]);
  });
});

describe('two processes of one node', () => {
  const two = (): { older: TestJournal; newer: TestJournal } => {
    const older = open();
    return { older, newer: open({ node: older.node, clock: () => NOON + 1 }) };
  };

  it('the older start stops taking calls, the newer goes on', async () => {
    const { older, newer } = two();
    const account = randomUUID();
    await older.record(account, newUse());
    await newer.record(account, newUse());
    await expect(older.record(account, newUse())).rejects.toBeInstanceOf(JournalUnavailable);
    expect(() => older.admit()).toThrow(JournalUnavailable);
    await expect(older.record(account, newUse())).rejects.toBeInstanceOf(JournalUnavailable);
    await newer.record(account, newUse());
    expect(newer.problem).toBeUndefined();
    expect(await counted(account)).toBe(3);
  });

  it('the newer goes on behind what the older wrote after it had begun', async () => {
    const { older, newer } = two();
    const account = randomUUID();
    await newer.record(account, newUse());
    const { position } = (await batches(newer))[0] as StoredEvent;
    // An older process that has not met it yet: it learns the head when it first appends.
    const second = open({ node: older.node });
    await second.record(account, newUse());
    expect(await newer.record(account, newUse())).toBeGreaterThan(position);
    expect(await counted(account)).toBe(3);
  });

  it('what the older took back stays taken back, also when it is superseded meanwhile', async () => {
    const { older, newer } = two();
    const account = randomUUID();
    await older.record(account, newUse());
    inject(['not confirmed']);
    await expect(older.record(account, newUse())).rejects.toBeInstanceOf(JournalUnavailable);
    await newer.record(account, newUse());
    // Waits for the retry and its correction.
    await older.close();
    expect(await counted(account)).toBe(2);
    await newer.record(account, newUse());
    expect(await counted(account)).toBe(3);
    expect(() => older.admit()).toThrow(JournalUnavailable);
  });

  it('a new process goes on with the stream of the day', async () => {
    const first = open();
    await first.record('a', newUse());
    await first.close();
    const second = open({ node: first.node, clock: () => NOON + 1 });
    await second.record('a', newUse());
    const stored = await batches(first);
    expect(stored.map(({ revision }) => revision)).toEqual([0, 1]);
    expect(stored.map(({ data }) => (data as { start: string }).start)).toEqual([first.start, second.start]);
  });
});

describe('batches', () => {
  it('go to the stream of the UTC day in which they are written', async () => {
    let now = Date.UTC(2026, 10, 22, 23, 59, 59, 999);
    const journal = open({ clock: () => now });
    const [last, first] = [newUse(), newUse()];
    await journal.record('a', last);
    now += 1;
    await journal.record('a', first);
    expect((await batches(journal)).map(usesIn)).toEqual([[last.id]]);
    expect((await batches(journal, '2026-11-23')).map(usesIn)).toEqual([[first.id]]);
  });

  it('hold at most so many uses', async () => {
    const journal = open();
    const uses = Array.from({ length: 2 * MAX_BATCH_USES + 1 }, () => newUse());
    await Promise.all(uses.map((use) => journal.record('a', use)));
    const stored = await batches(journal);
    expect(stored.map((event) => usesIn(event).length)).toEqual([MAX_BATCH_USES, MAX_BATCH_USES, 1]);
    expect(stored.flatMap(usesIn)).toEqual(uses.map(({ id }) => id));
  });

  it.each([
    ['of few bytes', 'x'.repeat(1_000)],
    ['of letters that take several bytes each', '雪'.repeat(1_000)],
  ])('hold at most so many bytes: %s', async (_what, source) => {
    const journal = open();
    const accounts = Array.from({ length: 400 }, () => randomUUID());
    await Promise.all(accounts.map((account) => journal.record(account, newUse({ source }))));
    const stored = await batches(journal);
    expect(stored.length).toBeGreaterThan(1);
    for (const { dataText } of stored) {
      expect(Buffer.byteLength(dataText)).toBeLessThanOrEqual(MAX_BATCH_BYTES);
    }
    expect(stored.flatMap(usesIn)).toHaveLength(400);
  });

  it('store a single use that is larger than a batch', async () => {
    const journal = open();
    const large = newUse({ source: 'x'.repeat(MAX_BATCH_BYTES) });
    await Promise.all([
      journal.record('a', newUse()),
      journal.record('a', large),
      journal.record('a', newUse()),
    ]);
    expect((await batches(journal)).map((event) => usesIn(event).length)).toEqual([1, 1, 1]);
  });

  it('leave out a use that would not be read back as it was written, and store the others', async () => {
    const journal = open();
    const uses = [newUse(), newUse({ durationUs: NaN }), newUse()].map((use) => ({
      account: 'a',
      use,
      traceparent: undefined,
    }));
    const [first, bad, last] = await journal.recordAll(uses);
    expect([first, last]).toEqual([expect.any(Number), expect.any(Number)]);
    expect(bad).toMatchObject({ name: 'UnreadableValue' });
  });

  it('are canonical JSON, grouped by account in order, each use as it came', async () => {
    const account = fc.constantFrom('b', 'a', 'B', 'é', '10', '9');
    const shape = fc.record({
      account,
      operation: fc.option(fc.string()),
      patterns: fc.array(fc.uuid(), { maxLength: 2 }),
      durationUs: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(shape, { minLength: 1, maxLength: 12 }), async (shapes) => {
        const journal = open();
        inject(['not confirmed']);
        const uses = shapes.map(({ account: of, ...over }) => ({ of, use: newUse(over) }));
        await Promise.allSettled(uses.map(({ of, use }) => journal.record(of, use)));
        await journal.recovered();
        const stored = await batches(journal);
        expect(stored.map(({ type }) => type)).toEqual(['UsesRecorded', 'UsesCorrected']);
        for (const { dataText, data } of stored) {
          expect(dataText).toBe(canonicalJson(JSON.parse(dataText)));
          const { groups } = data as Extract<UsageEvent, { type: 'UsesRecorded' }>['data'];
          const names = groups.map((group) => group.account);
          expect(names).toEqual([...new Set(uses.map(({ of }) => of))].sort());
          for (const group of groups) {
            expect(group.uses.map(completeUse)).toEqual(
              uses.filter(({ of }) => of === group.account).map(({ use }) => use),
            );
          }
        }
      }),
      { numRuns: 10 },
    );
  });

  it('name the node and the start that they come from', async () => {
    const journal = open();
    await journal.record('a', newUse());
    const [event] = await batches(journal);
    expect(event?.data).toMatchObject({ node: journal.node, start: journal.start });
    expect(journal.start.startsWith('2026-11-22T12:00:00.000Z-')).toBe(true);
  });
});

it('close flushes what waits, and takes nothing more', async () => {
  const journal = open({ flushMs: 3_600_000 });
  const awaited = [newUse(), newUse()];
  const records = awaited.map((use) => journal.record('a', use));
  const noted = newUse({ status: 'refused', meters: {} });
  journal.note('a', noted);
  await journal.close();
  await Promise.all(records);
  expect((await batches(journal)).flatMap(usesIn)).toEqual([...awaited, noted].map(({ id }) => id));
  expect(() => journal.admit()).toThrow(JournalUnavailable);
  await expect(journal.record('a', newUse())).rejects.toBeInstanceOf(JournalUnavailable);
});

it('use ids are unique over starts of a node and hold a dot, which no client id does', () => {
  const ids = Array.from({ length: 3 }, () => open({ node: 'one' })).flatMap((journal) =>
    Array.from({ length: 100 }, () => journal.mintUseId()),
  );
  expect(new Set(ids).size).toBe(300);
  for (const id of ids) expect(id).toMatch(/^[^.]+\./);
});
