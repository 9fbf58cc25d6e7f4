import 'reflect-metadata';
import {
  createUnionType,
  Field,
  Float,
  ID,
  InputType,
  Int,
  ObjectType,
  registerEnumType,
} from 'type-graphql';
import { COMMAND_ID } from '../../eventsourcing/commandId.js';
import { Sized } from '../../graphql/cost/directives.js';
import { DateTimeISO } from '../../graphql/kit/dateTime.js';
import { Node } from '../../graphql/kit/node.js';
import { Conflict, InvalidInput, LimitReached, NotFound } from '../../graphql/kit/refusals.js';
import type { Meter } from '../../plans/meters.js';
import {
  LimitStatus,
  MeterQuantity,
  MeterQuantityInput,
  quantitiesOf,
  SUBJECT,
} from '../limits/limitTypes.js';
import type { Reservation as Reserved } from './reservations.js';
import { MAX_QUANTITIES, MAX_RESERVED_SECONDS } from './reservedAmounts.js';
import { MAX_STATES } from '../types.js';
import { IdOf } from '../../graphql/kit/ids.js';

export enum ReservationStatus {
  RESERVED = 'RESERVED',
  SETTLED = 'SETTLED',
  RELEASED = 'RELEASED',
  EXPIRED = 'EXPIRED',
}
registerEnumType(ReservationStatus, {
  name: 'ReservationStatus',
  description: 'State of a reservation.',
  valuesConfig: {
    RESERVED: { description: 'Amounts are held, and the reservation is open.' },
    SETTLED: { description: 'The amounts in `settled` were charged.' },
    RELEASED: { description: 'Everything was given back.' },
    EXPIRED: {
      description:
        'Nobody ended it in time, so it was given back or charged, as the service is configured. It can still be settled or released.',
    },
  },
});

@ObjectType({
  implements: Node,
  simpleResolvers: true,
  description:
    'An amount taken from limits before the work is done. `settleReservation` or `releaseReservation` ends it, by its `id`.',
})
export class Reservation extends Node {
  @Field(() => ReservationStatus, { description: 'Whether it is open, settled, released or expired.' })
  status!: ReservationStatus;

  @Sized({ assumedSize: MAX_QUANTITIES })
  @Field(() => [MeterQuantity], {
    description: 'Amounts that are held back from limits. Empty once it has ended.',
  })
  held!: MeterQuantity[];

  @Sized({ assumedSize: MAX_QUANTITIES })
  @Field(() => [MeterQuantity], { description: 'Amounts that were finally charged. Empty while it is open.' })
  settled!: MeterQuantity[];

  @Field(() => DateTimeISO, { description: 'When it expires by itself.' })
  expiresAt!: Date;
}

@InputType({ description: 'Input for `reserveUsage`.' })
export class ReserveUsageInput {
  @IdOf('Key')
  @Field(() => ID, {
    nullable: true,
    description: 'Id of the key that pays. This or `accountId` is required.',
  })
  keyId?: string | null;

  @IdOf('Account')
  @Field(() => ID, {
    nullable: true,
    description: 'Id of the account that pays. Defaults to the key’s account.',
  })
  accountId?: string | null;

  @Field(() => [MeterQuantityInput], {
    description: `Largest amounts that the work can come to, each meter once, 1 to ${MAX_QUANTITIES} entries.`,
  })
  quantities!: MeterQuantityInput[];

  @Field(() => String, {
    description: 'What the work is for, e.g. a path: 1 to 200 characters. Must not contain personal data.',
  })
  endpoint!: string;

  @Field(() => String, { nullable: true, description: SUBJECT })
  subject?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: `Seconds until it expires, 1 to ${MAX_RESERVED_SECONDS}. The default is set by the service.`,
  })
  expiresInSeconds?: number | null;

  @Field(() => String, {
    nullable: true,
    description: `${COMMAND_ID}. A retry returns the first reservation.`,
  })
  commandId?: string | null;
}

@InputType({ description: 'Input for `settleReservation`.' })
export class SettleReservationInput {
  @IdOf('Reservation')
  @Field(() => ID, { description: 'Id of the reservation to end.' })
  reservationId!: string;

  @Field(() => [MeterQuantityInput], {
    defaultValue: [],
    description: `Real amounts, each meter once, at most ${MAX_QUANTITIES}. They may exceed what was reserved. Meters that are not given are charged as reserved.`,
  })
  quantities!: MeterQuantityInput[];

  @Field(() => Float, {
    nullable: true,
    description:
      'How long the work took, in milliseconds, 0 to 86,400,000; more counts as so much. Reports show it.',
  })
  durationMs?: number | null;

  @Field(() => String, {
    nullable: true,
    description: `${COMMAND_ID}. Not required: a retry is recognised by the reservation and its amounts.`,
  })
  commandId?: string | null;
}

@InputType({ description: 'Input for `releaseReservation`.' })
export class ReleaseReservationInput {
  @IdOf('Reservation')
  @Field(() => ID, { description: 'Id of the reservation to end.' })
  reservationId!: string;

  @Field(() => String, {
    nullable: true,
    description: `${COMMAND_ID}. Not required: a retry is recognised by the reservation and its amounts.`,
  })
  commandId?: string | null;
}

@ObjectType({
  simpleResolvers: true,
  description: 'The amounts are reserved, and the reservation is stored.',
})
export class ReserveUsagePayload {
  @Field(() => Reservation, { description: 'The reservation after this command.' })
  reservation!: Reservation;

  @Sized({ assumedSize: MAX_STATES })
  @Field(() => [LimitStatus], { description: 'Limits of the account and key, after reserving.' })
  limits!: readonly LimitStatus[];

  @Field(() => Boolean, { description: 'True for a retry: nothing more was taken.' })
  replayed!: boolean;

  @Field(() => String, {
    description: 'Opaque event-log position of the change. Pass it as `minPosition` to read your own write.',
  })
  position!: string;
}

@ObjectType({ simpleResolvers: true, description: 'The reservation has ended, and the result is stored.' })
export class EndReservationPayload {
  @Field(() => Reservation, { description: 'The reservation after this command.' })
  reservation!: Reservation;

  @Field(() => Boolean, { description: 'True for a retry: nothing changed.' })
  replayed!: boolean;

  @Field(() => String, {
    description: 'Opaque event-log position of the change. Pass it as `minPosition` to read your own write.',
  })
  position!: string;
}

export const ReserveUsageResult = createUnionType({
  name: 'ReserveUsageResult',
  description: 'The reservation, or the reason why nothing was reserved.',
  types: () => [ReserveUsagePayload, LimitReached, NotFound, InvalidInput] as const,
});

export const SettleReservationResult = createUnionType({
  name: 'SettleReservationResult',
  description: 'The ended reservation, or the reason why it did not end.',
  types: () => [EndReservationPayload, NotFound, Conflict, InvalidInput] as const,
});

export const ReleaseReservationResult = createUnionType({
  name: 'ReleaseReservationResult',
  description: 'The ended reservation, or the reason why it did not end.',
  types: () => [EndReservationPayload, NotFound, Conflict, InvalidInput] as const,
});

/** As answers show it. */
export function reservationOf(
  { id, status, held, settled, expiresAt }: Reserved,
  meters: readonly Meter[],
): Reservation {
  return Object.assign(new Reservation(), {
    id,
    status: ReservationStatus[status],
    held: quantitiesOf(Object.entries(held), meters),
    settled: quantitiesOf(Object.entries(settled), meters),
    expiresAt: new Date(expiresAt),
  });
}
