import { formatted, roundedRatio, split } from '../../src/sandbox/rules/money.js';
import type { Pricing, Tier } from '../../src/sandbox/rules/pricing.js';
import { amountOf } from '../../src/sandbox/rules/pricing.js';
import type { Billed } from '../../src/sandbox/rules/proration.js';
import { credit, prorated, upTo } from '../../src/sandbox/rules/proration.js';
import { boundary, DAY, later, periodAt } from '../../src/sandbox/rules/time.js';
import type { ChargedLine, Taxed } from '../../src/sandbox/rules/totals.js';
import { settled, totalsOf } from '../../src/sandbox/rules/totals.js';

const at = (iso: string): number => Date.parse(iso) / 1000;
const iso = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 10);
const MONTH = { interval: 'month', interval_count: 1 } as const;
const YEAR = { interval: 'year', interval_count: 1 } as const;

describe('cycles', () => {
  it('count months from the anchor, and take the last day that there is', () => {
    const anchor = at('2027-01-31T12:00:00Z');
    const dates = [1, 2, 3, 13].map((n) => iso(boundary(anchor, MONTH, n)));
    expect(dates).toEqual(['2027-02-28', '2027-03-31', '2027-04-30', '2028-02-29']);
  });

  it('bring a yearly 29 February back in leap years', () => {
    const anchor = at('2028-02-29T00:00:00Z');
    expect([1, 2, 3, 4].map((n) => iso(boundary(anchor, YEAR, n)))).toEqual([
      '2029-02-28',
      '2030-02-28',
      '2031-02-28',
      '2032-02-29',
    ]);
  });

  it('hold each moment in exactly one period', () => {
    const anchor = at('2027-01-31T12:00:00Z');
    const end = at('2027-02-28T12:00:00Z');
    expect(periodAt(anchor, MONTH, end - 1)).toEqual({ start: anchor, end });
    expect(periodAt(anchor, MONTH, end)).toEqual({ start: end, end: at('2027-03-31T12:00:00Z') });
  });

  it('are moved by durations and dates', () => {
    const from = at('2027-01-31T12:00:00Z');
    expect([later(from, '31d'), later(from, '1mo'), later(from, '2027-03-01'), later(from, 'soon')]).toEqual([
      from + 31 * DAY,
      at('2027-02-28T12:00:00Z'),
      at('2027-03-01T00:00:00Z'),
      undefined,
    ]);
  });
});

describe('proration', () => {
  it('divides by seconds and rounds each line by itself, as a real preview did', () => {
    const period = { start: 0, end: 2_678_400 };
    const now = 2_678_400 - 445_540;
    const lines = [-prorated(1000, now, period), prorated(3252, now, period), 3252];
    expect(lines).toEqual([-166, 541, 3252]);
    expect(lines.reduce((a, b) => a + b)).toBe(3627);
  });

  it('gives back what was really billed, not what the current price would have cost', () => {
    const days = (n: number): number => n * DAY;
    const billed: Billed[] = [{ amount: 1000, start: 0, end: days(30) }];
    // Day 10: to 2000 without proration, so nothing is billed. Day 20: back to 1000.
    const back = credit(billed, days(20)) + prorated(1000, days(20), { start: 0, end: days(30) });
    expect(back).toBe(0);
    // Had the change been billed, its credit would be of that, too.
    const upgraded = [...upTo(billed, days(10)), { amount: 1333, start: days(10), end: days(30) }];
    expect(upgraded[0]).toEqual({ amount: 333, start: 0, end: days(10) });
    expect(credit(upgraded, days(20))).toBe(-667);
  });

  it('rounds halves away from zero', () => {
    expect([roundedRatio(5n, 2n), roundedRatio(-5n, 2n), roundedRatio(-7n, 3n)]).toEqual([3, -3, -2]);
  });
});

