import fc from 'fast-check';
import type { RatedLine } from '../../src/overage/events.js';
import { adjustmentOf, rateLines } from '../../src/overage/rate.js';
import { usedOf } from '../../src/overage/statements.js';
import type { BillingPeriod, PaidLife, Priced, TermsOf } from '../../src/overage/terms.js';
import { partsOfPeriod } from '../../src/overage/terms.js';
import { BUILT_IN } from '../../src/plans/meters.js';

const PERIOD: BillingPeriod = {
  id: 'month:0:0',
  from: '2027-01-31T12:00:00.000Z',
  to: '2027-02-28T12:00:00.000Z',
};

interface Plan {
  readonly included: number;
  /** Hundredths of a minor unit for one, up to the end of the first tier and then. */
  readonly first: number;
  readonly end: number;
  readonly then: number;
}

const plan: fc.Arbitrary<Plan> = fc.record({
  included: fc.integer({ min: 0, max: 30 }),
  first: fc.integer({ min: 0, max: 500 }),
  end: fc.integer({ min: 1, max: 20 }),
  then: fc.integer({ min: 0, max: 500 }),
});

const priced = ({ included, first, end, then }: Plan): Priced => ({
  limit: 'm',
  meter: 'requests',
  currency: 'usd',
  per: 1,
  mode: 'graduated',
  included,
  tiers: [
    { upTo: end, unitAmount: (first / 100).toFixed(2), flatAmount: 0 },
    { unitAmount: (then / 100).toFixed(2), flatAmount: 0 },
  ],
});

const lifeOf = (plans: readonly Plan[]): PaidLife => ({
  subscription: 'sub_1',
  currency: 'usd',
  interval: 'month',
  anchor: 0,
  endedAt: undefined,
  terms: plans.map((one, revision): TermsOf => ({
    revision,
    eventId: `e${revision}`,
    at: PERIOD.from,
    plan: `p${revision}`,
    overage: [priced(one)],
  })),
});

const rated = (life: PaidLife, used: readonly number[], credits: readonly number[] = []): RatedLine[] => {
  const place = (part: string): number => Number(part.split(':').at(-1));
  return rateLines(
    life,
    PERIOD,
    (_meter, part) => BigInt(used[place(part)] ?? 0),
    (_meter, part) => credits[place(part)] ?? 0,
    BUILT_IN,
  );
};
const sum = (lines: readonly RatedLine[]): number => lines.reduce((total, { amount }) => total + amount, 0);

describe('overage of a period', () => {
  it('is what it is unit by unit, under each price by itself', () => {
    const changes = fc.array(fc.tuple(plan, fc.integer({ min: 0, max: 60 }), fc.nat(10)), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(changes, (given) => {
        const life = lifeOf(given.map(([one]) => one));
        const expected: number[][] = [];
        let before = 0;
        for (const [{ included, first, end, then }, units, paid] of given) {
          let over = 0;
          for (let unit = 0; unit < units; unit++) if (++before > included) over++;
          const billed = Math.max(0, over - paid);
          let hundredths = 0;
          for (let unit = 1; unit <= billed; unit++) hundredths += unit <= end ? first : then;
          if (over > 0) expected.push([over, billed, Math.round(hundredths / 100)]);
        }
        const lines = rated(
          life,
          given.map(([, units]) => units),
          given.map(([, , paid]) => paid),
        );
        expect(lines.map(({ over, quantity, amount }) => [over, quantity, amount])).toEqual(expected);
        expect(lines.every(({ events }) => events.length > 0)).toBe(true);
      }),
    );
  });

  it('has what a clock that was behind has counted before its beginning', () => {
    const life = lifeOf([{ included: 0, first: 100, end: 1, then: 100 }]);
    expect(partsOfPeriod(life, 'month:7:0')).toEqual(['month:7:0:0', 'month:7:-1:0']);
    expect(partsOfPeriod(life, 'month:7:10')).toEqual(['month:7:10:0']);
    const amounts: Record<string, bigint> = { 'month:7:0:0': 5n, 'month:7:-1:0': 2n, 'month:7:10:0': 1n };
    const used = usedOf({ amount: (_meter, part) => amounts[part] ?? 0n });
    expect([used('calls', 'month:7:0:0'), used('calls', 'month:7:10:0')]).toEqual([7n, 1n]);
  });

  it('adds up, however often it is corrected after it was closed', () => {
    const plans = fc.array(plan, { minLength: 1, maxLength: 3 });
    const states = fc.array(fc.array(fc.nat(60), { minLength: 3, maxLength: 3 }), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(plans, states, (given, history) => {
        const life = lifeOf(given);
        const billed = rated(life, history[0] ?? []);
        for (const [place, used] of history.slice(1).entries()) {
          const line = adjustmentOf(rated(life, used), billed, PERIOD, `closing-${place}`);
          if (line) billed.push(line);
        }
        expect(sum(billed)).toBe(sum(rated(life, history.at(-1) ?? [])));
        expect(new Set(billed.map(({ id }) => id)).size).toBe(billed.length);
      }),
    );
  });

  it('is not undone by a larger plan, and rates both again once a use is taken back', () => {
    const life = lifeOf([
      { included: 100, first: 500, end: 100, then: 400 },
      { included: 500, first: 300, end: 200, then: 250 },
    ]);
    const closed = rated(life, [330, 300], [74]);
    expect(closed.map(({ quantity, amount }) => [quantity, amount])).toEqual([
      [156, 724],
      [130, 390],
    ]);
    const again = rated(life, [310, 300], [74]);
    expect(adjustmentOf(again, closed, PERIOD, 'next')?.amount).toBe(-140);
  });

  it('is exact beyond what a number holds, to the last unit', () => {
    const life = lifeOf([{ included: 5, first: 0, end: 1, then: 0 }]);
    const used = 2n ** 63n + 1n;
    const lines = rateLines(
      life,
      PERIOD,
      () => used,
      () => 0,
      BUILT_IN,
      () => [['9007199254740993', undefined]],
    );
    // What is stored is JSON.
    const [line] = JSON.parse(JSON.stringify(lines)) as RatedLine[];
    expect(line).toMatchObject({
      used: String(used),
      over: String(used - 5n),
      quantity: String(used - 9_007_199_254_740_993n),
    });
    expect(line?.description).toBe('9,214,364,837,600,034,816 × request above the 5 included');
    const [small] = rated(life, [7]);
    expect(small).toMatchObject({ used: 7, over: 2, quantity: 2 });
  });

  it.each([
    [1, 200, '1 × request above the 0 included, as 1 block of 1,000'],
    [1_000, 200, '1,000 × request above the 0 included, as 1 block of 1,000'],
    [1_001, 400, '1,001 × request above the 0 included, as 2 blocks of 1,000'],
  ])('charges a block whole that is begun, and says so: %d units cost %d', (units, amount, description) => {
    const life = lifeOf([{ included: 0, first: 20_000, end: 9, then: 20_000 }]);
    const inBlocks: PaidLife = {
      ...life,
      terms: life.terms.map((terms) => ({
        ...terms,
        overage: terms.overage.map((one) => ({ ...one, per: 1_000 })),
      })),
    };
    expect(rated(inBlocks, [units])).toMatchObject([{ quantity: units, amount, description }]);
  });
});
