import 'reflect-metadata';
import { createUnionType, Field, InputType, ObjectType } from 'type-graphql';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { Payload } from '../graphql/kit/payload.js';
import { InvalidInput, NotFound, SignInRefused } from '../graphql/kit/refusals.js';
import { SessionTokens } from '../sessions/tokenTypes.js';
import { User } from './types.js';

@InputType({ description: 'Input for `changePassword`.' })
export class ChangePasswordInput {
  @Field(() => String, { description: 'The password as it is now.' })
  currentPassword!: string;

  @Field(() => String, { description: '8 to 200 characters. Stored as an argon2id hash.' })
  newPassword!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({
  simpleResolvers: true,
  description: 'A changed password, and the session that takes the place of all others.',
})
export class ChangePasswordPayload extends Payload {
  @Field(() => SessionTokens, {
    nullable: true,
    description: 'The session that has begun; null in a replay.',
  })
  session!: SessionTokens | null;
}

export const ChangePasswordResult = createUnionType({
  name: 'ChangePasswordResult',
  description: 'The changed password, or why it is the old one.',
  types: () => [ChangePasswordPayload, SignInRefused, NotFound, InvalidInput] as const,
});

@InputType({ description: 'Input for `updateProfile`.' })
export class UpdateProfileInput {
  @Field(() => String, { description: 'At most 100 characters.' })
  name!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ description: 'An updated user.' })
export class UpdateProfilePayload extends Payload {
  @Field(() => User, { description: 'The user as it is now.' })
  user!: User;
}

export const UpdateProfileResult = createUnionType({
  name: 'UpdateProfileResult',
  description: 'The updated user, or why nothing changed.',
  types: () => [UpdateProfilePayload, NotFound, InvalidInput] as const,
});

@InputType({ description: 'Input for `verifyEmail`.' })
export class VerifyEmailInput {
  @Field(() => String, { description: 'As it stands in the mail; good for seven days.' })
  token!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The e-mail is confirmed.' })
export class VerifyEmailPayload extends Payload {}

export const VerifyEmailResult = createUnionType({
  name: 'VerifyEmailResult',
  description: 'The confirmed e-mail, or why it is not confirmed.',
  types: () => [VerifyEmailPayload, InvalidInput] as const,
});
