import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Stripe from 'stripe';
import { CancelSubscriptionDocument } from '../generated/graphql.js';
import type { Shop } from './shop.js';
import { openShop } from './shop.js';
import { Subscriber } from './subscriber.js';

/** A currency without decimals, beside the dollars that the profile has. */
const YEN: Readonly<Record<string, number>> = { developer: 4_400, team: 29_800 };

let root: string;
let shop: Shop;
let stripe: Stripe;
/** Pay by the year from 31 January and from 29 February, and by the month in yen. */
let january: Subscriber;
let leap: Subscriber;
let yen: Subscriber;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tollgraph-yen-'));
  await cp('profiles', join(root, 'profiles'), { recursive: true });
  const file = join(root, 'profiles', 'specql.yaml');
  let text = await readFile(file, 'utf8');
  for (const [plan, amount] of Object.entries(YEN)) {
    text = text.replace(
      new RegExp(`^( {2}- id: ${plan}\\n(?:.*\\n)*? {4}prices:\\n)`, 'm'),
      `$1      - { interval: month, amount: ${amount}, currency: jpy }\n`,
    );
  }
  // In euros a bank account can be debited, too.
  const euros = /^( {2}- id: developer\n(?:.*\n)*? {4}prices:\n)/m;
  text = text.replace(euros, '$1      - { interval: month, amount: 2700, currency: eur }\n');
  await writeFile(file, text);
  shop = await openShop('2028-01-17T12:00:00Z', { root });
  stripe = new Stripe(shop.sandbox.apiKey, { ...shop.sandbox.client });
  january = await Subscriber.register(shop);
  yen = await Subscriber.register(shop);
  leap = await Subscriber.register(shop);
});
afterAll(async () => {
  await shop.close();
  await rm(root, { recursive: true, force: true });
});

async function customerOf(accountId: string): Promise<string> {
  const { data } = await stripe.customers.list({ limit: 100 });
  return data.find(({ metadata }) => metadata['tollgraph_account'] === accountId)?.id ?? '';
}

it('tries, then pays: to the same day of the next year, or of the next month', async () => {
  await january.subscribe('developer-year-usd');
  // Each card gives one trial.
  await yen.subscribe('developer-month-jpy', '5555 5555 5555 4444');
  await shop.advance('2028-01-31T13:30:00Z');
  expect(await january.now()).toMatchObject({ pays: '29000 USD', until: '2029-01-31T12:00:00.000Z' });
  expect(await yen.now()).toMatchObject({ pays: '4400 JPY', until: '2028-02-29T12:00:00.000Z' });
  expect(await january.bills()).toEqual([
    ['Free trial for 1 × Developer: 0.00 USD', 'total 0.00 USD'],
    ['1 × Developer (at $290.00 / year): 290.00 USD', 'total 290.00 USD'],
  ]);
  expect(await yen.bills()).toEqual([
    ['Free trial for 1 × Developer: 0 JPY', 'total 0 JPY'],
    ['1 × Developer (at ¥4,400 / month): 4400 JPY', 'total 4400 JPY'],
  ]);
  await shop.advance('2028-02-15T12:00:00Z');
  await leap.subscribe('developer-year-usd', '3782 822463 10005');
  await shop.advance('2028-02-29T13:30:00Z');
  expect(await leap.now()).toMatchObject({ pays: '29000 USD', until: '2029-02-28T12:00:00.000Z' });
  // Counted from the anchor: after the short month it is the 31st again.
  expect(await yen.now()).toMatchObject({ until: '2028-03-31T12:00:00.000Z' });
  expect(await yen.bills()).toEqual([['1 × Developer (at ¥4,400 / month): 4400 JPY', 'total 4400 JPY']]);
  await leap.bills();
});

it('divides what is left of a period to the second, and rounds to the currency’s smallest unit', async () => {
  await shop.advance('2028-03-20T12:00:00Z');
  expect(await yen.preview('team-month-jpy')).toMatchObject({
    due: { minorUnits: '9013', exponent: 0, currency: 'JPY' },
  });
  await yen.changeTo('team-month-jpy');
  // 11 of 31 days are left.
  await shop.settled();
  expect(await yen.bills()).toEqual([
    [
      'Unused time on Developer after 20 Mar 2028: −1561 JPY',
      'Remaining time on Team after 20 Mar 2028: 10574 JPY',
      'total 9013 JPY',
    ],
  ]);
});

