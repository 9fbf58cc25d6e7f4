import { randomUUID } from 'node:crypto';
import type { RedisLimiterOptions } from '../../src/adapters/redis/limiter.js';
import { RedisLimiter } from '../../src/adapters/redis/limiter.js';
import { PendingTakes } from '../../src/adapters/redis/pendingTakes.js';
import { silentLogger } from '../../src/logger.js';
import type { Limiter, LoadSpent, Spend, Take } from '../../src/usage/limits/limiter.js';
import { rateLimitHeaders } from '../../src/usage/limits/headers.js';
import { LimitsUnavailable } from '../../src/usage/limits/limiter.js';
import { deferred } from '../eventsourcing/fixtures.js';
import { FaultyProxy } from '../faults/proxy.js';
import { CAN_START_REDIS, OwnRedis, SHARED_REDIS_URL } from '../support/redis.js';
import { aggregationOf } from './naiveLimits.js';
import {
  asked,
  limit,
  limiterContract,
  NOON,
  NOTHING,
  POSITION,
  recordOf,
  spend,
  spentBy,
  taken,
  time,
} from './limiter.contract.js';

const opened: RedisLimiter[] = [];
afterEach(() => Promise.all(opened.splice(0).map((limiter) => limiter.close())));

async function open(
  load: LoadSpent,
  prefix = `tollgraph-test:${randomUUID()}`,
  over: Partial<RedisLimiterOptions> = {},
): Promise<RedisLimiter> {
  const url = SHARED_REDIS_URL ?? '';
  const limiter = await RedisLimiter.open({ url, prefix, load, log: silentLogger, ...over });
  opened.push(limiter);
  return limiter;
}

/** On the tests' time. */
const GIVEN = { time: 'given', elapsed: () => time.elapsed, keepDelayMs: 0, aggregationOf } as const;

/** Asks again while Redis is away. */
async function answered<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof LimitsUnavailable)) throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

