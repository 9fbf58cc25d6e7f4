import type { Audited } from '../eventsourcing/audited.js';
import type { OperatorEvent } from './events.js';

/** What the audit log keeps. */
export const audited: Audited<OperatorEvent> = {
  OperatorGranted: ({ accountId, userId, reason }) => ({
    account: accountId,
    subject: `user:${userId}`,
    reason,
  }),
  OperatorRevoked: ({ accountId, userId, reason }) => ({
    account: accountId,
    subject: `user:${userId}`,
    reason,
  }),
};
