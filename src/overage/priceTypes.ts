import 'reflect-metadata';
import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { Sized } from '../graphql/cost/directives.js';
import { CurrencyCode } from '../graphql/kit/money.js';
import { Quantity } from '../graphql/kit/quantity.js';
import type { Meter } from '../plans/meters.js';
import { decimalsOf, quantityOf } from '../plans/meters.js';
import type { Overage } from '../plans/prices.js';
import { MAX_PRICE_TIERS } from '../plans/prices.js';

export enum OverageMode {
  GRADUATED = 'graduated',
  VOLUME = 'volume',
}
registerEnumType(OverageMode, {
  name: 'OverageMode',
  description: 'How tiers of a price apply.',
  valuesConfig: {
    GRADUATED: { description: 'Each block costs what its own tier says.' },
    VOLUME: { description: 'All blocks cost what the tier says that their number reaches.' },
  },
});

@ObjectType({
  simpleResolvers: true,
  description: 'What usage above a limit of the plan costs accounts that pay for it, see `setOverage`.',
})
export class OveragePrice {
  @Field(() => String, { description: 'Name of the limit: what it allows in a billing period is included.' })
  limit!: string;

  @Field(() => String, { description: 'Meter of the limit, e.g. `requests`.' })
  meter!: string;

  @Field(() => CurrencyCode, { description: 'Currency of the price, in ISO 4217.' })
  currency!: string;

  @Field(() => Quantity, {
    description:
      'Size of a block in units of the meter, e.g. `"1000"`. Usage is charged by the block: a block that is begun is charged whole, once in a billing period under one price. `"1"` if each unit is charged by itself.',
  })
  blockSize!: string;

  @Field(() => OverageMode, { description: 'How the tiers apply.' })
  mode!: OverageMode;

  @Sized({ assumedSize: MAX_PRICE_TIERS })
  @Field(() => [String], {
    description:
      'Price of a block by the number of blocks in a billing period, rising, in the smallest unit of the currency: `up to block 200: 3` is 3 cents for each of the first 200, `further blocks: 2.5, and 500 once` adds an amount that is due once.',
  })
  tiers!: readonly string[];
}

export function overagePriceOf(
  { limit, meter, currency, per, mode, tiers }: Overage,
  meters: readonly Meter[],
): OveragePrice {
  const decimals = decimalsOf(meter, meters);
  return {
    limit,
    meter,
    currency,
    blockSize: quantityOf(per, decimals),
    mode: mode as OverageMode,
    tiers: tiers.map(({ upTo, unitAmount, flatAmount }) => {
      const blocks = upTo === undefined ? 'further blocks' : `up to block ${upTo}`;
      return `${blocks}: ${unitAmount}${flatAmount === 0 ? '' : `, and ${flatAmount} once`}`;
    }),
  };
}
