import type { Product } from './product.js';
import { issues, LIMIT, problems, shape, startProduct } from './product.js';
import { askEverything, throwTexts } from './product.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const OLD = 'a-key-that-somebody-made';

let p: Product;
let emails = 0;
beforeAll(async () => {
  p = await startProduct('videomind', { env: { LEGACY_API_KEYS: OLD } });
});
afterAll(() => p.close());

const register = async (email = `v${++emails}@example.com`) => {
  const { status, body } = await p.ask('POST /api/v1/register', {
    body: { email, password: 'correct horse' },
  });
  return { status, body: body as { user_id: string; email: string; api_key: string; plan: string } };
};

describe('POST /api/v1/register', () => {
  it('tells whoever wants to pay with the first key, which only reads, what to send instead', async () => {
    const { body } = await register();
    const paying = await p.ask('POST /api/v1/checkout', { key: body.api_key, body: { plan: 'pro' } });
    expect([paying.status, paying.body]).toEqual([
      403,
      { detail: expect.stringMatching(/^Send a session token .*signIn/) as string },
    ]);
  });

  it('answers with the first key, which works', async () => {
    const { status, body } = await register('First@example.com');
    expect(status).toBe(200);
    const fields = { user_id: 'string', email: 'string', api_key: 'string', plan: 'string' };
    expect(problems(shape(fields), body)).toEqual([]);
    expect([body.api_key, body.plan]).toEqual([expect.stringMatching(/^sk_[0-9A-Za-z]{32}$/), 'free']);
    expect((await p.ask('GET /api/v1/usage', { key: body.api_key })).status).toBe(200);
  });

  it('registers once under the same Idempotency-Key, and shows the key once', async () => {
    const sent = {
      body: { email: 'once@example.com', password: 'correct horse' },
      headers: { 'idempotency-key': 'register-1' },
    };
    const { body } = await p.ask('POST /api/v1/register', sent);
    const again = await p.ask('POST /api/v1/register', sent);
    expect([again.status, again.body]).toEqual([200, { ...(body as object), api_key: null }]);
  });

  it.each([
    ['without a password', { email: 'a@example.com' }, 422, [['body.password', 'missing']]],
    ['without a body', undefined, 422, [['body', 'missing']]],
    ['with a number', { email: 1, password: 'correct horse' }, 422, [['body.email', 'string_type']]],
    ['that is not JSON', '{', 422, [['body', 'json_invalid']]],
    [
      'with an e-mail that is none',
      { email: 'a', password: 'correct horse' },
      422,
      [['body.email', 'value_error']],
    ],
    [
      'with half a character',
      '{"email":"\\ud800@example.com","password":"correct horse"}',
      422,
      [['body.email', 'value_error']],
    ],
  ])('refuses a request %s', async (_what, body, status, expected) => {
    const reply = await p.ask('POST /api/v1/register', { body });
    expect([reply.status, issues(reply)]).toEqual([status, expected]);
  });

  it('refuses a short password and a taken e-mail with their texts', async () => {
    const short = await p.ask('POST /api/v1/register', {
      body: { email: 'b@example.com', password: 'short' },
    });
    expect([short.status, short.body]).toEqual([400, { detail: 'Password must be at least 8 characters' }]);
    await register('taken@example.com');
    const taken = await p.ask('POST /api/v1/register', {
      body: { email: 'taken@example.com', password: 'correct horse' },
    });
    expect([taken.status, taken.body]).toEqual([400, { detail: 'Email already registered' }]);
  });
});

describe('GET /api/v1/usage', () => {
  it('tells the plan and its limits, and takes nothing of them', async () => {
    const { body } = await register();
    const replies = [];
    for (let n = 0; n < 12; n++) replies.push(await p.ask('GET /api/v1/usage', { key: body.api_key }));
    const last = replies.at(-1);
    const fields = {
      plan: 'string',
      videos_today: 'integer',
      videos_limit: LIMIT,
      requests_this_hour: 'integer',
      requests_limit: LIMIT,
    };
    expect(problems(shape(fields), last?.body)).toEqual([]);
    expect(last?.body).toEqual({
      plan: 'free',
      videos_today: 0,
      videos_limit: 3,
      requests_this_hour: 0,
      requests_limit: 10,
    });
    expect(last?.headers.get('x-ratelimit-remaining')).toBe('10');
  });

  it('tells a key of the environment the plan that the profile names', async () => {
    const { body } = await p.ask('GET /api/v1/usage', { key: OLD });
    expect(body).toMatchObject({ plan: 'business', videos_today: 0, videos_limit: 150, requests_limit: 500 });
  });

  it.each([
    ['no key', {}, 'Missing API key'],
    ['another scheme', { authorization: 'Token abc' }, 'Invalid API key format'],
    ['a wrong key', { authorization: 'Bearer sk_wrong' }, 'Invalid API key'],
    ['a key in a header that the product does not read', { 'x-api-key': OLD }, 'Missing API key'],
  ])('refuses %s, also where there is no such address', async (_what, headers, detail) => {
    for (const path of ['/api/v1/usage', '/api/v1/none']) {
      const reply = await p.ask(`GET ${path}`, { headers });
      expect([reply.status, (reply.body as { detail: string }).detail]).toEqual([401, detail]);
      expect(reply.headers.get('www-authenticate')).toBe('Bearer');
    }
  });

  it('tells an address and a method that there is not', async () => {
    const none = await p.ask('GET /api/v1/none', { key: OLD });
    expect([none.status, (none.body as { detail: string }).detail]).toEqual([404, 'Not Found']);
    const method = await p.ask('DELETE /api/v1/usage', { key: OLD });
    expect([method.status, method.body, method.headers.get('allow')]).toEqual([
      405,
      { detail: 'Method Not Allowed' },
      'GET',
    ]);
  });
});

