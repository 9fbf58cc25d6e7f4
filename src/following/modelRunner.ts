import type { Position, StoredEvent } from '../eventsourcing/event.js';
import { START } from '../eventsourcing/event.js';
import { Follower } from './follower.js';
import { remotePosition } from './remotePosition.js';
import type { Lease, Leases } from './leases.js';
import { aborted, Leadership } from './leases.js';
import { OperatorRefusal } from './operatorRefusal.js';
import type { ParkedStream, Skip, Unparking } from './parking.js';
import type { EventReader } from './reader.js';
import type { BatchObserver } from './batchObserver.js';
import type { Sql } from '../sql/sql.js';
import type { TableDifference } from './compare.js';
import { compareTable } from './compare.js';
import type { RetirementRules } from './generations.js';
import { Generations } from './generations.js';
import type { ReadModel, ReadModelAccess, ReadModelState } from './readModel.js';
import { tableNames } from './readModel.js';
import { GenerationWriter } from './writer.js';

/** How much of the history one transaction of a load takes. */
export interface LoadPages {
  readonly events: number;
  readonly bytes: number;
  /** Rows that one statement of the comparison looks at. */
  readonly compareRows: number;
}

export interface ModelRunnerOptions {
  readonly sql: Sql;
  readonly leases: Leases;
  readonly reader: EventReader;
  readonly load: LoadPages;
  readonly retirement: RetirementRules;
  /** Waits before further attempts at an event that failed. */
  readonly retryMs: readonly number[];
  /** The first wait before another rebuild of what a correction has made obsolete, after one that failed. */
  readonly renewMs: number;
  readonly observe: BatchObserver;
  readonly onError: (error: unknown) => void;
}

export interface RebuildOptions {
  /** Builds and compares, but leaves the old generation in its place. */
  readonly dryRun?: boolean;
  readonly onProgress?: (progress: RebuildProgress) => void;
  /** Ends the rebuild; the old generation goes on. */
  readonly signal?: AbortSignal;
}

export interface RebuildProgress {
  /** Events folded so far: those that matter to the model. */
  readonly events: number;
  readonly position: Position;
  /** Where the serving generation stands. */
  readonly target: Position;
}

export interface RebuildReport {
  readonly model: string;
  readonly version: number;
  /** Events folded: those that matter to the model. */
  readonly events: number;
  readonly position: Position;
  /** Tables whose rows are not the same, old against new, at the same checkpoint. */
  readonly differing: readonly TableDifference[];
  readonly switched: boolean;
  /** The generation that serves now. */
  readonly generation: number;
}

/**
 * From one page to the next at the head, at most, where this process is the only one: then whoever waits for
 * a model ends its rest, and what calls feed is cheaper to add up in few large pages.
 */
const ALONE_REST_MS = 250;

/** How many times in a row the wait after a rebuild that failed is doubled. */
const RENEW_DOUBLINGS = 6;

/** Where a model stands before anything is known of it. */
const UNKNOWN = { generation: 1, checkpoint: START, changed: START, replays: 0 };

/** Runs one read model: writes it while this process holds the lease, follows its writer meanwhile. */
export class ModelRunner {
  readonly #generations: Generations;
  readonly #follower: Follower;
  readonly #leadership: Leadership;
  readonly #listeners: (() => void)[] = [];
  #writer: GenerationWriter | undefined;
  #state: ReadModelState;
  #built = false;
  #failure: unknown;
  /** What an operator has asked for and is not done. */
  #busy: { readonly what: string; readonly done: Promise<unknown> } | undefined;
  /** Rebuilds that corrections asked for and that failed, in a row; and the wait after the last one. */
  #failed = 0;
  #waiting: NodeJS.Timeout | undefined;
  readonly #stopping = new AbortController();

