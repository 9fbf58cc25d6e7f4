import Stripe from 'stripe';
import { randomUUID } from 'node:crypto';
import {
  ChangePlanDocument,
  DeleteAccountDocument,
  PaymentEventsDocument,
  StartCheckoutDocument,
  SubscriptionDocument,
} from '../generated/graphql.js';
import type { PaymentEventsQueryVariables } from '../generated/graphql.js';
import { as } from '../../src/eventsourcing/event.js';
import { shownId } from '../../src/graphql/kit/ids.js';
import type { MailEvent } from '../../src/mail/events.js';
import { allEvents } from '../crash/facts.js';
import type { Shop } from './shop.js';
import { openShop } from './shop.js';

/** Of everybody whom the tests register. */
const PASSWORD = 'correct horse';

let shop: Shop;
let stripe: Stripe;
let user: { token: string; accountId: string; userId: string };
beforeAll(async () => {
  shop = await openShop('2027-01-31T12:00:00Z');
  stripe = new Stripe(shop.sandbox.apiKey, { ...shop.sandbox.client });
  user = await shop.test.register();
});
afterAll(() => shop.close());

/** One call of ours is three of the SDK's: it tries again by itself. */
const CALLS = 3;
/** The answers of a call are lost, after all was done. */
const loseAnswers = (path: string): void =>
  shop.sandbox.faults.failCalls({ method: 'POST', path, after: true }, CALLS);

async function now(): Promise<[plan: unknown, status: unknown]> {
  const { data } = await shop.test.query(SubscriptionDocument, {}, user.token);
  return [data?.account?.plan.id, data?.account?.subscription?.status];
}

/** What the user was told by mail, in order. */
const mails = async (): Promise<string[]> =>
  (await allEvents(shop.test.app.parts.store)).flatMap((stored) => {
    const { type, data } = as<MailEvent>(stored);
    return type === 'MailRequested' && data.userId === user.userId ? [data.kind] : [];
  });

async function customerOf(): Promise<string> {
  const { data } = await stripe.customers.list();
  expect(data).toHaveLength(1);
  return data[0]?.id ?? '';
}

it('has one customer and one checkout, although every answer of Stripe was lost once', async () => {
  const input = { priceId: 'developer-month-usd', commandId: randomUUID() };
  const start = () => shop.test.query(StartCheckoutDocument, { input }, user.token);
  for (const path of ['/v1/customers', '/v1/checkout/sessions']) {
    loseAnswers(path);
    // What works in the background may meet the fault as well as this call.
    const { errors } = await start();
    if (errors) expect(errors[0]?.extensions['code']).toBe('TRY_AGAIN');
  }
  const { data } = await start();
  const page = data?.startCheckout;
  if (page?.__typename !== 'StartCheckoutPayload') throw new Error(JSON.stringify(page));
  const sessions = await stripe.checkout.sessions.list({ customer: await customerOf() });
  expect(sessions.data.map(({ url }) => url)).toEqual([page.url]);
  await shop.pay(page.url ?? '');
  await shop.settled();
  expect(await now()).toEqual(['developer', 'TRIALING']);
});

it('is upgraded and charged once, although the answer was lost, and nobody asks again', async () => {
  await shop.advance('2027-02-14T14:00:00Z');
  loseAnswers('/v1/subscriptions/');
  const input = { priceId: 'team-month-usd' };
  const { errors } = await shop.test.query(ChangePlanDocument, { input }, user.token);
  if (errors) expect(errors[0]?.extensions['code']).toBe('TRY_AGAIN');
  await shop.settled();
  expect(await now()).toEqual(['team', 'ACTIVE']);
  const customer = await customerOf();
  const { data } = await stripe.invoices.list({ customer });
  expect(data.filter(({ billing_reason: reason }) => reason === 'subscription_update')).toHaveLength(1);
  expect((await stripe.subscriptions.list({ customer })).data).toHaveLength(1);
});

it('is not changed where the card is declined, and says so', async () => {
  const input = { priceId: 'enterprise-month-usd' };
  shop.sandbox.faults.declineCharges();
  const { data } = await shop.test.query(ChangePlanDocument, { input }, user.token);
  expect(data?.changePlan).toMatchObject({ __typename: 'PaymentRequired', code: 'PAYMENT_FAILED' });
  expect(await now()).toEqual(['team', 'ACTIVE']);
});

