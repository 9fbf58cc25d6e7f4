import { randomInt } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { NewEvent } from '../../eventsourcing/event.js';
import type { AppendPriority, AppendResult } from '../../eventsourcing/eventStore.js';
import { appendBytes, EventTooLarge, StoreUnavailable } from '../../eventsourcing/eventStore.js';
import type { AppendOutcome } from './appendCall.js';
import { AppendCall } from './appendCall.js';
import type { Connection } from './connection.js';
import type { EncodedEvent } from './encoding.js';
import { encode } from './encoding.js';
import { Slots } from './slots.js';

/** Appends at once. What waits here goes by its priority, what waits in the call does not. */
const AT_ONCE: Readonly<Record<AppendPriority, number>> = { command: 256, journal: 4 };

const RETRY_MS_MIN = 20;
const RETRY_MS_MAX = 500;

export interface AppendsOptions {
  readonly connection: Connection;
  /** How long one try may take. */
  readonly timeoutMs: number;
  /** How long an append is tried again before its outcome is called unknown. */
  readonly giveUpMs: number;
  /** The stream is at another revision than the one that was expected; throws. */
  readonly onConflict: (
    stream: string,
    expected: number,
    events: readonly NewEvent[],
    actual: number,
  ) => Promise<never>;
}

/** Appends until the outcome is known: the same ids at the same revision are stored once. */
export class Appends {
  readonly #slots = { command: new Slots(AT_ONCE.command), journal: new Slots(AT_ONCE.journal) };
  readonly #closing = new AbortController();
  #call: AppendCall | undefined;

  constructor(private readonly options: AppendsOptions) {
    // Every append that rests between two tries listens to it.
    setMaxListeners(0, this.#closing.signal);
  }

  append(
    stream: string,
    expected: number,
    events: readonly NewEvent[],
    priority: AppendPriority,
  ): Promise<AppendResult> {
    const encoded = events.map(encode);
    return this.#slots[priority].run(() => this.#append(stream, expected, events, encoded));
  }

  /** Ends the tries; resolves when none is under way any more. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(Object.values(this.#slots).map((slots) => slots.idle()));
    this.#call?.close();
  }

  async #append(
    stream: string,
    expected: number,
    events: readonly NewEvent[],
    encoded: readonly EncodedEvent[],
  ): Promise<AppendResult> {
    const { connection, giveUpMs, onConflict } = this.options;
    const giveUpAt = performance.now() + giveUpMs;
    for (let attempt = 1; ; attempt++) {
      const call = this.#current();
      const since = performance.now();
      const outcome = await call.append(stream, expected, encoded).catch(asUnknown);
      switch (outcome.kind) {
        case 'stored':
          return { position: outcome.position, revision: expected + events.length };
        case 'conflict':
          return onConflict(stream, expected, events, outcome.actual);
        case 'too large':
          throw new EventTooLarge(stream, appendBytes(events));
        case 'refused':
          throw new Error(`the event store refuses an append to ${stream}: ${outcome.why}`);
        case 'unknown':
      }
      const { error } = outcome;
      connection.failed(call.client, since, error);
      const rest = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** attempt);
      if (this.#closing.signal.aborted || performance.now() + rest > giveUpAt) {
        throw new StoreUnavailable('the event store did not confirm the append', { cause: error });
      }
      const { signal } = this.#closing;
      await delay(randomInt(rest / 2, rest), undefined, { signal }).catch(() => undefined);
    }
  }

  /** The call on the connection that there is now. */
  #current(): AppendCall {
    const { connection, timeoutMs } = this.options;
    const { client } = connection;
    if (!this.#call || this.#call.lost || this.#call.client !== client) {
      this.#call?.close();
      this.#call = new AppendCall(client, timeoutMs, () => connection.answered());
    }
    return this.#call;
  }
}

const asUnknown = (error: unknown): AppendOutcome => ({ kind: 'unknown', error });
