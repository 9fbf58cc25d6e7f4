import type { GraphQLResolveInfo } from 'graphql';
import { getGraphQLRateLimiter, InMemoryStore, Store } from 'graphql-rate-limit';
import { AddressGuard } from '../../src/gate/addressGuard.js';
import { SlidingWindow } from '../../src/usage/limits/slidingWindow.js';

const CALLS = 50;
const times = <T>(call: () => T): T[] => Array.from({ length: CALLS }, call);
const count = (waits: readonly number[]): number => waits.filter((wait) => wait === 0).length;

describe('the guard of what has no account', () => {
  it('lets exactly its amount of parallel calls of one address through', () => {
    const guard = new AddressGuard(7);
    expect(count(times(() => guard.take('192.0.2.1', 'registerUser')))).toBe(7);
  });

  it('counts addresses apart, also when their calls are mixed', () => {
    const guard = new AddressGuard(7);
    const waits = times(() =>
      ['192.0.2.1', '192.0.2.2'].map((address) => guard.take(address, 'registerUser')),
    );
    expect([0, 1].map((place) => count(waits.map((both) => both[place] as number)))).toEqual([7, 7]);
    expect(guard.take('192.0.2.3', 'registerUser')).toBe(0);
  });

  it('gives a field its own amount', () => {
    const guard = new AddressGuard(1, new Map([['refreshSession', 3]]));
    const waits = times(() => guard.take('192.0.2.1', 'refreshSession'));
    expect([count(waits), guard.take('192.0.2.1', 'signIn')]).toEqual([3, 0]);
    expect(guard.take('192.0.2.1', 'signIn')).toBeGreaterThan(0);
  });

  it('counts fields apart', () => {
    const guard = new AddressGuard(1);
    expect(guard.take('192.0.2.1', 'registerUser')).toBe(0);
    expect(guard.take('192.0.2.1', 'signIn')).toBe(0);
    expect(guard.take('192.0.2.1', 'signIn')).toBeGreaterThan(0);
  });

  it('says how long to wait, to the millisecond, also to whoever does not wait', () => {
    let now = 1_000_000;
    const guard = new AddressGuard(2, undefined, () => now);
    const call = () => guard.take('192.0.2.1', 'signIn');
    expect(call()).toBe(0);
    now = 1_020_000;
    expect(call()).toBe(0);
    for (const [at, wait] of [
      [1_020_000, 40_000],
      [1_059_999, 1],
      [1_060_000, 0],
      [1_060_000, 20_000],
    ] as const) {
      now = at;
      expect(call()).toBe(wait);
    }
  });

  it('keeps nothing of refused calls, which would make each refusal dearer than the one before', () => {
    const added = jest.spyOn(SlidingWindow.prototype, 'add');
    try {
      const guard = new AddressGuard(7);
      for (let i = 0; i < CALLS; i++) guard.take('192.0.2.1', 'registerUser');
      expect(added).toHaveBeenCalledTimes(7);
    } finally {
      added.mockRestore();
    }
  });
});

/** A store that answers a turn later, as one over a network does. */
class LaterStore extends Store {
  readonly #memory = new InMemoryStore();

  async setForIdentity(...args: Parameters<InMemoryStore['setForIdentity']>): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#memory.setForIdentity(...args);
  }

  async getForIdentity(...args: Parameters<InMemoryStore['getForIdentity']>): Promise<number[]> {
    await new Promise((resolve) => setImmediate(resolve));
    return [...this.#memory.getForIdentity(...args)];
  }
}

/** Why the guard is not this package: should it ever hold by itself, this fails. */
describe('the bare limiter of the package', () => {
  it.each([
    ['an asynchronous store', new LaterStore()],
    ['its own store in memory', new InMemoryStore()],
  ])('lets all parallel calls through with %s', async (_name, store) => {
    const limiter = getGraphQLRateLimiter({
      identifyContext: ({ address }: { address: string }) => address,
      store,
    });
    const refusals = await Promise.all(
      times(() =>
        limiter(
          {
            parent: {},
            args: {},
            context: { address: '192.0.2.1' },
            info: { fieldName: 'registerUser' } as GraphQLResolveInfo,
          },
          { max: 7, window: '1m' },
        ),
      ),
    );
    expect(refusals.filter((refusal) => refusal === undefined).length).toBe(CALLS);
  });

  it('refuses for as long as the clock was ahead', async () => {
    jest.useFakeTimers({ now: 3_600_000, doNotFake: ['nextTick', 'setImmediate'] });
    try {
      const limiter = getGraphQLRateLimiter({
        identifyContext: ({ address }: { address: string }) => address,
      });
      const call = () =>
        limiter(
          {
            parent: {},
            args: {},
            context: { address: '192.0.2.1' },
            info: { fieldName: 'signIn' } as GraphQLResolveInfo,
          },
          { max: 1, window: '1m', uncountRejected: true },
        );
      jest.setSystemTime(2 * 3_600_000);
      expect(await call()).toBeUndefined();
      jest.setSystemTime(3_600_000 + 10 * 60_000);
      expect(await call()).toBeDefined();
    } finally {
      jest.useRealTimers();
    }
  });
});
