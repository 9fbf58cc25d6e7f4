import 'reflect-metadata';
import { Field, Float, Int, ObjectType, registerEnumType } from 'type-graphql';
import { MAX_OPERATIONS } from '../../projections/usage/queries.js';
import { Sized } from '../graphql/cost/directives.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { BUILT_IN, MAX_METERS } from '../plans/meters.js';
import { MAX_LIMITS } from '../plans/profile.js';
import { LimitStatus, MeterQuantity } from './limitTypes.js';

/** Days that can be asked for at once, by the hour and by the day. */
export const MAX_DAYS = { hour: 31, day: 400 } as const;
/** Limits of the plan, and of the key that asks. */
export const MAX_STATES = 2 * MAX_LIMITS;
/** Meters of a profile. */
export const MAX_TOTALS = BUILT_IN.length + MAX_METERS;
const MAX_BUCKETS = Math.max(24 * MAX_DAYS.hour, MAX_DAYS.day);

export enum UsageInterval {
  HOUR = 'hour',
  DAY = 'day',
}
registerEnumType(UsageInterval, {
  name: 'UsageInterval',
  description: 'How finely usage is summed, in UTC.',
  valuesConfig: { HOUR: { description: 'By the hour.' }, DAY: { description: 'By the day.' } },
});

@ObjectType({ simpleResolvers: true, description: 'The usage of one hour or day.' })
export class UsageBucket {
  @Field(() => DateTimeISO, { description: 'When it began (UTC).' })
  start!: Date;

  @Field(() => Int, { description: 'Requests that count.' })
  requests!: number;

  @Field(() => Int, { description: 'Calls that a limit refused; they do not count.' })
  refused!: number;

  @Field(() => Int, { description: 'Requests among these that ended in an internal error or a time-out.' })
  errors!: number;

  @Field(() => Float, { description: 'Mean time of execution, in milliseconds.' })
  meanDurationMs!: number;
}

@ObjectType({ simpleResolvers: true, description: 'The requests of one operation.' })
export class OperationUsage {
  @Field(() => String, { description: 'The operation’s name, or its root fields where it has none.' })
  operation!: string;

  @Field(() => Int, { description: 'Requests that count.' })
  requests!: number;
}

@ObjectType({ simpleResolvers: true, description: 'What the account has used.' })
export class Usage {
  @Field(() => DateTimeISO, { description: 'From here (inclusive).' })
  from!: Date;

  @Field(() => DateTimeISO, { description: 'Up to here (exclusive).' })
  to!: Date;

  @Field(() => Int, { description: 'Requests that count, in all.' })
  requests!: number;

  @Sized({ assumedSize: MAX_BUCKETS })
  @Field(() => [UsageBucket], { description: 'Hours or days with usage, the oldest first.' })
  buckets!: UsageBucket[];

  @Sized({ assumedSize: MAX_OPERATIONS })
  @Field(() => [OperationUsage], { description: 'The 50 operations with the most requests.' })
  operations!: OperationUsage[];

  @Field(() => Boolean, {
    description:
      'True when calls of the account may be missing in these figures: the newest ones, which come in a moment, ' +
      'or ones that could not be counted and that an operator has to look at.',
  })
  stale!: boolean;
}

@ObjectType({ simpleResolvers: true, description: 'Where the usage of the account stands now.' })
export class UsageChanged {
  @Field(() => String, {
    description: 'How far the totals are counted: a position for `Account.usage(minPosition:)`. Opaque.',
  })
  position!: string;

  @Field(() => DateTimeISO, { description: 'When this was so.' })
  at!: Date;

  @Sized({ assumedSize: MAX_TOTALS })
  @Field(() => [MeterQuantity], {
    description:
      'What was used since the month began (UTC), by meter: by live calls, or by calls of test keys with a test key.',
  })
  totals!: MeterQuantity[];

  @Sized({ assumedSize: MAX_STATES })
  @Field(() => [LimitStatus], {
    description: 'The limits in force, as in `Account.limits`; empty for a plan without limits.',
  })
  limits!: LimitStatus[];
}
