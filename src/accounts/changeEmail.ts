import type { CommandContext, CommandHandler } from '../eventsourcing/commandHandler.js';
import { earlierResult } from '../eventsourcing/commandHandler.js';
import { BAD_COMMAND_ID, commandIdOf } from '../eventsourcing/commandId.js';
import type { Refusal } from '../eventsourcing/decider.js';
import { fold } from '../eventsourcing/decider.js';
import type { Position } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import type { PersonalData } from '../secrets/personalData.js';
import { keyedHash } from '../secrets/secrets.js';
import type { SignedTokens } from '../secrets/signedTokens.js';
import { emailHashOf, isPassword, passwordOf } from './credentials.js';
import { emailDecider, EMAIL_TAKEN } from './decideEmail.js';
import { userDecider } from './decideUser.js';
import { parseEmail } from './email.js';
import { mailboxHash } from './emailStreams.js';
import type { UserEvent } from './events.js';
import { emailStream, mailedToken, userStream } from './events.js';
import type { Session } from '../sessions/events.js';
import type { Attempts } from './attempts.js';

/** How long a change of e-mail may be confirmed, in milliseconds. */
const EMAIL_CHANGE_MS = 24 * 3_600_000;

export interface EmailChange {
  readonly email: string;
  readonly password: string;
  readonly commandId?: string | null | undefined;
}

export type ChangedEmail =
  | { readonly kind: 'accepted'; readonly position: Position; readonly replayed: boolean }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export type AskedForChange = ChangedEmail | { readonly kind: 'limited'; readonly waitMs: number };

type When = Pick<CommandContext, 'at' | 'correlationId'>;

/** The command RequestEmailChange: a mail to the new address follows, and nothing changes until its token comes. */
export class RequestEmailChange {
  constructor(
    private readonly commands: CommandHandler,
    private readonly personal: PersonalData,
    /** Every attempt counts, so that nobody can guess the password or flood someone with mails. */
    private readonly attempts: Attempts,
    private readonly emailKey: Buffer,
  ) {}

  async execute(
    { userId }: Pick<Session, 'userId'>,
    { password, ...rest }: EmailChange,
    { at, correlationId }: When,
  ): Promise<AskedForChange> {
    const commandId = commandIdOf(rest.commandId);
    if (commandId === undefined) return refused('INVALID_INPUT', BAD_COMMAND_ID, 'commandId');
    const parsed = parseEmail(rest.email);
    if (parsed === undefined) return refused('INVALID_INPUT', '"email" is not an e-mail address.', 'email');
    const { address: email } = parsed;
    const context = {
      commandId,
      caller: `user:${userId}`,
      requestHash: keyedHash(this.emailKey, 'request', JSON.stringify({ email })),
      at,
      environment: 'live',
      correlationId,
    } as const;
    const history = await this.commands.load(userStream(userId));
    const earlier = earlierResult<UserEvent>(history, context);
    if (earlier) return earlier;

    const { waitMs } = this.attempts.take(`password:${userId}`);
    if (waitMs > 0) return { kind: 'limited', waitMs };
    const previousHash = await emailHashOf(this.commands, this.personal, this.emailKey, userId);
    if (previousHash === undefined) return refused('NOT_FOUND', 'The user is not there any more.');
    if (!(await isPassword(this.commands, this.personal, previousHash, userId, password))) {
      return refused('PASSWORD_WRONG', 'This is not the password of the user who is signed in.', 'password');
    }
    const hash = await mailboxHash(this.commands, this.emailKey, parsed);
    if (fold(emailDecider, await this.commands.load(emailStream(hash))).holder !== undefined) {
      return EMAIL_TAKEN;
    }
    const change = {
      email: await this.personal.seal(userId, email),
      emailHash: hash,
      previousHash,
      epoch: fold(userDecider, history).epoch,
      expiresAt: new Date(at.getTime() + EMAIL_CHANGE_MS).toISOString(),
    };
    return this.commands.handle(
      userDecider,
      userStream(userId),
      { type: 'RequestEmailChange', change },
      context,
    );
  }
}

/**
 * The command ClaimEmail, for whoever has the token that was mailed to the new address. It commits on the new
 * e-mail's stream (decision 3); that it becomes the user's, and the old one is released, follows by policies.
 */
export class ConfirmEmailChange {
  constructor(
    private readonly commands: CommandHandler,
    private readonly tokens: SignedTokens,
  ) {}

  async execute(
    { token, ...rest }: { readonly token: string; readonly commandId?: string | null | undefined },
    { at, correlationId }: When,
  ): Promise<ChangedEmail> {
    const commandId = commandIdOf(rest.commandId);
    if (commandId === undefined) return refused('INVALID_INPUT', BAD_COMMAND_ID, 'commandId');
    const subject = this.tokens.verify('change-email', token, at.getTime(), EMAIL_CHANGE_MS);
    if (subject === undefined) return tokenInvalid();
    const { userId, epoch, emailHash } = mailedToken(subject);
    const history = await this.commands.load(userStream(userId));
    const user = fold(userDecider, history);
    if (user.erased) return tokenInvalid();
    const last = history.at(-1);
    // Confirmed before: what was to follow has followed.
    if (last && user.emailHash === emailHash)
      return { kind: 'accepted', position: last.position, replayed: true };
    if (user.epoch !== epoch || user.change?.emailHash !== emailHash) return tokenInvalid();

    const registered = history[0] && as<UserEvent>(history[0]);
    const passwordHash = await passwordOf(this.commands, user.emailHash ?? '', userId);
    if (registered?.type !== 'UserRegistered' || passwordHash === undefined) {
      throw new Error('a user who has changed the e-mail has no registration');
    }
    return this.commands.handle(
      emailDecider,
      emailStream(emailHash),
      {
        type: 'ClaimEmail',
        claim: {
          userId,
          accountId: user.accountId,
          email: user.change.email,
          name: user.name ?? registered.data.name,
          passwordHash,
          registeredAt: history[0]?.metadata.at ?? at.toISOString(),
        },
      },
      {
        commandId: `change:${commandId}`,
        caller: `user:${userId}`,
        requestHash: `claim:${userId}`,
        at,
        environment: 'live',
        correlationId,
      },
    );
  }
}

const tokenInvalid = () => refused('TOKEN_INVALID', 'This token has expired or is not valid.', 'token');

function refused(
  code: string,
  message: string,
  field?: string,
): { readonly kind: 'refused'; readonly refusal: Refusal } {
  return { kind: 'refused', refusal: field === undefined ? { code, message } : { code, message, field } };
}
