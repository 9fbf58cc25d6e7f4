import 'reflect-metadata';
import { ArgsType, Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import type { StripeEventRow } from '../../projections/stripeEvents/queries.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { IdOf } from '../graphql/kit/ids.js';
import { connectionOf, PageArgs } from '../graphql/kit/pages.js';

export enum PaymentEventEffect {
  APPLIED = 'applied',
  NONE = 'none',
  UNKNOWN_CUSTOMER = 'unknown_customer',
  OTHER_MODE = 'other_mode',
}
registerEnumType(PaymentEventEffect, {
  name: 'PaymentEventEffect',
  description: 'How an event of the payment service was handled.',
  valuesConfig: {
    APPLIED: { description: 'The affected object was fetched again, and its changes were recorded.' },
    NONE: {
      description:
        'Nothing follows from it: events of its type are not followed, or what it is about is gone.',
    },
    UNKNOWN_CUSTOMER: { description: 'It is about a customer who belongs to none of the accounts.' },
    OTHER_MODE: { description: 'It is from the other mode, live or test, and touches no account.' },
  },
});

@ObjectType({
  simpleResolvers: true,
  description: 'An event that the payment service has sent. It holds no personal data.',
})
export class PaymentEvent {
  @Field(() => ID, { description: 'The payment service’s id, e.g. `evt_1…`.' })
  id!: string;

  @Field(() => String, { description: 'Its type there, e.g. `invoice.paid`.' })
  type!: string;

  @Field(() => String, { nullable: true, description: 'The id there of what it is about, e.g. `in_1…`.' })
  about!: string | null;

  @Field(() => Boolean, { description: 'Whether money moves in the mode that it comes from.' })
  live!: boolean;

  @Field(() => Boolean, {
    description: 'Whether it was fetched afterwards, since its webhook had not come.',
  })
  backfilled!: boolean;

  @Field(() => DateTimeISO, { description: 'When it was created there, to the second.' })
  createdAt!: Date;

  @Field(() => DateTimeISO, { description: 'When it was stored here.' })
  receivedAt!: Date;

  @Field(() => DateTimeISO, { nullable: true, description: 'When it was acted on; null while it waits.' })
  handledAt!: Date | null;

  @Field(() => PaymentEventEffect, {
    nullable: true,
    description: 'How it was handled. Null while it is waiting.',
  })
  effect!: PaymentEventEffect | null;

  @IdOf('Account')
  @Field(() => ID, { nullable: true, description: 'The account that it was about; null for none.' })
  accountId!: string | null;
}

const dateOf = (at: Date): Date => new Date(at);

export const paymentEventOf = (row: StripeEventRow): PaymentEvent =>
  Object.assign(new PaymentEvent(), {
    id: row.id,
    type: row.type,
    about: row.object_id,
    live: row.livemode,
    backfilled: row.backfilled,
    createdAt: dateOf(row.created_at),
    receivedAt: dateOf(row.received_at),
    handledAt: row.handled_at && dateOf(row.handled_at),
    effect: row.effect as PaymentEventEffect | null,
    accountId: row.account_id,
  });

export const PaymentEventConnection = connectionOf(PaymentEvent, {
  entry: 'PaymentEvent',
  one: 'event of the payment service',
  many: 'events of the payment service',
});

@InputType({ description: 'Which events of the payment service; what is left out is not asked for.' })
export class PaymentEventFilter {
  @IdOf('Account')
  @Field(() => ID, { nullable: true, description: 'Only those about this account.' })
  accountId?: string | null;

  @Field(() => String, { nullable: true, description: 'Only of this type, e.g. `invoice.paid`.' })
  type?: string | null;

  @Field(() => PaymentEventEffect, { nullable: true, description: 'Only those with this effect.' })
  effect?: PaymentEventEffect | null;

  @Field(() => Boolean, { nullable: true, description: 'Only those that wait, or only those that do not.' })
  waiting?: boolean | null;
}

@ArgsType()
export class PaymentEventPage extends PageArgs {
  @Field(() => PaymentEventFilter, { nullable: true, description: 'Only these events.' })
  filter?: PaymentEventFilter | null;
}
