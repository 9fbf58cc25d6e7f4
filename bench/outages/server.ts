import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { EventStoreDBClient } from '@eventstore/db-client';

const START_MS_MAX = 60_000;
const BETWEEN_TRIES_MS = 50;

/** An EventStoreDB that a shell command starts, in a group of processes of its own, which can be frozen and killed. */
export class EventStoreServer {
  #process: ChildProcess | undefined;

  constructor(
    private readonly command: string,
    private readonly url: string,
  ) {}

  /** @throws Error when the server doesn't answer a read within a minute */
  async start(): Promise<void> {
    this.#process = spawn(this.command, { shell: true, detached: true, stdio: 'ignore' });
    const last = performance.now() + START_MS_MAX;
    while (!(await this.#reads())) {
      if (performance.now() > last) throw new Error(`no answer from ${new URL(this.url).host}`);
      await delay(BETWEEN_TRIES_MS);
    }
  }

  async freeze(ms: number): Promise<void> {
    this.#signal('SIGSTOP');
    await delay(ms);
    this.#signal('SIGCONT');
  }

  /** Returns when the server answers reads again. */
  async killAndStart(): Promise<void> {
    this.kill();
    await this.start();
  }

  kill(): void {
    if (this.#process) this.#signal('SIGKILL');
    this.#process = undefined;
  }

  #signal(signal: NodeJS.Signals): void {
    process.kill(-(this.#process?.pid as number), signal);
  }

  /** With a client of its own each time: one that was refused waits before it asks again. */
  async #reads(): Promise<boolean> {
    const client = EventStoreDBClient.connectionString(this.url);
    try {
      for await (const _event of client.readAll({ maxCount: 1, deadline: 1_000 })) return true;
      return true;
    } catch {
      return false;
    } finally {
      await client.dispose().catch(() => undefined);
    }
  }
}
