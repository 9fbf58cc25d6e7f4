import { DDSketch } from '@datadog/sketches-js';

/** How far a quantile may be from the true one, as a part of that. */
export const ACCURACY = 0.02;

const { mapping } = new DDSketch({ relativeAccuracy: ACCURACY });

/** Of 0, which no other bin holds. */
const ZERO_BIN = -1;

/** The bin of a sketch that counts a value: 700 at most, up to 10^12. @param value whole, at least 0 */
export const binOf = (value: number): number => (value < 1 ? ZERO_BIN : mapping.key(value));

/** What bin and how many values are in it. */
export type Bin = readonly [bin: number, count: number];

/**
 * Values below which parts of all values lie, each within 2 percent. Sketches are merged by adding up their bins.
 * @param parts 0 to 1
 * @returns undefined where there are no values
 */
export function quantilesOf(bins: readonly Bin[], parts: readonly number[]): readonly number[] | undefined {
  const sketch = new DDSketch({ relativeAccuracy: ACCURACY });
  for (const [bin, count] of bins) {
    if (count > 0) sketch.accept(bin === ZERO_BIN ? 0 : mapping.value(bin), count);
  }
  return sketch.count === 0 ? undefined : parts.map((part) => sketch.getValueAtQuantile(part));
}

/** The largest value that a bin stands for, about. */
export const valueOf = (bin: number): number => (bin === ZERO_BIN ? 0 : mapping.value(bin));
