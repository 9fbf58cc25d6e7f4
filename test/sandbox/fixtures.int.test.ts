import type Stripe from 'stripe';
import type { TestSandbox } from './support.js';
import { testSandbox } from './support.js';

// What the fixtures of the Stripe CLI do, which `npm run stripe:fixtures` runs for real.

let test: TestSandbox;
let stripe: Stripe;
beforeAll(async () => {
  test = await testSandbox({ clock: () => Date.parse('2027-01-10T00:00:00Z'), retryMs: [0, 0] });
  ({ stripe } = test);
});
afterAll(() => test.close());

type Answer = Record<string, unknown> & { id: string; error?: { code?: string; message: string } };

/** As the CLI sends it: a form, and no version. */
async function call(path: string, form?: Record<string, string>): Promise<Answer> {
  const response = await fetch(`${test.sandbox.address}${path}`, {
    method: form ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${test.sandbox.apiKey}` },
    ...(form && { body: new URLSearchParams(form) }),
  });
  return (await response.json()) as Answer;
}

/** The types of the events that came since the last look. */
let looked = 0;
async function news(): Promise<string[]> {
  await test.sandbox.deliveries.idle();
  const fresh = test.received.slice(looked).map(({ type }) => type);
  looked = test.received.length;
  return fresh;
}

async function session(currency: string, more: Record<string, string> = {}): Promise<Answer> {
  return call('/v1/checkout/sessions', {
    mode: 'payment',
    success_url: 'https://shop.example',
    'line_items[0][price_data][currency]': currency,
    'line_items[0][price_data][unit_amount]': '1500',
    'line_items[0][price_data][product_data][name]': 'Thing',
    'line_items[0][quantity]': '2',
    ...more,
  });
}

const byDebit = (iban: string): Promise<Answer> =>
  call('/v1/payment_methods', {
    type: 'sepa_debit',
    'sepa_debit[iban]': iban,
    'billing_details[email]': 'ann@example.com',
    'billing_details[name]': 'Ann',
  });

it('has a page paid without a person, for what is due', async () => {
  const { id } = await session('usd');
  expect((await call(`/v1/payment_pages/${id}`)).id).toBe(id);
  const method = await call('/v1/payment_methods', { type: 'card', 'card[token]': 'tok_visa' });
  const confirm = (expected: string) =>
    call(`/v1/payment_pages/${id}/confirm`, { payment_method: method.id, expected_amount: expected });
  expect((await confirm('2999')).error?.code).toBe('checkout_amount_mismatch');
  expect(await confirm('3000')).toMatchObject({ id, status: 'complete', payment_status: 'paid' });
  expect((await confirm('3000')).error?.code).toBe('checkout_session_over');
  expect(await news()).toContain('checkout.session.completed');
});

it('takes older names of parameters in requests that name no version, and in no others', async () => {
  const intent = { amount: '100', currency: 'usd', 'payment_method_types[]': 'card' };
  expect(await call('/v1/payment_intents', intent)).toMatchObject({ status: 'requires_payment_method' });
  const now = { amount: 100, currency: 'usd', payment_method_types: ['card'] };
  await expect(stripe.paymentIntents.create(now)).rejects.toMatchObject({ code: 'parameter_unknown' });
});

it('has a page paid by direct debit, of which the bank tells later', async () => {
  const { id, payment_method_types: types } = await session('eur', {
    'payment_method_types[]': 'sepa_debit',
  });
  expect(types).toEqual(['sepa_debit']);
  const method = await byDebit('AT321904300235473204');
  await news();
  const paid = await call(`/v1/payment_pages/${id}/confirm`, { payment_method: method.id });
  expect(paid).toMatchObject({ status: 'complete', payment_status: 'unpaid' });
  expect(await news()).toEqual([
    'payment_intent.created',
    'charge.pending',
    'payment_intent.processing',
    'checkout.session.completed',
  ]);
  await test.sandbox.advance('3m');
  expect(await call(`/v1/checkout/sessions/${id}`)).toMatchObject({ payment_status: 'paid' });
  expect(await news()).toEqual([
    'charge.succeeded',
    'payment_intent.succeeded',
    'checkout.session.async_payment_succeeded',
  ]);
});

it('tells of a direct debit that the bank refuses', async () => {
  const { id } = await session('eur');
  const method = await byDebit('AT051904300235473205');
  const { payment_intent: intent } = await call(`/v1/payment_pages/${id}/confirm`, {
    payment_method: method.id,
  });
  await news();
  await test.sandbox.advance('3m');
  expect(await stripe.paymentIntents.retrieve(intent as string)).toMatchObject({
    status: 'requires_payment_method',
    amount_received: 0,
    last_payment_error: { type: 'card_error' },
  });
  expect(await call(`/v1/checkout/sessions/${id}`)).toMatchObject({ payment_status: 'unpaid' });
  expect(await news()).toEqual([
    'charge.failed',
    'payment_intent.payment_failed',
    'checkout.session.async_payment_failed',
  ]);
  expect((await byDebit('AT000000000000000000')).error?.code).toBe('invalid_bank_account_iban');
  const dollars = await session('usd');
  const refused = await call(`/v1/payment_pages/${dollars.id}/confirm`, { payment_method: method.id });
  expect(refused.error?.message).toContain('eur');
});

it.each([
  ['pause', 'paused', 'customer.subscription.paused'],
  ['cancel', 'canceled', 'customer.subscription.deleted'],
] as const)('ends a trial without a card at once by %s', async (behavior, status, told) => {
  const customer = await stripe.customers.create({});
  const { id } = await stripe.subscriptions.create({
    customer: customer.id,
    items: [
      {
        price_data: {
          currency: 'usd',
          unit_amount: 1500,
          recurring: { interval: 'month' },
          product: (await stripe.products.create({ name: 'Plan' })).id,
        },
      },
    ],
    trial_period_days: 7,
    trial_settings: { end_behavior: { missing_payment_method: behavior } },
  });
  await news();
  const ended = await stripe.subscriptions.update(id, { trial_end: 'now' });
  expect([
    ended.status,
    (await stripe.invoices.list({ subscription: id })).data.map(({ total }) => total),
  ]).toEqual([status, [0]]);
  expect(await news()).toContain(told);
});

describe('an inquiry of a bank', () => {
  const paid = (method = 'pm_card_createDisputeInquiry') =>
    stripe.paymentIntents.create({
      amount: 500,
      currency: 'usd',
      payment_method: method,
      confirm: true,
      return_url: 'https://shop.example',
    });
  const standing = async (intent: string) =>
    (await stripe.disputes.list({ payment_intent: intent })).data[0] as Stripe.Dispute;

  it('withdraws nothing, and is closed', async () => {
    await news();
    const intent = await paid();
    const { id, status, is_charge_refundable: refundable } = await standing(intent.id);
    expect([status, refundable]).toEqual(['warning_needs_response', true]);
    expect(await news()).not.toContain('charge.dispute.funds_withdrawn');
    await stripe.disputes.update(id, { metadata: { seen: 'yes' } });
    expect(await news()).toEqual(['charge.dispute.updated']);
    expect((await stripe.disputes.close(id)).status).toBe('warning_closed');
    expect(await news()).toEqual(['charge.dispute.closed']);
    expect((await stripe.refunds.create({ payment_intent: intent.id })).status).toBe('succeeded');
  });

  it('becomes a dispute, or is closed when it is old', async () => {
    const [first, second] = [await paid('pm_card_visa'), await paid()];
    await test.sandbox.dispute(first.id, 'inquiry');
    await news();
    await test.sandbox.dispute(first.id);
    expect((await standing(first.id)).status).toBe('needs_response');
    expect(await news()).toEqual(['charge.dispute.updated', 'charge.dispute.funds_withdrawn']);
    await expect(stripe.refunds.create({ payment_intent: first.id })).rejects.toMatchObject({
      code: 'charge_disputed',
    });
    await test.sandbox.advance('121d');
    expect([(await standing(first.id)).status, (await standing(second.id)).status]).toEqual([
      'lost',
      'warning_closed',
    ]);
  });
});

it('tells of a refund that fails, and has the money back', async () => {
  const intent = await stripe.paymentIntents.create({
    amount: 500,
    currency: 'usd',
    payment_method: 'pm_card_refundFail',
    confirm: true,
    return_url: 'https://shop.example',
  });
  const { id, status } = await stripe.refunds.create({ payment_intent: intent.id, amount: 200 });
  const refunded = async () =>
    (await stripe.charges.retrieve(intent.latest_charge as string)).amount_refunded;
  expect([status, await refunded()]).toEqual(['succeeded', 200]);
  await news();
  await test.sandbox.advance('1m');
  expect(await stripe.refunds.retrieve(id)).toMatchObject({
    status: 'failed',
    failure_reason: 'expired_or_canceled_card',
  });
  expect(await refunded()).toBe(0);
  expect(await news()).toEqual(['refund.failed', 'refund.updated', 'charge.refund.updated']);
});
