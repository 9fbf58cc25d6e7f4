import type { UserEvent } from '../accounts/events.js';
import { userStream } from '../accounts/events.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { as } from '../eventsourcing/event.js';
import type { Sealed } from '../secrets/personalData.js';

/** The e-mail that a user has now, sealed; undefined for who has none, as an account that the environment has opened. */
export async function emailOf(commands: CommandHandler, userId: string): Promise<Sealed | undefined> {
  const user = await commands.load(userStream(userId));
  const last = user.findLast(({ type }) => type === 'UserRegistered' || type === 'EmailChanged');
  return last && as<Extract<UserEvent, { type: 'UserRegistered' | 'EmailChanged' }>>(last).data.email;
}
