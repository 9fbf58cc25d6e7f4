import 'reflect-metadata';
import { createUnionType, Field, InputType, ObjectType } from 'type-graphql';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { Payload } from '../graphql/kit/payload.js';
import { Conflict, InvalidInput, NotFound, SignInRefused } from '../graphql/kit/refusals.js';

@InputType({ description: 'Input for `requestPasswordReset`.' })
export class RequestPasswordResetInput {
  @Field(() => String, { description: 'Compared trimmed, in NFKC and lower case.' })
  email!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({
  simpleResolvers: true,
  description: 'The request is stored. It tells nothing about the e-mail.',
})
export class RequestPasswordResetPayload {
  @Field(() => String, { description: 'The place of this request in the history; opaque.' })
  position!: string;
}

export const RequestPasswordResetResult = createUnionType({
  name: 'RequestPasswordResetResult',
  description: 'The request, or why there is none.',
  types: () => [RequestPasswordResetPayload, InvalidInput] as const,
});

@InputType({ description: 'Input for `resetPassword`.' })
export class ResetPasswordInput {
  @Field(() => String, { description: 'As it stands in the mail; good for an hour, once.' })
  token!: string;

  @Field(() => String, { description: '8 to 200 characters. Stored as an argon2id hash.' })
  newPassword!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The new password is set.' })
export class ResetPasswordPayload extends Payload {}

export const ResetPasswordResult = createUnionType({
  name: 'ResetPasswordResult',
  description: 'The new password, or why it is the old one.',
  types: () => [ResetPasswordPayload, InvalidInput] as const,
});

@InputType({ description: 'Input for `requestEmailChange`.' })
export class RequestEmailChangeInput {
  @Field(() => String, { description: 'The new one. It gets a mail with a token.' })
  email!: string;

  @Field(() => String, { description: 'The password of the user who is signed in.' })
  password!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The change waits for its confirmation.' })
export class RequestEmailChangePayload extends Payload {}

export const RequestEmailChangeResult = createUnionType({
  name: 'RequestEmailChangeResult',
  description: 'The request, or why there is none.',
  types: () => [RequestEmailChangePayload, Conflict, SignInRefused, NotFound, InvalidInput] as const,
});

@InputType({ description: 'Input for `confirmEmailChange`.' })
export class ConfirmEmailChangeInput {
  @Field(() => String, { description: 'As it stands in the mail; good for a day.' })
  token!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The e-mail is changed.' })
export class ConfirmEmailChangePayload extends Payload {}

export const ConfirmEmailChangeResult = createUnionType({
  name: 'ConfirmEmailChangeResult',
  description: 'The changed e-mail, or why it is the old one.',
  types: () => [ConfirmEmailChangePayload, Conflict, InvalidInput] as const,
});
