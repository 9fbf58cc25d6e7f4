import 'reflect-metadata';
import { Field, Float, ID, Int, ObjectType } from 'type-graphql';
import { Sized } from '../../graphql/cost/directives.js';
import { DateTimeISO } from '../../graphql/kit/dateTime.js';
import { IdOf } from '../../graphql/kit/ids.js';
import { Quantity } from '../../graphql/kit/quantity.js';
import { LimitDenials, MAX_DENIALS, UsageSums } from '../types.js';

/** Days that figures about usage are of. */
export const METRIC_DAYS = 30;
/** Endpoints and accounts that are shown, and plans at most. */
export const TOP = { endpoints: 20, accounts: 10, plans: 100 } as const;
/** Up to which cost points calls are counted together; those above the last are counted, too. */
export const COST_CLASSES = [0, 1, 10, 100, 1_000, 10_000] as const;

@ObjectType({
  simpleResolvers: true,
  description: 'Calls of about the same cost. Bounds are within 2 percent.',
})
export class CostClass {
  @Field(() => Int, {
    nullable: true,
    description: 'Cost points at most, and more than in the class before; null for the last one.',
  })
  upTo!: number | null;

  @Field(() => Quantity, { description: 'How many calls cost so much.' })
  calls!: string;
}

@ObjectType({
  simpleResolvers: true,
  description:
    'What calls cost, in cost points: percentiles from sketches (DDSketch), within 2 percent of the true values.',
})
export class CostDistribution {
  @Field(() => Float, { description: 'Half of the calls cost no more.' })
  p50!: number;

  @Field(() => Float, { description: '95 percent of the calls cost no more.' })
  p95!: number;

  @Field(() => Float, { description: '99 percent of the calls cost no more.' })
  p99!: number;

  @Sized({ assumedSize: COST_CLASSES.length + 1 })
  @Field(() => [CostClass], { description: 'All calls by what they cost, the cheapest first.' })
  classes!: CostClass[];
}

@ObjectType({ simpleResolvers: true, description: 'How many accounts have a plan.' })
export class PlanCount {
  @Field(() => ID, { description: 'The plan by its id, as profiles name it.' })
  planId!: string;

  @Field(() => Int, { description: 'Accounts that have it.' })
  accounts!: number;
}

@ObjectType({ simpleResolvers: true, description: 'How an endpoint has done.' })
export class EndpointMetrics extends UsageSums {
  @Field(() => String, { description: 'The route, or what was reported.' })
  endpoint!: string;

  @Field(() => Float, {
    description: 'Internal errors and time-outs over calls that were not refused, 0 to 1; 0 for none.',
  })
  errorRate!: number;
}

@ObjectType({ simpleResolvers: true, description: 'What an account has used.' })
export class AccountMetrics extends UsageSums {
  @IdOf('Account')
  @Field(() => ID, { description: 'Whose usage this is.' })
  accountId!: string;
}

@ObjectType({
  simpleResolvers: true,
  description:
    'Figures of the whole service at a moment. Those about usage are of live uses in the 30 days before it, by the time at which they were used, whenever they were reported.',
})
export class OperatorMetrics {
  @Field(() => DateTimeISO, { description: 'The moment that these figures are of.' })
  asOf!: Date;

  @Field(() => Int, { description: 'Accounts that were opened by then and not yet deleted.' })
  accounts!: number;

  @Sized({ assumedSize: TOP.plans })
  @Field(() => [PlanCount], {
    description:
      'These by their plan: the one that was granted last, else the one that was paid for, else the default plan of the service as it is today. The plan with the most accounts comes first.',
  })
  accountsByPlan!: PlanCount[];

  @Field(() => Int, { description: 'Accounts that were opened in the 30 days before.' })
  newAccounts!: number;

  @Field(() => Int, { description: 'Accounts that were deleted in the 30 days before.' })
  deletedAccounts!: number;

  @Field(() => Quantity, { description: 'Calls and reported uses, refused and failed ones among them.' })
  calls!: string;

  @Field(() => Quantity, { description: 'Limit hits: calls that a limit has refused.' })
  limitHits!: string;

  @Sized({ assumedSize: MAX_DENIALS })
  @Field(() => [LimitDenials], {
    description: `These by the limit that refused them, the most first, ${MAX_DENIALS} at most. By the hour: one that is not over counts whole.`,
  })
  denials!: LimitDenials[];

  @Field(() => CostDistribution, {
    nullable: true,
    description:
      'What calls cost that were executed and have a cost; null for none. By the hour: one that is not over counts whole.',
  })
  costDistribution!: CostDistribution | null;

  @Field(() => Quantity, { description: 'Calls that ended in an internal error or a time-out.' })
  errors!: string;

  @Sized({ assumedSize: TOP.endpoints })
  @Field(() => [EndpointMetrics], {
    description: 'The 20 endpoints with the most calls, and how often they failed.',
  })
  endpoints!: EndpointMetrics[];

  @Sized({ assumedSize: TOP.accounts })
  @Field(() => [AccountMetrics], { description: 'The 10 accounts with the most calls.' })
  topAccounts!: AccountMetrics[];
}
