import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Stripe from 'stripe';
import { shownId } from '../../src/graphql/kit/ids.js';
import type { Logger } from '../../src/logger.js';
import { silentLogger } from '../../src/logger.js';
import type { MailEvent } from '../../src/mail/events.js';
import { creditStream } from '../../src/credits/events.js';
import { as } from '../../src/eventsourcing/event.js';
import { allEvents } from '../crash/facts.js';
import {
  BuyCreditsDocument,
  CreditsDocument,
  DisputesDocument,
  InvoiceDifferencesDocument,
  OperatorRevenueDocument,
} from '../generated/graphql.js';
import type { Shop } from './shop.js';
import { openShop } from './shop.js';
import { Subscriber } from './subscriber.js';

const CREDITS = `
credits:
  meters: { requests: 1 }
  packs:
    - { id: calls, name: 1000 calls, credits: 1000, amount: 1000, currency: usd, months: 12 }
    - { id: euros, name: 500 calls, credits: 500, amount: 500, currency: eur, months: 12 }
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

/** A page of the product, wherever it is told to be. */
function visit(location: string | null): Promise<Response> {
  const { pathname, search } = new URL(location ?? '');
  return fetch(`${shop.test.app.url}${pathname}${search}`);
}

const customer = async (): Promise<string> => (await stripe.customers.list()).data[0]?.id ?? '';

it('tells nobody of invoices that are as they should be', async () => {
  const { headers } = await shop.pay(await user.checkout('developer-month-usd'));
  await shop.settled();
  // Where the customer is sent: a page for people, and not the playground.
  const page = await visit(headers.get('location'));
  const text = await page.text();
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  expect(text).toContain('29.00 USD are paid: Developer.');
  const link = /href="(\/checkout\/invoice[^"]*)"/.exec(text)?.[1] ?? '';
  const invoice = await (await fetch(`${shop.test.app.url}${link}`)).text();
  expect(invoice).toContain('TEST-SPECQL-2027-000001');
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

it('says what use above a limit costs, by the block', async () => {
  const query = '{ account { plan { id overagePrices { limit meter currency blockSize mode tiers } } } }';
  const { data, errors } = await shop.test.raw(query, {}, user.token);
  expect(errors).toBeUndefined();
  const { plan } = (data as { account: { plan: { id: string; overagePrices: unknown[] } } }).account;
  expect(plan.id).toBe('team');
  expect(plan.overagePrices).toEqual([
    {
      limit: 'requests-month',
      meter: 'requests',
      currency: 'USD',
      blockSize: '1000',
      mode: 'GRADUATED',
      tiers: ['further blocks: 150'],
    },
  ]);
});

async function credits(): Promise<unknown> {
  const { data } = await shop.test.query(CreditsDocument, {}, user.token);
  return data?.account?.credits?.available;
}

it('takes back credits whose payment was refunded in the dashboard, by and by', async () => {
  const paid = await shop.pay(await pageOf('calls'));
  expect(paid.status).toBe(303);
  await shop.settled();
  expect(await credits()).toBe('1000');
  const page = await (await visit(paid.headers.get('location'))).text();
  expect(page).toContain('10.00 USD are paid: 1,000 credits.');

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

/** The page on which a pack is bought. */
async function pageOf(packId: string): Promise<string> {
  const { data } = await shop.test.query(BuyCreditsDocument, { input: { packId } }, user.token);
  const bought = data?.buyCredits;
  if (bought?.__typename !== 'BuyCreditsPayload' || bought.url == null) throw new Error('no page');
  return bought.url;
}

/** Buys a pack. @returns the payment */
async function buy(packId: string, card?: string): Promise<{ readonly payment: string }> {
  expect((await shop.pay(await pageOf(packId), card)).status).toBe(303);
  await shop.settled();
  const intents = await stripe.paymentIntents.list({ customer: await customer() });
  return { payment: intents.data.find(({ status }) => status === 'succeeded')?.id ?? '' };
}

/** Calls of Stripe that its library lacks. */
async function post(path: string, form: Record<string, string>): Promise<{ readonly id: string }> {
  const response = await fetch(`${shop.sandbox.address}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${shop.sandbox.apiKey}` },
    body: new URLSearchParams(form),
  });
  return (await response.json()) as { id: string };
}

async function revenue(): Promise<{ disputed: string; refunds: string }> {
  const { data } = await shop.test.query(OperatorRevenueDocument, { from: '2020-01-01T00:00:00Z' }, operator);
  const usd = data?.operator?.revenue?.find(({ currency }) => currency === 'USD');
  return { disputed: String(usd?.disputed.minorUnits), refunds: String(usd?.refunds.minorUnits) };
}

/** The kinds of mails that were asked for, in their order, of those that begin so. */
async function mailed(prefix: string): Promise<string[]> {
  const all = await allEvents(shop.test.app.parts.store);
  return all.flatMap((stored) => {
    const { type, data } = as<MailEvent>(stored);
    return type === 'MailRequested' && data.kind.startsWith(prefix) ? [data.kind] : [];
  });
}

describe('a payment that is disputed', () => {
  /** What operators see of disputes, the newest first. */
  async function disputes(): Promise<unknown[]> {
    const { data } = await shop.test.query(DisputesDocument, { first: 10 }, operator);
    return (data?.operator?.disputes?.nodes ?? []).map((one) => [
      one.purchase,
      one.status,
      one.amount.minorUnits,
      one.accountId,
    ]);
  }

  const topUp = async (): Promise<unknown> => {
    const { account } = (
      await shop.test.raw('{ account { credits { balance blocked topUp { stopped } } } }', {}, user.token)
    ).data as { account: { credits: unknown } };
    return account.credits;
  };

  let account: string;
  let payment: string;
  beforeAll(() => {
    account = shownId('Account', user.accountId);
  });

  it('takes back the credits that it has bought, those too that were spent, and tells operators', async () => {
    const { refunds } = await revenue();
    ({ payment } = await buy('calls'));
    expect(await credits()).toBe('1000');
    await shop.test.raw(
      'mutation { setCreditTopUp(input: { packId: "calls", below: 10, maxPerMonth: 3 }) { __typename } }',
      {},
      user.token,
    );
    // They come in any order, and more than once.
    shop.sandbox.faults.disturbDeliveries('reordered', 1, 'charge.dispute.created');
    shop.sandbox.faults.disturbDeliveries('duplicated', 1, 'charge.dispute.funds_withdrawn');
    await shop.sandbox.dispute(payment);
    await shop.settled();
    expect(await disputes()).toEqual([['CREDITS', 'OPEN', '1000', account]]);
    expect(await credits()).toBe('0');
    // Nothing is charged again by itself.
    expect(await topUp()).toMatchObject({ balance: '0', topUp: { stopped: true } });
    expect(await mailed('dispute-')).toEqual(['dispute-opened']);
    expect(await revenue()).toEqual({ disputed: '1000', refunds });
    expect(warnings.filter((line) => line.includes('operator.disputes'))).toHaveLength(1);
  });

  it('gives them back once it is won', async () => {
    await shop.sandbox.dispute(payment, 'won');
    await shop.settled();
    expect(await disputes()).toEqual([['CREDITS', 'WON', '1000', account]]);
    expect(await credits()).toBe('1000');
    expect(await mailed('dispute-')).toEqual(['dispute-opened', 'dispute-won']);
    expect((await revenue()).disputed).toBe('0');
  });

  it('leaves the plan as it is where it was for an invoice, and is lost unless it is answered', async () => {
    const { data } = await stripe.charges.list({ customer: await customer() });
    const charge = data.find(({ amount }) => amount === 20_000);
    await shop.sandbox.dispute(charge?.payment_intent as string);
    await shop.settled();
    expect((await disputes())[0]).toEqual(['INVOICE', 'OPEN', '20000', account]);
    expect(await user.now()).toMatchObject({ plan: 'team', status: 'ACTIVE' });
    await shop.advance('8d');
    expect((await disputes())[0]).toEqual(['INVOICE', 'LOST', '20000', account]);
    expect((await revenue()).disputed).toBe('20000');
    expect(await mailed('dispute-')).toEqual([
      'dispute-opened',
      'dispute-won',
      'dispute-opened',
      'dispute-lost',
    ]);
  });

  it('is shown while the bank only asks, and takes nothing until it is a dispute', async () => {
    const before = [await credits(), await revenue()];
    const newest = async () => (await disputes())[0];
    await shop.sandbox.dispute((await buy('calls')).payment, 'inquiry');
    await shop.settled();
    const bought = String(Number(before[0]) + 1000);
    expect([await newest(), await credits()]).toEqual([['CREDITS', 'INQUIRY', '1000', account], bought]);
    expect(warnings.filter((line) => line.includes('a bank asks'))).toHaveLength(1);
    // Nobody has answered for four months.
    await shop.advance('121d');
    expect([await newest(), await credits()]).toEqual([
      ['CREDITS', 'INQUIRY_CLOSED', '1000', account],
      bought,
    ]);
    const { payment: other } = await buy('calls');
    await shop.sandbox.dispute(other, 'inquiry');
    await shop.settled();
    await shop.sandbox.dispute(other);
    await shop.settled();
    expect([await newest(), await credits()]).toEqual([['CREDITS', 'OPEN', '1000', account], bought]);
    await shop.sandbox.dispute(other, 'won');
    await shop.settled();
    expect([await newest(), await revenue()]).toEqual([['CREDITS', 'WON', '1000', account], before[1]]);
    expect((await mailed('inquiry-')).length).toBe(2);
  });

  it('takes back no more than was paid, where a part had been refunded before', async () => {
    const before = await revenue();
    const balance = async (): Promise<number> => Number(((await topUp()) as { balance: string }).balance);
    const owned = await balance();
    const { data } = await shop.test.query(BuyCreditsDocument, { input: { packId: 'calls' } }, user.token);
    const bought = data?.buyCredits;
    if (bought?.__typename !== 'BuyCreditsPayload' || bought.url == null) throw new Error('no page');
    expect((await shop.pay(bought.url)).status).toBe(303);
    await shop.settled();
    const charges = (await stripe.charges.list({ customer: await customer() })).data;
    const charge = charges.find(({ amount, disputed }) => amount === 1000 && !disputed);
    await stripe.refunds.create({ charge: charge?.id ?? '', amount: 400 });
    await shop.settled();
    expect(await balance()).toBe(owned + 600);
    // The bank takes all of it back, and knows nothing of the refund as yet.
    await shop.sandbox.dispute(charge?.payment_intent as string);
    await shop.settled();
    expect((await disputes())[0]).toEqual(['CREDITS', 'OPEN', '1000', account]);
    expect(await balance()).toBe(owned);
    const after = await revenue();
    const more = (name: 'disputed' | 'refunds'): number => Number(after[name]) - Number(before[name]);
    expect([more('refunds'), more('disputed')]).toEqual([400, 600]);
    await shop.sandbox.dispute(charge?.payment_intent as string, 'won');
    await shop.settled();
    expect([await balance(), (await revenue()).disputed]).toEqual([owned + 600, before.disputed]);
  });

  it('is no business of others', async () => {
    const { data } = await shop.test.query(DisputesDocument, { first: 10 }, user.token);
    expect(data?.operator ?? null).toBeNull();
  });
});

it('grants what is paid by direct debit once the bank has paid, and nothing where it refuses', async () => {
  const before = Number(await credits());
  const payBy = async (iban: string): Promise<void> => {
    const page = /cs_test_\w+/.exec(await pageOf('euros'))?.[0] ?? '';
    const method = await post('/v1/payment_methods', { type: 'sepa_debit', 'sepa_debit[iban]': iban });
    const paid = await post(`/v1/payment_pages/${page}/confirm`, { payment_method: method.id });
    expect(paid).toMatchObject({ status: 'complete', payment_status: 'unpaid' });
    await shop.settled();
    expect(Number(await credits())).toBe(before);
    await shop.advance('3m');
  };
  await payBy('AT051904300235473205');
  expect(Number(await credits())).toBe(before);
  await payBy('AT321904300235473204');
  expect(Number(await credits())).toBe(before + 500);
  // Nobody asks for the other one again.
  const { commands } = shop.test.app.parts;
  const history = await commands.load(creditStream(user.accountId));
  expect(history.filter(({ type }) => type === 'CreditPurchaseEnded').map(({ data }) => data)).toContainEqual(
    expect.objectContaining({ how: 'failed' }),
  );
});

it('gives credits back where the refund of their payment fails, and tells operators', async () => {
  const before = Number(await credits());
  const { payment } = await buy('calls', '4000 0000 0000 5126');
  const { id } = await stripe.refunds.create({ payment_intent: payment });
  await shop.settled();
  const { refunds } = await revenue();
  expect(Number(await credits())).toBe(before);
  await shop.advance('1m');
  expect(Number(await credits())).toBe(before + 1000);
  expect(Number((await revenue()).refunds)).toBe(Number(refunds) - 1000);
  expect(warnings.filter((line) => line.includes(id))).toHaveLength(1);
  expect(await mailed('refund-')).toEqual(['refund-failed']);
  const query = '{ operator { auditLog(first: 50) { nodes { action subject reason } } } }';
  const { data } = await shop.test.raw(query, {}, operator);
  const { nodes } = (data as { operator: { auditLog: { nodes: unknown[] } } }).operator.auditLog;
  expect(nodes).toContainEqual({
    action: 'RefundFailed',
    subject: `refund:${id}`,
    reason: 'expired_or_canceled_card',
  });
  // It is given back once more, by another way.
  await stripe.refunds.create({ payment_intent: payment, amount: 500 });
  await shop.settled();
  expect(Number(await credits())).toBe(before + 500);
});
