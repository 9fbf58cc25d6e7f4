import { shownId } from '../../src/graphql/kit/ids.js';
import type { Product } from './product.js';
import { LIMIT, list, problems, shape, startProduct } from './product.js';
import { askEverything, throwTexts } from './product.js';

let p: Product;
let token: string;
let accountId: string;
/** As the product calls it. */
let userId: string;
let key: string;
beforeAll(async () => {
  p = await startProduct('harmonic');
  ({ token, accountId } = await p.t.register());
  userId = shownId('Account', accountId);
  ({ secret: key } = await p.t.issueKey(token, 'LIVE', ['READ', 'ADMIN']));
});
afterAll(() => p.close());

const KEY = {
  id: 'string',
  name: 'string',
  createdAt: 'string',
  lastUsed: 'string?',
  isActive: 'boolean',
  usageCount: 'integer',
} as const;

describe('keys', () => {
  const issue = async (name: string) => {
    const { status, body } = await p.ask('POST /api/v1/keys', {
      key: token,
      body: { userId: accountId, name },
    });
    return { status, body: body as { id: string; key: string } };
  };

  it('POST /api/v1/keys issues one, which a call may bring in either header', async () => {
    const { status, body } = await issue('first');
    const fields = {
      success: 'boolean',
      id: 'string',
      key: 'string',
      name: 'string',
      userId: 'string',
      tier: 'string',
      quotaMonthly: LIMIT,
      createdAt: 'string',
      message: 'string',
    };
    expect([status, problems(shape(fields), body)]).toEqual([201, []]);
    expect(body).toMatchObject({ name: 'first', userId, tier: 'free', quotaMonthly: 1000 });
    expect(body.key).toMatch(/^hm_[0-9A-Za-z]{32}$/);
    const one = await p.ask('GET /api/v1/usage', { headers: { 'x-api-key': body.key } });
    const other = await p.ask('GET /api/v1/usage', { key: body.key });
    expect([one.status, other.status]).toEqual([200, 200]);
  });

  it('POST /api/v1/keys refuses what is not the caller’s, and a body without the user', async () => {
    const missing = await p.ask('POST /api/v1/keys', { key: token, body: {} });
    expect([missing.status, missing.body]).toMatchObject([400, { error: 'Missing userId' }]);
    const { accountId: another } = await p.t.register();
    for (const credential of [token, key]) {
      const foreign = await p.ask('POST /api/v1/keys', { key: credential, body: { userId: another } });
      expect(foreign.status).toBe(404);
    }
    const nobody = await p.ask('POST /api/v1/keys', { body: { userId: accountId } });
    expect(nobody.status).toBe(401);
    const long = await p.ask('POST /api/v1/keys', {
      key: token,
      body: { userId, name: 'x'.repeat(101) },
    });
    expect([long.status, (long.body as { error: string }).error]).toEqual([
      400,
      'The request is not what this address asks for.',
    ]);
  });

  it('POST /api/v1/keys takes a key with the scope admin, and believes no header', async () => {
    const { accountId: another } = await p.t.register();
    const headers = { 'x-user-id': another, 'x-tier': 'enterprise' };
    const issued = await p.ask('POST /api/v1/keys', {
      key,
      headers,
      body: { userId, name: 'by a key', tier: 'enterprise' },
    });
    expect([issued.status, issued.body]).toMatchObject([201, { userId, tier: 'free', quotaMonthly: 1000 }]);
  });

  it('GET /api/v1/keys lists them, and GET /api/v1/keys/{id} shows one', async () => {
    const { id } = (await issue('listed')).body;
    const reply = await p.ask(`GET /api/v1/keys?userId=${accountId}`, { key: token });
    const shown = shape({ ...KEY, preview: 'string' });
    const all = shape({ userId: 'string', keys: list(shown), total: 'integer' });
    expect([reply.status, problems(all, reply.body)]).toEqual([200, []]);
    const { keys, total } = reply.body as { keys: { id: string; preview: string }[]; total: number };
    expect(keys.length).toBe(total);
    expect(keys.find((one) => one.id === id)?.preview).toMatch(/^hm_\.\.\..{4}$/);
    const one = await p.ask(`GET /api/v1/keys/${id}`, { key });
    expect([one.status, problems(shape(KEY), one.body)]).toEqual([200, []]);
    expect(await p.ask('GET /api/v1/keys/none', { key })).toMatchObject({
      status: 404,
      body: { error: 'Key not found' },
    });
    expect((await p.ask('GET /api/v1/keys?userId=somebody', { key: token })).status).toBe(404);
  });

  it('DELETE /api/v1/keys/{id} revokes one: it is refused from then on', async () => {
    const { id, key: revoked } = (await issue('revoked')).body;
    const reply = await p.ask(`DELETE /api/v1/keys/${id}`, { key: token });
    const fields = { success: 'boolean', message: 'string', keyId: 'string', revokedAt: 'string' };
    expect([reply.status, problems(shape(fields), reply.body)]).toEqual([200, []]);
    expect(reply.body).toMatchObject({ success: true, message: 'Key revoked successfully', keyId: id });
    p.advance(60_000);
    expect((await p.ask(`DELETE /api/v1/keys/${id}`, { key: token })).body).toEqual(reply.body);
    const refused = await p.ask('GET /api/v1/usage', { headers: { 'x-api-key': revoked } });
    expect([refused.status, refused.body]).toEqual([401, { success: false, error: 'Invalid API key' }]);
    expect(await p.ask('DELETE /api/v1/keys/none', { key: token })).toMatchObject({
      status: 404,
      body: { success: false, error: 'Key not found' },
    });
  });

  it('POST /api/v1/keys/{id}/rotate gives another secret; the old one ends at once, or lives on when asked', async () => {
    const { id, key: old } = (await issue('rotated')).body;
    const reply = await p.ask(`POST /api/v1/keys/${id}/rotate`, { key: token });
    const newKey = shape({
      id: 'string',
      key: 'string',
      name: 'string',
      createdAt: 'string',
      message: 'string',
    });
    const fields = shape({ success: 'boolean', oldKeyId: 'string', newKey, message: 'string' });
    expect([reply.status, problems(fields, reply.body)]).toEqual([200, []]);
    const second = (reply.body as { newKey: { key: string; name: string } }).newKey;
    expect(second.name).toBe('rotated (rotated)');
    const statusOf = async (secret: string) => (await p.ask('GET /api/v1/usage', { key: secret })).status;
    expect([await statusOf(old), await statusOf(second.key)]).toEqual([401, 200]);
    const kept = await p.ask(`POST /api/v1/keys/${id}/rotate`, { key: token, body: { revokeOld: false } });
    const third = (kept.body as { newKey: { key: string } }).newKey.key;
    expect([await statusOf(second.key), await statusOf(third)]).toEqual([200, 200]);
    const none = await p.ask('POST /api/v1/keys/none/rotate', { key: token });
    expect([none.status, none.body]).toEqual([404, { success: false, error: 'Key not found' }]);
    expect(
      (await p.ask(`POST /api/v1/keys/${id}/rotate`, { key: token, body: { revokeOld: 1 } })).status,
    ).toBe(400);
  });
});

