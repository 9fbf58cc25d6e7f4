import 'reflect-metadata';
import { createUnionType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { IdOf } from '../graphql/kit/ids.js';
import { Payload } from '../graphql/kit/payload.js';
import { InvalidInput, NotAllowed, NotFound } from '../graphql/kit/refusals.js';
import { BillingInterval, Price } from './types.js';

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
