import type Stripe from 'stripe';
import type { TestSandbox } from './support.js';
import { testSandbox, typeCard } from './support.js';

let test: TestSandbox;
let stripe: Stripe;
let gold: Stripe.Price;
let silver: Stripe.Price;

beforeAll(async () => {
  test = await testSandbox({ clock: () => Date.parse('2027-01-10T00:00:00Z'), retryMs: [0, 0] });
  ({ stripe } = test);
  const product = await stripe.products.create({ name: 'Gold' });
  const monthly = { product: product.id, currency: 'usd', recurring: { interval: 'month' as const } };
  gold = await stripe.prices.create({ ...monthly, unit_amount: 9900 });
  silver = await stripe.prices.create({ ...monthly, unit_amount: 2900 });
});
afterAll(() => test.close());

async function subscribed(
  price = gold,
  method = 'pm_card_visa',
  more: Partial<Stripe.SubscriptionCreateParams> = {},
) {
  const { id } = await stripe.customers.create({ email: 'ann@example.com' });
  const card = await stripe.paymentMethods.attach(method, { customer: id });
  await stripe.customers.update(id, { invoice_settings: { default_payment_method: card.id } });
  const subscription = await stripe.subscriptions.create({
    customer: id,
    items: [{ price: price.id }],
    ...more,
  });
  return { id, subscription };
}

const latest = async (customer: string) =>
  (await stripe.invoices.list({ customer })).data[0] as Stripe.Invoice;

it('downgrades at the end of a period by a schedule', async () => {
  const { id, subscription } = await subscribed();
  const schedule = await stripe.subscriptionSchedules.create({ from_subscription: subscription.id });
  const [current] = schedule.phases;
  await stripe.subscriptionSchedules.update(schedule.id, {
    phases: [
      {
        items: [{ price: gold.id, quantity: 1 }],
        start_date: current?.start_date,
        end_date: current?.end_date,
      },
      { items: [{ price: silver.id, quantity: 1 }], duration: { interval: 'month', interval_count: 1 } },
    ],
  });
  expect((await stripe.subscriptions.retrieve(subscription.id)).schedule).toBe(schedule.id);
  await test.sandbox.advance('1mo');
  await test.sandbox.advance('2h');
  expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject({
    items: { data: [{ id: subscription.items.data[0]?.id, price: { id: silver.id } }] },
  });
  expect(await latest(id)).toMatchObject({
    total: 2900,
    status: 'paid',
    billing_reason: 'subscription_cycle',
  });
  await test.sandbox.advance('1mo');
  expect(await stripe.subscriptionSchedules.retrieve(schedule.id)).toMatchObject({
    status: 'released',
    subscription: null,
    released_subscription: subscription.id,
  });
});

it('refunds a part, then the rest, and no more', async () => {
  const { id } = await stripe.customers.create({});
  const intent = await stripe.paymentIntents.create({
    amount: 500,
    currency: 'usd',
    customer: id,
    payment_method: 'pm_card_visa',
    confirm: true,
    return_url: 'https://shop.example',
    metadata: { analysisId: 'a1' },
  });
  expect(intent).toMatchObject({ status: 'succeeded', amount_received: 500 });
  await stripe.refunds.create({ payment_intent: intent.id, amount: 200 });
  await expect(stripe.refunds.create({ payment_intent: intent.id, amount: 301 })).rejects.toMatchObject({
    statusCode: 400,
  });
  await stripe.refunds.create({ payment_intent: intent.id });
  await expect(stripe.refunds.create({ payment_intent: intent.id })).rejects.toMatchObject({
    code: 'charge_already_refunded',
  });
  const charge = await stripe.charges.retrieve(intent.latest_charge as string, { expand: ['refunds'] });
  expect(charge).toMatchObject({ amount_refunded: 500, refunded: true });
  expect(charge.refunds?.data.map(({ amount }) => amount)).toEqual([300, 200]);
});

