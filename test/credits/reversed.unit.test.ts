import fc from 'fast-check';
import type { CreditCommand } from '../../src/credits/decide.js';
import { creditDecider } from '../../src/credits/decide.js';
import type { CreditEvent, OverUse } from '../../src/credits/events.js';
import type { CreditState } from '../../src/credits/state.js';
import { judgedOf } from '../../src/credits/state.js';

const NOW = '2027-02-01T00:00:00.000Z';

/** An account whose use above its limit goes up and down. */
class Account {
  state: CreditState = creditDecider.initial;
  readonly events: CreditEvent[] = [];

  do(command: CreditCommand): void {
    const decision = creditDecider.decide(this.state, command);
    if (decision.kind === 'refused') throw new Error(decision.refusal.message);
    this.events.push(...decision.events);
    this.state = decision.events.reduce((before, one) => creditDecider.evolve(before, one), this.state);
  }

  draw(over: number, asOf: number, closed?: true): void {
    const use: OverUse = {
      part: 'p',
      meter: 'calls',
      until: '2027-03-01T00:00:00.000Z',
      over,
      rate: 2,
      overFrom: () => 0,
      ...(closed && { closed }),
    };
    this.do({ type: 'DrawCredits', soFar: { uses: [use], asOf, now: NOW } });
  }

  grant(grantId: string, amount: number, expiresAt: string | null = null): void {
    const soFar = { uses: [], asOf: 0, now: NOW };
    const rest = { priority: 0, source: 'operator', paid: null, payment: null, by: 'test' } as const;
    this.do({ type: 'GrantCredits', grantId, amount, expiresAt, soFar, ...rest });
  }

  get paid(): number {
    return judgedOf(this.state, 'calls', 'p').paid;
  }

  get left(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.state.grants.values()].map(({ id, remaining }) => [id, remaining]));
  }
}

it('gives back what has paid for use that counts no more, the last first', () => {
  const account = new Account();
  account.grant('soon', 20, '2027-02-10T00:00:00.000Z');
  account.grant('later', 20);
  account.draw(15, 1);
  expect(account.left).toEqual({ soon: 0, later: 10 });
  account.draw(8, 2);
  expect(account.left).toEqual({ soon: 4, later: 20 });
  expect(account.events.at(-1)).toMatchObject({
    type: 'CreditDrawReversed',
    data: { part: 'p', to: 8, units: 7, debt: 0 },
  });
  // What is used again is paid for again.
  account.draw(9, 3);
  expect(account.left).toEqual({ soon: 2, later: 20 });
});

it('draws nothing more for a period that is closed, and gives back all the same', () => {
  const account = new Account();
  account.grant('one', 100);
  account.draw(10, 1);
  account.draw(12, 2, true);
  expect([account.left, account.paid]).toEqual([{ one: 80 }, 10]);
  account.draw(0, 3, true);
  expect([account.left, account.paid]).toEqual([{ one: 100 }, 0]);
});

it('believes nobody who has not seen what was paid for', () => {
  const account = new Account();
  account.grant('one', 100);
  account.draw(10, 5);
  account.draw(3, 4);
  expect(account.paid).toBe(10);
});

it('makes good what is owed first', () => {
  const account = new Account();
  account.grant('one', 20);
  account.draw(10, 1);
  account.do({
    type: 'RecordRefund',
    grantId: 'one',
    refunded: null,
    soFar: { uses: [], asOf: 1, now: NOW },
  });
  expect(account.state.debt).toBe(20);
  account.draw(4, 2);
  expect([account.state.debt, account.left]).toEqual([8, { one: 0 }]);
});

test('whatever use comes to, credits pay for no more of it, and none is lost or made', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('use' as const), over: fc.nat({ max: 30 }), closed: fc.boolean() }),
    fc.record({ kind: fc.constant('grant' as const), amount: fc.integer({ min: 1, max: 25 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const account = new Account();
      let granted = 0;
      steps.forEach((one, place) => {
        if (one.kind === 'grant') {
          granted += one.amount;
          account.grant(`g${place}`, one.amount);
        } else {
          account.draw(one.over, place, one.closed ? true : undefined);
          expect(account.paid).toBeLessThanOrEqual(one.over);
        }
        const left = Object.values(account.left).reduce((sum, each) => sum + each, 0);
        expect(left).toBe(granted - 2 * account.paid);
      });
    }),
  );
});

const NOTHING_USED = { uses: [], asOf: 0, now: NOW };

/** An account that has paid $10 for a hundred credits. */
function bought(expiresAt: string | null = null): Account {
  const account = new Account();
  const paid = { amount: 1000, currency: 'usd' };
  const rest = { priority: 0, source: 'purchase', paid, payment: 'pi_1', by: 'test' } as const;
  const soFar = NOTHING_USED;
  account.do({ type: 'GrantCredits', grantId: 'one', amount: 100, expiresAt, soFar, ...rest });
  return account;
}

/** @param amount what was given back of the payment so far */
const refund = (amount: number): CreditCommand => ({
  type: 'RecordRefund',
  grantId: 'one',
  refunded: { amount, currency: 'usd' },
  soFar: NOTHING_USED,
});

