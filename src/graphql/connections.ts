import { Outage } from '../outage.js';
import type { Caller } from './context.js';
import type { ErrorCode } from './errors.js';

/**
 * Connections that an account may hold open in this process, WebSockets and event streams together: room
 * for a fleet of servers and a wall of dashboards, and a bound on the memory that one key can take.
 */
export const MAX_CONNECTIONS = 100;

/** Something that stays open for a caller. */
export interface Connection {
  readonly accountId: string;
  /** Finds out again who calls. */
  authenticate(): Caller | Promise<Caller>;
  /** Ends it, with the reason; without one because the server stops. */
  end(code?: ErrorCode): void;
}

/** What is open for each account: how much there may be, and who has to go. */
export class Connections {
  readonly #byAccount = new Map<string, Set<Connection>>();
  #stopping = false;

  /** @returns false when the account has as many as it may have */
  open(connection: Connection): boolean {
    const { accountId } = connection;
    const others = this.#byAccount.get(accountId);
    if (this.#stopping) connection.end();
    else if (!others) this.#byAccount.set(accountId, new Set([connection]));
    else if (others.size >= MAX_CONNECTIONS) return false;
    else others.add(connection);
    return true;
  }

  closed(connection: Connection): void {
    const { accountId } = connection;
    const others = this.#byAccount.get(accountId);
    others?.delete(connection);
    if (others?.size === 0) this.#byAccount.delete(accountId);
  }

  /** Ends it when its key or session is good no longer. While nobody can tell it stays: each event asks again. */
  async check(connection: Connection): Promise<void> {
    try {
      const caller = await connection.authenticate();
      if (caller.kind === 'refused') connection.end(caller.code);
    } catch (error) {
      if (!(error instanceof Outage)) throw error;
    }
  }

  /** A key or a session of this account may have ended. */
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
