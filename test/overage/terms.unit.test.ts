import type { BillingEvent, Terms } from '../../src/billing/events.js';
import { StoredEvent } from '../../src/eventsourcing/event.js';
import { isPeriodOf, livesOf, periodOfLife } from '../../src/overage/terms.js';

const terms = (periodStart: string): Terms => ({
  subscription: 'sub_1',
  plan: 'developer',
  price: 'developer-month-usd',
  interval: 'month',
  amount: 2900,
  currency: 'usd',
  periodStart,
  periodEnd: '2027-12-01T12:00:00.000Z',
});
const stored = (events: readonly BillingEvent[]): StoredEvent[] =>
  events.map(
    ({ type, data }, n) =>
      new StoredEvent(
        n + 1,
        'subscription-a',
        n,
        `e${n}`,
        type,
        JSON.stringify(data),
        '{"schemaVersion":1,"at":""}',
      ),
  );

describe('billing periods', () => {
  const started: BillingEvent = { type: 'SubscriptionStarted', data: terms('2027-02-01T12:00:00.000Z') };
  const at = '2027-03-15T12:00:00.000Z';
  const paused: BillingEvent = {
    type: 'SubscriptionPaused',
    data: { subscription: 'sub_1', plan: 'developer', at },
  };
  const resumed: BillingEvent = { type: 'SubscriptionResumed', data: terms('2027-05-20T08:00:00.000Z') };
  const ended: BillingEvent = {
    type: 'PaidSubscriptionEnded',
    data: { subscription: 'sub_1', plan: 'developer', reason: 'x', endedAt: '2027-06-01T00:00:00.000Z' },
  };

  it('end with a pause, and begin anew with its end', () => {
    const [before, after, ...others] = livesOf(stored([started, paused, resumed]), []);
    if (!before || !after) throw new Error('a life is missing');
    expect(others).toEqual([]);
    expect([before.endedAt, after.endedAt]).toEqual([at, undefined]);
    const last = periodOfLife(before, Date.parse('2027-03-10T00:00:00Z'));
    expect([last.from, last.to]).toEqual(['2027-03-01T12:00:00.000Z', at]);
    const first = periodOfLife(after, Date.parse('2027-05-21T00:00:00Z'));
    expect([first.from, first.to]).toEqual(['2027-05-20T08:00:00.000Z', '2027-06-20T08:00:00.000Z']);
    // Of one subscription, and not mixed up.
    expect([isPeriodOf(before, last.id), isPeriodOf(after, last.id)]).toEqual([true, false]);
    expect([isPeriodOf(before, first.id), isPeriodOf(after, first.id)]).toEqual([false, true]);
  });

  it('have ended with the pause where the subscription ends in it', () => {
    const lives = livesOf(stored([started, paused, ended]), []);
    expect(lives.map(({ endedAt }) => endedAt)).toEqual([at]);
  });
});

it('prices use in the currency of the subscription, and in no other', () => {
  const price = (currency: string) => ({ limit: 'calls-month', meter: 'calls', currency });
  const profile = {
    name: 'shop',
    plans: [
      {
        id: 'developer',
        limits: [{ id: 'calls-month', meter: 'calls', window: 'billing-period', amount: 100 }],
        overage: [price('usd'), price('eur')],
      },
    ],
  };
  const published = new StoredEvent(
    1,
    'profile-shop',
    0,
    'p',
    'ProfilePublished',
    JSON.stringify({ profile }),
    '{"schemaVersion":1,"at":""}',
  );
  const priced = (currency: string) => {
    const paid = { ...terms('2027-02-01T12:00:00.000Z'), currency };
    const changed = { ...paid, from: 'developer', changeId: null };
    const [life] = livesOf(
      stored([
        { type: 'SubscriptionStarted', data: paid },
        { type: 'PlanChanged', data: changed },
      ]),
      [published],
    );
    return life?.terms.map(({ overage }) => overage.map((one) => one.currency));
  };
  expect(priced('usd')).toEqual([['usd'], ['usd']]);
  expect(priced('eur')).toEqual([['eur'], ['eur']]);
  expect(priced('gbp')).toEqual([[], []]);
});
