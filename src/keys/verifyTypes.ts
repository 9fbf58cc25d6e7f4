import 'reflect-metadata';
import { createUnionType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { Plan } from '../plans/planTypes.js';
import { Sized } from '../graphql/cost/directives.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { InvalidInput } from '../graphql/kit/refusals.js';
import { IdOf } from '../graphql/kit/ids.js';
import { LimitStatus, MeterQuantityInput, SUBJECT } from '../usage/limits/limitTypes.js';
import { Reservation } from '../usage/reservations/reservationTypes.js';
import { MAX_STATES } from '../usage/types.js';
import { KeyEnvironment, KeyScope } from './types.js';

export const MAX_TEXT = 200;
/** In UTF-8; what was asked for stands in an index of the ledger. */
const MAX_TEXT_BYTES = 1_600;
export const LABEL = { max: MAX_TEXT, maxBytes: MAX_TEXT_BYTES };
export const MAX_QUANTITIES = 20;

@InputType({ description: 'What to charge for the call that came with the key.' })
export class SpendInput {
  @Field(() => [MeterQuantityInput], {
    description: `Amounts to charge, each meter once, at most ${MAX_QUANTITIES}. \`requests\` defaults to 1. Limits on meters that are not given are not checked.`,
  })
  quantities!: MeterQuantityInput[];

  @Field(() => String, {
    description: `Path that was called, 1 to ${MAX_TEXT} characters, e.g. \`/v1/videos\`. Must not contain personal data.`,
  })
  endpoint!: string;

  @Field(() => String, { defaultValue: 'GET', description: 'HTTP method in capitals, e.g. `POST`.' })
  method!: string;

  @Field(() => String, {
    nullable: true,
    description: `Name of the operation, at most ${MAX_TEXT} characters.`,
  })
  operation?: string | null;

  @Field(() => String, {
    nullable: true,
    description: `Label of your own, e.g. a data source; at most ${MAX_TEXT} characters.`,
  })
  source?: string | null;

  @Field(() => String, { nullable: true, description: SUBJECT })
  subject?: string | null;

  @Field(() => Boolean, {
    defaultValue: false,
    description:
      'True to only reserve the amounts, if the real ones are known later. Then settle or release the returned `reservation`.',
  })
  reserve!: boolean;
}

@InputType({
  description: 'Input for `verifyKey`: a key that a customer has sent to your back end.',
})
export class VerifyKeyInput {
  @Field(() => String, {
    nullable: true,
    description: 'The secret, as the customer has sent it. Leave it out for a caller who has sent none.',
  })
  secret?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'IP address of a caller who has sent no key. Where the service can be tried without one, each address (of IPv6 each /64) has the limits of the demo plan, and its use counts as test use.',
  })
  address?: string | null;

  @Field(() => KeyEnvironment, {
    nullable: true,
    description: 'Required environment. By default either is accepted.',
  })
  environment?: KeyEnvironment | null;

  @Field(() => [KeyScope], { defaultValue: [], description: 'Scopes that the key must have.' })
  scopes!: KeyScope[];

  @Field(() => SpendInput, {
    nullable: true,
    description:
      'What to charge if the key is valid: to all limits, or to none. Without a `commandId` a retry charges again.',
  })
  spend?: SpendInput | null;

  @Field(() => String, {
    nullable: true,
    description: `${COMMAND_ID}. The same one, sent again, spends nothing more and returns the first use or reservation, if the key still works.`,
  })
  commandId?: string | null;
}

/** More than any profile names. */
const MAX_HEADERS = 20;

@ObjectType({ simpleResolvers: true, description: 'A header of an HTTP answer.' })
export class HttpHeader {
  @Field(() => String, { description: 'Its name, in lower case.' })
  name!: string;

  @Field(() => String, { description: 'What it says, e.g. `99` for `x-ratelimit-remaining`.' })
  value!: string;
}

@ObjectType({ simpleResolvers: true, description: 'Result of checking a key.' })
export class VerifyKeyPayload {
  @Field(() => Boolean, {
    description: 'Whether the key may be used, and whatever was to be spent has been spent.',
  })
  valid!: boolean;

  @Field(() => String, {
    description:
      '`VALID`, or why it may not be used: `KEY_MISSING`, `KEY_MALFORMED`, `KEY_UNKNOWN`, `KEY_REVOKED`, `KEY_EXPIRED`, `KEY_ROTATED`, `ENVIRONMENT_MISMATCH`, `SCOPE_MISSING`, `RATE_LIMITED`, `QUOTA_EXCEEDED` or `QUERY_COST_EXCEEDED`. New codes may be added.',
  })
  code!: string;

  @Field(() => Int, {
    nullable: true,
    description: 'Seconds to wait before trying again. Null if waiting does not help.',
  })
  retryAfterSeconds!: number | null;

  @Field(() => Boolean, {
    description: 'Whether this is a caller without a key, who may try the service.',
  })
  demo!: boolean;

  @IdOf('Key')
  @Field(() => ID, {
    nullable: true,
    description: 'Id of the key. Null if there is none, or the key is not valid.',
  })
  keyId!: string | null;

  @IdOf('Account')
  @Field(() => ID, {
    nullable: true,
    description: 'Id of the account that pays. Null if there is no key, or it is not valid.',
  })
  accountId!: string | null;

  @Field(() => KeyEnvironment, {
    nullable: true,
    description: 'Environment of the key. Null if the key is not valid.',
  })
  environment!: KeyEnvironment | null;

  @Sized({ assumedSize: Object.keys(KeyScope).length })
  @Field(() => [KeyScope], { description: 'What the key may do. Empty if the key is not valid.' })
  scopes!: readonly KeyScope[];

  @Field(() => DateTimeISO, {
    nullable: true,
    description: 'When the key stops working. Null if it does not expire.',
  })
  expiresAt!: Date | null;

  @Field(() => Plan, {
    nullable: true,
    description: 'The account’s plan, with its features. Null if the key is not valid.',
  })
  plan!: Plan | null;

  @Sized({ assumedSize: MAX_STATES })
  @Field(() => [LimitStatus], {
    description: 'Limits of the account and of the key, after spending.',
  })
  limits!: readonly LimitStatus[];

  @Sized({ assumedSize: MAX_HEADERS })
  @Field(() => [HttpHeader], {
    description:
      'Headers with which the answer of your API tells the caller where the limits stand, refusals too: `RateLimit`, `X-RateLimit-*` and those that the service has under names of its own.',
  })
  headers!: readonly HttpHeader[];

  @Field(() => ID, {
    nullable: true,
    description: 'Id of the stored use. Null if nothing was spent.',
  })
  useId!: string | null;

  @Field(() => Reservation, {
    nullable: true,
    description: 'The reservation, if `reserve` was true; otherwise null.',
  })
  reservation!: Reservation | null;
}

export const VerifyKeyResult = createUnionType({
  name: 'VerifyKeyResult',
  description: 'The result of the check, or the problem with the input.',
  types: () => [VerifyKeyPayload, InvalidInput] as const,
});
