const HOUR_MS = 3_600_000;
export const WEEK_HOURS = 168;

/** What is known when it is projected where a period ends. */
export interface Known {
  /** What was used in the period so far. */
  readonly used: bigint;
  /** What was used in each hour of the week that ends with the last whole hour, the oldest first. */
  readonly week: readonly bigint[];
  /**
   * When use began, where that is less than a week ago; undefined where it is longer ago. Milliseconds since the
   * epoch, as the others.
   */
  readonly since: number | undefined;
  readonly now: number;
  readonly end: number;
}

/**
 * Where a period ends if all goes on: what was used so far, and for the time that is left as much as was used at the
 * same times of the week before. Where use began less than a week ago, as much an hour as since then.
 * @returns undefined where use began in this hour or less than an hour before it
 */
export function projectedTotal({ used, week, since, now, end }: Known): bigint | undefined {
  const left = Math.max(0, end - now);
  if (left === 0) return used;
  const hour = Math.floor(now / HOUR_MS) * HOUR_MS;
  if (since !== undefined) {
    const passed = hour - since;
    if (passed < HOUR_MS) return undefined;
    const sum = week.reduce((total, amount) => total + amount, 0n);
    return used + rounded(sum * BigInt(left), BigInt(passed));
  }
  let weighted = 0n;
  for (let n = 0; hour + n * HOUR_MS < end; n++) {
    const from = Math.max(now, hour + n * HOUR_MS);
    const to = Math.min(end, hour + (n + 1) * HOUR_MS);
    weighted += (week[n % WEEK_HOURS] ?? 0n) * BigInt(to - from);
  }
  return used + rounded(weighted, BigInt(HOUR_MS));
}

/** A quotient, rounded half up. */
const rounded = (amount: bigint, by: bigint): bigint => (amount + by / 2n) / by;
