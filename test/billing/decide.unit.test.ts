import type { Coupon } from '../../src/billing/decideCoupon.js';
import type { Offer } from '../../src/billing/decide.js';
import { paidPriceId } from '../../src/billing/decideAgreedPrice.js';
import { billingDecider } from '../../src/billing/decide.js';
import { STALE } from '../../src/eventsourcing/retryStale.js';
import type { AgreedPrice, BillingEvent, Terms } from '../../src/billing/events.js';
import type { Snapshot } from '../../src/billing/recordSubscription.js';
import { duplicatesOf } from '../../src/billing/recordSubscription.js';
import { given } from '../eventsourcing/given.js';

const offer = (
  plan: string,
  interval: 'month' | 'year',
  amount: number,
  over: Partial<Offer> = {},
): Offer => ({
  id: `${plan}-${interval}-usd`,
  plan,
  interval,
  amount,
  currency: 'usd',
  trialDays: 14,
  ...over,
});
const offers = [
  offer('developer', 'month', 2900),
  offer('developer', 'year', 29_000),
  offer('team', 'month', 19_900),
  offer('team', 'month', 18_000, { id: 'team-month-eur', currency: 'eur' }),
];
const plans = ['free', 'developer', 'team', 'enterprise'];

const by = 'user:1';
const start = '2027-01-31T12:00:00.000Z';
const half = '2027-02-14T12:00:00.000Z';
const end = '2027-02-28T12:00:00.000Z';
const terms = (over: Partial<Terms> = {}): Terms => ({
  subscription: 'sub_1',
  plan: 'developer',
  price: 'developer-month-usd',
  interval: 'month',
  amount: 2900,
  currency: 'usd',
  periodStart: start,
  periodEnd: end,
  ...over,
});
const team = terms({ plan: 'team', price: 'team-month-usd', amount: 19_900 });
const snapshot = (over: Partial<Snapshot> = {}): Snapshot => ({
  ...terms(),
  status: 'active',
  createdAt: start,
  trialEndsAt: undefined,
  cancelsAt: undefined,
  endedAt: undefined,
  endReason: undefined,
  scheduled: undefined,
  ...over,
});
const started: BillingEvent = { type: 'SubscriptionStarted', data: terms() };
const overdue: BillingEvent = {
  type: 'PaymentOverdue',
  data: { plan: 'developer', since: start, graceEndsAt: '2027-02-14T12:00:00.000Z' },
};
const scheduled = { plan: 'team', price: 'team-month-usd', at: end };

const after = (...events: BillingEvent[]) => given(billingDecider, ...events);
const record = (events: readonly BillingEvent[], ...snapshots: Snapshot[]) =>
  after(...events).when({
    type: 'RecordSubscriptions',
    snapshots,
    asOf: events.length,
    graceDays: 14,
    at: '2027-02-20T09:00:00.000Z',
  });

const stateAfter = (events: readonly BillingEvent[]) =>
  events.reduce((before, event) => billingDecider.evolve(before, event), billingDecider.initial);

describe('a checkout', () => {
  const request = {
    type: 'RequestCheckout',
    checkoutId: 'c1',
    offers,
    plans,
    profileVersion: 3,
    by,
  } as const;
  const { id: price, ...rest } = offers[0] as Offer;
  const requested = (trialDays: number | null): BillingEvent => ({
    type: 'CheckoutRequested',
    data: { checkoutId: 'c1', price, ...rest, profileVersion: 3, trialDays, by },
  });

  it('asks for the customer first, once', () => {
    const asked: BillingEvent = { type: 'CustomerRequested', data: { by } };
    after()
      .when({ ...request, price })
      .then(asked, requested(14));
    after(asked)
      .when({ ...request, price })
      .then(requested(14));
  });

  it('has a trial once for each account', () => {
    const trial: BillingEvent = { type: 'TrialStarted', data: { ...terms(), trialEndsAt: end } };
    const over: BillingEvent = {
      type: 'PaidSubscriptionEnded',
      data: { subscription: 'sub_1', plan: 'developer', reason: 'x', endedAt: end },
    };
    after({ type: 'CustomerRequested', data: { by } }, trial, over)
      .when({ ...request, price })
      .then(requested(null));
  });

  it('is refused for a price that there is not, and where there is a subscription', () => {
    after()
      .when({ ...request, price: 'gold' })
      .thenRefused('PRICE_UNKNOWN', 'priceId');
    after(started)
      .when({ ...request, price })
      .thenRefused('ALREADY_SUBSCRIBED');
  });
});