describe('prices', () => {
  const tier = (up_to: number | null, unit_amount: number, flat_amount: number | null = null): Tier => ({
    up_to,
    unit_amount,
    flat_amount,
  });
  const tiered = (tiers_mode: 'graduated' | 'volume', tiers: Tier[]): Pricing => ({
    billing_scheme: 'tiered',
    unit_amount_decimal: null,
    tiers,
    tiers_mode,
    transform_quantity: null,
  });
  const each = (
    unit_amount_decimal: string,
    transform_quantity: Pricing['transform_quantity'] = null,
  ): Pricing => ({
    billing_scheme: 'per_unit',
    unit_amount_decimal,
    tiers_mode: null,
    transform_quantity,
  });

  it('count all in one tier, or each part in its own', () => {
    const tiers = [tier(5, 700), tier(10, 650), tier(null, 600)];
    const amounts = (quantity: number) => [
      amountOf(tiered('volume', tiers), quantity),
      amountOf(tiered('graduated', tiers), quantity),
    ];
    expect([amounts(6), amounts(20)]).toEqual([
      [3900, 4150],
      [12_000, 12_750],
    ]);
  });

  it('add the flat fee of the tier, or of each that is entered', () => {
    const tiers = [tier(5, 500, 1000), tier(10, 400, 2000), tier(null, 300, 3000)];
    expect(amountOf(tiered('volume', tiers), 12)).toBe(6600);
    expect(amountOf(tiered('graduated', tiers), 12)).toBe(11_100);
    expect(amountOf(tiered('volume', tiers), 0)).toBe(1000);
    expect(amountOf(tiered('graduated', tiers), 0)).toBe(1000);
  });

  it('pack quantities, and round decimals once for a line', () => {
    expect(amountOf(each('1000', { divide_by: 5, round: 'up' }), 6)).toBe(2000);
    expect(amountOf(each('0.05'), 1001)).toBe(50);
    expect(amountOf(each('0.000000000001'), 1)).toBe(0);
  });
});

describe('discounts', () => {
  const line = (amount: number, taxes: Taxed[] = [], discountable = true): ChargedLine => ({
    amount,
    discountable,
    taxes,
  });
  const percent = { id: 'p', percent_off: 20, amount_off: null };
  const fixed = { id: 'f', percent_off: null, amount_off: 500 };

  it('depend on their order', () => {
    expect(totalsOf([line(2000)], [percent, fixed]).total).toBe(1100);
    expect(totalsOf([line(2000)], [fixed, percent]).total).toBe(1200);
  });

  it('are split over lines so that the parts add up', () => {
    const { lines, total } = totalsOf([line(1000), line(2000)], [fixed]);
    expect(lines.map(({ discounts }) => discounts[0]?.amount)).toEqual([166, 334]);
    expect(total).toBe(2500);
    expect(split(100, [1, 1, 1])).toEqual([33, 33, 34]);
  });

  it('leave proration lines alone, and never make a line negative', () => {
    expect(totalsOf([line(-829, [], false), line(2829, [], false)], [percent]).total).toBe(2000);
    expect(totalsOf([line(300)], [fixed]).total).toBe(0);
  });

  it('come before tax, which is rounded for each line', () => {
    const tax = (percentage: number, inclusive = false): Taxed => ({ id: 't', percentage, inclusive });
    expect(totalsOf([line(19_999, [tax(21)])], [])).toMatchObject({ tax: 4200, total: 24_199 });
    expect(totalsOf([line(150, [tax(3)]), line(150, [tax(3)])], []).tax).toBe(10);
    const inclusive = totalsOf([line(30_882, [tax(21, true)])], []);
    expect(inclusive.lines[0]?.taxes[0]).toMatchObject({ amount: 5360, taxable: 25_522 });
    expect(inclusive).toMatchObject({ tax: 0, inclusiveTax: 5360, total: 30_882 });
    expect(totalsOf([line(2000, [tax(10)])], [percent])).toMatchObject({ tax: 160, total: 1760 });
  });
});

describe('the balance of a customer', () => {
  it('pays first', () => {
    expect(settled(2000, -500, 'usd')).toEqual({ amountDue: 1500, endingBalance: 0 });
    expect(settled(300, -500, 'usd')).toEqual({ amountDue: 0, endingBalance: -200 });
    expect(settled(-334, 0, 'usd')).toEqual({ amountDue: 0, endingBalance: -334 });
  });

  it('carries on what is too little to charge', () => {
    expect(settled(30, 0, 'usd')).toEqual({ amountDue: 0, endingBalance: 30 });
    expect(settled(1000, 30, 'usd')).toEqual({ amountDue: 1030, endingBalance: 0 });
    expect(settled(30, 0, 'gbp')).toEqual({ amountDue: 30, endingBalance: 0 });
    expect(settled(49, 0, 'jpy')).toEqual({ amountDue: 0, endingBalance: 49 });
  });
});

it('shows amounts with the decimals of their currency', () => {
  expect([formatted(2000, 'usd'), formatted(3000, 'jpy'), formatted(1500, 'kwd')]).toEqual([
    '$20.00',
    '¥3,000',
    'KWD\u00a01.500',
  ]);
});
