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
import { LimitWindow } from '../usage/limits/limitTypes.js';
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
  description: 'Whether calls are billed. Test calls are counted separately and never appear on an invoice.',
  valuesConfig: {
    LIVE: { description: 'For production. Calls are billed.' },
    TEST: { description: 'For development. Calls are counted separately and never billed.' },
  },
});

export enum KeyScope {
  READ = 'read',
  WRITE = 'write',
  ADMIN = 'admin',
}
registerEnumType(KeyScope, {
  name: 'KeyScope',
  description: 'What a key may do. No scope includes another. `@access` shows which scope a field needs.',
  valuesConfig: {
    READ: { description: 'Read the catalogue, usage and limits.' },
    WRITE: { description: 'Change data. No field needs it yet.' },
    ADMIN: {
      description:
        'Manage the account: keys, webhooks, payments, and the audit log. A live key of an operator’s account acts as an operator.',
    },
  },
});

@ObjectType({
  simpleResolvers: true,
  description: 'A limit of one key, in addition to those of the account’s plan.',
})
export class KeyLimit {
  @Field(() => ID, {
    description: 'What is counted: `requests`, `cost`, or another meter of the service, e.g. `videos`.',
  })
  meter!: string;

  @Field(() => LimitWindow, { description: 'Time over which the limit counts.' })
  window!: LimitWindow;

  @Field(() => Quantity, { description: 'Maximum use per window, in units of the meter.' })
  max!: string;
}

@ObjectType({ simpleResolvers: true, description: 'A label of a key.' })
export class MetadataEntry {
  @Field(() => String, { description: 'Name of the label, unique within the key, e.g. `customer`.' })
  name!: string;

  @Field(() => String, { description: 'Value of the label, at most 500 characters.' })
  value!: string;
}

@InputType({
  description:
    'A limit for a key, in addition to those of the account’s plan. Example: `{ meter: "requests", window: DAY, max: "500" }`.',
})
export class KeyLimitInput {
  @Field(() => ID, {
    description: 'What is counted: `requests`, `cost`, or another meter of the service, e.g. `videos`.',
  })
  meter!: string;

  @Field(() => LimitWindow, { description: 'Time over which the limit counts.' })
  window!: LimitWindow;

  @Field(() => Quantity, {
    description: `Maximum use per window, in units of the meter; above 0. For requests per minute or hour 1 to ${MAX_KEY_RATE}.`,
  })
  max!: string;
}

@InputType({ description: 'A label for a key. Example: `{ name: "customer", value: "4711" }`.' })
export class MetadataEntryInput {
  @Field(() => String, { description: 'Name of the label, 1 to 40 characters, unique within the key.' })
  name!: string;

  @Field(() => String, {
    description: 'Value, at most 500 characters. Kept forever, so it must not contain personal data.',
  })
  value!: string;
}

@ObjectType({
  implements: Node,
  description:
    'An API key, without its secret. The id names it in commands such as `revokeKey`; it is not the secret.',
})
export class Key extends Node {
  @Field(() => String, { description: 'Name given when the key was issued.' })
  name!: string;

  @Field(() => KeyEnvironment, { description: 'Whether calls with the key are live or test calls.' })
  environment!: KeyEnvironment;

  @Sized({ assumedSize: Object.keys(KeyScope).length })
  @Field(() => [KeyScope], { description: 'What the key may do.' })
  scopes!: readonly KeyScope[];

  @Field(() => String, { description: 'First characters of the secret, e.g. `sk_live_`.' })
  prefix!: string;

  @Field(() => String, { description: 'Last four characters of the secret.' })
  last4!: string;

  @Field(() => DateTimeISO, { description: 'When it was issued.' })
  issuedAt!: Date;

  @Field(() => DateTimeISO, {
    nullable: true,
    description: 'When the key stops working. Null if it does not expire.',
  })
  expiresAt!: Date | null;

  @Field(() => DateTimeISO, { nullable: true, description: 'When the key was revoked. Null if it was not.' })
  revokedAt!: Date | null;

  @Field(() => DateTimeISO, {
    nullable: true,
    description: 'When the key got its current secret. Null if it was never rotated.',
  })
  rotatedAt!: Date | null;

