import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Stripe from 'stripe';
import type { Catalogue } from '../../src/admin/billing.js';
import { askProcess } from '../../src/cli/client.js';
import { shownId } from '../../src/graphql/kit/ids.js';
import { subscriptionStream } from '../../src/plans/events.js';
import {
  AgreedPricesDocument,
  InvoiceDifferencesDocument,
  OperatorAccountDocument,
  OperatorAgreePriceDocument,
  OperatorRevenueDocument,
  OperatorWithdrawPriceDocument,
  PricesDocument,
} from '../generated/graphql.js';
import type { Shop } from './shop.js';
import { openShop } from './shop.js';
import { Subscriber } from './subscriber.js';

const COUPONS = `
coupons:
  - { id: LOYAL-10, name: Loyal, percentOff: 10, duration: forever }
`;
/** Larger than all others, and without a price of its own. */
const OWN_PRICES = /prices:\n {6}- \{ interval: month, amount: 99900.*\n.*999000.*\n/;

let root: string;
let shop: Shop;
let stripe: Stripe;
let corp: Subscriber;
let other: Subscriber;
/** The session of an operator. */
let operator: string;
/** What corp has been agreed. */
let priceId: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tollgraph-agreed-'));
  await cp('profiles', join(root, 'profiles'), { recursive: true });
  const file = join(root, 'profiles', 'specql.yaml');
  const profile = (await readFile(file, 'utf8')).replaceAll('    trialDays: 14\n', '');
  if (!OWN_PRICES.test(profile)) throw new Error('the largest plan has other prices');
  await writeFile(file, profile.replace(OWN_PRICES, 'prices: []\n') + COUPONS);
  shop = await openShop('2027-02-01T12:00:00Z', { root });
  stripe = new Stripe(shop.sandbox.apiKey, { ...shop.sandbox.client });
  corp = await Subscriber.register(shop);
  other = await Subscriber.register(shop);
  const above = await shop.test.register();
  await shop.test.makeOperator(above);
  operator = above.token;
}, 60_000);
afterAll(async () => {
  await shop.close();
  await rm(root, { recursive: true, force: true });
});

const accountOf = (one: Subscriber): string => shownId('Account', one.accountId);

async function agree(accountId: string, over: object = {}, as = operator) {
  const terms = { planId: 'enterprise', interval: 'MONTH', minorUnits: 49_000, currency: 'USD' } as const;
  const input = { accountId, ...terms, reason: 'contract 17', ...over };
  return (await shop.test.query(OperatorAgreePriceDocument, { input }, as)).data?.operatorAgreePrice;
}

async function agreed(one: Subscriber, over: object = {}): Promise<string> {
  const result = await agree(accountOf(one), over);
  if (result?.__typename !== 'OperatorPricePayload' || !result.price) throw new Error(JSON.stringify(result));
  return result.price.id;
}

async function withdraw(one: Subscriber, price: string) {
  const input = { accountId: accountOf(one), priceId: price, reason: 'over' };
  const { data } = await shop.test.query(OperatorWithdrawPriceDocument, { input }, operator);
  return data?.operatorWithdrawPrice;
}

async function pricesOf({ token }: Subscriber): Promise<string[]> {
  const { data } = await shop.test.query(PricesDocument, {}, token);
  return (data?.prices ?? []).map(({ id }) => id);
}

/** How often the stream of an account's subscription is read meanwhile. */
async function readsOf({ accountId }: Subscriber, work: () => Promise<unknown>): Promise<number> {
  const { store } = shop.test.app.parts;
  const read = store.readStream.bind(store);
  let count = 0;
  store.readStream = (stream, range) => {
    if (stream === subscriptionStream(accountId)) count++;
    return read(stream, range);
  };
  try {
    await work();
    return count;
  } finally {
    store.readStream = read;
  }
}

/** What operators see to be agreed, the newest first, and whether there is more. */
async function listed(variables: object, as = operator) {
  const { data } = await shop.test.query(AgreedPricesDocument, { first: 50, ...variables }, as);
  const { nodes, pageInfo } = data?.operator?.agreedPrices ?? {};
  const texts = nodes?.map(
    ({ accountId, price, reason, withdrawnAt }) =>
      `${accountId} ${price.plan.id} ${price.interval} ${String(price.amount.minorUnits)}: ${reason}` +
      (withdrawnAt === null ? '' : ', withdrawn'),
  );
  return { texts, ids: nodes?.map(({ price }) => price.id), pageInfo };
}

async function mrr(): Promise<unknown> {
  const to = new Date(shop.sandbox.now()).toISOString();
  const { data } = await shop.test.query(OperatorRevenueDocument, { to }, operator);
  return data?.operator?.revenue?.map(({ mrr: all }) => all.minorUnits);
}

/** What is at Stripe beside the profile's own prices. */
async function sync(apply: boolean): Promise<{ missing: number; others: string[] }> {
  const { entries } = (await askProcess(
    shop.test.place.dataDir,
    { command: 'stripe sync', args: { apply } },
    () => undefined,
  )) as Catalogue;
  const missing = entries.filter(({ state }) => state === 'missing').length;
  const others = entries.filter(({ state }) => state !== 'missing' && state !== 'current');
  return { missing, others: others.map(({ id, state, detail }) => `${id} ${state}: ${detail}`) };
}

