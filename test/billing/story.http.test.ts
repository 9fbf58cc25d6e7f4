import {
  CancelSubscriptionDocument,
  ChangePlanDocument,
  InvoiceDocument,
  InvoicesDocument,
  PlanChangePreviewDocument,
  ResumeSubscriptionDocument,
  StartCheckoutDocument,
  SubscriptionDocument,
} from '../generated/graphql.js';
import { allEvents } from '../crash/facts.js';
import type { Shop } from './shop.js';
import { openShop } from './shop.js';

let shop: Shop;
let user: { token: string; accountId: string };
beforeAll(async () => {
  shop = await openShop('2027-01-17T12:00:00Z');
  user = await shop.test.register();
}, 60_000);
afterAll(() => shop.close());

const moneyText = ({ minorUnits, currency }: { minorUnits: unknown; currency: unknown }): string =>
  `${String(minorUnits)} ${String(currency)}`;

/** What has happened since the last look. */
let seen = 0;
async function news(): Promise<string[]> {
  const all = await shop.happened(user.accountId);
  const fresh = all.slice(seen);
  seen = all.length;
  return fresh;
}
let billed = 0;
async function bills(): Promise<string[][]> {
  const all = await shop.invoices(user.accountId);
  const fresh = all.slice(billed);
  billed = all.length;
  return fresh;
}

async function now(): Promise<Record<string, unknown>> {
  const { data } = await shop.test.query(SubscriptionDocument, {}, user.token);
  const { plan, subscription } = data?.account ?? {};
  return {
    plan: plan?.id,
    ...(subscription && {
      status: subscription.status,
      pays: moneyText(subscription.price.amount),
      until: subscription.period.to,
      ...(subscription.cancelsAt !== null && { cancelsAt: subscription.cancelsAt }),
      ...(subscription.graceEndsAt !== null && { graceEndsAt: subscription.graceEndsAt }),
      ...(subscription.pendingChange && { next: subscription.pendingChange.plan.id }),
    }),
  };
}

async function checkout(priceId: string): Promise<string> {
  const { data } = await shop.test.query(StartCheckoutDocument, { input: { priceId } }, user.token);
  const result = data?.startCheckout;
  if (result?.__typename !== 'StartCheckoutPayload' || result.url == null) {
    throw new Error(`startCheckout answered ${JSON.stringify(result)}`);
  }
  return result.url;
}

async function changeTo(priceId: string): Promise<unknown> {
  const { data } = await shop.test.query(ChangePlanDocument, { input: { priceId } }, user.token);
  return data?.changePlan;
}

