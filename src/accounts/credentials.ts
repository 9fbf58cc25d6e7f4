import { randomBytes } from 'node:crypto';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { fold } from '../eventsourcing/decider.js';
import type { StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import { derivedId } from '../eventsourcing/ids.js';
import type { PersonalData, Sealed } from '../secrets/personalData.js';
import { userDecider } from './decideUser.js';
import { emailHash } from './email.js';
import type { EmailEvent } from './events.js';
import { emailStream, userStream } from './events.js';
import { hashPassword, isTooLong, verifyPassword } from './passwords.js';

/** Who has an e-mail, and has given the right password. */
export interface Holder {
  readonly userId: string;
  readonly accountId: string;
  /** The user's epoch before the password was checked: what ends all sessions since, ends the next one too. */
  readonly epoch: number;
  readonly sealedEmail: Sealed;
  readonly sealedName: Sealed;
  readonly emailVerified: boolean;
  readonly registeredAt: Date;
}

/** Checks an e-mail with its password: with the same work and the same answer whether anybody has it. */
export class Credentials {
  #decoy: Promise<{ readonly hash: string; readonly sealed: Sealed }> | undefined;

  constructor(
    private readonly commands: CommandHandler,
    private readonly personal: PersonalData,
  ) {}

  /** @param hash of the normalised e-mail */
  async check(hash: string, password: string): Promise<Holder | undefined> {
    if (isTooLong(password)) return undefined;
    const decoy = await this.#getDecoy();
    const registered = holderOf(await this.commands.load(emailStream(hash)));
    const userId = registered?.data.userId ?? derivedId('nobody', hash);
    const user = fold(userDecider, await this.commands.load(userStream(userId)));
    const sealed = user.passwordHash ?? registered?.data.passwordHash;
    const stored = await this.personal.unseal(sealed ?? decoy.sealed);
    const right = await verifyPassword(stored ?? decoy.hash, password);
    if (!right || !registered || stored === null || user.erased) return undefined;
    const { accountId, email, name } = registered.data;
    return {
      userId,
      accountId,
      epoch: user.epoch,
      sealedEmail: email,
      sealedName: user.name ?? name,
      emailVerified: user.emailVerified,
      registeredAt: new Date(registered.at),
    };
  }

  /** What is opened and compared where nobody has the e-mail; its password is thrown away. */
  #getDecoy(): Promise<{ readonly hash: string; readonly sealed: Sealed }> {
    const make = async () => {
      const passwordHash = await hashPassword(randomBytes(24).toString('base64url'));
      return { hash: passwordHash, sealed: await this.personal.seal('nobody', passwordHash) };
    };
    return (this.#decoy ??= make().catch((error: unknown) => {
      this.#decoy = undefined;
      throw error;
    }));
  }
}

/** The e-mail's events that give it to somebody, by a registration or by a change. */
type EmailHeld = Extract<EmailEvent, { type: 'EmailRegistered' | 'EmailClaimed' }>;

export interface EmailHolder {
  readonly data: EmailHeld['data'];
  /** When the user registered. ISO 8601. */
  readonly at: string;
}

/** Who has an e-mail, by the history of its stream. */
export function holderOf(history: readonly StoredEvent[]): EmailHolder | undefined {
  let holder: EmailHolder | undefined;
  for (const stored of history) {
    const { type, data } = as<EmailEvent>(stored);
    if (type === 'EmailRegistered') holder = { data, at: stored.metadata.at };
    else if (type === 'EmailClaimed') holder = { data, at: data.registeredAt };
    else if (type === 'EmailReleased') holder = undefined;
  }
  return holder;
}

/** Names the stream of a user's e-mail; undefined when there is no such user, or it has been erased. */
export async function emailHashOf(
  commands: CommandHandler,
  personal: PersonalData,
  emailKey: Buffer,
  userId: string,
): Promise<string | undefined> {
  const { email: sealed } = fold(userDecider, await commands.load(userStream(userId)));
  const email = sealed === undefined ? null : await personal.unseal(sealed);
  // As it is stored, whatever rule has normalised it: that is what has named its stream.
  return email === null ? undefined : emailHash(emailKey, email);
}

/** The password's hash of a user who has, or had, the e-mail. */
export async function passwordOf(
  commands: CommandHandler,
  hash: string,
  userId: string,
): Promise<Sealed | undefined> {
  const { passwordHash } = fold(userDecider, await commands.load(userStream(userId)));
  if (passwordHash !== undefined) return passwordHash;
  for (const stored of await commands.load(emailStream(hash))) {
    const { type, data } = as<EmailEvent>(stored);
    const held = type === 'EmailRegistered' || type === 'EmailClaimed';
    if (held && data.userId === userId) return data.passwordHash;
  }
  return undefined;
}

/** @param hash of the user's e-mail */
export async function isPassword(
  commands: CommandHandler,
  personal: PersonalData,
  hash: string,
  userId: string,
  password: string,
): Promise<boolean> {
  if (isTooLong(password)) return false;
  const sealed = await passwordOf(commands, hash, userId);
  const passwordHash = sealed === undefined ? null : await personal.unseal(sealed);
  return passwordHash !== null && verifyPassword(passwordHash, password);
}
