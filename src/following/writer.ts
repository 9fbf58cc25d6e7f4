import { setTimeout as delay } from 'node:timers/promises';
import type { Position, StoredEvent } from '../eventsourcing/event.js';
import { as, START } from '../eventsourcing/event.js';
import type { EventCorrected } from '../eventsourcing/events.js';
import type { Lease } from './leases.js';
import { isLeaseLost } from './leases.js';
import type { Parking } from './parking.js';
import { mayBePoison } from './poison.js';
import type { Sql, Statement } from '../sql/sql.js';
import { GUARD_FAILED, SqlError } from '../sql/sql.js';
import type { GenerationRow, Generations } from './generations.js';
import type { ReadModel, ReadModelState } from './readModel.js';
import { tableNames } from './readModel.js';

/** Events after which a checkpoint is stored although none of them mattered. */
const STORE_EVERY = 200;

/**
 * Writes one generation of a read model under a lease: rows, checkpoint and what is parked in one
 * transaction that ends with the lease's guard.
 */
export class GenerationWriter {
  readonly generation: number;
  /** The last event seen. */
  #checkpoint: Position;
  /** The checkpoint that is stored; it may be behind where nothing mattered. */
  #stored: Position;
  /** Events seen since then. */
  #unstored = 0;
  #changed: Position;
  #replays: number;
  readonly #corrected: Position;
  #outdated: boolean;
  /** Waits that are left before further attempts at single events of this page. */
  #patience: number[] = [];

  private constructor(
    private readonly sql: Sql,
    private readonly model: ReadModel,
    private readonly generations: Generations,
    readonly lease: Lease,
    readonly parking: Parking,
    row: GenerationRow,
    private readonly retryMs: readonly number[],
  ) {
    this.generation = row.generation;
    this.#checkpoint = this.#stored = row.checkpoint;
    this.#changed = row.changed;
    this.#replays = row.replays;
    this.#corrected = row.corrected;
    this.#outdated = row.outdated;
  }

  static async open(
    sql: Sql,
    model: ReadModel,
    generations: Generations,
    lease: Lease,
    row: GenerationRow,
    retryMs: readonly number[],
  ): Promise<GenerationWriter> {
    const parking = generations.parking(row.generation);
    await parking.load();
    return new GenerationWriter(sql, model, generations, lease, parking, row, retryMs);
  }

  get checkpoint(): Position {
    return this.#checkpoint;
  }

  state(): ReadModelState {
    return {
      model: this.model.name,
      version: this.model.version,
      generation: this.generation,
      checkpoint: this.#checkpoint,
      changed: this.#changed,
      replays: this.#replays,
    };
  }

  /** Whether it has an event in its rows as it was before a correction: only a rebuild takes that out. */
  get outdated(): boolean {
    return this.#outdated;
  }

  /** Raises when the lease or the checkpoint is not this writer's any more; changes nothing. */
  get guard(): Statement {
    return this.#advance(this.#stored, START);
  }

