import type { UserEvent } from '../accounts/events.js';
import { userStream } from '../accounts/events.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { as } from '../eventsourcing/event.js';
import type { Sealed } from '../secrets/personalData.js';
import type { StoredEvent } from '../eventsourcing/event.js';
import type { OperatorEvent, OperatorSource } from '../operators/events.js';

/** The e-mail that a user has now, sealed; undefined for who has none, as an account that the environment has opened. */
export async function emailOf(commands: CommandHandler, userId: string): Promise<Sealed | undefined> {
  const user = await commands.load(userStream(userId));
  const last = user.findLast(({ type }) => type === 'UserRegistered' || type === 'EmailChanged');
  return last && as<Extract<UserEvent, { type: 'UserRegistered' | 'EmailChanged' }>>(last).data.email;
}

/** Operators by their user ids, with the time from which on each is one. */
export function operatorsSince(events: readonly StoredEvent[]): ReadonlyMap<string, number> {
  const sources = new Map<string, Set<OperatorSource>>();
  const since = new Map<string, number>();
  for (const stored of events) {
    const { type, data } = as<OperatorEvent>(stored);
    const { userId, source } = data;
    const known = sources.get(userId) ?? new Set();
    sources.set(userId, known);
    if (type === 'OperatorGranted') {
      if (known.size === 0) since.set(userId, Date.parse(stored.metadata.at));
      known.add(source);
    } else {
      known.delete(source);
      if (known.size === 0) since.delete(userId);
    }
  }
  return since;
}
