import { z } from 'zod';
import { zodText } from '../text/zodText.js';

/** How the amounts of a meter come together. */
export const AGGREGATIONS = ['sum', 'count', 'max', 'unique', 'latest'] as const;
export type Aggregation = (typeof AGGREGATIONS)[number];

export const MAX_METERS = 50;

/**
 * Of a meter in one use at most, in whole numbers of its smallest unit: sums of billions of uses are exact.
 * Doors refuse more, and readers park it.
 */
export const MAX_USE_AMOUNT = 1e12;

/** Names a meter in profiles, records and answers. */
export const METER_ID = /^[a-z][a-z0-9_-]{0,49}$/;

/** Names a property of uses. */
export const PROPERTY_NAME = /^[a-z][a-z0-9_]{0,49}$/;

/** What a profile counts. Its aggregation and decimals never change once there is a use (decision 26). */
export const Meter = z
  .strictObject({
    id: z.string().regex(METER_ID),
    /** What one of it is called, e.g. `video` or `second`. */
    unit: zodText({ min: 1, max: 50 }),
    /**
     * `sum` and `count` add up, and limits are on these alone. Of the others it counts, over whatever time is asked
     * for, the largest amount (`max`), that of the newest use (`latest`), or how many values a property has (`unique`).
     */
    aggregation: z.enum(AGGREGATIONS),
    /** Amounts are whole numbers of 10^-decimals units. */
    decimals: z.number().int().min(0).max(9).default(0),
    /** Of `unique` alone: the property whose values count once. */
    property: z.string().regex(PROPERTY_NAME).optional(),
  })
  .superRefine(({ aggregation, decimals, property }, context) => {
    const problem = (message: string, path: string): void =>
      context.addIssue({ code: 'custom', message, path: [path] });
    if (aggregation === 'unique' && property === undefined) {
      problem('a meter of the aggregation unique names the property whose values it counts', 'property');
    } else if (aggregation !== 'unique' && property !== undefined) {
      problem('only a meter of the aggregation unique counts by a property', 'property');
    }
    if (aggregation === 'unique' && decimals > 0) problem('unique counts whole values', 'decimals');
  });
export type Meter = z.infer<typeof Meter>;

/** Every profile has them: a call counts as one request, and costs points. */
export const BUILT_IN: readonly Meter[] = [
  { id: 'requests', unit: 'request', aggregation: 'count', decimals: 0 },
  { id: 'cost', unit: 'point', aggregation: 'sum', decimals: 0 },
];

/** The meters of a profile that limits can hold. */
export const isLimitable = ({ aggregation }: Meter): boolean =>
  aggregation === 'sum' || aggregation === 'count';

/**
 * An amount of a meter as records and counters have it, in whole numbers of its smallest unit.
 * @param text a decimal number without a sign
 * @param most in smallest units, at most 2^53 - 1
 * @returns undefined for one with more decimals than the meter has, or above the most
 */
export function amountOf(
  text: string,
  { decimals }: Pick<Meter, 'decimals'>,
  most = MAX_USE_AMOUNT,
): number | undefined {
  const [whole = '', fraction = ''] = text.split('.');
  if (fraction.length > decimals) return undefined;
  const digits = whole + fraction.padEnd(decimals, '0');
  // Exact up to 2^53, which has 16 digits.
  if (digits.length < 16) return Number(digits) <= most ? Number(digits) : undefined;
  const amount = BigInt(digits);
  return amount <= BigInt(most) ? Number(amount) : undefined;
}

/**
 * An amount as answers show it: a decimal number in units of its meter, exact.
 * @param amount whole numbers of the meter's smallest unit
 */
export function quantityOf(amount: number | bigint, decimals: number): string {
  if (decimals === 0 && Number.isSafeInteger(amount)) return String(amount);
  const whole = BigInt(amount);
  if (decimals === 0) return String(whole);
  const digits = String(whole < 0n ? -whole : whole).padStart(decimals + 1, '0');
  const fraction = digits.slice(-decimals).replace(/0+$/, '');
  return `${whole < 0n ? '-' : ''}${digits.slice(0, -decimals)}${fraction && `.${fraction}`}`;
}

/** 0 for a meter that the profile no longer declares. */
export const decimalsOf = (meter: string, meters: readonly Meter[]): number =>
  meters.find(({ id }) => id === meter)?.decimals ?? 0;

/** What a limit needs to know of its meter. */
export type AggregationOf = (meter: string) => Aggregation | undefined;

export const builtInAggregation: AggregationOf = (meter) =>
  BUILT_IN.find(({ id }) => id === meter)?.aggregation;
