import type { PaymentUses } from '../../src/billing/decidePayment.js';
import { paymentDecider } from '../../src/billing/decidePayment.js';
import type { PaymentEvent } from '../../src/billing/events.js';
import { PaymentRecorder } from '../../src/billing/paymentRecorder.js';

const stateOf = (stored: readonly PaymentEvent[]): PaymentUses =>
  stored.reduce((before, event) => paymentDecider.evolve(before, event), paymentDecider.initial);

it('keeps a refund that was recorded while an older answer was on its way', async () => {
  const stored: PaymentEvent[] = [];
  const commands = {
    load: () => Promise.resolve([...stored]),
    handle: (decider: typeof paymentDecider, _: string, command: never) => {
      const state: PaymentUses = stateOf(stored);
      const decision = decider.decide(state, command);
      if (decision.kind === 'accepted') stored.push(...decision.events);
      return Promise.resolve(decision);
    },
  };
  let refunded = 0;
  let asked = 0;
  /** Resolves the answers that are on their way. */
  const late: (() => void)[] = [];
  const payments = {
    live: false,
    intentOfCharge: () => Promise.resolve('pi_1'),
    intent: async () => {
      const answer = { purpose: 'analysis', status: 'succeeded', amount: 500, currency: 'usd', refunded };
      if (asked++ === 0) await new Promise<void>((resolve) => late.push(resolve));
      return answer;
    },
  };
  const recorder = new PaymentRecorder(payments as never, commands as never, () => 0);
  const first = recorder.record({ intent: 'pi_1' });
  while (late.length === 0) await Promise.resolve();
  refunded = 500;
  expect(await recorder.record({ charge: 'ch_1' })).toBe(true);
  late.forEach((resolve) => resolve());
  expect(await first).toBe(true);
  expect(stateOf(stored)).toMatchObject({
    received: true,
    refunded: 500,
  });
  expect(stored.map(({ type }) => type)).toEqual(['PaymentReceived', 'PaymentRefunded']);
});
