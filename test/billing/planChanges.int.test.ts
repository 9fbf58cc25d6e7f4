import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import Stripe from 'stripe';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import type { BillingCommand, Offer } from '../../src/billing/decide.js';
import { billingDecider } from '../../src/billing/decide.js';
import { PaymentsUnavailable } from '../../src/billing/payments.js';
import { subscriptionStream } from '../../src/plans/events.js';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { startSandbox } from '../../src/sandbox/sandbox.js';
import { billingOn } from '../process/dieBilling.js';
import { freshSql } from '../support/database.js';

const offer = (plan: string, amount: number): Offer => ({
  id: `${plan}-month-usd`,
  plan,
  interval: 'month',
  amount,
  currency: 'usd',
  trialDays: undefined,
});
const OFFERS = [offer('developer', 2_900), offer('team', 19_900), offer('enterprise', 99_900)];
const PLANS = OFFERS.map(({ plan }) => plan);

/** What becomes of a call to Stripe: it waits until it may go on, or its answer is lost. */
type Meddler = (n: number, call: string) => Promise<'answered' | 'lost'>;

let database: Awaited<ReturnType<typeof freshSql>>;
let sandbox: Sandbox;
let stripe: Stripe;
let store: PostgresEventStore;
let proxy: Server;
let meddle: Meddler | undefined;
let calls: string[] = [];
beforeAll(async () => {
  database = await freshSql();
  const began = Date.now();
  sandbox = await startSandbox({ sql: database.sql, clock: () => began });
  stripe = new Stripe(sandbox.apiKey, { ...sandbox.client });
  store = await PostgresEventStore.open(database.sql);
  proxy = createServer((from, to) => {
    const call = `${from.method ?? ''} ${from.url ?? ''}`;
    const n = calls.push(call);
    const pass = async (): Promise<void> => {
      const fate = (await meddle?.(n, call)) ?? 'answered';
      const { host, port } = sandbox.client;
      const onward = request({ host, port, method: from.method, path: from.url, headers: from.headers });
      onward.end(await text(from));
      const [answer] = (await once(onward, 'response')) as [IncomingMessage];
      const body = await text(answer);
      if (fate === 'answered') return void to.writeHead(answer.statusCode ?? 500, answer.headers).end(body);
      to.writeHead(503, { 'stripe-should-retry': 'false' }).end('{"error":{"type":"api_error"}}');
    };
    pass().catch((error: unknown) => to.destroy(error as Error));
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
});
afterAll(async () => {
  proxy.close();
  await sandbox.close();
  await database.remove();
});

/** Billing as another process has it. @param meddled whether its calls go through what may delay or lose them */
function newProcess(meddled = false) {
  const { host, port } = sandbox.client;
  const at = meddled ? (proxy.address() as AddressInfo).port : port;
  return billingOn(store, { stripe: { apiKey: sandbox.apiKey, host, port: at }, offers: OFFERS });
}

class Customer {
  readonly accountId = randomUUID();
  readonly #own = newProcess();

  static async onTeam(): Promise<Customer> {
    const customer = new Customer();
    await customer.request({
      type: 'RequestCheckout',
      checkoutId: randomUUID(),
      price: 'team-month-usd',
      offers: OFFERS,
      plans: PLANS,
      profileVersion: 1,
      by: 'test',
    });
    const { checkout } = await customer.settle();
    const { url } = await stripe.checkout.sessions.retrieve(checkout?.session ?? '');
    const card = { number: '4242 4242 4242 4242', expiry: '12/44', cvc: '123', email: 'a@b.example' };
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = new URLSearchParams(card);
    const { status } = await fetch(url ?? '', { method: 'POST', headers: form, body, redirect: 'manual' });
    expect(status).toBe(303);
    expect((await customer.settle()).paid?.plan).toBe('team');
    return customer;
  }

  async request(command: BillingCommand): Promise<void> {
    const id = randomUUID();
    const { commands } = this.#own;
    const result = await commands.handle(billingDecider, subscriptionStream(this.accountId), command, {
      commandId: id,
      caller: 'test',
      requestHash: id,
      at: new Date(),
      environment: 'live',
      correlationId: id,
    });
    expect(result.kind).toBe('accepted');
  }

  /** @returns the id of the request */
  async requestChange(price: string): Promise<string> {
    const changeId = randomUUID();
    await this.request({
      type: 'RequestPlanChange',
      changeId,
      price,
      offers: OFFERS,
      plans: PLANS,
      prorationAt: new Date(sandbox.now()).toISOString(),
      by: 'test',
    });
    return changeId;
  }

  settle() {
    return this.#own.billing.settle(this.accountId);
  }

  /** Its subscription at Stripe. */
  async subscription(): Promise<string> {
    return (await this.#own.billing.state(this.accountId)).paid?.subscription ?? '';
  }

  failureOf(requestId: string) {
    return this.#own.billing.failureOf(this.accountId, requestId);
  }

  /** The prices that its schedules at Stripe bring, those that are in force. */
  async scheduled(): Promise<number[][]> {
    const { customer = '' } = await this.#own.billing.state(this.accountId);
    const { data } = await stripe.subscriptionSchedules.list({ customer, limit: 100 });
    const all = data.filter(({ status }) => status === 'active');
    return Promise.all(
      all.map(({ phases }) =>
        Promise.all(
          phases.map(async ({ items }) => {
            const { unit_amount: amount } = await stripe.prices.retrieve(items[0]?.price as string);
            return amount ?? 0;
          }),
        ),
      ),
    );
  }
}

interface Story {
  readonly name: string;
  /** Asks for what is then settled. @returns the id of a request that is to fail */
  readonly prepare: (customer: Customer) => Promise<string | undefined>;
}
const STORIES: Story[] = [
  {
    name: 'a downgrade',
    prepare: async (customer) => {
      await customer.requestChange('developer-month-usd');
      return undefined;
    },
  },
  {
    name: 'a downgrade that stays after an upgrade was declined',
    prepare: async (customer) => {
      await customer.requestChange('developer-month-usd');
      const { customer: id = '' } = await customer.settle();
      sandbox.faults.declineCharges('generic_decline', 100, id);
      return customer.requestChange('enterprise-month-usd');
    },
  },
  {
    name: 'a downgrade that comes again with the subscription',
    prepare: async (customer) => {
      await customer.requestChange('developer-month-usd');
      await customer.settle();
      const cancel = { type: 'RequestCancellation', when: 'period_end', by: 'test' } as const;
      await customer.request({ ...cancel, requestId: randomUUID() });
      await customer.settle();
      await customer.request({ type: 'RequestResumption', requestId: randomUUID(), by: 'test' });
      return undefined;
    },
  },
];

async function expectScheduled(customer: Customer, failed: string | undefined): Promise<void> {
  const { asked, paid } = await customer.settle();
  expect({ asked, plan: paid?.plan, next: paid?.scheduled?.plan, ends: paid?.cancelsAt }).toEqual({
    asked: undefined,
    plan: 'team',
    next: 'developer',
    ends: undefined,
  });
  expect(await customer.scheduled()).toEqual([[19_900, 2_900]]);
  if (failed !== undefined)
    expect(await customer.failureOf(failed)).toMatchObject({ code: 'generic_decline' });
}

describe.each(STORIES)('$name', ({ prepare }) => {
  // As many as it needs: past the last call the story goes on undisturbed.
  const stories = async (meddler: (customer: Customer, at: number) => Meddler): Promise<number> => {
    for (let at = 1; ; at++) {
      const customer = await Customer.onTeam();
      const failed = await prepare(customer);
      calls = [];
      meddle = meddler(customer, at);
      const outcome = await newProcess(true)
        .billing.settle(customer.accountId)
        .catch((error: unknown) => error);
      meddle = undefined;
      const made = calls.length;
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(PaymentsUnavailable);
      await expectScheduled(customer, failed);
      sandbox.faults.clear();
      if (made < at) return made;
    }
  };

  it('is made once, whichever answer of Stripe is lost', async () => {
    const made = await stories((_, at) => (n) => Promise.resolve(n === at ? 'lost' : 'answered'));
    expect(made).toBeGreaterThan(2);
  });

  it('is made once, where another process does all of it before any call of this one', async () => {
    const made = await stories((customer, at) => async (n) => {
      if (n === at) await customer.settle();
      return 'answered';
    });
    expect(made).toBeGreaterThan(2);
  });
});

it('fails where what Stripe has done is undone before it is seen', async () => {
  const customer = await Customer.onTeam();
  const changeId = await customer.requestChange('developer-month-usd');
  meddle = async (_, call) => {
    const [{ id } = { id: '' }] = (await stripe.subscriptionSchedules.list({})).data;
    // Of the dashboard, just before we look.
    if (call.startsWith('GET /v1/subscriptions?')) await stripe.subscriptionSchedules.release(id);
    return 'answered';
  };
  const { asked } = await newProcess(true).billing.settle(customer.accountId);
  meddle = undefined;
  expect(asked).toBeUndefined();
  expect(await customer.failureOf(changeId)).toMatchObject({ code: 'without_effect' });
  // It can be asked for again.
  await customer.requestChange('developer-month-usd');
  await expectScheduled(customer, undefined);
});

it('is resumed where the portal has set when it ends, and no flag', async () => {
  const customer = await Customer.onTeam();
  const subscription = await customer.subscription();
  await stripe.subscriptions.update(subscription, { cancel_at: 'max_period_end' });
  const { paid } = await customer.settle();
  expect(paid?.cancelsAt).toBe(paid?.periodEnd);
  await customer.request({ type: 'RequestResumption', requestId: randomUUID(), by: 'test' });
  const resumed = await customer.settle();
  expect([resumed.asked, resumed.paid?.cancelsAt]).toEqual([undefined, undefined]);
  expect(await stripe.subscriptions.retrieve(subscription)).toMatchObject({
    cancel_at: null,
    cancel_at_period_end: false,
  });
});

it('leaves what else is on the subscription as it is', async () => {
  const customer = await Customer.onTeam();
  const subscription = await customer.subscription();
  const product = await stripe.products.create({ name: 'Support' });
  const support = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: 5_000,
    recurring: { interval: 'month' },
  });
  const rate = await stripe.taxRates.create({ display_name: 'VAT', percentage: 20, inclusive: false });
  const before = await stripe.subscriptions.update(subscription, {
    items: [{ price: support.id, quantity: 3, metadata: { contract: '17' }, tax_rates: [rate.id] }],
    default_tax_rates: [rate.id],
    proration_behavior: 'none',
  });
  await customer.requestChange('developer-month-usd');
  await expectScheduled(customer, undefined);
  const [schedule] = (await stripe.subscriptionSchedules.list({})).data;
  const [running, next] = schedule?.phases ?? [];
  expect(running?.end_date).toBe(before.items.data[0]?.current_period_end);
  for (const phase of [running, next]) {
    expect(phase?.default_tax_rates?.map(({ id }) => id)).toEqual([rate.id]);
    expect(phase?.items.slice(1)).toMatchObject([
      { price: support.id, quantity: 3, metadata: { contract: '17' }, tax_rates: [{ id: rate.id }] },
    ]);
  }
  await sandbox.advance(new Date(((running?.end_date ?? 0) + 7_200) * 1_000).toISOString());
  const after = await stripe.subscriptions.retrieve(subscription);
  expect(after.default_tax_rates?.map(({ id }) => id)).toEqual([rate.id]);
  expect(
    after.items.data.map(({ price, quantity, metadata }) => [price.unit_amount, quantity, metadata]),
  ).toEqual([
    [2_900, 1, {}],
    [5_000, 3, { contract: '17' }],
  ]);
  expect((await customer.settle()).paid?.plan).toBe('developer');
});
