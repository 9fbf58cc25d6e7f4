import { RotateKeyDocument } from '../generated/graphql.js';
import type { Product } from './product.js';
import { issues, LIMIT, list, problems, shape, startProduct } from './product.js';
import { askEverything, throwTexts } from './product.js';

let p: Product;
let key: string;
let token: string;
beforeAll(async () => {
  p = await startProduct('specql', { patterns: 'patterns' });
  ({ secret: key, token } = await p.t.customer('team'));
});
afterAll(() => p.close());

const PATTERN = {
  id: 'integer',
  pattern_id: 'string',
  name: 'string',
  description: 'string',
  category: 'string',
  tier: 'string',
  usage_count: 'integer',
  created_at: 'string',
} as const;
const HIT = {
  id: 'integer',
  pattern_id: 'string',
  name: 'string',
  description: 'string',
  category: 'string',
  tier: 'string',
} as const;

interface Page {
  readonly patterns: readonly { id: number; pattern_id: string; tier: string; category: string }[];
  readonly total: number;
  readonly pages: number;
}

const page = async (query: string, by = key) => {
  const { status, body } = await p.ask(`GET /api/v1/patterns${query}`, { key: by });
  return { status, body: body as Page };
};

const onePattern = (by: string) => p.ask('GET /api/v1/patterns?per_page=1', { key: by });

describe('GET /api/v1/patterns', () => {
  it('answers pages by number that follow each other, and an empty one past the end', async () => {
    const first = await page('');
    const fields = {
      patterns: list(shape(PATTERN)),
      total: 'integer',
      page: 'integer',
      per_page: 'integer',
      pages: 'integer',
    };
    expect([first.status, problems(shape(fields), first.body)]).toEqual([200, []]);
    expect(first.body).toMatchObject({ page: 1, per_page: 20 });
    expect(first.body.pages).toBe(Math.ceil(first.body.total / 20));
    const seen = new Set<string>();
    for (let n = 1; n <= first.body.pages; n++) {
      for (const one of (await page(`?page=${n}`)).body.patterns) seen.add(one.pattern_id);
    }
    expect(seen.size).toBe(first.body.total);
    expect((await page('?page=9999')).body.patterns).toEqual([]);
    const [{ category = '' } = {}] = first.body.patterns;
    const only = await page(`?category=${category}&per_page=100`);
    expect(new Set(only.body.patterns.map((one) => one.category))).toEqual(new Set([category]));
  });

  it('shows only what the plan includes', async () => {
    const free = await p.t.customer();
    const { body } = await page('?per_page=100', free.secret);
    expect(new Set(body.patterns.map(({ tier }) => tier))).toEqual(new Set(['community']));
  });

  it.each([
    ['page=0', [['query.page', 'greater_than_equal']]],
    ['page=x', [['query.page', 'int_parsing']]],
    ['per_page=101', [['query.per_page', 'less_than_equal']]],
    [
      'page=0&per_page=0',
      [
        ['query.page', 'greater_than_equal'],
        ['query.per_page', 'greater_than_equal'],
      ],
    ],
    ['page=1&page=2', [['query.page', 'int_parsing']]],
    ['category=%FF', [['query.query', 'value_error']]],
    ['category=%00', [['query.category', 'value_error']]],
  ])('refuses ?%s', async (query, expected) => {
    const reply = await p.ask(`GET /api/v1/patterns?${query}`, { key });
    expect([reply.status, issues(reply)]).toEqual([422, expected]);
  });
});

