import { once } from 'node:events';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { createHttpServer, MAX_BODY_BYTES } from '../../src/http/server.js';
import { silentLogger } from '../../src/logger.js';
import { Metrics } from '../../src/metrics.js';

/** Short, so that the tests need not wait; what is tested is what happens then. */
const TIMES = { headMs: 300, body: { silence: 300, whole: 900 } };

let fastify: FastifyInstance;
let port: number;
beforeAll(async () => {
  fastify = await createHttpServer({
    trustProxy: 0,
    publicUrl: 'http://127.0.0.1',
    corsOrigins: ['https://shop.example'],
    log: silentLogger,
    metrics: new Metrics(),
    times: TIMES,
  });
  fastify.post('/echo', async ({ body }) => ({ body }));
  fastify.get('/read', async () => ({ read: true }));
  // Longer than a body may be silent, and a stream that is longer than a body may take.
  fastify.get('/slow', async () => {
    await setTimeout(2 * TIMES.body.silence);
    return { slow: true };
  });
  fastify.addContentTypeParser('application/x-unread', (_request, _payload, done) => done(null, undefined));
  fastify.post('/stream', async (_request, reply) => reply.type('text/plain').send(Readable.from(slowly())));
  fastify.post('/upload', { config: { bodyTime: { silence: 2_000, whole: Infinity } } }, async () => ({
    whole: true,
  }));
  await fastify.listen({ port: 0 });
  ({ port } = fastify.server.address() as AddressInfo);
});
afterAll(() => fastify.close());

async function* slowly(): AsyncGenerator<string> {
  for (let piece = 0; piece < 4; piece++) {
    yield `${piece};`;
    await setTimeout(TIMES.body.silence);
  }
}

/** Sends pieces, one after the other with a pause, and reads until the server closes. */
async function exchange(
  pieces: readonly string[],
  pauseMs = 100,
): Promise<{ status: number; body: unknown }> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const answered = text(socket);
  for (const piece of pieces) {
    if (socket.writable) socket.write(piece);
    await setTimeout(pauseMs);
  }
  const answer = await answered;
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  expect(head.toLowerCase()).toContain('\r\ncontent-type: application/json; charset=utf-8');
  expect(head.toLowerCase()).toContain('\r\nconnection: close');
  expect(head.toLowerCase()).toContain('\r\nx-content-type-options: nosniff');
  return { status: Number(head.split(' ')[1]), body: JSON.parse(body) as unknown };
}

const coded = (status: number, code: string) => ({
  status,
  body: { errors: [{ message: expect.stringMatching(/.{10}/) as string, extensions: { code } }] },
});
const post = (path: string, length: number): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;

describe('a request that does not come to its end', () => {
  it.each<[string, string[]]>([
    ['with a Content-Length that is longer than its body', [`${post('/echo', 100)}{"a":1}`]],
    ['without the body that it announces', [post('/echo', 100)]],
    [
      'in chunks of which the last is missing',
      [`${post('/echo', 0).replace('Content-Length: 0', 'Transfer-Encoding: chunked')}3\r\n{"a\r\n`],
    ],
    ['with a head that does not end', ['POST /echo HTTP/1.1\r\nHost: x\r\n']],
    ['to an address that does not exist', [`${post('/nope', 100)}{`]],
  ])('is answered with 408: %s', async (_name, pieces) => {
    expect(await exchange(pieces)).toEqual(coded(408, 'REQUEST_TIMEOUT'));
  });

  it('is answered with 408 though it sends a byte now and then', async () => {
    expect(await exchange([post('/echo', 100), ...'{"a":1,"b":2,"c":3}'])).toEqual(
      coded(408, 'REQUEST_TIMEOUT'),
    );
  });

  it('is waited for by a route that goes by silence alone, as long as something comes', async () => {
    const slow = Array.from('{"a":1,"b":2}');
    const closing = post('/upload', slow.length).replace('Host: x', 'Host: x\r\nConnection: close');
    expect(await exchange([closing, ...slow])).toMatchObject({ status: 200, body: { whole: true } });
    expect(await exchange([post('/upload', 100), '{'])).toEqual(coded(408, 'REQUEST_TIMEOUT'));
  });
});

describe('a request whose body nobody waits for', () => {
  const announcing = (method: string, path: string): string =>
    post(path, 100)
      .replace('POST', method)
      .replace('application/json', 'application/x-unread')
      .replace('Host: x', 'Host: x\r\nConnection: close');

  it('is answered by its route, which may take longer than a body', async () => {
    expect(await exchange([announcing('GET', '/slow')])).toEqual({ status: 200, body: { slow: true } });
  });

  it('is answered to the end of a stream', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write(announcing('POST', '/stream'));
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer.match(/\d;/g)).toEqual(['0;', '1;', '2;', '3;']);
    expect(answer.endsWith('\r\n0\r\n\r\n')).toBe(true);
  });
});

describe('what is no HTTP', () => {
  it.each<[string, string, number, string]>([
    ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n\r\n', 400, 'REQUEST_MALFORMED'],
    ['a header without a name', 'GET / HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n', 400, 'REQUEST_MALFORMED'],
    [
      'two lengths',
      'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}',
      400,
      'REQUEST_MALFORMED',
    ],
    [
      'headers of 20 KB',
      `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'HEADERS_TOO_LARGE',
    ],
    [
      'an address of 20 KB',
      `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      431,
      'HEADERS_TOO_LARGE',
    ],
  ])('is refused like all else: %s', async (_name, request, status, code) => {
    expect(await exchange([request])).toEqual(coded(status, code));
  });
});

