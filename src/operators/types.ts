import 'reflect-metadata';
import { createUnionType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { Payload } from '../graphql/kit/payload.js';
import { Conflict, InvalidInput, NotAllowed, NotFound } from '../graphql/kit/refusals.js';
import { IdOf } from '../graphql/kit/ids.js';

@ObjectType({
  description: 'Data of all accounts, for operators of the service.',
})
export class Operator {}

@InputType({ description: 'Input for `grantOperator`.' })
export class GrantOperatorInput {
  @IdOf('User')
  @Field(() => ID, { description: 'Id of the user, e.g. `usr_…`. Their e-mail address must be verified.' })
  userId!: string;

  @Field(() => String, {
    description: 'Reason, 1 to 500 characters. Kept forever, so it must not contain personal data.',
  })
  reason!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@InputType({ description: 'Input for `revokeOperator`.' })
export class RevokeOperatorInput {
  @IdOf('User')
  @Field(() => ID, { description: 'Id of the operator, e.g. `usr_…`.' })
  userId!: string;

  @Field(() => String, {
    description: 'Reason, 1 to 500 characters. Kept forever, so it must not contain personal data.',
  })
  reason!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The user is an operator now.' })
export class GrantOperatorPayload extends Payload {
  @IdOf('User')
  @Field(() => ID, { description: 'Id of the new operator.' })
  userId!: string;
}

@ObjectType({ simpleResolvers: true, description: 'The user is no longer an operator.' })
export class RevokeOperatorPayload extends Payload {
  @IdOf('User')
  @Field(() => ID, { description: 'Id of the former operator.' })
  userId!: string;
}

export const GrantOperatorResult = createUnionType({
  name: 'GrantOperatorResult',
  description: 'The new operator, or the reason why the user is not one.',
  types: () => [GrantOperatorPayload, NotFound, InvalidInput] as const,
});

export const RevokeOperatorResult = createUnionType({
  name: 'RevokeOperatorResult',
  description: 'The former operator, or a refusal.',
  types: () => [RevokeOperatorPayload, NotFound, Conflict, NotAllowed, InvalidInput] as const,
});
