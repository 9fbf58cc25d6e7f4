import { randomBytes } from 'node:crypto';
import type { CommandContext, CommandHandler } from '../eventsourcing/commandHandler.js';
import { earlierResult } from '../eventsourcing/commandHandler.js';
import { derivedId } from '../eventsourcing/ids.js';
import type { PersonalData } from '../secrets/personalData.js';
import { firstCharacters, textProblem, tidy } from '../text/text.js';
import { holderOf } from './credentials.js';
import { accountDecider } from './decideAccount.js';
import { emailDecider } from './decideEmail.js';
import { userDecider } from './decideUser.js';
import { parseEmail } from './email.js';
import { mailboxHash } from './emailStreams.js';
import type { EmailEvent } from './events.js';
import { accountStream, emailStream, userStream } from './events.js';
import { hashPassword } from './passwords.js';
import { NAME } from './register.js';
import { verifiedHolder } from './verifiedHolder.js';

/** What an issuer says of somebody, whose e-mail it has verified. */
export interface VouchedFor {
  readonly email: string;
  readonly name: string | undefined;
}

export type VouchedUser =
  | {
      readonly kind: 'user';
      readonly user: { readonly userId: string; readonly accountId: string };
      /** Whether the user was made for it, or had the e-mail already. */
      readonly how: 'registered' | 'email';
    }
  | { readonly kind: 'refused'; readonly code: 'IDENTITY_NOT_LINKED' | 'EMAIL_UNVERIFIED' };

/**
 * The command RegisterVouchedUser: finds the user who has shown the same e-mail to be theirs, or makes one.
 * Both sides must have verified the e-mail, else whoever registers an address first, here or there, would take
 * over the other's account.
 */
export class RegisterVouchedUser {
  constructor(
    private readonly commands: CommandHandler,
    private readonly personal: PersonalData,
    private readonly emailKey: Buffer,
  ) {}

  /**
   * @param caller names the identity: its user's id follows from it, so that a repetition meets the same one
   * @param context of the command with an id
   */
  async execute(
    { email, name }: VouchedFor,
    caller: string,
    context: (commandId: string) => CommandContext,
  ): Promise<VouchedUser> {
    const parsed = parseEmail(email);
    if (parsed === undefined) return { kind: 'refused', code: 'IDENTITY_NOT_LINKED' };
    const ofEmail = await mailboxHash(this.commands, this.emailKey, parsed);
    const userId = derivedId('user', caller, ofEmail);
    const holder = await this.#holder(ofEmail, userId, parsed.address, name, context(`register:${ofEmail}`));
    if (holder.userId === userId) {
      await this.#open(holder, context);
      return { kind: 'user', user: { userId, accountId: holder.accountId }, how: 'registered' };
    }
    const user = await verifiedHolder(this.commands, this.personal, this.emailKey, ofEmail);
    return user ? { kind: 'user', user, how: 'email' } : { kind: 'refused', code: 'EMAIL_UNVERIFIED' };
  }

  /** Who has the e-mail; if nobody has, it is registered for a new user. */
  async #holder(
    ofEmail: string,
    userId: string,
    email: string,
    name: string | undefined,
    context: CommandContext,
  ): Promise<EmailRegistered> {
    const stream = emailStream(ofEmail);
    const history = await this.commands.load(stream);
    const earlier = earlierResult<EmailEvent>(history, context);
    const known = earlier ? registeredIn(earlier) : holderOf(history)?.data;
    if (known) return known;
    const seal = (text: string) => this.personal.seal(userId, text);
    const result = await this.commands.handle(
      emailDecider,
      stream,
      {
        type: 'RegisterEmail',
        registration: {
          userId,
          accountId: derivedId('account', context.caller, ofEmail),
          email: await seal(email),
          name: await seal(nameOf(name)),
          // Nobody knows it: no password signs this user in until one is set.
          passwordHash: await seal(await hashPassword(randomBytes(24).toString('base64url'))),
        },
      },
      context,
    );
    const registered = registeredIn(result);
    if (registered) return registered;
    // Somebody else was quicker.
    const other = holderOf(await this.commands.load(stream));
    if (!other) throw new Error(`the e-mail of ${stream} was taken and is free again`);
    return other.data;
  }

  /** What the policy open-account does too; here the answer needs it. */
  async #open(
    { userId, accountId, email, name }: EmailRegistered,
    context: (commandId: string) => CommandContext,
  ): Promise<void> {
    await this.commands.handle(
      accountDecider,
      accountStream(accountId),
      { type: 'OpenAccount', ownerId: userId },
      context('open-account'),
    );
    const stream = userStream(userId);
    const registration = { accountId, email, name };
    await this.commands.handle(
      userDecider,
      stream,
      { type: 'RegisterUser', user: registration },
      context('register-user'),
    );
    await this.commands.handle(userDecider, stream, { type: 'VerifyEmail' }, context('verify-email'));
  }
}

/** What an issuer says: cut to what we keep, and left out where it is no name. */
function nameOf(claim = ''): string {
  const name = firstCharacters(tidy(claim), NAME.max);
  return textProblem('name', name, NAME) === undefined ? name : '';
}

type EmailRegistered = Extract<EmailEvent, { type: 'EmailRegistered' }>['data'];

function registeredIn(result: ReturnType<typeof earlierResult<EmailEvent>>): EmailRegistered | undefined {
  const event = result?.kind === 'accepted' ? result.events[0] : undefined;
  return event?.type === 'EmailRegistered' ? event.data : undefined;
}
