import fc from 'fast-check';
import type { Limit } from '../../src/plans/profile.js';
import { SLIDING_MS } from '../../src/plans/profile.js';
import type {
  MeterAmounts,
  Asked,
  Limiter,
  LoadSpent,
  Noted,
  Spend,
  Spent,
  Take,
  Taken,
} from '../../src/usage/limits/limiter.js';
import { Amounts } from '../../src/usage/limits/amounts.js';
import { isOver, kindOf } from '../../src/usage/limits/limiter.js';
import type { Subject } from '../../src/usage/events.js';
import { isFixed, LIFETIME, periodOf, periodsOf } from '../../src/usage/limits/periods.js';
import { deferred } from '../eventsourcing/fixtures.js';
import type { Moment } from './naiveLimits.js';
import { aggregationOf, NaiveLimits } from './naiveLimits.js';
import { TestTime } from './testTime.js';

const MINUTE = SLIDING_MS.minute;
const HOUR = SLIDING_MS.hour;
const DAY = 24 * HOUR;
export const NOON = Date.UTC(2026, 10, 22, 12);
/** Long before any window: nothing was spent. */
export const NOTHING: Spent = {
  periods: new Amounts(),
  recent: [],
  since: 0,
  asOf: NOON,
  most: 10_000,
  upTo: 0,
};

/** Of records here: what is loaded has them all. */
export const POSITION = 0;

/** The time of all calls here: asking moves it. */
export const time = new TestTime(NOON);

export const limit = (
  window: Limit['window'],
  amount: number,
  meter: Limit['meter'] = 'requests',
): Limit => ({
  id: `${meter}-${window}`,
  meter,
  window,
  amount,
});

let uses = 0;

/** One request, with cost points where they are given. */
export function asked(
  limits: readonly Limit[],
  now: number,
  { cost = null, ...over }: Partial<Asked> & { readonly cost?: number | null } = {},
): Asked {
  time.to(now);
  const amounts: MeterAmounts = cost === null ? { requests: 1 } : { cost, requests: 1 };
  const useId = `use.${uses++}`;
  return { accountId: 'a', environment: 'live', limits, now, useId, amounts, writes: false, ...over };
}

/** Of nothing more than the request. */
const NONE: MeterAmounts = { cost: 0 };

/** A call with every meter in it. */
const amountsBy = (cost: number): MeterAmounts => ({ cost, jobs: cost % 3, requests: 1, seconds: 2 * cost });

const moment = (): Moment => ({ at: time.clock, elapsed: time.elapsed });
const later = ({ at, elapsed }: Moment, ms: number): Moment => ({ at: at + ms, elapsed: elapsed + ms });

export function taken(take: Take): Taken {
  if (take.kind !== 'taken') throw new Error(`refused by ${take.limit.limit.id}`);
  return take;
}

/** A request that was recorded. */
export const spend = (at: number, cost = 0): Spend => ({
  id: `use.${uses++}`,
  at,
  amounts: { cost, requests: 1 },
});

/** The record of a take. */
export const recordOf = ({ useId: id, amounts }: Asked, { at }: Take): Spend => ({ id, at, amounts });

/** What a loader finds of calls that were recorded. */
export function spentBy(calls: readonly Spend[], now: number): Spent {
  const periods = new Amounts();
  for (const { at, amounts } of calls) {
    for (const period of [...periodsOf(at), LIFETIME.id]) {
      for (const [meter, amount] of Object.entries(amounts)) periods.add(meter, period, amount);
    }
  }
  return { ...NOTHING, periods, recent: calls, asOf: now };
}

const windows = fc.constantFrom<Limit['window']>('minute', 'hour', 'day', 'month');
const perMeter = fc.uniqueArray(windows, { maxLength: 3 });
const plans = fc
  .tuple(
    perMeter,
    perMeter,
    perMeter,
    perMeter,
    fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 12, maxLength: 12 }),
  )
  .filter((all) => all.slice(0, 4).some(({ length }) => length > 0))
  .map(([requests, cost, jobs, seconds, amounts]) =>
    [
      ...requests.map((window) => [window, 1, 'requests'] as const),
      ...cost.map((window) => [window, 5, 'cost'] as const),
      ...jobs.map((window) => [window, 2, 'jobs'] as const),
      ...seconds.map((window) => [window, 7, 'seconds'] as const),
    ].map(([window, size, meter], i) => limit(window, size * (amounts[i] as number), meter)),
  );

/** From one call to the next, in milliseconds: bursts, seconds, leaps over hours, days and months, and back. */
const gap = fc.oneof(
  { weight: 5, arbitrary: fc.constant(0) },
  { weight: 5, arbitrary: fc.nat(20_000) },
  { weight: 2, arbitrary: fc.integer({ min: -5_000, max: -1 }) },
  { weight: 1, arbitrary: fc.constant(-86_400_000) },
  { weight: 2, arbitrary: fc.constantFrom(59_999, 60_000, 60_001, 3_599_999, 3_600_000) },
  { weight: 2, arbitrary: fc.nat(30 * 3_600_000) },
  { weight: 1, arbitrary: fc.nat(40 * 86_400_000) },
);

interface Step {
  readonly gap: number;
  readonly amounts: MeterAmounts;
  /** How its take ends, and after how many more calls. */
  readonly end: 'settle' | 'undo' | 'stay';
  readonly after: number;
  readonly actual: MeterAmounts;
}

const amountsOf = fc.oneof(
  fc.nat(12).map((cost) => ({ cost, requests: 1 })),
  fc.record({ cost: fc.nat(45), requests: fc.constant(1), jobs: fc.nat(5), seconds: fc.nat(20) }),
  fc.record({ jobs: fc.nat(18), seconds: fc.nat(60) }),
  // What nothing limits is no limit's business.
  fc.record({ requests: fc.constant(1), videos: fc.nat(9) }),
);

