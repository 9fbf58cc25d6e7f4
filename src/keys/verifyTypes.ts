import 'reflect-metadata';
import { createUnionType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { Plan } from '../plans/planTypes.js';
import { Sized } from '../graphql/cost/directives.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { InvalidInput } from '../graphql/kit/refusals.js';
import { IdOf } from '../graphql/kit/ids.js';
import { LimitStatus, MeterQuantityInput } from '../usage/limitTypes.js';
import { Reservation } from '../usage/reservationTypes.js';
import { MAX_STATES } from '../usage/types.js';
import { KeyEnvironment, KeyScope } from './types.js';

export const MAX_TEXT = 200;
/** In UTF-8; what was asked for stands in an index of the ledger. */
const MAX_TEXT_BYTES = 1_600;
export const LABEL = { max: MAX_TEXT, maxBytes: MAX_TEXT_BYTES };
export const MAX_QUANTITIES = 20;

@InputType({ description: 'What the call that the key came with uses.' })
export class SpendInput {
  @Field(() => [MeterQuantityInput], {
    description: `What it comes to, each meter once, at most ${MAX_QUANTITIES}. \`requests\` is 1 unless it is given. Limits on other meters that are not given are not checked.`,
  })
  quantities!: MeterQuantityInput[];

  @Field(() => String, {
    description: `The path that was called, 1 to ${MAX_TEXT} characters: no personal data.`,
  })
  endpoint!: string;

  @Field(() => String, { defaultValue: 'GET', description: 'The HTTP method, in capitals.' })
  method!: string;

  @Field(() => String, {
    nullable: true,
    description: `What was asked for, e.g. the name of an operation; at most ${MAX_TEXT} characters.`,
  })
  operation?: string | null;

  @Field(() => String, {
    nullable: true,
    description: `A label of yours, e.g. a data source; at most ${MAX_TEXT} characters.`,
  })
  source?: string | null;

  @Field(() => Boolean, {
    defaultValue: false,
    description:
      'True if you tell afterwards what it came to: it is reserved, until you settle or release the `reservation`.',
  })
  reserve!: boolean;
}

@InputType({
  description: 'Input for `verifyKey`: a key that somebody has sent to a back end of the service.',
})
export class VerifyKeyInput {
  @Field(() => String, { description: 'The secret of the key, as it was sent to the back end.' })
  secret!: string;

  @Field(() => KeyEnvironment, {
    nullable: true,
    description: 'The environment that it has to be of; by default either.',
  })
  environment?: KeyEnvironment | null;

  @Field(() => [KeyScope], { defaultValue: [], description: 'The scopes that it has to have.' })
  scopes!: KeyScope[];

  @Field(() => SpendInput, {
    nullable: true,
    description:
      'What to spend if it is valid, from all limits or none; sent again without a `commandId`, it is spent again.',
  })
  spend?: SpendInput | null;

  @Field(() => String, {
    nullable: true,
    description: `${COMMAND_ID}. The same one, sent again, spends nothing more and returns the first use or reservation, if the key still works.`,
  })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'What there is to say of a key.' })
export class VerifyKeyPayload {
  @Field(() => Boolean, { description: 'Whether it may be used for this.' })
  valid!: boolean;

  @Field(() => String, {
    description:
      '`VALID`, or why it may not be used: `KEY_MALFORMED`, `KEY_UNKNOWN`, `KEY_REVOKED`, `KEY_EXPIRED`, `KEY_ROTATED`, `ENVIRONMENT_MISMATCH`, `SCOPE_MISSING`, `RATE_LIMITED`, `QUOTA_EXCEEDED` or `QUERY_COST_EXCEEDED`. New codes may be added.',
  })
  code!: string;

  @Field(() => Int, { nullable: true, description: 'Seconds to wait, where waiting helps.' })
  retryAfterSeconds!: number | null;

  @IdOf('Key')
  @Field(() => ID, { nullable: true, description: 'The id of the key; null for one that does not work.' })
  keyId!: string | null;

  @IdOf('Account')
  @Field(() => ID, {
    nullable: true,
    description: 'The account that pays; null for a key that does not work.',
  })
  accountId!: string | null;

  @Field(() => KeyEnvironment, {
    nullable: true,
    description: 'Live or test; null for a key that does not work.',
  })
  environment!: KeyEnvironment | null;

  @Sized({ assumedSize: Object.keys(KeyScope).length })
  @Field(() => [KeyScope], { description: 'What it may do; empty for a key that does not work.' })
  scopes!: readonly KeyScope[];

  @Field(() => DateTimeISO, { nullable: true, description: 'When it stops working; null never.' })
  expiresAt!: Date | null;

  @Field(() => Plan, {
    nullable: true,
    description: 'The plan in force, with its features; null for a key that does not work.',
  })
  plan!: Plan | null;

  @Sized({ assumedSize: MAX_STATES })
  @Field(() => [LimitStatus], {
    description: 'The limits of the account and of the key, after what was spent.',
  })
  limits!: readonly LimitStatus[];

  @Field(() => ID, {
    nullable: true,
    description: 'Names the use that was stored; null where nothing was spent.',
  })
  useId!: string | null;

  @Field(() => Reservation, {
    nullable: true,
    description: 'What was reserved; null where nothing was.',
  })
  reservation!: Reservation | null;
}

export const VerifyKeyResult = createUnionType({
  name: 'VerifyKeyResult',
  description: 'What there is to say of the key, or what is wrong with the input.',
  types: () => [VerifyKeyPayload, InvalidInput] as const,
});
