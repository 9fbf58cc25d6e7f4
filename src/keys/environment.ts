import { derivedId } from '../eventsourcing/ids.js';
import type { KnownKey } from './cache.js';
import { hashKey } from './cache.js';

/** A key from the environment and the plan that is named beside it. */
export interface EnvironmentKey {
  readonly key: string;
  readonly plan: string;
}

/** The account of a key from the environment. */
export interface EnvironmentAccount {
  readonly accountId: string;
  readonly plan: string;
}

/**
 * Keys that the environment names (`LEGACY_API_KEYS`, `API_KEYS`), as hashes: live ones that may read, each
 * for an account of its own, whose id follows from the hash. No event is made of a key, so that one which
 * the environment does not name any more is refused by the next start, and one that comes back is the same.
 */
export class EnvironmentKeys {
  readonly #byHash = new Map<string, KnownKey>();
  readonly accounts: readonly EnvironmentAccount[];

  constructor(
    private readonly pepper: Buffer,
    keys: readonly EnvironmentKey[],
  ) {
    this.accounts = keys.map(({ key, plan }) => {
      const hash = hashKey(pepper, key);
      const accountId = derivedId('environment-account', hash);
      this.#byHash.set(hash, {
        id: derivedId('environment-key', hash),
        accountId,
        environment: 'live',
        scopes: ['read'],
        hash,
        rotations: [],
        limits: [],
        revoked: false,
        expiresAt: null,
      });
      return { accountId, plan };
    });
  }

  byId(id: string): KnownKey | undefined {
    for (const key of this.#byHash.values()) if (key.id === id) return key;
    return undefined;
  }

  find(text: string): KnownKey | undefined {
    return this.#byHash.size === 0 ? undefined : this.#byHash.get(hashKey(this.pepper, text));
  }
}
