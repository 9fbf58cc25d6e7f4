import 'reflect-metadata';
import { Field, Float, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { UsesAsked } from '../../projections/usage/reports.js';
import type { Position } from '../eventsourcing/event.js';
import { Cost, Sized } from '../graphql/cost/directives.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { IdOf } from '../graphql/kit/ids.js';
import { Quantity } from '../graphql/kit/quantity.js';
import { TimeZone } from '../graphql/kit/timeZone.js';
import { BUILT_IN, MAX_METERS } from '../plans/meters.js';
import { MetadataEntryInput } from '../keys/types.js';
import { MAX_LIMITS, MAX_REPORTED_PROPERTIES } from '../plans/profile.js';
import { LimitStatus, MeterQuantity } from './limits/limitTypes.js';

/** Limits of the plan, of the key that asks, and of the end customer. */
export const MAX_STATES = 3 * MAX_LIMITS;
/** Dimensions of one report. */
export const MAX_DIMENSIONS = 3;
/** Groups of a breakdown, and points of a timeline. */
export const MAX = { groups: 100, points: 4_000 } as const;
/** Meters of a profile. */
export const MAX_TOTALS = BUILT_IN.length + MAX_METERS;

export enum UsageInterval {
  QUARTER_HOUR = 'quarter-hour',
  HOUR = 'hour',
  DAY = 'day',
  MONTH = 'month',
}
registerEnumType(UsageInterval, {
  name: 'UsageInterval',
  description: 'How finely usage is summed.',
  valuesConfig: {
    QUARTER_HOUR: { description: 'By fifteen minutes, at most 7 days at once.' },
    HOUR: { description: 'By the hour, at most 31 days at once.' },
    DAY: { description: 'By the day of the time zone, at most 400 days at once.' },
    MONTH: { description: 'By the month of the time zone, at most 120 months at once.' },
  },
});

export enum UsageDimension {
  ACCOUNT = 'account',
  KEY = 'key',
  PLAN = 'plan',
  OPERATION = 'operation',
  FIELD = 'field',
  ENDPOINT = 'endpoint',
  SOURCE = 'source',
  SUBJECT = 'subject',
  STATUS = 'status',
}
registerEnumType(UsageDimension, {
  name: 'UsageDimension',
  description: 'What usage is grouped by.',
  valuesConfig: {
    ACCOUNT: { description: 'The account, by its id: for operators, who see the usage of all.' },
    KEY: { description: 'The key that was used, by its id; empty for use by the account as a whole.' },
    PLAN: {
      description:
        'The plan in force when it was recorded, by its id; empty for what is older than this field.',
    },
    OPERATION: { description: 'The operation’s name, or its root fields where it has none.' },
    FIELD: {
      description:
        'The root fields that were asked for, e.g. `patterns`; of a call with several all of them, with commas between. Empty for what is no GraphQL.',
    },
    ENDPOINT: { description: 'The route, e.g. `/graphql`, or what a back end has reported.' },
    SOURCE: { description: 'The data source that an answer came from; empty where none was told.' },
    SUBJECT: {
      description:
        'End customer that a back end has named, as a random id in place of the name. Empty if none was named.',
    },
    STATUS: { description: 'How the call ended: `ok`, `error`, `timeout` or `refused`.' },
  },
});

export enum CallStatus {
  OK = 'ok',
  ERROR = 'error',
  TIMEOUT = 'timeout',
  REFUSED = 'refused',
}
registerEnumType(CallStatus, {
  name: 'CallStatus',
  description: 'How a call ended.',
  valuesConfig: {
    OK: { description: 'It was executed, or reported.' },
    ERROR: {
      description:
        'An internal error: of its amounts only the request counts. Or reported as an error by a back end: all of them count.',
    },
    TIMEOUT: { description: 'It took too long.' },
    REFUSED: { description: 'A limit refused it. It counts nothing.' },
  },
});

export const USE_STATUSES_SHOWN: readonly string[] = Object.values(CallStatus);

@InputType({ description: 'Which usage is meant. All that is given must hold.' })
export class UsageFilter {
  @IdOf('Key')
  @Field(() => ID, { nullable: true, description: 'Usage of this key.' })
  keyId?: string | null;

  @Field(() => ID, { nullable: true, description: 'Usage under this plan.' })
  planId?: string | null;

  @Field(() => [MetadataEntryInput], {
    nullable: true,
    description: 'Usage with these properties, of those that reports go by.',
  })
  properties?: MetadataEntryInput[] | null;

  @Field(() => String, {
    nullable: true,
    description: 'The operation’s name, or its root fields where it has none, with commas between.',
  })
  operation?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Calls that asked for this root field, e.g. `patterns`, whatever else they asked for.',
  })
  field?: string | null;

  @Field(() => String, { nullable: true, description: 'The route, e.g. `/graphql`, or what was reported.' })
  endpoint?: string | null;

  @Field(() => String, { nullable: true, description: 'The data source.' })
  source?: string | null;

  @Field(() => String, { nullable: true, description: 'The end customer, as the back end names them.' })
  subject?: string | null;

  @Field(() => CallStatus, { nullable: true, description: 'How calls ended.' })
  status?: CallStatus | null;
}

