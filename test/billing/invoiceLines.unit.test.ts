import fc from 'fast-check';
import { getNamedType, isObjectType, isScalarType } from 'graphql';
import { linesOf, MAX_LINES } from '../../src/billing/invoiceTypes.js';
import { createSchema } from '../../src/graphql/execution/schema.js';

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

it('shows quantities of any size, to the last unit', () => {
  const at = new Date('2027-01-01');
  const digits = '9223372036854775809';
  const stored = { kind: 'usage', description: 'x', amount: 1, periodStart: at, periodEnd: at, events: [] };
  expect(linesOf([{ ...stored, quantity: digits }], 'usd')[0]?.quantity).toBe(digits);
  expect(linesOf([{ ...stored, quantity: 3_000_000_000 }], 'usd')[0]?.quantity).toBe('3000000000');
});

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

it('tells quantities that no 32 bits hold', () => {
  const stored = { kind: 'usage', description: 'tokens', amount: 1, events: [] };
  const [line] = linesOf(
    [{ ...stored, quantity: 2 ** 53 - 1, periodStart: new Date(0), periodEnd: new Date(1) }],
    'usd',
  );
  const type = createSchema().getType('InvoiceLine');
  const { quantity } = isObjectType(type) ? type.getFields() : {};
  const scalar = getNamedType(quantity?.type);
  expect(isScalarType(scalar) && scalar.serialize(line?.quantity)).toBe('9007199254740991');
});