const stepOf = fc.record<Step>({
  gap,
  amounts: amountsOf,
  end: fc.constantFrom('settle', 'settle', 'undo', 'stay'),
  after: fc.nat(4),
  actual: fc.record({ cost: fc.nat(20), jobs: fc.nat(3), seconds: fc.nat(30) }, { requiredKeys: [] }),
});
const steps = fc.array(stepOf, { maxLength: 40 });

export interface Opening {
  /** A limiter without any counters, on the tests' time. */
  readonly open: (load: LoadSpent, maxCustomers?: number) => Promise<Limiter>;
  readonly numRuns: number;
  /** Whether it has a clock that is never set, beside the one that may be. */
  readonly exact: boolean;
}

/** What every limiter keeps to. */
export function limiterContract({ open, numRuns, exact }: Opening): void {
  const opened = (spent: Spent = NOTHING): Promise<Limiter> => open(async () => spent);

  it('decides, counts and gives back as a log does that is looked through from the beginning', async () => {
    await fc.assert(
      fc.asyncProperty(plans, steps, async (limits, all) => {
        const naive = new NaiveLimits(limits);
        const limiter = await open(async () => ({ ...NOTHING, periods: naive.periods() }));
        let ending: { readonly at: number; readonly since: number; readonly end: () => void }[] = [];
        let now = NOON;
        for (const [index, step] of all.entries()) {
          // What several nodes share has an owner who says in time what becomes of it.
          const late = (since: number): boolean => !exact && time.elapsed + step.gap - since >= MINUTE;
          const due = ending.filter(({ at, since }) => at === index || late(since));
          ending = ending.filter((one) => !due.includes(one));
          for (const { end } of due) end();
          now += step.gap;
          const take = await limiter.take(asked(limits, now, { amounts: step.amounts }));
          const at = moment();
          expect(take.at).toBe(now);
          if (naive.canNeverFit(step.amounts)) {
            expect(take.kind).toBe('never');
          } else if (!naive.fits(at, step.amounts)) {
            if (take.kind === 'taken') throw new Error('the log has no room');
            expect(take.kind).toBe('refused');
            // The first instant at which it passes.
            expect(take.retryAfterMs).toBeGreaterThan(0);
            if (!naive.wasLater(at))
              expect(naive.fits(later(at, take.retryAfterMs), step.amounts)).toBe(true);
            expect(naive.fits(later(at, take.retryAfterMs - 1), step.amounts)).toBe(false);
          } else {
            const ours = taken(take);
            const call = naive.take(at, step.amounts);
            expect(ours.periods).toEqual([periodOf('day', now), periodOf('month', now)]);
            const end = {
              stay: () => void ours.settle({}, POSITION),
              settle: () => {
                ours.settle(step.actual, POSITION);
                // Once: whatever comes later changes nothing.
                ours.settle(NONE, POSITION);
                ours.undo();
                naive.settle(call, step.actual, time.elapsed);
              },
              undo: () => {
                ours.undo();
                ours.undo();
                ours.settle(NONE, POSITION);
                naive.undo(call, time.elapsed);
              },
            }[step.end];
            const held = limits.filter(({ meter }) => Object.hasOwn(step.amounts, meter));
            expect(take.states.map(({ limit: of, used }) => [of, used])).toEqual(
              held.map((of) => [of, naive.used(of, at)]),
            );
            if (step.after === 0) end();
            else ending.push({ at: index + step.after, since: at.elapsed, end });
          }
          const states = await limiter.states(asked(limits, now));
          expect(states.map(({ used }) => used)).toEqual(limits.map((l) => naive.used(l, moment())));
          for (const { limit: of, used, remaining } of states) {
            expect(remaining).toBe(Math.max(0, of.amount - used));
          }
        }
        expect(naive.overshoots()).toEqual([]);
      }),
      { numRuns },
    );
  });

  it('holds a key to its own limits beside those of its account, all or nothing', async () => {
    const calls = fc.array(fc.record({ step: stepOf, who: fc.constantFrom('k1', 'k2', undefined) }), {
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(plans, plans, plans, calls, async (limits, first, second, all) => {
        const ofKeys = { k1: first, k2: second };
        const naive = {
          account: new NaiveLimits(limits),
          k1: new NaiveLimits(first),
          k2: new NaiveLimits(second),
        };
        const limiter = await open(async ({ subject: { keyId = 'account' } }) => ({
          ...NOTHING,
          periods: naive[keyId as keyof typeof naive].periods(),
        }));
        let now = NOON;
        for (const { step, who } of all) {
          now += step.gap;
          const key = who && { id: who, limits: ofKeys[who] };
          const held = who ? [naive.account, naive[who]] : [naive.account];
          time.to(now);
          const at = moment();
          const used = (): number[] => [
            ...limits.map((l) => naive.account.used(l, at)),
            ...(who ? ofKeys[who].map((l) => naive[who].used(l, at)) : []),
          ];
          const take = await limiter.take(asked(limits, now, { amounts: step.amounts, key }));
          if (held.some((log) => log.canNeverFit(step.amounts))) {
            expect(take.kind).toBe('never');
          } else if (!held.every((log) => log.fits(at, step.amounts))) {
            if (take.kind === 'taken') throw new Error('there is no room');
            const free = later(at, take.retryAfterMs);
            if (!naive.account.wasLater(at)) {
              expect(held.every((log) => log.fits(free, step.amounts))).toBe(true);
            }
            expect(held.every((log) => log.fits(later(free, -1), step.amounts))).toBe(false);
          } else {
            const ours = taken(take);
            const theirs = held.map((log) => [log, log.take(at, step.amounts)] as const);
            const every = [...limits, ...(who ? ofKeys[who] : [])];
            const asks = used().filter((_, i) => Object.hasOwn(step.amounts, every[i]?.meter ?? ''));
            expect(ours.states.map((state) => state.used)).toEqual(asks);
            if (step.end === 'settle') {
              ours.settle(step.actual, POSITION);
              for (const [log, call] of theirs) log.settle(call, step.actual, time.elapsed);
            } else if (step.end === 'undo') {
              ours.undo();
              for (const [log, call] of theirs) log.undo(call, time.elapsed);
            } else ours.settle({}, POSITION);
          }
          const states = await limiter.states(asked(limits, now, { key }));
          expect(states.map((state) => state.used)).toEqual(used());
        }
        expect([naive.account, naive.k1, naive.k2].flatMap((log) => log.overshoots())).toEqual([]);
      }),
      { numRuns },
    );
  });

  it('loads a key’s counters apart from its account’s', async () => {
    const loaded: Subject[] = [];
    const limiter = await open(async ({ subject, now }) => {
      loaded.push(subject);
      return spentBy(subject.keyId === undefined ? [] : [spend(now, 5)], now);
    });
    const key = { id: 'k1', limits: [limit('minute', 2), limit('month', 20, 'cost')] };
    const limits = [limit('minute', 9)];
    const take = taken(await limiter.take(asked(limits, NOON, { cost: 1, key })));
    expect(take.states.map(({ used }) => used)).toEqual([1, 2, 6]);
    const refused = await limiter.take(asked(limits, NOON, { cost: 1, key }));
    expect(refused).toMatchObject({ kind: 'refused', limit: { limit: key.limits[0] } });
    // Nothing was taken of the account either.
    expect((await limiter.states(asked(limits, NOON))).map(({ used }) => used)).toEqual([1]);
    expect(loaded).toEqual([
      { accountId: 'a', environment: 'live', keyId: undefined },
      { accountId: 'a', environment: 'live', keyId: 'k1' },
    ]);
  });

  it('goes on after a loss with what is loaded, and gives nothing away', async () => {
    const history = fc.array(fc.tuple(fc.nat(30_000), fc.nat(10)), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(plans, history, history, async (limits, before, after) => {
        const naive = new NaiveLimits(limits);
        const passed: Spend[] = [];
        let now = NOON;
        const run = async (
          limiter: Limiter,
          calls: readonly (readonly [number, number])[],
        ): Promise<void> => {
          for (const [wait, cost] of calls) {
            now += wait;
            const call = asked(limits, now, { amounts: amountsBy(cost) });
            const take = await limiter.take(call);
            if (take.kind !== 'taken') continue;
            take.settle({}, POSITION);
            naive.take(moment(), call.amounts);
            passed.push(recordOf(call, take));
          }
        };
        await run(await opened(), before);
        await run(await open(async ({ now: at }) => spentBy([...passed], at)), after);
        expect(naive.overshoots()).toEqual([]);
      }),
      { numRuns },
    );
  });

  it('takes what it cannot know of a bucket for spent, and no longer than one window', async () => {
    const limits = [limit('minute', 100, 'cost')];
    // Every three seconds five points, as they are refilled: the bucket was empty all the time.
    const calls = Array.from({ length: 40 }, (_, i) => spend(NOON - 120_000 + i * 3_000, 5));
    const load = async (): Promise<Spent> => ({
      periods: new Amounts(),
      recent: calls,
      since: NOON - 120_000,
      asOf: NOON,
      most: 0,
      upTo: 0,
    });
    const limiter = await open(load);
    const [bucket] = await limiter.states(asked(limits, NOON));
    expect(bucket?.used).toBe(100);
    const idle = await open(async () => ({
      periods: new Amounts(),
      recent: [],
      since: NOON - 60_000,
      asOf: NOON,
      most: 0,
      upTo: 0,
    }));
    expect((await idle.states(asked(limits, NOON)))[0]?.used).toBe(0);
  });

  it.each([1, 7, 150])(
    'lets exactly %i of 200 parallel calls through while the counters load',
    async (amount) => {
      const limits = [limit('minute', amount), limit('month', 1_000), limit('minute', 10_000, 'cost')];
      let loads = 0;
      let release!: () => void;
      const gate = new Promise<void>((resolve) => (release = resolve));
      const limiter = await open(async () => {
        loads++;
        await gate;
        return NOTHING;
      });
      const calls = Array.from({ length: 200 }, (_, i) => limiter.take(asked(limits, NOON + i, { cost: 3 })));
      release();
      const takes = await Promise.all(calls.map(async (call) => call));
      expect(takes.filter(({ kind }) => kind === 'taken')).toHaveLength(amount);
      expect(loads).toBe(1);
    },
  );

  it('takes from all limits or from none', async () => {
    const limits = [
      limit('minute', 5),
      limit('month', 9),
      limit('minute', 20, 'cost'),
      limit('day', 25, 'cost'),
    ];
    const limiter = await opened();
    taken(await limiter.take(asked(limits, NOON, { cost: 10 })));
    taken(await limiter.take(asked(limits, NOON, { cost: 10 })));
    for (let i = 0; i < 8; i++) {
      const refused = await limiter.take(asked(limits, NOON, { cost: 1 }));
      expect(refused).toMatchObject({ kind: 'refused', limit: { limit: { id: 'cost-minute' } } });
      expect(refused.states.map(({ used }) => used)).toEqual([2, 2, 20, 20]);
      const never = await limiter.take(asked(limits, NOON, { cost: 21 }));
      expect(never).toMatchObject({
        kind: 'never',
        retryAfterMs: 0,
        limit: { limit: { id: 'cost-minute' } },
      });
      expect(never.states.map(({ used }) => used)).toEqual([2, 2, 20, 20]);
    }
    // What takes no points waits for none.
    taken(await limiter.take(asked(limits, NOON, { cost: 0 })));
  });

  it('leaves limits on cost aside where nobody knows the cost', async () => {
    const limits = [limit('minute', 1, 'cost'), limit('minute', 3)];
    const limiter = await opened();
    for (let i = 1; i <= 3; i++) {
      const { states } = taken(await limiter.take(asked(limits, NOON)));
      expect(states.map((state) => [state.limit.id, state.used])).toEqual([['requests-minute', i]]);
    }
    expect((await limiter.take(asked(limits, NOON))).kind).toBe('refused');
  });

  it.each([-1, 0.5, NaN, Infinity])('has no cost of %d points', async (cost) => {
    const limiter = await opened();
    await limiter.states(asked([], NOON));
    await expect(async () => limiter.take(asked([], NOON, { cost }))).rejects.toThrow(RangeError);
  });

  it('passes a plan without limits', async () => {
    const limiter = await opened();
    for (let i = 0; i < 5; i++)
      expect((await limiter.take(asked([], NOON, { cost: 1e9 }))).kind).toBe('taken');
  });

  it('counts live and test, and every account, apart', async () => {
    const limits = [limit('minute', 1)];
    const limiter = await opened();
    for (const [accountId, environment] of [
      ['a', 'live'],
      ['a', 'test'],
      ['b', 'live'],
    ] as const) {
      const call = asked(limits, NOON, { accountId, environment });
      expect((await limiter.take(call)).kind).toBe('taken');
      expect((await limiter.take(call)).kind).toBe('refused');
    }
  });

  it('goes on with what was spent when the plan changes, loading windows that are new', async () => {
    const recorded: Spend[] = [];
    const limiter = await open(async ({ now }) => spentBy([...recorded], now));
    const small = [limit('minute', 2), limit('month', 4), limit('minute', 20, 'cost')];
    const call = async (limits: readonly Limit[], cost: number, now = NOON): Promise<Take> => {
      const asks = asked(limits, now, { cost });
      const take = await limiter.take(asks);
      if (take.kind === 'taken') recorded.push(recordOf(asks, take));
      return take;
    };
    taken(await call(small, 10));
    taken(await call(small, 10));
    expect((await call(small, 1)).kind).toBe('refused');
    // Larger, with hours: both calls are in them.
    const large = [limit('minute', 3), limit('hour', 3), limit('month', 9), limit('minute', 60, 'cost')];
    const third = taken(await call(large, 30));
    expect(third.states.map(({ used }) => used)).toEqual([3, 3, 3, 50]);
    expect((await call(large, 1)).kind).toBe('refused');
    // And back: so many calls have to leave the window that one fits.
    expect(await call(small, 0, NOON + 1)).toMatchObject({ kind: 'refused', retryAfterMs: MINUTE - 1 });
  });

  it.each([
    [30_000, 1_000],
    [1_000, 30_000],
  ])(
    'refills at the rate of the plan in force, whenever a call of the one before ends: %i, %i',
    async (before, after) => {
      const [first, second] = [[limit('minute', before, 'cost')], [limit('minute', after, 'cost')]];
      const limiter = await opened();
      const open = taken(await limiter.take(asked(first, NOON, { cost: 1_000 })));
      expect((await limiter.states(asked(second, NOON)))[0]?.used).toBe(1_000);
      open.settle({ cost: 990 }, POSITION);
      const refilled = Math.floor((after * 500) / MINUTE);
      expect((await limiter.states(asked(second, NOON + 500)))[0]?.used).toBe(990 - refilled);
    },
  );

  it('gives nothing back that a larger plan has refilled since', async () => {
    const [small, large] = [[limit('minute', 1_000, 'cost')], [limit('minute', 30_000, 'cost')]];
    const limiter = await opened();
    const open = taken(await limiter.take(asked(small, NOON, { cost: 1_000 })));
    await limiter.states(asked(large, NOON));
    taken(await limiter.take(asked(large, NOON + 2_000, { cost: 5_000 })));
    open.settle(NONE, POSITION);
    expect((await limiter.states(asked(large, NOON + 2_000)))[0]?.used).toBe(5_000);
  });

  it('is told its periods in UTC, on either side of the boundary', async () => {
    const limits = [limit('day', 1), limit('month', 2), limit('day', 5, 'cost')];
    const limiter = await opened();
    const last = Date.UTC(2026, 11, 1) - 1;
    const before = taken(await limiter.take(asked(limits, last, { cost: 5 })));
    expect(before.periods).toEqual(['day:2026-11-30', 'month:2026-11']);
    expect(await limiter.take(asked(limits, last, { cost: 0 }))).toMatchObject({
      kind: 'refused',
      retryAfterMs: 1,
    });
    const after = taken(await limiter.take(asked(limits, last + 1, { cost: 5 })));
    expect(after.periods).toEqual(['day:2026-12-01', 'month:2026-12']);
    expect(after.states.map(({ used, resetAt }) => [used, resetAt])).toEqual([
      [1, Date.UTC(2026, 11, 2)],
      [1, Date.UTC(2027, 0, 1)],
      [5, Date.UTC(2026, 11, 2)],
    ]);
    // What comes back of a period that is over is no room in the new one.
    before.settle(NONE, POSITION);
    expect((await limiter.states(asked(limits, last + 1))).map(({ used }) => used)).toEqual([1, 1, 5]);
  });

  it('gives nothing away when its clock goes back or stands still', async () => {
    const limits = [limit('minute', 3), limit('minute', 30, 'cost')];
    const limiter = await opened();
    const times = [NOON, NOON - DAY, NOON - DAY + 1, NOON - DAY, NOON - 2 * DAY, NOON - 2 * DAY];
    const kinds = [];
    for (const now of times) kinds.push((await limiter.take(asked(limits, now, { cost: 10 }))).kind);
    expect(kinds).toEqual(['taken', 'taken', 'taken', 'refused', 'refused', 'refused']);
  });

  it.each([1_000, HOUR, DAY, 40 * DAY])(
    'goes on when its clock was ahead by %i ms for one call',
    async (ahead) => {
      const limits = [limit('minute', 2), limit('hour', 4), limit('minute', 20, 'cost')];
      const limiter = await opened();
      const call = async (): Promise<Take> => limiter.take(asked(limits, time.clock, { cost: 10 }));
      taken(await call());
      time.set(ahead);
      await call();
      time.set(-ahead);
      for (let i = 0; i < 5; i++) await call();
      // The windows go on sliding: a minute later there is room.
      time.pass(MINUTE);
      taken(await call());
    },
  );

  it('freezes nothing and overshoots by one window at most when clocks are set, also over restarts', async () => {
    const jumps = fc.constantFrom(1_000, 20_000, MINUTE, HOUR, 3 * HOUR, DAY);
    const event = fc.oneof(
      { weight: 12, arbitrary: fc.record({ pass: fc.nat(25_000), cost: fc.nat(12) }) },
      { weight: 2, arbitrary: fc.record({ pass: fc.nat(HOUR), cost: fc.nat(12) }) },
      {
        weight: 2,
        arbitrary: fc.record({
          set: fc.oneof(
            jumps,
            jumps.map((ms) => -ms),
          ),
        }),
      },
      { weight: 1, arbitrary: fc.constant({ restart: true }) },
    );
    await fc.assert(
      fc.asyncProperty(plans, fc.array(event, { minLength: 10, maxLength: 60 }), async (limits, events) => {
        const recorded: Spend[] = [];
        const sorted = (): Spend[] => [...recorded].sort((a, b) => a.at - b.at);
        let opened = { clock: time.clock, elapsed: time.elapsed };
        // One process reads the journal at its start, and takes the times in it by the clock of then.
        const load: LoadSpent = async ({ now }) => {
          const asOf = exact ? opened.clock + time.elapsed - opened.elapsed : now;
          return { ...spentBy(sorted(), now), asOf };
        };
        const passed: {
          readonly elapsed: number;
          readonly amounts: MeterAmounts;
          readonly periods: readonly string[];
        }[] = [];
        /** When something may have made calls look older than they are, as time passes. */
        const slips: number[] = [];
        let limiter = await open(load);
        let wasSet = false;
        const call = async (cost: number): Promise<Take> => {
          const asks = asked(limits, time.clock, { amounts: amountsBy(cost) });
          const take = await limiter.take(asks);
          if (take.kind === 'taken') {
            take.settle({}, POSITION);
            recorded.push(recordOf(asks, take));
            passed.push({ elapsed: time.elapsed, amounts: asks.amounts, periods: take.periods });
          }
          return take;
        };
        for (const step of events) {
          if ('restart' in step) {
            limiter = await open(load);
            opened = { clock: time.clock, elapsed: time.elapsed };
            // Without a step of the clock the times of the calls are right.
            if (wasSet) slips.push(time.elapsed);
          } else if ('set' in step) {
            time.set(step.set);
            wasSet = true;
            if (!exact && step.set > 0) slips.push(time.elapsed);
          } else {
            time.pass(step.pass);
            const take = await call(step.cost);
            if (take.kind !== 'refused') continue;
            // What it says is true: by then there is room, and for what slides within one window.
            const { window } = take.limit.limit;
            if (!isFixed(window)) expect(take.retryAfterMs).toBeLessThanOrEqual(SLIDING_MS[window]);
            time.pass(take.retryAfterMs);
            const again = await call(step.cost);
            // A month that the clock was in before it was set back may be used up.
            if (!isFixed(window))
              expect(again.kind === 'taken' || isFixed(again.limit.limit.window)).toBe(true);
          }
        }
        for (const of of limits) {
          const { meter, window, amount } = of;
          const slides = kindOf(of, aggregationOf) === 'window';
          const spent = passed.map((one) => ({ ...one, points: one.amounts[meter] ?? 0 }));
          for (const [i, first] of spent.entries()) {
            if (isFixed(window)) {
              const [name] = first.periods.filter((period) => period.startsWith(window));
              const used = spent.filter(({ periods }) => periods.includes(name as string));
              expect(used.reduce((sum, { points }) => sum + points, 0)).toBeLessThanOrEqual(amount);
              continue;
            }
            const windowMs = SLIDING_MS[window];
            let points = 0;
            for (const { elapsed, points: more } of spent.slice(i)) {
              const ms = elapsed - first.elapsed;
              if (slides && ms >= windowMs) break;
              points += more;
              const extra = slips.filter((at) => at >= first.elapsed && at <= elapsed).length * amount;
              const most = slides ? amount : amount + Math.floor((amount * ms) / windowMs);
              expect(points).toBeLessThanOrEqual(most + extra);
            }
          }
        }
      }),
      { numRuns },
    );
  });

  it('tells after a settlement where the limits stand', async () => {
    const limits = [limit('minute', 5), limit('minute', 100, 'cost'), limit('month', 500, 'cost')];
    const limiter = await opened();
    const take = taken(await limiter.take(asked(limits, NOON, { cost: 60 })));
    expect(take.states.map(({ used }) => used)).toEqual([1, 60, 60]);
    const settled = take.settle({ cost: 10 }, POSITION);
    expect(settled.map(({ used, remaining }) => [used, remaining])).toEqual([
      [1, 4],
      [10, 90],
      [10, 490],
    ]);
    expect(settled[1]?.resetAt).toBe(NOON + 6_000);
    const states = await limiter.states(asked(limits, NOON));
    expect(states).toEqual(settled);
    // More than was taken is not taken afterwards.
    const second = taken(await limiter.take(asked(limits, NOON, { cost: 10 })));
    expect(second.settle({ cost: 99 }, POSITION).map(({ used }) => used)).toEqual([2, 20, 20]);
  });

  it('holds a limit on a meter of the product as on any other, and charges nothing else for it', async () => {
    const limits = [limit('day', 30, 'seconds'), limit('minute', 2, 'jobs'), limit('minute', 5)];
    const limiter = await opened();
    const of = (amounts: MeterAmounts): Promise<Take> | Take =>
      limiter.take(asked(limits, NOON, { amounts }));
    taken(await of({ seconds: 20, jobs: 1 }));
    expect(await of({ seconds: 11 })).toMatchObject({
      kind: 'refused',
      limit: { limit: limits[0], used: 20 },
    });
    taken(await of({ jobs: 1 }));
    expect(await of({ jobs: 1 })).toMatchObject({ kind: 'refused', limit: { limit: limits[1], used: 2 } });
    expect(await of({ seconds: 31 })).toMatchObject({ kind: 'never' });
    taken(await of({ requests: 1, minutes: 99 }));
    expect((await limiter.states(asked(limits, NOON))).map(({ used }) => used)).toEqual([20, 2, 1]);
  });

  it('lets pass what is above a soft limit, and counts it', async () => {
    const soft = { ...limit('month', 5, 'seconds'), mode: 'soft' } as const;
    const limits = [soft, limit('day', 3)];
    const limiter = await opened();
    const of = (seconds: number): Promise<Take> | Take =>
      limiter.take(asked(limits, NOON, { amounts: { requests: 1, seconds } }));
    expect(isOver(taken(await of(5)).states, { seconds: 5 })).toBe(false);
    // More than the limit has when it is untouched passes, too.
    const { states } = taken(await of(6));
    expect(states[0]).toMatchObject({ used: 11, remaining: 0 });
    expect(isOver(states, { seconds: 6 })).toBe(true);
    expect(isOver(states, { seconds: 0 })).toBe(false);
    // Beside it a hard limit holds, and then nothing is taken.
    taken(await of(0));
    expect(await of(1)).toMatchObject({ kind: 'refused', limit: { limit: limits[1] } });
    expect((await limiter.states(asked(limits, NOON))).map(({ used }) => used)).toEqual([11, 3]);
  });

  it('counts of a use no more than a limit can hold, and not less after the plan has changed', async () => {
    const calls = [
      { id: 'small', at: NOON - 30_000, amounts: { jobs: 1 } },
      { id: 'large', at: NOON - 10_000, amounts: { jobs: 1e12 } },
    ];
    const limiter = await open(async ({ now }) => ({ ...spentBy(calls, now), most: 20 }));
    const call = (amount: number): Promise<Take> | Take =>
      limiter.take(asked([limit('minute', amount, 'jobs')], NOON, { amounts: { jobs: 1 } }));
    expect(await call(5)).toMatchObject({ retryAfterMs: 50_000, limit: { used: 20, remaining: 0 } });
    expect(await call(20)).toMatchObject({ retryAfterMs: 50_000, limit: { used: 20, remaining: 0 } });
  });

  it('is exact up to 2^53 - 1', async () => {
    const most = Number.MAX_SAFE_INTEGER;
    const limits = [limit('day', most, 'seconds')];
    const spent = { id: 'use', at: NOON, amounts: { seconds: most - 11 } };
    const limiter = await open(async ({ now }) => spentBy([spent], now));
    const of = (seconds: number): Promise<Take> | Take =>
      limiter.take(asked(limits, NOON, { amounts: { seconds } }));
    taken(await of(10));
    expect(await of(2)).toMatchObject({ kind: 'refused', limit: { used: most - 1, remaining: 1 } });
    expect(taken(await of(1)).states[0]).toMatchObject({ used: most, remaining: 0 });
  });

  it('stays full beyond that, where a larger plan has spent more than this one has', async () => {
    const periods = new Amounts([['seconds', periodOf('day', NOON), 9_223_372_036_854_775_807]]);
    const limiter = await open(() => Promise.resolve({ ...NOTHING, periods }));
    const call = asked([limit('day', Number.MAX_SAFE_INTEGER, 'seconds')], NOON, { amounts: { seconds: 1 } });
    const refused = await limiter.take(call);
    expect(refused).toMatchObject({ kind: 'refused', limit: { remaining: 0 } });
    expect(refused.states[0]?.used).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
  });

  it('counts to the last digit what is above 2^53, and gives it back so', async () => {
    const day = periodOf('day', NOON);
    // Of 19 digits; and one that the next two cross 2^53 from.
    for (const spent of [9_007_199_254_740_991_234n, 2n ** 53n - 2n]) {
      const periods = new Amounts([['seconds', day, spent]]);
      const limits: Limit[] = [{ ...limit('day', Number.MAX_SAFE_INTEGER, 'seconds'), mode: 'soft' }];
      const limiter = await open(() => Promise.resolve({ ...NOTHING, periods, upTo: 10 }));
      const used = async (): Promise<unknown> => {
        const [state] = await limiter.states(asked(limits, NOON));
        return state?.usedExactly ?? BigInt(state?.used ?? 0);
      };
      const call = (seconds: number): Promise<Take> | Take =>
        limiter.take(asked(limits, NOON, { amounts: { seconds } }));
      expect(await used()).toBe(spent);
      const first = taken(await call(3));
      expect(first.states[0]).toMatchObject({ usedExactly: spent + 3n, remaining: 0 });
      expect(first.settle({ seconds: 2 }, 11)[0]).toMatchObject({ usedExactly: spent + 2n });
      expect(await used()).toBe(spent + 2n);
      const counts = { day: NOON, month: NOON, 'billing-period': NOON, lifetime: NOON };
      const { accountId, environment } = asked(limits, NOON);
      const noted = { accountId, environment, limits, now: NOON, at: NOON, counts, record: '' };
      await limiter.note([{ ...noted, amounts: { seconds: 1e12 + 1 }, position: 12 }]);
      expect(await used()).toBe(spent + 2n + 10n ** 12n + 1n);
      await limiter.note([{ ...noted, amounts: { seconds: -1e12 }, position: 13 }]);
      expect(await used()).toBe(spent + 3n);
      // A limit that is hard by then refuses.
      const hard = limits.map((one): Limit => ({ ...one, mode: 'hard' }));
      const refused = await limiter.take(asked(hard, NOON, { amounts: { seconds: 1 } }));
      expect(refused).toMatchObject({ kind: 'refused', limit: { remaining: 0 } });
    }
  });

  it('counts months from an anchor on, each under a name of its own', async () => {
    const anchors = { month: Date.UTC(2026, 0, 31, 12) };
    const limits = [limit('month', 1)];
    const limiter = await opened();
    const end = Date.UTC(2026, 1, 28, 12);
    const call = (now: number): Promise<Take> | Take => limiter.take(asked(limits, now, { anchors }));
    const first = taken(await call(end - 1));
    expect(first.periods).toEqual(['day:2026-02-28', 'month:2026-02', `month:${anchors.month}:0`]);
    expect(await call(end - 1)).toMatchObject({ kind: 'refused', retryAfterMs: 1 });
    const second = taken(await call(end));
    expect(second.periods).toContain(`month:${anchors.month}:1`);
    expect(second.states[0]).toMatchObject({ used: 1, resetAt: Date.UTC(2026, 2, 31, 12) });
    // Another anchor is another counter, and the first one's is still there when it comes back.
    taken(await limiter.take(asked(limits, end, { anchors: { month: end } })));
    expect((await call(end)).kind).toBe('refused');
  });

  it('begins another counter where a quota is reset, and leaves the first as it is', async () => {
    const limits = [limit('month', 2), limit('day', 5)];
    const limiter = await opened();
    const month = periodOf('month', NOON);
    const call = (generation: number): Promise<Take> | Take =>
      limiter.take(
        asked(
          limits,
          NOON,
          generation > 0 ? { anchors: { resets: { month: { period: month, generation } } } } : {},
        ),
      );
    expect(taken(await call(0)).periods).toEqual(['day:2026-11-22', 'month:2026-11']);
    taken(await call(0));
    expect((await call(0)).kind).toBe('refused');
    const again = taken(await call(1));
    expect(again.periods).toEqual(['day:2026-11-22', 'month:2026-11', 'month:2026-11~month.1']);
    expect(again.states.map(({ used, resetAt }) => [used, resetAt])).toEqual([
      [1, Date.UTC(2026, 11, 1)],
      [3, Date.UTC(2026, 10, 23)],
    ]);
    taken(await call(1));
    expect((await call(1)).kind).toBe('refused');
    expect(taken(await call(2)).states[0]?.used).toBe(1);
    // Whoever does not know of a reset yet goes by what was used before it.
    expect((await call(0)).kind).toBe('refused');
  });

  it('ends a limit on the whole life for good, and counts billing periods by the account’s anchor', async () => {
    const anchors = { billing: Date.UTC(2026, 10, 22) };
    const limits = [limit('lifetime', 3), limit('billing-period', 2)];
    const recorded: Spend[] = [];
    const limiter = await open(async ({ now }) => spentBy([...recorded], now));
    const call = async (now: number): Promise<Take> => {
      const asks = asked(limits, now, { anchors });
      const take = await limiter.take(asks);
      if (take.kind === 'taken') recorded.push(recordOf(asks, take));
      return take;
    };
    taken(await call(NOON));
    taken(await call(NOON));
    const next = Date.UTC(2026, 11, 22);
    expect(await call(NOON)).toMatchObject({ kind: 'refused', retryAfterMs: next - NOON });
    const { states } = taken(await call(next));
    expect(states.map(({ used, resetAt }) => [used, resetAt])).toEqual([
      [3, Infinity],
      [1, Date.UTC(2027, 0, 22)],
    ]);
    const refused = await call(next + 40 * DAY);
    expect(refused).toMatchObject({ kind: 'refused', retryAfterMs: Infinity, limit: { used: 3 } });
  });

  it('goes on with a plan that comes back, counting what passed meanwhile', async () => {
    const recorded: Spend[] = [];
    const limiter = await open(async ({ now }) => spentBy([...recorded], now));
    const [with_, without] = [[limit('hour', 3), limit('month', 3)], [limit('minute', 100)]];
    for (const limits of [with_, without, without]) {
      const call = asked(limits, NOON);
      recorded.push(recordOf(call, taken(await limiter.take(call))));
    }
    expect(await limiter.take(asked(with_, NOON))).toMatchObject({ kind: 'refused', limit: { used: 3 } });
  });

  describe('what the journal has beside what was let through', () => {
    const limits = [limit('minute', 5), limit('day', 6), limit('month', 9), limit('lifetime', 20)];
    const fact = (position: number, requests: number, over: Partial<Noted> = {}): Noted => {
      const { accountId, environment, now } = asked(limits, over.now ?? NOON);
      const counts = { day: now, month: now, 'billing-period': now, lifetime: now };
      const amounts = { requests };
      return { accountId, environment, limits, now, amounts, at: now, counts, record: '', position, ...over };
    };
    const used = async (limiter: Limiter, now = NOON): Promise<number[]> =>
      (await limiter.states(asked(limits, now))).map((state) => state.used);

    it('counts, also above the limits, and comes back where it was taken too much', async () => {
      const limiter = await opened({ ...NOTHING, upTo: 10 });
      taken(await limiter.take(asked(limits, NOON)));
      await limiter.note([fact(11, 2)]);
      expect(await used(limiter)).toEqual([3, 3, 3, 3]);
      // What was loaded has it.
      await limiter.note([fact(10, 2)]);
      expect(await used(limiter)).toEqual([3, 3, 3, 3]);
      await limiter.note([fact(12, 7)]);
      expect(await used(limiter)).toEqual([8, 10, 10, 10]);
      expect((await limiter.take(asked(limits, NOON))).kind).toBe('refused');
      // A window that slides keeps it until it has passed.
      await limiter.note([fact(13, -6)]);
      expect(await used(limiter)).toEqual([8, 4, 4, 4]);
      expect((await limiter.take(asked(limits, NOON + MINUTE))).kind).toBe('taken');
    });

    it('counts in the period of its time, and in no window that has passed', async () => {
      const limiter = await opened({ ...NOTHING, upTo: 10 });
      taken(await limiter.take(asked(limits, NOON)));
      const at = NOON - DAY;
      const counts = { day: at, month: NOON, 'billing-period': NOON, lifetime: NOON };
      await limiter.note([fact(11, 2, { at, counts })]);
      expect(await used(limiter)).toEqual([1, 1, 3, 3]);
    });

    it('is loaded by whoever comes first, and is not lost to a load that is under way', async () => {
      const [read, gate] = [deferred(), deferred()];
      let [loads, stored] = [0, 0];
      const limiter = await open(async ({ now, fresh }) => {
        const upTo = stored;
        loads++;
        if (loads === 1) expect(fresh).toBe(true);
        if (loads === 1) {
          read.resolve();
          await gate.promise;
        }
        const periods = new Amounts(upTo < 11 ? [] : [['requests', 'month:2026-11', 4]]);
        return { ...NOTHING, periods, asOf: now, upTo };
      });
      await limiter.note([fact(5, 1)]);
      const first = limiter.states(asked(limits, NOON));
      await read.promise;
      stored = 11;
      await limiter.note([fact(11, 4)]);
      gate.resolve();
      await first;
      expect((await used(limiter))[2]).toBe(4);
    });
  });

  it('loads anew what is dropped, and has each open take once', async () => {
    let spent: Spent = NOTHING;
    let loads = 0;
    const limiter = await open(async ({ subject: { keyId } }) => {
      loads++;
      return keyId === undefined ? spent : NOTHING;
    });
    const limits = [limit('hour', 50), limit('month', 100), limit('month', 1_000, 'cost')];
    const key = { id: 'k1', limits: [limit('day', 100)] };
    const used = async (): Promise<number[]> =>
      (await limiter.states(asked(limits, NOON, { key }))).map((state) => state.used);
    const calls = ['stored before', 'stored after', 'never stored', 'of another key'].map((useId) =>
      asked(limits, NOON, { useId, cost: 10, key: useId === 'of another key' ? undefined : key }),
    );
    const takes: Taken[] = [];
    for (const call of calls) takes.push(taken(await limiter.take(call)));
    expect(await used()).toEqual([4, 4, 40, 3]);
    const subject = { accountId: 'a', environment: 'live', keyId: undefined } as const;

    // Twice as much was counted as the ledger has.
    const [first, second, third, fourth] = takes as [Taken, Taken, Taken, Taken];
    const record = { id: 'stored before', at: NOON, amounts: { cost: 4, requests: 1 } };
    spent = { ...spentBy([record, spend(NOON, 7)], NOON), upTo: 9 };
    await limiter.forget(subject);
    await used();
    expect(loads).toBe(3);
    // What is loaded has what it came to: of its take nothing stays, and nothing comes back of its record.
    first.settle({ cost: 4 }, 9);
    expect(await used()).toEqual([5, 5, 41, 3]);
    second.settle({ cost: 8 }, 10);
    third.undo();
    fourth.settle({}, 11);
    expect(await used()).toEqual([4, 4, 29, 2]);
    expect(loads).toBe(3);
  });

  it('holds each end customer to limits of their own, beside those of the account and the key', async () => {
    const limiter = await opened();
    const limits = [limit('day', 5)];
    const key = { id: 'k1', limits: [limit('month', 4)] };
    const own: Limit[] = [{ ...limit('month', 2), source: 'subject' }];
    const call = (customer?: string): Promise<Take> | Take =>
      limiter.take(
        asked(limits, NOON, {
          key,
          customer: customer === undefined ? undefined : { id: customer, limits: own },
        }),
      );
    expect(taken(await call('ada')).states.map(({ used }) => used)).toEqual([1, 1, 1]);
    taken(await call('ada'));
    expect(await call('ada')).toMatchObject({ kind: 'refused', limit: { limit: own[0], remaining: 0 } });
    // Nothing was taken of the others.
    expect(taken(await call('bob')).states.map(({ used }) => used)).toEqual([3, 3, 1]);
    const last = taken(await call());
    expect(last.states.map(({ used }) => used)).toEqual([4, 4]);
    expect(await call('bob')).toMatchObject({ kind: 'refused', limit: { limit: key.limits[0] } });
    last.undo();
    taken(await call('bob'));
    // Test uses, and another account's customer of the same id, have counters of their own.
    for (const over of [{ environment: 'test' }, { accountId: 'b' }] as const) {
      const customer = { id: 'ada', limits: own };
      const states = await limiter.states(asked(limits, NOON, { ...over, customer }));
      expect(states.map(({ used }) => used)).toEqual([0, 0]);
    }
  });

  it('keeps counters of so many end customers of an account, and loads anew whom it has dropped', async () => {
    const recorded = new Map<string, Spend[]>();
    const loads: unknown[] = [];
    const limiter = await open(async ({ subject: { customerId }, now, fresh }) => {
      loads.push([customerId ?? 'account', fresh]);
      return spentBy(customerId === undefined ? [] : [...(recorded.get(customerId) ?? [])], now);
    }, 2);
    const own = [limit('day', 2)];
    const call = async (id: string): Promise<Take> => {
      const asks = asked([limit('day', 100)], time.clock + 1, { customer: { id, limits: own } });
      const take = await limiter.take(asks);
      if (take.kind === 'taken') {
        take.settle({}, 0);
        recorded.set(id, [...(recorded.get(id) ?? []), recordOf(asks, take)]);
      }
      return take;
    };
    time.to(NOON);
    for (const id of ['a', 'b', 'c', 'a', 'b', 'c']) taken(await call(id));
    for (const id of ['a', 'b', 'c'])
      expect(await call(id)).toMatchObject({ kind: 'refused', limit: { used: 2 } });
    // Of the third on each was dropped before it came again, and may have been used a moment ago.
    const again = loads.slice(4);
    expect(again.length).toBeGreaterThanOrEqual(5);
    expect(again.every((load) => (load as unknown[])[1] === true)).toBe(true);
    expect(loads.filter((load) => (load as unknown[])[0] === 'account')).toHaveLength(1);
    expect(taken(await limiter.take(asked([limit('day', 100)], time.clock))).states[0]?.used).toBe(7);
  });

  it('is asked for again after a load that failed', async () => {
    let loads = 0;
    const limiter = await open(async () => {
      if (++loads === 1) throw new Error('no answer');
      return NOTHING;
    });
    const call = asked([limit('minute', 1)], NOON);
    await expect(async () => limiter.take(call)).rejects.toThrow('no answer');
    expect((await limiter.take(call)).kind).toBe('taken');
    expect(loads).toBe(2);
  });
}
