import fc from 'fast-check';
import { monotonicClock } from '../../src/clock.js';
import type { Limit } from '../../src/plans/profile.js';
import { SLIDING_MS } from '../../src/plans/profile.js';
import type { LoadSpent, Spent, Take } from '../../src/usage/limiter.js';
import { Limiter } from '../../src/usage/limiter.js';
import { isFixed, periodOf } from '../../src/usage/periods.js';

type Taken = Extract<Take, { kind: 'taken' }>;

const MINUTE = SLIDING_MS.minute;
const NOON = Date.UTC(2026, 10, 22, 12);
const NOTHING: Spent = { periods: new Map(), recent: [] };

const limit = (window: Limit['window'], amount: number): Limit => ({
  id: `requests-${window}`,
  meter: 'requests',
  window,
  amount,
});

const limiterOf = (spent: Spent = NOTHING): Limiter => new Limiter(async () => spent);

/** A limiter whose counters are in memory, so that takes are synchronous. */
async function loaded(limits: readonly Limit[], spent: Spent = NOTHING, now = NOON): Promise<Limiter> {
  const limiter = limiterOf(spent);
  await limiter.states('a', 'live', limits, now);
  return limiter;
}

function takeNow(limiter: Limiter, limits: readonly Limit[], now: number): Take {
  const take = limiter.take('a', 'live', limits, now);
  if (take instanceof Promise) throw new Error('the counters are not loaded');
  return take;
}

function taken(take: Take): Taken {
  if (take.kind !== 'taken') throw new Error(`refused by ${take.limit.limit.id}`);
  return take;
}

const plans = fc
  .uniqueArray(fc.constantFrom<Limit['window']>('minute', 'hour', 'day', 'month'), { minLength: 1 })
  .chain((windows) =>
    fc.tuple(
      ...windows.map((window) => fc.integer({ min: 1, max: 8 }).map((amount) => limit(window, amount))),
    ),
  );

/** Gaps between calls, in milliseconds: bursts, seconds, and leaps over hours, days and months. */
const gaps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 4, arbitrary: fc.nat(20_000) },
    { weight: 2, arbitrary: fc.constantFrom(59_999, 60_000, 60_001, 3_599_999, 3_600_000) },
    { weight: 2, arbitrary: fc.nat(30 * 3_600_000) },
    { weight: 1, arbitrary: fc.nat(40 * 86_400_000) },
  ),
  { maxLength: 60 },
);

/** Law 2, stated over the calls that passed alone. */
function expectNoOvershoot(passed: readonly number[], limits: readonly Limit[]): void {
  for (const { window, amount } of limits) {
    for (const begin of passed) {
      const within = isFixed(window)
        ? passed.filter((at) => periodOf(window, at) === periodOf(window, begin))
        : passed.filter((at) => at >= begin && at < begin + SLIDING_MS[window]);
      expect(within.length).toBeLessThanOrEqual(amount);
    }
  }
}

describe('law 2: no overshoot', () => {
  it('passes at most the amount in every window and period, and no fewer than it could', async () => {
    await fc.assert(
      fc.asyncProperty(plans, gaps, async (limits, all) => {
        const limiter = await loaded(limits);
        const passed: number[] = [];
        let now = NOON;
        for (const gap of all) {
          now += gap;
          const take = takeNow(limiter, limits, now);
          const fits = limits.every(({ window, amount }) => {
            const spent = isFixed(window)
              ? passed.filter((at) => periodOf(window, at) === periodOf(window, now))
              : passed.filter((at) => at > now - SLIDING_MS[window]);
            return spent.length < amount;
          });
          expect(take.kind).toBe(fits ? 'taken' : 'refused');
          if (take.kind === 'taken') passed.push(take.at);
        }
        expectNoOvershoot(passed, limits);
      }),
      { numRuns: 200 },
    );
  });

  it('holds for calls whose times arrive out of order, as parallel requests bring them', async () => {
    const jumps = fc.array(fc.tuple(fc.integer({ min: -3_000, max: 40_000 }), fc.boolean()), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(plans, jumps, async (limits, all) => {
        const limiter = await loaded(limits);
        const passed: number[] = [];
        let now = NOON;
        for (const [jump, looks] of all) {
          now += jump;
          // Looking at the limits ahead of time must not make room for a call behind it.
          if (looks) await limiter.states('a', 'live', limits, now + 3_000);
          const take = takeNow(limiter, limits, now);
          if (take.kind === 'taken') passed.push(take.at);
        }
        expectNoOvershoot(passed, limits);
        expect(passed).toEqual([...passed].sort((a, b) => a - b));
      }),
      { numRuns: 200 },
    );
  });

  it.each([1, 7, 150])(
    'lets exactly %i of 200 parallel calls through while the counters load',
    async (amount) => {
      const limits = [limit('minute', amount), limit('month', 1_000)];
      let loads = 0;
      let release!: () => void;
      const gate = new Promise<void>((resolve) => (release = resolve));
      const load: LoadSpent = async () => {
        loads++;
        await gate;
        return NOTHING;
      };
      const limiter = new Limiter(load);
      const calls = Array.from({ length: 200 }, (_, i) => limiter.take('a', 'live', limits, NOON + i));
      release();
      const takes = await Promise.all(calls.map(async (call) => call));
      expect(takes.filter(({ kind }) => kind === 'taken')).toHaveLength(amount);
      expect(loads).toBe(1);
    },
  );

  it('holds when the clock stands still', async () => {
    const limits = [limit('minute', 3)];
    const limiter = await loaded(limits);
    const kinds = Array.from({ length: 10 }, () => takeNow(limiter, limits, NOON).kind);
    expect(kinds.filter((kind) => kind === 'taken')).toHaveLength(3);
  });
});

