import fc from 'fast-check';
import type { CreditCommand } from '../../src/credits/decide.js';
import { creditDecider } from '../../src/credits/decide.js';
import type { CreditEvent, UseSoFar } from '../../src/credits/events.js';
import { availableOf } from '../../src/credits/state.js';

const PACKS = [
  { id: 'fifty', name: '50 calls', credits: 50, amount: 500, currency: 'usd', months: 12 },
] as const;

/** An account whose credits are spent, topped up and paid in any order. */
class Account {
  state = creditDecider.initial;
  readonly events: CreditEvent[] = [];
  used = 0;

  do(command: CreditCommand): void {
    const decision = creditDecider.decide(this.state, command);
    if (decision.kind !== 'accepted') throw new Error(decision.refusal.message);
    for (const event of decision.events) {
      this.state = creditDecider.evolve(this.state, event);
      this.events.push(event);
    }
  }

  get soFar(): UseSoFar {
    const use = { part: 'p', meter: 'calls', until: '2027-03-01T00:00:00Z', rate: 1, overFrom: () => 0 };
    return { uses: [{ ...use, over: this.used }], asOf: 1, now: '2027-02-01T00:00:00Z' };
  }

  /** What is left once what was used is paid. */
  get left(): number {
    const decision = creditDecider.decide(this.state, { type: 'DrawCredits', soFar: this.soFar });
    const events = decision.kind === 'accepted' ? decision.events : [];
    return availableOf(events.reduce((state, event) => creditDecider.evolve(state, event), this.state));
  }

  get open(): string | undefined {
    return [...this.state.purchases.keys()][0];
  }
}

type Step = 'use' | 'top up' | 'paid' | 'declined' | 'next month';
const steps = fc.array(
  fc.constantFrom<Step>('use', 'use', 'use', 'top up', 'top up', 'paid', 'paid', 'declined', 'next month'),
  { maxLength: 40 },
);

it('asks for one at a time, only below the threshold, so many a month, and for nothing after a failure', () => {
  fc.assert(
    fc.property(
      steps,
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 3 }),
      (all, below, perMonth) => {
        const account = new Account();
        account.do({ type: 'SetTopUp', pack: 'fifty', below, perMonth, packs: PACKS, by: 'user:1' });
        const asked = new Map<string, number>();
        let month = 1;
        let stopped = false;
        for (const step of all) {
          const { open } = account;
          if (step === 'use') account.used += 20;
          if (step === 'next month') month++;
          if (step === 'paid' && open !== undefined) {
            account.do({
              type: 'GrantCredits',
              grantId: open,
              amount: 50,
              expiresAt: null,
              priority: 0,
              source: 'purchase',
              paid: { amount: 500, currency: 'usd' },
              payment: 'pi_1',
              by: 'policy:credits',
              soFar: account.soFar,
            });
          }
          if (step === 'declined' && open !== undefined) {
            account.do({ type: 'EndPurchase', purchaseId: open, how: 'failed' });
            stopped = true;
          }
          if (step !== 'top up') continue;
          const name = `2027-${String(month).padStart(2, '0')}`;
          const count = asked.get(name) ?? 0;
          const may = open === undefined && !stopped && count < perMonth && account.left < below;
          const before = account.events.length;
          account.do({
            type: 'TopUp',
            purchaseId: `${name}:${count}`,
            month: name,
            packs: PACKS,
            soFar: account.soFar,
          });
          expect(account.events.slice(before).map(({ type }) => type)).toEqual(
            may ? ['CreditPurchaseRequested'] : [],
          );
          if (may) asked.set(name, count + 1);
        }
      },
    ),
    { numRuns: 500 },
  );
});

it('asks for nothing where nobody wanted that, or no more', () => {
  const account = new Account();
  const topUp = (): void =>
    account.do({ type: 'TopUp', purchaseId: 'p', month: '2027-01', packs: PACKS, soFar: account.soFar });
  topUp();
  account.do({ type: 'SetTopUp', pack: null, below: 0, perMonth: 0, packs: PACKS, by: 'user:1' });
  expect(account.events).toEqual([]);
  account.do({ type: 'SetTopUp', pack: 'fifty', below: 1, perMonth: 1, packs: PACKS, by: 'user:1' });
  account.do({ type: 'SetTopUp', pack: null, below: 0, perMonth: 0, packs: PACKS, by: 'user:1' });
  topUp();
  expect(account.events.map(({ type }) => type)).toEqual(['CreditTopUpSet', 'CreditTopUpSet']);
});
