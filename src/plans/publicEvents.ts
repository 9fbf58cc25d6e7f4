import { fold } from '../eventsourcing/decider.js';
import type { StoredEvent } from '../eventsourcing/event.js';
import type { PublicEvent, PublicEventsOf } from '../eventsourcing/publicEvents.js';
import { shownId } from '../graphql/kit/ids.js';
import { subscriptionDecider } from './decide.js';
import type { SubscriptionEvent } from './events.js';

/** Without a plan of its own, an account is on the default one. */
const state = (history: readonly StoredEvent[]): object => ({
  accountId: shownId('Account', history[0]?.streamId ?? ''),
  planId: fold(subscriptionDecider, history).plan ?? null,
});

const told = (type: string, description: string): PublicEvent => ({
  type,
  description,
  account: ({ streamId }) => streamId,
  state,
});

/** What webhooks tell of plans. */
export const publicEvents: PublicEventsOf<SubscriptionEvent> = {
  PlanGranted: told('plan.changed', 'The account is on another plan.'),
  SubscriptionEnded: told('plan.ended', 'The account is on the default plan again: its own has ended.'),
};
