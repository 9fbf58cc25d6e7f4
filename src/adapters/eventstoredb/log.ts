import type { Position as LogPosition, ReadPosition } from '@eventstore/db-client';
import { END, START as BEGINNING } from '@eventstore/db-client';
import type { Position, StoredEvent } from '../../eventsourcing/event.js';
import { START } from '../../eventsourcing/event.js';
import type { RecordedEvent } from './encoding.js';
import { decode, streamOf } from './encoding.js';
import { Gaps } from './gaps.js';
import type { Reads } from './reads.js';

/** Events of a page, of whomever they are. */
const PAGE = 500;
/** With so many of others among them the server is asked to leave them out. */
const MANY = 400;
/** A gap of so many bytes in the log is left out, rather than read in the middle of a page. */
const LEAP_BYTES = 64 * 1024;
/** So many new events are read one by one to find the newest; beyond that it is looked for from the end. */
const NEW = 2_000;

/** Says of an event of ours whether to go on behind it. */
export type Take = (event: StoredEvent) => boolean;

const logPosition = (position: Position): LogPosition => ({
  commit: BigInt(position),
  prepare: BigInt(position),
});

const positionOf = (record: RecordedEvent): LogPosition => ({
  commit: BigInt(record.getCommitPosition()),
  prepare: BigInt(record.getPreparePosition()),
});

/**
 * The log of a cluster (`$all`), of which only some events are ours. It is read forwards wherever that can
 * be: on few cores a read from its end stalls the server.
 */
export class Log {
  readonly #categories: ReadonlySet<string>;
  readonly #prefixes: readonly string[];
  readonly #gaps = new Gaps();
  /** The newest of our events that this process knows of. */
  #newest: Position = START;
  /** Whether the end of the log has been found once. */
  #found = false;
  #skipping: Promise<void> = Promise.resolve();
  #current: Promise<unknown> = Promise.resolve();
  #next: Promise<Position> | undefined;

  constructor(
    private readonly reads: Reads,
    categories: readonly string[],
  ) {
    this.#categories = new Set(categories);
    this.#prefixes = categories.map((category) => `${category}-`);
  }

  isOurs(stream: string): boolean {
    return this.#categories.has(stream.slice(0, stream.indexOf('-')));
  }

  /** An event of ours is stored there. */
  know(position: Position): void {
    this.#newest = Math.max(this.#newest, position);
  }

  /** Goes through our events behind `after`, to the end of the log if `take` does not stop before. */
  async forwards(after: Position, take: Take, leader = false): Promise<void> {
    for (let at = after; ;) {
      const from = this.#gaps.end(at) ?? (at === START ? BEGINNING : logPosition(at));
      let last: LogPosition | undefined;
      let count = 0;
      let others = 0;
      let stopped = false;
      let leaps = false;
      await this.reads.read({ from, count: PAGE, leader }, (answer) => {
        const record = answer.getEvent()?.getEvent();
        if (!record) return true;
        count++;
        last = positionOf(record);
        const event = this.#ours(record);
        if (!event || event.position <= at) {
          others++;
          return true;
        }
        stopped = !take(event);
        if (stopped) return false;
        at = event.position;
        const known = this.#gaps.end(at);
        leaps = known !== undefined && Number(known.commit) - at > LEAP_BYTES;
        return !leaps;
      });
      if (last) this.#gaps.add(at, last);
      if (leaps) continue;
      if (stopped || count < PAGE) return;
      if (others < MANY || !last) continue;
      const skipped = await this.#skip(at, last, take, leader);
      if (skipped.stopped) return;
      at = skipped.at;
    }
  }

  /** Goes through our events before `before`, the newest first, at most `count`. */
  async backwards(before: Position, count: number, take: (event: StoredEvent) => void): Promise<void> {
    const from = before === Number.MAX_SAFE_INTEGER ? END : logPosition(before);
    let left = count;
    await this.#filtered(from, count, false, (event) => {
      take(event);
      return --left > 0;
    });
  }

  /**
   * The newest of our events. Asked of the leader: another node may not have yet what the leader has
   * acknowledged. Who asks while that is read shares the next reading: this one may have begun too early.
   */
  head(): Promise<Position> {
    this.#next ??= this.#current.then(() => {
      this.#next = undefined;
      const head = this.#head();
      this.#current = head.catch(() => undefined);
      return head;
    });
    return this.#next;
  }

  async #head(): Promise<Position> {
    if (!this.#found) await this.#findEnd();
    let taken = 0;
    const take = ({ position }: StoredEvent): boolean => {
      this.know(position);
      return ++taken < NEW;
    };
    await this.forwards(this.#newest, take, true);
    if (taken >= NEW) await this.#findEnd();
    return this.#newest;
  }

  /** The one read from the end: where the log is, and which of its events is the newest of ours. */
  async #findEnd(): Promise<void> {
    let end: LogPosition | undefined;
    await this.reads.read({ from: END, backwards: true, count: 1, leader: true }, (answer) => {
      const record = answer.getEvent()?.getEvent();
      if (record) end = positionOf(record);
      return end === undefined;
    });
    let newest = START;
    await this.#filtered(END, 1, true, ({ position }) => {
      newest = position;
      return false;
    });
    this.know(newest);
    if (end) this.#gaps.add(newest, end);
    this.#found = true;
  }

  /** Goes backwards through what the server finds in streams that are named as ours are. */
  async #filtered(begin: ReadPosition, atLeast: number, leader: boolean, take: Take): Promise<void> {
    const prefixes = this.#prefixes;
    for (let [from, count] = [begin, atLeast]; ; count = Math.max(count, PAGE)) {
      let found = 0;
      let stopped = false;
      await this.reads.read({ from, backwards: true, count, prefixes, leader }, (answer) => {
        const record = answer.getEvent()?.getEvent();
        if (!record) return true;
        found++;
        from = positionOf(record);
        const event = this.#ours(record);
        stopped = event !== undefined && !take(event);
        return !stopped;
      });
      if (stopped || found < count) return;
    }
  }

  /**
   * Goes on behind `from` with what the server finds of ours, until it has caught up. One at a time: who
   * comes to the same gap finds it known.
   * @param from the place of an event that is not ours: the server leaves it out
   */
  #skip(
    at: Position,
    from: LogPosition,
    take: Take,
    leader: boolean,
  ): Promise<{ at: Position; stopped: boolean }> {
    const skipped = this.#skipping.then(async () => {
      if (this.#gaps.end(at)?.commit !== from.commit) return { at, stopped: false };
      let reached = at;
      let stopped = false;
      await this.reads.read({ from, prefixes: this.#prefixes, leader }, (answer) => {
        const checkpoint = answer.getCheckpoint();
        if (checkpoint) {
          const commit = BigInt(checkpoint.getCommitPosition());
          this.#gaps.add(reached, { commit, prepare: BigInt(checkpoint.getPreparePosition()) });
        }
        const record = answer.getEvent()?.getEvent();
        const event = this.#ours(record);
        if (record && event && event.position > reached) {
          this.#gaps.add(reached, positionOf(record));
          stopped = !take(event);
          if (!stopped) reached = event.position;
        }
        return !stopped && !answer.hasCaughtUp();
      });
      return { at: reached, stopped };
    });
    this.#skipping = skipped.then(
      () => undefined,
      () => undefined,
    );
    return skipped;
  }

  /** An event of ours; undefined for one of the system's, or of somebody else who uses the same cluster. */
  #ours(record: RecordedEvent | undefined): StoredEvent | undefined {
    if (!record || !this.isOurs(streamOf(record))) return undefined;
    return decode(record, Number(record.getCommitPosition()));
  }
}
