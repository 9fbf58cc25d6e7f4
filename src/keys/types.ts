import 'reflect-metadata';
import { createUnionType, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { KeyRotationRow, KeyRow } from '../../projections/keys/queries.js';
import type { StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { connectionOf } from '../graphql/kit/pages.js';
import { Quantity } from '../graphql/kit/quantity.js';
import { Range, Sized } from '../graphql/cost/directives.js';
import { Node } from '../graphql/kit/node.js';
import { Payload } from '../graphql/kit/payload.js';
import { Conflict, InvalidInput, LimitReached, NotFound } from '../graphql/kit/refusals.js';
import { IdOf } from '../graphql/kit/ids.js';
import type { Meter } from '../plans/meters.js';
import { decimalsOf, quantityOf } from '../plans/meters.js';
import { LimitWindow } from '../usage/limitTypes.js';
import { MAX_GRACE_SECONDS, MAX_KEY_LIMITS, MAX_KEY_RATE, MAX_METADATA } from './decide.js';
import type { KeyEvent } from './events.js';

/** A day. */
const GRACE_SECONDS = 86_400;

export enum KeyEnvironment {
  LIVE = 'live',
  TEST = 'test',
}
registerEnumType(KeyEnvironment, {
  name: 'Environment',
  description: 'Live calls are billed; test calls are counted apart and never reach an invoice.',
  valuesConfig: {
    LIVE: { description: 'For production: calls are billed.' },
    TEST: { description: 'For trying out: calls are counted apart and never billed.' },
  },
});

export enum KeyScope {
  READ = 'read',
  WRITE = 'write',
  ADMIN = 'admin',
}
registerEnumType(KeyScope, {
  name: 'KeyScope',
  description: 'What a key may do: `@access` says at each field which one it needs. None includes another.',
  valuesConfig: {
    READ: { description: 'Read the catalogue, usage and limits.' },
    WRITE: { description: 'Change data; nothing needs it yet.' },
    ADMIN: { description: 'Manage the keys of the account, read its audit log; of an operator, act as one.' },
  },
});

@ObjectType({
  simpleResolvers: true,
  description: 'A limit that a key is held to beside those of the account’s plan.',
})
export class KeyLimit {
  @Field(() => ID, { description: 'What is counted: `requests`, `cost`, or another meter of the service.' })
  meter!: string;

  @Field(() => LimitWindow, { description: 'In which time.' })
  window!: LimitWindow;

  @Field(() => Quantity, { description: 'The most that may be used in one window, in units of the meter.' })
  max!: string;
}

@ObjectType({ simpleResolvers: true, description: 'Something that the account has noted of a key.' })
export class MetadataEntry {
  @Field(() => String, { description: 'Its name, unique within the key.' })
  name!: string;

  @Field(() => String, { description: 'The value that was noted, at most 500 characters.' })
  value!: string;
}

@InputType({ description: 'A limit for a key, beside those of the account’s plan.' })
export class KeyLimitInput {
  @Field(() => ID, { description: 'What is counted: `requests`, `cost`, or another meter of the service.' })
  meter!: string;

  @Field(() => LimitWindow, { description: 'In which time.' })
  window!: LimitWindow;

  @Field(() => Quantity, {
    description: `The most that may be used in one window, in units of the meter; above 0. Of requests a minute or an hour 1 to ${MAX_KEY_RATE}.`,
  })
  max!: string;
}

@InputType({ description: 'Something to note of a key.' })
export class MetadataEntryInput {
  @Field(() => String, { description: 'Its name, 1 to 40 characters, unique within the key.' })
  name!: string;

  @Field(() => String, { description: 'At most 500 characters. It is kept for ever: no personal data.' })
  value!: string;
}

@ObjectType({
  implements: Node,
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

  @Field(() => DateTimeISO, { description: 'When it was issued.' })
  issuedAt!: Date;

  @Field(() => DateTimeISO, { nullable: true, description: 'When it stops working; null never.' })
  expiresAt!: Date | null;

  @Field(() => DateTimeISO, { nullable: true, description: 'When it was revoked, if it was.' })
  revokedAt!: Date | null;

  @Field(() => DateTimeISO, {
    nullable: true,
    description: 'When it got the secret that it has now; null while it has the first.',
  })
  rotatedAt!: Date | null;

  @Field(() => DateTimeISO, {
    nullable: true,
    description: 'Until when the secret before works beside it; null while it has the first.',
  })
  graceEndsAt!: Date | null;

  @Sized({ assumedSize: MAX_KEY_LIMITS })
  @Field(() => [KeyLimit], { description: 'Its own limits, which hold beside those of the plan.' })
  limits!: readonly KeyLimit[];

  @Sized({ assumedSize: MAX_METADATA })
  @Field(() => [MetadataEntry], { description: 'What the account has noted of it.' })
  metadata!: readonly MetadataEntry[];
}

/** What a key's row and its events both tell. */
type KeyFacts = Pick<
  KeyRow,
  'id' | 'name' | 'environment' | 'scopes' | 'prefix' | 'last4' | 'limits' | 'metadata' | 'rotations'
> & {
  readonly issued_at: Date;
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
};

/** @param meters of the profile, which say in which unit limits are shown */
export function keyOf(row: KeyFacts, meters: readonly Meter[]): Key {
  const rotation = row.rotations.at(-1);
  const { prefix, last4 } = rotation ?? row;
  return Object.assign(new Key(), {
    id: row.id,
    name: row.name,
    environment: row.environment as KeyEnvironment,
    scopes: row.scopes as readonly KeyScope[],
    prefix,
    last4,
    // Copies: dates of the database's worker may be another realm's, which graphql-scalars takes for none.
    issuedAt: new Date(row.issued_at),
    expiresAt: row.expires_at && new Date(row.expires_at),
    revokedAt: row.revoked_at && new Date(row.revoked_at),
    rotatedAt: rotation ? new Date(rotation.at) : null,
    graceEndsAt: rotation ? new Date(rotation.graceEndsAt) : null,
    limits: row.limits.map(({ meter, window, amount }) => {
      const max = quantityOf(amount, decimalsOf(meter, meters));
      return Object.assign(new KeyLimit(), { meter, window, max });
    }),
    metadata: row.metadata.map((entry) => Object.assign(new MetadataEntry(), entry)),
  });
}

/**
 * The key as its own events tell it, for who has just changed it: its row follows.
 * @param events of its stream, from the first on
 */
export function keyOfEvents(events: readonly StoredEvent[], meters: readonly Meter[]): Key {
  const [first] = events;
  if (first?.type !== 'KeyIssued') throw new Error('a key begins with KeyIssued');
  const { data } = as<Extract<KeyEvent, { type: 'KeyIssued' }>>(first);
  const rotations: KeyRotationRow[] = [];
  let revoked: Date | null = null;
  for (const stored of events) {
    const event = as<KeyEvent>(stored);
    if (event.type === 'KeyRevoked') revoked ??= new Date(stored.metadata.at);
    if (event.type !== 'KeyRotated') continue;
    const { hash, prefix, last4, graceEndsAt } = event.data;
    rotations.push({ revision: stored.revision, at: stored.metadata.at, hash, prefix, last4, graceEndsAt });
  }
  const facts = {
    ...data,
    id: first.streamId,
    issued_at: new Date(first.metadata.at),
    expires_at: data.expiresAt === null ? null : new Date(data.expiresAt),
    revoked_at: revoked,
    rotations,
  };
  return keyOf(facts, meters);
}

export const KeyConnection = connectionOf(Key, { entry: 'Key', one: 'key', many: 'keys' });

@InputType({ description: 'Input for `issueKey`.' })
export class IssueKeyInput {
  @Field(() => String, {
    description: 'Tells the keys apart, 1 to 100 characters. It is kept for ever: no personal data.',
  })
  name!: string;

  @Field(() => KeyEnvironment, { defaultValue: KeyEnvironment.LIVE, description: 'Live or test.' })
  environment!: KeyEnvironment;

  @Field(() => [KeyScope], { defaultValue: [KeyScope.READ], description: 'What it may do.' })
  scopes!: KeyScope[];

  @Field(() => DateTimeISO, {
    nullable: true,
    description: 'When it stops working; must be in the future.',
  })
  expiresAt?: Date | null;

  @Field(() => [KeyLimitInput], {
    defaultValue: [],
    description: `Limits beside those of the plan, at most ${MAX_KEY_LIMITS}, one for each meter and window.`,
  })
  limits!: KeyLimitInput[];

  @Field(() => [MetadataEntryInput], {
    defaultValue: [],
    description: `What to note of it, at most ${MAX_METADATA} entries.`,
  })
  metadata!: MetadataEntryInput[];

  @Field(() => String, {
    nullable: true,
    description: `${COMMAND_ID}.`,
  })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'An issued key.' })
export class IssueKeyPayload extends Payload {
  @Field(() => Key, { description: 'The key that was issued, without its secret.' })
  key!: Key;

  @Field(() => String, {
    nullable: true,
    description: 'The key itself, shown this once. Null when a command is sent again.',
  })
  secret!: string | null;
}

@InputType({ description: 'Input for `rotateKey`.' })
export class RotateKeyInput {
  @IdOf('Key')
  @Field(() => ID, { description: 'The id of the key, not its secret.' })
  keyId!: string;

  @Range(0, MAX_GRACE_SECONDS)
  @Field(() => Int, {
    defaultValue: GRACE_SECONDS,
    description: `How long the secret that it has now works beside the new one, in seconds: 0 to ${MAX_GRACE_SECONDS} (30 days).`,
  })
  graceSeconds!: number;

  @Field(() => String, {
    nullable: true,
    description: `${COMMAND_ID}.`,
  })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'A key with a new secret.' })
export class RotateKeyPayload extends Payload {
  @Field(() => Key, { description: 'The key: the same as before, with its counters.' })
  key!: Key;

  @Field(() => String, {
    nullable: true,
    description: 'The new secret, shown this once. Null when a command is sent again.',
  })
  secret!: string | null;
}

@InputType({ description: 'Input for `revokeKey`.' })
export class RevokeKeyInput {
  @IdOf('Key')
  @Field(() => ID, { description: 'The id of the key, not its secret.' })
  keyId!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'A revoked key.' })
export class RevokeKeyPayload extends Payload {
  @Field(() => Key, { description: 'The key, which no longer works.' })
  key!: Key;
}

export const IssueKeyResult = createUnionType({
  name: 'IssueKeyResult',
  description: 'The issued key, or why there is none.',
  types: () => [IssueKeyPayload, InvalidInput] as const,
});

export const RotateKeyResult = createUnionType({
  name: 'RotateKeyResult',
  description: 'The rotated key, or why it was not rotated.',
  types: () => [RotateKeyPayload, Conflict, LimitReached, NotFound, InvalidInput] as const,
});

export const RevokeKeyResult = createUnionType({
  name: 'RevokeKeyResult',
  description: 'The revoked key, or why it was not revoked.',
  types: () => [RevokeKeyPayload, NotFound, InvalidInput] as const,
});
