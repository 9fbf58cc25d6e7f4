import { RotateKeyDocument } from '../generated/graphql.js';
import type { Product } from './product.js';
import { cancelOn, issues, startProduct } from './product.js';

// The life of a customer, over HTTP alone, one product after the other. Payments are a stand-in's, whose time
// stands still until it is moved on; the quotas of who pays go by it.

const CREDENTIALS = { email: 'life@example.com', password: 'correct horse' };

let p: Product;
afterEach(() => p.close());

it('specql: register, call, limit, pay, a higher limit, rotate, cancel, a lower limit', async () => {
  p = await startProduct('specql', { patterns: 'patterns', paid: true });
  const { token: session } = await p.t.register();
  const { secret: first, keyId } = await p.t.issueKey(session, 'LIVE');
  const page = async (by: string) => (await p.ask('GET /api/v1/patterns?per_page=1', { key: by })).status;
  const calls = [];
  for (let n = 0; n < 11; n++) calls.push(await page(first));
  expect(calls).toEqual([...Array<number>(10).fill(200), 429]);
  const standing = async (by: string) => (await p.ask('GET /api/v1/usage/stats', { key: by })).body;
  expect(await standing(first)).toMatchObject({ subscription_tier: 'free', rate_limit_per_minute: 10 });

  const upgrade = (body: object, headers = {}) =>
    p.ask('POST /api/v1/account/upgrade', { key: session, body, headers });
  const gold = await upgrade({ plan: 'gold' });
  expect([gold.status, issues(gold)]).toEqual([422, [['body.plan', 'value_error']]]);
  expect((await p.ask('POST /api/v1/account/upgrade', { key: first, body: { plan: 'team' } })).status).toBe(
    403,
  );
  // The same command, sent again, opens no second checkout.
  const bought = await upgrade({ plan: 'developer' }, { 'idempotency-key': 'buy' });
  expect((await upgrade({ plan: 'developer' }, { 'idempotency-key': 'buy' })).body).toEqual(bought.body);
  expect(bought.body).toMatchObject({ status: 'checkout', subscription_tier: 'free' });
  expect((await p.shop.pay((bought.body as { checkout_url: string }).checkout_url)).status).toBe(303);
  await p.shop.settled();
  expect(await standing(first)).toMatchObject({ subscription_tier: 'developer', rate_limit_per_minute: 60 });
  expect(await page(first)).toBe(200);
  expect((await p.ask('GET /api/v1/account/subscription', { key: session })).body).toMatchObject({
    status: 'trialing',
    interval: 'month',
    trial_end: expect.any(String) as string,
  });
  expect((await upgrade({ plan: 'developer' })).status).toBe(409);
  // Once the trial is over a change is charged at once.
  await p.shop.advance(new Date(p.shop.sandbox.now() + 15 * 86_400_000).toISOString());
  p.shop.sandbox.faults.declineCharges();
  const declined = await upgrade({ plan: 'team', interval: 'year' });
  expect([declined.status, Object.keys(declined.body as object)]).toEqual([402, ['detail']]);
  p.shop.sandbox.faults.clear();
  expect(await standing(first)).toMatchObject({ subscription_tier: 'developer' });
  const team = await upgrade({ plan: 'team', interval: 'year' });
  expect(team.body).toMatchObject({ subscription_tier: 'team', checkout_url: null });
  expect((await p.ask('GET /api/v1/account/subscription', { key: session })).body).toMatchObject({
    interval: 'year',
  });

  const { data } = await p.t.query(RotateKeyDocument, { input: { keyId, graceSeconds: 0 } }, session);
  const rotated = data?.rotateKey;
  const second = (rotated?.__typename === 'RotateKeyPayload' && rotated.secret) || '';
  expect([await page(first), await page(second)]).toEqual([401, 200]);

  const ends = { subscription_tier: 'team', cancel_at_period_end: true };
  const canceled = await p.ask('POST /api/v1/account/cancel', { key: session });
  expect([canceled.status, canceled.body]).toEqual([200, expect.objectContaining(ends)]);
  expect((await p.ask('POST /api/v1/account/cancel', { key: session })).status).toBe(409);
  const resumed = await p.ask('POST /api/v1/account/resume', { key: session });
  expect(resumed.body).toMatchObject({ cancel_at_period_end: false, ends_at: null });
  const portal = await p.ask('POST /api/v1/account/portal', { key: session });
  expect((portal.body as { url: string }).url).toMatch(/^http/);
  const now = await p.ask('POST /api/v1/account/cancel', { key: session, body: { at_period_end: false } });
  await p.shop.settled();
  expect(now.status).toBe(200);
  expect(await standing(second)).toMatchObject({ subscription_tier: 'free', rate_limit_per_minute: 10 });
});

