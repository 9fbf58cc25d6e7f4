import 'reflect-metadata';
import { createUnionType, Field, InputType, ObjectType } from 'type-graphql';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { Payload } from '../graphql/kit/payload.js';
import { InvalidInput, NotFound, SignInRefused } from '../graphql/kit/refusals.js';
import { SessionTokens } from './tokenTypes.js';
import { Account, User } from '../accounts/types.js';

@InputType({ description: 'Input for `signIn`.' })
export class SignInInput {
  @Field(() => String, { description: 'E-mail address. Case does not matter.' })
  email!: string;

  @Field(() => String, { description: 'Password of the user.' })
  password!: string;

  @Field(() => String, {
    nullable: true,
    description: `${COMMAND_ID}.`,
  })
  commandId?: string | null;
}

@ObjectType({ description: 'The user is signed in.' })
export class SignInPayload extends Payload {
  @Field(() => User, { description: 'The signed-in user.' })
  user!: User;

  @Field(() => Account, { description: 'The account that the user opened.' })
  account!: Account;

  @Field(() => SessionTokens, {
    nullable: true,
    description: 'The new session. Null if the command is replayed.',
  })
  session!: SessionTokens | null;
}

export const SignInResult = createUnionType({
  name: 'SignInResult',
  description: 'The signed-in user, or the reason why nobody was signed in.',
  types: () => [SignInPayload, SignInRefused, InvalidInput] as const,
});

@InputType({ description: 'Input for `refreshSession`.' })
export class RefreshSessionInput {
  @Field(() => String, { description: 'The latest refresh token of the session.' })
  refreshToken!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Ignored: the refresh token itself makes a retry safe.',
  })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The session continues with new tokens.' })
export class RefreshSessionPayload {
  @Field(() => SessionTokens, {
    description: 'The new tokens. The refresh token that was sent is now used up.',
  })
  session!: SessionTokens;

  @Field(() => String, {
    description: 'Opaque event-log position of the session’s start. Refreshing stores no event.',
  })
  position!: string;
}

export const RefreshSessionResult = createUnionType({
  name: 'RefreshSessionResult',
  description: 'The new tokens, or the reason why there are none.',
  types: () => [RefreshSessionPayload, SignInRefused, InvalidInput] as const,
});

@InputType({ description: 'Input for `signOut`.' })
export class SignOutInput {
  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The session has ended.' })
export class SignOutPayload extends Payload {}

export const SignOutResult = createUnionType({
  name: 'SignOutResult',
  description: 'The confirmation, or the reason why the session did not end.',
  types: () => [SignOutPayload, NotFound, InvalidInput] as const,
});

@InputType({ description: 'Input for `signOutEverywhere`.' })
export class SignOutEverywhereInput {
  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'All sessions of the user have ended.' })
export class SignOutEverywherePayload extends Payload {}

export const SignOutEverywhereResult = createUnionType({
  name: 'SignOutEverywhereResult',
  description: 'The confirmation, or the reason why the sessions did not end.',
  types: () => [SignOutEverywherePayload, NotFound, InvalidInput] as const,
});
