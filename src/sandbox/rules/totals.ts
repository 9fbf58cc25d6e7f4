import { minimumOf, percentOf, roundedRatio, split } from './money.js';
import { decimal, DECIMAL_SCALE } from './money.js';

export interface Reduction {
  /** The discount that it belongs to. */
  readonly id: string;
  readonly percent_off: number | null;
  readonly amount_off: number | null;
  /** Products that it is for; undefined for all. */
  readonly products?: readonly string[] | undefined;
}

export interface Taxed {
  readonly id: string;
  readonly percentage: number;
  readonly inclusive: boolean;
}

export interface ChargedLine {
  readonly amount: number;
  readonly discountable: boolean;
  readonly product?: string | undefined;
  readonly taxes: readonly Taxed[];
}

export interface LineTotals {
  readonly discounts: readonly { readonly discount: string; readonly amount: number }[];
  readonly taxes: readonly { readonly rate: Taxed; readonly amount: number; readonly taxable: number }[];
}

export interface Totals {
  readonly subtotal: number;
  readonly lines: readonly LineTotals[];
  readonly discount: number;
  /** Tax that is added; inclusive tax is in the lines already. */
  readonly tax: number;
  readonly inclusiveTax: number;
  readonly total: number;
}

/** Lines, then discounts in their order, then tax on what is left of each line. */
export function totalsOf(lines: readonly ChargedLine[], reductions: readonly Reduction[]): Totals {
  const left = lines.map(({ amount }) => amount);
  const discounts: { discount: string; amount: number }[][] = lines.map(() => []);
  for (const reduction of reductions) {
    reduce(lines, left, reduction).forEach((amount, index) => {
      if (amount === 0) return;
      left[index] = (left[index] ?? 0) - amount;
      discounts[index]?.push({ discount: reduction.id, amount });
    });
  }
  const taxes = lines.map((line, index) => line.taxes.map((rate) => taxOf(left[index] ?? 0, rate)));
  const subtotal = sum(lines.map(({ amount }) => amount));
  const discount = sum(discounts.flat().map(({ amount }) => amount));
  const all = taxes.flat();
  const tax = sum(all.filter(({ rate }) => !rate.inclusive).map(({ amount }) => amount));
  return {
    subtotal,
    discount,
    tax,
    inclusiveTax: sum(all.filter(({ rate }) => rate.inclusive).map(({ amount }) => amount)),
    total: subtotal - discount + tax,
    lines: lines.map((_, index) => ({ discounts: discounts[index] ?? [], taxes: taxes[index] ?? [] })),
  };
}

/** How much a discount takes off each line. */
function reduce(lines: readonly ChargedLine[], left: readonly number[], reduction: Reduction): number[] {
  const { products } = reduction;
  const weights = lines.map(({ discountable, product }, index) => {
    const fits =
      discountable && (products === undefined || (product !== undefined && products.includes(product)));
    return fits ? Math.max(0, left[index] ?? 0) : 0;
  });
  if (reduction.percent_off !== null) {
    const percent = reduction.percent_off;
    return weights.map((weight) => percentOf(weight, percent));
  }
  return split(Math.min(reduction.amount_off ?? 0, sum(weights)), weights);
}

function taxOf(amount: number, rate: Taxed): LineTotals['taxes'][number] {
  if (!rate.inclusive) return { rate, amount: percentOf(amount, rate.percentage), taxable: amount };
  const percent = decimal(rate.percentage);
  const taxable = roundedRatio(BigInt(amount) * 100n * DECIMAL_SCALE, 100n * DECIMAL_SCALE + percent);
  return { rate, amount: amount - taxable, taxable };
}

const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0);

export interface Settlement {
  readonly amountDue: number;
  readonly endingBalance: number;
}

/**
 * A total against the customer's balance (negative: a credit). What is below the least that a card is
 * charged is carried on as a debt.
 */
export function settled(total: number, startingBalance: number, currency: string): Settlement {
  const due = total + startingBalance;
  if (due <= 0) return { amountDue: 0, endingBalance: due };
  if (due < minimumOf(currency)) return { amountDue: 0, endingBalance: due };
  return { amountDue: due, endingBalance: 0 };
}