describe('a coupon', () => {
  const coupons: readonly Coupon[] = [
    { id: 'SPRING-20', name: 'Spring', percentOff: 20, duration: 'forever', plans: ['team'] },
    { id: 'LATE-10', name: 'Late', percentOff: 10, duration: 'forever', redeemBy: start },
    { id: 'EURO-1', name: 'Euro', amountOff: 100, currency: 'eur', duration: 'once' },
    { id: 'ONCE-1', name: 'Once', amountOff: 100, currency: 'usd', duration: 'once' },
  ];
  const before = new Date(Date.parse(start) - 1).toISOString();
  const coupon = (code: string, now = before) => ({ code, coupons, now });
  const request = {
    type: 'RequestCheckout',
    checkoutId: 'c1',
    offers,
    plans,
    profileVersion: 3,
    by,
  } as const;
  const change = {
    type: 'RequestPlanChange',
    changeId: 'p1',
    offers,
    plans,
    prorationAt: start,
    by,
  } as const;
  const price = 'developer-month-usd';
  const customer: BillingEvent = { type: 'CustomerRequested', data: { by } };

  it('is found in upper or lower case, and kept as the profile writes it', () => {
    const { decision } = after(customer).when({
      ...request,
      price: 'team-month-usd',
      coupon: coupon(' spring-20'),
    });
    expect(decision.kind === 'accepted' && decision.events[0]?.data).toMatchObject({ coupon: 'SPRING-20' });
  });

  it('is refused where it is unknown, over, for another plan or another currency', () => {
    const refused = (code: string, expected: string, now?: string) =>
      after(customer)
        .when({ ...request, price, coupon: coupon(code, now) })
        .thenRefused(expected, 'coupon');
    refused('GONE', 'COUPON_UNKNOWN');
    refused('SPRING-20', 'COUPON_NOT_APPLICABLE');
    refused('EURO-1', 'COUPON_NOT_APPLICABLE');
    refused('LATE-10', 'COUPON_EXPIRED', start);
    // Until the very moment before it is good.
    const { decision } = after(customer).when({ ...request, price, coupon: coupon('LATE-10') });
    expect(decision.kind).toBe('accepted');
  });

  it('for one invoice is not for the rest of a period, and none is for what costs nothing', () => {
    const to = (next: string, code: string, ...events: BillingEvent[]) =>
      after(...events).when({ ...change, price: next, coupon: coupon(code) });
    to('team-month-usd', 'ONCE-1', started).thenRefused('COUPON_NOT_APPLICABLE', 'coupon');
    expect(to('team-month-usd', 'SPRING-20', started).decision.kind).toBe('accepted');
    const large: BillingEvent = { type: 'SubscriptionStarted', data: team };
    expect(to(price, 'ONCE-1', large).decision.kind).toBe('accepted');
    const down = { plan: 'developer', price, at: end };
    const planned: BillingEvent = { type: 'PlanChangeScheduled', data: { changeId: null, ...down } };
    to('team-month-usd', 'SPRING-20', large, planned).thenRefused('COUPON_NOT_APPLICABLE', 'coupon');
  });

  it('is recorded as Stripe has it, once, and again when it ends', () => {
    const discount = {
      id: 'di_1',
      coupon: 'SPRING-20',
      name: 'Spring',
      percentOff: 20,
      amountOff: null,
      currency: null,
      endsAt: end,
    };
    const changed = (discounts: (typeof discount)[]): BillingEvent => ({
      type: 'DiscountsChanged',
      data: { subscription: 'sub_1', discounts },
    });
    record([started], snapshot({ discounts: [discount] })).then(changed([discount]));
    record([started, changed([discount])], snapshot({ discounts: [{ ...discount }] })).then();
    record([started, changed([discount])], snapshot({ discounts: [] })).then(changed([]));
    record([started, changed([discount])], snapshot()).then();
  });
});

it('gives back only what was ended at once', () => {
  const ended = (subscription: string, reason: string): BillingEvent => ({
    type: 'PaidSubscriptionEnded',
    data: { subscription, plan: 'developer', reason, endedAt: end },
  });
  const duplicate: BillingEvent = {
    type: 'DuplicateSubscriptionEnded',
    data: { subscription: 'sub_3', plan: 'developer', currency: 'usd', refunded: 2900 },
  };
  const events = [ended('sub_1', 'cancellation_requested'), ended('sub_2', 'trial_used'), duplicate];
  const { over, refused } = stateAfter(events);
  expect([[...over], [...refused]]).toEqual([
    ['sub_1', 'sub_2', 'sub_3'],
    ['sub_2', 'sub_3'],
  ]);
});