// Each part goes on where the one before has ended: the story of one account.
describe('an account', () => {
  it('opens a checkout, which changes nothing until it is paid', async () => {
    const url = await checkout('developer-month-usd');
    expect(await now()).toEqual({ plan: 'free' });
    expect(await news()).toEqual([
      'CustomerRequested',
      'CheckoutRequested',
      'CustomerCreated',
      'CheckoutOpened',
    ]);
    // A card that is declined starts nothing.
    expect((await shop.pay(url, '4000 0000 0000 0002')).status).toBe(402);
    await shop.settled();
    expect(await now()).toEqual({ plan: 'free' });
    expect((await shop.pay(url)).status).toBe(303);
    await shop.settled();
  });

  it('tries the plan for 14 days, at its limits', async () => {
    expect((await news()).sort()).toEqual(['CheckoutEnded', 'TrialStarted']);
    expect(await now()).toEqual({
      plan: 'developer',
      status: 'TRIALING',
      pays: '2900 USD',
      until: '2027-01-31T12:00:00.000Z',
    });
    expect(await bills()).toEqual([['Free trial for 1 × Developer: 0.00 USD', 'total 0.00 USD']]);
    await shop.advance('2027-01-31T13:30:00Z');
    expect(await news()).toEqual(['TrialConverted']);
    expect(await now()).toEqual({
      plan: 'developer',
      status: 'ACTIVE',
      pays: '2900 USD',
      until: '2027-02-28T12:00:00.000Z',
    });
    expect(await bills()).toEqual([['1 × Developer (at $29.00 / month): 29.00 USD', 'total 29.00 USD']]);
  });

  it('upgrades in mid-period, at the price that the preview has said', async () => {
    await shop.advance('2027-02-20T12:00:00Z');
    const { data } = await shop.test.query(
      PlanChangePreviewDocument,
      { priceId: 'team-month-usd' },
      user.token,
    );
    expect(data?.account?.planChangePreview).toMatchObject({
      effectiveAt: '2027-02-20T12:00:00.000Z',
      due: { minorUnits: '4857', exponent: 2, currency: 'USD' },
    });
    expect(await changeTo('team-month-usd')).toMatchObject({
      __typename: 'SubscriptionPayload',
      subscription: { plan: { id: 'team' }, status: 'ACTIVE', pendingChange: null },
    });
    await shop.settled();
    expect(await news()).toEqual(['PlanChangeRequested', 'PlanChanged']);
    // 8 of 28 days are left.
    expect(await bills()).toEqual([
      [
        'Unused time on Developer after 20 Feb 2027: −8.29 USD',
        'Remaining time on Team after 20 Feb 2027: 56.86 USD',
        'total 48.57 USD',
      ],
    ]);
    expect(await changeTo('team-month-usd')).toMatchObject({ code: 'PLAN_UNCHANGED' });
  });

  it('renews on the last day of a shorter month', async () => {
    await shop.advance('2027-02-28T14:00:00Z');
    expect(await news()).toEqual(['PeriodRenewed']);
    expect(await bills()).toEqual([['1 × Team (at $199.00 / month): 199.00 USD', 'total 199.00 USD']]);
    expect(await now()).toEqual({
      plan: 'team',
      status: 'ACTIVE',
      pays: '19900 USD',
      until: '2027-03-31T12:00:00.000Z',
    });
  });

  it('keeps its plan while a payment is late, and is well again once it is paid', async () => {
    shop.sandbox.faults.declineCharges();
    await shop.advance('2027-03-31T14:00:00Z');
    expect(await news()).toEqual(['PeriodRenewed', 'PaymentOverdue']);
    expect(await now()).toEqual({
      plan: 'team',
      status: 'PAST_DUE',
      pays: '19900 USD',
      until: '2027-04-30T12:00:00.000Z',
      graceEndsAt: '2027-04-14T12:00:00.000Z',
    });
    expect(await changeTo('developer-month-usd')).toMatchObject({
      __typename: 'PaymentRequired',
      code: 'PAYMENT_OVERDUE',
    });
    await shop.advance('2027-04-05T00:00:00Z');
    expect(await news()).toEqual(['PaymentRecovered']);
    expect(await now()).toMatchObject({ plan: 'team', status: 'ACTIVE' });
    expect(await bills()).toEqual([['1 × Team (at $199.00 / month): 199.00 USD', 'total 199.00 USD']]);
  });

  it('cancels, resumes, cancels again, and is on the free plan when the period is over', async () => {
    const cancel = () => shop.test.query(CancelSubscriptionDocument, { input: {} }, user.token);
    const cancelled = (await cancel()).data?.cancelSubscription;
    expect(cancelled).toMatchObject({ subscription: { cancelsAt: '2027-04-30T12:00:00.000Z' } });
    expect((await cancel()).data?.cancelSubscription).toMatchObject({ code: 'ALREADY_CANCELLED' });
    const { data } = await shop.test.query(ResumeSubscriptionDocument, { input: {} }, user.token);
    expect(data?.resumeSubscription).toMatchObject({ subscription: { cancelsAt: null } });
    await cancel();
    expect(await now()).toMatchObject({ plan: 'team', cancelsAt: '2027-04-30T12:00:00.000Z' });
    await shop.advance('2027-04-30T14:00:00Z');
    expect(await now()).toEqual({ plan: 'free' });
    expect(await news()).toEqual([
      'CancellationRequested',
      'CancellationScheduled',
      'ResumptionRequested',
      'CancellationRevoked',
      'CancellationRequested',
      'CancellationScheduled',
      'PaidSubscriptionEnded',
    ]);
    expect(await bills()).toEqual([]);
  });

  it('reads its invoices, each line with the events that it comes from', async () => {
    const { data } = await shop.test.query(InvoicesDocument, { first: 3 }, user.token);
    const list = data?.account?.invoices;
    expect(list?.nodes.map(({ status, total }) => [status, total.minorUnits])).toEqual([
      ['PAID', '19900'],
      ['PAID', '19900'],
      ['PAID', '4857'],
    ]);
    const [, , upgrade] = list?.nodes ?? [];
    expect(upgrade?.number).toMatch(/^[A-Z0-9]{3,12}-0003$/);
    expect(upgrade?.lines.map(({ kind, total }) => [kind, total.minorUnits])).toEqual([
      ['PRORATION', '-829'],
      ['PRORATION', '5686'],
    ]);
    const all = await allEvents(shop.test.app.parts.store);
    const cited = upgrade?.lines
      .flatMap(({ eventIds }) => eventIds)
      .map((id) => all.find((e) => e.id === id)?.type);
    expect(cited).toEqual(['TrialConverted', 'PlanChanged']);
    const next = { first: 3, after: list?.pageInfo.endCursor ?? null };
    const older = (await shop.test.query(InvoicesDocument, next, user.token)).data?.account?.invoices;
    expect(older?.nodes.map(({ total }) => total.minorUnits)).toEqual(['2900', '0']);
    expect(older?.pageInfo.hasNextPage).toBe(false);
    // Of another account there is nothing to see.
    const stranger = await shop.test.register();
    const id = upgrade?.id ?? '';
    const looked = async (token: string) =>
      (await shop.test.query(InvoiceDocument, { id }, token)).data?.invoice?.id ?? null;
    expect([await looked(user.token), await looked(stranger.token)]).toEqual([id, null]);
  });

  it('subscribes again, this time without a trial', async () => {
    expect((await shop.pay(await checkout('developer-year-usd'))).status).toBe(303);
    await shop.settled();
    // Whether the page or the subscription is seen first is chance.
    expect((await news()).sort()).toEqual([
      'CheckoutEnded',
      'CheckoutOpened',
      'CheckoutRequested',
      'SubscriptionStarted',
    ]);
    expect(await bills()).toEqual([['1 × Developer (at $290.00 / year): 290.00 USD', 'total 290.00 USD']]);
    expect(await now()).toMatchObject({ plan: 'developer', until: '2028-04-30T14:00:00.000Z' });
  });
});
