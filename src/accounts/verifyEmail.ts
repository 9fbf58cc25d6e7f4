import type { CommandContext, CommandHandler, CommandResult } from '../eventsourcing/commandHandler.js';
import { BAD_COMMAND_ID, commandIdOf } from '../eventsourcing/commandId.js';
import type { SignedTokens } from '../secrets/signedTokens.js';
import { userDecider } from './decideUser.js';
import type { UserEvent } from './events.js';
import { userStream } from './events.js';

/** The command VerifyEmail: whoever has the token reads the mails to that address. */
export class VerifyEmail {
  constructor(
    private readonly commands: CommandHandler,
    private readonly tokens: SignedTokens,
  ) {}

  async execute(
    { token, ...rest }: { readonly token: string; readonly commandId?: string | null | undefined },
    { at, correlationId }: Pick<CommandContext, 'at' | 'correlationId'>,
  ): Promise<CommandResult<UserEvent>> {
    const commandId = commandIdOf(rest.commandId);
    if (commandId === undefined) return refused('INVALID_INPUT', BAD_COMMAND_ID, 'commandId');
    const userId = this.tokens.verify('verify-email', token, at.getTime());
    if (userId === undefined)
      return refused('TOKEN_INVALID', 'This token has expired or is not valid.', 'token');
    const result = await this.commands.handle(
      userDecider,
      userStream(userId),
      { type: 'VerifyEmail' },
      {
        commandId,
        caller: `user:${userId}`,
        requestHash: 'verify-email',
        at,
        environment: 'live',
        correlationId,
      },
    );
    return result.kind === 'refused' && result.refusal.code === 'NOT_FOUND'
      ? refused('TOKEN_INVALID', 'The user of this token is not there any more.', 'token')
      : result;
  }
}

function refused(code: string, message: string, field: string): CommandResult<UserEvent> {
  return { kind: 'refused', refusal: { code, message, field } };
}