describe('GET /api/v1/patterns/{pattern_id}', () => {
  it('answers a pattern by its slug and by its number, which is its id', async () => {
    const [{ id = 0, pattern_id: slug = '' } = {}] = (await page('?per_page=1')).body.patterns;
    const bySlug = await p.ask(`GET /api/v1/patterns/${slug}`, { key });
    const fields = { ...PATTERN, code: 'string', updated_at: 'string' };
    expect([bySlug.status, problems(shape(fields), bySlug.body)]).toEqual([200, []]);
    // Either call is a use of the pattern, which may be counted before the other's answer.
    const body = { ...(bySlug.body as object), usage_count: expect.any(Number) as number };
    expect((await p.ask(`GET /api/v1/patterns/${id}`, { key })).body).toEqual(body);
    expect(bySlug.body).toMatchObject({ id, pattern_id: slug });
  });

  it('counts as a use, by which the list is in order: the most used first, then the newest', async () => {
    const all = async () => {
      await p.t.caughtUp();
      const { patterns } = (await page('?per_page=100')).body as unknown as {
        patterns: { pattern_id: string; usage_count: number; created_at: string }[];
      };
      return patterns;
    };
    const [{ pattern_id: slug = '', usage_count: before = NaN } = {}] = (await all()).slice(-1);
    const { secret } = await p.t.customer('team');
    for (let n = 0; n < 3; n++) await p.ask(`GET /api/v1/patterns/${slug}`, { key: secret });
    const after = await all();
    expect(after.find((one) => one.pattern_id === slug)?.usage_count).toBe(before + 3);
    const order = [...after].sort(
      (a, b) => b.usage_count - a.usage_count || b.created_at.localeCompare(a.created_at),
    );
    expect(after.map((one) => [one.usage_count, one.created_at])).toEqual(
      order.map((one) => [one.usage_count, one.created_at]),
    );
  });

  it('tells what there is not, and which plan opens what the plan does not include', async () => {
    for (const name of ['none', '99999', '0', '99999999999', 'x'.repeat(150)]) {
      const reply = await p.ask(`GET /api/v1/patterns/${name}`, { key });
      expect([reply.status, reply.body]).toEqual([404, { detail: 'Pattern not found' }]);
    }
    const all = (await page('?per_page=100')).body.patterns;
    const premium = all.find(({ tier }) => tier === 'premium');
    const free = await p.t.customer();
    const reply = await p.ask(`GET /api/v1/patterns/${premium?.pattern_id}`, { key: free.secret });
    expect([reply.status, reply.body]).toEqual([
      403,
      { detail: 'Upgrade to team tier to access this pattern. Upgrade to access premium patterns.' },
    ]);
  });
});

describe('search', () => {
  it('GET /api/v1/patterns/search is no pattern, and answers the best first', async () => {
    const { status, body } = await p.ask('GET /api/v1/patterns/search?q=circuit%20breaker&limit=5', { key });
    const fields = { patterns: list(shape({ ...HIT, rank: 'number' })), total: 'integer', query: 'string' };
    expect([status, problems(shape(fields), body)]).toEqual([200, []]);
    const { patterns, total, query } = body as {
      patterns: { pattern_id: string; rank: number }[];
      total: number;
      query: string;
    };
    expect([patterns[0]?.pattern_id, total, query]).toEqual([
      'circuit-breaker',
      patterns.length,
      'circuit breaker',
    ]);
    const ranks = patterns.map(({ rank }) => rank);
    expect(ranks).toEqual([...ranks].sort((a, b) => b - a));
    const wide = await p.ask('GET /api/v1/patterns/search?q=service&limit=100', { key });
    expect(wide.status).toBe(200);
  });

  it('POST /api/v1/patterns/search/semantic answers the same with a similarity', async () => {
    const { status, body } = await p.ask('POST /api/v1/patterns/search/semantic', {
      key,
      body: { query: 'circuit breaker' },
    });
    // Without a model there is none; test/catalogue/meaning.e2e.test.ts has one.
    const fields = {
      patterns: list(shape({ ...HIT, similarity_score: 'number?' })),
      total: 'integer',
      query: 'string',
    };
    expect([status, problems(shape(fields), body)]).toEqual([200, []]);
  });

  it.each([
    ['GET /api/v1/patterns/search', undefined, [['query.q', 'missing']]],
    ['GET /api/v1/patterns/search?q=ab', undefined, [['query.q', 'string_too_short']]],
    ['GET /api/v1/patterns/search?q=abc&limit=101', undefined, [['query.limit', 'less_than_equal']]],
    ['POST /api/v1/patterns/search/semantic', {}, [['body.query', 'missing']]],
    ['POST /api/v1/patterns/search/semantic', { query: 'abc', limit: '5' }, [['body.limit', 'int_type']]],
    ['POST /api/v1/patterns/search/semantic', '[', [['body', 'json_invalid']]],
  ])('%s with %j is refused', async (route, body, expected) => {
    const reply = await p.ask(route, { key, ...(body !== undefined && { body }) });
    expect([reply.status, issues(reply)]).toEqual([422, expected]);
  });
});

