import 'reflect-metadata';
import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { Cost } from '../../graphql/cost/directives.js';
import { DateTimeISO } from '../../graphql/kit/dateTime.js';
import { Quantity } from '../../graphql/kit/quantity.js';
import type { Meter } from '../../plans/meters.js';
import { decimalsOf, isLimitable, MAX_USE_AMOUNT, quantityOf } from '../../plans/meters.js';
import type { Use } from '../events.js';
import type { LimitState } from './limiter.js';
import { isFixed } from './periods.js';

export enum LimitWindow {
  MINUTE = 'minute',
  HOUR = 'hour',
  DAY = 'day',
  MONTH = 'month',
  BILLING_PERIOD = 'billing-period',
  LIFETIME = 'lifetime',
}
registerEnumType(LimitWindow, {
  name: 'LimitWindow',
  description:
    'Time over which a limit counts. Minutes and hours have no fixed start: counts such as `requests` use a sliding window, so any 60 seconds contain at most the limit; amounts such as `cost` are refilled evenly.',
  valuesConfig: {
    MINUTE: { description: 'Any 60 seconds.' },
    HOUR: { description: 'Any 60 minutes. Only if plans of the service have hourly limits.' },
    DAY: { description: 'A calendar day in UTC.' },
    MONTH: { description: 'A calendar month in UTC.' },
    BILLING_PERIOD: {
      description: 'The account’s billing month; a calendar month in UTC if it pays nothing.',
    },
    LIFETIME: { description: 'The whole lifetime of the account or key. Never resets.' },
  },
});

export enum LimitSource {
  PLAN = 'plan',
  KEY = 'key',
  SUBJECT = 'subject',
}
registerEnumType(LimitSource, {
  name: 'LimitSource',
  description: 'Where a limit comes from.',
  valuesConfig: {
    PLAN: { description: 'The account’s plan. All keys of the account share it.' },
    KEY: { description: 'The key. It applies in addition to the limits of the plan.' },
    SUBJECT: {
      description:
        'The account’s plan, for each end customer. It applies in addition to the limits of the plan.',
    },
  },
});

export enum LimitMode {
  HARD = 'hard',
  SOFT = 'soft',
}
registerEnumType(LimitMode, {
  name: 'LimitMode',
  description: 'What happens when a limit is reached.',
  valuesConfig: {
    HARD: { description: 'A call that would exceed the limit is refused, and nothing is charged.' },
    SOFT: { description: 'Calls go on above the limit. What is used above it may be billed.' },
  },
});

/** Of an input that names an end customer. */
export const SUBJECT =
  'Your own customer whom it is for, 1 to 200 characters: the limits for end customers hold, if the plan has any. May be personal data: it is erased with the account.';

@Cost(0)
@ObjectType({ simpleResolvers: true, description: 'An amount of one meter.' })
export class MeterQuantity {
  @Field(() => ID, {
    description: 'The meter: `requests`, `cost`, or another meter of the service, e.g. `videos`.',
  })
  meter!: string;

  @Field(() => Quantity, { description: 'The amount, in units of the meter.' })
  quantity!: string;
}

@InputType({ description: 'An amount of one meter.' })
export class MeterQuantityInput {
  @Field(() => ID, {
    description: 'The meter: `requests`, `cost`, or another meter of the service, e.g. `videos`.',
  })
  meter!: string;

  @Field(() => Quantity, {
    description: `The amount, in units of the meter. At most as many decimals as the meter has, and at most ${MAX_USE_AMOUNT} of its smallest unit.`,
  })
  quantity!: string;
}

@ObjectType({ simpleResolvers: true, description: 'A limit and its current state.' })
export class LimitStatus {
  @Field(() => String, {
    description:
      'Name of the limit, as in the headers `RateLimit` and `RateLimit-Policy`, e.g. `requests-month`.',
  })
  name!: string;

  @Field(() => ID, {
    description: 'What is limited: `requests`, `cost`, or another meter of the service, e.g. `videos`.',
  })
  meter!: string;

  @Field(() => LimitWindow, { description: 'Time over which the limit counts.' })
  window!: LimitWindow;

  @Field(() => LimitSource, {
    description: 'Whether it is a limit of the plan, of the key, or of the end customer.',
  })
  source!: LimitSource;

  @Field(() => LimitMode, { description: 'What happens when the limit is reached.' })
  mode!: LimitMode;

  @Field(() => Quantity, { description: 'Maximum use per window, in units of the meter.' })
  max!: string;

  @Field(() => Quantity, {
    description:
      'Used so far in this window, in units of the meter. Can exceed `max` after a change of plan.',
  })
  used!: string;

  @Field(() => Quantity, {
    description: 'Left in this window, in units of the meter. Never below 0.',
  })
  remaining!: string;

  @Field(() => DateTimeISO, {
    nullable: true,
    description:
      'When the calendar or billing period began that it counts in. Null for a window that slides, a refilled limit, and one that never resets.',
  })
  startedAt!: Date | null;

  @Field(() => DateTimeISO, {
    nullable: true,
    description:
      'When more becomes available: at the end of a calendar period, when the oldest use leaves a sliding window, or when a refilled limit is full again. Null for a limit that never resets.',
  })
  resetAt!: Date | null;
}

/** As answers show it, in units of its meter. */
export function statusOf(
  { limit, used, usedExactly, remaining, resetAt, windowMs }: LimitState,
  meters: readonly Meter[],
): LimitStatus {
  const { id, meter, window, amount, source } = limit;
  const decimals = decimalsOf(meter, meters);
  return {
    name: id,
    meter,
    window: window as LimitWindow,
    source: (source ?? 'plan') as LimitSource,
    mode: limit.mode === 'soft' ? LimitMode.SOFT : LimitMode.HARD,
    max: quantityOf(amount, decimals),
    used: quantityOf(usedExactly ?? used, decimals),
    remaining: quantityOf(remaining, decimals),
    startedAt: isFixed(window) && Number.isFinite(resetAt) ? new Date(resetAt - windowMs) : null,
    resetAt: Number.isFinite(resetAt) ? new Date(resetAt) : null,
  };
}

/** What the meters of the profile come to: 0 for those that add up and of which there is nothing, without the others. */
export function totalsOf(amounts: ReadonlyMap<string, bigint>, meters: readonly Meter[]): MeterQuantity[] {
  return meters.flatMap((meter) => {
    const amount = amounts.get(meter.id) ?? (isLimitable(meter) ? 0n : undefined);
    return amount === undefined ? [] : { meter: meter.id, quantity: quantityOf(amount, meter.decimals) };
  });
}

/** Amounts as answers show them, in units of their meters. */
export const quantitiesOf = (
  amounts: readonly (readonly [meter: string, amount: number])[],
  meters: readonly Meter[],
): MeterQuantity[] =>
  amounts.map(([meter, amount]) => ({ meter, quantity: quantityOf(amount, decimalsOf(meter, meters)) }));

/** What a use says, of each of its meters. */
export const quantitiesIn = (
  { meters: amounts, readings = {} }: Pick<Use, 'meters' | 'readings'>,
  meters: readonly Meter[],
): MeterQuantity[] => {
  const read = Object.entries(readings).map(
    ([meter, reading]) => [meter, reading.aggregation === 'unique' ? 1 : reading.amount] as const,
  );
  return quantitiesOf([...Object.entries(amounts), ...read], meters);
};
