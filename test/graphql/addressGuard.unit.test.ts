import type { GraphQLResolveInfo } from 'graphql';
import { getGraphQLRateLimiter, InMemoryStore, Store } from 'graphql-rate-limit';
import { AddressGuard } from '../../src/graphql/addressGuard.js';

const CALLS = 50;
const times = <T>(call: () => T): T[] => Array.from({ length: CALLS }, call);
const count = (passed: readonly boolean[]): number => passed.filter(Boolean).length;

describe('the guard of what has no account', () => {
  it('lets exactly its amount of parallel calls of one address through', async () => {
    const guard = new AddressGuard(7);
    expect(count(await Promise.all(times(() => guard.passes('192.0.2.1', 'registerUser'))))).toBe(7);
  });

  it('counts addresses apart, also when their calls are mixed', async () => {
    const guard = new AddressGuard(7);
    const [one, other] = await Promise.all([
      Promise.all(times(() => guard.passes('192.0.2.1', 'registerUser'))),
      Promise.all(times(() => guard.passes('192.0.2.2', 'registerUser'))),
    ]);
    expect([count(one), count(other)]).toEqual([7, 7]);
    expect(await guard.passes('192.0.2.3', 'registerUser')).toBe(true);
  });

  it('gives a field its own amount', async () => {
    const guard = new AddressGuard(1, new Map([['refreshSession', 3]]));
    const passed = await Promise.all(times(() => guard.passes('192.0.2.1', 'refreshSession')));
    expect([count(passed), await guard.passes('192.0.2.1', 'signIn')]).toEqual([3, true]);
    expect(await guard.passes('192.0.2.1', 'signIn')).toBe(false);
  });

  it('counts fields apart', async () => {
    const guard = new AddressGuard(1);
    expect(await guard.passes('192.0.2.1', 'registerUser')).toBe(true);
    expect(await guard.passes('192.0.2.1', 'signIn')).toBe(true);
    expect(await guard.passes('192.0.2.1', 'signIn')).toBe(false);
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
