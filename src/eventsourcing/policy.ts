import type { CommandContext } from './commandHandler.js';
import type { Environment, StoredEvent } from './event.js';

/**
 * Events that cause commands. Runs at least once for each event, so what it does must be idempotent:
 * its commands derive their ids from the event.
 */
export interface Policy {
  readonly name: string;
  readonly handles: ReadonlySet<string>;
  react(event: StoredEvent): Promise<void>;
}

/**
 * A command that nobody but time or another system causes, under an id that is the same whenever it is tried.
 * @param about the account, or whatever else it is told together with
 */
export function byPolicy(
  policy: string,
  commandId: string,
  { at, about, environment = 'live' }: { at: number; about: string; environment?: Environment },
): CommandContext {
  return {
    commandId,
    caller: `policy:${policy}`,
    requestHash: commandId,
    at: new Date(at),
    environment,
    correlationId: about,
  };
}

/** A command that an event causes: its id is the event's, its time the event's. */
export function causedBy(event: StoredEvent, policy: string): CommandContext {
  return {
    commandId: event.id,
    caller: `policy:${policy}`,
    requestHash: event.id,
    at: new Date(event.metadata.at),
    environment: event.metadata.environment,
    correlationId: event.metadata.correlationId,
    causationId: event.id,
  };
}
