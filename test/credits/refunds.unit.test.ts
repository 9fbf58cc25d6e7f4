import { creditDecider } from '../../src/credits/decide.js';
import { CreditDesk } from '../../src/credits/desk.js';
import type { CreditEvent } from '../../src/credits/events.js';
import type { CreditState } from '../../src/credits/state.js';

const stateOf = (stored: readonly CreditEvent[]): CreditState =>
  stored.reduce((before, event) => creditDecider.evolve(before, event), creditDecider.initial);

it('keeps a refund that was recorded while an older answer was on its way', async () => {
  const soFar = { uses: [], asOf: 0, now: '2027-02-01T00:00:00.000Z' };
  const granted = creditDecider.decide(creditDecider.initial, {
    type: 'GrantCredits',
    grantId: 'one',
    amount: 50,
    expiresAt: null,
    priority: 0,
    source: 'purchase',
    paid: { amount: 500, currency: 'usd' },
    payment: 'pi_1',
    by: 'test',
    soFar,
  });
  const stored: CreditEvent[] = granted.kind === 'accepted' ? [...granted.events] : [];
  const commands = {
    load: () => Promise.resolve([...stored]),
    handle: (decider: typeof creditDecider, _: string, command: never) => {
      const decision = decider.decide(stateOf(stored), command);
      if (decision.kind === 'accepted') stored.push(...decision.events);
      return Promise.resolve(decision);
    },
  };
  let amount = 200;
  let asked = 0;
  /** Resolves the answers that are on their way. */
  const late: (() => void)[] = [];
  const payments = {
    refunded: async () => {
      const answer = { payment: 'pi_1', amount, currency: 'usd' };
      if (asked++ === 0) await new Promise<void>((resolve) => late.push(resolve));
      return answer;
    },
  };
  const options = { commands, payments, open: () => Promise.resolve(soFar), clock: () => 0 };
  const desk = new CreditDesk(options as never);
  const first = desk.followRefund('a', 'ch_1');
  while (late.length === 0) await Promise.resolve();
  amount = 500;
  await desk.followRefund('a', 'ch_1');
  late.forEach((resolve) => resolve());
  await first;
  expect(stateOf(stored).grants.get('one')).toMatchObject({ remaining: 0, paidBack: 500, refunded: true });
  expect(stored.map(({ type }) => type)).toEqual(['CreditsGranted', 'CreditsRefunded']);
});
