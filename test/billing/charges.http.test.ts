import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Stripe from 'stripe';
import { allEvents } from '../crash/facts.js';
import type { Shop } from './shop.js';
import { openShop } from './shop.js';
import { Subscriber } from './subscriber.js';

/** What is charged where something has gone otherwise than asked for. */
let shop: Shop;
let stripe: Stripe;
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tollgraph-charges-'));
  await mkdir(join(root, 'profiles'));
  await copyFile(join('test', 'billing', 'plans.yaml'), join(root, 'profiles', 'example.yaml'));
  shop = await openShop('2027-01-31T12:00:00Z', { root, env: { PROFILE: 'example' } });
  stripe = new Stripe(shop.sandbox.apiKey, { ...shop.sandbox.client });
}, 60_000);
afterAll(async () => {
  await shop.close();
  await rm(root, { recursive: true, force: true });
});

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
