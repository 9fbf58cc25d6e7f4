import { Outage } from '../outage.js';
import { GUARD_FAILED, LEASE_LOST, SqlError } from '../sql/sql.js';
import { ConcurrencyConflict } from '../eventsourcing/eventStore.js';

/**
 * SQLSTATEs that tell of the database or of who else works on it, never of the event: transaction
 * state and read-only servers (25), authorisation (28), rollbacks such as deadlocks (40), resources
 * (53), locks (55), operator's intervention (57), system errors (58), configuration (F0), corruption
 * (XX001, XX002), a missing schema or table, a missing privilege, and our own guards.
 */
const NOT_OF_THE_EVENT = /^(08|25|28|40|53|55|57|58|F0)|^(XX001|XX002|3F000|42P01|42501)$/;

/**
 * Whether an error may lie in the event that was being handled, so that repeating changes nothing.
 * An outage never counts: nothing may be parked because a server is away.
 */
export function mayBePoison(error: unknown): boolean {
  if (error instanceof Outage || error instanceof ConcurrencyConflict) return false;
  if (!(error instanceof SqlError)) return true;
  return error.code !== GUARD_FAILED && error.code !== LEASE_LOST && !NOT_OF_THE_EVENT.test(error.code);
}

/**
 * Waits before further attempts at a single event that failed. A page has them once: were all its
 * events poison, it would take hours.
 */
export const POISON_RETRY_MS = [50, 100, 200, 400];
