import type { Audited } from '../eventsourcing/audited.js';
import type { IdentityLinked } from './events.js';

/** What the audit log keeps. */
export const audited: Audited<IdentityLinked> = {
  IdentityLinked: ({ accountId, userId, issuer }) => ({
    account: accountId,
    actor: `user:${userId}`,
    reason: issuer,
  }),
};
