import Stripe from 'stripe';
import type { Shop } from './shop.js';
import { openShop } from './shop.js';

const LOG = '2026-01-01 10:00 Ann: hello there\n2026-01-01 10:01 Bob: hello again\n';

let shop: Shop;
let stripe: Stripe;
beforeAll(async () => {
  shop = await openShop('2027-01-31T12:00:00Z', { env: { PROFILE: 'scanner' } });
  stripe = new Stripe(shop.sandbox.apiKey, { ...shop.sandbox.client });
}, 60_000);
afterAll(() => shop.close());

const asJson = (body: unknown) =>
  fetch(`${shop.test.app.url}/create-payment-intent`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

async function analyze(intent: string | undefined, text = LOG, where: 'form' | 'query' = 'form') {
  const form = new FormData();
  if (intent !== undefined && where === 'form') form.append('payment_intent_id', intent);
  form.append('file', new Blob([text]), 'chat.txt');
  const query = intent !== undefined && where === 'query' ? `?payment_intent_id=${intent}` : '';
  const response = await fetch(`${shop.test.app.url}/analyze${query}`, { method: 'POST', body: form });
  const body = (await response.json()) as { detail?: string; total_events?: number };
  return [response.status, body.detail ?? 'analysed'];
}

it('is paid for once, and the payment is good for one file', async () => {
  const created = await asJson({});
  expect(created.status).toBe(200);
  const {
    payment_intent_id: id,
    client_secret: secret,
    amount,
  } = (await created.json()) as Record<string, string>;
  expect([amount, secret?.startsWith(`${id}_secret_`)]).toEqual([500, true]);
  expect(await analyze(undefined)).toEqual([402, 'Payment required. Please provide payment_intent_id.']);
  expect(await analyze(id)).toEqual([402, 'Payment not completed. Status: requires_payment_method']);
  await stripe.paymentIntents.confirm(id ?? '', {
    payment_method: 'pm_card_visa',
    return_url: 'https://shop.example/',
  });
  // Two files at once: one of them has it.
  const both = await Promise.all([analyze(id), analyze(id, `${LOG}more\n`)]);
  expect(both.map(([status]) => status).sort()).toEqual([200, 402]);
  const paid = both[0]?.[0] === 200 ? LOG : `${LOG}more\n`;
  expect(await analyze(id, paid, 'query')).toEqual([200, 'analysed']);
  expect(await analyze(id, 'Ann: something else\n')).toEqual([402, 'This payment was used for another file']);
});

it('cannot be had for less, nor with a payment for something else', async () => {
  for (const body of [{ amount: 1 }, { currency: 'jpy' }, { amount: '500' }]) {
    expect((await asJson(body)).status).toBe(400);
  }
  expect((await asJson([])).status).toBe(422);
  const other = await stripe.paymentIntents.create({
    amount: 500,
    currency: 'usd',
    payment_method: 'pm_card_visa',
    confirm: true,
    return_url: 'https://shop.example/',
  });
  expect(await analyze(other.id)).toEqual([402, 'Payment verification failed']);
  expect(await analyze('pi_none')).toEqual([402, 'Payment verification failed']);
  expect(await analyze('../../customers')).toEqual([402, 'Payment verification failed']);
});
