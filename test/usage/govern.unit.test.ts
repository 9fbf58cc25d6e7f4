import type { KnownKey } from '../../projections/keys/queries.js';
import { canonicalJson } from '../../src/canonicalJson.js';
import type { NewEvent } from '../../src/eventsourcing/event.js';
import type { EventStore } from '../../src/eventsourcing/eventStore.js';
import { StoreUnavailable } from '../../src/eventsourcing/eventStore.js';
import { silentLogger } from '../../src/logger.js';
import { AddressHashes } from '../../src/usage/addresses.js';
import type { UsageEvent, Use } from '../../src/usage/events.js';
import type { Call, Executed } from '../../src/usage/govern.js';
import { Governor } from '../../src/usage/govern.js';
import { Journal, JournalUnavailable } from '../../src/usage/journal.js';
import { Limiter } from '../../src/usage/limiter.js';
import { RefusalLog } from '../../src/usage/refusalLog.js';
import type { Deferred } from '../eventsourcing/fixtures.js';
import { deferred } from '../eventsourcing/fixtures.js';
import { plan } from '../plans/shop.js';

const NOON = Date.UTC(2026, 10, 22, 12);

/** What happened, in order. */
let steps: string[];
/** Stands before each append. */
let gate: () => Promise<void>;
let appended: NewEvent[];
let journal: Journal;
let limiter: Limiter;
let governor: Governor;

beforeEach(() => {
  steps = [];
  appended = [];
  gate = async () => {};
  const store: Pick<EventStore, 'append' | 'readLast'> = {
    readLast: async () => undefined,
    append: async (_stream, expected, events) => {
      steps.push('append');
      await gate();
      appended.push(...events);
      return { position: appended.length, revision: expected + events.length };
    },
  };
  journal = new Journal({
    store: store as EventStore,
    node: 'n',
    clock: () => NOON,
    log: silentLogger,
    flushMs: 0,
  });
  limiter = new Limiter(async () => {
    steps.push('load');
    return { periods: new Map(), recent: [] };
  });
  const refusals = new RefusalLog((account, use) => journal.note(account, use));
  governor = new Governor(journal, limiter, refusals, new AddressHashes(Buffer.alloc(32)));
});
afterEach(() => journal.close());

const key: KnownKey = {
  id: 'k1',
  accountId: 'a1',
  environment: 'live',
  scopes: ['read'],
  hash: 'h',
  revoked: false,
  expiresAt: null,
  revision: 0,
};
const TWO = plan('two', 2);
const call: Call = {
  key,
  plan: { plan: TWO, version: 3 },
  now: NOON,
  operation: 'Read',
  rootFields: ['pattern'],
  endpoint: '/graphql',
  method: 'POST',
  address: '192.0.2.1',
};
const answer: Executed<string> = { result: 'answer', status: 'ok', patterns: ['p1'] };
const run = (executed: () => Executed<string> | Promise<Executed<string>> = () => answer) =>
  governor.run(call, () => {
    steps.push('execute');
    return executed();
  });
const used = async (): Promise<number | undefined> =>
  (await limiter.states('a1', 'live', TWO.limits, NOON))[0]?.used;

/** The uses in the journal, as they are stored. */
const uses = (): Use[] =>
  appended.flatMap(({ data }) =>
    (JSON.parse(data) as UsageEvent['data']).groups.flatMap((group) => group.uses),
  );

it('takes, executes, records, and only then answers', async () => {
  const stored: Deferred<void> = deferred();
  const reached: Deferred<void> = deferred();
  gate = () => {
    reached.resolve();
    return stored.promise;
  };
  const governed = run().then((result) => {
    steps.push('answer');
    return result;
  });
  await reached.promise;
  expect(steps).toEqual(['load', 'execute', 'append']);
  stored.resolve();
  expect(await governed).toMatchObject({ kind: 'answered', result: 'answer', states: [{ used: 1 }] });
  expect(steps).toEqual(['load', 'execute', 'append', 'answer']);
});

