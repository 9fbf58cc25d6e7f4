import { jest } from '@jest/globals';
import type { GraphQLResolveInfo } from 'graphql';
import { getGraphQLRateLimiter, InMemoryStore, Store } from 'graphql-rate-limit';
import { BoundedMap } from '../../src/boundedMap.js';
import { AddressGuard } from '../../src/gate/addressGuard.js';

const CALLS = 50;
const times = <T>(call: () => T): T[] => Array.from({ length: CALLS }, call);
const count = (waits: readonly number[]): number => waits.filter((wait) => wait === 0).length;

describe('the guard of what has no account', () => {
  it('lets exactly its amount of parallel calls of one address through', async () => {
    const guard = new AddressGuard(7);
    expect(count(await Promise.all(times(() => guard.take('192.0.2.1', 'registerUser'))))).toBe(7);
  });

  it('counts addresses apart, also when their calls are mixed', async () => {
    const guard = new AddressGuard(7);
    const [one, other] = await Promise.all([
      Promise.all(times(() => guard.take('192.0.2.1', 'registerUser'))),
      Promise.all(times(() => guard.take('192.0.2.2', 'registerUser'))),
    ]);
    expect([count(one), count(other)]).toEqual([7, 7]);
    expect(await guard.take('192.0.2.3', 'registerUser')).toBe(0);
  });

  it('gives a field its own amount', async () => {
    const guard = new AddressGuard(1, new Map([['refreshSession', 3]]));
    const waits = await Promise.all(times(() => guard.take('192.0.2.1', 'refreshSession')));
    expect([count(waits), await guard.take('192.0.2.1', 'signIn')]).toEqual([3, 0]);
    expect(await guard.take('192.0.2.1', 'signIn')).toBeGreaterThan(0);
  });

  it('counts fields apart', async () => {
    const guard = new AddressGuard(1);
    expect(await guard.take('192.0.2.1', 'registerUser')).toBe(0);
    expect(await guard.take('192.0.2.1', 'signIn')).toBe(0);
    expect(await guard.take('192.0.2.1', 'signIn')).toBeGreaterThan(0);
  });

  it('says how long to wait, to the millisecond, also to whoever does not wait', async () => {
    jest.useFakeTimers({ now: 1_000_000, doNotFake: ['nextTick', 'setImmediate'] });
    try {
      const guard = new AddressGuard(2);
      const call = () => guard.take('192.0.2.1', 'signIn');
      expect(await call()).toBe(0);
      jest.setSystemTime(1_020_000);
      expect(await call()).toBe(0);
      for (const [at, wait] of [
        [1_020_000, 40_000],
        [1_059_999, 1],
        [1_060_000, 0],
        [1_060_000, 20_000],
      ] as const) {
        jest.setSystemTime(at);
        expect(await call()).toBe(wait);
      }
    } finally {
      jest.useRealTimers();
    }
  });

  it('keeps nothing of refused calls, which would make each refusal dearer than the one before', async () => {
    const kept: number[] = [];
    const set = jest.spyOn(BoundedMap.prototype, 'set');
    try {
      const guard = new AddressGuard(7);
      for (let i = 0; i < CALLS; i++) await guard.take('192.0.2.1', 'registerUser');
      for (const [, timestamps] of set.mock.calls) kept.push((timestamps as number[]).length);
    } finally {
      set.mockRestore();
    }
    expect(Math.max(...kept)).toBe(7);
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

/** Why the guard has a queue: should the package ever hold by itself, this fails and the queue can go. */
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
});
