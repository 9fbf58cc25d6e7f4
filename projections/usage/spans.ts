import { QUARTERS_A_DAY } from './cells.js';

/** Days of UTC that are read whole, and the bucket to which each is added. */
interface Days {
  readonly slots: number[];
  readonly buckets: number[];
}

/** Stretches of quarter-hours, and the bucket to which, or from which, each is added or taken. */
interface Stretches {
  readonly from: number[];
  readonly to: number[];
  readonly buckets: number[];
  readonly signs: number[];
}

/** What has to be read for sums between boundaries. */
export interface Spans {
  readonly days: Days;
  readonly quarters: Stretches;
}

/**
 * Which days and quarter-hours make up the buckets between boundaries. A day of UTC in which no bucket ends is
 * read whole. One that two buckets share is read whole too, and of it the shorter part by the quarter-hour: that
 * is added to one bucket and taken from the other. So a year by the day reads few rows in whatever time zone.
 * @param boundaries quarter-hours since the epoch, ascending: one more than there are buckets
 */
export function spansOf(boundaries: readonly number[]): Spans {
  const days: Days = { slots: [], buckets: [] };
  const quarters: Stretches = { from: [], to: [], buckets: [], signs: [] };
  const last = boundaries.length - 1;
  const isAsked = (bucket: number): boolean => bucket >= 0 && bucket < last;
  const whole = (day: number, bucket: number): void => {
    if (!isAsked(bucket)) return;
    days.slots.push(day);
    days.buckets.push(bucket);
  };
  const stretch = (from: number, to: number, bucket: number, sign = 1): void => {
    if (!isAsked(bucket) || from >= to) return;
    quarters.from.push(from);
    quarters.to.push(to);
    quarters.buckets.push(bucket);
    quarters.signs.push(sign);
  };

  const dayOf = (quarter: number): number => Math.floor(quarter / QUARTERS_A_DAY);
  const end = dayOf((boundaries[last] as number) - 1);
  // The bucket that the day begins in, or -1 before the first.
  let bucket = boundaries[0] === dayOf(boundaries[0] as number) * QUARTERS_A_DAY ? 0 : -1;
  for (let day = dayOf(boundaries[0] as number); day <= end; day++) {
    const [begin, next] = [day * QUARTERS_A_DAY, (day + 1) * QUARTERS_A_DAY];
    const inside: number[] = [];
    for (let i = bucket + 1; i <= last && (boundaries[i] as number) < next; i++) {
      inside.push(boundaries[i] as number);
    }
    const [only] = inside;
    if (only === undefined) whole(day, bucket);
    else if (inside.length > 1) {
      const edges = [begin, ...inside, next];
      for (let i = 0; i + 1 < edges.length; i++) {
        stretch(edges[i] as number, edges[i + 1] as number, bucket + i);
      }
    } else if (!isAsked(bucket) && next - only <= only - begin) stretch(only, next, bucket + 1);
    else if (!isAsked(bucket + 1) && only - begin <= next - only) stretch(begin, only, bucket);
    else if (only - begin <= next - only) {
      whole(day, bucket + 1);
      stretch(begin, only, bucket);
      stretch(begin, only, bucket + 1, -1);
    } else {
      whole(day, bucket);
      stretch(only, next, bucket + 1);
      stretch(only, next, bucket, -1);
    }
    bucket += inside.length;
    // One that begins with the next day.
    if (boundaries[bucket + 1] === next && bucket + 1 <= last) bucket++;
  }
  return { days, quarters };
}
