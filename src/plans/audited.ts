import type { Audited } from '../eventsourcing/audited.js';
import type { SubscriptionEvent } from './events.js';

/** What the audit log keeps. */
export const audited: Audited<SubscriptionEvent> = {
  PlanGranted: ({ grantedBy, reason }, id) => ({ account: id, actor: grantedBy, reason }),
  SubscriptionEnded: ({ reason }, id) => ({ account: id, reason }),
};
