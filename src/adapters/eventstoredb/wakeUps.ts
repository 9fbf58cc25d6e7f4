import { setTimeout as delay } from 'node:timers/promises';
import type { AllStreamSubscription } from '@eventstore/db-client';
import { END, streamNameFilter } from '@eventstore/db-client';
import type { Connection } from './connection.js';

const RETRY_MS_MIN = 50;
/** Within a second of a server's return its events wake again. */
const RETRY_MS_MAX = 500;
/** Events between the server's own notes of how far it is; each takes a place in its small live buffer. */
const CHECKPOINT_INTERVAL = 1_000;

/**
 * Says when there may be new events, by a subscription to our categories. The server drops a live
 * subscriber that lags, which is normal operation, and what it missed is never asked for again: readers
 * read pages from their own positions, and are woken once more when the new subscription stands.
 */
export class WakeUps {
  #closed = false;
  #current: AllStreamSubscription | undefined;
  #running: Promise<void> | undefined;
  readonly #closing = new AbortController();

  /** @param wake is given the position of a new event, or none when there may be some */
  constructor(
    private readonly connection: Connection,
    private readonly prefixes: readonly string[],
    private readonly wake: (commit: bigint | undefined) => void,
  ) {
    connection.onRenewed(() => this.#current?.destroy());
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#closing.abort();
    this.#current?.destroy();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let wait = RETRY_MS_MIN; !this.#closed; wait = Math.min(RETRY_MS_MAX, wait * 2)) {
      const subscription = this.connection.client.subscribeToAll({
        fromPosition: END,
        filter: streamNameFilter({
          prefixes: [...this.prefixes],
          checkpointInterval: CHECKPOINT_INTERVAL,
        }),
      });
      this.#current = subscription;
      // An error that comes when nobody iterates any more would end the process.
      subscription.on('error', () => undefined);
      subscription.once('confirmation', () => {
        wait = RETRY_MS_MIN;
        this.wake(undefined);
      });
      try {
        for await (const { event } of subscription) this.wake(event?.position?.commit);
      } catch {
        // Dropped, or the server is gone: either way it is asked for again.
      } finally {
        // The end of the loop alone would leave the call open on the server.
        void subscription.unsubscribe().catch(() => undefined);
      }
      if (!this.#closed)
        await delay(wait, undefined, { signal: this.#closing.signal }).catch(() => undefined);
    }
  }
}
