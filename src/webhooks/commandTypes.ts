import 'reflect-metadata';
import { createUnionType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { InvalidInput, LimitReached, NotFound, PlanRequired } from '../graphql/kit/refusals.js';
import { IdOf } from '../graphql/kit/ids.js';
import { MAX_OVERLAP_SECONDS, MAX_URL } from './decide.js';
import { WebhookDelivery, WebhookDeliveryFilterInput, WebhookEndpoint } from './types.js';

/** A day. */
const OVERLAP_SECONDS = 86_400;
/** Of one replay. */
export const MAX_REPLAYED = 1_000;

const POSITION = 'Opaque event-log position of the change. Pass it as `minPosition` to read your own write.';
const URL_RULE = `An https URL of at most ${MAX_URL} characters, without credentials or fragment, e.g. \`https://example.com/webhooks\`. It must resolve to a public address.`;
const TYPES_RULE =
  'Types of events as in `webhookEventTypes`, or `*` for all, including types of later versions.';

@InputType({ description: 'Input for `createWebhookEndpoint`.' })
export class CreateWebhookEndpointInput {
  @Field(() => String, { description: URL_RULE })
  url!: string;

  @Field(() => [String], { description: TYPES_RULE })
  eventTypes!: string[];

  @Field(() => Boolean, {
    defaultValue: false,
    description: 'Whether it receives events of all accounts. For operators, who share such endpoints.',
  })
  allAccounts!: boolean;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@InputType({ description: 'Changes to a webhook endpoint. Fields that are omitted stay unchanged.' })
export class UpdateWebhookEndpointInput {
  @IdOf('WebhookEndpoint')
  @Field(() => ID, { description: 'Id of the endpoint, as in `account.webhookEndpoints`.' })
  endpointId!: string;

  @Field(() => String, { nullable: true, description: URL_RULE })
  url?: string | null;

  @Field(() => [String], { nullable: true, description: TYPES_RULE })
  eventTypes?: string[] | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'False disables the endpoint; true enables it, also after it was disabled automatically.',
  })
  enabled?: boolean | null;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@InputType({ description: 'Input for `deleteWebhookEndpoint` and `testWebhookEndpoint`.' })
export class WebhookEndpointInput {
  @IdOf('WebhookEndpoint')
  @Field(() => ID, { description: 'Id of the endpoint, as in `account.webhookEndpoints`.' })
  endpointId!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@InputType({ description: 'Input for `rotateWebhookSecret`.' })
export class RotateWebhookSecretInput {
  @IdOf('WebhookEndpoint')
  @Field(() => ID, { description: 'Id of the endpoint, as in `account.webhookEndpoints`.' })
  endpointId!: string;

  @Field(() => Int, {
    defaultValue: OVERLAP_SECONDS,
    description: `How long webhooks are also signed with the previous secret, in seconds: 0 to ${MAX_OVERLAP_SECONDS} (7 days).`,
  })
  overlapSeconds!: number;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@InputType({ description: 'Selects the deliveries to replay: by ids or by a filter.' })
export class ReplayWebhookDeliveriesInput {
  @IdOf('WebhookEndpoint')
  @Field(() => ID, { description: 'Id of the endpoint, as in `account.webhookEndpoints`.' })
  endpointId!: string;

  @Field(() => [ID], {
    nullable: true,
    description: `Ids of deliveries, at most ${MAX_REPLAYED}.`,
  })
  deliveryIds?: string[] | null;

  @Field(() => WebhookDeliveryFilterInput, {
    nullable: true,
    description: 'Alternatively, all deliveries that match this filter.',
  })
  filter?: WebhookDeliveryFilterInput | null;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}. Sent again, it replays nothing more.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The endpoint was created.' })
export class CreateWebhookEndpointPayload {
  @Field(() => WebhookEndpoint, { description: 'The endpoint after the change.' })
  endpoint!: WebhookEndpoint;

  @Field(() => String, {
    nullable: true,
    description: 'The signing secret, `whsec_…`. Shown only in this answer; null if the command is replayed.',
  })
  secret!: string | null;

  @Field(() => Boolean, { description: 'True if this `commandId` was handled before.' })
  replayed!: boolean;

  @Field(() => String, { description: POSITION })
  position!: string;
}

@ObjectType({ simpleResolvers: true, description: 'The endpoint was changed.' })
export class UpdateWebhookEndpointPayload {
  @Field(() => WebhookEndpoint, { description: 'The endpoint after the change.' })
  endpoint!: WebhookEndpoint;

  @Field(() => String, { description: POSITION })
  position!: string;
}

@ObjectType({ simpleResolvers: true, description: 'The endpoint was deleted.' })
export class DeleteWebhookEndpointPayload {
  @IdOf('WebhookEndpoint')
  @Field(() => ID, { description: 'Id of the deleted endpoint.' })
  endpointId!: string;

  @Field(() => String, { description: POSITION })
  position!: string;
}

@ObjectType({ simpleResolvers: true, description: 'The endpoint has a new secret.' })
export class RotateWebhookSecretPayload {
  @Field(() => WebhookEndpoint, { description: 'The endpoint after the change.' })
  endpoint!: WebhookEndpoint;

  @Field(() => String, {
    nullable: true,
    description:
      'The new signing secret, `whsec_…`. Shown only in this answer; null if the command is replayed.',
  })
  secret!: string | null;

  @Field(() => Boolean, { description: 'True if this `commandId` was handled before.' })
  replayed!: boolean;

  @Field(() => String, { description: POSITION })
  position!: string;
}

@ObjectType({ simpleResolvers: true, description: 'The test is being delivered.' })
export class TestWebhookEndpointPayload {
  @Field(() => WebhookDelivery, {
    description: 'Delivery of the event `webhook.test`. It is attempted once.',
  })
  delivery!: WebhookDelivery;

  @Field(() => String, { description: 'Opaque event-log position of the last change of the endpoint.' })
  position!: string;
}

@ObjectType({ simpleResolvers: true, description: 'Deliveries are attempted again.' })
export class ReplayWebhookDeliveriesPayload {
  @Field(() => Int, {
    description: `Number of replayed deliveries: at most ${MAX_REPLAYED}, oldest first, without pending ones.`,
  })
  count!: number;

  @Field(() => Boolean, {
    description: 'Whether more deliveries match. Then repeat the command with a new `commandId`.',
  })
  more!: boolean;

  @Field(() => String, { description: 'Opaque event-log position of the last change of the endpoint.' })
  position!: string;
}

const ENDPOINT_REFUSALS = [NotFound, InvalidInput] as const;

export const CreateWebhookEndpointResult = createUnionType({
  name: 'CreateWebhookEndpointResult',
  description: 'The new endpoint, or the reason why none was created.',
  types: () => [CreateWebhookEndpointPayload, PlanRequired, LimitReached, ...ENDPOINT_REFUSALS] as const,
});

export const UpdateWebhookEndpointResult = createUnionType({
  name: 'UpdateWebhookEndpointResult',
  description: 'The changed endpoint, or the reason why it was not changed.',
  types: () => [UpdateWebhookEndpointPayload, LimitReached, ...ENDPOINT_REFUSALS] as const,
});

export const DeleteWebhookEndpointResult = createUnionType({
  name: 'DeleteWebhookEndpointResult',
  description: 'The deleted endpoint, or the reason why it was not deleted.',
  types: () => [DeleteWebhookEndpointPayload, LimitReached, ...ENDPOINT_REFUSALS] as const,
});

export const RotateWebhookSecretResult = createUnionType({
  name: 'RotateWebhookSecretResult',
  description: 'The new secret, or the reason why there is none.',
  types: () => [RotateWebhookSecretPayload, LimitReached, ...ENDPOINT_REFUSALS] as const,
});

export const TestWebhookEndpointResult = createUnionType({
  name: 'TestWebhookEndpointResult',
  description: 'The test delivery, or the reason why there is none.',
  types: () => [TestWebhookEndpointPayload, ...ENDPOINT_REFUSALS] as const,
});

export const ReplayWebhookDeliveriesResult = createUnionType({
  name: 'ReplayWebhookDeliveriesResult',
  description: 'The number of replayed deliveries, or the reason why there are none.',
  types: () => [ReplayWebhookDeliveriesPayload, ...ENDPOINT_REFUSALS] as const,
});
