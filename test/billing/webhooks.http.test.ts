import Stripe from 'stripe';
import { stripeEventStream } from '../../src/billing/events.js';
import { allEvents } from '../crash/facts.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';

const OLD = `whsec_${'o'.repeat(32)}`;
const NEW = `whsec_${'n'.repeat(32)}`;

let test: TestApp;
beforeAll(async () => {
  // Nobody listens there: what follows from the events waits.
  const env = { STRIPE_SECRET_KEY: 'sk_test_none', STRIPE_API_BASE: 'http://127.0.0.1:9' };
  test = await startApp({ env: { ...env, STRIPE_WEBHOOK_SECRET: `${OLD},${NEW}` } });
});
afterAll(() => test.close());

let ids = 0;
const event = (over: object = {}) => ({
  id: `evt_${++ids}`,
  object: 'event',
  type: 'invoice.paid',
  created: 1_780_000_000,
  livemode: false,
  api_version: '2026-10-28.endive',
  // Two bytes in UTF-8, and a number that a parser would write otherwise: the bytes are what is signed.
  data: { object: { object: 'invoice', id: 'in_1', customer: 'cus_1', description: 'für Ä', amount: 1.5e3 } },
  ...over,
});

interface Posting {
  readonly secret?: string;
  readonly timestamp?: number;
  readonly header?: string | null;
  readonly type?: string;
}

async function post(payload: string, posting: Posting = {}): Promise<{ status: number; code?: string }> {
  const { secret = NEW, timestamp = Math.floor(Date.now() / 1000), type = 'application/json' } = posting;
  const signed = Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp });
  const { header = signed } = posting;
  const response = await fetch(`${test.app.url}/webhooks/stripe`, {
    method: 'POST',
    headers: { 'content-type': type, ...(header !== null && { 'stripe-signature': header }) },
    body: payload,
  });
  const body = (await response.json()) as { errors?: { extensions: { code: string } }[] };
  const code = body.errors?.[0]?.extensions.code;
  return { status: response.status, ...(code !== undefined && { code }) };
}

const received = async (): Promise<number> =>
  (await allEvents(test.app.parts.store)).filter(({ type }) => type === 'StripeEventReceived').length;

const storedOf = (id: string) => test.app.parts.commands.load(stripeEventStream(id));

it('stores an event as it came, under either secret, once, whatever its type', async () => {
  const known = event();
  const unknown = event({ type: 'moon.landed', data: { object: { object: 'moon' } }, account: 'acct_1' });
  expect(await post(JSON.stringify(known, null, 2), { secret: OLD })).toEqual({ status: 200 });
  expect(await post(JSON.stringify(unknown), { type: 'text/plain' })).toEqual({ status: 200 });
  // Stripe sends it again, and counts how often.
  expect(await post(JSON.stringify({ ...known, pending_webhooks: 2 }))).toEqual({ status: 200 });
  const [first, ...others] = (await storedOf(known.id)).filter(({ type }) => type === 'StripeEventReceived');
  expect(others).toEqual([]);
  expect(first?.metadata).toMatchObject({ environment: 'test', caller: 'stripe' });
  expect(first?.data).toMatchObject({
    eventType: 'invoice.paid',
    createdAt: '2026-05-28T20:26:40.000Z',
    livemode: false,
    object: { type: 'invoice', id: 'in_1' },
    customer: 'cus_1',
    backfilled: false,
  });
  // What may be personal is not in the event.
  expect(first?.dataText).not.toContain('für');
  expect((await storedOf(unknown.id))[0]?.data).toMatchObject({
    eventType: 'moon.landed',
    object: { type: 'moon', id: null },
    customer: null,
    connectedAccount: 'acct_1',
  });
});

it('stores nothing that is forged, unsigned, stale or no event', async () => {
  const before = await received();
  const text = JSON.stringify(event());
  const stale = Math.floor(Date.now() / 1000) - 301;
  const own = Stripe.webhooks.generateTestHeaderString({ payload: text, secret: NEW });
  const none = { status: 400, code: 'SIGNATURE_INVALID' };
  expect(await post(text, { header: null })).toEqual(none);
  expect(await post(text, { header: '' })).toEqual(none);
  expect(await post(text, { header: 't=1,v1=00' })).toEqual(none);
  expect(await post(text, { secret: `whsec_${'x'.repeat(32)}` })).toEqual(none);
  expect(await post(text, { timestamp: stale })).toEqual(none);
  // Another body under a good signature.
  expect(await post(text.replace('invoice.paid', 'invoice.void'), { header: own })).toEqual(none);
  expect(await post('', {})).toEqual({ status: 400, code: 'BODY_INVALID' });
  for (const bad of ['not json', '[]', 'null', '{"id":"evt_1"}', JSON.stringify(event({ id: 'evt_a-b' }))]) {
    expect(await post(bad)).toEqual({ status: 400, code: 'BODY_INVALID' });
  }
  expect(await post('x'.repeat(5_000_000))).toEqual({ status: 413, code: 'BODY_TOO_LARGE' });
  expect(await received()).toBe(before);
});

it('stores one event however many of the same come at once', async () => {
  const one = event();
  const text = JSON.stringify(one);
  const answers = await Promise.all(Array.from({ length: 20 }, () => post(text)));
  expect(answers).toEqual(Array(20).fill({ status: 200 }));
  const stored = (await storedOf(one.id)).filter(({ type }) => type === 'StripeEventReceived');
  expect(stored).toHaveLength(1);
});