describe('usage', () => {
  it('GET /api/v1/usage/stats and /quota tell where the month stands, and spend nothing', async () => {
    const { secret } = await p.t.customer();
    await page('?per_page=1', secret);
    const stats = await p.ask('GET /api/v1/usage/stats', { key: secret });
    const fields = {
      subscription_tier: 'string',
      monthly_usage: 'integer',
      monthly_quota: LIMIT,
      quota_remaining: LIMIT,
      rate_limit_per_minute: LIMIT,
    };
    expect([stats.status, problems(shape(fields), stats.body)]).toEqual([200, []]);
    const expected = {
      subscription_tier: 'free',
      monthly_usage: 1,
      monthly_quota: 1000,
      quota_remaining: 999,
      rate_limit_per_minute: 10,
    };
    expect(stats.body).toEqual(expected);
    const quota = await p.ask('GET /api/v1/usage/quota', { key: secret });
    expect(quota.body).toEqual({ within_quota: true, subscription_tier: 'free' });
    expect((await p.ask('GET /api/v1/usage/stats', { key: secret })).body).toEqual(expected);
  });

  it('is refused when the month is used up, the minute before it; what helps is not', async () => {
    const { accountId, secret } = await p.t.customer();
    const operator = await p.t.register();
    await p.t.makeOperator(operator);
    const { secret: backEnd } = await p.t.issueKey(operator.token, 'LIVE', ['ADMIN']);
    const { data } = await p.t.raw(
      `mutation Report($uses: [UseInput!]!) {
        recordUsage(input: { uses: $uses }) { ... on RecordUsagePayload { results { status } } }
      }`,
      { uses: [{ useId: 'month', accountId, meter: 'requests', quantity: 1000 }] },
      backEnd,
    );
    expect(data).toEqual({ recordUsage: { results: [{ status: 'OVER_LIMIT' }] } });
    const refused = async () => {
      const { status, body, headers } = await onePattern(secret);
      return [status, body, Number(headers.get('retry-after')) > 0];
    };
    const minute = 'Rate limit exceeded. Max 10 requests/minute for free tier.';
    expect(await refused()).toEqual([429, { detail: minute }, true]);
    p.advance(61_000);
    const month = 'Monthly quota exceeded. Upgrade your plan for more API calls.';
    expect(await refused()).toEqual([429, { detail: month }, true]);
    const quota = await p.ask('GET /api/v1/usage/quota', { key: secret });
    expect([quota.status, quota.body]).toEqual([200, { within_quota: false, subscription_tier: 'free' }]);
  });

  it('is without numbers where the plan has no limit', async () => {
    const { secret } = await p.t.customer('enterprise');
    const { body } = await p.ask('GET /api/v1/usage/stats', { key: secret });
    expect(body).toMatchObject({ monthly_quota: 'unlimited', rate_limit_per_minute: 'unlimited' });
  });

  it('is recorded under the path of the route', async () => {
    const { secret } = await p.t.customer();
    await page('?per_page=1', secret);
    const refused = [];
    for (let n = 0; n < 10; n++)
      refused.push(await p.ask('GET /api/v1/patterns/search?q=abc', { key: secret }));
    const last = refused.at(-1);
    expect([last?.status, last?.body]).toEqual([
      429,
      { detail: 'Rate limit exceeded. Max 10 requests/minute for free tier.' },
    ]);
    expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(last?.headers.get('x-ratelimit-remaining')).toBe('0');
    // What helps is never refused.
    expect((await p.ask('GET /api/v1/usage/quota', { key: secret })).status).toBe(200);
    p.advance(61_000);
    expect((await page('?per_page=1', secret)).status).toBe(200);
  });
});

it('GET /api/v1/usage/history tells single calls, the newest first, in pages', async () => {
  const { secret } = await p.t.customer();
  for (let n = 1; n <= 3; n++) await page(`?per_page=${n}`, secret);
  await p.t.caughtUp();
  const ask = async (query: string) => {
    const { status, body } = await p.ask(`GET /api/v1/usage/history${query}`, { key: secret });
    return { status, body: body as { history: { timestamp: string }[]; next: string | null } };
  };
  const first = await ask('?per_page=2');
  const one = {
    timestamp: 'string',
    endpoint: 'string',
    method: 'string',
    status: 'integer',
    response_time_ms: 'number',
    cost: 'number?',
  };
  const fields = { history: list(shape(one)), per_page: 'integer', next: 'string?' };
  expect([first.status, problems(shape(fields), first.body)]).toEqual([200, []]);
  expect(first.body.history[0]).toMatchObject({ endpoint: '/api/v1/patterns', method: 'GET', status: 200 });
  const second = await ask(`?per_page=2&after=${encodeURIComponent(first.body.next ?? '')}`);
  const times = [...first.body.history, ...second.body.history].map(({ timestamp }) => timestamp);
  expect([times.length, times, second.body.next]).toEqual([3, [...times].sort().reverse(), null]);
  expect((await ask('?after=nothing')).status).toBe(422);
});

describe('account', () => {
  const ACCOUNT = {
    id: 'string',
    email: 'string?',
    name: 'string?',
    subscription_tier: 'string',
    created_at: 'string?',
  };

  it('is shown, and renamed by a session', async () => {
    const shown = await p.ask('GET /api/v1/account', { key: token });
    expect([shown.status, problems(shape(ACCOUNT), shown.body)]).toEqual([200, []]);
    const renamed = await p.ask('PUT /api/v1/account', { key: token, body: { name: 'Ada' } });
    expect(renamed.body).toEqual({ ...(shown.body as object), name: 'Ada' });
    expect((await p.ask('PUT /api/v1/account', { key: token, body: {} })).status).toBe(422);
    expect((await p.ask('PUT /api/v1/account', { key, body: { name: 'Ada' } })).status).toBe(401);
    expect((await p.ask('GET /api/v1/account', { key })).status).toBe(200);
  });
});