describe('usage', () => {
  const STANDING = {
    quota: LIMIT,
    used: 'integer',
    remaining: LIMIT,
    percentage: 'number',
    resetDate: 'string?',
    isExceeded: 'boolean',
    userId: 'string',
    tier: 'string',
    periodStart: 'string',
    periodEnd: 'string?',
  };
  const CURRENT = shape(STANDING);
  const LAST = {
    timestamp: 'string',
    endpoint: 'string',
    responseTime: 'number',
    status: 'integer',
  };

  it.each([
    ['', shape({ ...STANDING, requests: list(shape(LAST)) })],
    ['?action=current', CURRENT],
    ['?action=current&tier=enterprise', CURRENT],
  ])('GET /api/v1/usage%s tells where the quota stands', async (query, fields) => {
    const { status, body, headers } = await p.ask(`GET /api/v1/usage${query}`, { key });
    expect([status, problems(fields, body)]).toEqual([200, []]);
    expect(body).toMatchObject({
      quota: 1000,
      isExceeded: false,
      userId,
      tier: 'free',
    });
    expect(headers.get('x-user-id')).toBe(userId);
    expect(headers.get('x-response-time')).toMatch(/^\d+\.\d{3}ms$/);
    expect(headers.get('x-ratelimit-reset')).toBe((body as { resetDate: string }).resetDate);
  });

  it('says of a plan without a limit that it has none, in headers too', async () => {
    const { accountId: large, secret } = await p.t.customer('enterprise');
    const { body, headers } = await p.ask('GET /api/v1/usage?action=current', { key: secret });
    expect(problems(CURRENT, body)).toEqual([]);
    expect(body).toMatchObject({
      quota: 'unlimited',
      remaining: 'unlimited',
      userId: shownId('Account', large),
    });
    for (const name of ['limit', 'remaining']) expect(headers.get(`x-ratelimit-${name}`)).toBe('unlimited');
  });

  it('?action=analytics tells days', async () => {
    const { status, body } = await p.ask('GET /api/v1/usage?action=analytics&days=3', { key });
    const day = shape({ date: 'string', requests: 'integer', avgResponseTime: 'number' });
    const fields = shape({
      userId: 'string',
      period: 'string',
      daily: list(day),
      total: shape({ requests: 'integer', avgResponseTime: 'number?' }),
    });
    expect([status, problems(fields, body)]).toEqual([200, []]);
    expect(body).toMatchObject({ period: '3 days' });
    const wrong = await p.ask('GET /api/v1/usage?action=analytics&days=many', { key });
    expect([wrong.status, (wrong.body as { success: boolean }).success]).toEqual([400, false]);
  });

  it('refuses another action, and names those that there are', async () => {
    expect(await p.ask('GET /api/v1/usage?action=guess', { key })).toMatchObject({
      status: 400,
      body: {
        success: false,
        error: 'Unknown action: guess',
        availableActions: ['current', 'analytics', 'history', 'breakdown'],
      },
    });
  });

  it('refuses nobody’s call and a wrong key', async () => {
    const nobody = await p.ask('GET /api/v1/usage');
    expect([nobody.status, nobody.body]).toEqual([401, { success: false, error: 'Missing API key' }]);
    expect(nobody.headers.get('x-response-time')).toMatch(/ms$/);
    for (const wrong of ['hm_wrong', 'Bearer']) {
      const refused = await p.ask('GET /api/v1/usage', { headers: { 'x-api-key': wrong } });
      expect([refused.status, refused.body]).toEqual([401, { success: false, error: 'Invalid API key' }]);
    }
  });
});

