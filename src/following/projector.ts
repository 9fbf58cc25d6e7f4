import type { Position } from '../eventsourcing/event.js';
import { Leases } from './leases.js';
import { OperatorRefusal } from './operatorRefusal.js';
import type { ParkedStream, Skip, Unparking } from './parking.js';
import { Parking } from './parking.js';
import { POISON_RETRY_MS } from './poison.js';
import type { EventReader } from './reader.js';
import type { BatchObserver } from './batchObserver.js';
import { unobserved } from './batchObserver.js';
import type { Sql } from '../sql/sql.js';
import type { RetirementRules } from './generations.js';
import { Generations } from './generations.js';
import type { LoadPages, RebuildOptions, RebuildReport } from './modelRunner.js';
import { ModelRunner } from './modelRunner.js';
import type { ReadModel, ReadModelAccess, ReadModels, ReadModelState } from './readModel.js';

export interface ProjectorOptions {
  /** This process' leases; without them it takes itself for the only one. */
  readonly leases?: Leases;
  readonly load?: Partial<LoadPages>;
  readonly retirement?: Partial<RetirementRules>;
  /** Waits before further attempts at an event that failed. */
  readonly retryMs?: readonly number[];
  /** The first wait before another rebuild of what a correction has made obsolete, after one that failed. */
  readonly renewMs?: number;
  readonly observe?: BatchObserver;
}

/** On one connection a page of a load is as short as a live one: queries get in between (decision 18). */
const LOAD_ALONE: LoadPages = { events: 1_000, bytes: 512 * 1024, compareRows: 2_000 };
const LOAD: LoadPages = { events: 10_000, bytes: 8 * 1024 * 1024, compareRows: 50_000 };

const RETIREMENT: RetirementRules = {
  // Processes that only read look at the pointer every second or so, and no query may take longer.
  generationMs: 60_000,
  // A deploy that is taken back within a day finds its tables, and goes on from its checkpoint.
  versionMs: 24 * 3_600_000,
};
const RETIRE_EVERY_MS = 60_000;
const RENEW_MS = 5_000;

/** Runs the read models that this process writes, and stands by for those that another one does. */
export class Projector implements ReadModels {
  readonly #runners = new Map<string, ModelRunner>();
  #retiring: NodeJS.Timeout | undefined;

  private constructor(private readonly onError: (model: string, error: unknown) => void) {}

  static async open(
    sql: Sql,
    reader: EventReader,
    models: readonly ReadModel[],
    onError: (model: string, error: unknown) => void,
    options: ProjectorOptions = {},
  ): Promise<Projector> {
    const leases = options.leases ?? (await Leases.open(sql, { holder: 'main', alone: true }));
    await Generations.migrate(sql);
    await Parking.migrate(sql);
    const projector = new Projector(onError);
    for (const model of models) {
      const runner = new ModelRunner(model, {
        sql,
        leases,
        reader,
        load: { ...(leases.alone ? LOAD_ALONE : LOAD), ...options.load },
        retirement: { ...RETIREMENT, ...options.retirement },
        retryMs: options.retryMs ?? POISON_RETRY_MS,
        renewMs: options.renewMs ?? RENEW_MS,
        observe: options.observe ?? unobserved,
        onError: (error) => onError(model.name, error),
      });
      await runner.open();
      projector.#runners.set(model.name, runner);
    }
    return projector;
  }

  start(): void {
    for (const runner of this.#runners.values()) runner.start();
    this.#retiring = setInterval(() => void this.dropRetired(), RETIRE_EVERY_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#retiring);
    await Promise.all([...this.#runners.values()].map((runner) => runner.stop()));
  }

  access(name: string): ReadModelAccess {
    return this.#get(name).access;
  }

  onChanged(name: string, listener: () => void): void {
    this.#get(name).onChanged(listener);
  }

  states(): ReadModelState[] {
    return [...this.#runners.values()].map(({ state }) => state);
  }

  failures(): { model: string; error: unknown }[] {
    return [...this.#runners.values()]
      .filter(({ failure }) => failure !== undefined)
      .map(({ model, failure }) => ({ model: model.name, error: failure }));
  }

  /** The models that this process writes. */
  leads(): string[] {
    return [...this.#runners.values()].filter(({ leads }) => leads).map(({ model }) => model.name);
  }

  reached(name: string, position: Position, timeoutMs: number): Promise<boolean> {
    return this.#get(name).reached(position, timeoutMs);
  }

  async allReached(position: Position, timeoutMs: number): Promise<boolean> {
    const all = await Promise.all(
      [...this.#runners.values()].map((runner) => runner.reached(position, timeoutMs)),
    );
    return all.every(Boolean);
  }

  /** @throws OperatorRefusal when it is busy, or written by another process */
  rebuild(name: string, options?: RebuildOptions): Promise<RebuildReport> {
    return this.#get(name).rebuild(options);
  }

  /** The last event that each model has seen which this process writes. */
  written(): { model: string; position: Position }[] {
    return [...this.#runners.values()]
      .filter(({ leads }) => leads)
      .map(({ model, state }) => ({ model: model.name, position: state.checkpoint }));
  }

  /** How many streams are parked, by model: what this process knows without asking. */
  parkedStreams(): { model: string; streams: number }[] {
    return [...this.#runners.values()].map(({ model, parkedStreams }) => ({
      model: model.name,
      streams: parkedStreams,
    }));
  }

  async parked(): Promise<ParkedStream[]> {
    return (await Promise.all([...this.#runners.values()].map((runner) => runner.parked()))).flat();
  }

  /**
   * Handles the events of a parked stream again; with `skip` without the first, or without all.
   * @returns undefined when it is not parked by one of these models
   * @throws OperatorRefusal
   */
  unpark({ subject, stream }: ParkedStream, skip?: Skip): Promise<Unparking> | undefined {
    const runner = [...this.#runners.values()].find((candidate) => candidate.subject === subject);
    return runner?.unpark(stream, skip);
  }

  /** Removes tables that nobody can be reading any more; runs by itself every minute. */
  async dropRetired(): Promise<void> {
    for (const runner of this.#runners.values()) {
      await runner.dropRetired().catch((error: unknown) => this.onError(runner.model.name, error));
    }
  }

  #get(name: string): ModelRunner {
    const runner = this.#runners.get(name);
    if (!runner) {
      throw new OperatorRefusal(
        `there is no read model "${name}"; there are: ${[...this.#runners.keys()].join(', ')}`,
      );
    }
    return runner;
  }
}
