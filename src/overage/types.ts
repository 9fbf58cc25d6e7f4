import 'reflect-metadata';
import { createUnionType, Field, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { Period } from '../billing/types.js';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { Money } from '../graphql/kit/money.js';
import { Payload } from '../graphql/kit/payload.js';
import { InvalidInput, NotAllowed } from '../graphql/kit/refusals.js';

export enum CapRule {
  REFUSE = 'refuse',
  ALERT = 'alert',
}
registerEnumType(CapRule, {
  name: 'CapRule',
  description: 'What happens once overage has come to the spend cap.',
  valuesConfig: {
    REFUSE: {
      description:
        'Calls that would cost more are refused, and the period is billed at the cap at most. Where the cap changes in a period the largest counts.',
    },
    ALERT: { description: 'It is told once in a billing period, and calls go on.' },
  },
});

@ObjectType({ simpleResolvers: true, description: 'The most that overage may cost in a billing period.' })
export class SpendCap {
  @Field(() => Money, { description: 'Amount per interval, before tax.' })
  amount!: Money;

  @Field(() => CapRule, { description: 'What happens once it is reached.' })
  whenReached!: CapRule;
}

@ObjectType({
  simpleResolvers: true,
  description: 'Use above what the plan includes: whether it is paid for, and what it has come to.',
})
export class OverageStatus {
  @Field(() => Boolean, {
    description: 'Whether calls above the plan’s limits go on and are billed. Otherwise they are refused.',
  })
  allowed!: boolean;

  @Field(() => SpendCap, { nullable: true, description: 'The most that it may cost; null for no cap.' })
  spendCap!: SpendCap | null;

  @Field(() => Period, {
    nullable: true,
    description: 'The current billing period. Null if the account pays for no plan, or is in a trial.',
  })
  period!: Period | null;

  @Field(() => Money, {
    nullable: true,
    description:
      'What overage has come to in that period, after credits and before tax. Where blocks are priced (`Plan.overagePrices`), one that is begun is in it whole.',
  })
  spent!: Money | null;
}

@InputType({ description: 'The most that overage may cost in a billing period.' })
export class SpendCapInput {
  @Field(() => Int, { description: 'In the smallest unit of the currency, e.g. cents. 0 to 99999999.' })
  minorUnits!: number;

  @Field(() => String, { description: 'The currency in which the plan is paid, e.g. `USD`.' })
  currency!: string;

  @Field(() => CapRule, { defaultValue: CapRule.REFUSE, description: 'What happens once it is reached.' })
  whenReached!: CapRule;
}

@InputType({ description: 'Input for `setOverage`.' })
export class SetOverageInput {
  @Field(() => Boolean, {
    description: 'Whether calls above the plan’s limits go on and are billed. Otherwise they are refused.',
  })
  allowed!: boolean;

  @Field(() => SpendCapInput, {
    nullable: true,
    description: 'The most that it may cost; by default no cap.',
  })
  spendCap?: SpendCapInput | null;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'How overage is set now.' })
export class SetOveragePayload extends Payload {
  @Field(() => OverageStatus, { description: 'How it is set, and what it has come to.' })
  overage!: OverageStatus;
}

export const SetOverageResult = createUnionType({
  name: 'SetOverageResult',
  description: 'The new setting of overage, or the reason why nothing changed.',
  types: () => [SetOveragePayload, NotAllowed, InvalidInput] as const,
});