const MONTH = '1 × Enterprise (at $490.00 / month): 490.00 USD';

it('is agreed by operators, for plans that there are and amounts that can be charged', async () => {
  const account = accountOf(corp);
  expect(await agree(account, { planId: 'gold' })).toMatchObject({ code: 'PLAN_UNKNOWN' });
  for (const minorUnits of [-1, 0, 49, 100_000_000]) {
    expect(await agree(account, { minorUnits })).toMatchObject({ code: 'INVALID_INPUT' });
  }
  for (const currency of ['XYZ', 'EUR', '']) {
    expect(await agree(account, { currency })).toMatchObject({
      code: 'INVALID_INPUT',
      message: 'The currency must be one of the profile’s: usd.',
    });
  }
  expect(await agree(shownId('Account', randomUUID()))).toMatchObject({ code: 'NOT_FOUND' });
  expect((await agree(account, {}, corp.token)) ?? null).toBeNull();
  expect(await corp.news()).toEqual([]);

  const commandId = randomUUID();
  priceId = await agreed(corp, { commandId });
  expect(await agree(account, { commandId })).toMatchObject({
    price: { id: priceId, plan: { id: 'enterprise' }, interval: 'MONTH', amount: { minorUnits: '49000' } },
    replayed: true,
  });
  expect(await agree(account, { commandId, minorUnits: 1_000 })).toMatchObject({ code: 'COMMAND_ID_REUSED' });
  expect(await corp.news()).toEqual(['PriceAgreed']);
});

it('is offered to that account alone, and without a coupon', async () => {
  expect(await pricesOf(corp)).toContain(priceId);
  expect(await pricesOf(other)).not.toContain(priceId);
  // Nobody reads a history for it, however long it is.
  expect(await readsOf(corp, () => pricesOf(corp))).toBe(0);
  expect(await other.startCheckout(priceId)).toMatchObject({ code: 'PRICE_UNKNOWN' });
  expect(await corp.startCheckout(priceId, 'LOYAL-10')).toMatchObject({ code: 'COUPON_NOT_APPLICABLE' });
});

it('is what the account pays, with each renewal too', async () => {
  await corp.subscribe(priceId);
  expect(await corp.now()).toEqual({
    plan: 'enterprise',
    status: 'ACTIVE',
    pays: '49000 USD',
    until: '2027-03-01T12:00:00.000Z',
  });
  expect(await corp.bills()).toEqual([[MONTH, 'total 490.00 USD']]);
  for (const renewed of ['2027-03-01T14:00:00Z', '2027-04-01T14:00:00Z']) {
    await shop.advance(renewed);
    expect(await corp.bills()).toEqual([[MONTH, 'total 490.00 USD']]);
  }
  expect(await mrr()).toEqual(['49000']);
  // Each of them is what our own events say.
  const { data } = await shop.test.query(InvoiceDifferencesDocument, { first: 10 }, operator);
  expect(data?.operator?.invoiceDifferences?.nodes).toEqual([]);
});

it('is left alone where prices are made at Stripe, and is made once', async () => {
  const entry = `${priceId} agreed: 490.00 USD a month`;
  expect((await sync(true)).others).toEqual([entry]);
  expect(await sync(true)).toEqual({ missing: 0, others: [entry] });
  const { data } = await stripe.prices.list({ product: 'tollgraph-specql-enterprise' });
  expect(data.map(({ unit_amount, active }) => [unit_amount, active])).toEqual([[49_000, true]]);
});

it('is kept by who pays it once it is withdrawn, by way of a change that is taken back', async () => {
  expect(await withdraw(other, priceId)).toMatchObject({ code: 'NOT_FOUND' });
  expect(await withdraw(corp, priceId)).toMatchObject({ accountId: accountOf(corp), price: null });
  expect(await withdraw(corp, priceId)).toMatchObject({ code: 'NOT_FOUND' });
  expect(await pricesOf(corp)).not.toContain(priceId);
  // A smaller plan still waits for the end of the period, and is no upgrade.
  await corp.changeTo('team-month-usd');
  expect(await corp.now()).toMatchObject({ plan: 'enterprise', next: 'team, CONFIRMED' });
  expect(await corp.changeTo(priceId)).toMatchObject({ subscription: { pendingChange: null } });
  await shop.advance('2027-05-01T14:00:00Z');
  expect(await corp.bills()).toEqual([[MONTH, 'total 490.00 USD']]);
  expect(await corp.now()).toMatchObject({ plan: 'enterprise', until: '2027-06-01T12:00:00.000Z' });
});