describe('a take', () => {
  it('takes from all limits or from none', async () => {
    const limits = [limit('minute', 5), limit('day', 2), limit('month', 9)];
    const limiter = await loaded(limits);
    taken(takeNow(limiter, limits, NOON));
    taken(takeNow(limiter, limits, NOON));
    for (let i = 0; i < 4; i++) {
      const refused = takeNow(limiter, limits, NOON);
      expect(refused).toMatchObject({ kind: 'refused', limit: { limit: { id: 'requests-day' } } });
      expect(refused.states.map(({ used }) => used)).toEqual([2, 2, 2]);
    }
  });

  it('spends nothing when it is refused', async () => {
    await fc.assert(
      fc.asyncProperty(plans, gaps, async (limits, all) => {
        const limiter = await loaded(limits);
        let now = NOON;
        for (const gap of all) {
          now += gap;
          const before = await limiter.states('a', 'live', limits, now);
          const take = takeNow(limiter, limits, now);
          const after = await limiter.states('a', 'live', limits, now);
          expect(take.states).toEqual(after);
          const spent = take.kind === 'taken' ? 1 : 0;
          expect(after.map(({ used }) => used)).toEqual(before.map(({ used }) => used + spent));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('is given back exactly by undo, whatever was taken in between', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: -500, max: 2_000 }), fc.boolean()), { maxLength: 40 }),
        async (calls) => {
          const limits = [limit('minute', 100), limit('hour', 100), limit('day', 100), limit('month', 100)];
          const limiter = await loaded(limits);
          let now = NOON;
          const undone: Taken[] = [];
          let kept = 0;
          for (const [jump, undo] of calls) {
            now += jump;
            const take = taken(takeNow(limiter, limits, now));
            if (undo) undone.push(take);
            else kept++;
          }
          for (const take of undone) take.undo();
          const end = NOON + 40 * 2_000;
          const inHour = await limiter.states('a', 'live', limits.slice(1), end);
          expect(inHour.map(({ used }) => used)).toEqual([kept, kept, kept]);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('makes room for one call again after undo', async () => {
    const limits = [limit('minute', 1), limit('month', 1)];
    const limiter = await loaded(limits);
    taken(takeNow(limiter, limits, NOON)).undo();
    taken(takeNow(limiter, limits, NOON));
    expect(takeNow(limiter, limits, NOON).kind).toBe('refused');
  });

  it('names in retryAfterMs the first instant at which it passes', async () => {
    await fc.assert(
      fc.asyncProperty(plans, gaps, async (limits, all) => {
        const passed: number[] = [];
        const again = (at: number): Promise<Take> => {
          // A limiter of its own for each question, since asking must not change the answer.
          const periods = new Map<string, number>();
          for (const time of passed) {
            for (const window of ['day', 'month'] as const) {
              const id = `requests|${periodOf(window, time)}`;
              periods.set(id, (periods.get(id) ?? 0) + 1);
            }
          }
          return Promise.resolve(limiterOf({ periods, recent: passed }).take('a', 'live', limits, at));
        };
        const limiter = await loaded(limits);
        let now = NOON;
        for (const gap of all) {
          now += gap;
          const take = takeNow(limiter, limits, now);
          if (take.kind === 'taken') {
            passed.push(take.at);
            continue;
          }
          expect(take.retryAfterMs).toBeGreaterThan(0);
          expect((await again(now + take.retryAfterMs)).kind).toBe('taken');
          expect((await again(now + take.retryAfterMs - 1)).kind).toBe('refused');
          break;
        }
      }),
      { numRuns: 150 },
    );
  });

  it('is told its periods in UTC, on either side of the boundary', async () => {
    const limits = [limit('day', 1), limit('month', 2)];
    const limiter = await loaded(limits, NOTHING, Date.UTC(2026, 10, 29));
    const lastOfNovember = Date.UTC(2026, 11, 1) - 1;
    const before = takeNow(limiter, limits, lastOfNovember);
    expect(taken(before).periods).toEqual(['day:2026-11-30', 'month:2026-11']);
    expect(takeNow(limiter, limits, lastOfNovember)).toMatchObject({ kind: 'refused', retryAfterMs: 1 });
    const after = takeNow(limiter, limits, lastOfNovember + 1);
    expect(taken(after).periods).toEqual(['day:2026-12-01', 'month:2026-12']);
    expect(after.states.map(({ used, resetAt }) => [used, resetAt])).toEqual([
      [1, Date.UTC(2026, 11, 2)],
      [1, Date.UTC(2027, 0, 1)],
    ]);
  });

  it('ignores limits on cost, which has no formula yet', async () => {
    const limits: Limit[] = [{ id: 'cost-minute', meter: 'cost', window: 'minute', amount: 1 }];
    const limiter = await loaded(limits);
    for (let i = 0; i < 5; i++)
      expect(takeNow(limiter, limits, NOON)).toMatchObject({ kind: 'taken', states: [] });
  });

  it('passes a plan without limits', async () => {
    const limiter = await loaded([]);
    for (let i = 0; i < 5; i++) expect(takeNow(limiter, [], NOON).kind).toBe('taken');
  });
});

describe('a counter that is missing', () => {
  it('is loaded, never taken for zero', async () => {
    const limits = [limit('minute', 3), limit('month', 5)];
    const periods = new Map([['requests|month:2026-11', 4]]);
    const limiter = limiterOf({ periods, recent: [NOON - MINUTE, NOON - MINUTE + 1, NOON - 5] });
    const first = taken(await limiter.take('a', 'live', limits, NOON));
    expect(first.states.map(({ used }) => used)).toEqual([3, 5]);
    expect((await limiter.take('a', 'live', limits, NOON)).kind).toBe('refused');
  });

  it('is loaded for the time of the take, though the month ends while it loads', async () => {
    const limits = [limit('month', 1)];
    const lastInstant = Date.UTC(2026, 11, 1) - 1;
    const ledger = new Map([['requests|month:2026-11', 1]]);
    const limiter = new Limiter(async (_account, _environment, now) => {
      const id = `requests|${periodOf('month', now)}`;
      return { periods: new Map([[id, ledger.get(id) ?? 0]]), recent: [] };
    });
    expect((await limiter.take('a', 'live', limits, lastInstant)).kind).toBe('refused');
  });

  it('is asked for again after a load that failed', async () => {
    let loads = 0;
    const limiter = new Limiter(async () => {
      if (++loads === 1) throw new Error('no answer');
      return NOTHING;
    });
    await expect(limiter.take('a', 'live', [limit('minute', 1)], NOON)).rejects.toThrow('no answer');
    expect((await limiter.take('a', 'live', [limit('minute', 1)], NOON)).kind).toBe('taken');
    expect(loads).toBe(2);
  });
});

it('counts live and test, and every account, apart', async () => {
  const limits = [limit('minute', 1)];
  const limiter = limiterOf();
  for (const [account, environment] of [
    ['a', 'live'],
    ['a', 'test'],
    ['b', 'live'],
  ] as const) {
    expect((await limiter.take(account, environment, limits, NOON)).kind).toBe('taken');
    expect((await limiter.take(account, environment, limits, NOON)).kind).toBe('refused');
  }
});

it('applies a larger plan at once to what was spent under the smaller one', async () => {
  const limiter = await loaded([limit('minute', 2)]);
  for (let i = 0; i < 2; i++) taken(takeNow(limiter, [limit('minute', 2)], NOON));
  expect(takeNow(limiter, [limit('minute', 2)], NOON).kind).toBe('refused');
  expect(taken(takeNow(limiter, [limit('minute', 3)], NOON)).states[0]?.used).toBe(3);
  // And a smaller one: so many calls have to leave the window that one fits.
  const refused = takeNow(limiter, [limit('minute', 1)], NOON + 1);
  expect(refused).toMatchObject({ kind: 'refused', retryAfterMs: MINUTE - 1 });
});

describe('monotonicClock', () => {
  it('never goes backwards, whatever the system clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000), { minLength: 1 }), (readings) => {
        const left = [...readings];
        const clock = monotonicClock(() => left.shift() as number);
        let highest = 0;
        for (const reading of readings) {
          highest = Math.max(highest, reading);
          expect(clock()).toBe(highest);
        }
      }),
    );
  });
});
