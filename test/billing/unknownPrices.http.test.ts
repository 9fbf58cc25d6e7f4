import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Stripe from 'stripe';
import { stripePayments } from '../../src/adapters/stripe/payments.js';
import type { Offer } from '../../src/billing/decide.js';
import type { Logger } from '../../src/logger.js';
import { silentLogger } from '../../src/logger.js';
import type { Shop } from './shop.js';
import { openShop } from './shop.js';
import { Subscriber } from './subscriber.js';

let root: string;
let shop: Shop;
let stripe: Stripe;
const warnings: string[] = [];
const log: Logger = { ...silentLogger, warn: (message) => warnings.push(message) };
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tollgraph-prices-'));
  await mkdir(join(root, 'profiles'));
  await copyFile(join('test', 'billing', 'plans.yaml'), join(root, 'profiles', 'example.yaml'));
  shop = await openShop('2027-02-01T12:00:00Z', { root, log, env: { PROFILE: 'example' } });
  stripe = new Stripe(shop.sandbox.apiKey, { ...shop.sandbox.client });
}, 60_000);
afterAll(async () => {
  await shop.close();
  await rm(root, { recursive: true, force: true });
});

/** The newest customer, of whoever has subscribed last. */
const customer = async (): Promise<string> => (await stripe.customers.list()).data[0]?.id ?? '';

async function subscription(): Promise<Stripe.Subscription> {
  const { data } = await stripe.subscriptions.list({ customer: await customer(), status: 'all' });
  const [found] = data;
  if (!found) throw new Error('no subscription');
  return found;
}

/** A price as somebody makes it in Stripe's dashboard. */
async function dashboardPrice(amount: number, currency = 'usd'): Promise<string> {
  const recurring = { interval: 'month' } as const;
  const product_data = { name: 'Special' };
  return (await stripe.prices.create({ product_data, currency, unit_amount: amount, recurring })).id;
}

describe('a subscription whose price was given in Stripe’s dashboard', () => {
  let user: Subscriber;
  let id: string;
  beforeAll(async () => {
    user = await Subscriber.register(shop);
    await user.subscribe('pro-month-usd');
    const { id: found, items } = await subscription();
    id = found;
    await stripe.subscriptions.update(id, {
      items: [{ id: items.data[0]?.id ?? '', price: await dashboardPrice(7900) }],
      proration_behavior: 'none',
    });
    await shop.settled();
  }, 60_000);

  it('keeps its plan, and is shown and renewed at what Stripe bills', async () => {
    expect(await user.now()).toMatchObject({ plan: 'pro', status: 'ACTIVE', pays: '7900 USD' });
    await user.news();
    await shop.advance('2027-03-01T14:00:00Z');
    expect(await user.news()).toEqual(['PeriodRenewed']);
    expect(await user.now()).toMatchObject({
      plan: 'pro',
      pays: '7900 USD',
      until: '2027-04-01T12:00:00.000Z',
    });
    // Whoever runs the product is told that nothing here says why it is billed so.
    expect(warnings.filter((line) => line.includes('differs from our events'))).toHaveLength(1);
  });

  it('leaves it for a price of ours, and has it again', async () => {
    expect(await user.changeTo('starter-month-usd')).toMatchObject({ __typename: 'SubscriptionPayload' });
    await shop.settled();
    expect(await user.now()).toMatchObject({ next: 'starter, CONFIRMED' });
    expect(await user.changeTo('pro-month-usd')).toMatchObject({ __typename: 'SubscriptionPayload' });
    await shop.settled();
    expect(await user.now()).toMatchObject({ plan: 'pro', pays: '7900 USD' });
  });

  it('ends the plan with its end', async () => {
    await stripe.subscriptions.cancel(id);
    await shop.settled();
    expect(await user.now()).toEqual({ plan: 'free' });
    await user.subscribe('starter-month-usd');
    expect(await user.now()).toMatchObject({ plan: 'starter', status: 'ACTIVE' });
  });
});

it('leaves a subscription alone that the seller has with the same customer for something else', async () => {
  const user = await Subscriber.register(shop);
  await user.subscribe('starter-month-usd', '4000 0566 5566 5556');
  const { customer: payer, default_payment_method: card } = await subscription();
  const other = await stripe.subscriptions.create({
    customer: payer as string,
    items: [{ price: await dashboardPrice(50_000) }],
    ...(typeof card === 'string' && { default_payment_method: card }),
  });
  await shop.settled();
  expect(await user.now()).toMatchObject({ plan: 'starter', pays: '2900 USD' });
  expect((await stripe.subscriptions.retrieve(other.id)).status).toBe('active');
});

describe('prices that the configuration names', () => {
  const offer = (currency: string, amount: number): Offer => ({
    id: `pro-month-${currency}`,
    plan: 'pro',
    interval: 'month',
    trialDays: undefined,
    amount,
    currency,
  });
  const payments = (...ids: string[]) =>
    stripePayments({
      secretKey: shop.sandbox.apiKey,
      live: false,
      installation: 'test',
      profile: 'example',
      priceIds: new Map([['pro-month', ids]]),
      offers: () => [],
      address: shop.sandbox.client,
    });
  const makeOf = (of: Offer, ...ids: string[]) =>
    payments(...ids).makeCatalogue({ plans: ['pro'], offers: [of], coupons: [] });

  it('are recognised when they are sold no more, and seen as none of ours otherwise', async () => {
    const [former, current] = [await dashboardPrice(2900), await dashboardPrice(3900)];
    const { id: buyer } = await stripe.customers.create({});
    const { id } = await stripe.paymentMethods.attach('pm_card_visa', { customer: buyer });
    await stripe.subscriptions.create({
      customer: buyer,
      items: [{ price: former }],
      default_payment_method: id,
    });
    const seen = { subscription: expect.any(String) as string, amount: 2900, status: 'active' };
    expect(await payments(current, former).subscriptions(buyer)).toMatchObject([
      { ...seen, plan: 'pro', price: 'pro-month-usd' },
    ]);
    expect(await payments(current).subscriptions(buyer)).toMatchObject([
      { ...seen, plan: null, price: null },
    ]);
  });

  it('are sold in their currency and at their amount alone', async () => {
    const [dollars, euros] = [await dashboardPrice(3900), await dashboardPrice(3600, 'eur')];
    const [inDollars, inEuros] = [offer('usd', 3900), offer('eur', 3600)];
    await makeOf(inDollars, dollars);
    await makeOf(inEuros, dollars, euros);
    await expect(makeOf(inEuros, dollars)).rejects.toThrow(
      `${dollars} is 39.00 USD a month, and the profile says 36.00 EUR a month`,
    );
    await expect(makeOf(offer('usd', 4500), dollars)).rejects.toThrow(
      '39.00 USD a month, and the profile says 45.00',
    );
  });
});
