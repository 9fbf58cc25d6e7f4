import { accountStream } from '../accounts/events.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { fold } from '../eventsourcing/decider.js';
import type { StoredEvent } from '../eventsourcing/event.js';
import type { Policy } from '../eventsourcing/policy.js';
import { causedBy } from '../eventsourcing/policy.js';
import { subscriptionStream } from '../plans/events.js';
import type { PersonalData } from '../secrets/personalData.js';
import { billingDecider } from './decide.js';
import { customerSubject } from './events.js';

const NAME = 'cancel-subscription';

/**
 * Nobody pays for a deleted account: its subscription is cancelled at once, and so is one that a checkout which was
 * under way still begins afterwards. What was paid for that one is given back.
 */
export function cancelSubscription(commands: CommandHandler): Policy {
  return {
    name: NAME,
    handles: new Set(['AccountDeleted', 'TrialStarted', 'SubscriptionStarted']),
    react: async (event) => {
      const accountId = event.streamId;
      const deleted = await deletionOf(commands, event);
      if (!deleted) return;
      const refund = event.position > deleted.position;
      // What is refused needs nothing: there is none, or it is being cancelled at once already.
      await commands.handle(
        billingDecider,
        subscriptionStream(accountId),
        { type: 'RequestCancellation', requestId: event.id, when: 'now', refund, by: `policy:${NAME}` },
        causedBy(event, NAME),
      );
    },
  };
}

/** The page on which a deleted account's subscription could be paid is closed. */
export function withdrawCheckout(commands: CommandHandler): Policy {
  return {
    name: 'withdraw-checkout',
    handles: new Set(['AccountDeleted', 'CheckoutRequested']),
    react: async (event) => {
      if (!(await deletionOf(commands, event))) return;
      await commands.handle(
        billingDecider,
        subscriptionStream(event.streamId),
        { type: 'WithdrawCheckout' },
        causedBy(event, 'withdraw-checkout'),
      );
    },
  };
}

/**
 * What Stripe has written of a deleted account's customer is erased, and what it still writes is not kept: whichever
 * of the two comes second, the account's end or its customer, finds the other.
 */
export function eraseCustomer(commands: CommandHandler, personal: PersonalData): Policy {
  return {
    name: 'erase-customer',
    handles: new Set(['AccountDeleted', 'CustomerCreated']),
    react: async (event) => {
      if (!(await deletionOf(commands, event))) return;
      const history = await commands.load(subscriptionStream(event.streamId));
      const { customer } = fold(billingDecider, history);
      if (customer !== undefined) await personal.erase([customerSubject(customer)]);
    },
  };
}

/** By what the account that an event is about has been deleted; undefined where it has not. */
async function deletionOf(
  commands: CommandHandler,
  event: StoredEvent,
): Promise<Pick<StoredEvent, 'position'> | undefined> {
  if (event.type === 'AccountDeleted') return event;
  const last = (await commands.load(accountStream(event.streamId))).at(-1);
  return last?.type === 'AccountDeleted' ? last : undefined;
}