describe('GET /api/v1/health', () => {
  const HEALTHY = { status: 'healthy', version: '0.1.0', service: 'VideoMind API' };

  it('is public, and takes a bad key for none', async () => {
    for (const sent of [{}, { key: 'sk_wrong' }]) {
      for (let n = 0; n < 12; n++)
        expect(await p.ask('GET /api/v1/health', sent)).toMatchObject({ status: 200, body: HEALTHY });
    }
  });

  it('counts with a good key: the 11th in a sliding hour is refused, and passes when the first has left', async () => {
    const { api_key: key } = (await register()).body;
    const ask = () => p.ask('GET /api/v1/health', { key });
    for (let n = 1; n <= 10; n++) {
      const reply = await ask();
      expect([reply.status, reply.headers.get('x-ratelimit-remaining')]).toEqual([200, String(10 - n)]);
      if (n === 1) p.advance(60_000);
    }
    const refused = await ask();
    expect([refused.status, refused.body]).toEqual([
      429,
      { detail: 'Rate limit exceeded. free plan allows 10 requests per hour.' },
    ]);
    // The first call leaves the window a minute before the others.
    const wait = Number(refused.headers.get('retry-after')) * 1000;
    expect(wait).toBeGreaterThan(HOUR - 90_000);
    expect(wait).toBeLessThanOrEqual(HOUR - 60_000 + 1000);
    p.advance(wait - 30_000);
    expect((await ask()).status).toBe(429);
    p.advance(30_000);
    expect((await ask()).status).toBe(200);
    expect((await ask()).status).toBe(429);
  });
});

it('features are sold by plan', async () => {
  const { data } = await p.t.raw('{ plans { id features { name } support } }');
  expect(data?.['plans']).toEqual([
    { id: 'free', features: [], support: null },
    { id: 'pro', features: [{ name: 'vision' }, { name: 'questions' }], support: 'By e-mail' },
    {
      id: 'business',
      features: [{ name: 'vision' }, { name: 'questions' }, { name: 'blog' }],
      support: 'By e-mail',
    },
  ]);
});

it('the fourth video of a day is refused, and the first of the next UTC day passes', async () => {
  const { token, userId, accountId } = await p.t.register();
  await p.t.makeOperator({ userId, accountId });
  const { secret: backend } = await p.t.issueKey(token, 'LIVE', ['ADMIN']);
  const { api_key: key } = (await register()).body;
  const analyse = async () => {
    const { data } = await p.t.raw(
      `mutation Use($key: String!) { verifyKey(input: {secret: $key, spend: {
        quantities: [{meter: "requests", quantity: 0}, {meter: "videos", quantity: 1}], endpoint: "/api/v1/analyze", method: "POST"
      }}) { ... on VerifyKeyPayload { code } } }`,
      { key },
      backend,
    );
    return (data?.['verifyKey'] as { code: string }).code;
  };
  const used = async () =>
    ((await p.ask('GET /api/v1/usage', { key })).body as { videos_today: number }).videos_today;
  // Far enough from midnight: none of the calls falls into another day than the one before.
  const midnight = Math.ceil(p.now() / DAY) * DAY;
  p.advance(midnight - p.now() + HOUR);
  expect([await analyse(), await analyse(), await analyse(), await analyse()]).toEqual([
    'VALID',
    'VALID',
    'VALID',
    'QUOTA_EXCEEDED',
  ]);
  expect(await used()).toBe(3);
  p.advance(DAY - 2 * HOUR);
  expect(await analyse()).toBe('QUOTA_EXCEEDED');
  p.advance(HOUR);
  expect([await used(), await analyse(), await used()]).toEqual([0, 'VALID', 1]);
});

it('answers every text in every place of a route in its own shape (law 11)', () => throwTexts(p));

it('serves every operation of /openapi.json, and nothing that is not declared', async () => {
  expect(Object.keys(p.document.paths).length).toBeGreaterThan(3);
  await askEverything(p);
});