const dispute = (disputed: number, id = 'dp_1'): CreditCommand => ({
  type: 'WithdrawCredits',
  grantId: 'one',
  dispute: id,
  disputed,
  soFar: NOTHING_USED,
});

it('takes back what was refunded beside what is disputed, and never more than was bought', () => {
  const account = bought();
  account.do(dispute(400));
  account.do(refund(300));
  expect(account.left).toEqual({ one: 30 });
  account.do(refund(500));
  expect(account.left).toEqual({ one: 10 });
  account.do({ type: 'ReinstateCredits', grantId: 'one', dispute: 'dp_1', soFar: NOTHING_USED });
  expect(account.left).toEqual({ one: 50 });
  const most = bought();
  most.do(dispute(800));
  most.do(refund(500));
  expect([most.left, most.state.debt]).toEqual([{ one: 0 }, 0]);
});

it('gives back what a refund has taken that fails, first what is owed, and takes it once more', () => {
  const account = bought();
  account.draw(30, 1);
  account.do(refund(1000));
  expect([account.left, account.state.debt]).toEqual([{ one: 0 }, 60]);
  account.do(refund(0));
  expect([account.left, account.state.debt]).toEqual([{ one: 40 }, 0]);
  expect(account.events.at(-1)).toMatchObject({
    type: 'CreditRefundReversed',
    data: { amount: 100, reversed: { amount: 1000, currency: 'usd' }, debt: 0 },
  });
  expect(account.state.grants.get('one')).toMatchObject({ refunded: false, paidBack: 0, reversals: 1 });
  account.do(refund(1000));
  expect(account.state.grants.get('one')).toMatchObject({ refunded: true, paidBack: 1000 });
  expect([account.left, account.state.debt]).toEqual([{ one: 0 }, 60]);
});

test('whatever is refunded and fails, what is left is what was not given back', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 20 }), (amounts) => {
      const account = bought();
      for (const amount of amounts) account.do(refund(amount));
      const last = amounts.at(-1) ?? 0;
      expect(account.left).toEqual({ one: 100 - Math.floor(last / 10) });
    }),
  );
});

const voided: CreditCommand = { type: 'VoidCredits', grantId: 'one', by: 'test', soFar: NOTHING_USED };

describe('credits that were voided or have expired', () => {
  const afterwards = { uses: [], asOf: 0, now: '2028-03-01T00:00:00.000Z' };
  const ways: readonly [string, CreditCommand][] = [
    ['voided', voided],
    ['expired', { type: 'ExpireCredits', soFar: afterwards, closeAfterMs: 0 }],
  ];
  it.each(ways)('are not taken once more where they have %s', (_how, ends) => {
    for (const taken of [refund(1000), dispute(1000)]) {
      const unused = bought('2028-02-02T00:00:00.000Z');
      unused.do(ends);
      unused.do(taken);
      expect([unused.left, unused.state.debt]).toEqual([{ one: 0 }, 0]);
      // Those that had been used are owed.
      const used = bought('2028-02-02T00:00:00.000Z');
      used.draw(15, 1);
      used.do(ends);
      used.do(taken);
      expect([used.left, used.state.debt]).toEqual([{ one: 0 }, 30]);
    }
  });

  it('make up for a refund of a part first, whose money counts all the same', () => {
    const account = bought();
    account.draw(20, 1);
    account.do(voided);
    account.do(refund(500));
    expect(account.state.debt).toBe(0);
    expect(account.events.at(-1)).toMatchObject({
      type: 'CreditsRefunded',
      data: { amount: 0, refunded: { amount: 500, currency: 'usd' }, partial: true },
    });
    const told = account.events.length;
    account.do(refund(500));
    expect(account.events).toHaveLength(told);
    // Ten of the sixty are left, and of the payment the other half.
    account.do(dispute(500));
    expect(account.state.debt).toBe(40);
  });

  it('stay gone where the refund fails', () => {
    const account = bought();
    account.draw(15, 1);
    account.do(voided);
    account.do(refund(1000));
    account.do(refund(0));
    expect([account.left, account.state.debt]).toEqual([{ one: 0 }, 0]);
    const early = bought();
    early.do(refund(500));
    early.do(voided);
    early.do(refund(0));
    expect([early.left, early.state.debt]).toEqual([{ one: 50 }, 0]);
  });

  test('and whatever is refunded and disputed, no more is taken than was bought', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('use' as const), units: fc.integer({ min: 1, max: 30 }) }),
      fc.record({ kind: fc.constant('void' as const) }),
      fc.record({ kind: fc.constant('refund' as const), amount: fc.integer({ min: 0, max: 1000 }) }),
      fc.record({ kind: fc.constant('dispute' as const), amount: fc.integer({ min: 1, max: 1000 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 15 }), (steps) => {
        const account = bought();
        let used = 0;
        steps.forEach((one, place) => {
          if (one.kind === 'use') account.draw((used += one.units), place);
          else if (one.kind === 'void') account.do(voided);
          else if (one.kind === 'refund') account.do(refund(one.amount));
          else account.do(dispute(one.amount, `dp_${place}`));
          expect(account.state.debt).toBeLessThanOrEqual(2 * account.paid);
        });
      }),
    );
  });
});
