import type { AccountEvent } from '../accounts/events.js';
import type { Clock } from '../clock.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import type { Position } from '../eventsourcing/event.js';
import type { Policy } from '../eventsourcing/policy.js';
import { causedBy } from '../eventsourcing/policy.js';
import type { PublicEvents } from '../eventsourcing/publicEvents.js';
import type { Outbox } from '../outgoing/outbox.js';
import type { PersonalData } from '../secrets/personalData.js';
import { endpointDecider } from './decide.js';
import { eventFor } from './deliveries.js';
import type { WebhookEndpointEvent } from './events.js';
import { endpointStream } from './events.js';
import type { WebhookSequences } from './sequences.js';

/** An endpoint that is told of an event. */
interface Listener {
  readonly id: string;
  /** The account whose it is; undefined for one of the operators. */
  readonly owner: string | undefined;
}

/** What happens is told at the endpoints that want to know it. */
export function askForWebhooks(
  publicEvents: PublicEvents,
  outbox: Outbox,
  sequences: WebhookSequences,
  /** Endpoints that listened when it happened, and may. */
  listening: (accountId: string, eventType: string, position: Position) => Promise<readonly Listener[]>,
  clock: Clock,
): Policy {
  return {
    name: 'ask-for-webhooks',
    handles: new Set(Object.keys(publicEvents)),
    react: async (event) => {
      const told = publicEvents[event.type];
      if (!told) return;
      const accountId = told.account(event);
      const all = await listening(accountId, told.type, event.position);
      // None is told of itself.
      const endpoints = all.filter(({ id }) => endpointStream(id) !== event.stream);
      if (endpoints.length === 0) return;
      const sequence = await sequences.of(accountId, event.id);
      await outbox.ask(
        endpoints.map(({ id, owner }) => eventFor(id, event, told, sequence, owner)),
        new Date(clock()),
      );
    },
  };
}

/** The endpoints of a deleted account are deleted, too. */
export function endWebhooks(
  commands: CommandHandler,
  endpointsOf: (accountId: string, position: Position) => Promise<readonly string[]>,
): Policy {
  const name = 'end-webhooks';
  return {
    name,
    handles: new Set<AccountEvent['type']>(['AccountDeleted']),
    react: async (event) => {
      for (const id of await endpointsOf(event.streamId, event.position)) {
        await commands.handle(
          endpointDecider,
          endpointStream(id),
          { type: 'DeleteWebhookEndpoint', asking: undefined },
          causedBy(event, name),
        );
      }
    },
  };
}

/** Nobody can read the address and the secrets of a deleted endpoint any more. */
export function eraseEndpoint(personal: Pick<PersonalData, 'erase'>): Policy {
  return {
    name: 'erase-webhook-endpoint',
    handles: new Set<WebhookEndpointEvent['type']>(['WebhookEndpointDeleted']),
    react: ({ streamId }) => personal.erase([streamId]),
  };
}