it('asks a payment for authentication, and again at a renewal', async () => {
  const { id } = await stripe.customers.create({});
  const create = () =>
    stripe.paymentIntents.create({
      amount: 500,
      currency: 'usd',
      customer: id,
      payment_method: 'pm_card_authenticationRequired',
      confirm: true,
      return_url: 'https://shop.example/back',
    });
  const answer = (page: string, yes: string) =>
    fetch(page, { method: 'POST', body: new URLSearchParams({ answer: yes }), redirect: 'manual' });
  const asked = await create();
  expect(asked).toMatchObject({ status: 'requires_action', amount_received: 0 });
  const page = asked.next_action?.redirect_to_url?.url ?? '';
  expect((await answer(page, 'yes')).headers.get('location')).toBe('https://shop.example/back');
  expect((await stripe.paymentIntents.retrieve(asked.id)).status).toBe('succeeded');
  const refused = await create();
  await answer(refused.next_action?.redirect_to_url?.url ?? '', 'no');
  expect(await stripe.paymentIntents.retrieve(refused.id)).toMatchObject({
    status: 'requires_payment_method',
    last_payment_error: { code: 'payment_intent_authentication_failure' },
  });

  const { id: payer, subscription } = await subscribed(gold, 'pm_card_authenticationRequired');
  expect(subscription.status).toBe('incomplete');
  const invoice = await latest(payer);
  await answer(
    invoice.hosted_invoice_url?.replace(/invoice\/.*$/, `authenticate/${await intentOf(invoice)}`) ?? '',
    'yes',
  );
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('active');
  await test.sandbox.deliveries.idle();
  test.received.length = 0;
  await test.sandbox.advance('1mo');
  await test.sandbox.advance('2h');
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('past_due');
  expect(test.received.map(({ type }) => type)).toContain('invoice.payment_action_required');
  await stripe.subscriptions.cancel(subscription.id);
});

const intentOf = async ({ id }: Stripe.Invoice): Promise<string> => {
  const { payments } = await stripe.invoices.retrieve(id, { expand: ['payments'] });
  return payments?.data[0]?.payment.payment_intent as string;
};

it('opens a dispute, which evidence wins', async () => {
  const { id } = await stripe.customers.create({});
  const intent = await stripe.paymentIntents.create({
    amount: 500,
    currency: 'usd',
    customer: id,
    payment_method: 'pm_card_createDispute',
    confirm: true,
    return_url: 'https://shop.example',
  });
  const [dispute] = (await stripe.disputes.list({ payment_intent: intent.id })).data;
  await expect(stripe.refunds.create({ payment_intent: intent.id })).rejects.toMatchObject({
    code: 'charge_disputed',
  });
  const won = await stripe.disputes.update(dispute?.id ?? '', {
    evidence: { uncategorized_text: 'winning_evidence' },
  });
  expect([dispute?.status, won.status]).toEqual(['needs_response', 'won']);
});

it('credits an invoice that was paid, to the balance or the card', async () => {
  const { id } = await subscribed();
  const invoice = await latest(id);
  await expect(stripe.creditNotes.create({ invoice: invoice.id, amount: 1000 })).rejects.toMatchObject({
    statusCode: 400,
  });
  const first = await stripe.creditNotes.create({ invoice: invoice.id, amount: 1000, credit_amount: 1000 });
  const second = await stripe.creditNotes.create({ invoice: invoice.id, amount: 500, refund_amount: 500 });
  expect([first.number, second.number]).toEqual([`${invoice.number}-CN-01`, `${invoice.number}-CN-02`]);
  expect(await stripe.customers.retrieve(id)).toMatchObject({ balance: -1000 });
  expect(await stripe.invoices.retrieve(invoice.id)).toMatchObject({
    post_payment_credit_notes_amount: 1500,
    status: 'paid',
  });
  await test.sandbox.advance('1mo');
  await test.sandbox.advance('2h');
  // The credit is used by the next invoice.
  expect(await latest(id)).toMatchObject({
    total: 9900,
    starting_balance: -1000,
    ending_balance: 0,
    amount_paid: 8900,
  });
  expect(await stripe.customers.retrieve(id)).toMatchObject({ balance: 0 });
});

it('ends a schedule with its subscription, so that time goes on', async () => {
  const { subscription } = await subscribed();
  const schedule = await stripe.subscriptionSchedules.create({ from_subscription: subscription.id });
  const [current] = schedule.phases;
  await stripe.subscriptionSchedules.update(schedule.id, {
    phases: [
      {
        items: [{ price: gold.id, quantity: 1 }],
        start_date: current?.start_date,
        end_date: current?.end_date,
      },
      { items: [{ price: silver.id, quantity: 1 }], duration: { interval: 'month', interval_count: 1 } },
    ],
  });
  await stripe.subscriptions.cancel(subscription.id);
  await test.sandbox.advance('2mo');
  expect(await stripe.subscriptionSchedules.retrieve(schedule.id)).toMatchObject({
    status: 'canceled',
    current_phase: null,
  });
});

it('reports the tax of a part of a line that is credited, before it is credited', async () => {
  const rate = await stripe.taxRates.create({ display_name: 'VAT', percentage: 19, inclusive: false });
  const { id } = await subscribed(gold, 'pm_card_visa', { default_tax_rates: [rate.id] });
  const invoice = await latest(id);
  expect(invoice).toMatchObject({ status: 'paid', total: 11_781 });
  const lines = [
    { type: 'invoice_line_item' as const, invoice_line_item: invoice.lines.data[0]?.id ?? '', amount: 1000 },
  ];
  const given = { total: 1190, subtotal: 1000, total_taxes: [{ amount: 190, tax_behavior: 'exclusive' }] };
  expect(await stripe.creditNotes.preview({ invoice: invoice.id, lines })).toMatchObject(given);
  expect((await stripe.creditNotes.list({ invoice: invoice.id })).data).toEqual([]);
  await expect(
    stripe.creditNotes.create({ invoice: invoice.id, lines, refund_amount: 1000 }),
  ).rejects.toMatchObject({ statusCode: 400 });
  const note = await stripe.creditNotes.create({ invoice: invoice.id, lines, refund_amount: 1190 });
  expect(note).toMatchObject({ ...given, refunds: [{ amount_refunded: 1190 }] });
});

