import type { FastifyInstance } from 'fastify';
import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { AnalysisPool } from '../../src/analysis/pool.js';
import { serveAnalysis } from '../../src/analysis/routes.js';
import type { AnalysisSettings } from '../../src/analysis/settings.js';
import { readAnalysisSettings } from '../../src/analysis/settings.js';
import { AddressGuard } from '../../src/gate/addressGuard.js';
import { createHttpServer } from '../../src/http/server.js';
import { silentLogger } from '../../src/logger.js';
import { Metrics } from '../../src/metrics.js';
import { ROOT, rules } from './scan.js';

const MB = 1024 * 1024;
const PER_MINUTE = 5;
const settings = {
  ...((await readAnalysisSettings(join(ROOT, 'profiles', 'scanner.yaml'))) as AnalysisSettings),
  maxBytes: 2 * MB,
};

let pool: AnalysisPool;
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
async function serve(options: { paymentRequired?: boolean; answerMs?: number } = {}): Promise<number> {
  const fastify = await createHttpServer({
    trustProxy: 1,
    publicUrl: 'http://127.0.0.1',
    corsOrigins: [],
    log: silentLogger,
    metrics: new Metrics(),
  });
  servers.push(fastify);
  await serveAnalysis(fastify, {
    settings,
    rules,
    pool,
    paymentRequired: false,
    problems: () => [],
    guard: new AddressGuard(PER_MINUTE),
    log: silentLogger,
    ...options,
  });
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

test('analyses of one address are so many a minute', async () => {
  const port = await serve();
  for (let n = 0; n < PER_MINUTE; n++) expect(await analyze(port, '10.0.0.1')).toBe(200);
  expect(await analyze(port, '10.0.0.1')).toBe(429);
});
