import fc from 'fast-check';
import type { CreditCommand } from '../../src/credits/decide.js';
import { creditDecider } from '../../src/credits/decide.js';
import type { CreditState } from '../../src/credits/state.js';
import { availableOf } from '../../src/credits/state.js';

const soFar = { uses: [], asOf: 0, now: '2027-02-01T00:00:00.000Z' };

function after(state: CreditState, command: CreditCommand): { state: CreditState; done: boolean } {
  const decision = creditDecider.decide(state, command);
  if (decision.kind === 'refused') return { state, done: false };
  return {
    state: decision.events.reduce((now, event) => creditDecider.evolve(now, event), state),
    done: true,
  };
}

const grant = (grantId: string, amount: number, expiresAt: string | null = null): CreditCommand => ({
  type: 'GrantCredits',
  grantId,
  amount,
  expiresAt,
  priority: 0,
  source: 'operator',
  paid: null,
  payment: null,
  by: 'operator:1',
  soFar,
});
const spend = (purpose: string, amount: number, now = soFar.now): CreditCommand => ({
  type: 'SpendCredits',
  purpose,
  amount,
  soFar: { ...soFar, now },
});
const giveBack = (purpose: string): CreditCommand => ({ type: 'ReturnCredits', purpose, soFar });

test('whatever is spent and given back, no credit is lost or made', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('grant' as const), amount: fc.integer({ min: 1, max: 9 }) }),
    fc.record({
      kind: fc.constant('spend' as const),
      purpose: fc.constantFrom('a', 'b', 'c', 'd'),
      amount: fc.integer({ min: 1, max: 9 }),
    }),
    fc.record({ kind: fc.constant('back' as const), purpose: fc.constantFrom('a', 'b', 'c', 'd') }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let state = creditDecider.initial;
      let granted = 0;
      const paid = new Map<string, number>();
      steps.forEach((one, n) => {
        const left = granted - [...paid.values()].reduce((sum, amount) => sum + amount, 0);
        if (one.kind === 'grant') {
          granted += one.amount;
          ({ state } = after(state, grant(`g${n}`, one.amount)));
        } else if (one.kind === 'spend') {
          const { state: next, done } = after(state, spend(one.purpose, one.amount));
          // Whole or not at all, and once.
          expect(done).toBe(paid.has(one.purpose) || one.amount <= left);
          if (done && !paid.has(one.purpose)) paid.set(one.purpose, one.amount);
          state = next;
        } else {
          paid.delete(one.purpose);
          ({ state } = after(state, giveBack(one.purpose)));
        }
        expect(availableOf(state)).toBe(
          granted - [...paid.values()].reduce((sum, amount) => sum + amount, 0),
        );
      });
    }),
  );
});

test('what expires first is spent first, and what has expired not at all', () => {
  let { state } = after(creditDecider.initial, grant('late', 5));
  ({ state } = after(state, grant('soon', 2, '2027-03-01T00:00:00.000Z')));
  const first = after(state, spend('a', 3));
  expect([...first.state.grants.values()].map(({ id, remaining }) => [id, remaining])).toEqual([
    ['late', 4],
    ['soon', 0],
  ]);
  expect(after(state, spend('a', 6, '2027-03-01T00:00:00.000Z')).done).toBe(false);
  expect(after(state, spend('a', 5, '2027-03-01T00:00:00.000Z')).done).toBe(true);
});

test('what comes back makes good what is owed first', () => {
  let { state } = after(creditDecider.initial, grant('one', 5));
  ({ state } = after(state, spend('a', 4)));
  ({ state } = after(state, { type: 'RecordRefund', grantId: 'one', refunded: null, soFar }));
  expect(state.debt).toBe(4);
  expect(after(state, spend('b', 1)).done).toBe(false);
  ({ state } = after(state, giveBack('a')));
  expect([state.debt, availableOf(state)]).toEqual([0, 0]);
});
