import { as } from '../eventsourcing/event.js';
import type { PublicEventsOf } from '../eventsourcing/publicEvents.js';
import { shownId } from '../graphql/kit/ids.js';
import type { UsageThresholdEvent } from './events.js';

/** What webhooks tell of usage. */
export const publicEvents: PublicEventsOf<UsageThresholdEvent> = {
  UsageThresholdReached: {
    type: 'usage.threshold_reached',
    description:
      'Live use has reached a part of a limit over a day or longer, of a plan or of a key: once in each period.',
    account: (event) => as<UsageThresholdEvent>(event).data.accountId,
    state: ([reached]) => {
      if (!reached) return {};
      const { accountId, keyId, max, used, ...rest } = as<UsageThresholdEvent>(reached).data;
      return {
        accountId: shownId('Account', accountId),
        keyId: keyId === null ? null : shownId('Key', keyId),
        ...rest,
        // As texts, as quantities are everywhere; in the smallest unit of the meter.
        max: String(max),
        used: String(used),
        at: reached.metadata.at,
      };
    },
  },
};
