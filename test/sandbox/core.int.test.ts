import type Stripe from 'stripe';
import type { TestSandbox } from './support.js';
import { at, testSandbox, typeCard } from './support.js';

const START = '2027-01-31T12:00:00Z';

let test: TestSandbox;
let stripe: Stripe;
let gold: Stripe.Price;
let platinum: Stripe.Price;

beforeAll(async () => {
  test = await testSandbox({ clock: () => Date.parse(START) });
  ({ stripe } = test);
  const product = await stripe.products.create({ name: 'Gold' });
  const monthly = { product: product.id, currency: 'usd', recurring: { interval: 'month' as const } };
  gold = await stripe.prices.create({ ...monthly, unit_amount: 2900 });
  platinum = await stripe.prices.create({ ...monthly, unit_amount: 9900 });
});
afterAll(() => test.close());

async function customer(method = 'pm_card_visa'): Promise<Stripe.Customer> {
  const made = await stripe.customers.create({ email: 'ann@example.com', metadata: { account: 'a1' } });
  const card = await stripe.paymentMethods.attach(method, { customer: made.id });
  return stripe.customers.update(made.id, { invoice_settings: { default_payment_method: card.id } });
}

it('charges the first invoice of a subscription within the request', async () => {
  const { id } = await customer();
  const subscription = await stripe.subscriptions.create({
    customer: id,
    items: [{ price: gold.id, quantity: 2 }],
    expand: ['latest_invoice.payments', 'latest_invoice.confirmation_secret', 'customer'],
  });
  const invoice = subscription.latest_invoice as Stripe.Invoice;
  expect(subscription).toMatchObject({
    status: 'active',
    livemode: false,
    customer: { id, metadata: { account: 'a1' } },
  });
  expect(subscription.id).toMatch(/^sub_sbx_/);
  expect(subscription.items.data[0]).toMatchObject({
    quantity: 2,
    current_period_start: at(START),
    current_period_end: at('2027-02-28T12:00:00Z'),
  });
  expect(invoice).toMatchObject({
    status: 'paid',
    total: 5800,
    amount_paid: 5800,
    billing_reason: 'subscription_create',
    parent: { subscription_details: { subscription: subscription.id } },
    payments: { data: [{ status: 'paid', amount_paid: 5800, payment: { type: 'payment_intent' } }] },
  });
  expect(invoice.number).toMatch(/^[0-9A-Z]{8}-0001$/);
  expect(invoice.lines.data[0]?.description).toBe('2 × Gold (at $29.00 / month)');
});

it('tells of it by signed webhooks that the SDK verifies', async () => {
  await test.sandbox.deliveries.idle();
  test.received.length = 0;
  const { id } = await customer();
  const { id: subscription } = await stripe.subscriptions.create({
    customer: id,
    items: [{ price: gold.id }],
  });
  await test.sandbox.deliveries.idle();
  const types = test.received.map(({ type }) => type);
  expect(types).toEqual([
    'customer.created',
    'payment_method.attached',
    'customer.updated',
    'customer.subscription.created',
    'invoice.created',
    'invoice.finalized',
    'payment_intent.created',
    'customer.subscription.updated',
    'charge.succeeded',
    'payment_intent.succeeded',
    'invoice_payment.paid',
    'invoice.paid',
    'invoice.payment_succeeded',
    'customer.subscription.updated',
  ]);
  const last = test.received.at(-1) as Stripe.CustomerSubscriptionUpdatedEvent;
  expect(last.data.object).toMatchObject({ id: subscription, status: 'active' });
  expect(last.data.previous_attributes).toEqual({ status: 'incomplete' });
  expect(await stripe.events.retrieve(last.id)).toMatchObject({ type: last.type, pending_webhooks: 0 });
});

it('bills an upgrade at once to the cent, as its preview says', async () => {
  const { id } = await customer();
  const { items, id: subscription } = await stripe.subscriptions.create({
    customer: id,
    items: [{ price: gold.id }],
  });
  const change = {
    items: [{ id: items.data[0]?.id ?? '', price: platinum.id }],
    proration_behavior: 'always_invoice' as const,
    proration_date: at('2027-02-20T12:00:00Z'),
  };
  const preview = await stripe.invoices.createPreview({
    customer: id,
    subscription,
    subscription_details: change,
  });
  const { latest_invoice: latest } = await stripe.subscriptions.update(subscription, {
    ...change,
    payment_behavior: 'pending_if_incomplete',
    expand: ['latest_invoice'],
  });
  const invoice = latest as Stripe.Invoice;
  // 8 of 28 days: the example of a month from 31 January.
  expect(invoice.lines.data.map(({ amount, description }) => [amount, description])).toEqual([
    [-829, 'Unused time on Gold after 20 Feb 2027'],
    [2829, 'Remaining time on Gold after 20 Feb 2027'],
  ]);
  expect(invoice).toMatchObject({ status: 'paid', total: 2000, billing_reason: 'subscription_update' });
  expect(preview).toMatchObject({ status: 'draft', total: 2000, amount_due: 2000, number: null });
});

