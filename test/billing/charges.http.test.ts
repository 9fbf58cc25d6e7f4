import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Stripe from 'stripe';
import { AccountQueries } from '../../projections/accounts/queries.js';
import { endGrants } from '../../src/plans/endGrants.js';
import { allEvents } from '../crash/facts.js';
import type { Shop } from './shop.js';
import { openShop } from './shop.js';
import { Subscriber } from './subscriber.js';

const DAY_MS = 86_400_000;

/** What is charged where something has gone otherwise than asked for. */
let shop: Shop;
let stripe: Stripe;
let root: string;
let backEnd: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tollgraph-charges-'));
  await mkdir(join(root, 'profiles'));
  await copyFile(join('test', 'billing', 'plans.yaml'), join(root, 'profiles', 'example.yaml'));
  shop = await openShop('2027-01-31T12:00:00Z', { root, env: { PROFILE: 'example' } });
  stripe = new Stripe(shop.sandbox.apiKey, { ...shop.sandbox.client });
  const operator = await shop.test.customer('free');
  await shop.test.makeOperator(operator);
  backEnd = (await shop.test.issueKey(operator.token, 'LIVE', ['ADMIN'])).secret;
}, 60_000);
afterAll(async () => {
  await shop.close();
  await rm(root, { recursive: true, force: true });
});

/** Sends anything. @throws Error for what was refused or not answered */
async function send<T>(query: string, variables: object, credential: string): Promise<T> {
  const { data, errors } = await shop.test.raw(query, variables, credential);
  if (errors || JSON.stringify(data).includes('"code":')) throw new Error(JSON.stringify({ data, errors }));
  return data as T;
}

let uses = 0;
/** Reports use, whether it is above a limit or not. */
async function use({ accountId }: Subscriber, quantity: number): Promise<void> {
  const one = { useId: `use-${++uses}`, accountId, meter: 'calls', quantity };
  const query =
    'mutation ($uses: [UseInput!]!) { recordUsage(input: { uses: $uses }) { __typename ... on Refusal { code } } }';
  await send(query, { uses: [one] }, backEnd);
  await shop.settled();
}

/** @param cap minor units at which calls are refused */
async function allowOverage({ token }: Subscriber, allowed: boolean, cap?: number): Promise<void> {
  const spendCap = cap === undefined ? null : { minorUnits: cap, currency: 'USD', whenReached: 'REFUSE' };
  const query =
    'mutation ($allowed: Boolean!, $spendCap: SpendCapInput) { setOverage(input: { allowed: $allowed, spendCap: $spendCap }) { __typename ... on Refusal { code message } } }';
  await send(query, { allowed, spendCap }, token);
  await shop.settled();
}

interface Spent {
  readonly account: { readonly overage: { readonly spent: { readonly minorUnits: string } } };
}
const spent = async ({ token }: Subscriber): Promise<string> =>
  (await send<Spent>('{ account { overage { spent { minorUnits } } } }', {}, token)).account.overage.spent
    .minorUnits;

const living = async (customer: string): Promise<string[]> =>
  (await stripe.subscriptions.list({ customer })).data.map(({ id }) => id);

describe('an account that subscribes twice', () => {
  let user: Subscriber;
  let customer: string;
  beforeAll(async () => {
    user = await Subscriber.register(shop);
  });

  it('can pay on the newest page alone', async () => {
    const first = await user.checkout('starter-month-usd');
    const second = await user.checkout('pro-month-usd');
    expect((await shop.pay(first)).status).not.toBe(303);
    expect((await shop.pay(second)).status).toBe(303);
    await shop.settled();
    expect(await user.now()).toMatchObject({ plan: 'pro', status: 'ACTIVE' });
    expect(await user.bills()).toHaveLength(1);
    const { data } = await stripe.customers.list({ limit: 1 });
    customer = data[0]?.id ?? '';
    expect(await living(customer)).toHaveLength(1);
  });

  it('keeps one subscription, and has the money for another back', async () => {
    const [kept = ''] = await living(customer);
    const { items, default_payment_method: method } = await stripe.subscriptions.retrieve(kept);
    await stripe.subscriptions.create({
      customer,
      items: [{ price: items.data[0]?.price.id ?? '' }],
      default_payment_method: method as string,
    });
    await user.news();
    await shop.settled();
    expect(await user.news()).toEqual(['DuplicateSubscriptionEnded']);
    expect(await living(customer)).toEqual([kept]);
    expect(await user.now()).toMatchObject({ plan: 'pro', status: 'ACTIVE' });
    const refunds = (await stripe.refunds.list()).data;
    expect(refunds.map(({ amount }) => amount)).toEqual([9900]);
    const all = await allEvents(shop.test.app.parts.store);
    const credited = all.filter(({ type }) => type === 'InvoiceCredited');
    expect(credited.map(({ data }) => data)).toEqual([expect.objectContaining({ credited: 9900 })]);
    expect(all.map(({ data }) => (data as { kind?: string }).kind)).toContain('duplicate-ended');
    // What has once been given back is not given back again.
    await shop.advance('32d');
    expect(await living(customer)).toEqual([kept]);
    expect((await stripe.refunds.list()).data).toHaveLength(1);
    expect(await user.news()).toEqual(['PeriodRenewed']);
  });
});