  @Field(() => DateTimeISO, {
    nullable: true,
    description: 'Until when the previous secret still works. Null if the key was never rotated.',
  })
  graceEndsAt!: Date | null;

  @Sized({ assumedSize: MAX_KEY_LIMITS })
  @Field(() => [KeyLimit], {
    description: 'Limits of this key. They apply in addition to those of the plan.',
  })
  limits!: readonly KeyLimit[];

  @Sized({ assumedSize: MAX_METADATA })
  @Field(() => [MetadataEntry], {
    description: 'Labels that the account has attached to the key, e.g. a customer number.',
  })
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
    description:
      'Name to tell keys apart, 1 to 100 characters. Kept forever, so it must not contain personal data.',
  })
  name!: string;

  @Field(() => KeyEnvironment, {
    defaultValue: KeyEnvironment.LIVE,
    description: 'Whether calls with the key are live or test calls.',
  })
  environment!: KeyEnvironment;

  @Field(() => [KeyScope], { defaultValue: [KeyScope.READ], description: 'What the key may do.' })
  scopes!: KeyScope[];

  @Field(() => DateTimeISO, {
    nullable: true,
    description: 'When the key stops working; must be in the future. By default it does not expire.',
  })
  expiresAt?: Date | null;

  @Field(() => [KeyLimitInput], {
    defaultValue: [],
    description: `Limits in addition to those of the plan. At most ${MAX_KEY_LIMITS}, one per meter and window.`,
  })
  limits!: KeyLimitInput[];

  @Field(() => [MetadataEntryInput], {
    defaultValue: [],
    description: `Labels to attach to the key, at most ${MAX_METADATA}.`,
  })
  metadata!: MetadataEntryInput[];

  @Field(() => String, {
    nullable: true,
    description: `${COMMAND_ID}.`,
  })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The key was issued.' })
export class IssueKeyPayload extends Payload {
  @Field(() => Key, { description: 'The new key, without its secret.' })
  key!: Key;

  @Field(() => String, {
    nullable: true,
    description:
      'The secret: send it as `X-API-Key` or `Authorization: Bearer`. Shown only in this answer; null if the command is replayed.',
  })
  secret!: string | null;
}

@InputType({ description: 'Input for `rotateKey`.' })
export class RotateKeyInput {
  @IdOf('Key')
  @Field(() => ID, { description: 'Id of the key, e.g. `key_…`, not its secret.' })
  keyId!: string;

  @Range(0, MAX_GRACE_SECONDS)
  @Field(() => Int, {
    defaultValue: GRACE_SECONDS,
    description: `How long the current secret keeps working, in seconds: 0 to ${MAX_GRACE_SECONDS} (30 days).`,
  })
  graceSeconds!: number;

  @Field(() => String, {
    nullable: true,
    description: `${COMMAND_ID}.`,
  })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The key has a new secret.' })
export class RotateKeyPayload extends Payload {
  @Field(() => Key, { description: 'The key, with the same id, limits and usage as before.' })
  key!: Key;

  @Field(() => String, {
    nullable: true,
    description: 'The new secret. Shown only in this answer; null if the command is replayed.',
  })
  secret!: string | null;
}

@InputType({ description: 'Input for `revokeKey`.' })
export class RevokeKeyInput {
  @IdOf('Key')
  @Field(() => ID, { description: 'Id of the key, e.g. `key_…`, not its secret.' })
  keyId!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The key was revoked.' })
export class RevokeKeyPayload extends Payload {
  @Field(() => Key, { description: 'The key, which no longer works.' })
  key!: Key;
}

export const IssueKeyResult = createUnionType({
  name: 'IssueKeyResult',
  description: 'The issued key, or the reason why none was issued.',
  types: () => [IssueKeyPayload, InvalidInput] as const,
});

export const RotateKeyResult = createUnionType({
  name: 'RotateKeyResult',
  description: 'The key with its new secret, or the reason why it was not rotated.',
  types: () => [RotateKeyPayload, Conflict, LimitReached, NotFound, InvalidInput] as const,
});

export const RevokeKeyResult = createUnionType({
  name: 'RevokeKeyResult',
  description: 'The revoked key, or the reason why it was not revoked.',
  types: () => [RevokeKeyPayload, NotFound, InvalidInput] as const,
});
