import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { fold } from '../eventsourcing/decider.js';
import type { PersonalData } from '../secrets/personalData.js';
import { emailHashOf, holderOf } from './credentials.js';
import { userDecider } from './decideUser.js';
import { parseEmail } from './email.js';
import { mailboxHash } from './emailStreams.js';
import { emailStream, userStream } from './events.js';

/**
 * The user who has an e-mail and has shown it to be theirs: anybody may register an address.
 * @param hash of the normalised e-mail
 */
export async function verifiedHolder(
  commands: CommandHandler,
  personal: PersonalData,
  emailKey: Buffer,
  hash: string,
): Promise<{ readonly userId: string; readonly accountId: string } | undefined> {
  const registered = holderOf(await commands.load(emailStream(hash)));
  if (!registered) return undefined;
  const { userId, accountId } = registered.data;
  if (!(await verifiedUser(commands, userId))) return undefined;
  return (await emailHashOf(commands, personal, emailKey, userId)) === hash
    ? { userId, accountId }
    : undefined;
}

/** The same for an e-mail, in whatever spelling its account has it. */
export async function verifiedHolderOf(
  commands: CommandHandler,
  personal: PersonalData,
  emailKey: Buffer,
  text: string,
): Promise<{ readonly userId: string; readonly accountId: string } | undefined> {
  const email = parseEmail(text);
  if (!email) return undefined;
  return verifiedHolder(commands, personal, emailKey, await mailboxHash(commands, emailKey, email));
}

/** A user who has verified an e-mail and is there still. */
export async function verifiedUser(
  commands: CommandHandler,
  userId: string,
): Promise<{ readonly userId: string; readonly accountId: string } | undefined> {
  const user = fold(userDecider, await commands.load(userStream(userId)));
  return user.emailVerified && !user.erased ? { userId, accountId: user.accountId } : undefined;
}