it('has its whole time of grace where a month under an annual plan cannot be paid', async () => {
  const user = await Subscriber.register(shop);
  await user.subscribe('pro-year-usd');
  await allowOverage(user, true);
  await use(user, 700);
  await shop.advance('32d');
  shop.sandbox.faults.declineCharges('generic_decline', 50);
  await shop.advance('2h');
  const { plan, status, graceEndsAt } = await user.now();
  shop.sandbox.faults.clear();
  expect([plan, status]).toEqual(['pro', 'PAST_DUE']);
  const left = Date.parse(graceEndsAt as string) - shop.sandbox.now();
  expect(left).toBeGreaterThan(13 * DAY_MS);
  expect(left).toBeLessThanOrEqual(14 * DAY_MS);
});

it('keeps a change that is to come, where another is declined or a cancellation is revoked', async () => {
  const user = await Subscriber.register(shop);
  await user.subscribe('pro-month-usd');
  await user.changeTo('starter-month-usd');
  await shop.settled();
  const { next } = await user.now();
  expect(next).toMatch(/^starter/);
  shop.sandbox.faults.declineCharges('insufficient_funds', 1);
  expect(await user.changeTo('pro-year-usd')).toMatchObject({ code: 'PAYMENT_FAILED' });
  shop.sandbox.faults.clear();
  await shop.settled();
  expect(await user.now()).toMatchObject({ plan: 'pro', next });
  await user.cancel();
  await shop.settled();
  expect((await user.now())['cancelsAt']).toBeDefined();
  await user.resume();
  await shop.settled();
  const resumed = await user.now();
  expect(resumed).toMatchObject({ plan: 'pro', next });
  expect(resumed['cancelsAt']).toBeUndefined();
  await shop.advance('32d');
  expect(await user.now()).toMatchObject({ plan: 'starter', status: 'ACTIVE' });
});

it('counts as revenue who has ended a trial and subscribes later', async () => {
  const mrr = async (): Promise<number> => {
    await shop.test.caughtUp();
    const query = '{ operator { revenue { mrr { minorUnits } } } }';
    const { operator } = await send<{ operator: { revenue: { mrr: { minorUnits: string } }[] } }>(
      query,
      {},
      backEnd,
    );
    return Number(operator.revenue[0]?.mrr.minorUnits ?? 0);
  };
  const before = await mrr();
  const user = await Subscriber.register(shop);
  await user.subscribe('tried-month-usd', '5555 5555 5555 4444');
  expect(await user.now()).toMatchObject({ status: 'TRIALING' });
  await send(
    'mutation { cancelSubscription(input: { when: NOW }) { __typename ... on Refusal { code } } }',
    {},
    user.token,
  );
  await shop.settled();
  expect(await mrr()).toBe(before);
  await user.subscribe('tried-month-usd', '5555 5555 5555 4444');
  expect(await user.now()).toMatchObject({ status: 'ACTIVE' });
  expect(await mrr()).toBe(before + 4900);
});

it('pays for nothing that a granted plan includes, for as long as it is granted', async () => {
  const user = await Subscriber.register(shop);
  await user.subscribe('starter-month-usd');
  await allowOverage(user, true);
  const until = new Date(shop.sandbox.now() + DAY_MS).toISOString();
  const input = { accountId: user.accountId, planId: 'pro', reason: 'a gift', until };
  const grant =
    'mutation ($input: OperatorGrantPlanInput!) { operatorGrantPlan(input: $input) { __typename ... on Refusal { code message } } }';
  await send(grant, { input }, backEnd);
  await shop.settled();
  await use(user, 400);
  expect(await spent(user)).toBe('0');
  // The plan that is paid for includes 100.
  await shop.advance('2d');
  const { sql, projector, commands } = shop.test.app.parts;
  const accounts = new AccountQueries(sql, projector.access('accounts'));
  const clocks = { clock: () => Date.now(), billingClock: () => shop.sandbox.now() };
  await endGrants(commands, (at, limit) => accounts.grantsOver(at, limit), clocks);
  await shop.settled();
  await use(user, 50);
  expect(await spent(user)).toBe('250');
});

