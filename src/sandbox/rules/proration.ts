import { roundedRatio } from './money.js';
import type { Period, Seconds } from './time.js';

/** What was billed for a time, net of discounts. */
export interface Billed extends Period {
  readonly amount: number;
  /** The invoice and the line that billed it; absent while it is a pending item. */
  readonly invoice?: string;
  readonly line?: string;
}

/** The part of an amount for a whole period that falls to the time from a moment to its end. */
export function prorated(amount: number, at: Seconds, { start, end }: Period): number {
  if (at >= end) return 0;
  return roundedRatio(BigInt(amount) * BigInt(end - Math.max(at, start)), BigInt(end - start));
}

/**
 * What is given back at a change, as a negative amount: of what was really billed the time that is left
 * (flexible billing mode), so that a change that was never billed gives nothing back.
 */
export const credit = (billed: readonly Billed[], at: Seconds): number =>
  billed.reduce((sum, one) => sum - prorated(one.amount, at, one), 0);

/** What stays billed once the time from a moment on was given back. */
export const upTo = (billed: readonly Billed[], at: Seconds): Billed[] =>
  billed
    .filter(({ start }) => start < at)
    .map((one) =>
      one.end <= at ? one : { ...one, amount: one.amount - prorated(one.amount, at, one), end: at },
    );