it('has invoices of at most one payment each', async () => {
  const { id: customer } = await subscribed();
  const item = (amount: number) => stripe.invoiceItems.create({ customer, amount, currency: 'usd' });
  for (const amount of [100_000_000, -100_000_000]) {
    await expect(item(amount)).rejects.toMatchObject({ code: 'amount_too_large' });
  }
  await item(60_000_000);
  await item(60_000_000);
  const made = await stripe.invoices.create({
    customer,
    currency: 'usd',
    pending_invoice_items_behavior: 'include',
    auto_advance: true,
  });
  await expect(stripe.invoices.finalizeInvoice(made.id)).rejects.toMatchObject({ code: 'amount_too_large' });
  await test.sandbox.advance('2h');
  expect(await stripe.invoices.retrieve(made.id)).toMatchObject({
    status: 'draft',
    auto_advance: false,
    last_finalization_error: { code: 'amount_too_large' },
  });
  expect(test.received.map(({ type }) => type)).toContain('invoice.finalization_failed');
});

it('discounts by coupons and codes, with tax on what is left', async () => {
  const rate = await stripe.taxRates.create({ display_name: 'VAT', percentage: 10, inclusive: false });
  const coupon = await stripe.coupons.create({ percent_off: 20, duration: 'once' });
  await stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: coupon.id }, code: 'SPRING' });
  await expect(
    stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: coupon.id }, code: 'spring' }),
  ).rejects.toMatchObject({ statusCode: 400 });
  const { id } = await subscribed(gold, 'pm_card_visa', {
    discounts: [{ coupon: coupon.id }],
    default_tax_rates: [rate.id],
  });
  expect(await latest(id)).toMatchObject({
    subtotal: 9900,
    total_discount_amounts: [{ amount: 1980 }],
    total_taxes: [{ amount: 792, taxable_amount: 7920 }],
    total: 8712,
  });
  await test.sandbox.advance('1mo');
  await test.sandbox.advance('2h');
  expect(await latest(id)).toMatchObject({ total: 10_890 });

  const session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    line_items: [{ price: gold.id, quantity: 1 }],
    allow_promotion_codes: true,
    success_url: 'https://shop.example/done',
  });
  const code = (text: string) =>
    fetch(`${session.url}/code`, {
      method: 'POST',
      body: new URLSearchParams({ code: text }),
      redirect: 'manual',
    });
  expect((await code('nonsense')).status).toBe(400);
  expect((await code('Spring')).status).toBe(303);
  expect((await typeCard(session.url ?? '', '4242424242424242')).status).toBe(303);
  expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({
    amount_subtotal: 9900,
    amount_total: 7920,
    customer_details: { email: 'ann@example.com' },
  });
});

it('lets a customer end and keep a subscription, change the card and pay an invoice in the portal', async () => {
  const { id, subscription } = await subscribed(gold, 'pm_card_chargeCustomerFail');
  expect(subscription.status).toBe('incomplete');
  const invoice = await latest(id);
  expect(invoice.hosted_invoice_url).toContain(invoice.id);
  const refused = await typeCard(invoice.hosted_invoice_url ?? '', '4000000000009995');
  expect([refused.status, await refused.text()]).toEqual([
    402,
    expect.stringContaining('insufficient funds'),
  ]);
  expect((await typeCard(invoice.hosted_invoice_url ?? '', '4242424242424242')).status).toBe(303);
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('active');

  const { url } = await stripe.billingPortal.sessions.create({
    customer: id,
    return_url: 'https://shop.example',
  });
  const page = await (await fetch(url)).text();
  expect(page).toContain(invoice.number);
  expect(page).not.toMatch(/<script/i);
  const press = (what: string) =>
    fetch(`${url}/${what}`, {
      method: 'POST',
      body: new URLSearchParams({ subscription: subscription.id }),
      redirect: 'manual',
    });
  await press('cancel');
  const ending = await stripe.subscriptions.retrieve(subscription.id);
  expect(ending).toMatchObject({
    cancel_at: subscription.items.data[0]?.current_period_end,
    cancel_at_period_end: false,
  });
  await press('keep');
  expect((await stripe.subscriptions.retrieve(subscription.id)).cancel_at).toBeNull();
  expect((await typeCard(`${url}/card`, '5555 5555 5555 4444')).status).toBe(303);
  const customer = await stripe.customers.retrieve(id, {
    expand: ['invoice_settings.default_payment_method'],
  });
  expect(customer).toMatchObject({
    invoice_settings: { default_payment_method: { card: { brand: 'mastercard' } } },
  });
});