it('keeps a plan in yen while its payment is late, and goes down and away', async () => {
  shop.sandbox.faults.declineCharges('insufficient_funds', 1, await customerOf(yen.accountId));
  await shop.advance('2028-03-31T14:00:00Z');
  expect(await yen.now()).toMatchObject({ plan: 'team', status: 'PAST_DUE' });
  await shop.advance('2028-04-04T00:00:00Z');
  expect(await yen.now()).toMatchObject({
    plan: 'team',
    status: 'ACTIVE',
    until: '2028-04-30T12:00:00.000Z',
  });
  await yen.changeTo('developer-month-jpy');
  await shop.advance('2028-04-30T14:00:00Z');
  expect(await yen.now()).toMatchObject({ plan: 'developer', until: '2028-05-31T12:00:00.000Z' });
  await yen.cancel();
  await shop.advance('2028-05-31T14:00:00Z');
  expect(await yen.now()).toEqual({ plan: 'free' });
  expect(await yen.bills()).toEqual([
    ['1 × Team (at ¥29,800 / month): 29800 JPY', 'total 29800 JPY'],
    ['1 × Developer (at ¥4,400 / month): 4400 JPY', 'total 4400 JPY'],
  ]);
  // Again, and without a trial.
  await yen.subscribe('developer-month-jpy');
  expect(await yen.now()).toMatchObject({ status: 'ACTIVE', until: '2028-06-30T14:00:00.000Z' });
  await shop.test.query(CancelSubscriptionDocument, { input: { when: 'NOW' } }, yen.token);
  expect(await yen.now()).toEqual({ plan: 'free' });
});

it('upgrades in the middle of a year, of 366 days and of 365', async () => {
  await shop.advance('2028-07-31T12:00:00Z');
  await january.changeTo('team-year-usd');
  await shop.advance('2028-08-29T12:00:00Z');
  await leap.changeTo('team-year-usd');
  await shop.settled();
  // 184 of 366 days are left.
  expect(await january.bills()).toEqual([
    [
      'Unused time on Developer after 31 Jul 2028: −145.79 USD',
      'Remaining time on Team after 31 Jul 2028: 1000.44 USD',
      'total 854.65 USD',
    ],
  ]);
  // 183 of 365 days.
  expect(await leap.bills()).toEqual([
    [
      'Unused time on Developer after 29 Aug 2028: −145.40 USD',
      'Remaining time on Team after 29 Aug 2028: 997.73 USD',
      'total 852.33 USD',
    ],
  ]);
});

it('renews on the anniversary, and on the 29th again in the next leap year', async () => {
  shop.sandbox.faults.declineCharges('generic_decline', 1, await customerOf(leap.accountId));
  await shop.advance('2029-02-28T14:00:00Z');
  expect(await january.now()).toMatchObject({ status: 'ACTIVE', until: '2030-01-31T12:00:00.000Z' });
  expect(await leap.now()).toMatchObject({
    status: 'PAST_DUE',
    until: '2030-02-28T12:00:00.000Z',
    graceEndsAt: '2029-03-14T12:00:00.000Z',
  });
  await shop.advance('2029-03-04T00:00:00Z');
  expect(await leap.now()).toMatchObject({ status: 'ACTIVE' });
  const team = ['1 × Team (at $1,990.00 / year): 1990.00 USD', 'total 1990.00 USD'];
  expect(await january.bills()).toEqual([team]);
  expect(await leap.bills()).toEqual([team]);

  await january.changeTo('developer-year-usd');
  // More lines than Stripe shows of an invoice without being asked.
  const customer = await customerOf(january.accountId);
  const extras = Array.from({ length: 12 }, (_, n) => `Extra ${n + 1}`);
  for (const description of extras) {
    await stripe.invoiceItems.create({ customer, amount: 100, currency: 'usd', description });
  }
  await shop.advance('2030-01-31T14:00:00Z');
  expect(await january.now()).toMatchObject({ plan: 'developer', until: '2031-01-31T12:00:00.000Z' });
  const [renewal = [], ...others] = await january.bills();
  expect(others).toEqual([]);
  expect([...renewal].sort()).toEqual(
    [
      '1 × Developer (at $290.00 / year): 290.00 USD',
      ...extras.map((description) => `${description}: 1.00 USD`),
      'total 302.00 USD',
    ].sort(),
  );
  await january.cancel();
  await shop.advance('2031-02-28T14:00:00Z');
  expect(await january.now()).toEqual({ plan: 'free' });
  expect(await leap.now()).toMatchObject({ plan: 'team', until: '2032-02-29T12:00:00.000Z' });
  expect(await leap.bills()).toEqual([team, team]);
});

it('gives a trial to cards alone: other ways to pay are as many as one likes', async () => {
  const eve = await Subscriber.register(shop);
  const page = /cs_test_\w+/.exec(await eve.checkout('developer-month-eur'))?.[0] ?? '';
  expect((await stripe.checkout.sessions.retrieve(page)).payment_method_types).toEqual(['card']);
  const [line] = (await stripe.checkout.sessions.listLineItems(page)).data;
  const customer = await customerOf(eve.accountId);
  const { id: account } = await stripe.paymentMethods.create({
    type: 'sepa_debit',
    sepa_debit: { iban: 'AT611904300234573201' },
    billing_details: { name: 'Eve', email: 'eve@example.com' },
  });
  await stripe.paymentMethods.attach(account, { customer });
  await stripe.subscriptions.create({
    customer,
    items: [{ price: line?.price?.id ?? '' }],
    trial_period_days: 14,
    default_payment_method: account,
  });
  await shop.settled();
  const { data } = await stripe.subscriptions.list({ customer, status: 'all' });
  expect(data.map(({ status }) => status)).toEqual(['canceled']);
  expect((await shop.happened(eve.accountId)).at(-1)).toBe('PaidSubscriptionEnded');
});