it('glyph: register, call, limit, pay, a higher limit, rotate, cancel, a lower limit', async () => {
  p = await startProduct('glyph', { paid: true });
  const { token } = (await p.ask('POST /auth/register', { body: CREDENTIALS })).body as { token: string };
  const issued = await p.ask('POST /api-keys/generate', { key: token, body: { name: 'ci' } });
  const { id, key: first } = issued.body as { id: string; key: string };
  const limit = async (key: string) => {
    const { headers } = await p.ask('GET /auth/me', { key });
    return ['x-subscription-tier', 'x-rate-limit'].map((name) => headers.get(name));
  };
  expect([await p.spend(first, 99), await limit(first)]).toEqual(['VALID', ['free', '100']]);
  expect([await p.spend(first, 1), await p.spend(first, 1)]).toEqual(['VALID', 'QUOTA_EXCEEDED']);

  const contract = await p.ask('POST /billing/checkout', { key: token, body: { tier: 'enterprise' } });
  expect([contract.status, contract.body]).toEqual([
    400,
    { detail: 'No price for "enterprise". For enterprise, contact sales.' },
  ]);
  const checkout = await p.ask('POST /billing/checkout', { key: token, body: { tier: 'starter' } });
  expect((await p.shop.pay((checkout.body as { url: string }).url)).status).toBe(303);
  await p.shop.settled();
  const paid = { tier: 'starter', status: 'active' };
  expect((await p.ask('GET /billing/status', { key: token })).body).toMatchObject({
    ...paid,
    calls_limit: 10_000,
  });
  expect((await p.ask('POST /auth/login', { body: CREDENTIALS })).body).toMatchObject({ subscription: paid });
  expect([await p.spend(first, 1), await limit(first)]).toEqual(['VALID', ['starter', '10000']]);
  const plan = (tier: string) => p.ask('POST /billing/plan', { key: token, body: { tier } });
  const again = await p.ask('POST /billing/checkout', { key: token, body: { tier: 'professional' } });
  expect([again.status, again.body]).toEqual([
    409,
    { detail: expect.stringContaining('/billing/plan') as string },
  ]);
  expect((await plan('gold')).status).toBe(400);
  expect((await plan('professional')).body).toEqual({
    tier: 'professional',
    next_tier: null,
    next_tier_from: null,
  });
  expect((await plan('starter')).body).toMatchObject({ tier: 'professional', next_tier: 'starter' });

  const rotated = await p.ask(`POST /api-keys/${id}/rotate`, { key: token });
  const { key: second } = rotated.body as { key: string };
  expect([await p.spend(first, 1), await p.spend(second, 1)]).toEqual(['KEY_ROTATED', 'VALID']);

  const browser = await fetch(`${p.t.app.url}/billing/portal`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, accept: 'text/html' },
    redirect: 'manual',
  });
  expect([browser.status, browser.headers.get('location')]).toEqual([
    303,
    expect.stringMatching(/\/portal\//),
  ]);
  // A renewal that cannot be paid: the plan is kept for a while.
  p.shop.sandbox.faults.declineCharges('generic_decline', 10);
  await p.shop.advance(new Date(p.shop.sandbox.now() + 31 * 86_400_000).toISOString());
  expect((await p.ask('GET /billing/status', { key: token })).body).toMatchObject({
    tier: 'starter',
    status: 'past_due',
  });
  const portal = await p.ask('POST /billing/portal', { key: token });
  await cancelOn((portal.body as { url: string }).url);
  await p.shop.settled();
  expect(await limit(second)).toEqual(['starter', '10000']);
  await p.shop.advance(new Date(p.shop.sandbox.now() + 32 * 86_400_000).toISOString());
  expect(await limit(second)).toEqual(['free', '100']);
});

it('harmonic: sign up, call, limit, pay, a higher limit, rotate, cancel, a lower limit', async () => {
  p = await startProduct('harmonic', { paid: true });
  const signedUp = await p.ask('POST /api/v1/auth/signup', { body: CREDENTIALS });
  const { token: session, userId } = signedUp.body as { token: string; userId: string };
  const issued = await p.ask('POST /api/v1/keys', { key: session, body: { userId } });
  const { id, key: first } = issued.body as { id: string; key: string };
  expect([await p.spend(first, 1000), await p.spend(first, 1)]).toEqual(['VALID', 'QUOTA_EXCEEDED']);
  const usage = async (key: string) => (await p.ask('GET /api/v1/usage', { key })).body;
  expect(await usage(first)).toMatchObject({ tier: 'free', quota: 1000, used: 1000, isExceeded: true });

  const email = { email: CREDENTIALS.email };
  expect(await p.ask('POST /api/premium/checkout', { body: email })).toMatchObject({
    status: 401,
    body: { ok: false, error: 'missing_token' },
  });
  expect(await p.ask('POST /api/premium/checkout', { key: session, body: {} })).toMatchObject({
    status: 400,
    body: { ok: false, error: 'missing_email' },
  });
  const checkout = await p.ask('POST /api/premium/checkout', { key: session, body: email });
  const { ok, checkoutUrl } = checkout.body as { ok: boolean; checkoutUrl: string };
  expect([ok, (await p.shop.pay(checkoutUrl)).status]).toEqual([true, 303]);
  await p.shop.settled();
  expect(await p.spend(first, 1)).toBe('VALID');
  const pro = await usage(first);
  expect(pro).toMatchObject({ tier: 'pro', quota: 10_000, isExceeded: false });

  const rotated = await p.ask(`POST /api/v1/keys/${id}/rotate`, { key: session });
  const second = (rotated.body as { newKey: { key: string } }).newKey.key;
  expect([await p.spend(first, 1), await p.spend(second, 1)]).toEqual(['KEY_ROTATED', 'VALID']);

  // The product's documents have no address for it: GraphQL opens the portal.
  const { data } = await p.t.raw(
    'mutation { openBillingPortal(input: {}) { ... on OpenBillingPortalPayload { url } } }',
    {},
    session,
  );
  await cancelOn((data?.['openBillingPortal'] as { url: string }).url);
  await p.shop.advance(new Date(p.shop.sandbox.now() + 32 * 86_400_000).toISOString());
  expect(await usage(second)).toMatchObject({ tier: 'free', quota: 1000 });
});

