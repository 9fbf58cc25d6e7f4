import { AccountQueries } from '../../projections/accounts/queries.js';
import { endGrants } from '../../src/plans/endGrants.js';
import { subscriptionStream } from '../../src/plans/events.js';
import type { Product } from './product.js';
import { issues, LIMIT, list, problems, shape, startProduct } from './product.js';
import { askEverything, throwTexts } from './product.js';

let p: Product;
let token: string;
let key: string;
beforeAll(async () => {
  p = await startProduct('glyph');
  ({ token } = await p.t.register('glyph@example.com'));
  ({ secret: key } = await p.t.issueKey(token));
});
afterAll(() => p.close());

/** The three headers that the product’s client reads of every answer. */
const three = (headers: Headers) =>
  ['x-subscription-tier', 'x-requests-remaining', 'x-rate-limit'].map((name) => headers.get(name));

describe('users', () => {
  const credentials = { email: 'new@example.com', password: 'correct horse' };

  it('register and sign in', async () => {
    const registered = await p.ask('POST /auth/register', { body: credentials });
    const fields = { user_id: 'string', email: 'string', tier: 'string', token: 'string?' };
    expect([registered.status, problems(shape(fields), registered.body)]).toEqual([201, []]);
    const again = await p.ask('POST /auth/register', { body: credentials });
    expect([again.status, again.body]).toEqual([409, { detail: 'Email already registered' }]);

    const { status, body } = await p.ask('POST /auth/login', { body: credentials });
    const subscription = shape({ tier: 'string', status: 'string', current_period_end: 'string?' });
    const login = { token: 'string', token_type: 'string', expires_in: 'integer', subscription };
    expect([status, problems(shape(login), body)]).toEqual([200, []]);
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 900, subscription: { tier: 'free' } });

    const me = await p.ask('GET /auth/me', { key: (body as { token: string }).token });
    const who = {
      user_id: 'string',
      email: 'string?',
      created_at: 'string?',
      tier: 'string',
      status: 'string',
    };
    expect([me.status, problems(shape(who), me.body)]).toEqual([200, []]);
    expect(me.body).toMatchObject({ email: credentials.email, tier: 'free', status: 'active' });
  });

  it('are refused with a wrong password, and with what is no request', async () => {
    const wrong = await p.ask('POST /auth/login', { body: { ...credentials, password: 'another horse' } });
    expect([wrong.status, Object.keys(wrong.body as object)]).toEqual([401, ['detail']]);
    for (const route of ['POST /auth/login', 'POST /auth/register']) {
      const missing = await p.ask(route, { body: { email: 'x@example.com' } });
      expect([missing.status, issues(missing)]).toEqual([422, [['body.password', 'missing']]]);
    }
    const short = await p.ask('POST /auth/register', { body: { email: 'y@example.com', password: 'short' } });
    expect([short.status, issues(short)]).toEqual([422, [['body.password', 'value_error']]]);
  });

  it('sign in so often that passwords cannot be guessed', async () => {
    const guess = { email: 'guessed@example.com', password: 'another horse' };
    const statuses = [];
    for (let n = 0; n < 11; n++) {
      const { status, body, headers } = await p.ask('POST /auth/login', { body: guess });
      expect(Object.keys(body as object)).toEqual(['detail']);
      statuses.push([status, Number(headers.get('retry-after')) > 0]);
    }
    expect(statuses).toEqual([...Array<unknown>(10).fill([401, false]), [429, true]]);
  });

  it('GET /auth/me answers a key, too, which belongs to nobody in particular', async () => {
    expect((await p.ask('GET /auth/me', { key })).body).toMatchObject({ email: null, tier: 'free' });
  });
});

