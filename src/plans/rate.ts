import { roundedRatio } from '../money/money.js';
import type { Overage, PriceTier } from './prices.js';

/** Amounts are exact in millionths of a millionth of a minor unit: prices have twelve decimals at most. */
const SCALE = 1_000_000_000_000n;

/** An exact amount of money, in 10⁻¹² minor units. */
export type Exact = bigint;

/** How many blocks are priced: one that is begun is priced whole. @param per units of a block */
export const blocksOf = (quantity: bigint, per: number): bigint =>
  (quantity + BigInt(per) - 1n) / BigInt(per);

/** What a quantity above a limit costs, exact and before rounding. @param quantity whole units above the limit */
export function rateOverage(
  { per, mode, tiers }: Pick<Overage, 'per' | 'mode' | 'tiers'>,
  quantity: bigint,
): Exact {
  if (quantity <= 0n) return 0n;
  const priced = blocksOf(quantity, per);
  return mode === 'volume' ? volume(tiers, priced) : graduated(tiers, priced);
}

/** All at the price of the tier that the total reaches. */
function volume(tiers: readonly PriceTier[], quantity: bigint): Exact {
  const tier = tiers.find(({ upTo }) => upTo === undefined || quantity <= BigInt(upTo)) as PriceTier;
  return quantity * unitAmountOf(tier) + BigInt(tier.flatAmount) * SCALE;
}

/** Each unit at the price of its own tier; a tier's flat amount once it is entered. */
function graduated(tiers: readonly PriceTier[], quantity: bigint): Exact {
  let amount = 0n;
  let before = 0n;
  for (const tier of tiers) {
    if (quantity <= before) break;
    const end = tier.upTo === undefined ? quantity : BigInt(tier.upTo);
    const within = (quantity < end ? quantity : end) - before;
    amount += within * unitAmountOf(tier) + BigInt(tier.flatAmount) * SCALE;
    before = end;
  }
  return amount;
}

function unitAmountOf({ unitAmount }: PriceTier): Exact {
  const [whole = '0', fraction = ''] = unitAmount.split('.');
  return BigInt(whole) * SCALE + BigInt(fraction.padEnd(12, '0'));
}

/**
 * How many units cost at most an amount, exact and unrounded: the largest such quantity. Graduated prices alone,
 * which never fall as use grows.
 * @param amount minor units
 * @param most the answer where nothing costs more
 */
export function unitsFor(
  overage: Pick<Overage, 'per' | 'mode' | 'tiers'>,
  amount: number,
  most: number,
): number {
  const limit = BigInt(amount) * SCALE;
  let [fits, exceeds] = [0n, BigInt(most) + 1n];
  while (exceeds - fits > 1n) {
    const middle = (fits + exceeds) / 2n;
    if (rateOverage(overage, middle) <= limit) fits = middle;
    else exceeds = middle;
  }
  return Number(fits);
}

/** Rounds to whole minor units, once for each line, halves away from zero (decision 26). */
export function rounded(amount: Exact): number {
  return roundedRatio(amount, SCALE);
}
