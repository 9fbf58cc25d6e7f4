import { randomBytes } from 'node:crypto';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { fold } from '../eventsourcing/decider.js';
import type { StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import { derivedId } from '../eventsourcing/ids.js';
import type { PersonalData, Sealed } from '../secrets/personalData.js';
import { user as userDecider } from './decide.js';
import type { EmailEvent } from './events.js';
import { emailStream, userStream } from './events.js';
import { hashPassword, PASSWORD_MAX, verifyPassword } from './passwords.js';

/** Who has an e-mail, and has given the right password. */
export interface Holder {
  readonly userId: string;
  readonly accountId: string;
  /** The user's epoch before the password was checked: what ends all sessions since, ends the next one too. */
  readonly epoch: number;
  readonly sealedEmail: Sealed;
  readonly sealedName: Sealed;
  readonly registeredAt: Date;
}

/** Checks an e-mail with its password: with the same work and the same answer whether anybody has it. */
export class Credentials {
  #decoy: Promise<{ readonly hash: string; readonly sealed: Sealed }> | undefined;

  constructor(
    private readonly commands: CommandHandler,
    private readonly personal: PersonalData,
  ) {}

  /** @param emailHash of the normalised e-mail */
  async check(emailHash: string, password: string): Promise<Holder | undefined> {
    if (password.length > PASSWORD_MAX) return undefined;
    const decoy = await this.#getDecoy();
    const registered = holderOf(await this.commands.load(emailStream(emailHash)));
    const userId = registered?.data.userId ?? derivedId('nobody', emailHash);
    const user = fold(userDecider, await this.commands.load(userStream(userId)));
    const stored = await this.personal.unseal(registered?.data.passwordHash ?? decoy.sealed);
    const right = await verifyPassword(stored ?? decoy.hash, password);
    if (!right || !registered || stored === null || user.erased) return undefined;
    const { accountId, email, name } = registered.data;
    return {
      userId,
      accountId,
      epoch: user.epoch,
      sealedEmail: email,
      sealedName: name,
      registeredAt: new Date(registered.at),
    };
  }

  /** What is opened and compared where nobody has the e-mail; its password is thrown away. */
  #getDecoy(): Promise<{ readonly hash: string; readonly sealed: Sealed }> {
    const make = async () => {
      const hash = await hashPassword(randomBytes(24).toString('base64url'));
      return { hash, sealed: await this.personal.seal('nobody', hash) };
    };
    return (this.#decoy ??= make().catch((error: unknown) => {
      this.#decoy = undefined;
      throw error;
    }));
  }
}

type EmailRegistered = Extract<EmailEvent, { type: 'EmailRegistered' }>;

function holderOf(history: readonly StoredEvent[]): (EmailRegistered & { readonly at: string }) | undefined {
  const last = history.at(-1);
  if (!last) return undefined;
  const event = as<EmailEvent>(last);
  return event.type === 'EmailRegistered'
    ? { type: event.type, data: event.data, at: last.metadata.at }
    : undefined;
}
