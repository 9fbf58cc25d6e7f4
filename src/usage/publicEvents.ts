import { as } from '../eventsourcing/event.js';
import type { PublicEventsOf } from '../eventsourcing/publicEvents.js';
import type { UsageThresholdEvent } from './events.js';

/** What webhooks tell of usage. */
export const publicEvents: PublicEventsOf<UsageThresholdEvent> = {
  UsageThresholdReached: {
    type: 'usage.threshold_reached',
    description:
      'Live use has reached a part of a limit over a day or longer, of a plan or of a key: once in each period.',
    account: (event) => as<UsageThresholdEvent>(event).data.accountId,
    state: ([reached]) =>
      reached ? { ...as<UsageThresholdEvent>(reached).data, at: reached.metadata.at } : {},
  },
};
