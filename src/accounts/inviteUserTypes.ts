import 'reflect-metadata';
import { createUnionType, Field, InputType, ObjectType } from 'type-graphql';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { Payload } from '../graphql/kit/payload.js';
import { Conflict, InvalidInput } from '../graphql/kit/refusals.js';

@InputType({ description: 'Input for `operatorInviteUser`.' })
export class OperatorInviteUserInput {
  @Field(() => String, { description: 'Whom to invite: an e-mail address, at most 254 characters.' })
  email!: string;

  @Field(() => String, {
    description: 'Reason, 1 to 500 characters. Kept forever, so it must not contain personal data.',
  })
  reason!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'An invitation to register.' })
export class OperatorInviteUserPayload extends Payload {
  @Field(() => DateTimeISO, { description: 'Until when they may register by it.' })
  expiresAt!: Date;
}

export const OperatorInviteUserResult = createUnionType({
  name: 'OperatorInviteUserResult',
  description: 'The invitation, or the reason why nobody was invited.',
  types: () => [OperatorInviteUserPayload, Conflict, InvalidInput] as const,
});