it('gives the same card the same fingerprint', async () => {
  const make = (token: string) => stripe.paymentMethods.create({ type: 'card', card: { token } });
  const [one, same, other] = await Promise.all([make('tok_visa'), make('tok_visa'), make('tok_mastercard')]);
  expect(one.card?.fingerprint).toBe(same.card?.fingerprint);
  expect(one.card?.fingerprint).not.toBe(other.card?.fingerprint);
});

describe('faults', () => {
  const names = () => test.received.map(({ data: { object } }) => (object as Stripe.Customer).name);
  beforeEach(async () => {
    await test.sandbox.deliveries.idle();
    test.received.length = test.forged.length = 0;
    test.answer = 200;
  });

  it('send events twice, in another order, later, with an old or wrong signature, or not at all', async () => {
    test.sandbox.faults.disturbDeliveries('duplicated');
    await stripe.customers.create({ name: 'twice' });
    await test.sandbox.deliveries.idle();
    expect(names()).toEqual(['twice', 'twice']);
    expect(test.received[0]?.id).toBe(test.received[1]?.id);

    test.sandbox.faults.disturbDeliveries('reordered', 1, 'customer.subscription.created');
    await subscribed();
    await test.sandbox.deliveries.idle();
    const order = test.received.splice(2).map(({ type }) => type);
    expect(order.indexOf('invoice.created') - order.indexOf('customer.subscription.created')).toBe(-1);

    for (const fault of ['old_signature', 'wrong_signature'] as const) {
      test.sandbox.faults.disturbDeliveries(fault);
      await stripe.customers.create({ name: fault });
      await test.sandbox.deliveries.idle();
    }
    expect(test.forged).toHaveLength(2);
    // Both were sent again as they should be.
    expect(names().slice(2)).toEqual(['old_signature', 'wrong_signature']);

    test.sandbox.faults.disturbDeliveries('dropped');
    await stripe.customers.create({ name: 'lost' });
    await test.sandbox.deliveries.idle();
    const [missed] = (await stripe.events.list({ delivery_success: false })).data;
    expect((missed?.data.object as Stripe.Customer).name).toBe('lost');
    const [delivery] = test.sandbox.listDeliveries(1);
    await test.sandbox.deliveries.replay(delivery?.id ?? '');
    expect(names().at(-1)).toBe('lost');
    expect((await stripe.events.list({ delivery_success: false })).data).toEqual([]);
  });

  it('send again what was not answered with 2xx', async () => {
    test.answer = 500;
    await stripe.customers.create({ name: 'again' });
    await test.sandbox.deliveries.idle();
    expect(names()).toEqual([]);
    const [delivery] = test.sandbox.listDeliveries(1);
    expect([delivery?.delivered, delivery?.attempts.map(({ status }) => status)]).toEqual([
      false,
      [500, 500, 500],
    ]);
  });

  it('fail calls before or after they were carried out', async () => {
    test.sandbox.faults.failCalls({ method: 'POST', path: '/v1/customers', after: true });
    const key = { idempotencyKey: 'lost-answer' };
    await expect(stripe.customers.create({ name: 'once' }, key)).rejects.toMatchObject({ statusCode: 500 });
    const { id } = await stripe.customers.create({ name: 'once' }, key);
    const made = (await stripe.customers.list({ limit: 100 })).data.filter(({ name }) => name === 'once');
    expect(made.map((one) => one.id)).toEqual([id]);
    test.sandbox.faults.failCalls({ status: 429 });
    await expect(stripe.customers.list()).rejects.toMatchObject({ type: 'StripeRateLimitError' });
  });
});

it('lets the months of a coupon go by while a subscription is paused', async () => {
  const coupon = await stripe.coupons.create({
    percent_off: 50,
    duration: 'repeating',
    duration_in_months: 2,
  });
  const discounts = [{ coupon: coupon.id }];
  const { id, subscription } = await subscribed(gold, 'pm_card_visa', { discounts });
  const pauseFor = async (time: string) => {
    await stripe.subscriptions.pause(subscription.id);
    await test.sandbox.advance(time);
    return stripe.subscriptions.resume(subscription.id);
  };
  // What is given back of the first month is what was paid for it.
  const within = await pauseFor('40d');
  expect([within.discounts.length, (await latest(id)).total]).toEqual([1, 0]);
  const behind = await pauseFor('40d');
  expect([behind.discounts.length, (await latest(id)).total]).toEqual([0, 9900 - 4950]);
});
