import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { FastifyInstance } from 'fastify';
import { GracefulStop } from '../../src/http/gracefulStop.js';
import { createHttpServer } from '../../src/http/server.js';
import { silentLogger } from '../../src/logger.js';
import { Metrics } from '../../src/metrics.js';
import type { Deferred } from '../eventsourcing/fixtures.js';
import { deferred } from '../eventsourcing/fixtures.js';

const DRAIN_MS = 3_000;

interface Server {
  readonly fastify: FastifyInstance;
  readonly graceful: GracefulStop;
  /** The time-outs that were asked for, in order; each ends when the test says so. */
  readonly waits: { readonly ms: number; readonly end: () => void }[];
  /** A call to /slow has begun; it answers once `finish` is resolved. */
  readonly begun: Deferred<void>;
  readonly finish: Deferred<void>;
  /** A new connection, its end at the server, and what it brings until it is closed. */
  readonly dial: () => Promise<{ socket: Socket; peer: Socket; received: Promise<string> }>;
}

const open: FastifyInstance[] = [];
afterEach(async () => {
  for (const fastify of open.splice(0)) {
    fastify.server.closeAllConnections();
    await fastify.close();
  }
});

async function serve(drainMs: number): Promise<Server> {
  const fastify = await createHttpServer({
    trustProxy: 0,
    publicUrl: 'http://127.0.0.1',
    corsOrigins: [],
    log: silentLogger,
    metrics: new Metrics(),
  });
  open.push(fastify);
  const waits: Server['waits'] = [];
  const wait = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      waits.push({ ms, end: resolve });
      signal?.addEventListener('abort', () => reject(new Error('no longer needed')));
    });
  const graceful = new GracefulStop(fastify, { drainMs, wait });
  const [begun, finish] = [deferred(), deferred()];
  fastify.get('/quick', async () => 'quick');
  fastify.post('/quick', async () => 'quick');
  fastify.get('/slow', async () => {
    begun.resolve();
    await finish.promise;
    return 'slow';
  });
  const { port } = new URL(await fastify.listen({ port: 0, host: '127.0.0.1' }));
  const dial: Server['dial'] = async () => {
    const arrived = once(fastify.server, 'connection') as Promise<[Socket]>;
    const socket = connect(Number(port), '127.0.0.1');
    const received = text(socket).catch(() => 'reset');
    const [peer] = await arrived;
    return { socket, peer, received };
  };
  return { fastify, graceful, waits, begun, finish, dial };
}

const GET = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`;

it('is unready first, goes on serving as long as it drains, and asks its callers to leave', async () => {
  const { fastify, graceful, waits, dial } = await serve(DRAIN_MS);
  expect(graceful.problem).toBeUndefined();
  const stopped = graceful.stop();
  expect(graceful.problem).toBe('the server is shutting down');
  expect(waits.map(({ ms }) => ms)).toEqual([DRAIN_MS]);

  const late = await dial();
  late.socket.write(GET('/quick'));
  expect(await late.received).toMatch(/^HTTP\/1\.1 200[\s\S]*connection: close[\s\S]*quick$/i);
  expect(fastify.server.listening).toBe(true);

  waits[0]?.end();
  await stopped;
  expect(fastify.server.listening).toBe(false);
});

it('closes its listener while calls are still under way', async () => {
  const { fastify, graceful, finish, begun, dial } = await serve(0);
  const call = await dial();
  call.socket.write(GET('/slow'));
  await begun.promise;
  const stopped = graceful.stop();
  while (fastify.server.listening) await new Promise((resolve) => setImmediate(resolve));
  finish.resolve();
  await stopped;
});

it('finishes the call that is under way, whole, and closes its connection with it', async () => {
  const { graceful, begun, finish, dial } = await serve(0);
  const call = await dial();
  call.socket.write(GET('/slow'));
  await begun.promise;
  const stopped = graceful.stop();
  finish.resolve();
  expect(await call.received).toMatch(/^HTTP\/1\.1 200[\s\S]*connection: close[\s\S]*slow$/i);
  await stopped;
});

it('finishes a request that has begun to arrive', async () => {
  const { graceful, dial } = await serve(0);
  const call = await dial();
  call.socket.write('POST /quick HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: 4\r\n');
  while (call.peer.bytesRead === 0) await new Promise((resolve) => setImmediate(resolve));
  const stopped = graceful.stop();
  call.socket.write('\r\nbody');
  expect(await call.received).toMatch(/^HTTP\/1\.1 200[\s\S]*quick$/);
  await stopped;
});

it('does not wait for connections that bring nothing', async () => {
  const { fastify, graceful, dial } = await serve(0);
  const fresh = await dial();
  const idle = await dial();
  const answered = new Promise((resolve) => {
    fastify.server.once('request', (_request, response) => response.once('close', resolve));
  });
  idle.socket.write(GET('/quick'));
  await answered;
  await graceful.stop();
  expect(await fresh.received).toBe('');
  expect(await idle.received).toMatch(/quick$/);
});

it('cuts off what does not end within the bound', async () => {
  const { graceful, waits, begun, dial } = await serve(0);
  const call = await dial();
  call.socket.write(GET('/slow'));
  await begun.promise;
  const stopped = graceful.stop();
  expect(waits).toHaveLength(1);
  waits[0]?.end();
  await stopped;
  expect(await call.received).toMatch(/^(reset)?$/);
});
