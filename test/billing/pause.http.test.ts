import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Stripe from 'stripe';
import type { BillingEvent } from '../../src/billing/events.js';
import { as } from '../../src/eventsourcing/event.js';
import { subscriptionStream } from '../../src/plans/events.js';
import {
  CancelSubscriptionDocument,
  InvoiceDifferencesDocument,
  OperatorRevenueDocument,
  RecordUsageDocument,
} from '../generated/graphql.js';
import type { Shop } from './shop.js';
import { openShop } from './shop.js';
import { Subscriber } from './subscriber.js';

let root: string;
let shop: Shop;
let stripe: Stripe;
let user: Subscriber;
/** Of an operator. */
let backEnd: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tollgraph-pause-'));
  await mkdir(join(root, 'profiles'));
  await copyFile(join('test', 'billing', 'plans.yaml'), join(root, 'profiles', 'example.yaml'));
  shop = await openShop('2027-02-01T12:00:00Z', { root, env: { PROFILE: 'example' } });
  stripe = new Stripe(shop.sandbox.apiKey, { ...shop.sandbox.client });
  user = await Subscriber.register(shop);
  const operator = await shop.test.customer('free');
  await shop.test.makeOperator(operator);
  backEnd = (await shop.test.issueKey(operator.token, 'LIVE', ['ADMIN'])).secret;
}, 60_000);
afterAll(async () => {
  await shop.close();
  await rm(root, { recursive: true, force: true });
});

const month = '1 × Starter (at $29.00 / month): 29.00 USD';

async function mrr(): Promise<unknown> {
  const { data } = await shop.test.query(OperatorRevenueDocument, {}, backEnd);
  const [usd] = data?.operator?.revenue ?? [];
  const { churn, reactivation } = usd?.movements ?? {};
  return [usd?.mrr.minorUnits, churn?.minorUnits, reactivation?.minorUnits];
}

async function use(quantity: number): Promise<void> {
  const one = { useId: crypto.randomUUID(), accountId: user.accountId, meter: 'calls', quantity };
  const { data } = await shop.test.query(RecordUsageDocument, { input: { uses: [one] } }, backEnd);
  expect(data?.recordUsage).toMatchObject({ __typename: 'RecordUsagePayload' });
  await shop.settled();
}

