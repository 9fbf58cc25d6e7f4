import { accountStream } from '../accounts/events.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import type { Policy } from '../eventsourcing/policy.js';
import { causedBy } from '../eventsourcing/policy.js';
import { subscriptionStream } from '../plans/events.js';
import { billingDecider } from './decide.js';

const NAME = 'cancel-subscription';

/**
 * Nobody pays for a deleted account: its subscription is cancelled at once, and so is one that a checkout which was
 * under way still begins afterwards.
 */
export function cancelSubscription(commands: CommandHandler): Policy {
  return {
    name: NAME,
    handles: new Set(['AccountDeleted', 'TrialStarted', 'SubscriptionStarted']),
    react: async (event) => {
      const accountId = event.streamId;
      if (event.type !== 'AccountDeleted') {
        const history = await commands.load(accountStream(accountId));
        if (history.at(-1)?.type !== 'AccountDeleted') return;
      }
      // What is refused needs nothing: there is none, or it is being cancelled at once already.
      await commands.handle(
        billingDecider,
        subscriptionStream(accountId),
        { type: 'RequestCancellation', requestId: event.id, when: 'now', by: `policy:${NAME}` },
        causedBy(event, NAME),
      );
    },
  };
}
