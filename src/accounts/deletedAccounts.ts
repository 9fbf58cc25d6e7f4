import type { StoredEvent } from '../eventsourcing/event.js';

/**
 * Deleted accounts, in memory: a projection like the key cache. Sessions are good by their signature
 * alone, so this is what ends them.
 */
export class DeletedAccounts {
  readonly #ids = new Set<string>();

  load(accounts: Iterable<{ readonly accountId: string }>): void {
    for (const { accountId } of accounts) this.#ids.add(accountId);
  }

  apply(event: StoredEvent): void {
    if (event.type === 'AccountDeleted') this.#ids.add(event.streamId);
  }

  has(accountId: string): boolean {
    return this.#ids.has(accountId);
  }
}
