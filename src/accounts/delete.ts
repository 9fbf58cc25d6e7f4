import type { CommandContext, CommandHandler, CommandResult } from '../eventsourcing/commandHandler.js';
import { earlierResult } from '../eventsourcing/commandHandler.js';
import { BAD_COMMAND_ID, commandIdOf } from '../eventsourcing/commandId.js';
import type { Refusal } from '../eventsourcing/decider.js';
import { as } from '../eventsourcing/event.js';
import type { PersonalData } from '../secrets/personalData.js';
import { accountDecider } from './decideAccount.js';
import { emailHashOf, isPassword } from './credentials.js';
import type { AccountEvent } from './events.js';
import { accountStream } from './events.js';

export interface Deletion {
  readonly accountId: string;
  readonly userId: string;
  readonly password: string;
  readonly commandId?: string | null | undefined;
}

const NO_USER = 'The user of this account is not there yet, or has been erased.';

type Deleted = CommandResult<AccountEvent>;

/**
 * The command DeleteAccount: it commits on the account's stream; keys, subscription, e-mail and
 * personal data follow by policies.
 */
export class DeleteAccount {
  constructor(
    private readonly commands: CommandHandler,
    private readonly personal: PersonalData,
    private readonly emailKey: Buffer,
  ) {}

  /** On behalf of the user, who gives the password again. */
  async execute(
    { accountId, userId, password, ...rest }: Deletion,
    { at, correlationId }: Pick<CommandContext, 'at' | 'correlationId'>,
  ): Promise<Deleted> {
    const commandId = commandIdOf(rest.commandId);
    if (commandId === undefined) return refused('INVALID_INPUT', BAD_COMMAND_ID, 'commandId');
    const by = `user:${userId}`;
    const context = contextOf(accountId, by, commandId, at, correlationId);
    const earlier = earlierResult<AccountEvent>(await this.commands.load(accountStream(accountId)), context);
    if (earlier) return earlier;

    const hash = await emailHashOf(this.commands, this.personal, this.emailKey, userId);
    if (hash === undefined) return refused('NOT_FOUND', NO_USER);
    if (!(await isPassword(this.commands, this.personal, hash, userId, password))) {
      return refused('PASSWORD_WRONG', 'This is not the password of the user who is signed in.', 'password');
    }
    return this.#delete(accountId, { ownerId: userId, emailHash: hash, by }, context);
  }

  /** On behalf of the operator, who was asked for it by other ways. Deleted before, it changes nothing. */
  async byOperator(accountId: string, at: Date): Promise<Deleted> {
    const by = 'operator';
    const context = contextOf(accountId, by, `erase:${accountId}`, at, `erase:${accountId}`);
    const history = await this.commands.load(accountStream(accountId));
    const earlier = earlierResult<AccountEvent>(history, context);
    if (earlier) return earlier;
    const [opened] = history;
    if (!opened) return refused('NOT_FOUND', 'There is no account with this id.');
    const { ownerId } = as<AccountEvent>(opened).data;
    const hash = await emailHashOf(this.commands, this.personal, this.emailKey, ownerId);
    if (hash === undefined) return refused('NOT_FOUND', NO_USER);
    return this.#delete(accountId, { ownerId, emailHash: hash, by }, context);
  }

  #delete(
    accountId: string,
    deletion: { ownerId: string; emailHash: string; by: string },
    context: CommandContext,
  ): Promise<Deleted> {
    return this.commands.handle(
      accountDecider,
      accountStream(accountId),
      { type: 'DeleteAccount', ...deletion },
      context,
    );
  }
}

function contextOf(
  accountId: string,
  caller: string,
  commandId: string,
  at: Date,
  correlationId: string,
): CommandContext {
  return { commandId, caller, requestHash: `delete:${accountId}`, at, environment: 'live', correlationId };
}

function refused(
  code: string,
  message: string,
  field?: string,
): { readonly kind: 'refused'; readonly refusal: Refusal } {
  return { kind: 'refused', refusal: field === undefined ? { code, message } : { code, message, field } };
}
