import { canonicalJson } from '../../src/canonicalJson.js';
import type { NewEvent } from '../../src/eventsourcing/event.js';
import type { EventStore } from '../../src/eventsourcing/eventStore.js';
import { StoreUnavailable } from '../../src/eventsourcing/eventStore.js';
import { silentLogger } from '../../src/logger.js';
import type { Limit } from '../../src/plans/profile.js';
import { AddressHashes } from '../../src/usage/addresses.js';
import { Amounts } from '../../src/usage/limits/amounts.js';
import type { UsageEvent, Use } from '../../src/usage/events.js';
import { completeUse } from '../../src/usage/journal/useJson.js';
import type { Call, Executed } from '../../src/usage/governor.js';
import { Governor } from '../../src/usage/governor.js';
import { Journal, JournalUnavailable } from '../../src/usage/journal/journal.js';
import { LocalLimiter } from '../../src/usage/limits/localLimiter.js';
import { mintedAt, RequestId } from '../../src/usage/requestId.js';
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
let limiter: LocalLimiter;
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
  limiter = new LocalLimiter({
    load: async () => {
      steps.push('load');
      return { periods: new Amounts(), recent: [], since: 0, asOf: NOON, most: 0, upTo: 0 };
    },
    time: () => 0,
  });
  const refusals = new RefusalLog((account, use) => journal.note(account, use));
  governor = new Governor(journal, limiter, refusals, new AddressHashes(Buffer.alloc(32)));
});
afterEach(() => journal.close());

const key: Call['key'] = { id: 'k1', accountId: 'a1', environment: 'live', limits: [] };
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
  writes: false,
  cost: null,
};
const answer: Executed<string> = { result: 'answer', status: 'ok', patterns: ['p1'], actualCost: null };
const run = (executed: () => Executed<string> | Promise<Executed<string>> = () => answer) =>
  governor.run(call, () => {
    steps.push('execute');
    return executed();
  });
const used = async (limits = TWO.limits): Promise<number | undefined> => {
  const states = await limiter.states({ accountId: 'a1', environment: 'live', limits, now: NOON });
  return states[0]?.used;
};

/** The uses in the journal, as they are stored. */
const uses = (): Use[] =>
  appended.flatMap(({ data }) =>
    (JSON.parse(data) as UsageEvent['data']).groups.flatMap(({ uses: all }) => all.map(completeUse)),
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
    plan: TWO.id,
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

describe('a call whose cost is known', () => {
  const POINTS: Limit = { id: 'points', meter: 'cost', window: 'minute', amount: 100 };
  const COSTED = plan('costed', 9, { limits: [POINTS] });
  const costed: Call = { ...call, plan: { plan: COSTED, version: 3 }, cost: { estimate: 60, version: 'v1' } };
  const spent = (over: Partial<Executed<string>>) => governor.run(costed, () => ({ ...answer, ...over }));

  it('is recorded with estimate and actual cost, and gets the difference back, once it is stored', async () => {
    let before: number | undefined;
    gate = async () => {
      before = await used([POINTS]);
    };
    const governed = await spent({ actualCost: 12 });
    expect(before).toBe(60);
    expect(governed).toMatchObject({
      cost: { estimate: 60, spent: 12 },
      states: [{ used: 12, remaining: 88 }],
    });
    const [use] = uses();
    expect(use).toMatchObject({ actualCost: 12, costVersion: 'v1', estimatedCost: 60 });
    expect(use?.meters).toEqual({ cost: 12, requests: 1 });
    expect(JSON.stringify(use)).toBe(canonicalJson(use));
    expect(await used([POINTS])).toBe(12);
  });

  it.each<[string, Partial<Executed<string>>, number | null, number]>([
    ['a time-out keeps the estimate', { status: 'timeout', actualCost: null }, null, 60],
    ['an answer that was not measured keeps it', { actualCost: null }, null, 60],
    ['an internal error costs what was answered beside it', { status: 'error', actualCost: 12 }, 12, 12],
    [
      'an internal error beside which nothing was answered costs nothing',
      { status: 'error', actualCost: 0 },
      0,
      0,
    ],
    ['a free answer costs nothing', { actualCost: 0 }, 0, 0],
    ['an answer above its estimate costs the estimate', { actualCost: 61 }, 61, 60],
  ])('%s', async (_name, executed, actualCost, cost) => {
    await spent(executed);
    expect(uses()[0]).toMatchObject({ actualCost, estimatedCost: 60, meters: { cost, requests: 1 } });
    expect(await used([POINTS])).toBe(cost);
  });

  it('costs nothing when its execution throws', async () => {
    await expect(governor.run(costed, () => Promise.reject(new Error('a bug')))).rejects.toThrow('a bug');
    expect(uses()[0]).toMatchObject({ status: 'error', actualCost: null, meters: { cost: 0, requests: 1 } });
    expect(await used([POINTS])).toBe(0);
  });

  it('is refused while the points are not there, and for ever where they never will be', async () => {
    await spent({ actualCost: 60 });
    const refused = await spent({});
    expect(refused).toMatchObject({ kind: 'refused', code: 'RATE_LIMITED', retryAfterMs: 12_000 });
    const never = await governor.run({ ...costed, cost: { estimate: 101, version: 'v1' } }, () => answer);
    expect(never).toMatchObject({ kind: 'refused', code: 'QUERY_COST_EXCEEDED', retryAfterMs: undefined });
    await journal.close();
    expect(
      uses().map(({ refusal, estimatedCost, meters }) => [refusal?.code, estimatedCost, meters]),
    ).toEqual([
      [undefined, 60, { cost: 60, requests: 1 }],
      ['RATE_LIMITED', 60, {}],
      ['QUERY_COST_EXCEEDED', 101, {}],
    ]);
  });
});

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

it('says of what goes above a soft limit that it does', async () => {
  const limits = [
    { id: 'requests-month', meter: 'requests', window: 'month', amount: 1, mode: 'soft' },
  ] as const;
  const soft: Call = { ...call, plan: { plan: { ...TWO, limits: [...limits] }, version: 3 } };
  for (let i = 0; i < 2; i++)
    expect(await governor.run(soft, () => answer)).toMatchObject({ kind: 'answered' });
  expect(uses().map(({ overLimit }) => overLimit)).toEqual([undefined, true]);
});

it('records a request under its own name first, and names it in what else it comes to', async () => {
  const minted = RequestId.of(undefined, () => journal.mintUseId());
  for (const requestId of [minted, minted, RequestId.of('order-1', () => journal.mintUseId())]) {
    await governor.run(
      { ...call, requestId, plan: { plan: { ...TWO, limits: [] }, version: 3 } },
      () => answer,
    );
  }
  const [first, second, third] = uses();
  expect(first).toMatchObject({ id: minted.text });
  expect(first).not.toHaveProperty('requestId');
  expect([second?.requestId, third?.requestId]).toEqual([minted.text, 'order-1']);
  expect(new Set(uses().map(({ id }) => id)).size).toBe(3);
  expect(mintedAt(minted.text)).toBe(NOON);
});

it('counts a meter of whatever name a profile may give it', async () => {
  const quantities = { videos: 2, constructor: 3 };
  await governor.run({ ...call, quantities }, () => answer);
  expect(uses()[0]?.meters).toEqual({ constructor: 3, requests: 1, videos: 2 });
});