it('is changed to from a plan of everybody’s, at what the preview has said', async () => {
  await other.subscribe('team-month-usd', undefined, 'LOYAL-10');
  await other.bills();
  const own = await agreed(other);
  // Half of the month is left: 31 days from 1 May. The coupon from before takes nothing off what was agreed.
  await shop.advance('2027-05-17T02:00:00Z');
  expect(await other.preview(own)).toMatchObject({ due: { minorUnits: '15545', currency: 'USD' } });
  expect(await other.changeTo(own)).toMatchObject({
    subscription: { plan: { id: 'enterprise' }, status: 'ACTIVE' },
  });
  await shop.settled();
  expect((await other.bills()).map((lines) => lines.at(-1))).toEqual(['total 155.45 USD']);
  expect(await mrr()).toEqual(['98000']);
});

it('that is lower than what is paid for the same comes when the period is over', async () => {
  const lower = await agreed(other, { minorUnits: 30_000 });
  expect(await other.preview(lower)).toMatchObject({ due: { minorUnits: '30000' } });
  await other.changeTo(lower);
  // A coupon that is redeemed on the way there goes with the price that it is for.
  const third = await Subscriber.register(shop);
  await third.subscribe('team-month-usd', undefined, 'LOYAL-10');
  const least = await agreed(third, { planId: 'team', minorUnits: 15_000 });
  expect(await third.preview(least)).toMatchObject({ due: { minorUnits: '15000' } });
  await third.changeTo(least);
  await third.bills();
  expect(await other.now()).toMatchObject({ pays: '49000 USD', next: 'enterprise, CONFIRMED' });
  await shop.advance('2027-06-01T16:00:00Z');
  expect(await other.now()).toEqual({
    plan: 'enterprise',
    status: 'ACTIVE',
    pays: '30000 USD',
    until: '2027-07-01T14:00:00.000Z',
  });
  expect(await other.bills()).toEqual([
    ['1 × Enterprise (at $300.00 / month): 300.00 USD', 'total 300.00 USD'],
  ]);
  await shop.advance('2027-06-18T16:00:00Z');
  expect((await third.bills()).map((lines) => lines.at(-1))).toEqual(['total 150.00 USD']);
  expect(await mrr()).toEqual(['94000']);
});

it('can’t be paid on a page that was open when it was withdrawn', async () => {
  const late = await Subscriber.register(shop);
  const own = await agreed(late, { interval: 'YEAR', minorUnits: 480_000 });
  const url = await late.checkout(own);
  expect(await withdraw(late, own)).toMatchObject({ price: null });
  expect((await shop.pay(url)).status).not.toBe(303);
  await shop.settled();
  expect(await late.now()).toEqual({ plan: 'free' });
  expect((await late.news()).slice(-2)).toEqual(['AgreedPriceWithdrawn', 'CheckoutEnded']);
});

it('stands in the audit log, with who agreed it, why, and which it is', async () => {
  const { data } = await shop.test.query(
    OperatorAccountDocument,
    { id: accountOf(corp), first: 50 },
    operator,
  );
  const all = data?.operator?.account?.auditLog?.nodes ?? [];
  const nodes = all.filter(({ action }) => /Price/.test(action));
  expect(nodes.map(({ action, reason, subject }) => [action, reason, subject])).toEqual([
    ['AgreedPriceWithdrawn', 'over', `price:${priceId}`],
    ['PriceAgreed', 'contract 17', `price:${priceId}`],
  ]);
  expect(nodes.every(({ actor }) => actor.asOperator)).toBe(true);
});

it('is listed for operators: of all accounts or one, withdrawn or not', async () => {
  const [first, second] = [accountOf(corp), accountOf(other)];
  const { texts = [], ids } = await listed({});
  expect(texts.map((text) => text.replace(/^acc_\S+ /, ''))).toEqual([
    'enterprise YEAR 480000: contract 17, withdrawn',
    'team MONTH 15000: contract 17',
    'enterprise MONTH 30000: contract 17',
    'enterprise MONTH 49000: contract 17',
    'enterprise MONTH 49000: contract 17, withdrawn',
  ]);
  expect(ids?.at(-1)).toBe(priceId);
  const others = [
    `${second} enterprise MONTH 30000: contract 17`,
    `${second} enterprise MONTH 49000: contract 17`,
  ];
  const corps = [`${first} enterprise MONTH 49000: contract 17, withdrawn`];
  expect((await listed({ filter: { accountId: second } })).texts).toEqual(others);
  expect((await listed({ filter: { accountId: first } })).texts).toEqual(corps);
  expect((await listed({ filter: { accountId: first, withdrawn: false } })).texts).toEqual([]);
  expect((await listed({ filter: { accountId: second, withdrawn: false } })).texts).toEqual(others);
  expect((await listed({ filter: { withdrawn: true } })).texts).toEqual([texts[0], texts[4]]);
  // In pages.
  const page = await listed({ first: 3 });
  expect([page.texts, page.pageInfo?.hasNextPage]).toEqual([texts.slice(0, 3), true]);
  const rest = await listed({ first: 3, after: page.pageInfo?.endCursor });
  expect([rest.texts, rest.pageInfo?.hasNextPage]).toEqual([texts.slice(3), false]);
  expect((await listed({}, corp.token)).texts).toBeUndefined();
});
