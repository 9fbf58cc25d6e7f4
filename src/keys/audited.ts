import type { Audited } from '../eventsourcing/audited.js';
import type { KeyEvent } from './events.js';

/** What the audit log keeps. */
export const audited: Audited<KeyEvent> = {
  KeyIssued: ({ accountId }) => ({ account: accountId }),
  KeyRotated: ({ accountId, by }) => ({ account: accountId, actor: by }),
  KeyRevoked: ({ accountId, by }) => ({ account: accountId, actor: by }),
};
