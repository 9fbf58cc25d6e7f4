import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Catalogue } from '../../src/admin/billing.js';
import { askProcess } from '../../src/cli/client.js';
import { InvoicesDocument, SubscriptionDocument, UpcomingInvoiceDocument } from '../generated/graphql.js';
import type { Shop } from './shop.js';
import { openShop } from './shop.js';
import { Subscriber } from './subscriber.js';

const COUPONS = `
coupons:
  - { id: SPRING-20, name: Spring, percentOff: 20, duration: repeating, months: 3, maxRedemptions: 2, plans: [developer] }
  - { id: WELCOME-5, name: Welcome, amountOff: 500, currency: usd, duration: once }
  - { id: LOYAL-10, name: Loyal, percentOff: 10, duration: forever, redeemBy: 2027-12-31T00:00:00Z }
  - { id: OLD-50, name: Old, percentOff: 50, duration: once, redeemBy: 2027-01-01T00:00:00Z }
  - { id: EURO-1, name: Euro, amountOff: 100, currency: eur, duration: once }
`;

let root: string;
let shop: Shop;
let ann: Subscriber;
let bob: Subscriber;
let dora: Subscriber;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tollgraph-coupons-'));
  await cp('profiles', join(root, 'profiles'), { recursive: true });
  const file = join(root, 'profiles', 'specql.yaml');
  const profile = (await readFile(file, 'utf8')).replaceAll('    trialDays: 14\n', '');
  await writeFile(file, profile + COUPONS);
  shop = await openShop('2027-02-01T12:00:00Z', { root });
  ann = await Subscriber.register(shop);
  bob = await Subscriber.register(shop);
  dora = await Subscriber.register(shop);
}, 60_000);
afterAll(async () => {
  await shop.close();
  await rm(root, { recursive: true, force: true });
});

/** The invoices of an account, the newest first: its lines, its discounts, and the total. */
async function bills({ token }: Subscriber, first = 1): Promise<string[][]> {
  const { data } = await shop.test.query(InvoicesDocument, { first }, token);
  const nodes = data?.account?.invoices?.nodes ?? [];
  return nodes.map(({ lines, discounts, total }) => [
    ...lines.map((line) => `${line.description}: ${String(line.total.minorUnits)}`),
    ...discounts.map((one) => `${one.name}, ${String(one.coupon)}: -${String(one.amount.minorUnits)}`),
    `total ${String(total.minorUnits)}`,
  ]);
}

const discountsOf = async ({ token }: Subscriber): Promise<unknown> =>
  (await shop.test.query(SubscriptionDocument, {}, token)).data?.account?.subscription?.discounts;

const sync = async (apply: boolean): Promise<string[]> => {
  const { entries } = (await askProcess(
    shop.test.place.dataDir,
    { command: 'stripe sync', args: { apply } },
    () => undefined,
  )) as Catalogue;
  return entries.flatMap(({ kind, id, state, detail }) =>
    kind === 'coupon' ? [`${id} ${state}: ${detail}`] : [],
  );
};

it('makes the coupons of the profile, those that are over left out, and makes none twice', async () => {
  const terms = [
    'SPRING-20 missing: 20 % off for 3 months, 2 times, for developer',
    'WELCOME-5 missing: 5.00 USD off once',
    'LOYAL-10 missing: 10 % off for ever, until 2027-12-31T00:00:00Z',
    'EURO-1 missing: 1.00 EUR off once',
  ];
  expect(await sync(false)).toEqual(terms);
  await sync(true);
  const current = terms.map((one) => one.replace('missing', 'current'));
  expect(await sync(true)).toEqual(current);
});

it('says why a coupon cannot be used, and asks Stripe for nothing then', async () => {
  const refused = async (price: string, coupon: string): Promise<string> => {
    const result = await ann.startCheckout(price, coupon);
    return result?.__typename === 'StartCheckoutPayload' ? 'a page' : (result?.code ?? '');
  };
  expect(await refused('developer-month-usd', 'NO-SUCH')).toBe('COUPON_UNKNOWN');
  expect(await refused('developer-month-usd', 'old-50')).toBe('COUPON_EXPIRED');
  expect(await refused('team-month-usd', 'SPRING-20')).toBe('COUPON_NOT_APPLICABLE');
  expect(await refused('developer-month-usd', 'EURO-1')).toBe('COUPON_NOT_APPLICABLE');
  expect(await ann.news()).toEqual([]);
});