it('closes a page that was opened for a price that was withdrawn meanwhile', () => {
  const price = 'agreed_1';
  const own = { price, plan: 'team', interval: 'month', amount: 100, currency: 'usd' } as const;
  const events: BillingEvent[] = [
    { type: 'PriceAgreed', data: { ...own, by } },
    { type: 'CheckoutRequested', data: { ...own, checkoutId: 'c1', profileVersion: 3, trialDays: null, by } },
    { type: 'AgreedPriceWithdrawn', data: { price, checkoutId: null, by } },
    { type: 'CheckoutOpened', data: { checkoutId: 'c1', session: 'cs_1', expiresAt: end } },
  ];
  const { checkout, replaced } = stateAfter(events);
  expect(checkout).toBeUndefined();
  expect(replaced).toMatchObject([{ id: 'c1', session: 'cs_1' }]);
});

describe('a pause', () => {
  const pause = { type: 'RequestPause', requestId: 'r1', by } as const;
  const requested: BillingEvent = { type: 'PauseRequested', data: { requestId: 'r1', by } };
  const pausedAt = (at: string): BillingEvent => ({
    type: 'SubscriptionPaused',
    data: { subscription: 'sub_1', plan: 'developer', at },
  });
  const paused = pausedAt(half);
  const atStripe = snapshot({ status: 'paused', pausedAt: half });
  const next = { periodStart: end, periodEnd: '2027-03-28T12:00:00.000Z' };
  const resumed: BillingEvent = { type: 'SubscriptionResumed', data: terms(next) };

  it('is asked for, confirmed, and ended with a new period', () => {
    after(started).when(pause).then(requested);
    record([started, requested], atStripe).then(paused);
    record([started, requested, paused], atStripe).then();
    after(started, requested, paused)
      .when({ type: 'RequestResumption', requestId: 'r2', by })
      .then({ type: 'ResumptionRequested', data: { requestId: 'r2', by } });
    record([started, requested, paused], snapshot(next)).then(resumed);
    // Where its charge has failed it is overdue from then on.
    const late: BillingEvent = {
      type: 'PaymentOverdue',
      data: { plan: 'developer', since: end, graceEndsAt: '2027-03-14T12:00:00.000Z' },
    };
    record([started, requested, paused], snapshot({ ...next, status: 'past_due' })).then(resumed, late);
  });

  it('begins periods of use of its own where Stripe goes on with the period from before', () => {
    const at = '2027-02-20T09:00:00.000Z';
    record([started, paused], snapshot()).then({
      type: 'SubscriptionResumed',
      data: { ...terms(), billedFrom: at },
    });
    // Never before the pause, whatever the clock says.
    record([started, pausedAt('2027-02-25T12:00:00.000Z')], snapshot()).then({
      type: 'SubscriptionResumed',
      data: { ...terms(), billedFrom: '2027-02-25T12:00:00.000Z' },
    });
  });

  it('is told with what was not heard before it, and what was changed in it', () => {
    const renewed: BillingEvent = { type: 'PeriodRenewed', data: terms(next) };
    const later = '2027-03-10T12:00:00.000Z';
    record([started], snapshot({ ...next, status: 'paused', pausedAt: later })).then(
      renewed,
      pausedAt(later),
    );
    // Somebody has changed it in the dashboard meanwhile: the new plan is paused as well.
    record([started, paused], { ...atStripe, ...team }).then(
      { type: 'PlanChanged', data: { ...team, from: 'developer', changeId: null } },
      { type: 'SubscriptionPaused', data: { subscription: 'sub_1', plan: 'team', at: half } },
    );
    // It was resumed and paused again: nobody has heard of either.
    record([started, paused], snapshot({ ...next, status: 'paused', pausedAt: later })).then(
      resumed,
      pausedAt(later),
    );
  });

  it('is no trial that has ended without a card, and none that runs', () => {
    const trial: BillingEvent = { type: 'TrialStarted', data: { ...terms(), trialEndsAt: half } };
    const suspended: BillingEvent = {
      type: 'AccessSuspended',
      data: { plan: 'developer', reason: 'trial_without_card' },
    };
    record([trial], snapshot({ status: 'paused', trialEndsAt: half })).then(suspended);
    // The end of the trial was not heard.
    const over = { trialEndsAt: start, status: 'paused', pausedAt: half } as const;
    record([trial], snapshot(over)).then({ type: 'TrialConverted', data: terms() }, paused);
  });

  it('is refused where there is nothing to pause, and changes nothing meanwhile', () => {
    const trial: BillingEvent = { type: 'TrialStarted', data: { ...terms(), trialEndsAt: end } };
    after().when(pause).thenRefused('NO_SUBSCRIPTION');
    after(trial).when(pause).thenRefused('TRIAL_RUNNING');
    after(started, overdue).when(pause).thenRefused('PAYMENT_OVERDUE');
    after(started, { type: 'CancellationScheduled', data: { at: end } })
      .when(pause)
      .thenRefused('CANCELLATION_SCHEDULED');
    const change: BillingEvent = { type: 'PlanChangeScheduled', data: { changeId: null, ...scheduled } };
    after(started, change).when(pause).thenRefused('CHANGE_SCHEDULED');
    after(started, paused).when(pause).thenRefused('SUBSCRIPTION_PAUSED');
    after(started, requested).when(pause).thenRefused('CHANGE_PENDING');
    const to = { type: 'RequestPlanChange', changeId: 'p1', offers, plans, prorationAt: half, by } as const;
    after(started, paused)
      .when({ ...to, price: 'team-month-usd' })
      .thenRefused('SUBSCRIPTION_PAUSED');
    after(started, paused)
      .when({
        type: 'RequestCheckout',
        checkoutId: 'c1',
        price: 'team-month-usd',
        profileVersion: 1,
        offers,
        plans,
        by,
      })
      .thenRefused('SUBSCRIPTION_PAUSED');
    const cancel = { type: 'RequestCancellation', requestId: 'r3', by } as const;
    after(started, paused)
      .when({ ...cancel, when: 'period_end' })
      .thenRefused('SUBSCRIPTION_PAUSED');
    after(started, paused)
      .when({ ...cancel, when: 'now' })
      .then({ type: 'CancellationRequested', data: { requestId: 'r3', when: 'now', by } });
    // Time alone makes nothing due.
    after(started, paused).when({ type: 'FollowTime', now: '2028-01-01T00:00:00.000Z' }).then();
  });
});

