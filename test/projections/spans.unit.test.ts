import * as fc from 'fast-check';
import { spansOf } from '../../projections/usage/spans.js';

const DAY = 96;
const DAYS = 5;

const SIZES = [DAY, 24, 1];

/** What buckets come to when they are put together as `spansOf` says. */
function summed(
  boundaries: readonly number[],
  amounts: readonly number[],
  sizes: readonly number[],
): number[] {
  const sums = boundaries.slice(1).map(() => 0);
  const add = (from: number, to: number, bucket: number, sign: number): void => {
    if (bucket < 0) return;
    for (let slot = from; slot < to; slot++) {
      sums[bucket] = (sums[bucket] as number) + sign * (amounts[slot] ?? 0);
    }
  };
  for (const { size, stretches } of spansOf(boundaries, sizes)) {
    for (const { from, to, plus, minus } of stretches) {
      add(from * size, to * size, plus, 1);
      add(from * size, to * size, minus, -1);
    }
  }
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
    fc.property(boundaries, fc.constantFrom([DAY, 1], SIZES, [24, 1]), (all, sizes) => {
      const plain = all
        .slice(1)
        .map((to, i) => amounts.slice(all[i], to).reduce((sum, amount) => sum + amount, 0));
      expect(summed(all, amounts, sizes)).toEqual(plain);
    }),
    { numRuns: 500 },
  );
});

it('reads a year by the day in any zone from few rows', () => {
  const read = (shift: number, sizes: readonly number[]): readonly number[] => {
    const days = Array.from({ length: 366 }, (_, i) => i * DAY + shift);
    return spansOf(days, sizes).map(({ stretches }) =>
      stretches.reduce((sum, { from, to }) => sum + to - from, 0),
    );
  };
  expect(read(0, SIZES)).toEqual([365, 0, 0]);
  // 18:30 of UTC, as in Kolkata: of each day six hours less two quarter-hours are taken to the next one.
  expect(read(74, SIZES)).toEqual([365, 366, 366 * 2]);
  expect(read(74, [DAY, 1])).toEqual([365, 366 * 22]);
  // 18:15, as in Kathmandu.
  expect(read(73, SIZES)).toEqual([365, 366, 366]);
  // 04:00, as in New York in summer.
  expect(read(16, SIZES)).toEqual([365, 366, 366 * 8]);
});
