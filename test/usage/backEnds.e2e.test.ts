/* eslint-disable @typescript-eslint/no-unsafe-assignment -- matchers of Jest have the type any */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { z } from 'zod';
import { keyRoutes } from '../../src/keys/routes.js';
import { usageRoutes } from '../../src/usage/routes.js';
import type { Route } from '../../src/rest/route.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';

const run = promisify(execFile);

let t: TestApp;
let backEnd: string;

beforeAll(async () => {
  t = await startApp({ env: { PROFILE: 'videomind' } });
  const operator = await t.customer();
  await t.makeOperator(operator);
  backEnd = (await t.issueKey(operator.token, 'LIVE', ['ADMIN'])).secret;
});
afterAll(() => t.close());

/** The routes as they are declared: nothing of them is called. */
const declared = new Map<string, Route>(
  [...keyRoutes({} as never), ...usageRoutes({} as never)].map((route) => [
    `${route.method} ${route.path}`,
    route,
  ]),
);

interface Told {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, never> & { readonly code?: string };
}

/** Calls a route, and holds the answer against what the route declares. */
async function call(
  place: string,
  path: string,
  {
    body,
    credential = backEnd,
    headers = {},
  }: { body?: unknown; credential?: string; headers?: object } = {},
): Promise<Told> {
  const [method = ''] = place.split(' ');
  const response = await fetch(`${t.app.url}${path}`, {
    method,
    headers: {
      ...(credential !== '' && { authorization: `Bearer ${credential}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const told = (await response.json()) as Told['body'];
  if (response.status === 200) {
    const parsed = declared.get(place)?.spec?.answer?.safeParse(told);
    expect(parsed?.error).toBeUndefined();
  } else {
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(told).toMatchObject({ type: 'about:blank', status: response.status, code: expect.any(String) });
  }
  return { status: response.status, headers: response.headers, body: told };
}

const VERIFY = 'POST /v1/keys/verify';
const RESERVE = 'POST /v1/reservations';
const SETTLE = 'POST /v1/reservations/:id/settle';
const RELEASE = 'POST /v1/reservations/:id/release';
const RECORD = 'POST /v1/usage';
const videos = (quantity: number | string) => [{ meter: 'videos', quantity }];

it('the life of a use over HTTP: verify and reserve, settle, look', async () => {
  const { secret, accountId, keyId } = await t.customer('pro');
  const spend = { endpoint: '/transcribe', quantities: videos(3), reserve: true };
  const headers = { 'idempotency-key': randomUUID() };
  const first = await call(VERIFY, '/v1/keys/verify', { body: { secret, spend }, headers });
  // Ids are shown as GraphQL shows them, and taken so, too.
  const shown = { accountId: `acc_${accountId}`, keyId: `key_${keyId}` };
  expect(first.body).toMatchObject({ valid: true, ...shown, reservation: { status: 'RESERVED' } });
  // The back end is held to no limits; its customer's are in the body.
  expect(first.headers.get('ratelimit')).toBeNull();
  const again = await call(VERIFY, '/v1/keys/verify', { body: { secret, spend }, headers });
  expect(again.body['useId']).toBe(first.body['useId']);
  const id = String(first.body['useId']);
  const settled = await call(SETTLE, `/v1/reservations/${id}/settle`, { body: { quantities: videos('2') } });
  expect(settled.body).toMatchObject({ reservation: { status: 'SETTLED' }, replayed: false });
  const conflict = await call(RELEASE, `/v1/reservations/${id}/release`, { body: {} });
  expect([conflict.status, conflict.body.code]).toEqual([409, 'RESERVATION_ENDED']);

  const reserved = await call(RESERVE, '/v1/reservations', {
    body: { accountId, endpoint: '/batch', quantities: videos(4), expiresInSeconds: 60 },
  });
  const { reservation } = reserved.body as unknown as { reservation: { id: string } };
  expect((await call(RELEASE, `/v1/reservations/${reservation.id}/release`, { body: {} })).status).toBe(200);

  const uses = [{ useId: 'night-1', keyId, meter: 'videos', quantity: 5 }, { useId: 'night-2' }];
  const recorded = await call(RECORD, '/v1/usage', { body: { uses } });
  expect(recorded.body).toMatchObject({
    results: [{ refusal: null }, { refusal: { code: 'INVALID_INPUT' } }],
  });

  // The customer and the operator see the same.
  await t.caughtUp();
  const totals = expect.arrayContaining([
    { meter: 'videos', quantity: '7' },
    { meter: 'requests', quantity: '1' },
  ]);
  expect((await call('GET /v1/usage', '/v1/usage', { credential: secret })).body).toMatchObject({
    totals,
    stale: false,
  });
  expect((await call('GET /v1/usage', `/v1/usage?keyId=${keyId}`)).body).toMatchObject({ totals, ...shown });
  const quota = await call('GET /v1/quota', `/v1/quota?accountId=${shown.accountId}`);
  expect(quota.body).toMatchObject({
    accountId: shown.accountId,
    plan: 'pro',
    limits: expect.arrayContaining([expect.objectContaining({ name: 'videos-day', used: '7', max: '30' })]),
  });
});

it('what is refused is a problem with a code, and nothing counts', async () => {
  const { secret, accountId } = await t.customer();
  const other = await t.customer();
  const cases: readonly (readonly [what: string, told: Promise<Told>, status: number, code: string])[] = [
    ['nobody', call(RECORD, '/v1/usage', { body: { uses: [] }, credential: '' }), 401, 'SESSION_MISSING'],
    [
      'no admin',
      call(RECORD, '/v1/usage', { body: { uses: [{}] }, credential: secret }),
      403,
      'SCOPE_MISSING',
    ],
    [
      'no operator',
      call(VERIFY, '/v1/keys/verify', { body: { secret: 'x' }, credential: secret }),
      403,
      'SCOPE_MISSING',
    ],
    ['no JSON', call(RECORD, '/v1/usage', { body: '{' }), 400, 'BODY_INVALID'],
    [
      'another type',
      call(RECORD, '/v1/usage', { body: '{}', headers: { 'content-type': 'text/xml' } }),
      415,
      'MEDIA_TYPE_UNSUPPORTED',
    ],
    ['no uses', call(RECORD, '/v1/usage', { body: { uses: [] } }), 400, 'INVALID_INPUT'],
    [
      'too many',
      call(RECORD, '/v1/usage', { body: { uses: Array.from({ length: 1_001 }, () => ({})) } }),
      400,
      'INVALID_INPUT',
    ],
    [
      'too large',
      call(RECORD, '/v1/usage', { body: { uses: [{ subject: 'x'.repeat(5 << 20) }] } }),
      413,
      'BODY_TOO_LARGE',
    ],
    [
      'too large elsewhere',
      call(RESERVE, '/v1/reservations', { body: { endpoint: 'x'.repeat(1 << 18) } }),
      413,
      'BODY_TOO_LARGE',
    ],
    [
      'a field that is not there',
      call(VERIFY, '/v1/keys/verify', { body: { secret: 'x', spent: {} } }),
      400,
      'INVALID_INPUT',
    ],
    [
      'a bad quantity',
      call(RESERVE, '/v1/reservations', { body: { accountId, endpoint: '/x', quantities: videos(-1) } }),
      400,
      'INVALID_INPUT',
    ],
    [
      'a bad key',
      call(RESERVE, '/v1/reservations', { body: { keyId: 'x', endpoint: '/x', quantities: videos(1) } }),
      404,
      'NOT_FOUND',
    ],
    [
      'a bad command id',
      call(RESERVE, '/v1/reservations', {
        body: { accountId, endpoint: '/x', quantities: videos(1) },
        headers: { 'idempotency-key': 'x'.repeat(200) },
      }),
      400,
      'INVALID_INPUT',
    ],
    [
      'above the limit',
      call(RESERVE, '/v1/reservations', { body: { accountId, endpoint: '/x', quantities: videos(4) } }),
      429,
      'QUERY_COST_EXCEEDED',
    ],
    ['no reservation', call(SETTLE, '/v1/reservations/nonsense/settle', { body: {} }), 404, 'NOT_FOUND'],
    [
      'another’s usage',
      call('GET /v1/usage', `/v1/usage?accountId=${other.accountId}`, { credential: secret }),
      404,
      'NOT_FOUND',
    ],
    [
      'another’s quota',
      call('GET /v1/quota', `/v1/quota?keyId=${other.keyId}`, { credential: secret }),
      404,
      'NOT_FOUND',
    ],
    [
      'a bad period',
      call('GET /v1/usage', '/v1/usage?period=yesterday', { credential: secret }),
      400,
      'INVALID_INPUT',
    ],
    [
      'a day that there is not',
      call('GET /v1/usage', '/v1/usage?period=2026-02-30', { credential: secret }),
      400,
      'INVALID_INPUT',
    ],
    [
      'a slip in a parameter of usage',
      call('GET /v1/usage', '/v1/usage?periode=2026-10', { credential: secret }),
      400,
      'INVALID_INPUT',
    ],
    [
      'a slip in a parameter of the quota',
      call('GET /v1/quota', '/v1/quota?subjekt=ada', { credential: secret }),
      400,
      'INVALID_INPUT',
    ],
  ];
  const told = await Promise.all(cases.map(async ([what, answer]) => [what, await answer] as const));
  expect(told.map(([what, { status, body }]) => [what, status, body.code])).toEqual(
    cases.map(([what, , status, code]) => [what, status, code]),
  );
  const { body } = await call('GET /v1/usage', '/v1/usage', { credential: secret });
  expect(body).toMatchObject({ totals: expect.arrayContaining([{ meter: 'videos', quantity: '0' }]) });
});

it('each route says what it takes and answers, as JSON Schema', () => {
  for (const [place, { spec }] of declared) {
    expect([place, spec?.summary]).toEqual([place, expect.stringMatching(/^[A-Z].*\.$/)]);
    for (const schema of [spec?.answer, spec?.body]) {
      if (schema)
        expect(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })).toHaveProperty('type');
    }
  }
});

it('docs/examples/transcribe.py verifies a key, works, settles and sees its usage', async () => {
  const { secret } = await t.customer('pro');
  const env = { ...process.env, TOLLGRAPH: t.app.url, BACKEND_KEY: backEnd, CUSTOMER_KEY: secret };
  const { stdout } = await run('python3', ['docs/examples/transcribe.py'], { env });
  expect(stdout).toContain("{'meter': 'videos', 'quantity': '2'}");
});