describe('a price that is agreed with one account', () => {
  const terms: AgreedPrice = {
    price: 'enterprise-month-usd-1',
    plan: 'enterprise',
    interval: 'month',
    amount: 49_000,
    currency: 'usd',
  };
  const agree = { type: 'AgreePrice', ...terms, offers, plans, by: 'operator:1' } as const;
  const is = (over: Partial<AgreedPrice> = {}): BillingEvent => ({
    type: 'PriceAgreed',
    data: { ...terms, ...over, by: 'operator:1' },
  });
  const withdraw = { type: 'WithdrawPrice', price: terms.price, by: 'operator:1' } as const;
  const withdrawn = (checkoutId: string | null = null): BillingEvent => ({
    type: 'AgreedPriceWithdrawn',
    data: { price: terms.price, checkoutId, by: 'operator:1' },
  });
  const asked: BillingEvent = { type: 'CustomerRequested', data: { by } };
  const checkout = {
    type: 'RequestCheckout',
    checkoutId: 'c1',
    offers,
    plans,
    profileVersion: 3,
    by,
  } as const;
  const requested: BillingEvent = {
    type: 'CheckoutRequested',
    data: { checkoutId: 'c1', ...terms, profileVersion: 3, trialDays: null, by },
  };
  const opened: BillingEvent = {
    type: 'CheckoutOpened',
    data: { checkoutId: 'c1', session: 'cs_1', expiresAt: end },
  };

  it('is of a plan of the profile, in a currency of its own, and can be charged', () => {
    after().when(agree).then(is());
    after(is()).when(agree).then();
    after()
      .when({ ...agree, plans: ['free'] })
      .thenRefused('PLAN_UNKNOWN', 'planId');
    after()
      .when({ ...agree, currency: 'gbp' })
      .thenRefused('INVALID_INPUT', 'currency');
    after()
      .when({ ...agree, amount: 0 })
      .thenRefused('INVALID_INPUT', 'minorUnits');
    // Where nothing is sold yet, any currency is as good.
    const first = { currency: 'gbp' };
    after()
      .when({ ...agree, ...first, offers: [] })
      .then(is(first));
  });

  it('is one of ten at most, of those that are not withdrawn', () => {
    const ten = Array.from({ length: 10 }, (_, n) => is({ price: `enterprise-${n}` }));
    after(...ten)
      .when(agree)
      .thenRefused('INVALID_INPUT');
    const gone: BillingEvent = {
      type: 'AgreedPriceWithdrawn',
      data: { price: 'enterprise-3', checkoutId: null, by },
    };
    after(...ten, gone)
      .when(agree)
      .then(is());
  });

  it('is bought without a trial, until it is withdrawn or its plan is gone', () => {
    const buy = { ...checkout, price: terms.price };
    after(asked, is()).when(buy).then(requested);
    after(asked).when(buy).thenRefused('PRICE_UNKNOWN', 'priceId');
    after(asked, is(), withdrawn()).when(buy).thenRefused('PRICE_UNKNOWN', 'priceId');
    after(asked, is())
      .when({ ...buy, plans: ['free', 'developer', 'team'] })
      .thenRefused('PRICE_UNKNOWN', 'priceId');
  });

  it('is withdrawn once, with the page that is open for it', () => {
    after().when(withdraw).thenRefused('NOT_FOUND', 'priceId');
    after(is()).when(withdraw).then(withdrawn());
    after(is(), withdrawn()).when(withdraw).thenRefused('NOT_FOUND', 'priceId');
    after(asked, is(), requested, opened).when(withdraw).then(withdrawn('c1'));
    const { checkout: open, replaced } = [asked, is(), requested, opened, withdrawn('c1')].reduce(
      (state, event) => billingDecider.evolve(state, event),
      billingDecider.initial,
    );
    expect([open, replaced.map(({ id }) => id)]).toEqual([undefined, ['c1']]);
  });

  it('is ranked by its plan, also where only those have it who pay it', () => {
    const pays: BillingEvent = {
      type: 'SubscriptionStarted',
      data: { ...terms, subscription: 'sub_1', periodStart: start, periodEnd: end },
    };
    const change = { type: 'RequestPlanChange', changeId: 'p1', offers, plans, by } as const;
    const whenOf = (price: string, ...events: BillingEvent[]): unknown => {
      const { decision } = after(...events).when({ ...change, prorationAt: start, price });
      if (decision.kind === 'refused') return decision.refusal.code;
      return (decision.events[0]?.data as { when: string }).when;
    };
    expect(whenOf(terms.price, is(), { type: 'SubscriptionStarted', data: team })).toBe('now');
    expect(whenOf('team-month-usd', is(), withdrawn(), pays)).toBe('period_end');
    // A lower one for the same waits, a higher one does not.
    const lower = { price: 'enterprise-2', amount: 30_000 };
    expect(whenOf(lower.price, is(), is(lower), pays)).toBe('period_end');
    const higher = { ...lower, amount: 60_000 };
    expect(whenOf(lower.price, is(), is(higher), pays)).toBe('now');
    // What is to come instead can be taken back.
    const down = { plan: 'team', price: 'team-month-usd', at: end };
    const toCome: BillingEvent = { type: 'PlanChangeScheduled', data: { changeId: null, ...down } };
    expect(whenOf(terms.price, is(), withdrawn(), pays, toCome)).toBe('now');
    expect(whenOf(terms.price, is(), withdrawn(), started)).toBe('PRICE_UNKNOWN');
  });
});

