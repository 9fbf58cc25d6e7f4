import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../src/logger.js';
import type { Limiter, Spend } from '../../src/usage/limits/limiter.js';
import { LimitsUnavailable } from '../../src/usage/limits/limiter.js';
import { LocalLimiter } from '../../src/usage/limits/localLimiter.js';
import { MissedSubjects } from '../../src/usage/limits/missedSubjects.js';
import type { OutagePolicy } from '../../src/usage/limits/outageLimiter.js';
import { OutageLimiter } from '../../src/usage/limits/outageLimiter.js';
import { asked, limit, NOON, spend, spentBy, taken, time } from './limiter.contract.js';

/** What the nodes share: a limiter that can be away, and forgets whom it is told to. */
class Shared implements Limiter {
  away = false;
  forgotten: string[] = [];
  #limiter: LocalLimiter;

  constructor(private readonly load: () => LocalLimiter) {
    this.#limiter = load();
  }

  take: Limiter['take'] = async (call) => {
    if (this.away) throw new LimitsUnavailable('away');
    return this.#limiter.take(call);
  };

  states: Limiter['states'] = async (account) => {
    if (this.away) throw new LimitsUnavailable('away');
    return this.#limiter.states(account);
  };

  note: Limiter['note'] = async (noted) => {
    if (this.away) throw new LimitsUnavailable('away');
    this.#limiter.note(noted);
  };

  announce: Limiter['announce'] = async () => {
    if (this.away) throw new LimitsUnavailable('away');
    return () => undefined;
  };

  async forget({ accountId }: { accountId: string }): Promise<void> {
    if (this.away) throw new LimitsUnavailable('away');
    this.forgotten.push(accountId);
    this.#limiter = this.load();
  }
}

let recorded: Spend[];
let shared: Shared;
let decisions: string[];
let locals: number;
let missed: MissedSubjects;

beforeEach(async () => {
  missed = await MissedSubjects.open(undefined, silentLogger);
  recorded = [];
  decisions = [];
  locals = 0;
  shared = new Shared(newLocal);
});

const newLocal = (): LocalLimiter =>
  new LocalLimiter({
    load: async ({ now }) => spentBy([...recorded], now),
    time: () => time.elapsed,
  });

const withPolicy = (policy: OutagePolicy): OutageLimiter =>
  new OutageLimiter({
    shared,
    local: () => {
      locals++;
      return newLocal();
    },
    policy,
    missed,
    onCall: (decision) => decisions.push(decision),
  });

const LIMITS = [limit('minute', 4), limit('month', 9)];
const read = asked(LIMITS, NOON);
const write = asked(LIMITS, NOON, { writes: true });

it.each<[OutagePolicy, boolean, boolean]>([
  [undefined, true, false],
  ['allow', true, true],
  ['deny', false, false],
])('while the limits are away, the policy %s allows reads: %s, writes: %s', async (policy, reads, writes) => {
  const limiter = withPolicy(policy);
  shared.away = true;
  for (const [call, allowed] of [
    [read, reads],
    [write, writes],
  ] as const) {
    decisions = [];
    const take = limiter.take(call);
    if (allowed) expect((await take).kind).toBe('taken');
    else await expect(take).rejects.toThrow(LimitsUnavailable);
    expect(decisions).toEqual([allowed ? 'allowed' : 'denied']);
  }
});

it('holds what it allows against limits of this node, with what was spent before', async () => {
  const limiter = withPolicy('allow');
  for (let i = 0; i < 3; i++) {
    recorded.push(spend(taken(await limiter.take(read)).at));
  }
  expect(decisions).toEqual([]);
  shared.away = true;
  recorded.push(spend(taken(await limiter.take(read)).at));
  expect((await limiter.take(read)).kind).toBe('refused');
  expect((await limiter.states(read)).map(({ used }) => used)).toEqual([4, 4]);
  expect(decisions).toEqual(['allowed', 'allowed']);
});

it('has the shared counters loaded anew for whom it has let through alone, once', async () => {
  const limiter = withPolicy('allow');
  recorded.push(spend(taken(await limiter.take(read)).at));
  shared.away = true;
  for (let i = 0; i < 2; i++) recorded.push(spend(taken(await limiter.take(read)).at));
  shared.away = false;
  const [first, second] = await Promise.all([limiter.take(read), limiter.take(read)]);
  expect(taken(first).states.map(({ used }) => used)).toEqual([4, 4]);
  expect(second.kind).toBe('refused');
  expect(shared.forgotten).toEqual(['a']);

  // The next outage has limits of its own.
  shared.away = true;
  recorded.push(spend(NOON));
  expect((await limiter.take(read)).kind).toBe('refused');
  expect(locals).toBe(2);
});

it('knows after its process was killed whose uses nobody has noted', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tollgraph-missed-'));
  try {
    missed = await MissedSubjects.open(join(folder, 'missed'), silentLogger);
    const killed = withPolicy('allow');
    taken(await killed.take(read));
    recorded.push(spend(NOON));
    shared.away = true;
    // A report is announced, and stored; its process ends before it is noted.
    await killed.announce([read]);
    recorded.push(spend(NOON));
    shared.away = false;
    expect((await shared.states(read)).map(({ used }) => used)).toEqual([1, 1]);

    missed = await MissedSubjects.open(join(folder, 'missed'), silentLogger);
    const next = withPolicy('allow');
    expect((await next.states(read)).map(({ used }) => used)).toEqual([2, 2]);
    expect(shared.forgotten).toEqual(['a']);
    // Once: nothing is left for the next start.
    expect(await readdir(folder)).toEqual([]);
    taken(await next.take(read));
    expect(shared.forgotten).toEqual(['a']);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

it('does not take another failure for an outage', async () => {
  const limiter = withPolicy('allow');
  shared.take = () => {
    throw new Error('a bug');
  };
  await expect(limiter.take(read)).rejects.toThrow('a bug');
  expect(decisions).toEqual([]);
});
