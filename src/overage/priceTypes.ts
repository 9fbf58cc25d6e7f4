import 'reflect-metadata';
import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { Sized } from '../graphql/cost/directives.js';
import { CurrencyCode, Money, moneyOf } from '../graphql/kit/money.js';
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

@ObjectType({ simpleResolvers: true, description: 'What a block costs up to a number of blocks.' })
export class OverageTier {
  @Field(() => Quantity, {
    nullable: true,
    description: 'Number of the last block of the tier in a billing period. Null for the last tier.',
  })
  upToBlock!: string | null;

  @Field(() => String, {
    description:
      'Price of a block in the smallest unit of the currency, as a decimal with at most 12 decimals, e.g. `"2.5"` for 2.5 cents.',
  })
  minorUnitsPerBlock!: string;

  @Field(() => Money, { description: 'Amount due once when the tier is entered. Mostly 0.' })
  flatFee!: Money;
}

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
  @Field(() => [OverageTier], { description: 'Prices by the number of blocks, rising.' })
  tiers!: readonly OverageTier[];
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
    tiers: tiers.map(({ upTo, unitAmount, flatAmount }) => ({
      upToBlock: upTo === undefined ? null : String(upTo),
      minorUnitsPerBlock: unitAmount,
      flatFee: moneyOf({ amount: flatAmount, currency }),
    })),
  };
}
