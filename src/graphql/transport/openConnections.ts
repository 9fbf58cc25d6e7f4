import type { Caller } from '../kit/context.js';
import type { ErrorCode } from '../kit/errors.js';

/**
 * Connections that an account may hold open in this process, WebSockets and event streams together: room
 * for a fleet of servers and a wall of dashboards, and a bound on the memory that one key can take.
 */
export const MAX_CONNECTIONS = 100;

/** Something that stays open for a caller. */
export interface Connection {
  /** The account that it works in, and the user's own where that is another: it counts for each. */
  readonly accountIds: readonly string[];
  /** Finds out again who calls. */
  authenticate(): Caller | Promise<Caller>;
  /** Ends it, with the reason; without one because the server stops. */
  end(code?: ErrorCode): void;
}

/** The accounts whose ends end a connection of the caller. */
export function accountIdsOf(caller: Extract<Caller, { readonly accountId: string }>): readonly string[] {
  const own = caller.kind === 'session' ? caller.session.accountId : caller.accountId;
  return own === caller.accountId ? [own] : [caller.accountId, own];
}

/** Open connections by account: enforces the maximum and closes those whose credential has ended. */
export class Connections {
  readonly #byAccount = new Map<string, Set<Connection>>();
  #stopping = false;

  /** @returns false when the account has as many as it may have */
  open(connection: Connection): boolean {
    const { accountIds } = connection;
    if (this.#stopping) {
      connection.end();
      return true;
    }
    const full = (accountId: string) => (this.#byAccount.get(accountId)?.size ?? 0) >= MAX_CONNECTIONS;
    if (accountIds.some(full)) return false;
    for (const accountId of accountIds) {
      const others = this.#byAccount.get(accountId);
      if (others) others.add(connection);
      else this.#byAccount.set(accountId, new Set([connection]));
    }
    return true;
  }

  closed(connection: Connection): void {
    for (const accountId of connection.accountIds) {
      const others = this.#byAccount.get(accountId);
      others?.delete(connection);
      if (others?.size === 0) this.#byAccount.delete(accountId);
    }
  }

  /** Ends it when its key or session is good no longer. While nobody can tell it stays: each event asks again. */
  async check(connection: Connection): Promise<void> {
    const caller = await connection.authenticate();
    if (caller.kind === 'refused' && caller.code !== 'TRY_AGAIN') connection.end(caller.code);
  }

  /** A key, a session or a membership of this account may have ended. */
  checkAccount(accountId: string): void {
    for (const connection of this.#byAccount.get(accountId) ?? []) void this.check(connection);
  }

  /** Ends all, and whatever comes later: the server stops. */
  endAll(): void {
    this.#stopping = true;
    for (const connections of [...this.#byAccount.values()]) {
      for (const connection of [...connections]) connection.end();
    }
  }
}
