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