describe('users', () => {
  const credentials = { email: 'harmony@example.com', password: 'correct horse' };

  it('sign up, sign in, and see who they are', async () => {
    const signedUp = await p.ask('POST /api/v1/auth/signup', { body: credentials });
    const up = { ok: 'boolean', userId: 'string', email: 'string', token: 'string?', message: 'string' };
    expect([signedUp.status, problems(shape(up), signedUp.body)]).toEqual([201, []]);
    const again = await p.ask('POST /api/v1/auth/signup', { body: credentials });
    expect([again.status, again.body]).toEqual([409, { ok: false, error: 'user_exists' }]);
    const signedIn = await p.ask('POST /api/v1/auth/login', { body: credentials });
    const into = { ok: 'boolean', token: 'string', email: 'string', message: 'string', timestamp: 'string' };
    expect([signedIn.status, problems(shape(into), signedIn.body)]).toEqual([200, []]);
    const me = await p.ask('GET /api/v1/user/me', { key: (signedIn.body as { token: string }).token });
    const fields = {
      ok: 'boolean',
      userId: 'string',
      email: 'string',
      createdAt: 'string',
      plan: 'string',
      apiCalls: 'integer',
    };
    expect([me.status, problems(shape(fields), me.body)]).toEqual([200, []]);
    expect(me.body).toMatchObject({ email: credentials.email, plan: 'free', apiCalls: 0 });
  });

  it('are refused with the words of the product', async () => {
    for (const route of ['signup', 'login']) {
      const reply = await p.ask(`POST /api/v1/auth/${route}`, { body: { email: 'x@example.com' } });
      expect([reply.status, reply.body]).toMatchObject([400, { ok: false, error: 'missing_credentials' }]);
    }
    const wrong = await p.ask('POST /api/v1/auth/login', {
      body: { ...credentials, password: 'another horse' },
    });
    expect([wrong.status, wrong.body]).toEqual([401, { ok: false, error: 'invalid_credentials' }]);
    const short = await p.ask('POST /api/v1/auth/signup', {
      body: { email: 'short@example.com', password: 'short' },
    });
    expect([short.status, short.body]).toMatchObject([
      400,
      { ok: false, error: expect.stringMatching(/password/i) as string },
    ]);
    expect(await p.ask('GET /api/v1/user/me')).toMatchObject({
      status: 401,
      body: { ok: false, error: 'missing_token' },
    });
  });
});

