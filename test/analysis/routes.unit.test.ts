import type { FastifyInstance } from 'fastify';
import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { AnalysisPool } from '../../src/analysis/pool.js';
import { AnalysisChanges } from '../../src/analysis/changes.js';
import { analyzeRoute } from '../../src/analysis/analyzeRoute.js';
import { factRoutes } from '../../src/analysis/factRoutes.js';
import { UploadSlots } from '../../src/analysis/uploadSlots.js';
import { fastApi } from '../../src/analysis/fastApi.js';
import type { AnalysisSettings } from '../../src/analysis/settings.js';
import { readAnalysisSettings } from '../../src/analysis/settings.js';
import { createHttpServer } from '../../src/http/server.js';
import { silentLogger } from '../../src/logger.js';
import { Metrics } from '../../src/metrics.js';
import { serveRoutes } from '../../src/rest/serve.js';
import { smallGate } from '../gate/smallGate.js';
import { plan, shop } from '../plans/shop.js';
import { ROOT, rules } from './scan.js';

const MB = 1024 * 1024;
const PER_MINUTE = 5;
const settings = {
  ...((await readAnalysisSettings(join(ROOT, 'profiles', 'scanner.yaml'))) as AnalysisSettings),
  maxBytes: 2 * MB,
};

/** Whoever calls without a key has this plan. */
const SOLD = shop({
  demo: { plan: 'free' },
  meters: [{ id: 'analyses', unit: 'analysis', aggregation: 'count', decimals: 0 }],
  plans: [
    plan('free', 50, {
      limits: [
        { id: 'calls', meter: 'requests', window: 'minute', amount: 50 },
        { id: 'analyses', meter: 'analyses', window: 'minute', amount: PER_MINUTE },
      ],
    }),
    plan('pro', 50),
  ],
});

let pool: AnalysisPool;
let small: ReturnType<typeof smallGate>;
let servers: FastifyInstance[];
beforeEach(() => {
  const { branding, maxBytes } = settings;
  pool = new AnalysisPool({ rules: join(ROOT, 'rules', 'conversation'), branding, maxBytes }, 1);
  servers = [];
});
afterEach(async () => {
  for (const server of servers) {
    server.server.closeAllConnections();
    await server.close();
  }
  await pool.close();
});

/** @returns the port */
async function serve({
  paymentRequired = false,
  answerMs,
}: { paymentRequired?: boolean; answerMs?: number } = {}): Promise<number> {
  const metrics = new Metrics();
  small = smallGate(metrics, async () => {}, SOLD);
  const fastify = await createHttpServer({
    trustProxy: 1,
    publicUrl: 'http://127.0.0.1',
    corsOrigins: [],
    log: silentLogger,
    metrics,
  });
  servers.push(fastify);
  const desk = {
    settings,
    rules,
    // Nobody here has an account.
    ruleSets: undefined as never,
    pool,
    paymentRequired,
    payment: undefined,
    credits: undefined,
    included: () => false,
    // Nothing here is paid for.
    stored: undefined as never,
    changes: new AnalysisChanges(),
    publicUrl: 'http://127.0.0.1',
  };
  const dialect = fastApi(silentLogger);
  const routes = [
    ...factRoutes(desk, dialect, () => [], PER_MINUTE),
    analyzeRoute(desk, new UploadSlots(), dialect, silentLogger, answerMs),
  ];
  serveRoutes(fastify, routes, { gate: small.gate, metrics, log: silentLogger });
  await fastify.listen({ port: 0 });
  return (fastify.server.address() as { port: number }).port;
}

const HEAD = '--b\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\n';
const END = '\r\n--b--\r\n';

/** A form whose head and beginning have been sent. */
function begin(port: number, from: string, headers: Record<string, string | number> = {}): ClientRequest {
  const sending = request({
    port,
    path: '/analyze',
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=b', 'x-forwarded-for': from, ...headers },
  });
  sending.on('error', () => undefined);
  sending.write(HEAD);
  return sending;
}

async function answerOf(sending: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(sending, 'response')) as [IncomingMessage];
  return response;
}

async function analyze(port: number, from: string): Promise<number | undefined> {
  const sending = begin(port, from);
  sending.end(`no, stop${END}`);
  const response = await answerOf(sending);
  await text(response);
  return response.statusCode;
}

test('whoever does not read an answer loses it, and the thread goes to the next', async () => {
  const port = await serve({ answerMs: 500 });
  const sending = begin(port, '10.0.0.1');
  sending.end(Array.from({ length: 80_000 }, (_, n) => `no ${n}, hurt`).join('\n\n') + END);
  const slow = await answerOf(sending);
  slow.on('error', () => undefined);
  // Nothing of it is read.
  expect(await analyze(port, '10.0.0.2')).toBe(200);
  await expect(text(slow)).rejects.toThrow('aborted');
});

