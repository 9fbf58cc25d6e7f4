/** The sandbox settles in each currency itself: the least that a card is charged, in minor units. */
const MINIMUM: Readonly<Record<string, number>> = {
  gbp: 30,
  mxn: 1000,
  dkk: 250,
  nok: 300,
  sek: 300,
  hkd: 400,
};
const MINIMUM_ELSEWHERE = 50;

const NO_DECIMALS = new Set('bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' '));
const THREE_DECIMALS = new Set(['bhd', 'jod', 'kwd', 'omr', 'tnd']);
/** Amounts are in hundredths, and whole. */
const WHOLE_HUNDREDS = new Set(['isk', 'ugx']);

export const MAX_AMOUNT = 99_999_999;

export const minimumOf = (currency: string): number => MINIMUM[currency] ?? MINIMUM_ELSEWHERE;

export function exponentOf(currency: string): number {
  if (NO_DECIMALS.has(currency)) return 0;
  return THREE_DECIMALS.has(currency) ? 3 : 2;
}

/** Whether the currency has such an amount: some have no last digit of their own. */
export function isRepresentable(amount: number, currency: string): boolean {
  if (THREE_DECIMALS.has(currency)) return amount % 10 === 0;
  return !WHOLE_HUNDREDS.has(currency) || amount % 100 === 0;
}

/** numerator ÷ denominator to a whole number, halves away from zero. The denominator is positive. */
export function roundedRatio(numerator: bigint, denominator: bigint): number {
  const negative = numerator < 0n;
  const size = negative ? -numerator : numerator;
  const rounded = (2n * size + denominator) / (2n * denominator);
  return Number(negative ? -rounded : rounded);
}

/** A decimal of Stripe's (`unit_amount_decimal`) as a whole number at 12 places. */
export const DECIMAL_SCALE = 10n ** 12n;

export function decimal(text: string | number): bigint {
  const match = /^(-?)(\d+)(?:\.(\d{0,12})\d*)?$/.exec(plain(text));
  if (!match) throw new RangeError(`not a decimal: ${text}`);
  const [, sign, whole = '0', fraction = ''] = match;
  const size = BigInt(whole) * DECIMAL_SCALE + BigInt(fraction.padEnd(12, '0'));
  return sign === '-' ? -size : size;
}

const plain = (value: string | number): string =>
  typeof value === 'string' ? value : Number.isInteger(value) ? `${value}` : value.toFixed(12);

/** A share of an amount in percent, e.g. 7.25; halves away from zero. */
export const percentOf = (amount: number, percent: number): number =>
  roundedRatio(BigInt(amount) * decimal(percent), 100n * DECIMAL_SCALE);

/** For people: `$20.00`, `¥3000`. */
export function formatted(amount: number, currency: string): string {
  const digits = exponentOf(currency);
  return new Intl.NumberFormat('en-US', {
    style: 'currency',
    currency: currency.toUpperCase(),
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(amount / 10 ** digits);
}

/**
 * Splits an amount over weights: each share is rounded down and the last one takes the rest, so that
 * the shares add up.
 */
export function split(amount: number, weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) return weights.map(() => 0);
  let left = amount;
  let last = weights.length - 1;
  while (last > 0 && weights[last] === 0) last--;
  return weights.map((weight, index) => {
    if (index === last) return left;
    const share = Number((BigInt(amount) * BigInt(weight)) / BigInt(total));
    if (index < last) left -= share;
    return index < last ? share : 0;
  });
}
