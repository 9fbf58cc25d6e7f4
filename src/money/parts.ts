import { MAX_CHARGE } from './money.js';

/**
 * What is billed at once before tax, in minor units: half of what can be charged in one payment. The other half is for
 * the tax.
 */
export const MOST_AT_ONCE = Math.floor(MAX_CHARGE / 2);

/** What needs more parts than that is no bill, but a mistake. */
const MAX_PARTS = 100;

/** A line, or a part of one that cannot be charged at once. */
export type Part<L> = L & {
  /** From 1 on. */
  readonly part: number;
  readonly parts: number;
};

/**
 * A line as it is invoiced: whole, or in parts that can each be charged, which come to the same together. The first
 * part has the id of the line. What is beyond all measure stays whole: the payment service refuses it.
 */
export function partsOf<L extends { readonly id: string; readonly amount: number }>(line: L): Part<L>[] {
  const needed = Math.max(1, Math.ceil(Math.abs(line.amount) / MOST_AT_ONCE));
  const parts = needed > MAX_PARTS ? 1 : needed;
  const each = Math.trunc(line.amount / parts);
  return Array.from({ length: parts }, (_, n) => ({
    ...line,
    id: n === 0 ? line.id : `${line.id}/${n + 1}`,
    amount: n === 0 ? line.amount - each * (parts - 1) : each,
    part: n + 1,
    parts,
  }));
}
