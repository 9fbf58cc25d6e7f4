import type { FreshnessOptions } from '../../src/following/freshness.js';
import { Freshness, STALE_MS } from '../../src/following/freshness.js';
import { deferred } from '../eventsourcing/fixtures.js';

let now = 0;
beforeEach(() => {
  now = 1_000_000;
});

const freshnessOf = (over: Partial<FreshnessOptions> = {}): Freshness =>
  new Freshness({ head: async () => 7, reached: async () => true, clock: () => now, ...over });

it('is stale before the first proof, and says so without a number', () => {
  const freshness = freshnessOf();
  expect([freshness.stale, freshness.ageMs]).toEqual([true, Infinity]);
});

it('is fresh for 750 ms after a proof, and not a millisecond longer', async () => {
  const freshness = freshnessOf();
  expect(await freshness.prove()).toBe(true);
  now += STALE_MS;
  expect([freshness.stale, freshness.ageMs]).toEqual([false, 750]);
  now += 1;
  expect([freshness.stale, freshness.ageMs]).toEqual([true, 751]);
});

/** What is stored while the head is on its way may be missing in it. */
it('counts from before the head was asked for, however long the rest of the proof takes', async () => {
  const freshness = freshnessOf({
    head: async () => {
      now += 100;
      return 7;
    },
    reached: async () => {
      now += 200;
      return true;
    },
  });
  await freshness.prove();
  expect(freshness.ageMs).toBe(300);
});

it('waits until what is in memory has come to that very head', async () => {
  const asked: number[] = [];
  const arrived = deferred<boolean>();
  const freshness = freshnessOf({
    reached: (position) => {
      asked.push(position);
      return arrived.promise;
    },
  });
  const proof = freshness.prove();
  await Promise.resolve();
  expect(freshness.stale).toBe(true);
  arrived.resolve(true);
  expect(await proof).toBe(true);
  expect([freshness.stale, asked]).toEqual([false, [7]]);
});

it.each<[string, Partial<FreshnessOptions>]>([
  ['memory does not come to the head', { reached: async () => false }],
  ['the store does not answer', { head: () => Promise.reject(new Error('away')) }],
])('goes on ageing while %s, and recovers', async (_name, fault) => {
  const options: { -readonly [name in keyof FreshnessOptions]: FreshnessOptions[name] } = {
    head: async () => 7,
    reached: async () => true,
    clock: () => now,
  };
  const freshness = new Freshness(options);
  await freshness.prove();
  const working = { ...options };
  Object.assign(options, fault);
  now += STALE_MS + 1;
  expect(await freshness.prove()).toBe(false);
  expect([freshness.stale, freshness.ageMs]).toEqual([true, STALE_MS + 1]);
  Object.assign(options, working);
  expect(await freshness.prove()).toBe(true);
  expect(freshness.stale).toBe(false);
});

it('proves itself four times a second, once at a time, until it is stopped', async () => {
  jest.useFakeTimers();
  try {
    let heads = 0;
    const hanging = deferred<number>();
    const freshness = freshnessOf({ head: () => (++heads < 5 ? Promise.resolve(7) : hanging.promise) });
    freshness.start();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(heads).toBe(4);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(heads).toBe(5);
    hanging.resolve(7);
    await freshness.stop();
    await jest.advanceTimersByTimeAsync(10_000);
    expect(heads).toBe(5);
  } finally {
    jest.useRealTimers();
  }
});
