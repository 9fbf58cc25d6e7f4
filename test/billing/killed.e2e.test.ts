import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import Stripe from 'stripe';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import type { BillingCommand, Offer } from '../../src/billing/decide.js';
import type { BillingState } from '../../src/billing/state.js';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { startSandbox } from '../../src/sandbox/sandbox.js';
import type { DieBilling } from '../process/dieBilling.js';
import { billingOn } from '../process/dieBilling.js';
import type { Place } from '../support/database.js';
import { freshPlace, freshSql, openSql } from '../support/database.js';

const ENTRY = fileURLToPath(new URL('../process/dieBilling.js', import.meta.url));
const offer = (plan: string, amount: number): Offer => ({
  id: `${plan}-month-usd`,
  plan,
  interval: 'month',
  amount,
  currency: 'usd',
  trialDays: undefined,
});
const OFFERS = [offer('developer', 2_900), offer('team', 19_900)];
const PLANS = OFFERS.map(({ plan }) => plan);

let database: Awaited<ReturnType<typeof freshSql>>;
let place: Place;
let sandbox: Sandbox;
let stripe: Stripe;
beforeAll(async () => {
  database = await freshSql();
  place = await freshPlace();
  const began = Date.now();
  sandbox = await startSandbox({ sql: database.sql, clock: () => began });
  stripe = new Stripe(sandbox.apiKey, { ...sandbox.client });
});
afterAll(async () => {
  await sandbox.close();
  await place.remove();
  await database.remove();
});

const shared = (): Pick<DieBilling, 'stripe' | 'offers'> => ({
  stripe: { apiKey: sandbox.apiKey, ...sandbox.client },
  offers: OFFERS,
});

/** Asks for something in a process that is killed at an append. */
async function killed(
  accountId: string,
  command: BillingCommand,
  [when, type]: readonly [DieBilling['when'], DieBilling['type']],
): Promise<void> {
  const { dataDir, databaseUrl } = place;
  const asked: DieBilling = { ...shared(), place: { dataDir, databaseUrl }, accountId, command, when, type };
  const child = spawn(process.execPath, [ENTRY, JSON.stringify(asked)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
}

/** What the next process does, as its work list says. */
async function goOn(accountId: string): Promise<BillingState> {
  const sql = await openSql(place);
  try {
    return await billingOn(await PostgresEventStore.open(sql), shared()).billing.settle(accountId);
  } finally {
    await sql.close();
  }
}

async function atStripe(accountId: string) {
  const all = await stripe.customers.list({ limit: 100 });
  const customers = all.data.filter(({ metadata }) => metadata['tollgraph_account'] === accountId);
  const customer = customers[0]?.id ?? '';
  const sessions = await stripe.checkout.sessions.list({ customer });
  const subscriptions = await stripe.subscriptions.list({ customer, status: 'all' });
  const invoices = await stripe.invoices.list({ customer });
  const charges = await stripe.charges.list({ customer });
  return {
    customers: customers.length,
    sessions: sessions.data.length,
    subscriptions: subscriptions.data.map(({ status }) => status),
    invoices: invoices.data.map(({ total, status }) => `${total} ${String(status)}`),
    charges: charges.data.map(({ amount, paid }) => `${amount} ${paid ? 'paid' : 'failed'}`),
    url: sessions.data[0]?.url ?? '',
  };
}

async function pay(url: string): Promise<void> {
  const card = { number: '4242 4242 4242 4242', expiry: '12/44', cvc: '123', email: 'a@b.example' };
  const { status } = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(card),
    redirect: 'manual',
  });
  expect(status).toBe(303);
}

const checkout = (): BillingCommand => ({
  type: 'RequestCheckout',
  checkoutId: randomUUID(),
  price: 'developer-month-usd',
  offers: OFFERS,
  plans: PLANS,
  profileVersion: 1,
  by: 'test',
});
const upgrade = (): BillingCommand => ({
  type: 'RequestPlanChange',
  changeId: randomUUID(),
  price: 'team-month-usd',
  offers: OFFERS,
  plans: PLANS,
  prorationAt: new Date(sandbox.now()).toISOString(),
  by: 'test',
});

it.each([
  // Before anything was asked of Stripe; after each call and before our confirmation; after that.
  [
    ['after', 'CheckoutRequested'],
    ['after', 'PlanChangeRequested'],
  ],
  [
    ['before', 'CustomerCreated'],
    ['before', 'PlanChanged'],
  ],
  [
    ['before', 'CheckoutOpened'],
    ['after', 'PlanChanged'],
  ],
] as const)(
  'killed %j, then %j, an account has one customer, one subscription, and pays once for each',
  async (first, second) => {
    const accountId = randomUUID();
    await killed(accountId, checkout(), first);
    await goOn(accountId);
    const opened = await atStripe(accountId);
    expect(opened).toMatchObject({ customers: 1, sessions: 1, subscriptions: [] });
    await pay(opened.url);
    expect(await goOn(accountId)).toMatchObject({ paid: { plan: 'developer' }, checkout: undefined });

    await killed(accountId, upgrade(), second);
    expect(await goOn(accountId)).toMatchObject({ paid: { plan: 'team' }, asked: undefined });
    expect(await atStripe(accountId)).toMatchObject({
      customers: 1,
      sessions: 1,
      subscriptions: ['active'],
      // A whole month is left: the difference.
      invoices: ['17000 paid', '2900 paid'],
      charges: ['17000 paid', '2900 paid'],
    });
  },
);

const pause = (): BillingCommand => ({ type: 'RequestPause', requestId: randomUUID(), by: 'test' });
const resume = (): BillingCommand => ({ type: 'RequestResumption', requestId: randomUUID(), by: 'test' });

it.each([
  [
    ['after', 'PauseRequested'],
    ['before', 'SubscriptionResumed'],
  ],
  [
    ['before', 'SubscriptionPaused'],
    ['after', 'ResumptionRequested'],
  ],
] as const)('killed %j, then %j, a pause is credited once and ended once', async (first, second) => {
  const accountId = randomUUID();
  await killed(accountId, checkout(), ['after', 'CheckoutOpened']);
  await pay((await atStripe(accountId)).url);
  await goOn(accountId);
  await killed(accountId, pause(), first);
  const { paid, asked } = await goOn(accountId);
  expect([paid?.pausedAt, asked]).toEqual([new Date(sandbox.now()).toISOString(), undefined]);
  await killed(accountId, resume(), second);
  const after = await goOn(accountId);
  expect([after.paid?.pausedAt, after.asked]).toEqual([undefined, undefined]);
  // The whole month was left, since time stands still: the credit pays for the next one.
  expect(await atStripe(accountId)).toMatchObject({
    subscriptions: ['active'],
    invoices: ['0 paid', '2900 paid'],
    charges: ['2900 paid'],
  });
});

it.each([
  ['after', 'CancellationRequested'],
  ['before', 'CancellationScheduled'],
] as const)('killed %s %s a subscription is cancelled when its period is over, once', async (...point) => {
  const accountId = randomUUID();
  await killed(accountId, checkout(), ['after', 'CheckoutOpened']);
  await pay((await atStripe(accountId)).url);
  await goOn(accountId);
  await killed(
    accountId,
    { type: 'RequestCancellation', requestId: randomUUID(), when: 'period_end', by: 'test' },
    point,
  );
  const { paid, asked } = await goOn(accountId);
  expect([paid?.cancelsAt, asked]).toEqual([paid?.periodEnd, undefined]);
});
