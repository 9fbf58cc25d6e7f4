import type { CommandContext, CommandHandler, CommandResult } from '../eventsourcing/commandHandler.js';
import { earlierResult } from '../eventsourcing/commandHandler.js';
import { BAD_COMMAND_ID, commandIdOf } from '../eventsourcing/commandId.js';
import type { Refusal } from '../eventsourcing/decider.js';
import { fold } from '../eventsourcing/decider.js';
import type { Position } from '../eventsourcing/event.js';
import type { PersonalData } from '../secrets/personalData.js';
import type { SignedTokens } from '../secrets/signedTokens.js';
import { emailDecider } from './decideEmail.js';
import { userDecider } from './decideUser.js';
import { parseEmail } from './email.js';
import { claimedHash } from './emailStreams.js';
import type { UserEvent } from './events.js';
import { emailStream, mailedToken, userStream } from './events.js';
import { hashPassword, passwordProblem } from './passwords.js';

/** How long a token for a new password is good, in milliseconds. */
export const RESET_MS = 3_600_000;

export type AskedForReset =
  | { readonly kind: 'asked'; readonly position: Position }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

type When = Pick<CommandContext, 'at' | 'correlationId'>;

/**
 * The command RequestPasswordReset: it commits on the e-mail's stream, with the same work and the same answer
 * whether anybody has the e-mail; the mail follows by policies.
 */
export class RequestPasswordReset {
  constructor(
    private readonly commands: CommandHandler,
    private readonly emailKey: Buffer,
  ) {}

  async execute(
    { email, ...rest }: { readonly email: string; readonly commandId?: string | null | undefined },
    { at, correlationId }: When,
  ): Promise<AskedForReset> {
    const parsed = parseEmail(email);
    if (parsed === undefined) return refused('INVALID_INPUT', '"email" is not an e-mail address.', 'email');
    const commandId = commandIdOf(rest.commandId);
    if (commandId === undefined) return refused('INVALID_INPUT', BAD_COMMAND_ID, 'commandId');
    // The mail goes to the address that is stored.
    const hash = await claimedHash(this.commands, this.emailKey, parsed);
    const stream = emailStream(hash);
    const result = await this.commands.handle(
      emailDecider,
      stream,
      { type: 'RequestPasswordReset', at, expiresAt: new Date(at.getTime() + RESET_MS) },
      {
        // Apart from those of registrations: a repeated id must not tell of one.
        commandId: `reset:${commandId}`,
        caller: `email:${hash}`,
        requestHash: 'request-password-reset',
        at,
        environment: 'live',
        correlationId,
      },
    );
    if (result.kind === 'refused') return result;
    if (result.stored.length > 0) return { kind: 'asked', position: result.position };
    // One request too many adds nothing. The stream's head would tell whether anything else has happened.
    const history = await this.commands.load(stream);
    const last = history.findLast(({ type }) => type === 'PasswordResetRequested');
    return { kind: 'asked', position: last?.position ?? result.position };
  }
}

export interface PasswordReset {
  readonly token: string;
  readonly newPassword: string;
  readonly commandId?: string | null | undefined;
}

/** The command ResetPassword: whoever has the token sets a new password. It ends all sessions of the user. */
export class ResetPassword {
  constructor(
    private readonly commands: CommandHandler,
    private readonly personal: PersonalData,
    private readonly tokens: SignedTokens,
  ) {}

  async execute(
    { token, newPassword, ...rest }: PasswordReset,
    { at, correlationId }: When,
  ): Promise<CommandResult<UserEvent>> {
    const commandId = commandIdOf(rest.commandId);
    if (commandId === undefined) return refused('INVALID_INPUT', BAD_COMMAND_ID, 'commandId');
    const problem = passwordProblem('newPassword', newPassword);
    if (problem !== undefined) return refused('INVALID_INPUT', problem, 'newPassword');
    const subject = this.tokens.verify('reset-password', token, at.getTime(), RESET_MS);
    if (subject === undefined)
      return refused('TOKEN_INVALID', 'This token has expired or is not valid.', 'token');
    const { userId, epoch, emailHash } = mailedToken(subject);
    const context = {
      commandId,
      caller: `user:${userId}`,
      requestHash: `reset-password:${subject}`,
      at,
      environment: 'live',
      correlationId,
    } as const;
    const history = await this.commands.load(userStream(userId));
    const earlier = earlierResult<UserEvent>(history, context);
    if (earlier) return earlier;
    // Before the costly hash: a used token can be sent again and again. What counts is decided below.
    const tried = userDecider.decide(fold(userDecider, history), {
      type: 'ResetPassword',
      passwordHash: '',
      emailHash,
      epoch,
    });
    if (tried.kind === 'refused') return tokenOver(tried);
    const passwordHash = await this.personal.seal(userId, await hashPassword(newPassword));
    return tokenOver(
      await this.commands.handle(
        userDecider,
        userStream(userId),
        { type: 'ResetPassword', passwordHash, emailHash, epoch },
        context,
      ),
    );
  }
}

/** Of a user who is not there any more nobody learns more than that the token is over. */
function tokenOver(result: CommandResult<UserEvent>): CommandResult<UserEvent> {
  return result.kind === 'refused' && result.refusal.code === 'NOT_FOUND'
    ? refused('TOKEN_INVALID', 'The user of this token is not there any more.', 'token')
    : result;
}

function refused(
  code: string,
  message: string,
  field: string,
): { readonly kind: 'refused'; readonly refusal: Refusal } {
  return { kind: 'refused', refusal: { code, message, field } };
}