describe('a change of plan', () => {
  const prorationAt = '2027-02-10T12:00:00.000Z';
  const request = { type: 'RequestPlanChange', changeId: 'p1', offers, plans, prorationAt, by } as const;
  const to = (price: string, ...events: BillingEvent[]) => after(...events).when({ ...request, price });
  const whenOf = (price: string, ...events: BillingEvent[]): unknown => {
    const { decision } = to(price, ...events);
    if (decision.kind === 'refused') return decision.refusal.code;
    return (decision.events[0]?.data as { when: string }).when;
  };

  it('is taken back by the id under which the price is shown that is paid, whatever it costs by now', () => {
    const down: BillingEvent = {
      type: 'PlanChangeScheduled',
      data: { changeId: null, plan: 'free', price: 'free-month-usd', at: end },
    };
    const shown = (over: Partial<Terms>, sold = offers): string =>
      paidPriceId(terms(over), { offers: sold, plans });
    // At what is offered it is one and the same; else both have ids of their own.
    expect(shown({})).toBe('developer-month-usd');
    expect(shown({ amount: 1900 })).toBe('developer-month-usd-1900');
    expect(shown({ price: 'developer-month-usd-5f2b1c1e9a3d4c7b', amount: 1900 })).toBe(
      'developer-month-usd-5f2b1c1e9a3d4c7b',
    );
    for (const sold of [offers, offers.slice(1)]) {
      const old: BillingEvent = { type: 'SubscriptionStarted', data: terms({ amount: 1900 }) };
      const change = { ...request, offers: sold, price: 'developer-month-usd-1900' };
      after(old, down)
        .when(change)
        .then({
          type: 'PlanChangeRequested',
          data: {
            changeId: 'p1',
            from: 'developer',
            plan: 'developer',
            price: 'developer-month-usd',
            when: 'now',
            prorationAt,
            by,
          },
        });
      after(old).when(change).thenRefused('PLAN_UNCHANGED', 'priceId');
      // It is no price for anybody else.
      after({ type: 'SubscriptionStarted', data: team }).when(change).thenRefused('PRICE_UNKNOWN', 'priceId');
    }
  });

  it('to more begins now, to less when the period is over', () => {
    expect(whenOf('team-month-usd', started)).toBe('now');
    expect(whenOf('developer-year-usd', started)).toBe('now');
    expect(whenOf('developer-month-usd', { type: 'SubscriptionStarted', data: team })).toBe('period_end');
    const yearly = terms({ price: 'developer-year-usd', interval: 'year', amount: 29_000 });
    expect(whenOf('developer-month-usd', { type: 'SubscriptionStarted', data: yearly })).toBe('period_end');
    expect(whenOf('team-month-usd', { type: 'SubscriptionStarted', data: yearly })).toBe('now');
  });

  it('is refused with what to do instead', () => {
    to('team-month-usd').thenRefused('NO_SUBSCRIPTION');
    to('gold', started).thenRefused('PRICE_UNKNOWN', 'priceId');
    to('developer-month-usd', started).thenRefused('PLAN_UNCHANGED', 'priceId');
    to('team-month-eur', started).thenRefused('CURRENCY_MISMATCH', 'priceId');
    to('team-month-usd', started, overdue).thenRefused('PAYMENT_OVERDUE');
    const cancelled: BillingEvent = { type: 'CancellationScheduled', data: { at: end } };
    to('team-month-usd', started, cancelled).thenRefused('CANCELLATION_SCHEDULED');
    const again: BillingEvent = { type: 'PlanChangeScheduled', data: { changeId: null, ...scheduled } };
    to('team-month-usd', started, again).thenRefused('CHANGE_SCHEDULED', 'priceId');
    const { decision } = to('team-month-usd', started);
    if (decision.kind === 'refused') throw new Error('refused');
    to('developer-year-usd', started, ...decision.events).thenRefused('CHANGE_PENDING');
  });

  it('that Stripe refuses is over, and another can be asked for', () => {
    const { decision } = to('team-month-usd', started);
    if (decision.kind === 'refused') throw new Error('refused');
    const failed = { requestId: 'p1', code: 'card_declined', message: 'Declined.' };
    after(started, ...decision.events)
      .when({ type: 'FailRequest', ...failed })
      .then({ type: 'BillingRequestFailed', data: failed });
    const over: BillingEvent = { type: 'BillingRequestFailed', data: failed };
    expect(whenOf('team-month-usd', started, ...decision.events, over)).toBe('now');
    after(started, ...decision.events, over)
      .when({ type: 'FailRequest', ...failed })
      .then();
  });
});

