import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

export interface GracefulStopOptions {
  /** How long it goes on serving, unready, so that balancers notice, in milliseconds. */
  readonly drainMs: number;
  readonly wait?: (ms: number, signal?: AbortSignal) => Promise<unknown>;
}

/** A call takes 10 s at most, and 15 s may pass before its body is there. */
const FINISH_MS = 25_000;

/**
 * Stops a server without cutting off a call: first it is unready and asks its callers to leave, then it
 * takes no new connection and finishes what is under way, bounded.
 */
export class GracefulStop {
  #stopping = false;
  /** The listener is closed: whoever is idle now has nothing to come. */
  #closing = false;
  /** Connections that have not brought a request yet. */
  readonly #fresh = new Set<Socket>();
  readonly #wait: NonNullable<GracefulStopOptions['wait']>;

  /** Must be made before the server listens. */
  constructor(
    private readonly fastify: FastifyInstance,
    private readonly options: GracefulStopOptions,
  ) {
    this.#wait = options.wait ?? ((ms, signal) => delay(ms, undefined, { signal }));
    const { server } = fastify;
    server.on('connection', (socket: Socket) => {
      this.#fresh.add(socket);
      socket.once('close', () => this.#fresh.delete(socket));
    });
    server.on('request', ({ socket }: { socket: Socket }) => this.#fresh.delete(socket));
    fastify.addHook('onSend', (_request, reply, payload, done) => {
      // A connection that is kept would stay open for the whole keep-alive time after its answer.
      if (this.#stopping) reply.header('connection', 'close');
      done(null, payload);
    });
    fastify.addHook('onResponse', (_request, _reply, done) => {
      // For an answer whose head had left before the stop began. Not while draining: a connection that
      // is idle then may be bringing a call.
      if (this.#closing) setImmediate(() => server.closeIdleConnections());
      done();
    });
  }

  /** Why a balancer should send nothing more, once that is so. */
  get problem(): string | undefined {
    return this.#stopping ? 'the server is shutting down' : undefined;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.options.drainMs > 0) await this.#wait(this.options.drainMs);
    const { server } = this.fastify;
    const finished = new AbortController();
    const bound = this.#wait(FINISH_MS, finished.signal).then(
      () => server.closeAllConnections(),
      () => undefined,
    );
    this.#closing = true;
    const closed = this.fastify.close();
    // Node takes a connection without a request for busy. What has begun to arrive is waited for.
    for (const socket of this.#fresh) if (socket.bytesRead === 0) socket.destroy();
    await closed;
    finished.abort();
    await bound;
  }
}
