import type { PublicEvent } from '../eventsourcing/publicEvents.js';
import type { StoredEvent } from '../eventsourcing/event.js';
import { derivedId } from '../eventsourcing/ids.js';
import { shownId } from '../graphql/kit/ids.js';
import type { Asked, Delivery } from '../outgoing/outbox.js';

/** The kind of these deliveries; their lane is the endpoint. */
export const WEBHOOK = 'webhook';
/** The type of the event that testWebhookEndpoint sends. */
export const TEST_TYPE = 'webhook.test';

/** What a delivery is about. */
export type About =
  | {
      readonly accountId: string;
      readonly type: string;
      /** Of the account. */
      readonly sequence: number;
      /** The event, by its place. */
      readonly stream: string;
      readonly revision: number;
    }
  | {
      readonly accountId: string;
      readonly type: typeof TEST_TYPE;
      readonly at: string;
    };

/** Whether it is one of testWebhookEndpoint, whose outcome is for whoever has asked for it. */
export const isTest = ({ kind, about }: Pick<Delivery, 'kind' | 'about'>): boolean =>
  kind === WEBHOOK && (about as About).type === TEST_TYPE;

/**
 * An event for an endpoint: its `webhook-id` follows from the two, and stays the same over replays.
 * @param owner the account whose endpoint it is; undefined for one of the operators
 */
export const eventFor = (
  endpointId: string,
  event: StoredEvent,
  { type, account }: PublicEvent,
  sequence: number,
  owner?: string,
): Asked => {
  const { stream, revision } = event;
  const about: About = { accountId: account(event), type, sequence, stream, revision };
  const id = derivedId('webhook', event.id, endpointId);
  return { kind: WEBHOOK, id, lane: endpointId, owner, about, topic: type, askedAt: event.metadata.at };
};

/** A test of an endpoint. @param commandId of the command that asks for it */
export const testFor = (endpointId: string, accountId: string, commandId: string, now: Date): Asked => {
  const about: About = { accountId, type: TEST_TYPE, at: now.toISOString() };
  const id = derivedId('webhook-test', commandId, endpointId);
  return { kind: WEBHOOK, id, lane: endpointId, owner: accountId, about, topic: TEST_TYPE };
};

/** The body of a webhook, by the specification's `type`, `timestamp` and `data`. The same however often it is sent. */
export function bodyOf(about: About, history: readonly StoredEvent[], told: PublicEvent | undefined): string {
  const { type } = about;
  const accountId = shownId('Account', about.accountId);
  if ('at' in about)
    return JSON.stringify({ type, timestamp: about.at, accountId, sequence: null, data: {} });
  const event = history.at(-1);
  if (!event || !told) throw new Error(`the event of a delivery is not there: ${about.stream}`);
  return JSON.stringify({
    type,
    timestamp: event.metadata.at,
    accountId,
    sequence: about.sequence,
    data: told.state(history),
  });
}
