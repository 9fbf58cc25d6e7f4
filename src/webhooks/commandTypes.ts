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

const POSITION = 'The place of this change in the history; opaque.';
const URL_RULE = `An https URL of at most ${MAX_URL} characters, without credentials and fragment. It must have a public address.`;
const TYPES_RULE = 'Types as in `webhookEventTypes`, or `*` for all, those of later versions too.';

@InputType({ description: 'Input for `createWebhookEndpoint`.' })
export class CreateWebhookEndpointInput {
  @Field(() => String, { description: URL_RULE })
  url!: string;

  @Field(() => [String], { description: TYPES_RULE })
  eventTypes!: string[];

  @Field(() => Boolean, {
    defaultValue: false,
    description: 'Whether it is told of all accounts. For operators, who share such endpoints.',
  })
  allAccounts!: boolean;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@InputType({ description: 'Changes to a webhook endpoint. What is left out stays as it is.' })
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
    description: 'False stops sending; true begins again, also after an automatic stop.',
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
    description: `Seconds in which webhooks are signed with the secret before, too: 0 to ${MAX_OVERLAP_SECONDS} (7 days).`,
  })
  overlapSeconds!: number;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@InputType({ description: 'Deliveries to attempt again: some by their ids, or those of a filter.' })
export class ReplayWebhookDeliveriesInput {
  @IdOf('WebhookEndpoint')
  @Field(() => ID, { description: 'Id of the endpoint, as in `account.webhookEndpoints`.' })
  endpointId!: string;

  @Field(() => [ID], {
    nullable: true,
    description: `Ids of deliveries, at most ${MAX_REPLAYED}.`,
  })
  deliveryIds?: string[] | null;

  @Field(() => WebhookDeliveryFilterInput, { nullable: true, description: 'Or all of these.' })
  filter?: WebhookDeliveryFilterInput | null;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}. Sent again, it replays nothing more.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'A new webhook endpoint and its secret.' })
export class CreateWebhookEndpointPayload {
  @Field(() => WebhookEndpoint, { description: 'The endpoint as it is now.' })
  endpoint!: WebhookEndpoint;

  @Field(() => String, {
    nullable: true,
    description: 'The signing secret, `whsec_…`. Shown this once; null when the command is sent again.',
  })
  secret!: string | null;

  @Field(() => Boolean, { description: 'Whether the command had been handled before.' })
  replayed!: boolean;

  @Field(() => String, { description: POSITION })
  position!: string;
}

@ObjectType({ simpleResolvers: true, description: 'A changed webhook endpoint.' })
export class UpdateWebhookEndpointPayload {
  @Field(() => WebhookEndpoint, { description: 'The endpoint as it is now.' })
  endpoint!: WebhookEndpoint;

  @Field(() => String, { description: POSITION })
  position!: string;
}

@ObjectType({ simpleResolvers: true, description: 'A deleted webhook endpoint.' })
export class DeleteWebhookEndpointPayload {
  @IdOf('WebhookEndpoint')
  @Field(() => ID, { description: 'The endpoint that was deleted.' })
  endpointId!: string;

  @Field(() => String, { description: POSITION })
  position!: string;
}

@ObjectType({ simpleResolvers: true, description: 'The new secret of a webhook endpoint.' })
export class RotateWebhookSecretPayload {
  @Field(() => WebhookEndpoint, { description: 'The endpoint as it is now.' })
  endpoint!: WebhookEndpoint;

  @Field(() => String, {
    nullable: true,
    description: 'The new signing secret, `whsec_…`. Shown this once; null when the command is sent again.',
  })
  secret!: string | null;

  @Field(() => Boolean, { description: 'Whether the command had been handled before.' })
  replayed!: boolean;

  @Field(() => String, { description: POSITION })
  position!: string;
}

@ObjectType({ simpleResolvers: true, description: 'A test that is on its way.' })
export class TestWebhookEndpointPayload {
  @Field(() => WebhookDelivery, {
    description: 'Its delivery, an event of the type `webhook.test`. It is attempted once.',
  })
  delivery!: WebhookDelivery;

  @Field(() => String, { description: 'The place of the last change of the endpoint; opaque.' })
  position!: string;
}

@ObjectType({ simpleResolvers: true, description: 'Deliveries that are attempted again.' })
export class ReplayWebhookDeliveriesPayload {
  @Field(() => Int, {
    description: `How many: at most ${MAX_REPLAYED}, the oldest first. Pending ones do not count.`,
  })
  count!: number;

  @Field(() => Boolean, { description: 'Whether there are more: then send it again with a new `commandId`.' })
  more!: boolean;

  @Field(() => String, { description: 'The place of the last change of the endpoint; opaque.' })
  position!: string;
}

const ENDPOINT_REFUSALS = [NotFound, InvalidInput] as const;

export const CreateWebhookEndpointResult = createUnionType({
  name: 'CreateWebhookEndpointResult',
  description: 'The new endpoint, or why there is none.',
  types: () => [CreateWebhookEndpointPayload, PlanRequired, LimitReached, ...ENDPOINT_REFUSALS] as const,
});

export const UpdateWebhookEndpointResult = createUnionType({
  name: 'UpdateWebhookEndpointResult',
  description: 'The changed endpoint, or why it was not changed.',
  types: () => [UpdateWebhookEndpointPayload, LimitReached, ...ENDPOINT_REFUSALS] as const,
});

export const DeleteWebhookEndpointResult = createUnionType({
  name: 'DeleteWebhookEndpointResult',
  description: 'The deleted endpoint, or why it was not deleted.',
  types: () => [DeleteWebhookEndpointPayload, LimitReached, ...ENDPOINT_REFUSALS] as const,
});

export const RotateWebhookSecretResult = createUnionType({
  name: 'RotateWebhookSecretResult',
  description: 'The new secret, or why there is none.',
  types: () => [RotateWebhookSecretPayload, LimitReached, ...ENDPOINT_REFUSALS] as const,
});

export const TestWebhookEndpointResult = createUnionType({
  name: 'TestWebhookEndpointResult',
  description: 'The test, or why there is none.',
  types: () => [TestWebhookEndpointPayload, ...ENDPOINT_REFUSALS] as const,
});

export const ReplayWebhookDeliveriesResult = createUnionType({
  name: 'ReplayWebhookDeliveriesResult',
  description: 'How many deliveries are attempted again, or why none are.',
  types: () => [ReplayWebhookDeliveriesPayload, ...ENDPOINT_REFUSALS] as const,
});
