import type Stripe from 'stripe';
import type { TestSandbox } from './support.js';
import { at, testSandbox } from './support.js';

/** Each test moves time on, so each has a customer of its own and none expects a date of another's. */
let test: TestSandbox;
let stripe: Stripe;
let product: Stripe.Product;

const START = '2027-01-31T12:00:00Z';

beforeAll(async () => {
  test = await testSandbox({ clock: () => Date.parse(START), retryMs: [] });
  ({ stripe } = test);
  product = await stripe.products.create({ name: 'Gold' });
});
afterAll(() => test.close());

const monthly = (unit_amount: number, more: Partial<Stripe.PriceCreateParams> = {}): Promise<Stripe.Price> =>
  stripe.prices.create({
    product: product.id,
    currency: 'usd',
    recurring: { interval: 'month' },
    unit_amount,
    ...more,
  });

async function customer(method: string | undefined = 'pm_card_visa'): Promise<string> {
  const { id } = await stripe.customers.create({});
  if (method === '') return id;
  const card = await stripe.paymentMethods.attach(method, { customer: id });
  await stripe.customers.update(id, { invoice_settings: { default_payment_method: card.id } });
  return id;
}

/** What came for one customer, as types. */
const told = (id: string, since: number): string[] =>
  test.received
    .slice(since)
    .flatMap(({ type, data: { object } }) =>
      (object as { customer?: unknown }).customer === id ? [type] : [],
    );

const invoicesOf = async (id: string) =>
  (await stripe.invoices.list({ customer: id })).data.map(({ total, status, billing_reason }) => [
    billing_reason,
    total,
    status,
  ]);

it('ends a trial, with notice three days before, and charges an hour after', async () => {
  const id = await customer();
  const price = await monthly(2900);
  const subscription = await stripe.subscriptions.create({
    customer: id,
    items: [{ price: price.id }],
    trial_period_days: 14,
  });
  expect(subscription).toMatchObject({ status: 'trialing', trial_end: at('2027-02-14T12:00:00Z') });
  expect(await invoicesOf(id)).toEqual([['subscription_create', 0, 'paid']]);
  const first = await stripe.invoices.retrieve(subscription.latest_invoice as string);
  expect(first.lines.data[0]?.description).toBe('Free trial for 1 × Gold');
  await test.sandbox.deliveries.idle();

  let since = test.received.length;
  await test.sandbox.advance('2027-02-11T12:00:00Z');
  expect(told(id, since)).toContain('customer.subscription.trial_will_end');

  since = test.received.length;
  await test.sandbox.advance('2027-02-14T12:59:59Z');
  expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject({
    status: 'active',
    billing_cycle_anchor: at('2027-02-14T12:00:00Z'),
    items: { data: [{ current_period_end: at('2027-03-14T12:00:00Z') }] },
  });
  expect(await invoicesOf(id)).toEqual([
    ['subscription_cycle', 2900, 'draft'],
    ['subscription_create', 0, 'paid'],
  ]);
  await test.sandbox.advance('1m');
  expect((await invoicesOf(id))[0]).toEqual(['subscription_cycle', 2900, 'paid']);
  expect(told(id, since)).toEqual([
    'customer.subscription.updated',
    'invoice.created',
    'invoice.finalized',
    'payment_intent.created',
    'charge.succeeded',
    'payment_intent.succeeded',
    'invoice.paid',
    'invoice.payment_succeeded',
  ]);
});

it('pauses a trial that ends without a card, if it is to', async () => {
  const id = await customer('');
  const price = await monthly(2900);
  const { id: subscription } = await stripe.subscriptions.create({
    customer: id,
    items: [{ price: price.id }],
    trial_period_days: 1,
    trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
  });
  const since = test.received.length;
  await test.sandbox.advance('2d');
  expect((await stripe.subscriptions.retrieve(subscription)).status).toBe('paused');
  expect(told(id, since)).toContain('customer.subscription.paused');
  const card = await stripe.paymentMethods.attach('pm_card_visa', { customer: id });
  await stripe.subscriptions.update(subscription, { default_payment_method: card.id });
  expect((await stripe.subscriptions.resume(subscription)).status).toBe('active');
  expect((await invoicesOf(id))[0]).toEqual(['subscription_update', 2900, 'paid']);
});

it('tries a failed renewal again, three times, and then cancels', async () => {
  const id = await customer();
  const price = await monthly(2900);
  const { id: subscription } = await stripe.subscriptions.create({
    customer: id,
    items: [{ price: price.id }],
  });
  test.sandbox.faults.declineCharges('insufficient_funds', 4, id);
  const status = async () => (await stripe.subscriptions.retrieve(subscription)).status;
  const invoice = async () => (await stripe.invoices.list({ customer: id })).data[0] as Stripe.Invoice;
  await test.sandbox.advance('1mo');
  await test.sandbox.advance('2h');
  expect([await status(), (await invoice()).attempt_count]).toEqual(['past_due', 1]);
  const next = (await invoice()).next_payment_attempt ?? 0;
  expect(next - ((await invoice()).status_transitions.finalized_at ?? 0)).toBe(3 * 86_400);
  await test.sandbox.advance('9d');
  expect([await status(), (await invoice()).attempt_count]).toEqual(['past_due', 3]);
  await test.sandbox.advance('7d');
  expect([await status(), (await invoice()).attempt_count]).toEqual(['canceled', 4]);
  expect(await invoice()).toMatchObject({ status: 'open', next_payment_attempt: null });
});

