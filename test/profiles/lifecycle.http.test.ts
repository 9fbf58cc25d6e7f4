import type { Shop } from '../billing/shop.js';
import { openShop } from '../billing/shop.js';

// The life of a customer, over the routes of the product alone.

let shop: Shop;
afterEach(() => shop.close());

type Body = Readonly<Record<string, unknown>>;

async function open(profile: string) {
  shop = await openShop('2027-01-17T12:00:00Z', { env: { PROFILE: profile } });
  return async (route: string, credential?: string, body?: object) => {
    const [method = '', path = ''] = route.split(' ');
    const response = await fetch(shop.test.app.url + path, {
      method,
      headers: {
        ...(credential !== undefined && { authorization: `Bearer ${credential}` }),
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
  };
}

const CREDENTIALS = { email: 'ann@example.com', password: 'correct horse' };

it('glyph: register, key, checkout, pay, a higher limit, revoked', async () => {
  const ask = await open('glyph');
  const token = (await ask('POST /auth/register', undefined, CREDENTIALS)).body['token'] as string;
  const key = (await ask('POST /api-keys/generate', token, { name: 'ci' })).body;
  const secret = key['key'] as string;
  const limit = async () => (await ask('GET /auth/me', secret)).headers.get('x-rate-limit');
  expect(await limit()).toBe('100');

  const contract = await ask('POST /billing/checkout', token, { tier: 'enterprise' });
  expect([contract.status, contract.body]).toEqual([
    400,
    { detail: 'No price for "enterprise". For enterprise, contact sales.' },
  ]);
  const { status, body } = await ask('POST /billing/checkout', token, { tier: 'starter' });
  expect(status).toBe(200);
  expect((await ask('GET /billing/status', token)).body).toMatchObject({ tier: 'free', calls_limit: 100 });
  expect((await shop.pay(body['url'] as string)).status).toBe(303);
  await shop.settled();

  expect((await ask('GET /billing/status', token)).body).toEqual({
    tier: 'starter',
    status: 'active',
    current_period_end: '2027-02-17T12:00:00.000Z',
    calls_used: 0,
    calls_limit: 10_000,
  });
  expect((await ask('POST /auth/login', undefined, CREDENTIALS)).body['subscription']).toEqual({
    tier: 'starter',
    status: 'active',
    current_period_end: '2027-02-17T12:00:00.000Z',
  });
  expect(await limit()).toBe('10000');
  expect((await ask('POST /billing/checkout', token, { tier: 'professional' })).status).toBe(409);
  await ask(`DELETE /api-keys/${key['id'] as string}`, token);
  expect((await ask('GET /auth/me', secret)).status).toBe(401);
});

it('videomind: the same key all along, from 3 videos a day to 30', async () => {
  const ask = await open('videomind');
  const { api_key: key, email } = (await ask('POST /api/v1/register', undefined, CREDENTIALS)).body;
  const usage = async () => (await ask('GET /api/v1/usage', key as string)).body;
  expect([email, await usage()]).toMatchObject([
    CREDENTIALS.email,
    { plan: 'free', videos_limit: 3, requests_limit: 10 },
  ]);
  // The first key reads: who pays signs in.
  expect((await ask('POST /api/v1/checkout', key as string, { plan: 'pro' })).status).toBe(403);
  const signedIn = await shop.test.raw(
    'mutation { signIn(input: {email: "ann@example.com", password: "correct horse"}) { ... on SignInPayload { session { sessionToken } } } }',
  );
  const token = (signedIn.data?.['signIn'] as { session: { sessionToken: string } }).session.sessionToken;
  const wrong = await ask('POST /api/v1/checkout', token, { plan: 'gold' });
  expect([wrong.status, wrong.body]).toEqual([
    400,
    { detail: "Invalid plan: gold. Must be 'pro' or 'business'." },
  ]);
  const { body } = await ask('POST /api/v1/checkout', token, { plan: 'pro' });
  expect((await shop.pay(body['url'] as string)).status).toBe(303);
  await shop.settled();
  expect(await usage()).toMatchObject({ plan: 'pro', videos_limit: 30, requests_limit: 100 });
});
