import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { createClient } from '@redis/client';

/** The Redis that tests share, each with keys of its own; undefined where there is none. */
export const SHARED_REDIS_URL = process.env['REDIS_URL'];

/** Whether tests can start a Redis of their own, to flush, restart and stop it. */
export const CAN_START_REDIS =
  SHARED_REDIS_URL !== undefined && spawnSync('redis-server', ['--version']).status === 0;

/** A Redis of a test's own, which keeps nothing on disk. */
export class OwnRedis {
  #process: ChildProcess | undefined;

  private constructor(readonly port: number) {}

  static async start(): Promise<OwnRedis> {
    const redis = new OwnRedis(await freePort());
    await redis.restart();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Ends the process where it stands and starts another, empty, at the same address. */
  async restart(): Promise<void> {
    await this.stop();
    const options = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const child = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#process = child;
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`redis-server ended: ${said}`)));
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (said.includes('Ready to accept connections')) resolve();
      });
    });
  }

  async flush(): Promise<void> {
    const client = createClient({ url: this.url });
    await client.connect();
    await client.sendCommand(['FLUSHALL']);
    await client.close();
  }

  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
