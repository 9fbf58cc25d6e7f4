import { chargeProblem, exponentOf, isCurrency, moneyText } from '../../src/money/money.js';

describe('money', () => {
  it('has as many decimals as Stripe counts for its currency', () => {
    expect(['usd', 'jpy', 'kwd', 'isk', 'ugx', 'xof'].map(exponentOf)).toEqual([2, 0, 3, 2, 2, 0]);
  });

  it('is written with the decimals of its currency', () => {
    expect(moneyText({ amount: 2900, currency: 'usd' })).toBe('29.00 USD');
    expect(moneyText({ amount: -5, currency: 'eur' })).toBe('−0.05 EUR');
    expect(moneyText({ amount: 500, currency: 'jpy' })).toBe('500 JPY');
    expect(moneyText({ amount: 1230, currency: 'kwd' })).toBe('1.230 KWD');
  });

  it('can be charged from the least that Stripe takes to eight digits, in whole steps of the currency', () => {
    const said = (amount: number, currency: string) => chargeProblem({ amount, currency });
    expect([said(0, 'usd'), said(50, 'usd'), said(30, 'gbp'), said(99_999_999, 'usd')]).toEqual(
      Array(4).fill(undefined),
    );
    expect(said(49, 'usd')).toContain('at least 50');
    expect(said(29, 'gbp')).toContain('at least 30');
    // Each at what Stripe takes least, and one below it.
    for (const [currency, least] of [
      ['huf', 17_500],
      ['thb', 1000],
      ['sek', 300],
      ['czk', 1500],
      ['jpy', 50],
    ] as const) {
      expect(said(least, currency)).toBeUndefined();
      expect(said(least - 1, currency)).toContain(`at least ${least}`);
    }
    expect(said(100_000_000, 'usd')).toContain('at most 99999999');
    expect(said(1050, 'isk')).toContain('multiple of 100');
    expect(said(1005, 'kwd')).toContain('must be 0');
  });

  it('is of a currency of ISO 4217', () => {
    expect(['usd', 'xxz', 'USD'].map(isCurrency)).toEqual([true, false, false]);
  });
});
