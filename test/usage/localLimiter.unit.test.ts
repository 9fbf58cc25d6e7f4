import { Amounts } from '../../src/usage/limits/amounts.js';
import { Counters } from '../../src/usage/limits/counters.js';
import type { Spent } from '../../src/usage/limits/limiter.js';
import { LocalLimiter } from '../../src/usage/limits/localLimiter.js';
import { periodOf } from '../../src/usage/limits/periods.js';
import type { LoadSpent } from '../../src/usage/limits/limiter.js';
import {
  asked,
  limit,
  limiterContract,
  NOON,
  NOTHING,
  POSITION,
  spend,
  taken,
  time,
} from './limiter.contract.js';
import { aggregationOf } from './naiveLimits.js';

const MINUTE = 60_000;

const opened = (load: LoadSpent, maxCustomers?: number): LocalLimiter =>
  new LocalLimiter({ load, aggregationOf, time: () => time.elapsed, ...(maxCustomers && { maxCustomers }) });

limiterContract({
  open: async (load, maxCustomers) => opened(load, maxCustomers),
  numRuns: 150,
  exact: true,
});

describe('a counter that is missing', () => {
  it('is loaded, never taken for zero', async () => {
    const limits = [limit('minute', 3), limit('month', 5), limit('month', 90, 'cost')];
    const periods = new Amounts([
      ['requests', 'month:2026-11', 4],
      ['cost', 'month:2026-11', 80],
    ]);
    const recent = [NOON - MINUTE, NOON - MINUTE + 1, NOON - 5].map((at) => spend(at, 1));
    const limiter = opened(async () => ({ periods, recent, since: 0, asOf: NOON, most: 0, upTo: 0 }));
    const { states } = taken(await limiter.take(asked(limits, NOON, { cost: 10 })));
    expect(states.map(({ used }) => used)).toEqual([3, 5, 90]);
    expect((await limiter.take(asked(limits, NOON, { cost: 0 }))).kind).toBe('refused');
  });

  it('is loaded for the time of the take, though the month ends while it loads', async () => {
    const limits = [limit('month', 1)];
    const lastInstant = Date.UTC(2026, 11, 1) - 1;
    const ledger = new Amounts([['requests', 'month:2026-11', 1]]);
    const limiter = opened(async ({ now }): Promise<Spent> => {
      const month = periodOf('month', now);
      return { ...NOTHING, periods: new Amounts([['requests', month, ledger.of('requests', month)]]) };
    });
    expect((await limiter.take(asked(limits, lastInstant))).kind).toBe('refused');
  });

  it('is loaded afresh only where this process has counted meanwhile', async () => {
    const asks: boolean[] = [];
    const limiter = opened(async ({ fresh }) => {
      asks.push(fresh);
      return NOTHING;
    });
    await limiter.take(asked([limit('minute', 5)], NOON));
    await limiter.take(asked([limit('hour', 5)], NOON));
    await limiter.take(asked([limit('minute', 5), limit('hour', 5)], NOON));
    // Nobody has counted for the minute while it was no limit.
    expect(asks).toEqual([false, true, true]);
  });
});

describe('an idle account', () => {
  it('is forgotten and loaded again; one with a call under way is not', async () => {
    const limits = [limit('minute', 5)];
    const loaded: string[] = [];
    const limiter = opened(async ({ subject: { accountId } }) => {
      loaded.push(accountId);
      return NOTHING;
    });
    const call = async (accountId: string, now: number) =>
      taken(await limiter.take(asked(limits, now, { accountId })));
    (await call('idle', NOON)).settle({ cost: 0 }, POSITION);
    (await call('undone', NOON)).undo();
    const open = await call('open', NOON);
    (await call('busy', NOON + 10)).settle({ cost: 0 }, POSITION);
    limiter.forgetIdle(time.elapsed);
    expect(limiter.size).toBe(2);
    open.settle({ cost: 0 }, POSITION);
    limiter.forgetIdle(time.elapsed);
    expect(limiter.size).toBe(1);
    await call('busy', NOON + 11);
    await call('idle', NOON + 11);
    expect(loaded).toEqual(['idle', 'undone', 'open', 'busy', 'idle']);
  });
});

describe('end customers of whom only so many are kept', () => {
  const own = [limit('day', 9)];
  const loaded: string[] = [];
  const call = async (limiter: LocalLimiter, id: string) =>
    taken(await limiter.take(asked([limit('day', 1e6)], NOON, { customer: { id, limits: own } })));
  const keeping = (many: number): LocalLimiter => {
    loaded.length = 0;
    return opened(async ({ subject: { customerId } }) => {
      if (customerId !== undefined) loaded.push(customerId);
      return NOTHING;
    }, many);
  };

  it('are dropped in the order in which they were asked for last, but with calls under way only afterwards', async () => {
    const limiter = keeping(3);
    const open = await call(limiter, 'open');
    for (const id of ['a', 'b', 'a', 'c', 'd']) (await call(limiter, id)).settle({}, POSITION);
    // "b" went for "c" (for "open" has a call under way), then "a" for "d".
    for (const id of ['open', 'c', 'd']) (await call(limiter, id)).settle({}, POSITION);
    expect(loaded).toEqual(['open', 'a', 'b', 'c', 'd']);
    (await call(limiter, 'a')).settle({}, POSITION);
    expect(loaded.slice(5)).toEqual(['a']);
    open.settle({}, POSITION);
    for (const id of ['e', 'f', 'g']) (await call(limiter, id)).settle({}, POSITION);
    // Three of them, and the account.
    expect(limiter.size).toBe(4);
    limiter.forgetIdle(Infinity);
    expect(limiter.size).toBe(0);
  });

  it('cost a load the same, however many there are and have calls under way', async () => {
    const limiter = keeping(200);
    for (let i = 0; i < 300; i++) await call(limiter, `open-${i}`);
    const looks = jest.spyOn(Counters.prototype, 'join');
    try {
      await call(limiter, 'one more');
      expect(looks.mock.calls.length).toBeLessThan(20);
    } finally {
      looks.mockRestore();
    }
  });
});

it('answers at once where the counters are in memory', async () => {
  const limiter = opened(async () => NOTHING);
  const call = asked([limit('minute', 5)], NOON);
  await limiter.take(call);
  expect(limiter.take(call)).not.toBeInstanceOf(Promise);
});