it('takes the discount off the first invoice, and says it on the subscription and in the document', async () => {
  await ann.subscribe('developer-month-usd', undefined, ' spring-20 ');
  expect(await bills(ann)).toEqual([
    ['1 × Developer (at $29.00 / month): 2900', 'Spring, SPRING-20: -580', 'total 2320'],
  ]);
  expect(await discountsOf(ann)).toEqual([
    {
      coupon: 'SPRING-20',
      name: 'Spring',
      percentOff: 20,
      amountOff: null,
      endsAt: '2027-05-01T12:00:00.000Z',
    },
  ]);
  const next = await shop.test.query(UpcomingInvoiceDocument, {}, ann.token);
  expect(next.data?.account?.upcomingInvoice).toMatchObject({
    due: { minorUnits: '2320' },
    discounts: [{ coupon: 'SPRING-20', amount: { minorUnits: '580' } }],
  });
  const { data } = await shop.test.query(InvoicesDocument, { first: 1 }, ann.token);
  const id = data?.account?.invoices?.nodes[0]?.id ?? '';
  const page = await fetch(`${shop.test.app.url}/v1/invoices/${id}.html`, {
    headers: { authorization: `Bearer ${ann.token}` },
  });
  expect(await page.text()).toMatch(/Discount: Spring \(SPRING-20\)<\/th><th class="n">−5\.80 USD/);
});

it('lets so many redeem it, and no more', async () => {
  await bob.subscribe('developer-month-usd', '5555 5555 5555 4444', 'SPRING-20');
  expect(await dora.startCheckout('developer-month-usd', 'SPRING-20')).toMatchObject({
    __typename: 'InvalidInput',
    code: 'COUPON_USED_UP',
  });
  await dora.subscribe('team-month-usd', '3782 822463 10005');
});

it('takes a coupon with an upgrade, at the price that the preview has said', async () => {
  await shop.advance('2027-02-15T12:00:00Z');
  expect(await ann.changeTo('team-month-usd', 'WELCOME-5')).toMatchObject({ code: 'COUPON_NOT_APPLICABLE' });
  expect(await ann.preview('team-month-usd', 'SPRING-20')).toMatchObject({ code: 'COUPON_NOT_APPLICABLE' });
  // 14 of 28 days are left: half of 23.20 goes back, half of 199.00 less 10 % is due.
  expect(await ann.preview('team-month-usd', 'LOYAL-10')).toMatchObject({ due: { minorUnits: '7795' } });
  expect(await ann.changeTo('team-month-usd', 'LOYAL-10')).toMatchObject({
    __typename: 'SubscriptionPayload',
  });
  await shop.settled();
  expect(await bills(ann)).toEqual([
    [
      'Unused time on Developer after 15 Feb 2027: -1160',
      'Remaining time on Team after 15 Feb 2027: 8955',
      'total 7795',
    ],
  ]);
  expect(await discountsOf(ann)).toMatchObject([{ coupon: 'LOYAL-10', percentOff: 10, endsAt: null }]);
});

it('takes one with a change at the end of the period, and keeps what there is without one', async () => {
  // A coupon for one invoice is for the next whole period.
  expect(await dora.preview('developer-month-usd', 'WELCOME-5')).toMatchObject({
    effectiveAt: '2027-03-01T12:00:00.000Z',
    due: { minorUnits: '2400' },
    discount: { minorUnits: '500' },
  });
  await dora.changeTo('developer-month-usd', 'WELCOME-5');
  expect(await ann.preview('developer-month-usd')).toMatchObject({
    due: { minorUnits: '2610' },
    discount: { minorUnits: '290' },
  });
  await ann.changeTo('developer-month-usd');
  expect(await ann.changeTo('team-month-usd', 'LOYAL-10')).toMatchObject({ code: 'COUPON_NOT_APPLICABLE' });
  expect(await discountsOf(ann)).toMatchObject([{ coupon: 'LOYAL-10' }]);
  await shop.advance('2027-03-01T14:00:00Z');
  const developer = '1 × Developer (at $29.00 / month): 2900';
  expect(await bills(dora)).toEqual([[developer, 'Welcome, WELCOME-5: -500', 'total 2400']]);
  expect(await bills(ann)).toEqual([[developer, 'Loyal, LOYAL-10: -290', 'total 2610']]);
  expect(await discountsOf(dora)).toEqual([]);
});

it('ends with its months', async () => {
  await shop.advance('2027-05-01T14:00:00Z');
  const developer = '1 × Developer (at $29.00 / month): 2900';
  const discounted = [developer, 'Spring, SPRING-20: -580', 'total 2320'];
  const whole = [developer, 'total 2900'];
  expect(await bills(bob, 4)).toEqual([whole, discounted, discounted, discounted]);
  expect(await discountsOf(bob)).toEqual([]);
  expect(await bills(dora)).toEqual([whole]);
});