describe('keys', () => {
  it('are issued, listed and revoked; again it is the same', async () => {
    const issued = await p.ask('POST /api-keys/generate', {
      key: token,
      body: { name: 'ci', environment: 'dev' },
    });
    const fields = {
      id: 'string',
      key: 'string',
      key_prefix: 'string',
      name: 'string',
      created_at: 'string',
    };
    expect([issued.status, problems(shape(fields), issued.body)]).toEqual([201, []]);
    const {
      id,
      key: secret,
      key_prefix: prefix,
    } = issued.body as { id: string; key: string; key_prefix: string };
    expect(secret).toMatch(/^glyph_sk_dev_[0-9A-Za-z]{32}$/);
    expect((await p.ask('POST /api-keys/generate', { key: token })).body).toMatchObject({
      name: 'API key',
      key: expect.stringMatching(/^glyph_sk_live_/) as string,
    });
    const listed = await p.ask('GET /api-keys/list', { key: token });
    const one = {
      id: 'string',
      key_prefix: 'string',
      name: 'string',
      created_at: 'string',
      last_used_at: 'string?',
      revoked_at: 'string?',
    };
    expect([listed.status, problems(shape({ keys: list(shape(one)) }), listed.body)]).toEqual([200, []]);
    const { keys } = listed.body as { keys: { id: string }[] };
    expect(keys.find((each) => each.id === id)).toMatchObject({ key_prefix: prefix, revoked_at: null });

    const revoked = await p.ask(`DELETE /api-keys/${id}`, { key: token });
    expect([revoked.status, problems(shape({ id: 'string', revoked_at: 'string' }), revoked.body)]).toEqual([
      200,
      [],
    ]);
    expect((await p.ask(`DELETE /api-keys/${id}`, { key: token })).body).toEqual(revoked.body);
    expect((await p.ask('GET /auth/me', { key: secret })).status).toBe(401);
    expect((await p.ask('DELETE /api-keys/none', { key: token })).status).toBe(404);
  });

  it('are issued once under the same Idempotency-Key, and shown once', async () => {
    const issue = (id: string, name = 'once') =>
      p.ask('POST /api-keys/generate', { key: token, body: { name }, headers: { 'idempotency-key': id } });
    const issued = await issue('issue-1');
    const again = await issue('issue-1');
    expect([again.status, again.body]).toEqual([201, { ...(issued.body as object), key: null }]);
    const other = await issue('issue-1', 'another');
    expect([other.status, Object.keys(other.body as object)]).toEqual([409, ['detail']]);
    const wrong = await issue('x'.repeat(129));
    expect([wrong.status, issues(wrong)]).toEqual([422, [['header.idempotency-key', 'value_error']]]);
  });

  it('are refused where the request is none', async () => {
    const wrong = await p.ask('POST /api-keys/generate', { key: token, body: { environment: 'test' } });
    expect([wrong.status, issues(wrong)]).toEqual([422, [['body.environment', 'enum']]]);
  });
});

it('GET /billing/status tells the plan and the month', async () => {
  const { status, body } = await p.ask('GET /billing/status', { key });
  const fields = {
    tier: 'string',
    status: 'string',
    current_period_end: 'string?',
    calls_used: 'integer',
    calls_limit: LIMIT,
  };
  expect([status, problems(shape(fields), body)]).toEqual([200, []]);
  expect(body).toEqual({
    tier: 'free',
    status: 'active',
    current_period_end: null,
    calls_used: 0,
    calls_limit: 100,
  });
});

it('the plans tell what is promised, and whom to ask, to everybody', async () => {
  const { data } = await p.t.raw('{ plans { id support serviceLevel contact } }');
  expect(data?.['plans']).toContainEqual({
    id: 'enterprise',
    support: null,
    serviceLevel: '99.9 % of each month',
    contact: 'By contract. Contact sales.',
  });
});

it('GET /billing/usage tells the month by day', async () => {
  const { status, body } = await p.ask('GET /billing/usage', { key });
  const fields = {
    period_start: 'string',
    period_end: 'string',
    calls_used: 'integer',
    calls_limit: LIMIT,
    by_endpoint: list(shape({ endpoint: 'string', count: 'integer' })),
    endpoints_omitted: 'integer',
    by_day: list(shape({ date: 'string', count: 'integer' })),
  };
  expect([status, problems(shape(fields), body)]).toEqual([200, []]);
  expect(body).toMatchObject({ calls_limit: 100 });
  const wrong = await p.ask('GET /billing/usage?from=yesterday', { key });
  expect(wrong.status).toBe(422);
});

describe('the three headers', () => {
  it('stand on every answer, refusals and answers to nobody too', async () => {
    expect(three((await p.ask('GET /auth/me', { key })).headers)).toEqual(['free', '100', '100']);
    const invalid = await p.ask('POST /api-keys/generate', { key: token, body: { name: 1 } });
    expect([invalid.status, three(invalid.headers)]).toEqual([422, ['free', '100', '100']]);
    const refused = await p.ask('GET /auth/me', { key: 'glyph_sk_live_wrong' });
    expect([refused.status, three(refused.headers)]).toEqual([401, ['none', '0', '0']]);
    const { secret } = await p.t.customer('enterprise');
    expect(three((await p.ask('GET /auth/me', { key: secret })).headers)).toEqual([
      'enterprise',
      'unlimited',
      'unlimited',
    ]);
  });
});