it('is active again once the renewal is paid', async () => {
  const id = await customer();
  const price = await monthly(2900);
  const { id: subscription } = await stripe.subscriptions.create({
    customer: id,
    items: [{ price: price.id }],
  });
  test.sandbox.faults.declineCharges('generic_decline', 1, id);
  await test.sandbox.advance('1mo');
  await test.sandbox.advance('1h');
  expect((await stripe.subscriptions.retrieve(subscription)).status).toBe('past_due');
  expect((await stripe.customers.retrieve(id)) as Stripe.Customer).toMatchObject({ delinquent: true });
  await test.sandbox.advance('3d');
  expect((await stripe.subscriptions.retrieve(subscription)).status).toBe('active');
  expect((await stripe.customers.retrieve(id)) as Stripe.Customer).toMatchObject({ delinquent: false });
});

it('bills use in arrears, late events too until the invoice is final', async () => {
  const id = await customer();
  const meter = await stripe.billing.meters.create({
    display_name: 'Calls',
    event_name: 'calls',
    default_aggregation: { formula: 'sum' },
  });
  const price = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
    billing_scheme: 'tiered',
    tiers_mode: 'graduated',
    tiers: [
      { up_to: 100, unit_amount: 5 },
      { up_to: 'inf', unit_amount_decimal: '4' as unknown as Stripe.Decimal },
    ],
  });
  const flat = await monthly(2900);
  const created = await stripe.subscriptions.create({
    customer: id,
    items: [{ price: flat.id }, { price: price.id }],
  });
  expect(await invoicesOf(id)).toEqual([['subscription_create', 2900, 'paid']]);
  const end = created.items.data[0]?.current_period_end ?? 0;
  const use = (value: string, identifier: string, timestamp: number) =>
    stripe.billing.meterEvents.create({
      event_name: 'calls',
      identifier,
      timestamp,
      payload: { stripe_customer_id: id, value },
    });
  const now = Math.floor(test.sandbox.now() / 1000);
  await use('150', 'a', now);
  await expect(use('150', 'a', now)).rejects.toMatchObject({ statusCode: 400 });
  const preview = await stripe.invoices.createPreview({ subscription: created.id });
  expect(preview.total).toBe(2900 + 500 + 50 * 4);
  await test.sandbox.advance(new Date(end * 1000).toISOString());
  await use('6', 'late', end - 60);
  await use('1000', 'next period', end + 60);
  await test.sandbox.advance('1h');
  expect((await invoicesOf(id))[0]).toEqual(['subscription_cycle', 2900 + 500 + 56 * 4, 'paid']);
  const [invoice] = (await stripe.invoices.list({ customer: id })).data;
  expect(invoice?.lines.data.map(({ quantity, amount }) => [quantity, amount])).toEqual([
    [156, 724],
    [1, 2900],
  ]);
});

it('keeps a renewal a draft for 72 hours where its endpoint does not answer', async () => {
  const id = await customer();
  const price = await monthly(2900);
  const { id: subscription } = await stripe.subscriptions.create({
    customer: id,
    items: [{ price: price.id }],
  });
  test.answer = 500;
  await test.sandbox.advance('1mo');
  await test.sandbox.advance('71h');
  expect((await invoicesOf(id))[0]).toEqual(['subscription_cycle', 2900, 'draft']);
  test.answer = 200;
  await test.sandbox.advance('1h');
  expect((await invoicesOf(id))[0]).toEqual(['subscription_cycle', 2900, 'paid']);
  await stripe.subscriptions.cancel(subscription);
});

it('ends at the period end, unless it is taken back', async () => {
  const id = await customer();
  const price = await monthly(2900);
  const { id: subscription } = await stripe.subscriptions.create({
    customer: id,
    items: [{ price: price.id }],
  });
  const asked = await stripe.subscriptions.update(subscription, { cancel_at_period_end: true });
  expect(asked).toMatchObject({ status: 'active', cancel_at: asked.items.data[0]?.current_period_end });
  const back = await stripe.subscriptions.update(subscription, { cancel_at_period_end: false });
  expect(back).toMatchObject({ cancel_at: null, canceled_at: null });
  await stripe.subscriptions.update(subscription, { cancel_at_period_end: true });
  await test.sandbox.deliveries.idle();
  const since = test.received.length;
  await test.sandbox.advance('32d');
  const ended = await stripe.subscriptions.retrieve(subscription);
  expect(ended).toMatchObject({ status: 'canceled', ended_at: asked.cancel_at });
  expect(told(id, since)).toEqual(['customer.subscription.deleted']);
  expect(await invoicesOf(id)).toEqual([['subscription_create', 2900, 'paid']]);
  expect((await stripe.subscriptions.list({ customer: id })).data).toEqual([]);
});

it('keeps the day of an annual plan, and has currencies without decimals', async () => {
  const id = await customer();
  const price = await stripe.prices.create({
    product: product.id,
    currency: 'jpy',
    recurring: { interval: 'year' },
    unit_amount: 30_000,
  });
  const others = await stripe.subscriptions.list({ limit: 100 });
  for (const other of others.data) await stripe.subscriptions.cancel(other.id);
  const start = '2028-02-29T09:00:00Z';
  await test.sandbox.advance(start);
  const { id: subscription } = await stripe.subscriptions.create({
    customer: id,
    items: [{ price: price.id }],
  });
  await test.sandbox.advance('2029-02-28T10:00:00Z');
  const renewed = await stripe.subscriptions.retrieve(subscription);
  expect(renewed.items.data[0]?.current_period_end).toBe(at('2030-02-28T09:00:00Z'));
  expect(await invoicesOf(id)).toEqual([
    ['subscription_cycle', 30_000, 'paid'],
    ['subscription_create', 30_000, 'paid'],
  ]);
});

it('refuses to move time back or by a word', async () => {
  await expect(test.sandbox.advance('2020-01-01')).rejects.toThrow('forwards');
  await expect(test.sandbox.advance('tomorrow')).rejects.toThrow('"tomorrow"');
});
