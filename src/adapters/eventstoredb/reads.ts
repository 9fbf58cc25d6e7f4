import { convertToCommandError } from '@eventstore/db-client';
import { StoreUnavailable } from '../../eventsourcing/eventStore.js';
import type { Connection } from './connection.js';
import { NoAnswer } from './connection.js';
import { isRefusal } from './errors.js';
import type { LogRead, ReadResp, StreamRead } from './readCall.js';
import { openRead } from './readCall.js';
import { Slots } from './slots.js';

/**
 * Reads of a process, few at once. Each that is longer than the server's own page of 32 events blocks a
 * thread of its pool now and then, of which it has one for each core: so one long read of the log at a time.
 */
export class Reads {
  readonly #slots = { stream: new Slots(8), log: new Slots(1), head: new Slots(1) };

  /** @param timeoutMs how long the server may be silent within a read */
  constructor(
    private readonly connection: Connection,
    private readonly timeoutMs: number,
  ) {}

  /** When no read is under way any more. */
  async idle(): Promise<void> {
    await Promise.all(Object.values(this.#slots).map((slots) => slots.idle()));
  }

  /**
   * One read, whose call is always ended.
   * @param take says of each answer whether to go on
   * @throws StoreUnavailable
   */
  read(read: StreamRead | LogRead, take: (answer: ReadResp) => boolean): Promise<void> {
    const slots = 'stream' in read ? this.#slots.stream : this.#slots[read.leader ? 'head' : 'log'];
    return slots.run(async () => {
      const { client } = this.connection;
      let since = performance.now();
      const late = new NoAnswer(this.timeoutMs);
      let expire: (error: Error) => void = () => undefined;
      const expired = new Promise<never>((_resolve, reject) => (expire = reject));
      expired.catch(() => undefined);
      const opening = openRead(client, read);
      // An error that comes when nobody iterates any more would end the process.
      opening.then(
        (call) => call.on('error', () => undefined),
        () => undefined,
      );
      const timer = setTimeout(() => {
        const then = since;
        // Behind what has arrived meanwhile, if it is this process that was busy.
        setImmediate(() => {
          if (since !== then) return;
          expire(late);
          void opening.then(
            (call) => call.destroy(late),
            () => undefined,
          );
        });
      }, this.timeoutMs);
      try {
        for await (const answer of (await Promise.race([opening, expired])) as AsyncIterable<ReadResp>) {
          timer.refresh();
          since = performance.now();
          if (!take(answer)) break;
        }
        this.connection.answered();
      } catch (thrown) {
        const error = thrown instanceof Error ? convertToCommandError(thrown) : thrown;
        if (isRefusal(error)) throw error;
        this.connection.failed(client, since, error);
        throw new StoreUnavailable('the event store did not answer', { cause: error });
      } finally {
        clearTimeout(timer);
        // The end of the loop alone would leave the call open on the server.
        void opening.then(
          (call) => call.cancel(),
          () => undefined,
        );
      }
    });
  }
}
