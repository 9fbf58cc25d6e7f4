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
function bought(): Account {
  const account = new Account();
  const paid = { amount: 1000, currency: 'usd' };
  const rest = { priority: 0, source: 'purchase', paid, payment: 'pi_1', by: 'test' } as const;
  const soFar = NOTHING_USED;
  account.do({ type: 'GrantCredits', grantId: 'one', amount: 100, expiresAt: null, soFar, ...rest });
  return account;
}

/** @param amount what was given back of the payment so far */
const refund = (amount: number): CreditCommand => ({
  type: 'RecordRefund',
  grantId: 'one',
  refunded: { amount, currency: 'usd' },
  soFar: NOTHING_USED,
});

it('takes back what was refunded beside what is disputed, and never more than was bought', () => {
  const dispute = (disputed: number): CreditCommand => ({
    type: 'WithdrawCredits',
    grantId: 'one',
    dispute: 'dp_1',
    disputed,
    soFar: NOTHING_USED,
  });
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
