import 'reflect-metadata';
import { createUnionType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { Payload } from '../graphql/kit/payload.js';
import { InvalidInput, NotFound } from '../graphql/kit/refusals.js';
import { Plan } from './planTypes.js';

@InputType({ description: 'A plan that an account gets without paying.' })
export class GrantPlanInput {
  @Field(() => ID, { description: 'The id of the account.' })
  accountId!: string;

  @Field(() => ID, { description: 'The id of the plan, e.g. `team`.' })
  planId!: string;

  @Field(() => String, {
    description: 'Why, 1 to 500 characters. It is kept for ever: no personal data.',
  })
  reason!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'A granted plan.' })
export class GrantPlanPayload extends Payload {
  @Field(() => ID, { description: 'The account.' })
  accountId!: string;

  @Field(() => Plan, {
    nullable: true,
    description: 'The plan that was granted; null in a replay, where the service no longer has it.',
  })
  plan!: Plan | null;
}

export const GrantPlanResult = createUnionType({
  name: 'GrantPlanResult',
  description: 'The granted plan, or why it was not granted. Codes of `InvalidInput`: `PLAN_UNKNOWN` too.',
  types: () => [GrantPlanPayload, NotFound, InvalidInput] as const,
});
