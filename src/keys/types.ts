import 'reflect-metadata';
import {
  ArgsType,
  createUnionType,
  Field,
  ID,
  InputType,
  Int,
  ObjectType,
  registerEnumType,
} from 'type-graphql';
import { GraphQLDateTimeISO } from 'graphql-scalars';
import type { KeyRow } from '../../projections/keys/queries.js';
import { PageInfo } from '../graphql/connection.js';
import { Range, Sized } from '../graphql/cost/directives.js';
import { Node } from '../graphql/node.js';
import { InvalidInput, NotFound } from '../graphql/refusals.js';

const MAX_PAGE = 100;

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

@ObjectType({
  implements: Node,
  simpleResolvers: true,
  description: 'A key, without its secret. Its id, for `revokeKey`, is not the secret.',
})
export class Key extends Node {
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

export function keyOf(row: KeyRow): Key {
  return Object.assign(new Key(), {
    id: row.id,
    name: row.name,
    environment: row.environment as KeyEnvironment,
    scopes: row.scopes as readonly KeyScope[],
    prefix: row.prefix,
    last4: row.last4,
    issuedAt: row.issued_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
  });
}

/** A class, since type-graphql loses the directives on arguments of a field resolver. */
@ArgsType()
export class KeysPage {
  @Range(1, MAX_PAGE)
  @Field(() => Int, { defaultValue: 20, description: `Page size, 1 to ${MAX_PAGE}.` })
  first!: number;

  @Field(() => String, { nullable: true, description: 'The `endCursor` of the page before.' })
  after?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'A key at its place in a list.' })
export class KeyEdge {
  @Field(() => String, { description: 'Names this place; opaque.' })
  cursor!: string;

  @Field(() => Key, { description: 'The key.' })
  node!: Key;
}

@ObjectType({ simpleResolvers: true, description: 'A page of keys.' })
export class KeyConnection {
  @Field(() => [KeyEdge], { description: 'The keys with their places.' })
  edges!: KeyEdge[];

  @Field(() => [Key], { description: 'The keys alone.' })
  nodes!: Key[];

  @Field(() => PageInfo, { description: 'Where this page stands.' })
  pageInfo!: PageInfo;
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