describe('an end', () => {
  const request = { requestId: 'r1', by } as const;
  it('can be asked for once, and taken back', () => {
    const cancel = { type: 'RequestCancellation', when: 'period_end', ...request } as const;
    after().when(cancel).thenRefused('NO_SUBSCRIPTION');
    after(started)
      .when(cancel)
      .then({ type: 'CancellationRequested', data: { requestId: 'r1', when: 'period_end', by } });
    const cancelled: BillingEvent = { type: 'CancellationScheduled', data: { at: end } };
    after(started, cancelled).when(cancel).thenRefused('ALREADY_CANCELLED');
    after(started, cancelled)
      .when({ ...cancel, when: 'now' })
      .then({ type: 'CancellationRequested', data: { requestId: 'r1', when: 'now', by } });
    // At once it goes before whatever else was asked, but is not asked for twice.
    const asked = (when: 'now' | 'period_end'): BillingEvent => ({
      type: 'CancellationRequested',
      data: { requestId: 'r0', when, by },
    });
    const now = { ...cancel, when: 'now' } as const;
    after(started, asked('period_end'))
      .when(now)
      .then({ type: 'CancellationRequested', data: { requestId: 'r1', when: 'now', by } });
    after(started, asked('now')).when(now).thenRefused('CHANGE_PENDING');
    const resume = { type: 'RequestResumption', ...request } as const;
    after(started).when(resume).thenRefused('NOT_CANCELLED');
    after(started, cancelled)
      .when(resume)
      .then({ type: 'ResumptionRequested', data: { requestId: 'r1', by } });
  });
});

