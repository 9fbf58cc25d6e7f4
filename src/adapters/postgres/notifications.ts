import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

const CONNECT_MS = 3_000;
/** A connection that is silent for longer than two of these is given up. */
const PING_MS = 5_000;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 2_000;

/**
 * LISTEN on a connection of its own, which a pool could not promise: it is made anew whenever it breaks
 * or falls silent. Listeners are called too often rather than too rarely: also when something may have
 * been told while nobody was connected.
 */
export class Notifications {
  readonly #channels = new Map<string, Set<() => void>>();
  readonly #closing = new AbortController();
  #client: pg.Client | undefined;
  #running: Promise<void> | undefined;

  /** @param url a connection string, straight to the server: LISTEN does not get through a pooler */
  constructor(private readonly url: string) {}

  /** @returns how to stop listening */
  listen(channel: string, listener: () => void): () => void {
    const known = this.#channels.get(channel);
    const listeners = known ?? new Set();
    this.#channels.set(channel, listeners.add(listener));
    // What fails ends the connection, and the next one listens to all channels.
    if (!known && this.#client) void this.#subscribe(this.#client, [channel]).catch(() => undefined);
    this.#running ??= this.#run();
    return () => listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    for (let wait = RETRY_MS_MIN; !signal.aborted; wait = Math.min(2 * wait, RETRY_MS_MAX)) {
      const connected = await this.#connected();
      if (connected) wait = RETRY_MS_MIN;
      await delay(wait, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Listens for as long as one connection lasts; whether there was one. */
  async #connected(): Promise<boolean> {
    const client = new pg.Client({
      connectionString: this.url,
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: PING_MS,
      application_name: 'tollgraph notifications',
      keepAlive: true,
    });
    const ended = new AbortController();
    const end = (): void => ended.abort();
    client.on('error', end).on('end', end);
    client.on('notification', ({ channel }) => this.#tell([channel]));
    const until = AbortSignal.any([ended.signal, this.#closing.signal]);
    try {
      await client.connect();
      // From here on whoever asks for a new channel subscribes by itself.
      this.#client = client;
      await this.#subscribe(client, [...this.#channels.keys()]);
      while (!until.aborted) {
        await delay(PING_MS, undefined, { signal: until }).catch(() => undefined);
        if (!until.aborted) await client.query('SELECT 1');
      }
      return true;
    } catch {
      return this.#client === client;
    } finally {
      this.#client = undefined;
      // Of a server that has fallen silent no farewell can be awaited.
      const farewell = client.end().catch(() => undefined);
      if (this.#closing.signal.aborted) {
        const patience = delay(CONNECT_MS, undefined, { ref: false });
        await Promise.race([farewell, patience]);
      }
    }
  }

  async #subscribe(client: pg.Client, channels: readonly string[]): Promise<void> {
    for (const channel of channels) await client.query(`LISTEN ${client.escapeIdentifier(channel)}`);
    this.#tell(channels);
  }

  #tell(channels: readonly string[]): void {
    for (const channel of channels) for (const listener of this.#channels.get(channel) ?? []) listener();
  }
}
