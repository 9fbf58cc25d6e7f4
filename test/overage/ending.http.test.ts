import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Stripe from 'stripe';
import { billingDecider } from '../../src/billing/decide.js';
import { fold } from '../../src/eventsourcing/decider.js';
import { as } from '../../src/eventsourcing/event.js';
import type { OverageEvent } from '../../src/overage/events.js';
import { overageStream } from '../../src/overage/events.js';
import { subscriptionStream } from '../../src/plans/events.js';
import type { Shop } from '../billing/shop.js';
import { openShop } from '../billing/shop.js';
import { Subscriber } from '../billing/subscriber.js';
import { CancelSubscriptionDocument, InvoiceDifferencesDocument } from '../generated/graphql.js';

/**
 * What was used is billed, whenever and however a subscription ends, and however much it is. Pro includes 500 calls a
 * month; the next 200 cost 3 cents each, then 2.5.
 */
let shop: Shop;
let root: string;
let stripe: Stripe;
let operator: string;
let backEnd: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tollgraph-ending-'));
  await mkdir(join(root, 'profiles'));
  await copyFile(join('test', 'overage', 'example.yaml'), join(root, 'profiles', 'example.yaml'));
  shop = await openShop('2027-02-01T12:00:00Z', { root, env: { PROFILE: 'example' } });
  stripe = new Stripe(shop.sandbox.apiKey, { ...shop.sandbox.client });
  const above = await shop.test.customer('free');
  await shop.test.makeOperator(above);
  operator = above.token;
  backEnd = (await shop.test.issueKey(above.token, 'LIVE', ['ADMIN'])).secret;
}, 60_000);
afterAll(async () => {
  await shop.close();
  await rm(root, { recursive: true, force: true });
});

async function send(mutation: string, input: object, credential: string): Promise<unknown> {
  const type = `${mutation[0]?.toUpperCase() ?? ''}${mutation.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { ${mutation}(input: $input) { __typename } }`;
  const { data, errors } = await shop.test.raw(query, { input }, credential);
  if (errors) throw new Error(JSON.stringify(errors));
  return (data as Record<string, unknown>)[mutation];
}

let uses = 0;
async function use({ accountId }: Subscriber, quantity: number): Promise<string> {
  const useId = `use-${++uses}`;
  const one = { useId, accountId, meter: 'calls', quantity };
  expect(await send('recordUsage', { uses: [one] }, backEnd)).toEqual({ __typename: 'RecordUsagePayload' });
  await shop.test.caughtUp();
  return useId;
}

/** Somebody on Pro who pays for overage. */
async function subscriber(): Promise<Subscriber> {
  const user = await Subscriber.register(shop);
  await send('setOverage', { allowed: true }, user.token);
  await user.subscribe('pro-month-usd');
  await user.bills();
  return user;
}

async function known({ accountId }: Subscriber) {
  return fold(billingDecider, await shop.test.app.parts.commands.load(subscriptionStream(accountId)));
}

const subscriptionOf = async (user: Subscriber): Promise<string> =>
  (await known(user)).paid?.subscription ?? '';

async function cancelNow(user: Subscriber): Promise<void> {
  const input = { when: 'NOW' } as const;
  const { data } = await shop.test.query(CancelSubscriptionDocument, { input }, user.token);
  expect(data?.cancelSubscription).toMatchObject({ __typename: 'SubscriptionPayload', subscription: null });
  await shop.settled();
}

/** What was recorded of where its use is billed: on an invoice or not yet, and whether it had ended then. */
async function invoiced({ accountId }: Subscriber): Promise<string[]> {
  const events = await shop.test.app.parts.commands.load(overageStream(accountId));
  return events.flatMap((stored) => {
    const { type, data } = as<OverageEvent>(stored);
    if (type !== 'PeriodInvoiced') return [];
    return [`${data.invoice === null ? 'waits' : 'billed'}${data.ended === true ? ', ended' : ''}`];
  });
}

/** Issues and charges what Stripe has drafted, before use was put on it. */
async function payDraft(user: Subscriber): Promise<void> {
  const list = { subscription: await subscriptionOf(user), status: 'draft' } as const;
  const [draft] = (await stripe.invoices.list(list)).data;
  await stripe.invoices.pay(draft?.id ?? '');
}

async function differences(): Promise<unknown[]> {
  const { data } = await shop.test.query(InvoiceDifferencesDocument, { first: 10 }, operator);
  return (data?.operator?.invoiceDifferences?.nodes ?? []).map((one) => one.differences);
}

const PRO = '1 × Pro (at $99.00 / month): 99.00 USD';
const over = (calls: string, amount: string): string =>
  `${calls} × call above the 500 included: ${amount} USD`;
const HUNDRED = over('100', '3.00');

