import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import type { Policy } from '../eventsourcing/policy.js';
import { causedBy } from '../eventsourcing/policy.js';
import { subscriptionDecider } from './decide.js';
import { subscriptionStream } from './events.js';

/** The subscription of a deleted account ends. */
export function endSubscription(commands: CommandHandler): Policy {
  return {
    name: 'end-subscription',
    handles: new Set(['AccountDeleted']),
    react: async (event) => {
      await commands.handle(
        subscriptionDecider,
        subscriptionStream(event.streamId),
        { type: 'EndSubscription', reason: 'the account was deleted' },
        causedBy(event, 'end-subscription'),
      );
    },
  };
}