(SHARED_REDIS_URL === undefined ? describe.skip : describe)('on Redis', () => {
  limiterContract({
    numRuns: 25,
    exact: false,
    open: (load, maxCustomers) => open(load, undefined, { ...GIVEN, ...(maxCustomers && { maxCustomers }) }),
  });

  it.each([1, 60, 150])('two nodes let exactly %i of 200 parallel calls through', async (amount) => {
    const prefix = `tollgraph-test:${randomUUID()}`;
    const limits = [limit('minute', amount), limit('month', 1_000), limit('minute', 10_000, 'cost')];
    const nodes = [await open(async () => NOTHING, prefix), await open(async () => NOTHING, prefix)];
    const call = (i: number): Promise<Take> =>
      (nodes[i % 2] as Limiter).take(asked(limits, Date.now(), { cost: 7 })) as Promise<Take>;
    const takes = await Promise.all(Array.from({ length: 200 }, (_, i) => call(i)));
    expect(takes.filter(({ kind }) => kind === 'taken')).toHaveLength(amount);
    const states = await (nodes[1] as Limiter).states(asked(limits, Date.now()));
    expect(states.map(({ used }) => used).slice(0, 2)).toEqual([amount, amount]);
  });

  it('goes by the server’s clock, whatever the nodes’ clocks say', async () => {
    const prefix = `tollgraph-test:${randomUUID()}`;
    const limits = [limit('minute', 2), limit('day', 9)];
    const [right, wrong] = [await open(async () => NOTHING, prefix), await open(async () => NOTHING, prefix)];
    const first = taken(await right.take(asked(limits, Date.now())));
    const second = taken(await wrong.take(asked(limits, Date.now() + 40 * 86_400_000)));
    expect(second.at).toBeGreaterThanOrEqual(first.at);
    expect(second.at - first.at).toBeLessThan(60_000);
    expect((await wrong.take(asked(limits, 0))).kind).toBe('refused');
  });

  it('tells how long to wait by the server’s clock, also where nothing is taken', async () => {
    const limiter = await open(async () => NOTHING);
    const limits = [limit('minute', 1)];
    const ahead = Date.now() + 45_000;
    taken(await limiter.take(asked(limits, ahead)));
    const states = await limiter.states(asked(limits, ahead));
    const [, [, said] = []] = rateLimitHeaders(states, { limit: 'requests-minute' });
    expect(said).toMatch(/^"requests-minute";r=0;t=(59|60)$/);
  });

  describe('a take that is open', () => {
    const limits = [
      limit('minute', 5),
      limit('month', 10),
      limit('minute', 100, 'cost'),
      limit('month', 100, 'cost'),
    ];
    const SUBJECT = { accountId: 'a', environment: 'live', keyId: undefined } as const;
    const used = async (limiter: RedisLimiter): Promise<number[]> =>
      (await limiter.states(asked(limits, time.clock))).map((state) => state.used);

    it('survives a reload of the counters, and is given back to them once', async () => {
      const recorded = [spend(NOON, 30)];
      const limiter = await open(async ({ now }) => spentBy([...recorded], now), undefined, GIVEN);
      const call = asked(limits, NOON, { cost: 20 });
      const take = taken(await limiter.take(call));
      await limiter.forget(SUBJECT);
      expect(await used(limiter)).toEqual([2, 2, 50, 50]);
      take.settle({ cost: 5 }, POSITION);
      expect(await used(limiter)).toEqual([2, 2, 35, 35]);
      recorded.push({ id: call.useId, at: take.at, amounts: { cost: 5, requests: 1 } });
      await limiter.forget(SUBJECT);
      // From here on the journal tells.
      expect(await used(limiter)).toEqual([2, 2, 35, 35]);
    });

    it('a load that has read the journal before another node forgot the counters is not taken', async () => {
      const [read, gate] = [deferred(), deferred()];
      const journal: Spend[] = [];
      const load: LoadSpent = async ({ now }) => {
        const spent = spentBy([...journal], now);
        read.resolve();
        await gate.promise;
        return spent;
      };
      const prefix = `tollgraph-test:${randomUUID()}`;
      const [early, other] = [
        await open(load, prefix, GIVEN),
        await open(async ({ now }) => spentBy([...journal], now), prefix, GIVEN),
      ];
      const late = used(early);
      await read.promise;
      // Calls that the other node let through while Redis was away, and has recorded.
      for (let n = 0; n < 3; n++) journal.push({ id: `${n}`, at: NOON, amounts: { cost: 7, requests: 1 } });
      await other.forget(SUBJECT);
      await other.forget(SUBJECT);
      gate.resolve();
      expect(await late).toEqual([3, 3, 21, 21]);
      // Nor is one that is overtaken by a load of the other node, for limits that this one did not load.
      expect(await used(other)).toEqual([3, 3, 21, 21]);
    });

    it('counts with what it came to where it is settled after the journal was read for a load', async () => {
      const [read, gate] = [deferred(), deferred()];
      const load = async (): Promise<typeof NOTHING> => {
        read.resolve();
        await gate.promise;
        return NOTHING;
      };
      const prefix = `tollgraph-test:${randomUUID()}`;
      const [taker, loader] = [
        await open(async () => NOTHING, prefix, GIVEN),
        await open(load, prefix, GIVEN),
      ];
      const settled = taken(await taker.take(asked(limits, NOON, { cost: 20 })));
      const undone = taken(await taker.take(asked(limits, NOON, { cost: 7 })));
      await taker.forget(SUBJECT);
      const late = used(loader);
      await read.promise;
      settled.settle({ cost: 5 }, POSITION);
      undone.undo();
      await taker.forget(SUBJECT);
      gate.resolve();
      expect(await late).toEqual([1, 1, 5, 5]);
      // It lapses as any other.
      time.pass(61_000);
      await taker.forget(SUBJECT);
      expect(await used(taker)).toEqual([0, 0, 0, 0]);
    });

    it('counts once where its record is loaded before it is settled', async () => {
      const recorded: Spend[] = [];
      const limiter = await open(async ({ now }) => spentBy([...recorded], now), undefined, GIVEN);
      const call = asked(limits, NOON, { cost: 20 });
      const take = taken(await limiter.take(call));
      recorded.push({ id: call.useId, at: take.at, amounts: { cost: 5, requests: 1 } });
      await limiter.forget(SUBJECT);
      expect(await used(limiter)).toEqual([1, 1, 5, 5]);
      take.settle({ cost: 5 }, POSITION);
      expect(await used(limiter)).toEqual([1, 1, 5, 5]);
    });

    it('is given back by whoever undoes it, after a reload too', async () => {
      const limiter = await open(async () => NOTHING, undefined, GIVEN);
      const [first, second] = [
        taken(await limiter.take(asked(limits, NOON, { cost: 20 }))),
        taken(await limiter.take(asked(limits, NOON, { cost: 7 }))),
      ];
      await limiter.forget(SUBJECT);
      first.undo();
      expect(await used(limiter)).toEqual([1, 1, 7, 7]);
      second.undo();
      expect(await used(limiter)).toEqual([0, 0, 0, 0]);
    });

    it('is given back also by an owner who takes long', async () => {
      const limiter = await open(async () => NOTHING, undefined, GIVEN);
      const take = taken(await limiter.take(asked(limits, NOON, { cost: 20 })));
      time.pass(59_000);
      take.undo();
      expect(await used(limiter)).toEqual([0, 0, 0, 0]);
    });

    it('without an owner is dropped after a minute with the counters, which the journal then tells', async () => {
      let dropped = 0;
      const recorded: Spend[] = [];
      const load: LoadSpent = async ({ now }) => ({ ...spentBy([...recorded], now), upTo: 1 });
      const limiter = await open(load, undefined, { ...GIVEN, onOwnerless: () => dropped++ });
      const lost = taken(await limiter.take(asked(limits, NOON, { cost: 20 })));
      const stored = asked(limits, NOON, { cost: 7 });
      // Its process ends before it can tell.
      recorded.push(recordOf(stored, taken(await limiter.take(stored))));
      expect(await used(limiter)).toEqual([2, 2, 27, 27]);
      time.pass(61_000);
      expect(await used(limiter)).toEqual([0, 1, 0, 7]);
      expect(dropped).toBe(1);
      // An owner that was only asleep, and gives back or stores what was dropped: nothing changes, and it counts.
      lost.undo();
      expect(await used(limiter)).toEqual([0, 1, 0, 7]);
      const slept = taken(await limiter.take(asked(limits, time.clock, { cost: 5 })));
      time.pass(61_000);
      expect(await used(limiter)).toEqual([0, 1, 0, 7]);
      slept.settle({ cost: 3 }, 2);
      slept.undo();
      const seen = async (): Promise<number[]> => {
        const now = await used(limiter);
        return now[1] === 1 ? seen() : now;
      };
      expect(await seen()).toEqual([1, 2, 3, 10]);
    });

    it('is the key’s as well as the account’s', async () => {
      const limiter = await open(async () => ({ ...NOTHING, upTo: 1 }), undefined, GIVEN);
      const key = { id: 'k', limits: [limit('month', 50, 'cost')] };
      const both = async (): Promise<number[]> =>
        (await limiter.states(asked(limits, time.clock, { key }))).map((state) => state.used);
      const take = taken(await limiter.take(asked(limits, NOON, { cost: 20, key })));
      // Only the account is asked for: the key's part goes by itself.
      time.pass(61_000);
      expect(await used(limiter)).toEqual([0, 0, 0, 0]);
      take.settle({ cost: 20 }, 2);
      const seen = async (): Promise<number[]> => {
        const now = await both();
        return now[1] === 0 || now[4] === 0 ? seen() : now;
      };
      expect(await seen()).toEqual([1, 1, 20, 20, 20]);
    });

    it('stays its owner’s for as long as it is renewed', async () => {
      const sent: string[][] = [];
      const pending = new PendingTakes<string>({
        send: async (operation, whose, members) => {
          sent.push([operation, whose, ...members]);
          return [];
        },
        nameOf: (whose) => whose,
        elapsed: () => time.elapsed,
        keepDelayMs: 0,
        log: silentLogger,
      });
      const first = pending.add('a', '1|x');
      pending.add('a', '2|y');
      pending.add('b', '3|z');
      pending.renew();
      pending.keep(first, async () => undefined);
      time.pass(20_000);
      pending.renew();
      pending.renew();
      await pending.close();
      expect(sent).toEqual([
        ['keep', 'a', '1|x'],
        ['renew', 'a', '2|y'],
        ['renew', 'b', '3|z'],
      ]);
    });

    it('is renewed no more where nobody has known for long what became of it', async () => {
      const renewed: string[] = [];
      const pending = new PendingTakes<string>({
        send: async (_operation, _whose, members) => {
          renewed.push(...members);
          return [];
        },
        nameOf: (whose) => whose,
        elapsed: () => time.elapsed,
        keepDelayMs: 0,
        log: silentLogger,
      });
      pending.add('a', 'note|lost');
      for (let minute = 0; minute < 20; minute++) {
        time.pass(60_000);
        pending.renew();
      }
      await pending.close();
      expect(renewed).toHaveLength(15);
    });

    it('has its counters loaded anew where what was announced is never noted', async () => {
      const recorded: Spend[] = [];
      const load: LoadSpent = async ({ now }) => ({ ...spentBy([...recorded], now), upTo: recorded.length });
      const limiter = await open(load, undefined, GIVEN);
      expect(await used(limiter)).toEqual([0, 0, 0, 0]);
      const noted = await limiter.announce([asked(limits, NOON)]);
      await limiter.announce([asked(limits, NOON)]);
      recorded.push(spend(NOON, 30));
      noted();
      expect(await used(limiter)).toEqual([0, 0, 0, 0]);
      time.pass(61_000);
      expect(await used(limiter)).toEqual([0, 1, 0, 30]);
    });

    it('is not added to what the journal has of it once it has lapsed', async () => {
      const recorded: Spend[] = [];
      const limiter = await open(async ({ now }) => spentBy([...recorded], now), undefined, GIVEN);
      const call = asked(limits, NOON, { cost: 20 });
      recorded.push(recordOf(call, taken(await limiter.take(call))));
      // Nobody takes anything meanwhile, and its record is too old to be held against what is open.
      time.pass(180_000);
      await limiter.forget(SUBJECT);
      expect(await used(limiter)).toEqual([0, 1, 0, 20]);
    });

    it('counts no more of it than any limit can hold', async () => {
      const limiter = await open(async () => ({ ...NOTHING, most: 100 }), undefined, GIVEN);
      taken(await limiter.take(asked(limits, NOON, { amounts: { requests: 1, jobs: 500 } })));
      const jobs = [limit('minute', 5, 'jobs'), limit('hour', 200, 'jobs')];
      const states = await limiter.states(asked(jobs, NOON));
      expect(states.map((state) => state.used)).toEqual([100, 200]);
    });

    it('keeps the order of the times of its window', async () => {
      const minute = [limit('minute', 3)];
      const limiter = await open(
        async ({ now }) => spentBy([spend(now - 50_000), spend(now - 1_000)], now),
        undefined,
        GIVEN,
      );
      taken(await limiter.take(asked([limit('hour', 9)], NOON - 30_000)));
      // The window is new: two of the journal, and between them the open one.
      const states = await limiter.states(asked(minute, NOON));
      expect(states[0]?.used).toBe(3);
      expect(await limiter.take(asked(minute, NOON))).toMatchObject({ retryAfterMs: 10_000 });
      expect(await limiter.take(asked(minute, NOON + 10_001))).toMatchObject({ kind: 'taken' });
      expect(await limiter.take(asked(minute, NOON + 10_001))).toMatchObject({ retryAfterMs: 19_999 });
    });
  });

  it('leaves what a faster node has loaded, and has counted since', async () => {
    const prefix = `tollgraph-test:${randomUUID()}`;
    const limits = [limit('minute', 1), limit('month', 1), limit('minute', 5, 'cost')];
    const [asking, gate] = [deferred(), deferred()];
    const slow = await open(async () => {
      asking.resolve();
      await gate.promise;
      return NOTHING;
    }, prefix);
    const fast = await open(async () => NOTHING, prefix);
    const late = slow.take(asked(limits, Date.now(), { cost: 5 }));
    await asking.promise;
    taken(await fast.take(asked(limits, Date.now(), { cost: 5 })));
    gate.resolve();
    const refused = await late;
    expect(refused.kind).toBe('refused');
    expect(refused.states.map(({ used }) => used)).toEqual([1, 1, 5]);
  });

  it('loads a window whose list was lost alone', async () => {
    let loads = 0;
    const prefix = `tollgraph-test:${randomUUID()}`;
    const recorded: Spend[] = [];
    const load: LoadSpent = async ({ now }) => spentBy([...recorded], now);
    const limiter = await open(load, prefix, { onLoad: () => loads++, keepDelayMs: 0 });
    const limits = [limit('minute', 3), limit('hour', 3), limit('month', 9)];
    for (let i = 0; i < 2; i++) {
      const call = asked(limits, Date.now());
      const take = taken(await limiter.take(call));
      recorded.push(recordOf(call, take));
      take.settle({}, POSITION);
    }
    await deleteKeys(`${prefix}:*|minute"]`);
    expect(taken(await limiter.take(asked(limits, Date.now()))).states.map(({ used }) => used)).toEqual([
      3, 3, 3,
    ]);
    expect((await limiter.take(asked(limits, Date.now()))).kind).toBe('refused');
    expect(loads).toBe(2);
  });

  it('reads the tail only where calls may have been lost', async () => {
    const asks: boolean[] = [];
    const prefix = `tollgraph-test:${randomUUID()}`;
    const load: LoadSpent = async ({ fresh }) => {
      asks.push(fresh);
      return NOTHING;
    };
    const limiter = await open(load, prefix, GIVEN);
    const HOURS = 3_600_000;
    const call = (accountId: string, now: number, limits = [limit('minute', 5)]): Promise<Take> =>
      limiter.take(asked(limits, now, { accountId }));
    await call('a', NOON);
    await call('b', NOON + 2 * HOURS);
    // For longer than counters are kept nothing was lost: who is not there was not there for as long.
    await call('c', NOON + 2 * HOURS + 1);
    // But a window that the counters don't have may have missed calls.
    await call('c', NOON + 3 * HOURS, [limit('hour', 5)]);
    await deleteKeys(`${prefix}:*`);
    await call('c', NOON + 4 * HOURS);
    await call('d', NOON + 7 * HOURS);
    // A clock that was set has ended counters early: who is not there may have called a moment ago.
    time.set(3 * HOURS);
    await call('e', time.clock);
    await call('f', time.clock + 1);
    await call('g', time.clock + 3 * HOURS);
    expect(asks).toEqual([true, true, false, true, true, false, true, true, false]);
  });

  it('reads the tail for what was forgotten, however long nothing else was lost', async () => {
    const recorded: Spend[] = [];
    // The ledger has it all; only the tail has what windows may hold.
    const load: LoadSpent = async ({ now, fresh }) => {
      const spent = spentBy([...recorded], now);
      return fresh ? spent : { ...spent, recent: [] };
    };
    const limiter = await open(load, undefined, GIVEN);
    const key = { id: 'k', limits: [limit('minute', 5), limit('minute', 60, 'cost')] };
    const limits = [limit('hour', 5), limit('minute', 50, 'cost'), limit('month', 9)];
    await limiter.states(asked(limits, NOON, { accountId: 'b' }));
    const call = asked(limits, NOON + 3 * 3_600_000, { cost: 20, key });
    recorded.push(recordOf(call, taken(await limiter.take(call))));
    // What passed while Redis was away.
    recorded.push(spend(time.clock, 10));
    for (const keyId of [undefined, key.id]) {
      await limiter.forget({ accountId: 'a', environment: 'live', keyId });
    }
    const states = await limiter.states(asked(limits, time.clock, { key }));
    expect(states.map(({ used }) => used)).toEqual([2, 30, 2, 2, 30]);
  });

  it.each(['refuse', 'reset', 'freeze', 'forget'] as const)(
    'says so when Redis cannot be asked, and goes on when it can: %s',
    async (fault) => {
      const { hostname, port } = new URL(SHARED_REDIS_URL ?? '');
      const proxy = await FaultyProxy.open(hostname, Number(port));
      try {
        const limits = [limit('minute', 5), limit('month', 9)];
        const url = `redis://127.0.0.1:${proxy.listening}`;
        const limiter = await open(async () => NOTHING, undefined, { url });
        await limiter.take(asked(limits, Date.now()));
        await proxy.inject(fault);
        await expect(limiter.take(asked(limits, Date.now()))).rejects.toThrow(LimitsUnavailable);
        await proxy.heal();
        const { states } = taken(await answered(() => limiter.take(asked(limits, Date.now()))));
        // What had no answer may have been taken, and is not taken back.
        expect(states[1]?.used).toBeGreaterThanOrEqual(2);
        expect(states[1]?.used).toBeLessThanOrEqual(3);
        expect(limiter.up).toBe(true);
      } finally {
        await Promise.all(opened.splice(0).map((limiter) => limiter.close()));
        await proxy.close();
      }
    },
  );

  it('opens while Redis is away', async () => {
    const limiter = await open(async () => NOTHING, undefined, { url: 'redis://127.0.0.1:1' });
    expect(limiter.up).toBe(false);
    await expect(limiter.take(asked([], Date.now()))).rejects.toThrow(LimitsUnavailable);
  });
});

