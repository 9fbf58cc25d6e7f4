import type { CommandContext, CommandHandler } from '../eventsourcing/commandHandler.js';
import { earlierResult } from '../eventsourcing/commandHandler.js';
import { BAD_COMMAND_ID, commandIdOf } from '../eventsourcing/commandId.js';
import type { Refusal } from '../eventsourcing/decider.js';
import { fold } from '../eventsourcing/decider.js';
import type { Position } from '../eventsourcing/event.js';
import type { PersonalData } from '../secrets/personalData.js';
import { emailHashOf, isPassword } from './credentials.js';
import { userDecider } from './decideUser.js';
import type { UserEvent } from './events.js';
import { userStream } from './events.js';
import { hashPassword, passwordProblem } from './passwords.js';
import type { Session } from '../sessions/events.js';
import type { Attempts } from './attempts.js';
import type { SessionTokens } from '../sessions/tokenTypes.js';
import type { StartsSession } from './startsSession.js';

export interface PasswordChange {
  readonly currentPassword: string;
  readonly newPassword: string;
  readonly commandId?: string | null | undefined;
}

export type ChangedPassword =
  | {
      readonly kind: 'changed';
      /** Of the session that takes the place of all others; null when the command had been handled before. */
      readonly tokens: SessionTokens | null;
      readonly position: Position;
    }
  | { readonly kind: 'limited'; readonly waitMs: number }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** The command ChangePassword. It ends all sessions of the user and opens a new one for whoever asked. */
export class ChangePassword {
  constructor(
    private readonly commands: CommandHandler,
    private readonly personal: PersonalData,
    private readonly startSession: StartsSession,
    /** Whoever has found a session must not guess the password. */
    private readonly attempts: Attempts,
    private readonly emailKey: Buffer,
  ) {}

  async execute(
    { userId, accountId }: Pick<Session, 'userId' | 'accountId'>,
    { currentPassword, newPassword, ...rest }: PasswordChange,
    { at, correlationId }: Pick<CommandContext, 'at' | 'correlationId'>,
  ): Promise<ChangedPassword> {
    const commandId = commandIdOf(rest.commandId);
    if (commandId === undefined) return refused('INVALID_INPUT', BAD_COMMAND_ID, 'commandId');
    const problem = passwordProblem('newPassword', newPassword);
    if (problem !== undefined) return refused('INVALID_INPUT', problem, 'newPassword');
    const caller = `user:${userId}`;
    const context = {
      commandId,
      caller,
      requestHash: 'change-password',
      at,
      environment: 'live',
      correlationId,
    } as const;
    const history = await this.commands.load(userStream(userId));
    const earlier = earlierResult<UserEvent>(history, context);
    if (earlier?.kind === 'refused') return earlier;
    if (earlier) return { kind: 'changed', tokens: null, position: earlier.position };

    const attempt = this.attempts.take(`password:${userId}`);
    if (attempt.waitMs > 0) return { kind: 'limited', waitMs: attempt.waitMs };
    if (!(await this.#isPassword(userId, currentPassword))) {
      return refused(
        'PASSWORD_WRONG',
        'This is not the password of the user who is signed in.',
        'currentPassword',
      );
    }
    attempt.giveBack();
    const { epoch } = fold(userDecider, history);
    const passwordHash = await this.personal.seal(userId, await hashPassword(newPassword));
    const changed = await this.commands.handle(
      userDecider,
      userStream(userId),
      { type: 'ChangePassword', accountId, passwordHash, epoch },
      context,
    );
    if (changed.kind === 'refused') return changed;
    const { position } = changed;
    if (changed.replayed) return { kind: 'changed', tokens: null, position };
    const started = await this.startSession.execute({ userId, accountId, epoch: epoch + 1 }, 'password', {
      commandId: `password:${commandId}`,
      caller,
      at,
      correlationId,
    });
    if (started.kind === 'refused') return started;
    return { kind: 'changed', tokens: started.tokens, position: started.position };
  }

  async #isPassword(userId: string, password: string): Promise<boolean> {
    const hash = await emailHashOf(this.commands, this.personal, this.emailKey, userId);
    return hash !== undefined && isPassword(this.commands, this.personal, hash, userId, password);
  }
}

function refused(code: string, message: string, field: string): ChangedPassword {
  return { kind: 'refused', refusal: { code, message, field } };
}
