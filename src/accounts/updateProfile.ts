import type { CommandContext, CommandHandler, CommandResult } from '../eventsourcing/commandHandler.js';
import { BAD_COMMAND_ID, commandIdOf } from '../eventsourcing/commandId.js';
import type { PersonalData } from '../secrets/personalData.js';
import { keyedHash } from '../secrets/secrets.js';
import { textProblem, tidy } from '../text/text.js';
import { userDecider } from './decideUser.js';
import type { UserEvent } from './events.js';
import { userStream } from './events.js';
import { NAME } from './register.js';
import type { Session } from '../sessions/events.js';

export interface ProfileUpdate {
  readonly name: string;
  readonly commandId?: string | null | undefined;
}

/** The command UpdateProfile. */
export class UpdateProfile {
  constructor(
    private readonly commands: CommandHandler,
    private readonly personal: PersonalData,
    private readonly hashKey: Buffer,
  ) {}

  async execute(
    { userId, accountId }: Pick<Session, 'userId' | 'accountId'>,
    { name: given, ...rest }: ProfileUpdate,
    { at, correlationId }: Pick<CommandContext, 'at' | 'correlationId'>,
  ): Promise<CommandResult<UserEvent>> {
    const commandId = commandIdOf(rest.commandId);
    if (commandId === undefined) return refused(BAD_COMMAND_ID, 'commandId');
    const name = tidy(given);
    const problem = textProblem('name', name, NAME);
    if (problem !== undefined) return refused(problem, 'name');
    return this.commands.handle(
      userDecider,
      userStream(userId),
      { type: 'UpdateProfile', accountId, name: await this.personal.seal(userId, name) },
      {
        commandId,
        caller: `user:${userId}`,
        requestHash: keyedHash(this.hashKey, 'request', JSON.stringify({ name })),
        at,
        environment: 'live',
        correlationId,
      },
    );
  }
}

function refused(message: string, field: string): CommandResult<UserEvent> {
  return { kind: 'refused', refusal: { code: 'INVALID_INPUT', message, field } };
}