it('the gateway is told the three headers of each of its answers, refusals too', async () => {
  const operator = await p.t.register();
  await p.t.makeOperator(operator);
  const { secret: gateway } = await p.t.issueKey(operator.token, 'LIVE', ['ADMIN']);
  const { secret } = await p.t.customer();
  const told = async (body: object) => {
    const reply = await p.ask('POST /v1/keys/verify', { key: gateway, body });
    const { code, headers } = reply.body as { code: string; headers: { name: string; value: string }[] };
    const found = new Headers(headers.map(({ name, value }) => [name, value]));
    return [code, three(found), found.get('x-ratelimit-used')];
  };
  const spend = {
    endpoint: '/schema/run',
    method: 'POST',
    quantities: [{ meter: 'requests', quantity: 99 }],
  };
  expect(await told({ secret })).toEqual(['VALID', ['free', '100', '100'], '0']);
  expect(await told({ secret, spend })).toEqual(['VALID', ['free', '1', '100'], '99']);
  expect(await told({ secret, spend })).toEqual(['QUOTA_EXCEEDED', ['free', '1', '100'], '99']);
  expect(await told({ secret: 'glyph_sk_live_wrong' })).toEqual(['KEY_MALFORMED', ['none', '0', '0'], null]);
  const { secret: large } = await p.t.customer('enterprise');
  const unlimited = ['VALID', ['enterprise', 'unlimited', 'unlimited'], null];
  expect(await told({ secret: large, spend })).toEqual(unlimited);
});

it.each([
  'GET /auth/me',
  'GET /billing/usage',
  'GET /api-keys/list',
  'POST /api-keys/generate',
  'DELETE /api-keys/any',
])('%s asks who calls', async (route) => {
  const { status, body } = await p.ask(route);
  expect([status, Object.keys(body as object)]).toEqual([401, ['detail']]);
});

it('30 days of a larger plan, as a gift of an operator: afterwards the account has its own again', async () => {
  const operator = await p.t.register();
  await p.t.makeOperator(operator);
  const { token: own, accountId, secret } = await p.t.customer();
  const until = new Date(p.now() + 30 * 86_400_000).toISOString();
  const grant = async (end: string) => {
    const { data } = await p.t.raw(
      `mutation Gift($input: OperatorGrantPlanInput!) {
        operatorGrantPlan(input: $input) { ... on OperatorGrantPlanPayload { plan { id } } ... on Refusal { code } }
      }`,
      { input: { accountId, planId: 'professional', until: end, reason: 'thirty days to try it' } },
      operator.token,
    );
    return data?.['operatorGrantPlan'];
  };
  expect(await grant('2020-01-01T00:00:00Z')).toEqual({ code: 'INVALID_INPUT' });
  expect(await grant(until)).toEqual({ plan: { id: 'professional' } });
  const status = async () => (await p.ask('GET /billing/status', { key: secret })).body;
  expect(await status()).toMatchObject({
    tier: 'professional',
    current_period_end: until,
    calls_limit: 100_000,
  });
  expect((await p.ask('GET /billing/status', { key: own })).body).toEqual(await status());
  p.advance(Date.parse(until) - p.now());
  expect(await status()).toMatchObject({ tier: 'free', current_period_end: null, calls_limit: 100 });
  // The event that tells everybody else, whoever was first.
  await p.t.caughtUp();
  const { sql, projector, commands } = p.t.app.parts;
  const accounts = new AccountQueries(sql, projector.access('accounts'));
  const clocks = { clock: () => p.now(), billingClock: () => p.now() };
  await endGrants(commands, (at, limit) => accounts.grantsOver(at, limit), clocks);
  const types = (await commands.load(subscriptionStream(accountId))).map(({ type }) => type);
  expect(types).toEqual(['PlanGranted', 'SubscriptionEnded']);
  await p.t.caughtUp();
  expect(await accounts.grantsOver(new Date(p.now()), 10)).toEqual([]);
});

it('answers every text in every place of a route in its own shape (law 11)', () => throwTexts(p));

it('serves every operation of /openapi.json, and nothing that is not declared', async () => {
  expect(Object.keys(p.document.paths).length).toBeGreaterThan(3);
  await askEverything(p);
});
