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
  @Field(() => ID, { description: 'Id of the key, e.g. `key_…`, not its secret.' })
  keyId!: string;

  @Field(() => String, {
    description: 'Reason, 1 to 500 characters. Kept forever, so it must not contain personal data.',
  })
  reason!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The key was revoked.' })
export class OperatorRevokeKeyPayload extends Payload {
  @Field(() => Key, { description: 'The key, which no longer works.' })
  key!: Key;

  @IdOf('Account')
  @Field(() => ID, { description: 'Id of the account that owns the key.' })
  accountId!: string;
}

export const OperatorRevokeKeyResult = createUnionType({
  name: 'OperatorRevokeKeyResult',
  description: 'The revoked key, or the reason why it was not revoked.',
  types: () => [OperatorRevokeKeyPayload, NotFound, InvalidInput] as const,
});