it('keeps the old plan until an upgrade is paid', async () => {
  const { id } = await customer();
  const { items, id: subscription } = await stripe.subscriptions.create({
    customer: id,
    items: [{ price: gold.id }],
  });
  test.sandbox.faults.declineCharges('insufficient_funds');
  const pending = await stripe.subscriptions.update(subscription, {
    items: [{ id: items.data[0]?.id ?? '', price: platinum.id }],
    proration_behavior: 'always_invoice',
    payment_behavior: 'pending_if_incomplete',
  });
  expect(pending).toMatchObject({
    status: 'active',
    pending_update: { subscription_items: [{ price: { id: platinum.id } }] },
    items: { data: [{ price: { id: gold.id } }] },
  });
  await stripe.invoices.pay(pending.latest_invoice as string);
  expect(await stripe.subscriptions.retrieve(subscription)).toMatchObject({
    pending_update: null,
    items: { data: [{ price: { id: platinum.id } }] },
  });
});

it('leaves a subscription incomplete whose first charge is declined', async () => {
  const { id } = await customer('pm_card_chargeCustomerFail');
  const subscription = await stripe.subscriptions.create({ customer: id, items: [{ price: gold.id }] });
  expect(subscription.status).toBe('incomplete');
  await expect(stripe.invoices.pay(subscription.latest_invoice as string)).rejects.toMatchObject({
    type: 'StripeCardError',
    statusCode: 402,
    code: 'card_declined',
    decline_code: 'generic_decline',
  });
});

it('lets a person pay on the page of a checkout, after a card was declined', async () => {
  const { id } = await stripe.customers.create({});
  const session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    customer: id,
    client_reference_id: 'account-1',
    line_items: [{ price: gold.id, quantity: 1 }],
    success_url: 'https://shop.example/done?session={CHECKOUT_SESSION_ID}',
    subscription_data: { metadata: { account: 'a1' } },
  });
  const url = session.url ?? '';
  expect(session).toMatchObject({ status: 'open', amount_total: 2900, subscription: null });
  expect(await (await fetch(url)).text()).toContain('$29.00');

  const declined = await typeCard(url, '4000 0000 0000 0002');
  expect([declined.status, await declined.text()]).toEqual([
    402,
    expect.stringContaining('Your card was declined.'),
  ]);
  expect((await stripe.subscriptions.list({ customer: id })).data).toEqual([]);

  const paid = await typeCard(url, '4242 4242 4242 4242');
  expect([paid.status, paid.headers.get('location')]).toEqual([
    303,
    `https://shop.example/done?session=${session.id}`,
  ]);
  const done = await stripe.checkout.sessions.retrieve(session.id, {
    expand: ['subscription', 'line_items'],
  });
  expect(done).toMatchObject({
    status: 'complete',
    payment_status: 'paid',
    client_reference_id: 'account-1',
    subscription: { status: 'active', customer: id, metadata: { account: 'a1' } },
    line_items: { data: [{ amount_total: 2900, price: { id: gold.id } }] },
  });
  expect((await typeCard(url, '4242 4242 4242 4242')).status).toBe(410);
});

it('asks for authentication where the card does, and takes a no', async () => {
  const product = await stripe.products.create({ name: 'Credits' });
  const price = await stripe.prices.create({ product: product.id, currency: 'usd', unit_amount: 1000 });
  const session = await stripe.checkout.sessions.create({
    mode: 'payment',
    line_items: [{ price: price.id, quantity: 3 }],
    success_url: 'https://shop.example/done',
    payment_intent_data: { metadata: { pack: 'p3' } },
  });
  const url = session.url ?? '';
  const asks = await (await typeCard(url, '4000002760003184')).text();
  const method = /name="method" value="([^"]+)"/.exec(asks)?.[1] ?? '';
  const answer = (yes: string) =>
    fetch(`${url}/authenticate`, {
      method: 'POST',
      body: new URLSearchParams({ method, answer: yes, email: '', name: '' }),
      redirect: 'manual',
    });
  expect((await answer('no')).status).toBe(402);
  expect((await answer('yes')).status).toBe(303);
  const { payment_intent: intent } = await stripe.checkout.sessions.retrieve(session.id, {
    expand: ['payment_intent'],
  });
  expect(intent).toMatchObject({ status: 'succeeded', amount: 3000, metadata: { pack: 'p3' } });
});

