import * as fc from 'fast-check';
import { spansOf } from '../../projections/usage/spans.js';

const DAY = 96;
const DAYS = 5;

/** What buckets come to when they are put together from days and quarter-hours as `spansOf` says. */
function summed(boundaries: readonly number[], amounts: readonly number[]): number[] {
  const sums = boundaries.slice(1).map(() => 0);
  const add = (from: number, to: number, bucket: number, sign: number): void => {
    for (let quarter = from; quarter < to; quarter++) {
      sums[bucket] = (sums[bucket] as number) + sign * (amounts[quarter] ?? 0);
    }
  };
  const { days, quarters } = spansOf(boundaries);
  days.slots.forEach((day, i) => add(day * DAY, (day + 1) * DAY, days.buckets[i] as number, 1));
  quarters.from.forEach((from, i) =>
    add(from, quarters.to[i] as number, quarters.buckets[i] as number, quarters.signs[i] as number),
  );
  return sums;
}

it('puts every bucket together from its own quarter-hours', () => {
  const amounts = Array.from({ length: DAYS * DAY }, (_, i) => i + 1);
  const boundary = fc.oneof(
    fc.nat({ max: DAYS * DAY }),
    fc.nat({ max: DAYS }).map((day) => day * DAY),
  );
  const boundaries = fc
    .uniqueArray(boundary, { minLength: 2, maxLength: 12 })
    .map((all) => all.sort((a, b) => a - b));
  fc.assert(
    fc.property(boundaries, (all) => {
      const plain = all
        .slice(1)
        .map((to, i) => amounts.slice(all[i], to).reduce((sum, amount) => sum + amount, 0));
      expect(summed(all, amounts)).toEqual(plain);
    }),
    { numRuns: 500 },
  );
});

it('reads a year by the day from days, and in Kolkata at most 22 quarter-hours a day beside them', () => {
  const read = (shift: number): readonly [days: number, quarters: number] => {
    const { days, quarters } = spansOf(Array.from({ length: 366 }, (_, i) => i * DAY + shift));
    const stretches = new Set(quarters.from.map((from, i) => `${from}-${quarters.to[i]}`));
    const lengths = [...stretches].map(
      (stretch) => Number(stretch.split('-')[1]) - Number(stretch.split('-')[0]),
    );
    return [days.slots.length, lengths.reduce((sum, length) => sum + length, 0)];
  };
  expect(read(0)).toEqual([365, 0]);
  // 18:30 of UTC.
  expect(read(74)).toEqual([365, 366 * 22]);
  // 04:00 of UTC, as in New York in summer.
  expect(read(16)).toEqual([365, 366 * 16]);
});
