/** A whole number as facts have it: a number where JSON holds it exactly, else its digits. `BigInt` reads both. */
export type Whole = number | string;

export const wholeOf = (amount: bigint): Whole =>
  amount <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(amount) : String(amount);
