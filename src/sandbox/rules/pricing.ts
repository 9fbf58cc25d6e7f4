import { decimal, DECIMAL_SCALE, roundedRatio } from './money.js';

export interface Tier {
  readonly up_to: number | null;
  readonly unit_amount?: number | null;
  readonly unit_amount_decimal?: string | null;
  readonly flat_amount?: number | null;
  readonly flat_amount_decimal?: string | null;
}

/** What the amount of a line follows from; a part of Stripe's Price. */
export interface Pricing {
  readonly billing_scheme: 'per_unit' | 'tiered';
  readonly unit_amount_decimal: string | null;
  readonly tiers?: readonly Tier[];
  readonly tiers_mode: 'graduated' | 'volume' | null;
  readonly transform_quantity: { readonly divide_by: number; readonly round: 'up' | 'down' } | null;
}

/** An amount for a quantity, exact, at twelve places of a minor unit. The quantity is 0 or more. */
export function exactAmount(pricing: Pricing, quantity: number): bigint {
  if (pricing.billing_scheme === 'per_unit') {
    return unit(pricing.unit_amount_decimal) * BigInt(packs(pricing, quantity));
  }
  const tiers = pricing.tiers ?? [];
  return pricing.tiers_mode === 'volume' ? volume(tiers, quantity) : graduated(tiers, quantity);
}

/** An amount for a quantity in minor units: exact, then rounded once. */
export const amountOf = (pricing: Pricing, quantity: number): number =>
  roundedRatio(exactAmount(pricing, quantity), DECIMAL_SCALE);

const unit = (text: string | null | undefined): bigint => decimal(text ?? '0');

const unitOf = (tier: Tier): bigint => unit(tier.unit_amount_decimal ?? `${tier.unit_amount ?? 0}`);
const flatOf = (tier: Tier): bigint => unit(tier.flat_amount_decimal ?? `${tier.flat_amount ?? 0}`);

function packs({ transform_quantity: transform }: Pricing, quantity: number): number {
  if (!transform) return quantity;
  const { divide_by, round } = transform;
  return round === 'up' ? Math.ceil(quantity / divide_by) : Math.floor(quantity / divide_by);
}

/** All at the price of the tier that the quantity ends in. */
function volume(tiers: readonly Tier[], quantity: number): bigint {
  const tier = tiers.find(({ up_to }) => up_to === null || quantity <= up_to);
  return tier ? unitOf(tier) * BigInt(quantity) + flatOf(tier) : 0n;
}

/** Each part at the price of its tier; the flat fee of every tier that is entered, the first one always is. */
function graduated(tiers: readonly Tier[], quantity: number): bigint {
  let below = 0;
  let total = 0n;
  for (const [index, tier] of tiers.entries()) {
    if (index > 0 && quantity <= below) break;
    const upTo = Math.min(quantity, tier.up_to ?? quantity);
    total += unitOf(tier) * BigInt(Math.max(0, upTo - below)) + flatOf(tier);
    below = tier.up_to ?? quantity;
  }
  return total;
}
