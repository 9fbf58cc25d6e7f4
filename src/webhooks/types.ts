import 'reflect-metadata';
import { ArgsType, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { EndpointRow } from '../../projections/webhooks/queries.js';
import { Sized } from '../graphql/cost/directives.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { Node } from '../graphql/kit/node.js';
import { connectionOf, PageArgs } from '../graphql/kit/pages.js';
import type { DeliveryFilter, LoggedAttempt, LoggedDelivery } from '../outgoing/outbox.js';
import { DELIVERED } from '../outgoing/outbox.js';
import { MAX_EVENT_TYPES } from './decide.js';
import type { About } from './deliveries.js';

export enum WebhookStatus {
  ENABLED = 'ENABLED',
  DISABLED = 'DISABLED',
}
registerEnumType(WebhookStatus, {
  name: 'WebhookStatus',
  description: 'Whether events are sent to an endpoint.',
  valuesConfig: {
    ENABLED: { description: 'Events are sent.' },
    DISABLED: { description: 'Events are not sent, and what happens meanwhile is not sent later.' },
  },
});

export enum WebhookDisabledReason {
  FAILING = 'FAILING',
  GONE = 'GONE',
}
registerEnumType(WebhookDisabledReason, {
  name: 'WebhookDisabledReason',
  description: 'Why an endpoint was disabled automatically.',
  valuesConfig: {
    FAILING: { description: 'A delivery failed for three days, and no other one was received meanwhile.' },
    GONE: { description: 'The receiver answered 410 Gone.' },
  },
});

export enum WebhookDeliveryStatus {
  PENDING = 'PENDING',
  DELIVERED = 'DELIVERED',
  GIVEN_UP = 'GIVEN_UP',
}
registerEnumType(WebhookDeliveryStatus, {
  name: 'WebhookDeliveryStatus',
  description: 'Where a delivery stands.',
  valuesConfig: {
    PENDING: { description: 'It will be attempted, for the first time or again.' },
    DELIVERED: { description: 'The receiver answered with a status of 200 to 299.' },
    GIVEN_UP: { description: 'It will not be attempted any more, unless it is replayed.' },
  },
});

/** Attempts of one delivery that are shown, the newest. */
export const MAX_ATTEMPTS_SHOWN = 11;

@ObjectType({ simpleResolvers: true, description: 'One attempt to deliver an event.' })
export class WebhookAttempt {
  @Field(() => DateTimeISO, { description: 'When it began.' })
  at!: Date;

  @Field(() => Int, { description: 'How long it took, in milliseconds.' })
  durationMs!: number;

  @Field(() => Int, { nullable: true, description: 'The HTTP status of the answer; null if there was none.' })
  status!: number | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Null if it succeeded. `STATUS` (a status other than 200 to 299; redirects are not followed), `NAME_NOT_RESOLVED`, `ADDRESS_NOT_ALLOWED` (not a public address), `CONNECTION_FAILED`, `TLS_FAILED`, `TIMED_OUT` (no complete answer within 15 seconds) or `URL_NOT_ALLOWED`.',
  })
  failure!: string | null;
}

@ObjectType({
  simpleResolvers: true,
  description: 'An event on its way to an endpoint. Kept for 30 days after its end.',
})
export class WebhookDelivery {
  @Field(() => ID, {
    description:
      'The header `webhook-id`: the same for every attempt and replay, so receivers can tell repeats.',
  })
  id!: string;

  @Field(() => String, { description: 'The type of the event, e.g. `key.revoked`.' })
  eventType!: string;

  @Field(() => WebhookDeliveryStatus, { description: 'Where it stands.' })
  status!: WebhookDeliveryStatus;

  @Field(() => String, {
    nullable: true,
    description:
      'Why it was given up: `EXHAUSTED` (the last attempt failed), `GONE`, `ENDPOINT_DISABLED`, or null.',
  })
  givenUpReason!: string | null;

  @Field(() => DateTimeISO, { description: 'When the event happened.' })
  createdAt!: Date;

  @Field(() => DateTimeISO, { nullable: true, description: 'When it is attempted next; null if it is not.' })
  nextAttemptAt!: Date | null;

  @Sized({ assumedSize: MAX_ATTEMPTS_SHOWN })
  @Field(() => [WebhookAttempt], {
    description: `Its attempts, the newest first: the last ${MAX_ATTEMPTS_SHOWN}.`,
  })
  attempts!: WebhookAttempt[];
}

