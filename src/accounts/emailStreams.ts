import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { holderOf } from './credentials.js';
import type { Email } from './email.js';
import { emailHash, parseEmail } from './email.js';
import { emailStream } from './events.js';

/**
 * Names the stream of the account that has this mailbox, however it was spelled when the account was made;
 * where there is none, the stream that a new one takes.
 */
export async function mailboxHash(commands: CommandHandler, emailKey: Buffer, email: Email): Promise<string> {
  return (await heldHash(commands, emailKey, email.spellings)) ?? emailHash(emailKey, email.address);
}

/**
 * The same, and where nobody has this mailbox, that of an account which the former rule took for it. It may be
 * somebody else's: for what asks for a password, or mails to the address that is stored, and nothing else.
 */
export async function claimedHash(commands: CommandHandler, emailKey: Buffer, email: Email): Promise<string> {
  const spellings = [...email.spellings, ...email.alike];
  return (await heldHash(commands, emailKey, spellings)) ?? emailHash(emailKey, email.address);
}

/** All names that the mailbox has, or had by the former rule: whatever was kept under one of them is about it. */
export function hashesOfMailbox(emailKey: Buffer, address: string): readonly string[] {
  const { spellings = [address] } = parseEmail(address) ?? {};
  return spellings.map((spelling) => emailHash(emailKey, spelling));
}

async function heldHash(
  commands: CommandHandler,
  emailKey: Buffer,
  spellings: readonly string[],
): Promise<string | undefined> {
  const hashes = spellings.map((spelling) => emailHash(emailKey, spelling));
  // Nearly every e-mail has one spelling, and whoever asks loads its stream themselves.
  if (hashes.length === 1) return hashes[0];
  // All, whatever is found, so that the work does not tell.
  const histories = await Promise.all(hashes.map((hash) => commands.load(emailStream(hash))));
  return hashes.find((_hash, i) => holderOf(histories[i] ?? []) !== undefined);
}
