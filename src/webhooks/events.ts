import type { Sealed } from '../secrets/personalData.js';

/** Stands for every type of event, those of later versions too. */
export const EVERY_TYPE = '*';

/** Why an endpoint was disabled that nobody has disabled. */
export type DisabledReason =
  /** A delivery failed for three days, and no other was received meanwhile. */
  | 'FAILING'
  /** The receiver has answered 410 Gone. */
  | 'GONE';

/**
 * Stream `webhook_endpoint-<id>`: where events are sent to. Its address may hold a token, and is sealed for the
 * endpoint like its secret; both are erased with it.
 */
export type WebhookEndpointEvent =
  | {
      readonly type: 'WebhookEndpointCreated';
      readonly data: {
        /** Whose it is; of one that operators share: of the operator who made it. */
        readonly accountId: string;
        /** Whether it is the operators', and told of all accounts. */
        readonly allAccounts: boolean;
        readonly url: Sealed;
        readonly eventTypes: readonly string[];
        readonly secret: Sealed;
        readonly by: string;
      };
    }
  | {
      /** How it is set from now on, whole. */
      readonly type: 'WebhookEndpointUpdated';
      readonly data: {
        readonly accountId: string;
        readonly url: Sealed;
        readonly eventTypes: readonly string[];
        readonly enabled: boolean;
        readonly by: string;
      };
    }
  | {
      readonly type: 'WebhookSecretRotated';
      readonly data: {
        readonly accountId: string;
        readonly secret: Sealed;
        /** Until then it is signed with the secret before, too; ISO 8601. */
        readonly overlapEndsAt: string;
        readonly by: string;
      };
    }
  | {
      readonly type: 'WebhookEndpointDisabled';
      readonly data: { readonly accountId: string; readonly reason: DisabledReason };
    }
  | {
      readonly type: 'WebhookEndpointDeleted';
      readonly data: { readonly accountId: string; readonly by: string };
    };

/** What a delivery to an endpoint is about. */
interface Told {
  readonly endpointId: string;
  readonly accountId: string;
  /** E.g. `key.revoked`. */
  readonly eventType: string;
  /** 1, and one more for each replay. */
  readonly round: number;
  /** In this round. */
  readonly attempts: number;
}

/** Stream `webhook_delivery-<webhook-id>`: what became of an event for an endpoint. */
export type WebhookDeliveryEvent =
  | { readonly type: 'WebhookDelivered'; readonly data: Told }
  | { readonly type: 'WebhookGivenUp'; readonly data: Told & { readonly reason: string } };

export const endpointStream = (id: string): string => `webhook_endpoint-${id}`;
export const deliveryStream = (id: string): string => `webhook_delivery-${id}`;
