import 'reflect-metadata';
import { createUnionType, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { Sized } from '../graphql/cost/directives.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { Conflict, InvalidInput, LimitReached, NotFound } from '../graphql/kit/refusals.js';
import type { Meter } from '../plans/meters.js';
import { decimalsOf, quantityOf } from '../plans/meters.js';
import { LimitStatus, MeterQuantity, MeterQuantityInput } from './limitTypes.js';
import type { MeterAmounts } from './limiter.js';
import type { Reservation as Reserved } from './reservations.js';
import { MAX_QUANTITIES, MAX_RESERVED_SECONDS } from './reservedAmounts.js';
import { MAX_STATES } from './types.js';
import { IdOf } from '../graphql/kit/ids.js';

export enum ReservationStatus {
  RESERVED = 'RESERVED',
  SETTLED = 'SETTLED',
  RELEASED = 'RELEASED',
  EXPIRED = 'EXPIRED',
}
registerEnumType(ReservationStatus, {
  name: 'ReservationStatus',
  description: 'Where a reservation stands.',
  valuesConfig: {
    RESERVED: { description: 'Taken from the limits, and open.' },
    SETTLED: { description: 'It came to `settled`.' },
    RELEASED: { description: 'All was given back.' },
    EXPIRED: {
      description:
        'Nobody ended it in time: it was given back or charged, as the service has it. It can be settled or released still.',
    },
  },
});

@ObjectType({ simpleResolvers: true, description: 'What was taken from limits before the work.' })
export class Reservation {
  @Field(() => ID, { description: 'The id by which it is settled or released.' })
  id!: string;

  @Field(() => ReservationStatus, { description: 'Whether it is open, settled, released or expired.' })
  status!: ReservationStatus;

  @Sized({ assumedSize: MAX_QUANTITIES })
  @Field(() => [MeterQuantity], { description: 'What limits are short of; empty once it has ended.' })
  held!: MeterQuantity[];

  @Sized({ assumedSize: MAX_QUANTITIES })
  @Field(() => [MeterQuantity], { description: 'What it came to; empty while it is open.' })
  settled!: MeterQuantity[];

  @Field(() => DateTimeISO, { description: 'When it ends by itself.' })
  expiresAt!: Date;
}

@InputType({ description: 'Input for `reserveUsage`.' })
export class ReserveUsageInput {
  @IdOf('Key')
  @Field(() => ID, { nullable: true, description: 'The key that pays. This or `accountId` is required.' })
  keyId?: string | null;

  @IdOf('Account')
  @Field(() => ID, { nullable: true, description: 'The account that pays; by default that of the key.' })
  accountId?: string | null;

  @Field(() => [MeterQuantityInput], {
    description: `What the work can come to, each meter once, 1 to ${MAX_QUANTITIES}.`,
  })
  quantities!: MeterQuantityInput[];

  @Field(() => String, {
    description: 'What is worked on, e.g. a path: 1 to 200 characters, no personal data.',
  })
  endpoint!: string;

  @Field(() => Int, {
    nullable: true,
    description: `In how many seconds it ends by itself, 1 to ${MAX_RESERVED_SECONDS}; by default as the service has it.`,
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
  @Field(() => ID, { description: 'The id of the reservation to end.' })
  reservationId!: string;

  @Field(() => [MeterQuantityInput], {
    defaultValue: [],
    description: `What it came to, each meter once, at most ${MAX_QUANTITIES}, also more than was reserved; meters that are not given came to what was reserved.`,
  })
  quantities!: MeterQuantityInput[];

  @Field(() => String, {
    nullable: true,
    description: `${COMMAND_ID}. A retry is told by the reservation and what it came to, with it or without`,
  })
  commandId?: string | null;
}

@InputType({ description: 'Input for `releaseReservation`.' })
export class ReleaseReservationInput {
  @Field(() => ID, { description: 'The id of the reservation to end.' })
  reservationId!: string;

  @Field(() => String, {
    nullable: true,
    description: `${COMMAND_ID}. A retry is told by the reservation and what it came to, with it or without`,
  })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'What was reserved. It is stored.' })
export class ReserveUsagePayload {
  @Field(() => Reservation, { description: 'What is reserved, or how it has ended.' })
  reservation!: Reservation;

  @Sized({ assumedSize: MAX_STATES })
  @Field(() => [LimitStatus], { description: 'The limits that it was taken from, afterwards.' })
  limits!: readonly LimitStatus[];

  @Field(() => Boolean, { description: 'True for a retry: nothing was taken.' })
  replayed!: boolean;

  @Field(() => String, {
    description: 'Opaque event-log position of the change. Pass it as `minPosition` to read your own write.',
  })
  position!: string;
}

@ObjectType({ simpleResolvers: true, description: 'How the reservation has ended. It is stored.' })
export class EndReservationPayload {
  @Field(() => Reservation, { description: 'What is reserved, or how it has ended.' })
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
  description: 'What was reserved, or why nothing was.',
  types: () => [ReserveUsagePayload, LimitReached, NotFound, InvalidInput] as const,
});

export const SettleReservationResult = createUnionType({
  name: 'SettleReservationResult',
  description: 'How the reservation has ended, or why it has not.',
  types: () => [EndReservationPayload, NotFound, Conflict, InvalidInput] as const,
});

export const ReleaseReservationResult = createUnionType({
  name: 'ReleaseReservationResult',
  description: 'How the reservation has ended, or why it has not.',
  types: () => [EndReservationPayload, NotFound, Conflict, InvalidInput] as const,
});

export const quantitiesOf = (amounts: MeterAmounts, meters: readonly Meter[]): MeterQuantity[] =>
  Object.entries(amounts).map(([meter, amount]) => ({
    meter,
    quantity: quantityOf(amount, decimalsOf(meter, meters)),
  }));

/** As answers show it. */
export function reservationOf(
  { id, status, held, settled, expiresAt }: Reserved,
  meters: readonly Meter[],
): Reservation {
  return Object.assign(new Reservation(), {
    id,
    status: ReservationStatus[status],
    held: quantitiesOf(held, meters),
    settled: quantitiesOf(settled, meters),
    expiresAt: new Date(expiresAt),
  });
}
