import 'reflect-metadata';
import { createUnionType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { Payload } from '../graphql/kit/payload.js';
import { InvalidInput, NotFound } from '../graphql/kit/refusals.js';
import { IdOf } from '../graphql/kit/ids.js';
import { Plan } from './planTypes.js';

@InputType({ description: 'Input for `operatorGrantPlan`.' })
export class OperatorGrantPlanInput {
  @IdOf('Account')
  @Field(() => ID, { description: 'Id of the account, e.g. `acc_…`.' })
  accountId!: string;

  @Field(() => ID, { description: 'Id of the plan, e.g. `team`.' })
  planId!: string;

  @Field(() => String, {
    description: 'Reason, 1 to 500 characters. Kept forever, so it must not contain personal data.',
  })
  reason!: string;

  @Field(() => DateTimeISO, {
    nullable: true,
    description:
      'When the grant ends, at most five years from now. Then the account is on the plan that it pays for, or on the default plan. By default it does not end.',
  })
  until?: Date | null;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The plan was granted.' })
export class OperatorGrantPlanPayload extends Payload {
  @IdOf('Account')
  @Field(() => ID, { description: 'Id of the account that now has the plan.' })
  accountId!: string;

  @Field(() => Plan, {
    nullable: true,
    description: 'The granted plan. Null in a replay if the service no longer has this plan.',
  })
  plan!: Plan | null;
}

export const OperatorGrantPlanResult = createUnionType({
  name: 'OperatorGrantPlanResult',
  description: 'The granted plan, or the reason why it was not granted, e.g. `PLAN_UNKNOWN`.',
  types: () => [OperatorGrantPlanPayload, NotFound, InvalidInput] as const,
});