it('answers a repeated request with its first answer, and another one under the same key with a refusal', async () => {
  const options = { idempotencyKey: 'command-1' };
  const first = await stripe.customers.create({ name: 'Ann' }, options);
  const again = await stripe.customers.create({ name: 'Ann' }, options);
  expect(again.id).toBe(first.id);
  expect(again.lastResponse.headers['idempotent-replayed']).toBe('true');
  await expect(stripe.customers.create({ name: 'Bob' }, options)).rejects.toMatchObject({
    type: 'StripeIdempotencyError',
    statusCode: 400,
  });
});

it('refuses parameters that Stripe does not have, in its words', async () => {
  await expect(stripe.customers.create({ nmae: 'Ann' } as never)).rejects.toMatchObject({
    type: 'StripeInvalidRequestError',
    code: 'parameter_unknown',
    param: 'nmae',
    message: 'Received unknown parameter: nmae',
  });
  // Removed from Stripe's API.
  await expect(
    stripe.subscriptions.create({ customer: 'cus_x', coupon: 'ten' } as never),
  ).rejects.toMatchObject({
    code: 'parameter_unknown',
    param: 'coupon',
  });
  await expect(
    stripe.subscriptions.create({ customer: 'cus_x', items: [{ prize: 'p' } as never] }),
  ).rejects.toMatchObject({ code: 'parameter_unknown', param: 'items[0][prize]' });
  await expect(stripe.products.create({} as never)).rejects.toMatchObject({
    code: 'parameter_missing',
    param: 'name',
  });
  await expect(
    stripe.prices.create({ product: 'x', currency: 'usd', unit_amount: 'ten' as never }),
  ).rejects.toMatchObject({ code: 'parameter_invalid_integer', param: 'unit_amount' });
  await expect(stripe.customers.retrieve('cus_nobody')).rejects.toMatchObject({
    statusCode: 404,
    code: 'resource_missing',
    message: "No such customer: 'cus_nobody'",
  });
  await expect(stripe.accounts.retrieve('acct_1')).rejects.toMatchObject({ statusCode: 404 });
});

it('pages through lists, the newest first', async () => {
  const before = await stripe.customers.list({ limit: 100 });
  for (const name of ['one', 'two', 'three']) await stripe.customers.create({ name });
  const page = await stripe.customers.list({ limit: 2 });
  expect(page.data.map(({ name }) => name)).toEqual(['three', 'two']);
  expect(page.has_more).toBe(true);
  const all = [];
  for await (const { name } of stripe.customers.list({ limit: 2 })) all.push(name);
  expect(all.length).toBe(before.data.length + 3);
});

it('searches', async () => {
  const made = await stripe.customers.create({ name: "O'Hara", metadata: { account: 'acc-7' } });
  const found = async (query: string) => (await stripe.customers.search({ query })).data.map(({ id }) => id);
  expect(await found("metadata['account']:'acc-7'")).toEqual([made.id]);
  expect(await found("name~'hara' AND -metadata['account']:'other'")).toEqual([made.id]);
  expect(await found("metadata['account']:'acc'")).toEqual([]);
  await expect(found('name is Ann')).rejects.toMatchObject({ statusCode: 400 });
});

it('forgets a customer, and ends what they had', async () => {
  const { id } = await customer();
  const subscription = await stripe.subscriptions.create({ customer: id, items: [{ price: gold.id }] });
  await stripe.customers.del(id);
  expect(await stripe.customers.retrieve(id)).toMatchObject({ id, deleted: true });
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('canceled');
  await expect(stripe.customers.update(id, { name: 'x' })).rejects.toMatchObject({
    code: 'resource_missing',
  });
});

it('waits for the renewal with what a change costs, unless it is to be billed at once', async () => {
  const product = await stripe.products.create({ name: 'Seat' });
  const price = (unit_amount: number) =>
    stripe.prices.create({
      product: product.id,
      currency: 'usd',
      recurring: { interval: 'day', interval_count: 2 },
      unit_amount,
    });
  const [low, high] = [await price(100), await price(200)];
  const { id } = await customer();
  const { items, id: subscription } = await stripe.subscriptions.create({
    customer: id,
    items: [{ price: low.id }],
  });
  await stripe.subscriptions.update(subscription, {
    items: [{ id: items.data[0]?.id ?? '', price: high.id }],
    proration_date: at(START) + 86_400,
  });
  const preview = await stripe.invoices.createPreview({ subscription });
  expect([preview.lines.data.map(({ amount }) => amount), preview.total]).toEqual([[-50, 100, 200], 250]);
});

it('does not answer without its key', async () => {
  const answer = await fetch(`${test.sandbox.address}/v1/customers`);
  expect([answer.status, await answer.json()]).toMatchObject([
    401,
    { error: { type: 'invalid_request_error' } },
  ]);
});
