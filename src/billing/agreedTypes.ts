import 'reflect-metadata';
import { ArgsType, createUnionType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { AgreedPriceRow } from '../../projections/agreedPrices/queries.js';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { IdOf } from '../graphql/kit/ids.js';
import { connectionOf, PageArgs } from '../graphql/kit/pages.js';
import { Payload } from '../graphql/kit/payload.js';
import { InvalidInput, NotAllowed, NotFound } from '../graphql/kit/refusals.js';
import type { Plan } from '../plans/planTypes.js';
import { BillingInterval, Price, priceOf } from './types.js';

const REASON = 'Reason, 1 to 500 characters. Kept forever, so it must not contain personal data.';

@InputType({ description: 'Input for `operatorAgreePrice`.' })
export class OperatorAgreePriceInput {
  @IdOf('Account')
  @Field(() => ID, { description: 'Id of the account, e.g. `acc_…`.' })
  accountId!: string;

  @Field(() => ID, { description: 'Id of the plan, e.g. `enterprise`. It need not have a price of its own.' })
  planId!: string;

  @Field(() => BillingInterval, { description: 'How often the price is due.' })
  interval!: BillingInterval;

  @Field(() => Int, {
    description: 'Amount per interval in the smallest unit of the currency, e.g. cents: 50 to 99999999.',
  })
  minorUnits!: number;

  @Field(() => String, { description: 'Currency, e.g. `USD` (ISO 4217).' })
  currency!: string;

  @Field(() => String, { description: REASON })
  reason!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@InputType({ description: 'Input for `operatorWithdrawPrice`.' })
export class OperatorWithdrawPriceInput {
  @IdOf('Account')
  @Field(() => ID, { description: 'Id of the account, e.g. `acc_…`.' })
  accountId!: string;

  @Field(() => ID, { description: 'Id of the agreed price.' })
  priceId!: string;

  @Field(() => String, { description: REASON })
  reason!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The price was agreed, or withdrawn.' })
export class OperatorPricePayload extends Payload {
  @IdOf('Account')
  @Field(() => ID, { description: 'Id of the account with which it is, or was, agreed.' })
  accountId!: string;

  @Field(() => Price, { nullable: true, description: 'The agreed price. Null once it is withdrawn.' })
  price!: Price | null;
}

export const OperatorPriceResult = createUnionType({
  name: 'OperatorPriceResult',
  description: 'The agreed price, or the reason why nothing changed.',
  types: () => [OperatorPricePayload, NotFound, NotAllowed, InvalidInput] as const,
});

@ObjectType({ simpleResolvers: true, description: 'A price that an operator has agreed with one account.' })
export class AgreedPrice {
  @IdOf('Account')
  @Field(() => ID, { description: 'Account that alone can subscribe at it.' })
  accountId!: string;

  @Field(() => Price, { description: 'The price. Its `id` is what `operatorWithdrawPrice` takes.' })
  price!: Price;

  @Field(() => String, { nullable: true, description: 'Why it was agreed, as the operator has written.' })
  reason!: string | null;

  @Field(() => DateTimeISO, { description: 'When it was agreed.' })
  agreedAt!: Date;

  @Field(() => DateTimeISO, {
    nullable: true,
    description: 'When it was withdrawn. Null while the account can subscribe at it.',
  })
  withdrawnAt!: Date | null;
}

export const AgreedPriceConnection = connectionOf(AgreedPrice, {
  entry: 'AgreedPrice',
  one: 'agreed price',
  many: 'agreed prices',
});

@InputType({ description: 'Which agreed prices. Fields that are left out do not filter.' })
export class AgreedPriceFilter {
  @IdOf('Account')
  @Field(() => ID, { nullable: true, description: 'Only those agreed with this account.' })
  accountId?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Only those that were withdrawn (true), or only those that were not (false).',
  })
  withdrawn?: boolean | null;
}

@ArgsType()
export class AgreedPricePage extends PageArgs {
  @Field(() => AgreedPriceFilter, { nullable: true, description: 'Only these prices.' })
  filter?: AgreedPriceFilter | null;
}

/** @param plan the one that it pays for */
export function agreedPriceOf(row: AgreedPriceRow, plan: Plan): AgreedPrice {
  const { account_id: accountId, price: id, interval, amount, currency, reason } = row;
  return Object.assign(new AgreedPrice(), {
    accountId,
    price: priceOf({ id, interval, amount, currency }, plan),
    reason,
    agreedAt: new Date(row.agreed_at),
    withdrawnAt: row.withdrawn_at && new Date(row.withdrawn_at),
  });
}
