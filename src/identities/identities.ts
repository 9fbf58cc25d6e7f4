import type { Clock, Elapsed } from '../clock.js';
import { elapsed, systemClock } from '../clock.js';
import type { StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import { keyedHash } from '../secrets/secrets.js';
import type { IdentityLinked } from './events.js';
import type { UserEvent } from '../accounts/events.js';

/** The user whom an issuer vouches for. */
export interface Link {
  readonly userId: string;
  readonly accountId: string;
}

interface End {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Since when it is known here, as time passes. */
  readonly known: number;
}

type Handled = IdentityLinked | Extract<UserEvent, { type: 'SessionsEnded' | 'PasswordChanged' }>;

/** Names the stream of (issuer, subject). Permanent, like the hash of an e-mail. */
export function identityHash(key: Buffer, issuer: string, subject: string): string {
  return keyedHash(key, 'identity', JSON.stringify([issuer, subject]));
}

/**
 * Links of OIDC identities with users, in memory: a projection like the key cache, so that a token costs no
 * command. Tokens of an issuer know nothing of our epochs and may be good for a day, so the time at which a
 * user has ended all sessions is kept for good: one number for each user who ever did.
 */
export class Identities {
  readonly #links = new Map<string, Link>();
  /** By user id: when all sessions were ended. */
  readonly #ends = new Map<string, End>();

  constructor(
    private readonly clock: Clock = systemClock,
    private readonly time: Elapsed = elapsed,
  ) {}

  get size(): number {
    return this.#links.size;
  }

  load(
    links: Iterable<Link & { readonly identity: string }>,
    ends: Iterable<{ readonly userId: string; readonly at: number }>,
  ): void {
    for (const { identity, userId, accountId } of links) this.#links.set(identity, { userId, accountId });
    for (const { userId, at } of ends) this.#end(userId, at);
  }

  apply(stored: StoredEvent): void {
    const { type, data } = as<Handled>(stored);
    if (type === 'IdentityLinked') {
      this.#links.set(stored.streamId, { userId: data.userId, accountId: data.accountId });
    } else if (type === 'SessionsEnded' || type === 'PasswordChanged') {
      this.#end(stored.streamId, Date.parse(stored.metadata.at));
    }
  }

  linkOf(identity: string): Link | undefined {
    return this.#links.get(identity);
  }

  /** Whether the user has ended all sessions since, in milliseconds; whole seconds of a token count as before. */
  endedSince(userId: string, since: number): boolean {
    const end = this.#ends.get(userId);
    if (!end) return false;
    // Not later than we know of it: from a clock that was ahead, it would refuse whoever signs in until then.
    return Math.min(end.at, this.clock() - (this.time() - end.known)) >= since;
  }

  #end(userId: string, at: number): void {
    const before = this.#ends.get(userId);
    if (!before || before.at < at) this.#ends.set(userId, { at, known: this.time() });
  }
}