it('GET /api/health and GET /api/v1/info are open to everybody', async () => {
  const health = await p.ask('GET /api/health');
  expect([
    health.status,
    problems(shape({ status: 'string', time: 'string', uptime: 'integer' }), health.body),
  ]).toEqual([200, []]);
  const info = await p.ask('GET /api/v1/info');
  const fields = {
    ok: 'boolean',
    name: 'string',
    version: 'string',
    endpoints: list({ type: 'string' }),
    total: 'integer',
  };
  expect(problems(shape(fields), info.body)).toEqual([]);
});

it('lets whoever has no key try, each address for itself, and says so', async () => {
  const { status, headers } = await fetch(`${p.t.app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ patterns { totalCount } }' }),
  });
  expect([status, headers.get('x-demo-mode'), headers.get('x-ratelimit-limit')]).toEqual([
    200,
    'true',
    '1000',
  ]);
});

it('lets a back end try callers without a key, each address for itself, under the limits of free', async () => {
  const operator = await p.t.register();
  await p.t.makeOperator(operator);
  const { secret: backEnd } = await p.t.issueKey(operator.token, 'LIVE', ['ADMIN']);
  const spend = { endpoint: '/api/v1/data', method: 'POST', source: 'wiki' };
  const verify = (body: object) => p.ask('POST /v1/keys/verify', { key: backEnd, body });
  const first = await verify({ address: '203.0.113.7', spend });
  expect([first.status, first.body]).toMatchObject([
    200,
    {
      valid: true,
      code: 'VALID',
      demo: true,
      keyId: null,
      accountId: null,
      environment: 'test',
      plan: { id: 'free' },
    },
  ]);
  const left = ({ body }: { readonly body: unknown }) =>
    (body as { limits: { name: string; remaining: string }[] }).limits.find(
      ({ name }) => name === 'requests-month',
    )?.remaining;
  expect(left(first)).toBe('999');
  const { headers } = first.body as { headers: object[] };
  expect(headers).toEqual(expect.arrayContaining([{ name: 'x-demo-mode', value: 'true' }]));
  expect(left(await verify({ address: '203.0.113.7', spend }))).toBe('998');
  expect(left(await verify({ address: '203.0.113.8', spend }))).toBe('999');
  const all = { ...spend, quantities: [{ meter: 'requests', quantity: '998' }] };
  expect((await verify({ address: '203.0.113.7', spend: all })).body).toMatchObject({ valid: true });
  expect((await verify({ address: '203.0.113.7', spend })).body).toMatchObject({
    valid: false,
    code: 'QUOTA_EXCEEDED',
    demo: true,
  });
  expect((await verify({ spend })).body).toMatchObject({ valid: false, code: 'KEY_MISSING', demo: false });
  for (const wrong of [
    { address: 'nowhere', spend },
    { address: '203.0.113.9', spend: { ...spend, reserve: true } },
    // Nothing would ever erase the name.
    { address: '203.0.113.9', spend: { ...spend, subject: 'ann@example.com' } },
  ]) {
    expect((await verify(wrong)).status).toBe(400);
  }
});

it('1,001 calls against free, 50 at once: exactly 1,000 pass, and the refusal tells the quota', async () => {
  const { token: own, userId, accountId: account } = await p.t.register();
  await p.t.makeOperator({ userId, accountId: account });
  const { secret: backend } = await p.t.issueKey(own, 'LIVE', ['ADMIN']);
  const { secret } = await p.t.customer();
  const use = `mutation Use($key: String!) { verifyKey(input: {secret: $key, spend: {quantities: [], endpoint: "/api/v1/data", method: "POST", source: "wiki"}}) {
    ... on VerifyKeyPayload { valid code } } }`;
  let left = 1001;
  const results: unknown[] = [];
  const caller = async (): Promise<void> => {
    while (left-- > 0) {
      const { data } = await p.t.raw(use, { key: secret }, backend);
      results.push((data?.['verifyKey'] as { code: string }).code);
    }
  };
  await Promise.all(Array.from({ length: 50 }, caller));
  expect(results.length).toBe(1001);
  expect(results.filter((code) => code !== 'VALID')).toEqual(['QUOTA_EXCEEDED']);
  const { body } = await p.ask('GET /api/v1/usage', { key: secret });
  expect(body).toMatchObject({ used: 1000, remaining: 0, isExceeded: true, percentage: 100 });
});

describe('DELETE /api/v1/usage/reset', () => {
  it('lets the quota of a user count from zero, for operators; the history keeps what was used', async () => {
    const operator = await p.t.customer();
    await p.t.makeOperator(operator);
    const { accountId: whose, secret } = await p.t.customer();
    expect([await p.spend(secret, 1000), await p.spend(secret, 1)]).toEqual(['VALID', 'QUOTA_EXCEEDED']);
    const reset = (query: string, by: string, body?: object) =>
      p.ask(`DELETE /api/v1/usage/reset${query}`, { key: by, ...(body && { body }) });
    for (const by of [secret, key, token]) {
      const refused = await reset(`?userId=${whose}`, by);
      expect([refused.status, refused.body]).toEqual([401, { success: false, error: 'Admin key required' }]);
    }
    expect((await p.ask(`DELETE /api/v1/usage/reset?userId=${whose}`)).status).toBe(401);
    const missing = await reset('', operator.token);
    expect([missing.status, missing.body]).toEqual([400, { success: false, error: 'Missing userId' }]);
    const none = await reset('?userId=nobody', operator.token);
    expect([none.status, none.body]).toEqual([404, { success: false, error: 'User not found' }]);
    expect(await p.spend(secret, 1)).toBe('QUOTA_EXCEEDED');

    const done = await reset('', operator.token, { userId: shownId('Account', whose), reason: 'a gift' });
    expect([done.status, problems(shape({ success: 'boolean', message: 'string' }), done.body)]).toEqual([
      200,
      [],
    ]);
    const current = async () => (await p.ask('GET /api/v1/usage?action=current', { key: secret })).body;
    expect(await current()).toMatchObject({ used: 0, remaining: 1000, isExceeded: false });
    expect([await p.spend(secret, 1), await current()]).toMatchObject(['VALID', { used: 1 }]);
    await p.t.caughtUp();
    const { body } = await p.ask('GET /api/v1/usage?action=analytics', { key: secret });
    expect((body as { total: { requests: number } }).total.requests).toBe(1001);
  });
});

it('the history and the breakdown tell single calls, and sums by source, endpoint and key', async () => {
  const { token: own, secret, accountId: mine } = await p.t.customer();
  for (let call = 0; call < 3; call++) expect(await p.spend(secret, 1)).toBe('VALID');
  await p.t.caughtUp();
  const history = await p.ask('GET /api/v1/usage?action=history&limit=2', { key: secret });
  const one = {
    id: 'string',
    timestamp: 'string',
    endpoint: 'string',
    method: 'string',
    source: 'string?',
    responseTime: 'number',
    status: 'integer',
  };
  const told = shape({ userId: 'string', history: list(shape(one)), count: 'integer' });
  expect([history.status, problems(told, history.body)]).toEqual([200, []]);
  expect(history.body).toMatchObject({ count: 2 });
  const { requests } = (await p.ask('GET /api/v1/usage', { key: secret })).body as { requests: object[] };
  expect(requests.length).toBe(3);
  expect(requests[0]).toMatchObject({ endpoint: '/work', status: 200 });
  expect((history.body as { history: object[] }).history[0]).toMatchObject({
    endpoint: '/work',
    method: 'POST',
    status: 200,
  });
  const breakdown = await p.ask(`GET /api/v1/usage?action=breakdown&userId=${mine}`, { key: secret });
  const source = { source: 'string', count: 'integer', totalTime: 'number?', avgTime: 'number?' };
  const endpoint = { endpoint: 'string', count: 'integer', errors: 'integer', avgTime: 'number?' };
  const sums = shape({
    userId: 'string',
    sources: list(shape(source)),
    endpoints: list(shape(endpoint)),
    sourcesOmitted: 'integer',
    endpointsOmitted: 'integer',
  });
  expect([breakdown.status, problems(sums, breakdown.body)]).toEqual([200, []]);
  expect(breakdown.body).toMatchObject({ endpoints: [{ endpoint: '/work', count: 3, errors: 0 }] });
  const { keys } = (await p.ask('GET /api/v1/keys', { key: own })).body as {
    keys: { id: string; usageCount: number }[];
  };
  expect(keys).toMatchObject([{ usageCount: 3 }]);
  const only = await p.ask(`GET /api/v1/keys/${keys[0]?.id}`, { key: own });
  expect(only.body).toMatchObject({ usageCount: 3 });
});

describe('POST /api/v1/usage/track', () => {
  const call = { endpoint: '/api/v1/data', method: 'POST', source: 'wiki', responseTime: 245.5, status: 200 };
  const RECORDED = shape({ success: 'boolean', recordId: 'string' });

  it('records what the API behind has answered; the same Idempotency-Key counts once', async () => {
    const backEnd = await p.t.customer();
    await p.t.makeOperator(backEnd);
    const { secret } = await p.t.issueKey(backEnd.token, 'LIVE', ['ADMIN']);
    const customer = await p.t.customer();
    const body = { ...call, userId: customer.accountId, bytesOut: 512 };
    const headers = { 'idempotency-key': 'call-1' };
    const replies = [
      await p.ask('POST /api/v1/usage/track', { key: secret, body }),
      await p.ask('POST /api/v1/usage/track', { key: secret, body, headers }),
      await p.ask('POST /api/v1/usage/track', { key: secret, body, headers }),
    ];
    for (const reply of replies) {
      expect([reply.status, problems(RECORDED, reply.body)]).toEqual([200, []]);
    }
    expect(replies[1]?.body).toEqual({ success: true, recordId: 'call-1' });
    expect((await p.ask('GET /api/v1/usage', { key: customer.secret })).body).toMatchObject({ used: 2 });
    const other = await p.ask('POST /api/v1/usage/track', {
      key: secret,
      body: { ...body, status: 500 },
      headers,
    });
    expect(other.status).toBe(409);
    p.advance(1000);
    const failed = { ...body, endpoint: '/api/v1/other', source: 'arxiv', responseTime: 4.5, status: 404 };
    expect((await p.ask('POST /api/v1/usage/track', { key: secret, body: failed })).status).toBe(200);
    // What was tracked is told as it was.
    await p.t.caughtUp();
    const told = async (action: string) =>
      (await p.ask(`GET /api/v1/usage?action=${action}`, { key: customer.secret })).body;
    expect(await told('history')).toMatchObject({
      count: 3,
      history: [
        { endpoint: '/api/v1/other', method: 'POST', source: 'arxiv', responseTime: 4.5, status: 404 },
        { endpoint: '/api/v1/data', source: 'wiki', responseTime: 245.5, status: 200 },
        { endpoint: '/api/v1/data', source: 'wiki', responseTime: 245.5, status: 200 },
      ],
    });
    expect(await told('breakdown')).toMatchObject({
      sources: [
        { source: 'wiki', count: 2, totalTime: 491, avgTime: 245.5 },
        { source: 'arxiv', count: 1, totalTime: 4.5, avgTime: 4.5 },
      ],
      endpoints: [
        { endpoint: '/api/v1/data', count: 2, errors: 0, avgTime: 245.5 },
        { endpoint: '/api/v1/other', count: 1, errors: 1, avgTime: 4.5 },
      ],
    });
    const { total } = (await told('analytics')) as { total: { requests: number; avgResponseTime: number } };
    expect([total.requests, Math.round(total.avgResponseTime)]).toEqual([3, 165]);
  });

  it('is for operators: another’s account is not found', async () => {
    const { accountId: another } = await p.t.register();
    const foreign = await p.ask('POST /api/v1/usage/track', { key, body: { ...call, userId: another } });
    expect([foreign.status, foreign.body]).toEqual([404, { success: false, error: 'User not found' }]);
    expect((await p.ask('POST /api/v1/usage/track', { body: { ...call, userId: another } })).status).toBe(
      401,
    );
    const wrong = await p.ask('POST /api/v1/usage/track', {
      key,
      body: { ...call, userId: another, status: 99 },
    });
    expect(wrong.status).toBe(400);
  });
});

it('answers every text in every place of a route in its own shape (law 11)', () => throwTexts(p));

it('serves every operation of /openapi.json, and nothing that is not declared', async () => {
  expect(Object.keys(p.document.paths).length).toBeGreaterThan(3);
  await askEverything(p);
});
