import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { as } from '../eventsourcing/event.js';
import type { Policy } from '../eventsourcing/policy.js';
import { causedBy } from '../eventsourcing/policy.js';
import { account, user } from './decide.js';
import type { EmailEvent } from './events.js';
import { accountStream, userStream } from './events.js';

/** A registered e-mail gets its user and its account; a crash in between is made good on the next start. */
export function openAccount(commands: CommandHandler): Policy {
  return {
    name: 'open-account',
    handles: new Set(['EmailRegistered']),
    react: async (event) => {
      const { userId, accountId, email, name } = as<EmailEvent>(event).data;
      const context = causedBy(event, 'open-account');
      await commands.handle(account, accountStream(accountId), { ownerId: userId }, context);
      await commands.handle(user, userStream(userId), { accountId, email, name }, context);
    },
  };
}
