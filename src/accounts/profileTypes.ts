import 'reflect-metadata';
import { createUnionType, Field, InputType, ObjectType } from 'type-graphql';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { InvalidInput, NotFound, SignInRefused } from '../graphql/kit/refusals.js';
import { User } from './types.js';

@InputType({ description: 'A new password.' })
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
export class ChangePasswordPayload {
  @Field(() => String, { nullable: true, description: 'The new session token, good for 15 minutes.' })
  sessionToken!: string | null;

  @Field(() => String, { nullable: true, description: 'For `refreshSession`, once.' })
  refreshToken!: string | null;

  @Field(() => DateTimeISO, { nullable: true, description: 'When the session token is over.' })
  expiresAt!: Date | null;

  @Field(() => String, {
    nullable: true,
    description: '`SECRET_ALREADY_SHOWN` when a command is sent again: then there are no tokens.',
  })
  secretNotice!: string | null;

  @Field(() => String, { description: 'The place of this change in the history; opaque.' })
  position!: string;
}

export const ChangePasswordResult = createUnionType({
  name: 'ChangePasswordResult',
  description: 'The changed password, or why it is the old one.',
  types: () => [ChangePasswordPayload, SignInRefused, NotFound, InvalidInput] as const,
});

@InputType({ description: 'What changes about the user who is signed in.' })
export class UpdateProfileInput {
  @Field(() => String, { description: 'At most 100 characters.' })
  name!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ description: 'An updated user.' })
export class UpdateProfilePayload {
  @Field(() => User, { description: 'The user as it is now.' })
  user!: User;

  @Field(() => String, { description: 'The place of this change in the history; opaque.' })
  position!: string;
}

export const UpdateProfileResult = createUnionType({
  name: 'UpdateProfileResult',
  description: 'The updated user, or why nothing changed.',
  types: () => [UpdateProfilePayload, NotFound, InvalidInput] as const,
});

@InputType({ description: 'A token that was mailed.' })
export class VerifyEmailInput {
  @Field(() => String, { description: 'As it stands in the mail; good for seven days.' })
  token!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The e-mail is confirmed.' })
export class VerifyEmailPayload {
  @Field(() => String, { description: 'The place of this change in the history; opaque.' })
  position!: string;
}

export const VerifyEmailResult = createUnionType({
  name: 'VerifyEmailResult',
  description: 'The confirmed e-mail, or why it is not confirmed.',
  types: () => [VerifyEmailPayload, InvalidInput] as const,
});
