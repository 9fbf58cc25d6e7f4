import fc from 'fast-check';
import { MAX_CHARGE } from '../../src/money/money.js';
import { MOST_AT_ONCE, partsOf } from '../../src/money/parts.js';
import { billsOf } from '../../src/overage/bills.js';
import type { RatedLine } from '../../src/overage/events.js';

const sum = (lines: readonly { readonly amount: number }[]): number =>
  lines.reduce((total, { amount }) => total + amount, 0);

const lines: fc.Arbitrary<RatedLine[]> = fc
  .array(
    fc.oneof(
      fc.integer({ min: -2 * MAX_CHARGE, max: 2 * MAX_CHARGE }),
      fc.integer({ min: 1, max: 40 * MAX_CHARGE }),
      fc.integer({ min: -5_000, max: 5_000 }),
    ),
    { maxLength: 6 },
  )
  .map((amounts) =>
    amounts.filter((amount) => amount !== 0).map((amount, n) => ({ id: `line-${n}`, amount }) as RatedLine),
  );

it('divides what cannot be charged at once, to the same sum, each part once', () => {
  fc.assert(
    fc.property(lines, (given) => {
      const bills = billsOf(given);
      const parts = bills.flat();
      expect(sum(parts)).toBe(sum(given));
      for (const { id, amount } of given) {
        const own = parts.filter((part) => part.id === id || part.id.startsWith(`${id}/`));
        expect(sum(own)).toBe(amount);
        expect(own.some((part) => part.id === id)).toBe(true);
      }
      expect(new Set(parts.map(({ id }) => id)).size).toBe(parts.length);
      expect(parts.map(({ place }) => place).sort((a, b) => a - b)).toEqual(parts.map((_, n) => n));
      for (const { amount } of parts) expect(Math.abs(amount)).toBeLessThanOrEqual(MAX_CHARGE);
      if (bills.length === 1) return;
      for (const bill of bills) {
        expect(sum(bill)).toBeGreaterThan(0);
        // As much tax again can be charged with it.
        expect(2 * sum(bill)).toBeLessThanOrEqual(MAX_CHARGE + 2 * bill.length * 100);
      }
    }),
    { numRuns: 100 },
  );
});

it('leaves alone what can be charged, in its order, and what nobody can have used', () => {
  const small = [3_00, -40, MOST_AT_ONCE - 1_000].map((amount, n) => ({ id: `${n}`, amount }) as RatedLine);
  expect(billsOf(small)).toMatchObject([small]);
  expect(partsOf({ id: 'a', amount: 1e14 })).toMatchObject([{ id: 'a', amount: 1e14, parts: 1 }]);
});
