import { fold } from '../eventsourcing/decider.js';
import type { StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import type { PublicEventsOf } from '../eventsourcing/publicEvents.js';
import { shownId } from '../graphql/kit/ids.js';
import { endpointDecider } from './decide.js';
import type { WebhookEndpointEvent } from './events.js';

/** The address and the secret stay with whoever may see the endpoint. */
function state(history: readonly StoredEvent[]): object {
  const { endpoint } = fold(endpointDecider, history);
  return {
    id: shownId('WebhookEndpoint', history[0]?.streamId ?? ''),
    accountId: endpoint && shownId('Account', endpoint.accountId),
    eventTypes: endpoint?.eventTypes,
    enabled: endpoint?.enabled,
    disabledReason: endpoint?.disabledReason,
  };
}

/** What webhooks tell of it, at other endpoints. */
export const publicEvents: PublicEventsOf<WebhookEndpointEvent> = {
  WebhookEndpointDisabled: {
    type: 'webhook_endpoint.disabled',
    description:
      'An endpoint was disabled since nothing could be delivered to it for three days, or it was gone.',
    account: (event) => as<WebhookEndpointEvent>(event).data.accountId,
    state,
  },
};
