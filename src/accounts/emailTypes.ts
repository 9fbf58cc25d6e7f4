import 'reflect-metadata';
import { createUnionType, Field, InputType, ObjectType } from 'type-graphql';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { Payload } from '../graphql/kit/payload.js';
import { Conflict, InvalidInput, NotFound, SignInRefused } from '../graphql/kit/refusals.js';

@InputType({ description: 'Input for `requestPasswordReset`.' })
export class RequestPasswordResetInput {
  @Field(() => String, {
    description: 'E-mail address of the user. Spaces around it and the case of letters do not matter.',
  })
  email!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({
  simpleResolvers: true,
  description: 'The request was received. This is also the answer if nobody has the e-mail address.',
})
export class RequestPasswordResetPayload {
  @Field(() => String, { description: 'Opaque event-log position of the request.' })
  position!: string;
}

export const RequestPasswordResetResult = createUnionType({
  name: 'RequestPasswordResetResult',
  description: 'The request, or the reason why it was refused.',
  types: () => [RequestPasswordResetPayload, InvalidInput] as const,
});

@InputType({ description: 'Input for `resetPassword`.' })
export class ResetPasswordInput {
  @Field(() => String, { description: 'The token from the mail. Valid once, within an hour.' })
  token!: string;

  @Field(() => String, { description: '8 to 200 characters. Stored only as an argon2id hash.' })
  newPassword!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The new password is set.' })
export class ResetPasswordPayload extends Payload {}

export const ResetPasswordResult = createUnionType({
  name: 'ResetPasswordResult',
  description: 'The confirmation, or the reason why the password was not changed.',
  types: () => [ResetPasswordPayload, InvalidInput] as const,
});

@InputType({ description: 'Input for `requestEmailChange`.' })
export class RequestEmailChangeInput {
  @Field(() => String, {
    description: 'The new e-mail address, at most 254 characters. A token is mailed to it.',
  })
  email!: string;

  @Field(() => String, { description: 'The current password of the signed-in user.' })
  password!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({
  simpleResolvers: true,
  description: 'The change waits for confirmation by `confirmEmailChange`.',
})
export class RequestEmailChangePayload extends Payload {}

export const RequestEmailChangeResult = createUnionType({
  name: 'RequestEmailChangeResult',
  description: 'The request, or the reason why it was refused.',
  types: () => [RequestEmailChangePayload, Conflict, SignInRefused, NotFound, InvalidInput] as const,
});

@InputType({ description: 'Input for `confirmEmailChange`.' })
export class ConfirmEmailChangeInput {
  @Field(() => String, { description: 'The token from the mail. Valid for 24 hours.' })
  token!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The e-mail address was changed.' })
export class ConfirmEmailChangePayload extends Payload {}

export const ConfirmEmailChangeResult = createUnionType({
  name: 'ConfirmEmailChangeResult',
  description: 'The confirmation, or the reason why the e-mail address was not changed.',
  types: () => [ConfirmEmailChangePayload, Conflict, InvalidInput] as const,
});
