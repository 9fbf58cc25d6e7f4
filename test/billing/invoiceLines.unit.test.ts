import fc from 'fast-check';
import { linesOf, MAX_LINES } from '../../src/billing/invoiceTypes.js';

const at = fc.date({ min: new Date('2027-01-01'), max: new Date('2028-01-01'), noInvalidDate: true });
const line = fc.record({
  kind: fc.constantFrom('plan', 'proration', 'usage'),
  description: fc.string(),
  quantity: fc.nat(1_000),
  amount: fc.integer({ min: -1_000_000, max: 1_000_000 }),
  periodStart: at,
  periodEnd: at,
  events: fc.array(fc.uuid(), { maxLength: 3 }),
});
const lines = fc.oneof(
  fc.array(line, { maxLength: 5 }),
  fc.array(line, { minLength: MAX_LINES - 1, maxLength: MAX_LINES + 150 }),
);

it('shows no more lines than the cost of a query counts with, and they always add up (laws 3 and 7)', () => {
  fc.assert(
    fc.property(lines, (stored) => {
      const shown = linesOf(stored, 'usd');
      expect(shown.length).toBe(Math.min(stored.length, MAX_LINES));
      const sum = shown.reduce((all, { total }) => all + Number(total.minorUnits), 0);
      expect(sum).toBe(stored.reduce((all, { amount }) => all + amount, 0));
      const last = shown.at(-1);
      if (stored.length > MAX_LINES) {
        expect(last?.description).toBe(`${stored.length - MAX_LINES + 1} further lines`);
        expect(last?.period.to.getTime()).toBeGreaterThanOrEqual(
          Math.max(...stored.slice(MAX_LINES - 1).map(({ periodEnd }) => periodEnd.getTime())),
        );
      } else {
        expect(shown.map(({ description }) => description)).toEqual(
          stored.map(({ description }) => description),
        );
      }
    }),
    { numRuns: 50 },
  );
});