/** What uses came to. */
@ObjectType()
export abstract class UsageSums {
  @Sized({ assumedSize: MAX_TOTALS })
  @Field(() => [MeterQuantity], {
    description:
      'Total use per meter. Where uses do not add up, what its aggregation says of them: the largest (`max`), the newest (`latest`), or how many values there were (`unique`); such a meter is left out where there is none.',
  })
  totals!: MeterQuantity[];

  @Field(() => Quantity, {
    description: 'How many calls and reported uses there were, refused and failed ones among them.',
  })
  calls!: string;

  @Field(() => Quantity, { description: 'How many calls a limit refused. They count nothing.' })
  refused!: string;

  @Field(() => Quantity, { description: 'How many calls ended in an internal error or a time-out.' })
  errors!: string;

  @Field(() => Float, {
    nullable: true,
    description: 'Mean time of execution in milliseconds, of calls that were not refused; null for none.',
  })
  meanDurationMs!: number | null;
}

/** Percentiles of a whole answer are read at once. */
@Cost(0)
@ObjectType({
  simpleResolvers: true,
  description:
    'How long calls took that were executed here, without refused ones: percentiles from sketches (DDSketch) that are kept by the hour of UTC and merged, each within 2 percent of the true value. An hour counts in the interval in which it begins. What a back end executes itself is not among them.',
})
export class ResponseTimes {
  @Field(() => Float, { description: 'Half of the calls took no longer, in milliseconds.' })
  p50Ms!: number;

  @Field(() => Float, { description: '95 percent of the calls took no longer, in milliseconds.' })
  p95Ms!: number;

  @Field(() => Float, { description: '99 percent of the calls took no longer, in milliseconds.' })
  p99Ms!: number;

  @Field(() => Quantity, { description: 'How many calls these figures are of.' })
  calls!: string;
}

/** Of what they are kept, beside time. */
export const RESPONSE_TIMES =
  'Percentiles of the time of execution: of calls that were executed here, and of reported ones with a `durationMs` above 0. Null for no calls, for less than an hour, and where usage is grouped or filtered by anything but KEY, OPERATION, ENDPOINT and SOURCE.';

/** Limits and codes that are shown. */
export const MAX_DENIALS = 50;

@ObjectType({ simpleResolvers: true, description: 'What a limit has refused.' })
export class LimitDenials {
  @Field(() => String, {
    description: 'The limit by its name, as in `Account.limits`; empty where the record does not say.',
  })
  limit!: string;

  @Field(() => String, { description: 'The code of the refusal, e.g. `RATE_LIMITED`.' })
  code!: string;

  @Field(() => Quantity, { description: 'How many calls it has refused.' })
  calls!: string;
}

@ObjectType({ simpleResolvers: true, description: 'What a group of uses came to.' })
export class UsageGroup extends UsageSums {
  /** Read when they are asked for. */
  times!: () => Promise<ResponseTimes | null>;

