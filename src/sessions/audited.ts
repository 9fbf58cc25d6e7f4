import type { Audited } from '../eventsourcing/audited.js';
import type { SessionEvent } from './events.js';

/** What the audit log keeps. The end of all sessions is told by the user (accounts). */
export const audited: Audited<SessionEvent> = {
  SessionStarted: ({ accountId, userId, how }) => ({
    account: accountId,
    actor: `user:${userId}`,
    reason: how,
  }),
  SessionEnded: ({ accountId, userId, reason }) => ({
    account: accountId,
    actor: `user:${userId}`,
    reason,
  }),
};
