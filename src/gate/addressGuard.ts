import type { GraphQLResolveInfo } from 'graphql';
import { getGraphQLRateLimiter, Store } from 'graphql-rate-limit';
import { BoundedMap } from '../boundedMap.js';

/** Addresses remembered at once; whoever was quiet for longest is forgotten first. */
const MAX_ADDRESSES = 50_000;

const WINDOW_MS = 60_000;

interface Identity {
  readonly contextIdentity: string;
  readonly fieldIdentity: string;
}

class BoundedStore extends Store {
  readonly #timestamps = new BoundedMap<number[]>(MAX_ADDRESSES);

  setForIdentity({ contextIdentity, fieldIdentity }: Identity, timestamps: number[]): void {
    this.#timestamps.set(`${contextIdentity} ${fieldIdentity}`, timestamps);
  }

  getForIdentity({ contextIdentity, fieldIdentity }: Identity): number[] {
    return this.#timestamps.get(`${contextIdentity} ${fieldIdentity}`) ?? [];
  }
}

/**
 * Limits what has no account yet, by address, with graphql-rate-limit. The package reads its store
 * and writes it a few microtasks later, so parallel calls would all pass; here they go through it one
 * after the other, within one process, where it holds exactly (test/graphql/addressGuard.unit.test.ts).
 */
export class AddressGuard {
  readonly #store = new BoundedStore();
  readonly #limiter;
  #queue: Promise<unknown> = Promise.resolve();

  /**
   * @param amount calls a minute of one field for each address
   * @param amounts the same for fields that have an amount of their own
   */
  constructor(
    private readonly amount: number,
    private readonly amounts: ReadonlyMap<string, number> = new Map(),
  ) {
    this.#limiter = getGraphQLRateLimiter({
      identifyContext: ({ address }: { address: string }) => address,
      store: this.#store,
    });
  }

  /** @returns milliseconds to wait; 0 when the call passes */
  take(address: string, field: string): Promise<number> {
    const check = this.#queue.then(async () => {
      const message = await this.#limiter(
        { parent: {}, args: {}, context: { address }, info: { fieldName: field } as GraphQLResolveInfo },
        // Only calls that pass are kept: whoever is refused must not make the next refusal dearer.
        { max: this.amounts.get(field) ?? this.amount, window: '1m', uncountRejected: true },
      );
      if (message === undefined) return 0;
      const [oldest = 0] = this.#store.getForIdentity({ contextIdentity: address, fieldIdentity: field });
      return Math.max(1, oldest + WINDOW_MS - Date.now());
    });
    this.#queue = check.catch(() => undefined);
    return check;
  }
}