it('GET /api/v1/account/subscription tells what is paid for', async () => {
  const { status, body } = await p.ask('GET /api/v1/account/subscription', { key });
  const fields = {
    subscription_tier: 'string',
    status: 'string',
    interval: 'string?',
    current_period_end: 'string?',
    trial_end: 'string?',
    cancel_at_period_end: 'boolean',
  };
  expect([status, problems(shape(fields), body)]).toEqual([200, []]);
  expect(body).toMatchObject({ subscription_tier: 'team', interval: null, cancel_at_period_end: false });
});

describe('who calls', () => {
  it.each([
    ['nothing', undefined, 'Unauthorized: Missing Authorization header'],
    ['another scheme', 'Basic abc', 'Invalid Authorization format'],
    ['another prefix', 'Bearer xx_live_abc', 'Invalid API key format'],
    ['a wrong key', 'Bearer sk_live_wrong', 'Invalid API key'],
    ['a wrong token', 'Bearer eyJhbGciOiJFZERTQSJ9.e30.x', 'Invalid token'],
  ])('is told of %s', async (_what, authorization, detail) => {
    for (const route of ['GET /api/v1/patterns', 'GET /api/v1/usage/stats', 'PUT /api/v1/account']) {
      const body = route.startsWith('PUT') ? { name: 'x' } : undefined;
      const reply = await p.ask(route, {
        ...(authorization !== undefined && { headers: { authorization } }),
        ...(body && { body }),
      });
      expect([reply.status, reply.body]).toEqual([401, { detail }]);
    }
  });

  it('is told of a key that was revoked, or rotated away', async () => {
    const { token: own, secret, keyId } = await p.t.customer();
    await p.t.query(RotateKeyDocument, { input: { keyId, graceSeconds: 0 } }, own);
    const reply = await p.ask('GET /api/v1/patterns', { key: secret });
    expect([reply.status, reply.body]).toEqual([401, { detail: 'API key revoked' }]);
  });

  it('is told of a key that has expired', async () => {
    const { token: own } = await p.t.register();
    const { data } = await p.t.raw(
      `mutation Issue($input: IssueKeyInput!) { issueKey(input: $input) { ... on IssueKeyPayload { secret } } }`,
      {
        input: {
          name: 'short',
          environment: 'LIVE',
          scopes: ['READ'],
          expiresAt: new Date(p.now() + 60_000).toISOString(),
        },
      },
      own,
    );
    const { secret } = data?.['issueKey'] as { secret: string };
    expect((await p.ask('GET /api/v1/account', { key: secret })).status).toBe(200);
    p.advance(60_000);
    const reply = await p.ask('GET /api/v1/patterns', { key: secret });
    expect([reply.status, reply.body]).toEqual([401, { detail: 'API key expired' }]);
  });

  it('is told of a session that has expired', async () => {
    const { token: own } = await p.t.register();
    p.advance(3_600_000);
    const reply = await p.ask('GET /api/v1/account', { key: own });
    expect([reply.status, reply.body]).toEqual([401, { detail: 'Token expired' }]);
  });
});

it('answers JSON at / unless a page is asked for, its health at /health, and ours at /v1/health', async () => {
  const root = await p.ask('GET /');
  expect(
    problems(
      shape({ name: 'string', version: 'string', documentation: 'string', status: 'string' }),
      root.body,
    ),
  ).toEqual([]);
  const html = await fetch(p.t.app.url, { headers: { accept: 'text/html,*/*;q=0.8' } });
  expect(html.headers.get('content-type')).toMatch(/^text\/html/);
  expect((await p.ask('GET /health')).body).toEqual({ status: 'healthy', version: '1.0.0' });
  expect((await p.ask('GET /v1/health')).body).toMatchObject({ status: 'ready' });
  for (const path of ['/docs', '/redoc']) {
    const response = await fetch(p.t.app.url + path);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/html; charset=utf-8',
    ]);
    expect(await response.text()).toContain('/api/v1/patterns/{pattern_id}');
  }
  expect((await p.ask('GET /nothing')).body).toMatchObject({ detail: 'Not Found' });
  const method = await p.ask('PATCH /api/v1/patterns/search');
  expect([method.status, method.body, method.headers.get('allow')]).toEqual([
    405,
    { detail: 'Method Not Allowed' },
    'GET',
  ]);
});

it('answers every text in every place of a route in its own shape (law 11)', () => throwTexts(p));

it('serves every operation of /openapi.json, and nothing that is not declared', async () => {
  expect(Object.keys(p.document.paths).length).toBeGreaterThan(3);
  await askEverything(p);
});