it('is billed where it is cancelled before the renewal is final, and the renewal is not', async () => {
  const early = await subscriber();
  const late = await subscriber();
  const { id: rate } = await stripe.taxRates.create({
    display_name: 'VAT',
    percentage: 19,
    inclusive: false,
  });
  await stripe.subscriptions.update(await subscriptionOf(late), { default_tax_rates: [rate] });
  await use(early, 600);
  await use(late, 567);
  const last = await use(late, 33);
  // Before its period is closed.
  await shop.advance('2027-03-01T12:10:00Z');
  await cancelNow(early);
  // Once what it came to stands on the draft.
  await shop.advance('2027-03-01T12:35:00Z');
  expect(await invoiced(late)).toEqual(['billed']);
  await cancelNow(late);
  expect(await invoiced(late)).toEqual(['billed', 'billed, ended']);
  await shop.advance('2027-03-01T16:00:00Z');
  expect(await early.bills()).toEqual([[HUNDRED, 'total 3.00 USD']]);
  // With the tax of the subscription.
  expect(await late.bills()).toEqual([[HUNDRED, 'total 3.57 USD']]);

  // The tax that comes back is Stripe's figure.
  const input = { accountId: late.accountId, useId: last, reason: 'counted twice' };
  expect(await send('correctUsage', input, backEnd)).toEqual({ __typename: 'CorrectUsagePayload' });
  await shop.settled();
  const { customer = '' } = await known(late);
  const notes = (await stripe.creditNotes.list({ customer })).data;
  expect(notes.map(({ total, total_taxes: taxes }) => [total, taxes?.map(({ amount }) => amount)])).toEqual([
    [118, [19]],
  ]);
});

it('is billed where it waited for the next invoice, whoever ends the subscription', async () => {
  const now = await subscriber();
  const planned = await subscriber();
  const deleted = await subscriber();
  const all = [now, planned, deleted];
  for (const user of all) await use(user, 600);
  await shop.advance('2027-04-01T16:10:00Z');
  for (const user of all) await payDraft(user);
  await shop.advance('2027-04-01T16:35:00Z');
  for (const user of all) {
    expect(await invoiced(user)).toEqual(['waits']);
    expect(await user.bills()).toEqual([[PRO, 'total 99.00 USD']]);
  }
  await cancelNow(now);
  await planned.cancel();
  await stripe.subscriptions.cancel(await subscriptionOf(deleted));
  await shop.settled();
  await shop.advance('2027-04-01T20:00:00Z');
  for (const user of [now, deleted]) {
    expect(await user.bills()).toEqual([[HUNDRED, 'total 3.00 USD']]);
    expect((await invoiced(user)).slice(0, 2)).toEqual(['waits', 'billed, ended']);
  }
  expect(await planned.bills()).toEqual([]);
  await use(planned, 520);
  await shop.advance('2027-05-01T16:35:00Z');
  await shop.advance('2027-05-01T20:00:00Z');
  expect(await planned.bills()).toEqual([[HUNDRED, over('20', '0.60'), 'total 3.60 USD']]);
  for (const user of all) {
    const { customer = '' } = await known(user);
    const items = (await stripe.invoiceItems.list({ customer })).data;
    expect(items.filter(({ invoice }) => invoice === null)).toEqual([]);
  }
});

it('is divided where it is more than one payment can be, and comes to the same', async () => {
  const user = await subscriber();
  // 200 at 3 cents and 59,999,300 at 2.5: 1,499,988.50 USD.
  await use(user, 60_000_000);
  await shop.advance('2027-06-01T20:35:00Z');
  await shop.advance('2027-06-02T00:00:00Z');
  const part = (n: number, amount: string): string[] => [
    `59,999,500 × call above the 500 included (part ${n} of 3): ${amount} USD`,
    `total ${amount} USD`,
  ];
  expect(await user.bills()).toEqual([
    [PRO, 'total 99.00 USD'],
    part(1, '499996.18'),
    part(2, '499996.16'),
    part(3, '499996.16'),
  ]);
  const { data } = await shop.test.raw(
    '{ account { invoices(first: 4) { nodes { status lines { kind quantity } } } } }',
    {},
    user.token,
  );
  const { account } = data as { account: { invoices: { nodes: { status: string }[] } } };
  expect(account.invoices.nodes.map(({ status }) => status)).toEqual(['PAID', 'PAID', 'PAID', 'PAID']);
  expect(
    JSON.stringify(account)
      .match(/"kind":"USAGE","quantity":"\d+"/g)
      ?.sort(),
  ).toEqual([
    '"kind":"USAGE","quantity":"0"',
    '"kind":"USAGE","quantity":"0"',
    '"kind":"USAGE","quantity":"59999500"',
  ]);
  expect(await differences()).toEqual([]);
});
