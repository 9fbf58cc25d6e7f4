import { Amounts } from '../../src/usage/amounts.js';
import type { Spent } from '../../src/usage/limiter.js';
import { LocalLimiter } from '../../src/usage/localLimiter.js';
import { periodOf } from '../../src/usage/periods.js';
import type { LoadSpent } from '../../src/usage/limiter.js';
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

it('answers at once where the counters are in memory', async () => {
  const limiter = opened(async () => NOTHING);
  const call = asked([limit('minute', 5)], NOON);
  await limiter.take(call);
  expect(limiter.take(call)).not.toBeInstanceOf(Promise);
});