  @Sized({ assumedSize: MAX_DIMENSIONS + MAX_REPORTED_PROPERTIES })
  @Field(() => [String], {
    description:
      'The value of each dimension of `groupBy`, in its order, then of each property of `groupByProperties`: empty where there is none.',
  })
  group!: string[];
}

@ObjectType({
  simpleResolvers: true,
  description:
    'What the groups that are left out came to together. Meters whose uses do not add up are not among `totals`.',
})
export class OmittedUsage extends UsageSums {
  @Field(() => Float, { description: 'Their part of all calls, 0 to 1.' })
  share!: number;
}

const OMITTED = 'What those groups came to together; null where none is left out.';

@ObjectType({ simpleResolvers: true, description: 'Usage by group.' })
export class UsageBreakdown {
  @Field(() => [UsageGroup], { description: 'The groups with the most calls, those first.' })
  groups!: UsageGroup[];

  @Field(() => Int, {
    description:
      'How many groups are left out, those with the fewest calls, since there are more than `first`.',
  })
  omittedGroups!: number;

  @Field(() => OmittedUsage, { nullable: true, description: OMITTED })
  omitted!: OmittedUsage | null;
}

@ObjectType({ description: 'Usage of the account over a time span.' })
export class Usage extends UsageSums {
  /** Of what more is asked for. */
  asked!: UsesAsked;

  /** What further figures must have seen, too; 0 where nothing was asked for. */
  position!: Position;

  @Field(() => DateTimeISO, { description: 'From here (inclusive).' })
  from!: Date;

  @Field(() => DateTimeISO, { description: 'Up to here (exclusive).' })
  to!: Date;

  @Field(() => Boolean, {
    description:
      'True when calls of the account may be missing in these figures: the newest ones, which come in a moment, ' +
      'or ones that could not be counted and that an operator has to look at.',
  })
  stale!: boolean;
}

@ObjectType({ simpleResolvers: true, description: 'What a group came to in one interval.' })
export class UsagePoint extends UsageGroup {
  @Field(() => DateTimeISO, { description: 'When the interval begins.' })
  from!: Date;

  @Field(() => DateTimeISO, { description: 'When it ends (exclusive).' })
  to!: Date;
}

@ObjectType({ simpleResolvers: true, description: 'Usage over time.' })
export class UsageTimeline {
  @Field(() => DateTimeISO, { description: 'When the first interval begins.' })
  from!: Date;

  @Field(() => DateTimeISO, { description: 'When the last interval ends (exclusive).' })
  to!: Date;

  @Field(() => UsageInterval, { description: 'The length of the intervals.' })
  interval!: UsageInterval;

  @Field(() => TimeZone, { description: 'By whose clocks days and months begin.' })
  timeZone!: string;

  @Field(() => [UsagePoint], {
    description:
      'Use per interval and group, oldest interval first. Intervals and groups without use are left out.',
  })
  points!: UsagePoint[];

  @Field(() => Int, {
    description:
      'How many groups are left out, those with the fewest calls, so that there are at most `first` points.',
  })
  omittedGroups!: number;

  @Field(() => OmittedUsage, { nullable: true, description: OMITTED })
  omitted!: OmittedUsage | null;

  @Field(() => Boolean, { description: 'As `Usage.stale`.' })
  stale!: boolean;
}

@ObjectType({ simpleResolvers: true, description: 'Current usage of the account.' })
export class UsageChanged {
  @Field(() => String, {
    description:
      'Opaque event-log position up to which the totals are counted. Pass it as `minPosition` to `Account.usage`.',
  })
  position!: string;

  @Field(() => DateTimeISO, { description: 'When these figures were read.' })
  at!: Date;

  @Sized({ assumedSize: MAX_TOTALS })
  @Field(() => [MeterQuantity], {
    description:
      'Use since the beginning of the month (UTC), per meter. Live calls; with a test key, test calls.',
  })
  totals!: MeterQuantity[];

  @Sized({ assumedSize: MAX_STATES })
  @Field(() => [LimitStatus], {
    description: 'The limits in force, as in `Account.limits`; empty for a plan without limits.',
  })
  limits!: LimitStatus[];
}
