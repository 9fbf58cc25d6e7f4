import 'reflect-metadata';
import { createUnionType, Field, InputType, ObjectType } from 'type-graphql';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { Payload } from '../graphql/kit/payload.js';
import { InvalidInput, NotFound } from '../graphql/kit/refusals.js';
import { Account } from './types.js';

/** Of an account's name. */
export const ACCOUNT_NAME = { min: 1, max: 100 };

@InputType({ description: 'Input for `renameAccount`.' })
export class RenameAccountInput {
  @Field(() => String, {
    description: `The new name, 1 to ${ACCOUNT_NAME.max} characters. It is erased with the account.`,
  })
  name!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ description: 'The account has a new name.' })
export class RenameAccountPayload extends Payload {
  @Field(() => Account, { description: 'The account after the change.' })
  account!: Account;
}

export const RenameAccountResult = createUnionType({
  name: 'RenameAccountResult',
  description: 'The renamed account, or the reason why nothing changed.',
  types: () => [RenameAccountPayload, NotFound, InvalidInput] as const,
});
