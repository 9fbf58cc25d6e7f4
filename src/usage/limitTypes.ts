import 'reflect-metadata';
import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { Cost } from '../graphql/cost/directives.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { Quantity } from '../graphql/kit/quantity.js';
import type { Meter } from '../plans/meters.js';
import { decimalsOf, MAX_USE_AMOUNT, quantityOf } from '../plans/meters.js';
import type { LimitState } from './limiter.js';

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
    'The time over which a limit counts. Minutes and hours have no fixed start: a meter that counts uses slides, so every 60 seconds hold at most the limit; a meter that adds amounts is refilled evenly.',
  valuesConfig: {
    MINUTE: { description: 'Any 60 seconds.' },
    HOUR: { description: 'Any 60 minutes. Only where the plans of the service have limits by the hour.' },
    DAY: { description: 'A calendar day in UTC.' },
    MONTH: { description: 'A calendar month in UTC.' },
    BILLING_PERIOD: {
      description: 'The month that the account pays for; a calendar month in UTC if it pays nothing.',
    },
    LIFETIME: { description: 'The whole life of the account or key. It never resets.' },
  },
});

export enum LimitSource {
  PLAN = 'plan',
  KEY = 'key',
}
registerEnumType(LimitSource, {
  name: 'LimitSource',
  description: 'Where a limit comes from.',
  valuesConfig: {
    PLAN: { description: 'The plan of the account. All keys of the account share it.' },
    KEY: { description: 'The key itself. It applies in addition to the limits of the plan.' },
  },
});

export enum LimitMode {
  HARD = 'hard',
}
registerEnumType(LimitMode, {
  name: 'LimitMode',
  description: 'What happens at the limit.',
  valuesConfig: { HARD: { description: 'A call that would exceed the limit is refused and costs nothing.' } },
});

@Cost(0)
@ObjectType({ simpleResolvers: true, description: 'How much of one meter.' })
export class MeterQuantity {
  @Field(() => ID, {
    description: 'The meter: `requests`, `cost`, or another one that the service declares.',
  })
  meter!: string;

  @Field(() => Quantity, { description: 'The quantity, in units of the meter.' })
  quantity!: string;
}

@InputType({ description: 'How much of one meter.' })
export class MeterQuantityInput {
  @Field(() => ID, {
    description: 'The meter: `requests`, `cost`, or another one that the service declares.',
  })
  meter!: string;

  @Field(() => Quantity, {
    description: `The quantity, in units of the meter, with at most as many decimals as the meter has: at most ${MAX_USE_AMOUNT} of its smallest unit.`,
  })
  quantity!: string;
}

@ObjectType({ simpleResolvers: true, description: 'One limit, and where it stands now.' })
export class LimitStatus {
  @Field(() => String, {
    description:
      'The name of the limit, as in the headers `RateLimit` and `RateLimit-Policy`, e.g. `requests-month`.',
  })
  name!: string;

  @Field(() => ID, {
    description: 'The meter that it limits: `requests`, `cost`, or another of the service.',
  })
  meter!: string;

  @Field(() => LimitWindow, { description: 'The time over which it counts.' })
  window!: LimitWindow;

  @Field(() => LimitSource, { description: 'Where it comes from.' })
  source!: LimitSource;

  @Field(() => LimitMode, { description: 'What happens when it is reached.' })
  mode!: LimitMode;

  @Field(() => Quantity, { description: 'The most that may be used in one window, in units of the meter.' })
  max!: string;

  @Field(() => Quantity, {
    description:
      'What has been used in this window, in units of the meter. It may be above `max` after a change of plan.',
  })
  used!: string;

  @Field(() => Quantity, {
    description: 'What is left in this window, in units of the meter; never below 0.',
  })
  remaining!: string;

  @Field(() => DateTimeISO, {
    nullable: true,
    description:
      'When more becomes available: a calendar period ends, the oldest use leaves a sliding window, or what is refilled is full again. Null for a limit that never resets.',
  })
  resetAt!: Date | null;
}

/** As answers show it, in units of its meter. */
export function statusOf(
  { limit, used, remaining, resetAt }: LimitState,
  meters: readonly Meter[],
): LimitStatus {
  const { id, meter, window, amount, source } = limit;
  const decimals = decimalsOf(meter, meters);
  return {
    name: id,
    meter,
    window: window as LimitWindow,
    source: source === 'key' ? LimitSource.KEY : LimitSource.PLAN,
    mode: LimitMode.HARD,
    max: quantityOf(amount, decimals),
    used: quantityOf(used, decimals),
    remaining: quantityOf(remaining, decimals),
    resetAt: Number.isFinite(resetAt) ? new Date(resetAt) : null,
  };
}

/** Amounts that add up, of every meter of the profile that does; 0 for those of which there are none. */
export function totalsOf(amounts: ReadonlyMap<string, bigint>, meters: readonly Meter[]): MeterQuantity[] {
  return meters
    .filter(addsUp)
    .map(({ id, decimals }) => ({ meter: id, quantity: quantityOf(amounts.get(id) ?? 0n, decimals) }));
}

const addsUp = ({ aggregation }: Meter): boolean => aggregation === 'sum' || aggregation === 'count';
