import 'reflect-metadata';
import { createUnionType, Field, InputType, ObjectType } from 'type-graphql';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { Payload } from '../graphql/kit/payload.js';
import { InvalidInput, NotFound, SignInRefused } from '../graphql/kit/refusals.js';
import { SessionTokens } from '../sessions/tokenTypes.js';
import { User } from './types.js';

@InputType({ description: 'Input for `changePassword`.' })
export class ChangePasswordInput {
  @Field(() => String, { description: 'The password that is valid now.' })
  currentPassword!: string;

  @Field(() => String, { description: '8 to 200 characters. Stored only as an argon2id hash.' })
  newPassword!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({
  simpleResolvers: true,
  description: 'The password was changed. All earlier sessions have ended.',
})
export class ChangePasswordPayload extends Payload {
  @Field(() => SessionTokens, {
    nullable: true,
    description: 'The new session. Null if the command is replayed.',
  })
  session!: SessionTokens | null;
}

export const ChangePasswordResult = createUnionType({
  name: 'ChangePasswordResult',
  description: 'The new session, or the reason why the password was not changed.',
  types: () => [ChangePasswordPayload, SignInRefused, NotFound, InvalidInput] as const,
});

@InputType({ description: 'Input for `updateProfile`.' })
export class UpdateProfileInput {
  @Field(() => String, { description: 'The new name, at most 100 characters.' })
  name!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ description: 'An updated user.' })
export class UpdateProfilePayload extends Payload {
  @Field(() => User, { description: 'The user after the change.' })
  user!: User;
}

export const UpdateProfileResult = createUnionType({
  name: 'UpdateProfileResult',
  description: 'The updated user, or the reason why nothing changed.',
  types: () => [UpdateProfilePayload, NotFound, InvalidInput] as const,
});

@InputType({ description: 'Input for `verifyEmail`.' })
export class VerifyEmailInput {
  @Field(() => String, { description: 'The token from the mail. Valid for 7 days.' })
  token!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The e-mail address is confirmed.' })
export class VerifyEmailPayload extends Payload {}

export const VerifyEmailResult = createUnionType({
  name: 'VerifyEmailResult',
  description: 'The confirmation, or the reason why the e-mail address is not confirmed.',
  types: () => [VerifyEmailPayload, InvalidInput] as const,
});