async function raw(query: string): Promise<unknown> {
  const { data, errors } = await shop.test.raw(query, {}, user.token);
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

/** Of an account, as Stripe names it. */
async function subscriptionOf({ accountId }: Subscriber): Promise<string> {
  const history = await shop.test.app.parts.commands.load(subscriptionStream(accountId));
  const events = history.map((stored) => as<BillingEvent>(stored));
  const started = events.findLast(({ type }) => type === 'SubscriptionStarted');
  return (started?.data as { subscription: string }).subscription;
}

it('takes the plan at once, and refuses what needs a period that ends', async () => {
  expect(await user.pause()).toMatchObject({ code: 'NO_SUBSCRIPTION' });
  await raw('mutation { setOverage(input: { allowed: true }) { __typename } }');
  await user.subscribe('starter-month-usd');
  await shop.advance('2027-02-10T12:00:00Z');
  // 30 above what the plan includes, at 5 cents.
  await use(130);
  await user.bills();
  await user.news();
  // 14 of 28 days are left.
  await shop.advance('2027-02-15T12:00:00Z');
  expect(await user.pause()).toMatchObject({ subscription: { plan: { id: 'starter' }, status: 'PAUSED' } });
  expect(await user.now()).toEqual({
    plan: 'free',
    status: 'PAUSED',
    pays: '2900 USD',
    until: '2027-03-01T12:00:00.000Z',
    pausedAt: '2027-02-15T12:00:00.000Z',
  });
  expect(await user.news()).toEqual(['PauseRequested', 'SubscriptionPaused']);
  expect(await user.pause()).toMatchObject({ code: 'SUBSCRIPTION_PAUSED' });
  expect(await user.changeTo('pro-month-usd')).toMatchObject({ code: 'SUBSCRIPTION_PAUSED' });
  expect(await user.startCheckout('pro-month-usd')).toMatchObject({
    code: 'SUBSCRIPTION_PAUSED',
    message: expect.stringContaining('`resumeSubscription`') as string,
  });
  expect(await user.cancel()).toMatchObject({ code: 'SUBSCRIPTION_PAUSED' });
  expect(await raw('{ account { upcomingInvoice { id } } }')).toEqual({ account: { upcomingInvoice: null } });
  await shop.settled();
  expect(await mrr()).toEqual(['0', '2900', '0']);
});

it('bills nothing meanwhile but what was used before, and the rest of the period less afterwards', async () => {
  // Its last period closes half an hour after the pause.
  await shop.advance('2027-02-15T13:00:00Z');
  await shop.advance('2027-04-10T12:00:00Z');
  expect(await user.news()).toEqual([]);
  expect(await user.bills()).toEqual([['30 × call above the 100 included: 1.50 USD', 'total 1.50 USD']]);
  expect(await user.resume()).toMatchObject({ subscription: { status: 'ACTIVE' } });
  await shop.settled();
  expect(await user.now()).toEqual({
    plan: 'starter',
    status: 'ACTIVE',
    pays: '2900 USD',
    until: '2027-05-10T12:00:00.000Z',
  });
  expect(await user.news()).toEqual(['ResumptionRequested', 'SubscriptionResumed']);
  expect(await user.bills()).toEqual([
    ['Unused time on Starter after 15 Feb 2027: −14.50 USD', month, 'total 14.50 USD'],
  ]);
  expect(await mrr()).toEqual(['2900', '2900', '2900']);
  expect(await user.resume()).toMatchObject({ code: 'NOT_CANCELLED' });
  // Months, and what they include, count from there on.
  await use(100);
  await shop.advance('2027-05-10T14:00:00Z');
  expect(await user.bills()).toEqual([[month, 'total 29.00 USD']]);
  expect(await user.news()).toEqual(['PeriodRenewed']);
});

it('is overdue where the charge fails with which it goes on', async () => {
  // Half of the month is left: 31 days from 10 May.
  await shop.advance('2027-05-26T00:00:00Z');
  await user.pause();
  await shop.advance('2027-05-28T00:00:00Z');
  shop.sandbox.faults.declineCharges();
  expect(await user.resume()).toMatchObject({ subscription: { status: 'PAST_DUE' } });
  await shop.settled();
  expect(await user.now()).toMatchObject({
    plan: 'starter',
    status: 'PAST_DUE',
    graceEndsAt: '2027-06-11T00:00:00.000Z',
  });
  expect((await user.news()).slice(-2)).toEqual(['SubscriptionResumed', 'PaymentOverdue']);
  expect(await user.pause()).toMatchObject({ code: 'PAYMENT_OVERDUE' });
  // The charge is tried again.
  await shop.advance('2027-06-08T00:00:00Z');
  expect(await user.now()).toMatchObject({ plan: 'starter', status: 'ACTIVE' });
  expect(await user.bills()).toEqual([
    ['Unused time on Starter after 26 May 2027: −14.50 USD', month, 'total 14.50 USD'],
  ]);
});

it('is known where somebody has begun or ended it in Stripe’s dashboard', async () => {
  await user.news();
  const subscription = await subscriptionOf(user);
  await stripe.subscriptions.pause(subscription);
  await shop.settled();
  expect(await user.now()).toMatchObject({ plan: 'free', status: 'PAUSED' });
  await shop.advance('2027-06-09T00:00:00Z');
  await stripe.subscriptions.resume(subscription);
  await shop.settled();
  expect(await user.now()).toMatchObject({ plan: 'starter', status: 'ACTIVE' });
  expect(await user.news()).toEqual(['SubscriptionPaused', 'SubscriptionResumed']);
});

it('ends at once where it is cancelled while it is paused', async () => {
  await user.pause();
  await user.news();
  const input = { when: 'NOW' } as const;
  const { data } = await shop.test.query(CancelSubscriptionDocument, { input }, user.token);
  expect(data?.cancelSubscription).toMatchObject({ __typename: 'SubscriptionPayload', subscription: null });
  await shop.settled();
  expect(await user.now()).toEqual({ plan: 'free' });
  expect(await user.news()).toEqual(['CancellationRequested', 'PaidSubscriptionEnded']);
});

it('waits for a change that is scheduled, and not for the schedule that has brought one', async () => {
  const other = await Subscriber.register(shop);
  await other.subscribe('pro-month-usd', '5555 5555 5555 4444');
  await other.changeTo('starter-month-usd');
  expect(await other.pause()).toMatchObject({ code: 'CHANGE_SCHEDULED' });
  await shop.advance('2027-07-09T02:00:00Z');
  expect(await other.now()).toMatchObject({ plan: 'starter', status: 'ACTIVE' });
  const { schedule } = await stripe.subscriptions.retrieve(await subscriptionOf(other));
  expect(schedule).not.toBeNull();
  expect(await other.pause()).toMatchObject({ subscription: { status: 'PAUSED' } });
  // No invoice of all of this was another than our own events say.
  const { data } = await shop.test.query(InvoiceDifferencesDocument, { first: 10 }, backEnd);
  expect(data?.operator?.invoiceDifferences?.nodes).toEqual([]);
});

it('goes on by the API after it was cancelled in the portal', async () => {
  const other = await Subscriber.register(shop);
  await other.subscribe('starter-month-usd', '5555 5555 5555 4444');
  const open = 'mutation { openBillingPortal(input: {}) { ... on OpenBillingPortalPayload { url } } }';
  const { data } = await shop.test.raw(open, {}, other.token);
  const { url } = data?.['openBillingPortal'] as { url: string };
  const body = new URLSearchParams({ subscription: await subscriptionOf(other) });
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  expect(
    (await fetch(`${url}/cancel`, { method: 'POST', headers: form, body, redirect: 'manual' })).status,
  ).toBe(303);
  await shop.settled();
  const { until } = (await other.now()) as { until: string };
  expect(await other.now()).toMatchObject({ cancelsAt: until });
  expect(await other.resume()).toMatchObject({
    __typename: 'SubscriptionPayload',
    subscription: { cancelsAt: null },
  });
  await other.news();
  await shop.advance(new Date(Date.parse(until) + 2 * 3_600_000).toISOString());
  expect(await other.news()).toEqual(['PeriodRenewed']);
});
