import 'reflect-metadata';
import { createUnionType, Field, ID, InputType, ObjectType } from 'type-graphql';
import type { UserRow } from '../../projections/accounts/queries.js';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import type { Standing } from '../graphql/kit/standing.js';
import { Node } from '../graphql/kit/node.js';
import { Payload } from '../graphql/kit/payload.js';
import { Conflict, InvalidInput, NotAllowed, NotFound } from '../graphql/kit/refusals.js';
import { IdOf } from '../graphql/kit/ids.js';
import { SessionTokens } from '../sessions/tokenTypes.js';

@ObjectType({
  implements: Node,
  description: 'A person who signs in. One user may work in several accounts.',
})
export class User extends Node {
  @Field(() => DateTimeISO, { description: 'When the user registered.' })
  registeredAt!: Date;

  @Field(() => Boolean, {
    description:
      'Whether the user has confirmed the e-mail address, with `verifyEmail` or through an identity provider.',
  })
  emailVerified!: boolean;

  /** Sealed, resolved on demand; null once it has been erased. */
  sealedEmail!: string | null;
  sealedName!: string | null;
}

export function userOf(row: UserRow): User {
  return Object.assign(new User(), {
    id: row.id,
    registeredAt: new Date(row.registered_at),
    sealedEmail: row.email,
    sealedName: row.name,
    emailVerified: row.email_verified,
  });
}

@ObjectType({
  implements: Node,
  description: 'A billed customer: one person or a team. It owns keys, limits and usage.',
})
export class Account extends Node {
  /** What the caller may do in it; undefined where it was only just made, and nobody is signed in. */
  readonly standing: Standing | undefined;

  constructor(id: string, standing?: Standing) {
    super();
    this.id = id;
    this.standing = standing;
  }
}

@ObjectType({ description: 'The authenticated caller.' })
export class Viewer {
  /** What the caller may do in the account that he works in. */
  standing!: Standing | undefined;

  @Field(() => Account, { description: 'The account that the key belongs to, or that the session works in.' })
  account!: Account;

  @Field(() => User, { nullable: true, description: 'The signed-in user. Null for a key.' })
  user!: User | null;
}

@InputType({ description: 'Input for `registerUser`.' })
export class RegisterUserInput {
  @Field(() => String, {
    description: 'E-mail address, at most 254 characters. It must be unique; case does not matter.',
  })
  email!: string;

  @Field(() => String, { description: '8 to 200 characters. Stored only as an argon2id hash.' })
  password!: string;

  @Field(() => String, { nullable: true, description: 'The new name, at most 100 characters.' })
  name?: string | null;

  @Field(() => String, {
    nullable: true,
    description: `${COMMAND_ID}.`,
  })
  commandId?: string | null;
}

@ObjectType({ description: 'A registered user.' })
export class RegisterUserPayload extends Payload {
  @Field(() => User, { description: 'The new user.' })
  user!: User;

  @Field(() => Account, { description: 'The new account.' })
  account!: Account;

  @Field(() => SessionTokens, {
    nullable: true,
    description:
      'The first session. Null if the command is replayed, or if no session could be started; sign in then.',
  })
  session!: SessionTokens | null;
}

export const RegisterUserResult = createUnionType({
  name: 'RegisterUserResult',
  description: 'The registered user, or the reason why nobody was registered.',
  types: () => [RegisterUserPayload, Conflict, NotAllowed, InvalidInput] as const,
});

@InputType({ description: 'Input for `deleteAccount`.' })
export class DeleteAccountInput {
  @Field(() => String, { description: 'The current password. Deletion cannot be undone.' })
  password!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'A deleted account.' })
export class DeleteAccountPayload extends Payload {
  @IdOf('Account')
  @Field(() => ID, { description: 'Id of the deleted account.' })
  accountId!: string;
}

export const DeleteAccountResult = createUnionType({
  name: 'DeleteAccountResult',
  description: 'The deleted account, or the reason why it was not deleted.',
  types: () => [DeleteAccountPayload, NotFound, InvalidInput] as const,
});
