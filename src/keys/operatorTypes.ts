import 'reflect-metadata';
import { createUnionType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { Payload } from '../graphql/kit/payload.js';
import { InvalidInput, NotFound } from '../graphql/kit/refusals.js';
import { IdOf } from '../graphql/kit/ids.js';
import { Key } from './types.js';

@InputType({ description: 'Input for `operatorRevokeKey`.' })
export class OperatorRevokeKeyInput {
  @IdOf('Key')
  @Field(() => ID, { description: 'The id of the key, not its secret.' })
  keyId!: string;

  @Field(() => String, {
    description: 'Why, 1 to 500 characters. It is kept for ever: no personal data.',
  })
  reason!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'A key that an operator has revoked.' })
export class OperatorRevokeKeyPayload extends Payload {
  @Field(() => Key, { description: 'The key, which no longer works.' })
  key!: Key;

  @IdOf('Account')
  @Field(() => ID, { description: 'The account whose key it was.' })
  accountId!: string;
}

export const OperatorRevokeKeyResult = createUnionType({
  name: 'OperatorRevokeKeyResult',
  description: 'The revoked key, or why it was not revoked.',
  types: () => [OperatorRevokeKeyPayload, NotFound, InvalidInput] as const,
});