it('learns from the list of events what no webhook has told, and whatever else went wrong with them', async () => {
  const { faults } = shop.sandbox;
  const before = (await shop.invoices(user.accountId)).length;
  faults.disturbDeliveries('duplicated', 2);
  faults.disturbDeliveries('reordered', 2);
  faults.disturbDeliveries('dropped', 100);
  // An invoice that nobody has heard of is issued after three days.
  await shop.advance('2027-03-18T00:00:00Z');
  faults.clear();
  await shop.test.app.parts.billing?.backfill();
  await shop.settled();
  expect((await shop.invoices(user.accountId)).slice(before)).toEqual([
    ['1 × Team (at $199.00 / month): 199.00 USD', 'total 199.00 USD'],
  ]);
  // Once more: all of it is known.
  const events = await shop.test.events();
  await shop.test.app.parts.billing?.backfill();
  await shop.settled();
  expect(await shop.test.events()).toBe(events);
});

it('loses its plan when the grace is over, and has it back once it has paid', async () => {
  shop.sandbox.faults.declineCharges('insufficient_funds', 100);
  const overdueHeader = async (): Promise<string | null> =>
    (await shop.test.query(SubscriptionDocument, {}, user.token)).headers.get('x-payment-overdue');
  expect(await overdueHeader()).toBeNull();
  await shop.advance('2027-04-14T14:00:00Z');
  expect(await now()).toEqual(['team', 'PAST_DUE']);
  expect(await overdueHeader()).toBe('2027-04-28T12:00:00.000Z');
  await shop.advance('2027-04-28T11:00:00Z');
  expect(await now()).toEqual(['team', 'PAST_DUE']);
  await shop.advance('2027-04-28T13:00:00Z');
  expect(await now()).toEqual(['free', 'SUSPENDED']);
  expect(await overdueHeader()).toBeNull();
  shop.sandbox.faults.clear();
  const { data } = await stripe.invoices.list({ customer: await customerOf(), status: 'open' });
  expect(data).toHaveLength(1);
  await stripe.invoices.pay(data[0]?.id ?? '');
  await shop.settled();
  expect(await now()).toEqual(['team', 'ACTIVE']);
  expect((await shop.happened(user.accountId)).slice(-5)).toEqual([
    'PaymentOverdue',
    'GraceEnding',
    'AccessSuspended',
    'PaymentRecovered',
    'AccessRestored',
  ]);
  expect(await overdueHeader()).toBeNull();
  expect((await mails()).slice(-4)).toEqual([
    'payment-failed',
    'grace-ending',
    'plan-suspended',
    'plan-restored',
  ]);
});

it('shows operators what Stripe has sent, and what was done about it', async () => {
  const operator = await shop.test.register();
  const listed = async (variables: PaymentEventsQueryVariables, token = operator.token) =>
    (await shop.test.query(PaymentEventsDocument, variables, token)).data?.operator?.paymentEvents;
  expect(await listed({})).toBeUndefined();
  await shop.test.makeOperator(operator);
  const accountId = shownId('Account', user.accountId);
  const paid = await listed({ first: 1, filter: { accountId, type: 'invoice.paid' } });
  expect(paid?.nodes).toEqual([
    expect.objectContaining({
      type: 'invoice.paid',
      about: expect.stringMatching(/^in_/) as unknown,
      live: false,
      effect: 'APPLIED',
      accountId,
    }),
  ]);
  const next = await listed({
    first: 1,
    after: paid?.pageInfo.endCursor ?? null,
    filter: { accountId, type: 'invoice.paid' },
  });
  expect(next?.nodes[0]?.id).not.toBe(paid?.nodes[0]?.id);
  // Some were fetched after their webhooks were dropped.
  const events = await listed({ first: 100, filter: { effect: 'APPLIED' } });
  expect(events?.nodes.some(({ backfilled }) => backfilled)).toBe(true);
  expect((await listed({ filter: { waiting: true } }))?.nodes).toEqual([]);
});

it('is cancelled at once with its account, and a checkout of one cannot be paid any more', async () => {
  const late = await shop.test.register();
  const input = { priceId: 'developer-month-usd' };
  const { data } = await shop.test.query(StartCheckoutDocument, { input }, late.token);
  const page = data?.startCheckout;
  if (page?.__typename !== 'StartCheckoutPayload') throw new Error(JSON.stringify(page));
  for (const { token } of [user, late]) {
    const deleted = await shop.test.query(DeleteAccountDocument, { input: { password: PASSWORD } }, token);
    expect(deleted.data?.deleteAccount?.__typename).toBe('DeleteAccountPayload');
  }
  await shop.settled();
  expect((await shop.pay(page.url ?? '', '5555 5555 5555 4444')).status).not.toBe(303);
  await shop.settled();
  const { data: all } = await stripe.subscriptions.list({ status: 'all' });
  expect(all.map(({ status }) => status)).toEqual(['canceled']);
  expect(
    (await shop.happened(user.accountId))
      .filter((type) => /^(Cancellation|PaidSubscription)/.test(type))
      .slice(-2),
  ).toEqual(['CancellationRequested', 'PaidSubscriptionEnded']);
  expect((await shop.happened(late.accountId)).at(-1)).toBe('CheckoutEnded');
});