it('records what the call was, in JSON that is canonical as it is written', async () => {
  await run();
  const [use] = uses();
  expect(use).toEqual({
    actualCost: null,
    address: new AddressHashes(Buffer.alloc(32)).of('192.0.2.1', 'month:2026-11'),
    at: NOON,
    costVersion: null,
    durationUs: expect.any(Number) as unknown,
    endpoint: '/graphql',
    environment: 'live',
    estimatedCost: null,
    id: expect.stringContaining('.') as unknown,
    key: 'k1',
    meters: { requests: 1 },
    method: 'POST',
    operation: 'Read',
    patterns: ['p1'],
    periods: ['day:2026-11-22', 'month:2026-11'],
    planVersion: 3,
    refusal: null,
    rootFields: ['pattern'],
    source: null,
    status: 'ok',
  });
  expect(Number.isSafeInteger(use?.durationUs)).toBe(true);
  expect(JSON.stringify(use)).toBe(canonicalJson(use));
  expect(appended[0]?.data).toBe(canonicalJson(JSON.parse(appended[0]?.data ?? '')));
});

it('refuses what is above the limit without executing it, and records the refusal', async () => {
  await Promise.all([run(), run()]);
  const governed = await run();
  expect(governed).toMatchObject({ kind: 'refused', code: 'RATE_LIMITED', retryAfterMs: 60_000 });
  expect(steps.filter((step) => step === 'execute').length).toBe(2);
  await journal.close();
  const use = uses().at(-1);
  expect(use).toMatchObject({
    status: 'refused',
    meters: {},
    periods: [],
    patterns: [],
    refusal: { amount: 2, code: 'RATE_LIMITED', count: 1, limit: 'calls', used: 2 },
  });
  expect(JSON.stringify(use)).toBe(canonicalJson(use));
});

it('lets exactly the limit of parallel calls through, also while the counters are loaded', async () => {
  const governed = await Promise.all(Array.from({ length: 20 }, () => run()));
  expect(governed.filter(({ kind }) => kind === 'answered').length).toBe(2);
  expect(steps.filter((step) => step === 'execute').length).toBe(2);
});

it('records an execution that throws as an error, spent, and passes the exception on', async () => {
  const bug = new Error('a bug');
  await expect(
    run(() => {
      throw bug;
    }),
  ).rejects.toBe(bug);
  await expect(run(() => Promise.reject(bug))).rejects.toBe(bug);
  expect(uses().map(({ status, meters, patterns }) => [status, meters, patterns])).toEqual([
    ['error', { requests: 1 }, []],
    ['error', { requests: 1 }, []],
  ]);
  expect(await used()).toBe(2);
});

it('gives the take back and records nothing where an outage left nothing to answer', async () => {
  const outage = new StoreUnavailable('down');
  await expect(run(() => Promise.reject(outage))).rejects.toBe(outage);
  expect(uses()).toEqual([]);
  expect(await used()).toBe(0);
});

it.each(['error', 'timeout'] as const)(
  'records an execution that ended in %s, and answers',
  async (status) => {
    const governed = await run(() => ({ ...answer, status }));
    expect(governed.kind).toBe('answered');
    expect(uses()[0]).toMatchObject({ status, meters: { requests: 1 } });
  },
);

describe('while the journal does not get through', () => {
  beforeEach(() => {
    gate = () => Promise.reject(new StoreUnavailable('down'));
  });

  it('gives no answer, and gives the take back', async () => {
    await expect(run()).rejects.toThrow(JournalUnavailable);
    expect(steps).toContain('execute');
    expect(await used()).toBe(0);
  });

  it('gives the take back also when the execution threw', async () => {
    await expect(run(() => Promise.reject(new Error('a bug')))).rejects.toThrow(JournalUnavailable);
    expect(await used()).toBe(0);
  });

  it('admits no further call: nothing is taken and nothing executed', async () => {
    await expect(run()).rejects.toThrow(JournalUnavailable);
    steps = [];
    await expect(run()).rejects.toThrow(JournalUnavailable);
    expect(steps.filter((step) => step === 'load' || step === 'execute')).toEqual([]);
    expect(await used()).toBe(0);
  });
});
