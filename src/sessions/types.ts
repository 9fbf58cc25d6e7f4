import 'reflect-metadata';
import { createUnionType, Field, InputType, ObjectType } from 'type-graphql';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { Payload } from '../graphql/kit/payload.js';
import { InvalidInput, NotFound, SignInRefused } from '../graphql/kit/refusals.js';
import { SessionTokens } from './tokenTypes.js';
import { Account, User } from '../accounts/types.js';

@InputType({ description: 'Input for `signIn`.' })
export class SignInInput {
  @Field(() => String, { description: 'E-mail address; compared without case.' })
  email!: string;

  @Field(() => String, { description: 'The password of the user.' })
  password!: string;

  @Field(() => String, {
    nullable: true,
    description: `${COMMAND_ID}: sent again, it returns the first result, without its tokens.`,
  })
  commandId?: string | null;
}

@ObjectType({ description: 'A user who is signed in.' })
export class SignInPayload extends Payload {
  @Field(() => User, { description: 'Who signed in.' })
  user!: User;

  @Field(() => Account, { description: 'The account of the user.' })
  account!: Account;

  @Field(() => SessionTokens, {
    nullable: true,
    description: 'The session that has begun; null in a replay.',
  })
  session!: SessionTokens | null;
}

export const SignInResult = createUnionType({
  name: 'SignInResult',
  description: 'The user who is signed in, or why nobody is.',
  types: () => [SignInPayload, SignInRefused, InvalidInput] as const,
});

@InputType({ description: 'Input for `refreshSession`.' })
export class RefreshSessionInput {
  @Field(() => String, { description: 'The newest refresh token of the session.' })
  refreshToken!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Not needed: the refresh token names the command.',
  })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'A session that goes on.' })
export class RefreshSessionPayload {
  @Field(() => SessionTokens, { description: 'Its new tokens; the refresh token that was sent is used up.' })
  session!: SessionTokens;

  @Field(() => String, {
    description:
      'The place where the session began in the history: refreshing changes nothing there. Opaque.',
  })
  position!: string;
}

export const RefreshSessionResult = createUnionType({
  name: 'RefreshSessionResult',
  description: 'The session that goes on, or why it does not.',
  types: () => [RefreshSessionPayload, SignInRefused, InvalidInput] as const,
});

@InputType({ description: 'Input for `signOut`.' })
export class SignOutInput {
  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'A session that has ended.' })
export class SignOutPayload extends Payload {}

export const SignOutResult = createUnionType({
  name: 'SignOutResult',
  description: 'The end of the session, or why it goes on.',
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
  description: 'The end of all sessions, or why they go on.',
  types: () => [SignOutEverywherePayload, NotFound, InvalidInput] as const,
});
