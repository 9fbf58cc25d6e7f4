import type { Part } from '../money/parts.js';
import { MOST_AT_ONCE, partsOf } from '../money/parts.js';
import type { RatedLine } from './events.js';

/** A part, and its place among all of a bill. */
type Placed = Part<RatedLine> & { readonly place: number };

/** What stands together on one invoice: all lines, or as many as can be charged at once. */
export function billsOf(lines: readonly RatedLine[]): Placed[][] {
  const parts = lines.flatMap((line) => partsOf(line)).map((part, place) => ({ ...part, place }));
  if (parts.reduce((sum, { amount }) => sum + amount, 0) <= MOST_AT_ONCE) return [parts];
  const bills: Placed[][] = [];
  let sum = 0;
  // What is given back lowers the first one, so that each comes to something.
  for (const part of [
    ...parts.filter(({ amount }) => amount < 0),
    ...parts.filter(({ amount }) => amount >= 0),
  ]) {
    const last = bills.at(-1);
    if (!last || (sum > 0 && sum + part.amount > MOST_AT_ONCE)) {
      bills.push([part]);
      sum = part.amount;
    } else {
      last.push(part);
      sum += part.amount;
    }
  }
  return bills;
}
