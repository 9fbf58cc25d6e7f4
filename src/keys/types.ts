import 'reflect-metadata';
import { createUnionType, Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { GraphQLDateTimeISO } from 'graphql-scalars';
import { Sized } from '../graphql/cost/directives.js';
import { InvalidInput, NotFound } from '../graphql/refusals.js';

export enum KeyEnvironment {
  LIVE = 'live',
  TEST = 'test',
}
registerEnumType(KeyEnvironment, {
  name: 'KeyEnvironment',
  description: 'Live calls are billed; test calls are counted apart and never reach an invoice.',
  valuesConfig: {
    LIVE: { description: 'For production.' },
    TEST: { description: 'For trying out.' },
  },
});

export enum KeyScope {
  READ = 'read',
  WRITE = 'write',
  ADMIN = 'admin',
}
registerEnumType(KeyScope, {
  name: 'KeyScope',
  description: 'What a key may do. Governed queries need `READ`.',
  valuesConfig: {
    READ: { description: 'Read the catalogue, usage and quota.' },
    WRITE: { description: 'Change data; nothing needs it yet.' },
    ADMIN: { description: 'Manage the account; nothing needs it yet.' },
  },
});

@ObjectType({ simpleResolvers: true, description: 'A key, without its secret.' })
export class Key {
  @Field(() => ID, { description: 'Its id, for `revokeKey`. It is not the secret.' })
  id!: string;

  @Field(() => String, { description: 'The name it was given.' })
  name!: string;

  @Field(() => KeyEnvironment, { description: 'Live or test.' })
  environment!: KeyEnvironment;

  @Sized({ assumedSize: Object.keys(KeyScope).length })
  @Field(() => [KeyScope], { description: 'What it may do.' })
  scopes!: readonly KeyScope[];

  @Field(() => String, { description: 'How the secret begins, e.g. `sk_live_`.' })
  prefix!: string;

  @Field(() => String, { description: 'The last four characters of the secret.' })
  last4!: string;

  @Field(() => GraphQLDateTimeISO, { description: 'When it was issued.' })
  issuedAt!: Date;

  @Field(() => GraphQLDateTimeISO, { nullable: true, description: 'When it stops working; null never.' })
  expiresAt!: Date | null;

  @Field(() => GraphQLDateTimeISO, { nullable: true, description: 'When it was revoked, if it was.' })
  revokedAt!: Date | null;
}

@InputType({ description: 'A new key of the account.' })
export class IssueKeyInput {
  @Field(() => String, {
    description: 'Tells the keys apart, 1 to 100 characters. It is kept for ever: no personal data.',
  })
  name!: string;

  @Field(() => KeyEnvironment, { defaultValue: KeyEnvironment.LIVE, description: 'Live or test.' })
  environment!: KeyEnvironment;

  @Field(() => [KeyScope], { defaultValue: [KeyScope.READ], description: 'What it may do.' })
  scopes!: KeyScope[];

  @Field(() => GraphQLDateTimeISO, {
    nullable: true,
    description: 'When it stops working; must be in the future.',
  })
  expiresAt?: Date | null;

  @Field(() => String, {
    nullable: true,
    description: 'Names this command: sent again, it returns the first result without the secret.',
  })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'An issued key.' })
export class IssueKeyPayload {
  @Field(() => Key, { description: 'The key.' })
  key!: Key;

  @Field(() => String, {
    nullable: true,
    description: 'The key itself, shown this once. Null when a command is sent again.',
  })
  secret!: string | null;

  @Field(() => String, {
    nullable: true,
    description: '`SECRET_ALREADY_SHOWN` when a command is sent again, else null.',
  })
  secretNotice!: string | null;

  @Field(() => String, { description: 'The place of this change in the history; opaque.' })
  position!: string;
}

@InputType({ description: 'A key to revoke.' })
export class RevokeKeyInput {
  @Field(() => ID, { description: 'The id of the key, not its secret.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'Names this command.' })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'A revoked key.' })
export class RevokeKeyPayload {
  @Field(() => ID, { description: 'The key that works no more.' })
  id!: string;

  @Field(() => String, { description: 'The place of this change in the history; opaque.' })
  position!: string;
}

export const IssueKeyResult = createUnionType({
  name: 'IssueKeyResult',
  description: 'The issued key, or why there is none.',
  types: () => [IssueKeyPayload, InvalidInput] as const,
});

export const RevokeKeyResult = createUnionType({
  name: 'RevokeKeyResult',
  description: 'The revoked key, or why it was not revoked.',
  types: () => [RevokeKeyPayload, NotFound, InvalidInput] as const,
});