describe('a body with an encoding', () => {
  const send = async (body: Uint8Array, encoding: string) => {
    const headers = { 'content-type': 'application/json', 'content-encoding': encoding };
    const response = await fetch(`http://127.0.0.1:${port}/echo`, {
      method: 'POST',
      headers,
      body: body,
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

  it.each(['gzip', 'GZIP', 'x-gzip'])('is read: %s', async (encoding) => {
    const value = { text: 'ä'.repeat(10_000) };
    expect(await send(gzipSync(json(value)), encoding)).toMatchObject({ status: 200, body: { body: value } });
  });

  it('is as large as any body may be, whatever it takes when it is packed', async () => {
    const fits = 'x'.repeat(MAX_BODY_BYTES - 2);
    expect(await send(gzipSync(json(fits)), 'gzip')).toMatchObject({ status: 200 });
    expect(await send(gzipSync(json(`${fits}x`)), 'gzip')).toMatchObject(coded(413, 'BODY_TOO_LARGE'));
    expect(await send(gzipSync(Buffer.alloc(50_000_000)), 'gzip')).toMatchObject(
      coded(413, 'BODY_TOO_LARGE'),
    );
  });

  it.each<[string, Uint8Array]>([
    ['not packed', json({})],
    ['cut off', gzipSync(json({ text: 'x' })).subarray(0, 15)],
    ['empty', new Uint8Array()],
  ])('is refused where it is %s', async (_name, body) => {
    expect(await send(body, 'gzip')).toMatchObject(coded(400, 'BODY_INVALID'));
  });

  it.each(['br', 'deflate', 'gzip, gzip', 'nonsense'])('is refused by name: %s', async (encoding) => {
    const answer = await send(brotliCompressSync(json({})), encoding);
    expect(answer).toMatchObject(coded(415, 'ENCODING_UNSUPPORTED'));
    expect(answer.headers.get('accept-encoding')).toBe('gzip');
  });
});

describe('an encoded body that nobody reads to its end', () => {
  /** What says that it is gzip and is not; the head may announce more than comes. */
  const claims = (method: string, path: string, type: string, body: string, length = body.length): string =>
    `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Encoding: gzip\r\nContent-Type: ${type}\r\n` +
    `Content-Length: ${length}\r\n\r\n${body}`;
  const JSON_TYPE = 'application/json';

  it.each<[string, string]>([
    ['of a GET', claims('GET', '/read', JSON_TYPE, 'xx')],
    ['of a HEAD', claims('HEAD', '/read', JSON_TYPE, 'xx')],
    ['of a type that is not taken', claims('POST', '/echo', 'image/png', 'xx')],
    ['of a type that is none', claims('POST', '/echo', 'nonsense', 'xx')],
    ['in a form', claims('POST', '/echo', 'multipart/form-data; boundary=b', 'xx')],
    ['to an address that does not exist', claims('POST', '/nope', 'image/png', 'xx')],
    ['by GET to an address that does not exist', claims('GET', '/nope', JSON_TYPE, 'xx')],
    ['by a method that there is not', claims('DELETE', '/read', 'image/png', 'xx')],
    ['that is announced too large', claims('POST', '/echo', JSON_TYPE, 'xx', MAX_BODY_BYTES + 1)],
    ['that fails while it is read', claims('POST', '/echo', JSON_TYPE, 'xx')],
  ])('ends its own request alone: %s', async (_name, request) => {
    const socket = connect(port, '127.0.0.1');
    socket.write(request);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 (200|400|404|405|413|415) /);
    expect(await alive()).toBe(200);
  });

  it('ends its own request alone: of a client that leaves in the middle', async () => {
    for (const path of ['/echo', '/nope']) {
      const socket = connect(port, '127.0.0.1');
      const half = gzipSync(json({ text: 'x' }))
        .subarray(0, 15)
        .toString('latin1');
      socket.write(claims('POST', path, JSON_TYPE, half, 1_000), 'latin1');
      await once(fastify.server, 'request');
      socket.resetAndDestroy();
      await once(socket, 'close');
    }
    expect(await alive()).toBe(200);
  });

  /** By a request of its own: an error that nobody hears fails the test, as it would end the process. */
  const alive = async (): Promise<number> => (await fetch(`http://127.0.0.1:${port}/read`)).status;
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
});

it.each<[string, string, string]>([
  ['PUT', '/echo', 'POST'],
  ['GET', '/echo?a=b', 'POST'],
  ['DELETE', '/upload', 'POST'],
])('%s of %s, which has another method, says so', async (method, path, allow) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
  expect({ status: response.status, body: await response.json() }).toEqual(coded(405, 'METHOD_NOT_ALLOWED'));
  expect(response.headers.get('allow')).toBe(allow);
});

it('pages of an allowed origin may read under which name an export comes', async () => {
  const response = await fetch(`http://127.0.0.1:${port}/echo`, {
    headers: { origin: 'https://shop.example' },
  });
  expect(response.headers.get('access-control-expose-headers')).toContain('Content-Disposition');
});