export const WebhookDeliveryConnection = connectionOf(WebhookDelivery, {
  entry: 'WebhookDelivery',
  one: 'delivery',
  many: 'deliveries',
});

export function deliveryOf(row: LoggedDelivery, attempts: readonly LoggedAttempt[]): WebhookDelivery {
  const { id, about, askedAt, dueAt, outcome } = row;
  return Object.assign(new WebhookDelivery(), {
    id,
    eventType: (about as About).type,
    status:
      outcome === null
        ? WebhookDeliveryStatus.PENDING
        : outcome === DELIVERED
          ? WebhookDeliveryStatus.DELIVERED
          : WebhookDeliveryStatus.GIVEN_UP,
    givenUpReason: outcome === DELIVERED ? null : outcome,
    createdAt: new Date(askedAt),
    nextAttemptAt: dueAt && new Date(dueAt),
    attempts: attempts
      .filter(({ deliveryId }) => deliveryId === id)
      .map(({ at, durationMs, status, failure }) =>
        Object.assign(new WebhookAttempt(), { at: new Date(at), durationMs, status, failure }),
      ),
  });
}

@ObjectType({
  implements: Node,
  description: 'Where events are sent to, by HTTP POST, signed per Standard Webhooks.',
})
export class WebhookEndpoint extends Node {
  @Field(() => Boolean, {
    description: 'Whether it is told of all accounts: those endpoints belong to the operators together.',
  })
  allAccounts!: boolean;

  @Sized({ assumedSize: MAX_EVENT_TYPES })
  @Field(() => [String], { description: 'The types of events that it is sent, or `*` for all.' })
  eventTypes!: readonly string[];

  @Field(() => WebhookStatus, { description: 'Whether events are sent to it.' })
  status!: WebhookStatus;

  @Field(() => WebhookDisabledReason, {
    nullable: true,
    description: 'Why it was disabled automatically; null if it was not.',
  })
  disabledReason!: WebhookDisabledReason | null;

  @Field(() => DateTimeISO, { description: 'When it was made. Events before that are not sent.' })
  createdAt!: Date;

  /** Sealed, resolved on demand. */
  sealedUrl!: string;
}

export const WebhookEndpointConnection = connectionOf(WebhookEndpoint, {
  entry: 'WebhookEndpoint',
  one: 'webhook endpoint',
  many: 'webhook endpoints',
});

export function endpointOf(row: EndpointRow): WebhookEndpoint {
  return Object.assign(new WebhookEndpoint(), {
    id: row.id,
    allAccounts: row.all_accounts,
    eventTypes: row.event_types,
    status: row.enabled ? WebhookStatus.ENABLED : WebhookStatus.DISABLED,
    disabledReason: row.disabled_reason as WebhookDisabledReason | null,
    createdAt: new Date(row.created_at),
    sealedUrl: row.url,
  });
}

@ObjectType({ simpleResolvers: true, description: 'A type of event that webhooks tell of.' })
export class WebhookEventType {
  @Field(() => String, { description: 'E.g. `key.revoked`.' })
  name!: string;

  @Field(() => String, { description: 'When it happens.' })
  description!: string;
}

@InputType({ description: 'Which deliveries. What is left out does not narrow them.' })
export class WebhookDeliveryFilterInput {
  @Field(() => WebhookDeliveryStatus, { nullable: true, description: 'Only those that stand there.' })
  status?: WebhookDeliveryStatus | null;

  @Field(() => [String], { nullable: true, description: 'Only events of these types, at most 100.' })
  eventTypes?: string[] | null;

  @Field(() => DateTimeISO, { nullable: true, description: 'Only events from this time on.' })
  from?: Date | null;

  @Field(() => DateTimeISO, { nullable: true, description: 'Only events before this time.' })
  to?: Date | null;
}

export const filterOf = (input: WebhookDeliveryFilterInput | null | undefined): DeliveryFilter => ({
  status: input?.status ?? undefined,
  topics: input?.eventTypes ?? undefined,
  from: input?.from ?? undefined,
  to: input?.to ?? undefined,
});

@ArgsType()
export class DeliveryPage extends PageArgs {
  @Field(() => WebhookDeliveryFilterInput, { nullable: true, description: 'By default all deliveries.' })
  filter?: WebhookDeliveryFilterInput | null;
}
