import type { KnownKey } from '../../projections/keys/queries.js';
import type { StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import { keyedHash } from '../secrets/secrets.js';
import type { KeyEvent } from './events.js';
import { parseKey } from './format.js';

export type KeyRefusal = 'KEY_MALFORMED' | 'KEY_UNKNOWN' | 'KEY_REVOKED' | 'KEY_EXPIRED';
export type KeyCheck =
  { readonly kind: 'key'; readonly key: KnownKey } | { readonly kind: 'refused'; readonly code: KeyRefusal };

/** The keyed hash that stands for a key everywhere. */
export function hashKey(pepper: Buffer, key: string): string {
  return keyedHash(pepper, 'key', key);
}

/**
 * All keys, in memory: a projection (decision 17), loaded at the start and following the key events.
 * The node that revokes applies the event before it answers, so the order of arrival can differ from
 * the order of positions; the stream's revision decides what is newer.
 */
export class KeyCache {
  readonly #byHash = new Map<string, KnownKey>();
  readonly #byId = new Map<string, KnownKey>();
  /** Revisions of revocations that came before their keys. */
  readonly #early = new Map<string, number>();

  constructor(
    private readonly pepper: Buffer,
    private readonly prefixes: readonly string[],
  ) {}

  get size(): number {
    return this.#byId.size;
  }

  load(keys: Iterable<KnownKey>): void {
    for (const key of keys) this.#put(key);
  }

  apply(stored: StoredEvent): void {
    if (stored.type !== 'KeyIssued' && stored.type !== 'KeyRevoked') return;
    const event = as<KeyEvent>(stored);
    if (event.type === 'KeyIssued') {
      const { accountId, environment, scopes, hash, expiresAt } = event.data;
      this.#put({
        id: stored.streamId,
        accountId,
        environment,
        scopes,
        hash,
        revoked: false,
        expiresAt: expiresAt === null ? null : Date.parse(expiresAt),
        revision: stored.revision,
      });
    } else {
      const known = this.#byId.get(stored.streamId);
      if (known) this.#put({ ...known, revoked: true, revision: stored.revision });
      else this.#early.set(stored.streamId, stored.revision);
    }
  }

  /** Looks a key up by its hash: what is compared is the HMAC's output, which tells a prober nothing. */
  check(text: string, now: number): KeyCheck {
    if (parseKey(text, this.prefixes) === undefined) return { kind: 'refused', code: 'KEY_MALFORMED' };
    const key = this.#byHash.get(hashKey(this.pepper, text));
    if (!key) return { kind: 'refused', code: 'KEY_UNKNOWN' };
    if (key.revoked) return { kind: 'refused', code: 'KEY_REVOKED' };
    if (key.expiresAt !== null && key.expiresAt <= now) return { kind: 'refused', code: 'KEY_EXPIRED' };
    return { kind: 'key', key };
  }

  /** Keeps what is newer: a row may have been read before an event that is applied already. */
  #put(row: KnownKey): void {
    const early = this.#early.get(row.id);
    this.#early.delete(row.id);
    const key =
      early !== undefined && early > row.revision ? { ...row, revoked: true, revision: early } : row;
    if ((this.#byId.get(key.id)?.revision ?? -1) >= key.revision) return;
    this.#byHash.set(key.hash, key);
    this.#byId.set(key.id, key);
  }
}
