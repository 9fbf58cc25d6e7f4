import { randomBytes } from 'node:crypto';
import type { CommandContext, CommandHandler } from '../eventsourcing/commandHandler.js';
import { earlierResult } from '../eventsourcing/commandHandler.js';
import type { Position } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import { derivedId } from '../eventsourcing/ids.js';
import type { Identity } from '../oidc/issuers.js';
import type { PersonalData } from '../secrets/personalData.js';
import { firstCharacters, textProblem, tidy } from '../text/text.js';
import { holderOf } from './credentials.js';
import { accountDecider, emailDecider, identityDecider, userDecider } from './decide.js';
import { parseEmail } from './email.js';
import { mailboxHash } from './emailStreams.js';
import type { EmailEvent, IdentityLinked } from './events.js';
import { accountStream, emailStream, identityStream, userStream } from './events.js';
import type { Link } from './identities.js';
import { hashPassword } from './passwords.js';
import { NAME } from './register.js';
import { verifiedHolder } from './verifiedHolder.js';

export type Linking =
  | { readonly kind: 'linked'; readonly link: Link }
  | { readonly kind: 'refused'; readonly code: 'IDENTITY_NOT_LINKED' | 'EMAIL_UNVERIFIED' };

/**
 * The command LinkIdentity, for the first good token of an identity: it belongs to the user who has shown the
 * same e-mail to be theirs, or to a new one. Both sides must have verified the e-mail, else whoever registers
 * an address first, here or there, would take over the other's account.
 *
 * A new user is several appends, the link the last: each does nothing where it was done before, so that the
 * next token goes on after a crash, and parallel first calls make one user.
 */
export class LinkIdentity {
  constructor(
    private readonly commands: CommandHandler,
    private readonly personal: PersonalData,
    private readonly emailKey: Buffer,
    /** Waits, bounded, for the read models of accounts to have seen a position. */
    private readonly shown: (position: Position) => Promise<unknown>,
  ) {}

  /** @param hash of issuer and subject */
  async execute(hash: string, { issuer, email, name }: Identity, at: Date): Promise<Linking> {
    const stream = identityStream(hash);
    const [linked] = await this.commands.load(stream);
    if (linked) return linkedBy(as<IdentityLinked>(linked));
    const parsed = email === undefined ? undefined : parseEmail(email);
    if (parsed === undefined) return { kind: 'refused', code: 'IDENTITY_NOT_LINKED' };

    const caller = `identity:${hash}`;
    const context = (commandId: string): CommandContext => ({
      commandId,
      caller,
      requestHash: commandId,
      at,
      environment: 'live',
      correlationId: derivedId('link', hash),
    });
    const ofEmail = await mailboxHash(this.commands, this.emailKey, parsed);
    const userId = derivedId('user', caller, ofEmail);
    const holder = await this.#holder(ofEmail, userId, parsed.address, name, context(`register:${ofEmail}`));
    const own = holder.userId === userId;
    if (own) await this.#open(holder, context);
    const user = own
      ? { userId, accountId: holder.accountId }
      : await verifiedHolder(this.commands, this.personal, this.emailKey, ofEmail);
    if (!user) return { kind: 'refused', code: 'EMAIL_UNVERIFIED' };

    const link = { ...user, issuer, how: own ? 'registered' : 'email' } as const;
    // The one command of this stream: whoever comes second gets what the first has linked.
    const result = await this.commands.handle(
      identityDecider,
      stream,
      { type: 'LinkIdentity', link },
      context('link'),
    );
    const event = result.kind === 'accepted' ? result.events[0] : undefined;
    if (result.kind === 'refused' || !event) throw new Error('LinkIdentity came without IdentityLinked');
    if (own) await this.shown(result.position);
    return linkedBy(event);
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

const linkedBy = ({ data: { userId, accountId } }: IdentityLinked): Linking => ({
  kind: 'linked',
  link: { userId, accountId },
});