  constructor(
    readonly model: ReadModel,
    private readonly options: ModelRunnerOptions,
  ) {
    const { sql, leases, reader } = options;
    this.#generations = new Generations(sql, model);
    this.#state = { model: model.name, version: model.version, ...UNKNOWN };
    this.#follower = new Follower({
      name: model.name,
      reader,
      from: START,
      handle: async (events, last) => {
        const writer = this.#writing();
        const mine = events.filter(({ type }) => model.handles.has(type));
        const batch = { kind: 'read_model', name: model.name, events: mine } as const;
        if (mine.length === 0) await writer.write(events, last);
        else await options.observe(batch, () => writer.write(events, last));
        this.#show(writer.state());
        this.#renew();
      },
      onError: (error) => options.onError(error),
      ...(leases.alone && { restMs: ALONE_REST_MS }),
    });
    this.#leadership = new Leadership({
      leases,
      name: this.#generations.lease,
      lead: (lease, until) => this.#lead(lease, until),
      stand: () => this.#stand(),
      onError: (error) => {
        this.#failure = error;
        options.onError(error);
      },
    });
  }

  /** Takes the lease, or waits until the tables of whoever has it are there. */
  async open(): Promise<void> {
    for (;;) {
      const lease = await this.#leadership.take();
      if (lease) return this.#prepare(lease);
      const row = await this.#generations.serving();
      if (row) return this.#show({ ...this.#state, ...row });
      await new Promise((resolve) => setTimeout(resolve, this.options.leases.lookMs));
    }
  }

  start(): void {
    this.#leadership.start();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new OperatorRefusal('the process is stopping'));
    clearTimeout(this.#waiting);
    await this.#busy?.done.catch(() => undefined);
    await this.#leadership.stop();
  }

  get access(): ReadModelAccess {
    return {
      t: (table) => tableNames(this.model, this.#state.generation)(table),
      state: () => this.#state,
    };
  }

  get state(): ReadModelState {
    return this.#state;
  }

  /** Why it is not making progress, if it does not. */
  get failure(): unknown {
    if (this.leads) return this.#follower.failure ?? this.#failure;
    // Where nobody else should be, standing by is no way to live.
    if (this.options.leases.alone) return new Error(`another process writes ${this.model.name}`);
    return this.#failure;
  }

  /** The model and its version, as people are told. */
  get subject(): string {
    return `${this.model.name} v${this.model.version}`;
  }

  /** Whether this process writes it. */
  get leads(): boolean {
    return this.#writer !== undefined && !this.#writer.lease.lost.aborted;
  }

  /** How many of its streams are parked, as far as this process knows. */
  get parkedStreams(): number {
    return this.#writer?.parking.size ?? 0;
  }

  onChanged(listener: () => void): void {
    this.#listeners.push(listener);
  }

  reached(position: Position, timeoutMs: number): Promise<boolean> {
    return this.#follower.reached(position, timeoutMs);
  }

  /** The parked streams of the generation that serves, whoever writes it. */
  parked(): Promise<ParkedStream[]> {
    return this.#generations.parking(this.#state.generation).list();
  }

  /**
   * Handles the parked events of a stream again, in order, and lets it flow again; with `skip` without
   * the first of them, or without all.
   */
  unpark(stream: string, skip?: Skip): Promise<Unparking> {
    return this.#exclusively('a parked stream is being replayed', async (writer) => {
      if (!writer.parking.has(stream)) throw new OperatorRefusal(`${stream} is not parked`);
      const { reader } = this.options;
      return this.#atRest(async () => {
        const result = await writer.parking.replay(
          stream,
          skip,
          (name, from, limit) => reader.stream(name, from, limit),
          (events, statements) => writer.applyParked(events, statements),
        );
        this.#show(writer.state());
        return result;
      });
    });
  }

  /**
   * Builds the next generation from the first event on while the serving one goes on, compares the
   * two at the same checkpoint and moves the pointer.
   */
  rebuild({ dryRun = false, onProgress, signal }: RebuildOptions = {}): Promise<RebuildReport> {
    return this.#exclusively('it is being rebuilt', async (live) => {
      const { sql, reader } = this.options;
      const { lease } = live;
      const until = AbortSignal.any([this.#stopping.signal, ...(signal ? [signal] : [])]);
      const generation = live.generation + 1;
      const row = await this.#generations.create(generation, lease, false, reader.newestCorrection);
      const next = await GenerationWriter.open(
        sql,
        this.model,
        this.#generations,
        lease,
        row,
        this.options.retryMs,
      );
      let events = 0;
      const load = (): Promise<void> =>
        this.#load(
          next,
          live.checkpoint,
          (count, position) => {
            events += count;
            onProgress?.({ events, position, target: live.checkpoint });
          },
          until,
        );
      let switched = false;
      try {
        await load();
        await this.#generations.finish(generation, lease);
        await load();
        return await this.#atRest(async () => {
          // Both generations at the same checkpoint.
          await load();
          const differing = await this.#compare(live, next);
          until.throwIfAborted();
          if (!dryRun) {
            await this.#switch(live, next);
            switched = true;
          }
          const { model, version, checkpoint: position } = next.state();
          return {
            model,
            version,
            events,
            position,
            differing,
            switched,
            generation: this.#state.generation,
          };
        });
      } finally {
        await this.#dropAfter(switched ? live : next, switched);
      }
    });
  }

  /** Removes generations and versions that nobody can be reading any more. */
  async dropRetired(): Promise<void> {
    if (!this.#writer || !this.leads || !this.#built || this.#busy) return;
    await this.#generations.dropRetired(this.options.retirement, this.#writer.lease);
  }

  async #lead(lease: Lease, until: AbortSignal): Promise<void> {
    if (this.#writer?.lease !== lease) await this.#prepare(lease);
    const writer = this.#writing();
    if (!this.#built) {
      const head = await this.options.reader.head();
      await this.#load(writer, head, () => this.#show(writer.state()), until);
      await this.#generations.finish(writer.generation, lease);
      this.#built = true;
    }
    if (until.aborted) return;
    this.#failure = undefined;
    this.#follower.start(writer.checkpoint);
    this.#renew();
    try {
      await aborted(until);
    } finally {
      await this.#follower.stop();
    }
  }

  /** Rebuilds what has an event in it as it was before a correction. */
  #renew(): void {
    if (!this.#writer?.outdated || !this.leads || !this.#built || this.#busy) return;
    if (this.#waiting || this.#stopping.signal.aborted) return;
    this.rebuild().catch((error: unknown) => this.options.onError(error));
  }

  /** It began at the first event: what has failed may fail again, and others need the database as well. */
  #renewLater(): void {
    if (this.#waiting || this.#stopping.signal.aborted || !this.#writer?.outdated) return;
    const wait = this.options.renewMs * 2 ** Math.min(this.#failed++, RENEW_DOUBLINGS);
    this.#waiting = setTimeout(() => {
      this.#waiting = undefined;
      this.#renew();
    }, wait).unref();
  }

  /** Somebody else writes: this process shows where that one stands. */
  async #stand(): Promise<void> {
    this.#writer = undefined;
    const row = await this.#generations.serving();
    if (row) {
      const checkpoint = await remotePosition(this.options.reader, row.checkpoint, this.model.handles);
      this.#show({ ...this.#state, ...row, checkpoint });
    }
    this.#failure = undefined;
  }

  async #prepare(lease: Lease): Promise<void> {
    const { sql, reader } = this.options;
    const row =
      (await this.#generations.serving()) ??
      (await this.#generations.create(1, lease, true, reader.newestCorrection));
    await this.#generations.dropUnfinished(lease);
    this.#writer = await GenerationWriter.open(
      sql,
      this.model,
      this.#generations,
      lease,
      row,
      this.options.retryMs,
    );
    this.#built = row.built;
    this.#show(this.#writer.state());
  }

  #writing(): GenerationWriter {
    if (!this.#writer) throw new Error(`the read model ${this.model.name} has no writer here`);
    return this.#writer;
  }

  #show(state: ReadModelState): void {
    const { model, version, generation, checkpoint, changed, replays } = state;
    const before = this.#state;
    this.#state = { model, version, generation, checkpoint, changed, replays };
    // The follower tells itself of the pages that it has handled.
    if (checkpoint > this.#follower.position && !this.leads) this.#follower.moveTo(checkpoint);
    if (generation !== before.generation || changed !== before.changed || replays !== before.replays) {
      for (const listener of this.#listeners) listener();
    }
  }

  /** Reads what matters of the history in large pages, the next one while this one is written. */
  async #load(
    writer: GenerationWriter,
    upTo: Position,
    onPage: (events: number, last: Position) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { reader, load } = this.options;
    const types = new Set([...this.model.handles, 'EventCorrected']);
    const read = (after: Position): Promise<StoredEvent[]> => {
      const page = reader.history(types, after, upTo, load.events, load.bytes);
      // Awaited a page later: by then it may have failed for some time.
      page.catch(() => undefined);
      return page;
    };
    if (writer.checkpoint >= upTo) return;
    for (let reading = read(writer.checkpoint); ;) {
      signal.throwIfAborted();
      const page = await reading;
      const last = page.at(-1)?.position;
      if (last === undefined) break;
      reading = read(last);
      await writer.write(page, last);
      onPage(page.filter(({ type }) => this.model.handles.has(type)).length, last);
    }
    if (writer.checkpoint >= upTo) return;
    await writer.pass(upTo);
    onPage(0, upTo);
  }

  async #compare(live: GenerationWriter, next: GenerationWriter): Promise<TableDifference[]> {
    const { sql, load } = this.options;
    const differing: TableDifference[] = [];
    for (const table of this.model.tables) {
      const [before, after] = [live, next].map(({ generation }) => tableNames(this.model, generation));
      if (!before || !after) continue;
      const difference = await compareTable(sql, table, before, after, load.compareRows);
      if (difference) differing.push(difference);
    }
    return differing;
  }

  async #switch(live: GenerationWriter, next: GenerationWriter): Promise<void> {
    try {
      await this.#generations.switchTo(next.generation, [live.guard, next.guard], live.lease);
    } catch (error) {
      // Whether the pointer has moved is not known: who leads looks anew, and no old generation is written.
      live.lease.lose();
      throw error;
    }
    this.#writer = next;
    this.#failed = 0;
    this.#show(next.state());
  }

  /** Drops what a rebuild leaves behind, if this process may; otherwise whoever leads does it. */
  async #dropAfter(left: GenerationWriter, switched: boolean): Promise<void> {
    const { leases, onError } = this.options;
    // Other processes still read the generation that was replaced: it goes later, by its age.
    if (left.lease.lost.aborted || (switched && !leases.alone)) return;
    await this.#generations.drop(left.generation, left.lease).catch(onError);
  }

  /** With the live loop at rest. */
  async #atRest<R>(work: () => Promise<R>): Promise<R> {
    await this.#follower.stop();
    try {
      return await work();
    } finally {
      // When the lease was lost meanwhile, who leads starts it.
      if (this.leads) this.#follower.start(this.#writing().checkpoint);
    }
  }

  async #exclusively<R>(what: string, work: (writer: GenerationWriter) => Promise<R>): Promise<R> {
    const { name } = this.model;
    if (this.#busy) throw new OperatorRefusal(`${name}: ${this.#busy.what}`);
    const writer = this.#writer;
    if (!writer || !this.leads) {
      const holder = await this.options.leases.holderOf(this.#generations.lease);
      throw new OperatorRefusal(
        `the read model ${name} is written by another process${holder === undefined ? '' : ` (node ${holder})`}; ask that one`,
      );
    }
    if (!this.#built)
      throw new OperatorRefusal(`the read model ${name} is still being built for the first time`);
    const done = work(writer).finally(() => (this.#busy = undefined));
    this.#busy = { what, done };
    // The new generation may have met a correction meanwhile, and there may be no page for a long time.
    done.then(
      () => this.#renew(),
      () => this.#renewLater(),
    );
    return done;
  }
}
