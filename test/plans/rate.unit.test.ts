import fc from 'fast-check';
import { Overage } from '../../src/plans/prices.js';
import { rateOverage, rounded } from '../../src/plans/rate.js';

const priced = (over: object): Overage =>
  Overage.parse({ limit: 'month', meter: 'requests', currency: 'usd', tiers: [{ unitAmount: 1 }], ...over });
const costs = (overage: Overage, quantity: number): number => rounded(rateOverage(overage, BigInt(quantity)));

// docs/metering: 100 included, overage 1–100 at 5, then 4 each; and 1–200 at 3, then 2.5.
const starter = priced({ tiers: [{ upTo: 100, unitAmount: 5 }, { unitAmount: 4 }] });
const pro = priced({ tiers: [{ upTo: 200, unitAmount: 3 }, { unitAmount: 2.5 }] });

describe('overage', () => {
  it('is rated as in the worked example over two months', () => {
    expect(costs(starter, 156)).toBe(500 + 224);
    expect(costs(pro, 130)).toBe(390);
    expect(costs(pro, 215)).toBe(638);
    // Twenty uses of the first segment are taken back after the close: both segments are rated again.
    expect(costs(starter, 136) + costs(pro, 110) - (costs(starter, 156) + costs(pro, 130))).toBe(-140);
  });

  it('is rated as Stripe documents graduated and volume prices', () => {
    const tiers = [{ upTo: 5, unitAmount: 700 }, { upTo: 10, unitAmount: 650 }, { unitAmount: 600 }];
    expect([6, 20].map((n) => costs(priced({ tiers, mode: 'volume' }), n))).toEqual([3900, 12_000]);
    expect([6, 20].map((n) => costs(priced({ tiers }), n))).toEqual([4150, 12_750]);
    const flat = [
      { upTo: 5, unitAmount: 500, flatAmount: 1000 },
      { upTo: 10, unitAmount: 400, flatAmount: 2000 },
      { unitAmount: 300, flatAmount: 3000 },
    ];
    expect(costs(priced({ tiers: flat, mode: 'volume' }), 12)).toBe(6600);
    expect(costs(priced({ tiers: flat }), 12)).toBe(11_100);
  });

  it('costs by the thousand, what is begun in full, and nothing where there is none', () => {
    const thousands = priced({ per: 1000, tiers: [{ unitAmount: 200 }] });
    expect([0, 1, 1000, 1001].map((n) => costs(thousands, n))).toEqual([0, 200, 200, 400]);
  });

  it('is exact where floating point is not, and rounds halves away from zero', () => {
    expect(costs(priced({ tiers: [{ unitAmount: '0.05' }] }), 1001)).toBe(50);
    expect(costs(priced({ tiers: [{ unitAmount: '0.1' }] }), 5)).toBe(1);
    expect(rounded(-500_000_000_000n)).toBe(-1);
    const tiny = priced({ tiers: [{ unitAmount: '0.000000000001' }] });
    expect(costs(tiny, 1_000_000_000_000)).toBe(1);
  });

  it('never falls as use grows, and is the same counted one by one, where it is graduated', () => {
    const amount = fc.integer({ min: 0, max: 10_000 }).map((n) => (n / 100).toString());
    const ends = fc.uniqueArray(fc.integer({ min: 1, max: 50 }), { maxLength: 3 });
    fc.assert(
      fc.property(ends, fc.array(amount, { minLength: 4, maxLength: 4 }), (bounds, amounts) => {
        const sorted = [...bounds].sort((a, b) => a - b);
        const tiers = [...sorted, undefined].map((upTo, place) => ({ upTo, unitAmount: amounts[place] }));
        const overage = priced({ tiers });
        let sum = 0n;
        for (let unit = 1; unit <= 60; unit++) {
          const tier = overage.tiers.find(({ upTo }) => upTo === undefined || unit <= upTo);
          sum += BigInt(Math.round(Number(tier?.unitAmount) * 100)) * 10_000_000_000n;
          expect(rateOverage(overage, BigInt(unit))).toBe(sum);
        }
      }),
    );
  });
});
