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
    DISABLED: { description: 'Events are not sent. Events of this time are not sent later, either.' },
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
    FAILING: { description: 'Deliveries failed for three days, and none succeeded meanwhile.' },
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
  description: 'State of a delivery.',
  valuesConfig: {
    PENDING: { description: 'It will be attempted, for the first time or again.' },
    DELIVERED: { description: 'The receiver answered with an HTTP status of 200 to 299.' },
    GIVEN_UP: { description: 'It is not attempted again, unless it is replayed.' },
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
  description: 'The delivery of an event to an endpoint. Kept for 30 days after it ended.',
})
export class WebhookDelivery {
  @Field(() => ID, {
    description:
      'Value of the header `webhook-id`. The same for every attempt and replay, so that receivers can recognise repeats.',
  })
  id!: string;

  @Field(() => String, { description: 'The type of the event, e.g. `key.revoked`.' })
  eventType!: string;

  @Field(() => WebhookDeliveryStatus, {
    description: 'Whether it is pending, was delivered or was given up.',
  })
  status!: WebhookDeliveryStatus;

  @Field(() => String, {
    nullable: true,
    description:
      'Why it was given up: `EXHAUSTED` (the last attempt failed), `GONE` (the receiver answered 410) or `ENDPOINT_DISABLED`. Otherwise null.',
  })
  givenUpReason!: string | null;

  @Field(() => DateTimeISO, { description: 'When the event happened.' })
  createdAt!: Date;

  @Field(() => DateTimeISO, {
    nullable: true,
    description: 'When it is attempted next. Null if it is not attempted again.',
  })
  nextAttemptAt!: Date | null;

  @Sized({ assumedSize: MAX_ATTEMPTS_SHOWN })
  @Field(() => [WebhookAttempt], {
    description: `The last ${MAX_ATTEMPTS_SHOWN} attempts, newest first.`,
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
  description: 'An address to which events are sent by HTTP POST, signed per Standard Webhooks.',
})
export class WebhookEndpoint extends Node {
  @Field(() => Boolean, {
    description:
      'Whether it receives events of all accounts. Such endpoints belong to all operators together.',
  })
  allAccounts!: boolean;

  @Sized({ assumedSize: MAX_EVENT_TYPES })
  @Field(() => [String], { description: 'Types of events that it receives, or `*` for all.' })
  eventTypes!: readonly string[];

  @Field(() => WebhookStatus, { description: 'Whether events are sent to the endpoint.' })
  status!: WebhookStatus;

  @Field(() => WebhookDisabledReason, {
    nullable: true,
    description: 'Why it was disabled automatically. Null if it was not.',
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

@ObjectType({ simpleResolvers: true, description: 'A type of event that webhooks send.' })
export class WebhookEventType {
  @Field(() => String, { description: 'Name of the type, e.g. `key.revoked`.' })
  name!: string;

  @Field(() => String, { description: 'When the event happens.' })
  description!: string;
}

@InputType({ description: 'Selects deliveries. All given conditions must hold.' })
export class WebhookDeliveryFilterInput {
  @Field(() => WebhookDeliveryStatus, { nullable: true, description: 'State of the delivery.' })
  status?: WebhookDeliveryStatus | null;

  @Field(() => [String], { nullable: true, description: 'Types of events, at most 100.' })
  eventTypes?: string[] | null;

  @Field(() => DateTimeISO, { nullable: true, description: 'Earliest time of the event, inclusive.' })
  from?: Date | null;

  @Field(() => DateTimeISO, { nullable: true, description: 'Latest time of the event, exclusive.' })
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
  @Field(() => WebhookDeliveryFilterInput, {
    nullable: true,
    description: 'Selects deliveries; by default all.',
  })
  filter?: WebhookDeliveryFilterInput | null;
}