test('a connection whose file waits for a thread may be silent for longer than others', async () => {
  const port = await serve();
  servers[0]?.server.setTimeout(300);
  const held = await pool.run(new TextEncoder().encode('no'), {}, new AbortController().signal);
  const waiting = analyze(port, '10.0.0.1');
  waiting.catch(() => undefined);
  await fetch(`http://127.0.0.1:${port}/version`);
  // Opened later and as silent: once it has been closed, the other would have been.
  const idle = connect(port, '127.0.0.1');
  idle.resume();
  await once(idle, 'close');
  held.close();
  expect(await waiting).toBe(200);
});

test('one place holds two files at once, and nobody else has to wait for them', async () => {
  const port = await serve();
  const held = ['2001:db8::1', '2001:db8::2'].map((from) => begin(port, from, { expect: '100-continue' }));
  await Promise.all(held.map((sending) => once(sending, 'continue')));
  const third = begin(port, '2001:db8::3');
  const refused = await answerOf(third);
  expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '5']);
  expect(JSON.parse(await text(refused))).toMatchObject({
    code: '429',
    errors: [{ extensions: { code: 'RATE_LIMITED' } }],
  });
  third.destroy();
  expect(await analyze(port, '2001:db8:0:1::1')).toBe(200);
  for (const sending of held) sending.end(`no${END}`);
  for (const sending of held) expect((await answerOf(sending)).statusCode).toBe(200);
});

test('what is not paid for is refused before it is read', async () => {
  const port = await serve({ paymentRequired: true });
  const sending = begin(port, '10.0.0.1');
  expect((await answerOf(sending)).statusCode).toBe(402);
  sending.destroy();
});

test('a form that says that it is too large is refused before it is read', async () => {
  const port = await serve();
  const sending = begin(port, '10.0.0.1', { 'content-length': 4 * MB });
  expect((await answerOf(sending)).statusCode).toBe(413);
  sending.destroy();
});

test.each([
  [
    'beside the file that is wanted',
    `no\r\n--b\r\ncontent-disposition: form-data; name="x"; filename="x"\r\n\r\n`,
  ],
  ['behind the last part', `no${END}`],
])('a form that says nothing of its size is refused once it is too large: %s', async (_where, before) => {
  const port = await serve();
  const sending = begin(port, '10.0.0.1');
  sending.write(before);
  const answer = answerOf(sending);
  for (let n = 0; n < 5; n++) sending.write(Buffer.alloc(MB, 'a'));
  // It is not ended: the answer comes before.
  expect((await answer).statusCode).toBe(413);
  sending.destroy();
});

test.each(['/health', '/version', '/patterns'])('%s answers one address so often a minute', async (path) => {
  const port = await serve();
  const ask = (from: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}${path}`, { headers: { 'x-forwarded-for': from } });
  for (let n = 0; n < PER_MINUTE; n++) expect((await ask('10.0.0.1')).status).toBe(200);
  const refused = await ask('10.0.0.1');
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await refused.json()).toMatchObject({
    code: '429',
    errors: [{ extensions: { code: 'RATE_LIMITED' } }],
  });
  expect((await ask('10.0.0.2')).status).toBe(200);
});

test('analyses of one address are so many a minute; what failed counts as a request alone', async () => {
  const port = await serve();
  const failing = begin(port, '10.0.0.1');
  failing.end(END);
  expect((await answerOf(failing)).statusCode).toBe(200);
  const form = request({
    port,
    path: '/analyze',
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=b', 'x-forwarded-for': '10.0.0.1' },
  });
  form.end('--b--\r\n');
  expect((await answerOf(form)).statusCode).toBe(422);
  for (let n = 1; n < PER_MINUTE; n++) expect(await analyze(port, '10.0.0.1')).toBe(200);
  const last = begin(port, '10.0.0.1');
  last.end(`no${END}`);
  const refused = await answerOf(last);
  expect(refused.statusCode).toBe(429);
  expect(refused.headers['x-ratelimit-limit']).toBe('50');
  expect(JSON.parse(await text(refused))).toMatchObject({
    code: '429',
    errors: [{ extensions: { code: 'RATE_LIMITED', limit: 'analyses' } }],
  });
  expect(await analyze(port, '10.0.0.2')).toBe(200);
});

test('an analysis is recorded before it is answered, on the account of whoever calls', async () => {
  const port = await serve();
  expect(await analyze(port, '10.0.0.1')).toBe(200);
  expect(small.recorded).toMatchObject([
    { endpoint: '/analyze', method: 'POST', status: 'ok', meters: { analyses: 1, requests: 1 } },
  ]);
});

test('a credential that is not good is refused before the form is read', async () => {
  const port = await serve();
  const sending = begin(port, '10.0.0.1', { 'x-api-key': 'sh_live_none' });
  const refused = await answerOf(sending);
  expect(refused.statusCode).toBe(401);
  expect(JSON.parse(await text(refused))).toMatchObject({
    code: '401',
    detail: expect.any(String) as string,
  });
  sending.destroy();
});
