import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Stripe from 'stripe';
import { shownId } from '../../src/graphql/kit/ids.js';
import type { Logger } from '../../src/logger.js';
import { silentLogger } from '../../src/logger.js';
import { BuyCreditsDocument, CreditsDocument, InvoiceDifferencesDocument } from '../generated/graphql.js';
import type { Shop } from './shop.js';
import { openShop } from './shop.js';
import { Subscriber } from './subscriber.js';

const CREDITS = `
credits:
  meters: { requests: 1 }
  packs:
    - { id: calls, name: 1000 calls, credits: 1000, amount: 1000, currency: usd, months: 12 }
`;

let root: string;
let shop: Shop;
let stripe: Stripe;
let user: Subscriber;
/** The session of an operator. */
let operator: string;
const warnings: string[] = [];
const log: Logger = { ...silentLogger, warn: (message) => warnings.push(message) };
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tollgraph-differences-'));
  await cp('profiles', join(root, 'profiles'), { recursive: true });
  const file = join(root, 'profiles', 'specql.yaml');
  const profile = (await readFile(file, 'utf8')).replaceAll('    trialDays: 14\n', '');
  await writeFile(file, profile + CREDITS);
  shop = await openShop('2027-02-01T12:00:00Z', { root, log });
  stripe = new Stripe(shop.sandbox.apiKey, { ...shop.sandbox.client });
  user = await Subscriber.register(shop);
  const above = await shop.test.register();
  await shop.test.makeOperator(above);
  operator = above.token;
}, 60_000);
afterAll(async () => {
  await shop.close();
  await rm(root, { recursive: true, force: true });
});

/** What operators are told of invoices, the newest first: what differs, what it should be and what it is. */
async function differences(): Promise<string[][]> {
  const { data } = await shop.test.query(InvoiceDifferencesDocument, { first: 10 }, operator);
  const nodes = data?.operator?.invoiceDifferences?.nodes ?? [];
  return nodes.map(({ accountId, invoice, differences: found }) => [
    accountId,
    String(invoice.number),
    ...found.map(
      (one) => `${one.subject} ${String(one.expected.minorUnits)} ${String(one.actual.minorUnits)}`,
    ),
  ]);
}

async function counted(): Promise<string | undefined> {
  const text = await (await fetch(`${shop.test.app.url}/metrics`)).text();
  return /^tollgraph_invoice_differences_total (\d+)$/m.exec(text)?.[1];
}

const customer = async (): Promise<string> => (await stripe.customers.list()).data[0]?.id ?? '';

it('tells nobody of invoices that are as they should be', async () => {
  await user.subscribe('developer-month-usd');
  await shop.advance('2027-02-15T12:00:00Z');
  await user.changeTo('team-month-usd');
  await shop.advance('2027-03-01T14:00:00Z');
  expect(await user.bills()).toHaveLength(3);
  expect([await differences(), await counted()]).toEqual([[], '0']);
});

it('tells operators of one that bills another amount, by list, metric and log', async () => {
  shop.sandbox.faults.alterInvoices(100);
  await shop.advance('2027-04-01T14:00:00Z');
  expect(await user.bills()).toEqual([['1 × Team (at $199.00 / month): 200.00 USD', 'total 200.00 USD']]);
  const account = shownId('Account', user.accountId);
  const first = [account, 'TEST-SPECQL-2027-000004', 'PLAN 19900 20000'];
  expect(await differences()).toEqual([first]);
  expect(await counted()).toBe('1');
  const told = warnings.filter((line) => line.includes('differs'));
  expect(told).toEqual([expect.stringContaining(account)]);
  expect(told[0]).not.toContain('example.com');

  // What somebody adds at Stripe is explained by no event.
  const extra = { customer: await customer(), amount: 500, currency: 'usd', description: 'Extra' };
  await stripe.invoiceItems.create(extra);
  await shop.advance('2027-05-01T14:00:00Z');
  expect(await differences()).toEqual([[account, 'TEST-SPECQL-2027-000005', 'OTHER 0 500'], first]);
  // Recorded again it is told no second time.
  await shop.settled();
  expect(await counted()).toBe('2');
});

it('is no business of others', async () => {
  const { data } = await shop.test.query(InvoiceDifferencesDocument, { first: 10 }, user.token);
  expect(data?.operator ?? null).toBeNull();
});

async function credits(): Promise<unknown> {
  const { data } = await shop.test.query(CreditsDocument, {}, user.token);
  return data?.account?.credits?.available;
}

it('takes back credits whose payment was refunded in the dashboard, by and by', async () => {
  const { data } = await shop.test.query(BuyCreditsDocument, { input: { packId: 'calls' } }, user.token);
  const bought = data?.buyCredits;
  if (bought?.__typename !== 'BuyCreditsPayload' || bought.url == null) throw new Error('no page');
  expect((await shop.pay(bought.url)).status).toBe(303);
  await shop.settled();
  expect(await credits()).toBe('1000');

  const intents = await stripe.paymentIntents.list({ customer: await customer() });
  const payment = intents.data.find(({ amount }) => amount === 1000)?.id ?? '';
  await stripe.refunds.create({ payment_intent: payment, amount: 333 });
  await shop.settled();
  // 33.3 % of a thousand.
  expect(await credits()).toBe('667');
  await stripe.refunds.create({ payment_intent: payment, amount: 167 });
  await shop.settled();
  expect(await credits()).toBe('500');
  await stripe.refunds.create({ payment_intent: payment });
  await shop.settled();
  expect(await credits()).toBe('0');
});