const onlyKeyOf = async (session: string) => {
  const { data } = await p.t.raw('{ account { keys { nodes { id } } } }', {}, session);
  return (data?.['account'] as { keys: { nodes: { id: string }[] } }).keys.nodes[0]?.id;
};

it('videomind: register, call, limit, pay, a higher limit, rotate, cancel, a lower limit', async () => {
  // Stripe sends to the address that the product's documents name.
  p = await startProduct('videomind', { paid: true, webhookPath: '/api/v1/stripe/webhook' });
  const unsigned = await p.ask('POST /api/v1/stripe/webhook', { body: { type: 'invoice.paid' } });
  expect([unsigned.status, unsigned.body]).toEqual([
    400,
    { detail: 'Webhook error: the signature is missing, is too old, or does not fit the body.' },
  ]);
  const registered = await p.ask('POST /api/v1/register', { body: CREDENTIALS });
  const { api_key: first, email } = registered.body as { api_key: string; email: string };
  const health = async (key: string) => (await p.ask('GET /api/v1/health', { key })).status;
  const calls = [];
  for (let n = 0; n < 11; n++) calls.push(await health(first));
  expect(calls).toEqual([...Array<number>(10).fill(200), 429]);
  const usage = async (key: string) => (await p.ask('GET /api/v1/usage', { key })).body;
  expect(await usage(first)).toMatchObject({ plan: 'free', videos_limit: 3, requests_limit: 10 });

  // The first key reads: who pays signs in.
  expect((await p.ask('POST /api/v1/checkout', { key: first, body: { plan: 'pro' } })).status).toBe(403);
  const signedIn = await p.t.raw(
    `mutation { signIn(input: { email: "${email}", password: "correct horse" }) {
      ... on SignInPayload { session { sessionToken } }
    } }`,
  );
  const { sessionToken: session } = (signedIn.data?.['signIn'] as { session: { sessionToken: string } })
    .session;
  const wrong = await p.ask('POST /api/v1/checkout', { key: session, body: { plan: 'gold' } });
  expect([wrong.status, wrong.body]).toEqual([
    400,
    { detail: "Invalid plan: gold. Must be 'pro' or 'business'." },
  ]);
  const checkout = await p.ask('POST /api/v1/checkout', { key: session, body: { plan: 'pro' } });
  expect((await p.shop.pay((checkout.body as { url: string }).url)).status).toBe(303);
  await p.shop.settled();
  // The same key all along.
  expect(await usage(first)).toMatchObject({ plan: 'pro', videos_limit: 30, requests_limit: 100 });
  const twice = await p.ask('POST /api/v1/checkout', { key: session, body: { plan: 'business' } });
  expect([twice.status, twice.body]).toEqual([
    409,
    { detail: expect.stringContaining('/api/v1/plan') as string },
  ]);
  const larger = await p.ask('POST /api/v1/plan', { key: session, body: { plan: 'business' } });
  expect([larger.status, larger.body]).toMatchObject([200, { plan: 'business', next_plan: null }]);
  expect(await health(first)).toBe(200);

  // The product's documents have no addresses for what follows: GraphQL does it.
  const { data } = await p.t.raw(
    `mutation Rotate($id: ID!) {
      openBillingPortal(input: {}) { ... on OpenBillingPortalPayload { url } }
      rotateKey(input: { keyId: $id, graceSeconds: 0 }) { ... on RotateKeyPayload { secret } }
    }`,
    { id: await onlyKeyOf(session) },
    session,
  );
  const second = (data?.['rotateKey'] as { secret: string }).secret;
  expect([await health(second), (await p.ask('GET /api/v1/usage', { key: first })).status]).toEqual([
    200, 401,
  ]);
  await cancelOn((data?.['openBillingPortal'] as { url: string }).url);
  await p.shop.advance(new Date(p.shop.sandbox.now() + 32 * 86_400_000).toISOString());
  expect(await usage(second)).toMatchObject({ plan: 'free', videos_limit: 3, requests_limit: 10 });
});
