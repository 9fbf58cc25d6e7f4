import { setTimeout as delay } from 'node:timers/promises';
import type { Position } from '../../eventsourcing/event.js';
import { START } from '../../eventsourcing/event.js';

/** From one look at the head to the next, in milliseconds, and where nothing has come for a while. */
const LOOK_MS = 50;
const IDLE_LOOK_MS = 200;
const IDLE_AFTER_MS = 5_000;

/**
 * Says when there are new events, by looking. A subscription would tell at once, but two events in a row
 * make the server wait for a thread of its pool: on two cores it then answers nobody for a second.
 */
export class WakeUps {
  #running: Promise<void> | undefined;
  readonly #closing = new AbortController();

  /** @param head the newest event */
  constructor(
    private readonly head: () => Promise<Position>,
    private readonly wake: (newest: Position) => void,
  ) {}

  start(): void {
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let newest = START;
    for (let movedAt = performance.now(); !signal.aborted;) {
      // Without an answer there is nothing new, and the next look comes soon enough.
      const head = await this.head().catch(() => newest);
      const now = performance.now();
      if (head > newest) {
        newest = head;
        movedAt = now;
        this.wake(head);
      }
      const wait = now - movedAt > IDLE_AFTER_MS ? IDLE_LOOK_MS : LOOK_MS;
      await delay(wait, undefined, { signal }).catch(() => undefined);
    }
  }
}
