import type { FastifyInstance } from 'fastify';
import { StoreUnavailable } from '../../src/eventsourcing/eventStore.js';
import { ApiError } from '../../src/graphql/kit/errors.js';
import { createHttpServer } from '../../src/http/server.js';
import { silentLogger } from '../../src/logger.js';
import { Metrics } from '../../src/metrics.js';
import type { Route } from '../../src/rest/route.js';
import { governed, guarded } from '../../src/rest/route.js';
import { serveRoutes } from '../../src/rest/serve.js';
import { SECRET, smallGate } from '../gate/smallGate.js';

// Routes as a capability declares them, behind the gate of the product.

let fastify: FastifyInstance;
let url: string;
let small: ReturnType<typeof smallGate>;
/** Stands before each append of the journal. */
let beforeAppend: () => Promise<void>;
/** What the handlers have been asked. */
let asked: string[];

const ROUTES: readonly Route[] = [
  governed('GET', '/v1/patterns/:id', { access: { scope: 'read' }, cost: 3 }, ({ params, patternsRead }) => {
    asked.push(`pattern ${params['id']}`);
    if (params['id'] === 'none') throw new ApiError('NOT_FOUND');
    patternsRead.add(params['id'] ?? '');
    return { body: { id: params['id'] }, cost: 2 };
  }),
  governed('POST', '/v1/patterns', { access: { scope: 'write' }, cost: 3 }, ({ body }) => {
    asked.push('write');
    return { status: 201, body };
  }),
  guarded('GET', '/v1/me', { access: { scope: 'read' } }, () => ({ body: { me: true } })),
];

interface Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url + path, init);
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.json(),
  };
}

const get = (path: string, headers: Record<string, string> = { 'x-api-key': SECRET }) =>
  ask(path, { headers });
const post = (path: string, headers: Record<string, string> = {}) =>
  ask(path, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: '{}' });

const codeOf = ({ body }: Response): string =>
  (body as { errors: { extensions: { code: string } }[] }).errors[0]?.extensions.code ?? '';

beforeEach(async () => {
  asked = [];
  beforeAppend = async () => {};
  const metrics = new Metrics();
  small = smallGate(metrics, () => beforeAppend());
  fastify = await createHttpServer({
    trustProxy: 0,
    publicUrl: 'http://127.0.0.1',
    corsOrigins: [],
    log: silentLogger,
    metrics,
  });
  serveRoutes(fastify, ROUTES, { gate: small.gate, metrics, log: silentLogger });
  url = await fastify.listen({ port: 0, host: '127.0.0.1' });
});
afterEach(async () => {
  await fastify.close();
  await small.journal.close();
});

describe('a governed route', () => {
  it('takes from the plan, is recorded before it is answered, and says where the limits stand', async () => {
    let stored = false;
    beforeAppend = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      stored = true;
    };
    const response = await get('/v1/patterns/retry');
    expect(stored).toBe(true);
    expect([response.status, response.body]).toEqual([200, { id: 'retry' }]);
    expect(response.headers['ratelimit']).toMatch(/^"calls";r=9;t=\d+$/);
    expect(response.headers['x-ratelimit-remaining']).toBe('9');
    expect(small.recorded).toMatchObject([
      {
        endpoint: '/v1/patterns/:id',
        method: 'GET',
        key: 'k1',
        patterns: ['retry'],
        estimatedCost: 3,
        actualCost: 2,
        meters: { requests: 1, cost: 2 },
        status: 'ok',
      },
    ]);
  });

  it('is refused with 429 and Retry-After when the plan has no room for it, and not executed', async () => {
    for (let call = 1; call <= 10; call++) expect((await get('/v1/patterns/a')).status).toBe(200);
    const refused = await get('/v1/patterns/a');
    expect([refused.status, codeOf(refused)]).toEqual([429, 'RATE_LIMITED']);
    expect(refused.headers['retry-after']).toMatch(/^[1-6]\d?$/);
    expect(refused.headers['ratelimit']).toMatch(/^"calls";r=0;t=\d+$/);
    expect(asked).toHaveLength(10);
  });

  it('is recorded as an error where the handler refuses, and its points go back', async () => {
    const response = await get('/v1/patterns/none');
    expect([response.status, codeOf(response)]).toEqual([404, 'NOT_FOUND']);
    expect(response.headers['ratelimit']).toMatch(/^"calls";r=9;t=\d+$/);
    expect(small.recorded).toMatchObject([{ status: 'error', meters: { requests: 1, cost: 0 } }]);
  });

  it('bills nothing of what could not be recorded', async () => {
    beforeAppend = () => Promise.reject(new StoreUnavailable('away'));
    const response = await get('/v1/patterns/a');
    expect([response.status, codeOf(response)]).toEqual([503, 'TRY_AGAIN']);
    expect(response.headers['retry-after']).toBe('1');
    expect(small.recorded).toEqual([]);
  });

  it('is open to demo callers where it only reads; to all else they are nobody', async () => {
    const read = await get('/v1/patterns/a', {});
    expect(read.status).toBe(200);
    expect(small.recorded).toMatchObject([{ environment: 'test' }]);
    const write = await post('/v1/patterns');
    expect([write.status, codeOf(write)]).toEqual([401, 'KEY_MISSING']);
    const own = await get('/v1/me', {});
    expect([own.status, codeOf(own)]).toEqual([401, 'KEY_MISSING']);
    expect(asked).toEqual(['pattern a']);
  });

  it('asks who calls and whether they may before anything is taken', async () => {
    const unknown = await get('/v1/patterns/a', { 'x-api-key': 'nonsense' });
    expect([unknown.status, codeOf(unknown)]).toEqual([401, 'KEY_MALFORMED']);
    const write = await post('/v1/patterns', { 'x-api-key': SECRET });
    expect([write.status, codeOf(write)]).toEqual([403, 'SCOPE_MISSING']);
    expect(write.headers['ratelimit']).toMatch(/^"calls";r=10;t=\d+$/);
    expect([asked, small.recorded]).toEqual([[], []]);
  });
});

it('stands behind the guard where it takes nothing, and says where the limits stand', async () => {
  for (let call = 1; call <= 60; call++) expect((await get('/v1/me')).status).toBe(200);
  const refused = await get('/v1/me');
  expect([refused.status, codeOf(refused)]).toEqual([429, 'RATE_LIMITED']);
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  expect(refused.headers['ratelimit']).toMatch(/^"calls";r=10;t=\d+$/);
  expect(small.recorded).toEqual([]);
});
