import { AccountBilling } from '../../src/billing/accountBilling.js';
import { billingDecider } from '../../src/billing/decide.js';
import type { BillingEvent } from '../../src/billing/events.js';
import type { Decider } from '../../src/eventsourcing/decider.js';
import { fold } from '../../src/eventsourcing/decider.js';
import { StoredEvent } from '../../src/eventsourcing/event.js';

const AT = '2027-02-01T12:00:00.000Z';
const by = 'user:1';

it('closes the page of a price that was withdrawn while Stripe made it', async () => {
  const stored: StoredEvent[] = [];
  const append = (events: readonly BillingEvent[]): void => {
    for (const { type, data } of events) {
      const place = stored.length;
      const metadata = `{"schemaVersion":1,"at":"${AT}"}`;
      stored.push(
        new StoredEvent(
          place + 1,
          'subscription-a',
          place,
          `e${place}`,
          type,
          JSON.stringify(data),
          metadata,
        ),
      );
    }
  };
  const commands = {
    load: (stream: string) => Promise.resolve(stream.startsWith('subscription') ? [...stored] : []),
    handle: (decider: Decider<unknown, unknown, BillingEvent>, _: string, command: unknown) => {
      const decision = decider.decide(fold(decider, stored), command);
      if (decision.kind === 'accepted') append(decision.events);
      return Promise.resolve(decision);
    },
  };
  const own = { price: 'agreed_1', plan: 'team', interval: 'month', amount: 100, currency: 'usd' } as const;
  append([
    { type: 'CustomerRequested', data: { by } },
    { type: 'CustomerCreated', data: { customer: 'cus_1' } },
    { type: 'PriceAgreed', data: { ...own, by } },
    { type: 'CheckoutRequested', data: { ...own, checkoutId: 'c1', profileVersion: 3, trialDays: null, by } },
  ]);
  const expired: string[] = [];
  const payments = {
    live: false,
    createCheckout: async () => {
      const withdraw = { type: 'WithdrawPrice', price: own.price, by };
      await commands.handle(billingDecider, 'subscription-a', withdraw);
      return { session: 'cs_1', url: null, expiresAt: AT, status: 'open', checkoutId: 'c1' };
    },
    expireCheckout: (session: string) => {
      expired.push(session);
      return Promise.resolve({ session, url: null, expiresAt: AT, status: 'expired', checkoutId: 'c1' });
    },
    subscriptions: () => Promise.resolve([]),
  };
  const billing = new AccountBilling({
    commands: commands as never,
    payments: payments as never,
    invoices: undefined as never,
    priceList: () => ({ offers: [], plans: ['team'] }),
    coupons: () => [],
    graceDays: () => 14,
    returnUrl: 'https://shop.example',
    emailOf: () => Promise.resolve(null),
    clock: () => Date.parse(AT),
    billingClock: () => Date.parse(AT),
  });
  const { checkout, replaced } = await billing.settle('a');
  expect(expired).toEqual(['cs_1']);
  expect([checkout, replaced]).toEqual([undefined, []]);
  expect(stored.slice(4).map(({ type }) => type)).toEqual([
    'AgreedPriceWithdrawn',
    'CheckoutOpened',
    'CheckoutEnded',
  ]);
});
