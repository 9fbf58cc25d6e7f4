import type { CommandContext, CommandHandler } from '../eventsourcing/commandHandler.js';
import type { OperatorUser } from './decide.js';
import { operatorsDecider } from './decide.js';
import { OPERATORS_STREAM } from './events.js';

/** Those whom the configuration makes operators: they hold an e-mail that it names, verified. */
export async function configuredOperators(
  emails: readonly string[],
  verifiedHolder: (email: string) => Promise<OperatorUser | undefined>,
): Promise<OperatorUser[]> {
  const holders: OperatorUser[] = [];
  for (const email of emails) {
    const holder = await verifiedHolder(email);
    if (holder) holders.push(holder);
  }
  return holders;
}

/** Makes the configuration's change of operators since the last start an event. */
export async function makeOperators(
  commands: CommandHandler,
  users: readonly OperatorUser[],
  context: Omit<CommandContext, 'requestHash' | 'commandId'>,
): Promise<void> {
  await commands.handle(
    operatorsDecider,
    OPERATORS_STREAM,
    { type: 'ConfigureOperators', users },
    {
      ...context,
      requestHash: 'operators',
      // Every start is a command of its own; where nothing has changed it adds no event.
      commandId: `operators:${context.at.getTime()}`,
    },
  );
}