describe('what Stripe says', () => {
  it('is recorded once: again it changes nothing', () => {
    record([], snapshot()).then(started);
    record([started], snapshot()).then();
  });

  it('is not recorded where something has happened since Stripe was asked', () => {
    after(started)
      .when({ type: 'RecordSubscriptions', snapshots: [], asOf: 0, graceDays: 14, at: start })
      .thenRefused(STALE);
  });

  it('starts trials, converts them, and renews periods', () => {
    const trial = snapshot({ status: 'trialing', trialEndsAt: end });
    const trialing: BillingEvent = { type: 'TrialStarted', data: { ...terms(), trialEndsAt: end } };
    record([], trial).then(trialing);
    const next = { periodStart: end, periodEnd: '2027-03-31T12:00:00.000Z' };
    const converted = snapshot({ ...next, trialEndsAt: end });
    record([trialing], converted).then({ type: 'TrialConverted', data: terms(next) });
    record([started], snapshot(next)).then({ type: 'PeriodRenewed', data: terms(next) });
  });

  it('grants nothing before it is active, and says what never became so', () => {
    record([], snapshot({ status: 'incomplete' })).then();
    const failed: BillingEvent = { type: 'ActivationFailed', data: { subscription: 'sub_1' } };
    record([], snapshot({ status: 'incomplete_expired' })).then(failed);
    record([failed], snapshot({ status: 'incomplete_expired' })).then();
  });

  it('follows the subscription that is paid for whatever its price is, and no other to something else', () => {
    const unnamed = { plan: null, price: null, amount: 7900 };
    record([], snapshot(unnamed)).then();
    const moved: BillingEvent = {
      type: 'PlanChanged',
      data: { ...terms({ amount: 7900 }), from: 'developer', changeId: null },
    };
    const beside = snapshot({ ...unnamed, subscription: 'sub_other' });
    record([started], beside, snapshot(unnamed)).then(moved);
    expect(duplicatesOf(stateAfter([started]), [beside, snapshot(unnamed)])).toEqual([]);
    const reason = 'cancellation_requested';
    record([started, moved], beside, snapshot({ ...unnamed, status: 'canceled', endedAt: end })).then({
      type: 'PaidSubscriptionEnded',
      data: { subscription: 'sub_1', plan: 'developer', reason, endedAt: end },
    });
  });

  it('changes the plan, with the change that was asked for', () => {
    const asked: BillingEvent = {
      type: 'PlanChangeRequested',
      data: {
        changeId: 'p1',
        from: 'developer',
        plan: 'team',
        price: team.price,
        when: 'now',
        prorationAt: start,
        by,
      },
    };
    const changed: BillingEvent = {
      type: 'PlanChanged',
      data: { ...team, from: 'developer', changeId: 'p1' },
    };
    record([started, asked], snapshot(team)).then(changed);
    record([started, asked, changed], snapshot(team)).then();
    // Somebody has changed it in Stripe's dashboard.
    record([started], snapshot(team)).then({ ...changed, data: { ...changed.data, changeId: null } });
  });

  it('is late in paying, and paid after all', () => {
    record([started], snapshot({ status: 'past_due' })).then(overdue);
    record([started, overdue], snapshot({ status: 'past_due' })).then();
    const suspended: BillingEvent = {
      type: 'AccessSuspended',
      data: { plan: 'developer', reason: 'grace_over' },
    };
    const graceEndsAt = '2027-02-14T12:00:00.000Z';
    const ending: BillingEvent = { type: 'GraceEnding', data: { plan: 'developer', graceEndsAt } };
    const at = (now: string, ...told: BillingEvent[]) =>
      after(started, overdue, ...told).when({ type: 'FollowTime', now });
    at('2027-02-11T11:59:59.999Z').then();
    at('2027-02-11T12:00:00.000Z').then(ending);
    at('2027-02-14T11:59:59.999Z', ending).then();
    at(graceEndsAt, ending).then(suspended);
    // Nobody has looked for days: what is over needs no notice.
    at(graceEndsAt).then(suspended);
    at('2027-03-01T00:00:00.000Z', ending, suspended).then();
    const { plan } = terms();
    record([started, overdue, suspended], snapshot()).then(
      { type: 'PaymentRecovered', data: { plan } },
      { type: 'AccessRestored', data: { plan } },
    );
    record([started], snapshot({ status: 'unpaid' })).then({
      type: 'AccessSuspended',
      data: { plan, reason: 'unpaid' },
    });
  });

  it('is told once that its trial ends, and whether anything is paid then', () => {
    const trial: BillingEvent = { type: 'TrialStarted', data: { ...terms(), trialEndsAt: end } };
    const cancelled: BillingEvent = { type: 'CancellationScheduled', data: { at: end } };
    const ending = (isCancelled: boolean): BillingEvent => ({
      type: 'TrialEnding',
      data: { plan: 'developer', trialEndsAt: end, cancelled: isCancelled },
    });
    const at = (now: string, ...events: BillingEvent[]) =>
      after(trial, ...events).when({ type: 'FollowTime', now });
    at('2027-02-25T11:59:59.999Z').then();
    at('2027-02-25T12:00:00.000Z').then(ending(false));
    at('2027-02-25T12:00:00.000Z', cancelled).then(ending(true));
    at('2027-02-27T12:00:00.000Z', ending(false)).then();
    at('2027-02-27T12:00:00.000Z', { type: 'TrialConverted', data: terms() }).then();
    // What fails after the trial is told anew.
    at('2027-02-12T12:00:00.000Z', ending(false), { type: 'TrialConverted', data: terms() }, overdue).then({
      type: 'GraceEnding',
      data: { plan: 'developer', graceEndsAt: '2027-02-14T12:00:00.000Z' },
    });
  });

  it('stays where a change that was to come is taken back', () => {
    const { plan } = team;
    const paysTeam: BillingEvent = { type: 'SubscriptionStarted', data: team };
    const down = { plan: 'developer', price: 'developer-month-usd', at: end };
    const toCome: BillingEvent = { type: 'PlanChangeScheduled', data: { changeId: null, ...down } };
    const prorationAt = '2027-02-10T12:00:00.000Z';
    const stay: BillingEvent = {
      type: 'PlanChangeRequested',
      data: { changeId: 'p2', from: plan, plan, price: team.price, when: 'now', prorationAt, by },
    };
    after(paysTeam, toCome)
      .when({ type: 'RequestPlanChange', changeId: 'p2', price: team.price, offers, plans, prorationAt, by })
      .then(stay);
    const answered: BillingEvent = {
      type: 'PlanChangeUnscheduled',
      data: { price: down.price, changeId: 'p2' },
    };
    record([paysTeam, toCome, stay], snapshot(team)).then(answered);
    after(paysTeam, toCome, stay, answered)
      .when({ type: 'RequestCancellation', requestId: 'r1', when: 'period_end', by })
      .then({ type: 'CancellationRequested', data: { requestId: 'r1', when: 'period_end', by } });
    // The portal has taken it back: nobody has asked here.
    record([paysTeam, toCome], snapshot(team)).then({
      type: 'PlanChangeUnscheduled',
      data: { price: down.price },
    });
  });

  it('is to end, is not to end, and ends; the next one is another', () => {
    const cancelled: BillingEvent = { type: 'CancellationScheduled', data: { at: end } };
    record([started], snapshot({ cancelsAt: end })).then(cancelled);
    record([started, cancelled], snapshot()).then({
      type: 'CancellationRevoked',
      data: { plan: 'developer' },
    });
    const over = snapshot({ status: 'canceled', endedAt: end, endReason: 'payment_failed' });
    const ended: BillingEvent = {
      type: 'PaidSubscriptionEnded',
      data: { subscription: 'sub_1', plan: 'developer', reason: 'payment_failed', endedAt: end },
    };
    record([started], over).then(ended);
    record([started, ended], over).then();
    const second = snapshot({ subscription: 'sub_2', createdAt: end });
    record([started], second, over).then(ended, {
      type: 'SubscriptionStarted',
      data: terms({ subscription: 'sub_2' }),
    });
    // While the first lives, another one grants nothing.
    record([started], second, snapshot()).then();
  });
});
