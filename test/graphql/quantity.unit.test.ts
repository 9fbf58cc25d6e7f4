import { parseValue } from 'graphql';
import { Quantity } from '../../src/graphql/kit/quantity.js';
import { amountOf, quantityOf } from '../../src/plans/meters.js';

const literal = (text: string): string => Quantity.parseLiteral(parseValue(text));
const MOST = '9007199254740991';
const NINETEEN = '9223372036854775807';

describe('a quantity', () => {
  it.each([
    ['0', '0'],
    ['12.5', '12.5'],
    [MOST, MOST],
    [NINETEEN, NINETEEN],
    ['0.000000001', '0.000000001'],
  ])('%s comes in as it is written', (text, taken) => {
    expect(Quantity.parseValue(text)).toBe(taken);
    expect(literal(`"${text}"`)).toBe(taken);
  });

  it('may be a whole number, with all its digits', () => {
    expect(Quantity.parseValue(Number(MOST))).toBe(MOST);
    expect(literal(MOST)).toBe(MOST);
    expect(literal(NINETEEN)).toBe(NINETEEN);
  });

  // A number of JSON beyond has lost digits before anybody could refuse it.
  it.each([
    Number(NINETEEN),
    2 ** 53,
    1.5,
    -1,
    NaN,
    1e300,
    '',
    '-1',
    '+1',
    '1e3',
    '01',
    '.5',
    '1.',
    '1'.repeat(20),
    '1.0000000001',
    null,
    true,
  ])('is never %p', (given) => {
    expect(() => Quantity.parseValue(given)).toThrow('A quantity must be');
  });

  it.each(['-1', '1.5', '1e3', 'true', 'null', '"1e3"'])('is no literal %s', (text) => {
    expect(() => literal(text)).toThrow('A quantity must be');
  });

  it.each([
    [0, 0, '0'],
    [Number.MAX_SAFE_INTEGER, 0, MOST],
    [BigInt(NINETEEN), 0, NINETEEN],
    [BigInt(NINETEEN), 9, '9223372036.854775807'],
    [125, 1, '12.5'],
    [5, 3, '0.005'],
    [1_000, 3, '1'],
    [-1_250, 3, '-1.25'],
  ])('goes out of %p at %i decimals as %s', (amount, decimals, text) => {
    expect(quantityOf(amount, decimals)).toBe(text);
    expect(Quantity.serialize(text)).toBe(text);
  });

  it('comes back as the amount that it was', () => {
    for (const decimals of [0, 1, 9]) {
      for (const amount of [0, 1, 10, 123_456_789, Number.MAX_SAFE_INTEGER]) {
        const text = quantityOf(amount, decimals);
        expect(amountOf(text, { decimals }, Number.MAX_SAFE_INTEGER)).toBe(amount);
      }
    }
    expect(amountOf(NINETEEN, { decimals: 0 }, Number.MAX_SAFE_INTEGER)).toBeUndefined();
  });
});