  /** Applies a page of the global order; on an error it may be given the same page, or a longer one, again. */
  async write(events: readonly StoredEvent[], last: Position): Promise<void> {
    const mine = events.filter(
      (event) =>
        event.position > this.#stored && this.model.handles.has(event.type) && !this.parking.skips(event),
    );
    // Before the checkpoint passes the correction: a crash in between leaves a rebuild too many, none too few.
    if (!this.#outdated && (await this.#foldedBefore(events))) await this.#outdate();
    this.#unstored += events.length;
    this.#patience = [...this.retryMs];
    // A page in which nothing matters costs no transaction; a restart reads it again.
    if (mine.length > 0 || this.#unstored >= STORE_EVERY) await this.#commit(mine, last);
    this.#checkpoint = last;
  }

  /** Whether there is a correction of an event that was folded as it had been stored. */
  async #foldedBefore(events: readonly StoredEvent[]): Promise<boolean> {
    const since = Math.max(this.#stored, this.#corrected);
    for (const stored of events) {
      if (stored.type !== 'EventCorrected' || stored.position <= since) continue;
      const { eventType, stream, revision } = as<EventCorrected>(stored).data;
      // One that is parked is read anew when it is replayed.
      if (this.model.handles.has(eventType) && !(await this.parking.holds(stream, revision))) return true;
    }
    return false;
  }

  async #outdate(): Promise<void> {
    const { name, version } = this.model;
    await this.#transaction([
      {
        text: 'UPDATE read.models SET outdated = true WHERE model = $1 AND version = $2 AND generation = $3',
        params: [name, version, this.generation],
      },
    ]);
    this.#outdated = true;
  }

  /** Stores that everything up to `last` has been seen, and that nothing of it matters. */
  async pass(last: Position): Promise<void> {
    await this.#commit([], last);
    this.#checkpoint = last;
  }

  /** Applies events that were parked, in the transaction that unparks them. */
  async applyParked(events: readonly StoredEvent[], statements: readonly Statement[]): Promise<void> {
    const { name, version } = this.model;
    await this.#transaction([
      this.guard,
      ...this.#fold(events),
      ...statements,
      {
        text: 'UPDATE read.models SET replays = replays + 1 WHERE model = $1 AND version = $2 AND generation = $3',
        params: [name, version, this.generation],
      },
    ]);
    this.#replays++;
  }

  /** Commits the events and everything up to `last`; halves what fails, down to the event at fault. */
  async #commit(mine: readonly StoredEvent[], last: Position): Promise<void> {
    const [first] = mine;
    let reason: unknown;
    do {
      try {
        return await this.#commitOnce(mine, last);
      } catch (error) {
        if (!mayBePoison(error) || !first) throw error;
        reason = error;
      }
    } while (mine.length === 1 && (await this.#waitForRetry()));
    if (mine.length > 1) {
      const middle = mine.length >> 1;
      await this.#commit(mine.slice(0, middle), (mine[middle - 1] as StoredEvent).position);
      return this.#commit(mine.slice(middle), last);
    }
    await this.#commitOnce([], last, this.parking.park([first], reason));
    this.parking.add(first.stream);
  }

  /** @returns false when there is to be no further attempt */
  async #waitForRetry(): Promise<boolean> {
    const wait = this.#patience.shift();
    if (wait !== undefined) await delay(wait);
    return wait !== undefined;
  }

  async #commitOnce(
    mine: readonly StoredEvent[],
    last: Position,
    statements: readonly Statement[] = [],
  ): Promise<void> {
    const waits = ({ stream }: StoredEvent): boolean => !this.model.independent && this.parking.has(stream);
    const held = this.parking.size === 0 ? [] : mine.filter(waits);
    const flowing = held.length === 0 ? mine : mine.filter((event) => !waits(event));
    const changed = flowing.at(-1)?.position ?? START;
    const stored = this.#stored;
    try {
      await this.#transaction([
        this.#advance(last, changed),
        ...this.#fold(flowing),
        ...this.parking.park(held),
        ...statements,
      ]);
    } catch (error) {
      if (!(error instanceof SqlError) || error.code !== GUARD_FAILED) throw error;
      await this.#reload();
      if (this.#stored <= stored) {
        // Retired, dropped or moved by somebody else: whoever leads looks anew where it stands.
        this.lease.lose();
        throw error;
      }
      // That was a commit whose confirmation was lost. The page that is tried again may have grown since.
      if (this.#stored >= last) return;
      const rest = mine.filter(({ position }) => position > this.#stored);
      return this.#commitOnce(rest, last, statements);
    }
    this.#stored = last;
    this.#unstored = 0;
    this.#changed = Math.max(this.#changed, changed);
  }

  #fold(events: readonly StoredEvent[]): readonly Statement[] {
    return events.length > 0 ? this.model.fold(events, tableNames(this.model, this.generation)) : [];
  }

  #advance(to: Position, changed: Position): Statement {
    const { name, version } = this.model;
    return {
      text: 'SELECT read.advance($1, $2, $3, $4, $5, $6)',
      params: [name, version, this.generation, this.#stored, to, changed],
    };
  }

  async #transaction(statements: readonly Statement[]): Promise<void> {
    try {
      await this.sql.transaction([...statements, this.lease.hold], 'projection');
    } catch (error) {
      if (isLeaseLost(error)) this.lease.lose();
      throw error;
    }
  }

  async #reload(): Promise<void> {
    const row = await this.generations.row(this.generation, this.lease);
    if (!row) return;
    await this.parking.load();
    this.#stored = row.checkpoint;
    this.#changed = row.changed;
    this.#replays = row.replays;
  }
}
