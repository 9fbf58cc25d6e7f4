import { compositeKey } from '../eventsourcing/compositeKey.js';
import type { StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import type { Scope } from '../keys/events.js';
import type { Environment } from '../eventsourcing/event.js';
import type { OperatorEvent } from './events.js';

interface Grant {
  readonly userId: string;
  readonly accountId: string;
  readonly granted: boolean;
  readonly revision: number;
}

/** What is asked of a key: live ones with the scope admin act for whoever owns their account. */
interface ActingKey {
  readonly accountId: string;
  readonly environment: Environment;
  readonly scopes: readonly Scope[];
}

/**
 * Operators, in memory: a projection like the key cache. The node that changes one applies the event
 * before it answers, and so perhaps before an earlier one of another node: the revision decides for each
 * user and source, of which there is an event of its own for each change.
 */
export class Operators {
  /** By user and source. */
  readonly #grants = new Map<string, Grant>();
  #users: ReadonlySet<string> = new Set();
  #accounts: ReadonlySet<string> = new Set();

  apply(stored: StoredEvent): void {
    if (stored.type !== 'OperatorGranted' && stored.type !== 'OperatorRevoked') return;
    const { type, data } = as<OperatorEvent>(stored);
    const { userId, accountId, source } = data;
    const id = compositeKey(userId, source);
    if ((this.#grants.get(id)?.revision ?? -1) > stored.revision) return;
    this.#grants.set(id, {
      userId,
      accountId,
      granted: type === 'OperatorGranted',
      revision: stored.revision,
    });
    const standing = [...this.#grants.values()].filter(({ granted }) => granted);
    this.#users = new Set(standing.map((grant) => grant.userId));
    this.#accounts = new Set(standing.map((grant) => grant.accountId));
  }

  has(userId: string): boolean {
    return this.#users.has(userId);
  }

  /** Whether the account is an operator's own. */
  own(accountId: string): boolean {
    return this.#accounts.has(accountId);
  }

  /** Whether the key acts for an operator. */
  actBy({ accountId, environment, scopes }: ActingKey): boolean {
    return this.own(accountId) && environment === 'live' && scopes.includes('admin');
  }
}
