import type { KnownKeyRow } from '../../projections/keys/queries.js';
import type { Elapsed } from '../clock.js';
import { elapsed } from '../clock.js';
import { compositeKey } from '../eventsourcing/compositeKey.js';
import type { Environment, StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import { keyedHash, keyedHasher } from '../secrets/secrets.js';
import type { Limit } from '../plans/profile.js';
import type { KeyEvent, Scope } from './events.js';
import { limitsOfKey } from './events.js';
import { isWellFormed, MAX_LENGTH } from './format.js';

export type KeyRefusal = 'KEY_MALFORMED' | 'KEY_UNKNOWN' | 'KEY_REVOKED' | 'KEY_EXPIRED' | 'KEY_ROTATED';
export type KeyCheck =
  { readonly kind: 'key'; readonly key: KnownKey } | { readonly kind: 'refused'; readonly code: KeyRefusal };

/** A key's change to another secret, as far as calls need to know. */
export interface KnownRotation {
  /** Of the event, which orders them. */
  readonly revision: number;
  readonly hash: string;
  /** When the secret before stops working, milliseconds since the epoch. */
  readonly graceEndsAt: number;
  /** The same as time passes: the change may be dated by a clock that was ahead. */
  readonly graceEndsBy: number;
}

/** What a call needs to know of a key. */
export interface KnownKey {
  readonly id: string;
  readonly accountId: string;
  readonly environment: Environment;
  readonly scopes: readonly Scope[];
  /** Of the secret that it was issued with. */
  readonly hash: string;
  /** In the order of their revisions. */
  readonly rotations: readonly KnownRotation[];
  /** Beside those of the account's plan. */
  readonly limits: readonly Limit[];
  readonly revoked: boolean;
  /** Milliseconds since the epoch; null never. */
  readonly expiresAt: number | null;
}

const PURPOSE = 'key';

/** The keyed hash that stands for a key everywhere. */
export function hashKey(pepper: Buffer, key: string): string {
  return keyedHash(pepper, PURPOSE, key);
}

/** What is known of a key whose issue has not been seen yet. */
interface Early {
  readonly revoked: boolean;
  readonly rotations: readonly KnownRotation[];
}

/**
 * All keys, in memory: a projection (decision 17), loaded at the start and following the key events.
 * The node that changes a key applies the event before it answers, so events of a key can come in any
 * order, and a row may have been read before one that is applied already. So what is known only grows: a
 * revocation stays, and rotations are put in the order of their revisions.
 */
export class KeyCache {
  /** By the hash of each secret. */
  readonly #byHash = new Map<string, KnownKey>();
  readonly #byId = new Map<string, KnownKey>();
  readonly #early = new Map<string, Early>();
  readonly #scopes = new Map<string, readonly Scope[]>();

  readonly #hashOf: (key: string) => string;

  constructor(
    pepper: Buffer,
    private readonly prefixes: readonly string[],
    private readonly time: Elapsed = elapsed,
  ) {
    this.#hashOf = keyedHasher(pepper, PURPOSE);
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Also one that does not work any more. */
  byId(id: string): KnownKey | undefined {
    return this.#byId.get(id);
  }

  load(rows: Iterable<KnownKeyRow>): void {
    for (const row of rows) {
      const { id, account_id, environment, hash, limits, rotations, expires_at, revoked_at } = row;
      this.#add({
        id,
        accountId: account_id,
        environment,
        scopes: this.#shared(row.scopes),
        hash,
        rotations: rotations.map((rotation) => this.#rotation(rotation)),
        limits: limitsOfKey(limits),
        revoked: revoked_at !== null,
        expiresAt: expires_at?.getTime() ?? null,
      });
    }
  }

  apply(stored: StoredEvent): void {
    if (stored.type !== 'KeyIssued' && stored.type !== 'KeyRotated' && stored.type !== 'KeyRevoked') return;
    const { type, data } = as<KeyEvent>(stored);
    const { streamId: id, revision } = stored;
    if (type === 'KeyIssued') {
      const { accountId, environment, scopes, hash, expiresAt, limits } = data;
      const expires = expiresAt === null ? null : Date.parse(expiresAt);
      const rest = { limits: limitsOfKey(limits), rotations: NONE, revoked: false, expiresAt: expires };
      this.#add({ id, accountId, environment, scopes: this.#shared(scopes), hash, ...rest });
      return;
    }
    const known = this.#byId.get(id);
    const before = known ?? this.#early.get(id) ?? { revoked: false, rotations: NONE };
    const after =
      type === 'KeyRevoked'
        ? { revoked: true, rotations: before.rotations }
        : {
            revoked: before.revoked,
            rotations: merged(before.rotations, [
              this.#rotation({ revision, at: stored.metadata.at, ...data }),
            ]),
          };
    if (known) this.#put({ ...known, ...after });
    else this.#early.set(id, after);
  }

  /** Looks a key up by its hash: what is compared is the HMAC's output, which tells a prober nothing. */
  check(text: string, now: number): KeyCheck {
    const hash = text.length > MAX_LENGTH ? '' : this.#hashOf(text);
    const key = this.#byHash.get(hash);
    // What is known is well formed, or was when the profile said so.
    if (!key) {
      return { kind: 'refused', code: isWellFormed(text, this.prefixes) ? 'KEY_UNKNOWN' : 'KEY_MALFORMED' };
    }
    if (key.revoked) return { kind: 'refused', code: 'KEY_REVOKED' };
    if (key.expiresAt !== null && key.expiresAt <= now) return { kind: 'refused', code: 'KEY_EXPIRED' };
    if (key.rotations !== NONE && isRotated(key, hash, now, this.time()))
      return { kind: 'refused', code: 'KEY_ROTATED' };
    return { kind: 'key', key };
  }

  #rotation(change: {
    readonly revision: number;
    readonly at: string;
    readonly hash: string;
    readonly graceEndsAt: string;
  }): KnownRotation {
    const { revision, at, hash } = change;
    const graceEndsAt = Date.parse(change.graceEndsAt);
    return { revision, hash, graceEndsAt, graceEndsBy: this.time() + graceEndsAt - Date.parse(at) };
  }

  /** The same scopes as one list: there are few combinations and many keys. */
  #shared(scopes: readonly Scope[]): readonly Scope[] {
    const name = compositeKey(...scopes);
    const known = this.#scopes.get(name);
    if (!known) this.#scopes.set(name, scopes);
    return known ?? scopes;
  }

  #add(row: KnownKey): void {
    const known: Early = this.#byId.get(row.id) ?? this.#early.get(row.id) ?? row;
    this.#early.delete(row.id);
    this.#put({
      ...row,
      revoked: row.revoked || known.revoked,
      rotations: merged(row.rotations, known.rotations),
    });
  }

  #put(key: KnownKey): void {
    // A secret that a correction has taken away opens nothing any more.
    const before = this.#byId.get(key.id);
    if (before)
      for (const hash of [before.hash, ...before.rotations.map((r) => r.hash)]) this.#byHash.delete(hash);
    this.#byId.set(key.id, key);
    this.#byHash.set(key.hash, key);
    for (const { hash } of key.rotations) this.#byHash.set(hash, key);
  }
}

/** Nearly all keys share it. */
const NONE: readonly KnownRotation[] = [];

/** Both, each once, in the order of their revisions. */
function merged(some: readonly KnownRotation[], others: readonly KnownRotation[]): readonly KnownRotation[] {
  if (some.length === 0 && others.length === 0) return NONE;
  const byRevision = new Map([...some, ...others].map((rotation) => [rotation.revision, rotation]));
  return [...byRevision.values()].sort((a, b) => a.revision - b.revision);
}

/** Whether the secret with this hash has stopped working: the grace is over that the next rotation gave it. */
function isRotated({ hash, rotations }: KnownKey, asked: string, now: number, elapsedNow: number): boolean {
  const place = hash === asked ? -1 : rotations.findIndex((rotation) => rotation.hash === asked);
  const next = rotations[place + 1];
  return next !== undefined && (next.graceEndsAt <= now || next.graceEndsBy <= elapsedNow);
}
