import { randomInt } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { EventData } from '@eventstore/db-client';
import {
  MaxAppendSizeExceededError,
  NO_STREAM as NO_STREAM_YET,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import type { NewEvent } from '../../eventsourcing/event.js';
import type { AppendPriority, AppendResult } from '../../eventsourcing/eventStore.js';
import { appendBytes, EventTooLarge, NO_STREAM, StoreUnavailable } from '../../eventsourcing/eventStore.js';
import type { Connection } from './connection.js';
import { NoAnswer } from './connection.js';
import { encode } from './encoding.js';
import { isRefusal } from './errors.js';
import { Slots } from './slots.js';

/** Appends at once: a connection carries 100 calls, and one more would wait without an error. */
const CALLS: Readonly<Record<AppendPriority, number>> = { command: 64, journal: 4 };

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
  readonly #slots = { command: new Slots(CALLS.command), journal: new Slots(CALLS.journal) };
  readonly #closing = new AbortController();

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
  }

  async #append(
    stream: string,
    expected: number,
    events: readonly NewEvent[],
    encoded: EventData[],
  ): Promise<AppendResult> {
    const { connection, timeoutMs, giveUpMs, onConflict } = this.options;
    const expectedRevision = expected === NO_STREAM ? NO_STREAM_YET : BigInt(expected);
    const giveUpAt = performance.now() + giveUpMs;
    for (let attempt = 1; ; attempt++) {
      const { client } = connection;
      const since = performance.now();
      try {
        const { success, position, nextExpectedRevision } = await this.#bounded(
          client.appendToStream(stream, encoded, { expectedRevision, deadline: timeoutMs }),
        );
        connection.answered();
        // With throwOnAppendFailure=false in the connection string a conflict is no error.
        if (!success) return await onConflict(stream, expected, events, Number(nextExpectedRevision));
        if (!position) throw new StoreUnavailable('the first try of this append is not yet replicated');
        return { position: Number(position.commit), revision: expected + events.length };
      } catch (error) {
        if (error instanceof WrongExpectedVersionError) {
          const { actualVersion } = error;
          const actual = typeof actualVersion === 'bigint' ? Number(actualVersion) : NO_STREAM;
          return onConflict(stream, expected, events, actual);
        }
        if (error instanceof MaxAppendSizeExceededError) {
          throw new EventTooLarge(stream, appendBytes(events));
        }
        if (isRefusal(error)) throw error;
        connection.failed(client, since, error);
        const rest = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** attempt);
        if (this.#closing.signal.aborted || performance.now() + rest > giveUpAt) {
          throw new StoreUnavailable('the event store did not confirm the append', { cause: error });
        }
        const { signal } = this.#closing;
        await delay(randomInt(rest / 2, rest), undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** The client's own deadline covers the call, not the way to it. */
  async #bounded<T>(answer: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const ms = this.options.timeoutMs + 100;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new NoAnswer(ms)), ms);
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