async function deleteKeys(pattern: string): Promise<void> {
  const { createClient } = await import('@redis/client');
  const client = createClient({ url: SHARED_REDIS_URL ?? '' });
  await client.connect();
  for await (const keys of client.scanIterator({ MATCH: pattern, COUNT: 1_000 })) {
    if (keys.length > 0) await client.del(keys);
  }
  await client.close();
}

/**
 * Two nodes under load, and a journal in memory to which a call is recorded a while after its take: what
 * a loss makes pass too much is at most what was under way.
 */
(CAN_START_REDIS ? describe : describe.skip)('counters that are lost under load', () => {
  let redis: OwnRedis;
  beforeEach(async () => {
    redis = await OwnRedis.start();
  });
  afterEach(() => redis.stop());

  it.each(['flush', 'restart'] as const)('are loaded again after a %s', async (loss) => {
    const AMOUNT = 300;
    const WORKERS = 24;
    const limits = [limit('hour', AMOUNT), limit('month', AMOUNT)];
    const recorded: Spend[] = [];
    let loads = 0;
    const load: LoadSpent = async ({ now }) => {
      loads++;
      await new Promise((resolve) => setImmediate(resolve));
      return spentBy(
        [...recorded].sort((a, b) => a.at - b.at),
        now,
      );
    };
    const prefix = `tollgraph-test:${randomUUID()}`;
    const nodes = [
      await open(load, prefix, { url: redis.url }),
      await open(load, prefix, { url: redis.url }),
    ];
    let underWay = 0;
    let atLoss = 0;
    let refused = 0;
    let lost: Promise<void> | undefined;
    const work = async (worker: number): Promise<void> => {
      while (refused < 100) {
        const node = nodes[worker % 2] as Limiter;
        const call = asked(limits, Date.now());
        const take = await answered(async () => node.take(call));
        if (take.kind !== 'taken') {
          refused++;
          continue;
        }
        underWay++;
        for (let i = 0; i < 5 + worker * 4; i++) await new Promise((resolve) => setImmediate(resolve));
        underWay--;
        recorded.push(recordOf(call, take));
        if (recorded.length === AMOUNT / 2) {
          atLoss = underWay;
          lost = redis[loss]();
        }
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, (_, i) => work(i)));
    await lost;
    const overshoot = recorded.length - AMOUNT;
    process.stdout.write(
      `limits after a ${loss}: ${recorded.length} of ${AMOUNT} passed, overshoot ${overshoot}, under way ${atLoss}, loads ${loads}\n`,
    );
    expect(overshoot).toBeGreaterThanOrEqual(-WORKERS);
    expect(overshoot).toBeLessThanOrEqual(WORKERS);
    expect(loads).toBeGreaterThanOrEqual(2);
  });
});
