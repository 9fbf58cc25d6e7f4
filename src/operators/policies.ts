import type { AccountEvent, EmailEvent, UserEvent } from '../accounts/events.js';
import { accountStream } from '../accounts/events.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { as } from '../eventsourcing/event.js';
import type { Policy } from '../eventsourcing/policy.js';
import { causedBy } from '../eventsourcing/policy.js';
import type { OperatorUser } from './decide.js';
import { operatorsDecider } from './decide.js';
import type { OperatorEvent } from './events.js';
import { OPERATORS_STREAM } from './events.js';

const NAME = 'keep-operators';

type Handled =
  | Extract<AccountEvent, { type: 'AccountDeleted' }>
  | Extract<EmailEvent, { type: 'EmailReleased' }>
  | Extract<UserEvent, { type: 'EmailVerified' | 'EmailChanged' }>
  | Extract<OperatorEvent, { type: 'OperatorGranted' }>;

/**
 * Whoever verifies an e-mail that OPERATORS names is an operator from then on, until the e-mail is
 * released; and nobody is one without an account.
 * @param configured those who hold such an e-mail now, verified
 */
export function keepOperators(
  commands: CommandHandler,
  configured: () => Promise<readonly OperatorUser[]>,
): Policy {
  return {
    name: NAME,
    handles: new Set<Handled['type']>([
      'AccountDeleted',
      'EmailChanged',
      'EmailReleased',
      'EmailVerified',
      'OperatorGranted',
    ]),
    react: async (event) => {
      const { type, data } = as<Handled>(event);
      const context = causedBy(event, NAME);
      if (type === 'EmailVerified' || type === 'EmailChanged' || type === 'EmailReleased') {
        const users = await configured();
        await commands.handle(
          operatorsDecider,
          OPERATORS_STREAM,
          { type: 'ConfigureOperators', users },
          context,
        );
        return;
      }
      let userId: string;
      if (type === 'OperatorGranted') {
        const account = await commands.load(accountStream(data.accountId));
        if (account.at(-1)?.type !== 'AccountDeleted') return;
        ({ userId } = data);
      } else userId = data.ownerId;
      await commands.handle(operatorsDecider, OPERATORS_STREAM, { type: 'RemoveOperator', userId }, context);
    },
  };
}
