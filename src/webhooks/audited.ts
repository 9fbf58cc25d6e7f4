import type { Audited } from '../eventsourcing/audited.js';
import type { WebhookEndpointEvent } from './events.js';

/** What the audit log keeps. */
export const audited: Audited<WebhookEndpointEvent> = {
  WebhookEndpointCreated: ({ accountId, by }) => ({ account: accountId, actor: by }),
  WebhookEndpointUpdated: ({ accountId, by, enabled }) => ({
    account: accountId,
    actor: by,
    reason: enabled ? 'enabled' : 'disabled',
  }),
  WebhookSecretRotated: ({ accountId, by }) => ({ account: accountId, actor: by }),
  WebhookEndpointDisabled: ({ accountId, reason }) => ({ account: accountId, reason }),
  WebhookEndpointDeleted: ({ accountId, by }) => ({ account: accountId, actor: by }),
};