it('pays for use from when overage is allowed until it is not, and at most what its cap says', async () => {
  const user = await Subscriber.register(shop);
  await user.subscribe('starter-month-usd');
  await use(user, 400);
  await shop.advance('1h');
  await allowOverage(user, true, 100);
  expect(await spent(user)).toBe('0');
  await use(user, 10);
  expect(await spent(user)).toBe('50');
  await use(user, 40);
  expect(await spent(user)).toBe('100');
  await shop.advance('1h');
  await allowOverage(user, false);
  await use(user, 30);
  await user.bills();
  // The period closes half an hour after its end, before the invoice of the next one is issued.
  const { data } = await shop.test.raw('{ account { subscription { period { to } } } }', {}, user.token);
  const { to } = (data as { account: { subscription: { period: { to: string } } } }).account.subscription
    .period;
  await shop.advance(new Date(Date.parse(to) + 35 * 60_000).toISOString());
  await shop.advance('2h');
  expect(await user.bills()).toEqual([
    [
      '1 × Starter (at $29.00 / month): 29.00 USD',
      '50 × call above the 100 included, up to the spend cap: 1.00 USD',
      'total 30.00 USD',
    ],
  ]);
});

const buy = async ({ token }: Subscriber): Promise<string> => {
  const query = 'mutation { buyCredits(input: { packId: "fifty" }) { ... on BuyCreditsPayload { url } } }';
  return (await send<{ buyCredits: { url: string } }>(query, {}, token)).buyCredits.url;
};

describe('credits', () => {
  it('that an operator has voided and refunds are not owed: those bought next are there', async () => {
    const user = await Subscriber.register(shop);
    const standing = async () => {
      const query = '{ account { id credits { balance grants { id } } } }';
      interface Account {
        readonly id: string;
        readonly credits: { readonly balance: string; readonly grants: readonly { readonly id: string }[] };
      }
      return (await send<{ account: Account }>(query, {}, user.token)).account;
    };
    expect((await shop.pay(await buy(user))).status).toBe(303);
    await shop.settled();
    const { id: accountId, credits } = await standing();
    expect(credits.balance).toBe('50');
    for (const command of ['operatorVoidCredits', 'operatorRefundCredits']) {
      const query = `mutation ($input: OperatorCreditsInput!) { ${command}(input: $input) { __typename ... on Refusal { code } } }`;
      const input = { accountId, grantId: credits.grants[0]?.id, reason: 'asked for' };
      await send(query, { input }, backEnd);
      await shop.settled();
    }
    expect((await standing()).credits.balance).toBe('0');
    expect((await shop.pay(await buy(user))).status).toBe(303);
    await shop.settled();
    expect((await standing()).credits.balance).toBe('50');
  });
});

describe('a deleted account', () => {
  const remove = async ({ token }: Subscriber): Promise<void> => {
    const query =
      'mutation { deleteAccount(input: { password: "correct horse" }) { __typename ... on Refusal { code } } }';
    await send(query, {}, token);
    await shop.settled();
  };
  const customerOf = async ({ accountId }: Subscriber): Promise<string> => {
    const { data } = await stripe.customers.list({ limit: 100 });
    return data.find(({ metadata }) => metadata['tollgraph_account'] === accountId)?.id ?? '';
  };
  /** What was charged, each with what was given back of it. */
  const charges = async (user: Subscriber): Promise<[number, number][]> => {
    const { data } = await stripe.charges.list({ customer: await customerOf(user) });
    return data.map(({ amount, amount_refunded: refunded }) => [amount, refunded]);
  };

  it('pays on no page that was open', async () => {
    const user = await Subscriber.register(shop);
    const [subscription, credits] = [await user.checkout('starter-month-usd'), await buy(user)];
    await remove(user);
    for (const url of [subscription, credits]) expect((await shop.pay(url)).status).not.toBe(303);
    await shop.settled();
    expect(await charges(user)).toEqual([]);
    expect(await shop.happened(user.accountId)).toContain('CheckoutWithdrawn');
  });

  it('has back what is paid while its pages are being closed', async () => {
    const user = await Subscriber.register(shop);
    const [subscription, credits] = [await user.checkout('starter-month-usd'), await buy(user)];
    shop.sandbox.faults.failCalls({ method: 'POST', path: '/expire' }, 1000);
    await remove(user);
    for (const url of [subscription, credits]) expect((await shop.pay(url)).status).toBe(303);
    shop.sandbox.faults.clear();
    await shop.settled();
    expect(await charges(user)).toEqual([
      [500, 500],
      [2900, 2900],
    ]);
    expect(await living(await customerOf(user))).toEqual([]);
  });

  it('is not charged for credits that it was to have before', async () => {
    const user = await Subscriber.register(shop);
    await user.subscribe('starter-month-usd');
    shop.sandbox.faults.failCalls({ method: 'POST', path: '/v1/payment_intents' }, 1000);
    const query =
      'mutation { setCreditTopUp(input: { packId: "fifty", below: 10, maxPerMonth: 2 }) { __typename ... on Refusal { code } } }';
    await send(query, {}, user.token);
    await shop.settled();
    await remove(user);
    shop.sandbox.faults.clear();
    await shop.settled();
    expect(await charges(user)).toEqual([[2900, 0]]);
  });
});
