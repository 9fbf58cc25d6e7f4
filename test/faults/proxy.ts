import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/**
 * What can go wrong on the way to a server.
 * `refuse`: nobody listens, and what was connected is reset: the server is stopped.
 * `reset`: what is connected is reset once; what connects again works.
 * `freeze`: connections are accepted and stand, and nothing passes. They go on where they stood.
 * `forget`: the same, but what was connected stays silent for good, as behind a router that has lost its
 * table: neither end is ever told.
 * `lose answers`: requests arrive and are carried out, their answers don't come back.
 * `half-close to client`: the client sees the end of the answers, the server sees nothing.
 * `half-close to server`: the server sees the end of the requests and goes; the client sees nothing.
 * `delay`: everything arrives, late.
 */
export const FAULTS = [
  'refuse',
  'reset',
  'freeze',
  'forget',
  'lose answers',
  'half-close to client',
  'half-close to server',
  'delay',
] as const;
export type Fault = (typeof FAULTS)[number];

/** One way, in milliseconds. */
const DELAY_MS = 150;

/** A TCP proxy in front of a server, which does to its connections what networks do. */
export class FaultyProxy {
  readonly #links = new Set<Link>();
  #fault: Fault | undefined;
  #server: Server | undefined;
  #port = 0;

  private constructor(
    private readonly host: string,
    private readonly port: number,
  ) {}

  static async open(host: string, port: number): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(host, port);
    await proxy.#listen();
    return proxy;
  }

  /** The port on 127.0.0.1 that stands for the server. */
  get listening(): number {
    return this.#port;
  }

  /** From now on, until `heal`. One fault at a time. */
  async inject(fault: Fault): Promise<void> {
    this.#fault = fault;
    if (fault === 'refuse') await this.#unlisten();
    for (const link of this.#links) link.meet(fault);
  }

  /** New connections work from here on; old ones that have lost something don't. */
  async heal(): Promise<void> {
    const fault = this.#fault;
    this.#fault = undefined;
    if (fault === 'refuse') await this.#listen();
    for (const link of this.#links) link.heal();
  }

  async close(): Promise<void> {
    for (const link of this.#links) link.reset();
    await this.#unlisten();
  }

  async #listen(): Promise<void> {
    for (;;) {
      const server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
      try {
        server.listen(this.#port, '127.0.0.1');
        await once(server, 'listening');
        this.#server = server;
        this.#port = (server.address() as AddressInfo).port;
        return;
      } catch (error) {
        // While nobody listened, the port may have served for somebody's outgoing connection.
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      }
    }
  }

  async #unlisten(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = once(server, 'close');
    server.close();
    for (const link of this.#links) link.reset();
    await closed;
  }

  #accept(client: Socket): void {
    const server = connect({ host: this.host, port: this.port, allowHalfOpen: true });
    const link = new Link(client, server, () => this.#links.delete(link));
    this.#links.add(link);
    if (this.#fault !== undefined && this.#fault !== 'reset') link.meet(this.#fault);
  }
}

/** Node cannot reset a socket that is closing: it would keep it, and for ever wait for it when it exits. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/** One connection through the proxy, and what is wrong with it. */
class Link {
  readonly #requests: Direction;
  readonly #answers: Direction;
  #fault: Fault | undefined;

  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    onGone: () => void,
  ) {
    client.setNoDelay(true);
    server.setNoDelay(true);
    this.#requests = new Direction(client, server);
    this.#answers = new Direction(server, client);
    let open = 2;
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.on('error', () => {
        // A silent network tells nobody that the other end is gone.
        if (!this.#isSilent()) reset(other);
      });
      socket.on('close', () => {
        if (--open === 0) onGone();
      });
    }
  }

  meet(fault: Fault): void {
    this.#fault = fault;
    switch (fault) {
      case 'refuse':
      case 'reset':
        return this.reset();
      case 'freeze':
      case 'forget':
        this.#requests.hold();
        return this.#answers.hold();
      case 'lose answers':
        return this.#answers.swallow();
      case 'half-close to client':
        this.#answers.swallow();
        return void this.client.end();
      case 'half-close to server':
        this.#answers.swallow();
        return void this.server.end();
      case 'delay':
        this.#requests.delay(DELAY_MS);
        return this.#answers.delay(DELAY_MS);
    }
  }

  heal(): void {
    const fault = this.#fault;
    // What was reset is gone; what was forgotten or half closed stays as it is.
    if (fault !== 'freeze' && fault !== 'lose answers' && fault !== 'delay') return;
    // What has bytes missing in its middle can't go on, nor can what an end has given up.
    if (fault === 'lose answers' || this.client.destroyed || this.server.destroyed) return this.reset();
    this.#fault = undefined;
    for (const direction of [this.#requests, this.#answers]) {
      direction.delay(0);
      direction.release();
    }
  }

  reset(): void {
    this.#fault = 'reset';
    reset(this.client);
    reset(this.server);
  }

  #isSilent(): boolean {
    return this.#fault === 'freeze' || this.#fault === 'forget' || this.#fault === 'half-close to server';
  }
}

/** Bytes on their way from one socket to the other, in order; the end of the stream is the last of them. */
class Direction {
  readonly #waiting: { readonly chunk: Buffer | 'end'; readonly due: number }[] = [];
  #state: 'passing' | 'held' | 'swallowing' = 'passing';
  #delayMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    from: Socket,
    private readonly to: Socket,
  ) {
    from.on('data', (chunk) => this.#take(chunk));
    from.on('end', () => this.#take('end'));
    to.on('close', () => clearTimeout(this.#timer));
  }

  hold(): void {
    this.#state = 'held';
    clearTimeout(this.#timer);
  }

  release(): void {
    this.#state = 'passing';
    this.#pass();
  }

  swallow(): void {
    this.#state = 'swallowing';
    this.#waiting.length = 0;
  }

  delay(ms: number): void {
    this.#delayMs = ms;
  }

  #take(chunk: Buffer | 'end'): void {
    if (this.#state === 'swallowing') return;
    this.#waiting.push({ chunk, due: performance.now() + this.#delayMs });
    this.#pass();
  }

  #pass(): void {
    clearTimeout(this.#timer);
    if (this.#state !== 'passing') return;
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      const wait = next.due - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#pass(), wait);
        return;
      }
      this.#waiting.shift();
      if (!this.to.writable) continue;
      if (next.chunk === 'end') this.to.end();
      else this.to.write(next.chunk);
    }
  }
}
