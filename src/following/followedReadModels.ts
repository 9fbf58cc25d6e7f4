import type { Position } from '../eventsourcing/event.js';
import type { EventReader } from './reader.js';
import { RemoteFollowers } from './remoteFollowers.js';
import type { Sql } from '../sql/sql.js';
import { tableExists } from '../sql/sql.js';
import type { ReadModel, ReadModelAccess, ReadModels, ReadModelState } from './readModel.js';
import { tableNames } from './readModel.js';
import type { Pointers } from './servingTables.js';

/** Read models that another process writes: this one reads the pointers and follows the checkpoints. */
export class FollowedReadModels implements ReadModels, Pointers {
  readonly #models: ReadonlyMap<string, ReadModel>;
  readonly #states = new Map<string, ReadModelState>();
  /** Models that the last look has found no tables of. */
  #missing: readonly string[] = [];
  readonly #listeners = new Map<string, () => void>();
  #followers!: RemoteFollowers;

  private constructor(
    private readonly sql: Sql,
    models: readonly ReadModel[],
  ) {
    this.#models = new Map(models.map((model) => [model.name, model]));
  }

  static async open(
    sql: Sql,
    reader: EventReader,
    models: readonly ReadModel[],
    onMoved: (listener: () => void) => () => void,
    onError: (error: unknown) => void,
  ): Promise<FollowedReadModels> {
    const followed = new FollowedReadModels(sql, models);
    followed.#followers = await RemoteFollowers.open({
      reader,
      handles: new Map(models.map(({ name, handles }) => [name, handles])),
      load: () => followed.#load(),
      onMoved,
      onError,
    });
    return followed;
  }

  stop(): Promise<void> {
    return this.#followers.stop();
  }

  access(name: string): ReadModelAccess {
    const model = this.#models.get(name);
    if (!model) throw new Error(`there is no read model "${name}"`);
    return {
      t: (table) => tableNames(model, this.generationOf(name))(table),
      state: () => this.#state(name),
    };
  }

  generationOf(name: string): number {
    return this.#state(name).generation;
  }

  refresh(): Promise<void> {
    return this.#followers.refresh();
  }

  states(): ReadModelState[] {
    return [...this.#states.values()];
  }

  failures(): { model: string; error: unknown }[] {
    const error = this.#followers.failure;
    if (error !== undefined) return [...this.#models.keys()].map((model) => ({ model, error }));
    return this.#missing.map((model) => ({ model, error: new Error('no projector has built it yet') }));
  }

  onChanged(name: string, listener: () => void): void {
    this.#listeners.set(name, listener);
  }

  async reached(name: string, position: Position, timeoutMs: number): Promise<boolean> {
    return this.#followers.reached(name, position, timeoutMs);
  }

  async allReached(position: Position, timeoutMs: number): Promise<boolean> {
    const all = await Promise.all(
      [...this.#models.keys()].map((name) => this.reached(name, position, timeoutMs)),
    );
    return all.every(Boolean);
  }

  async #load(): Promise<ReadonlyMap<string, Position>> {
    const rows = await this.#servingRows();
    const checkpoints = new Map<string, Position>();
    for (const row of rows) {
      if (this.#models.get(row.model)?.version !== row.version) continue;
      checkpoints.set(row.model, row.checkpoint);
      const before = this.#states.get(row.model);
      this.#states.set(row.model, row);
      if (!before || !sameRows(before, row)) this.#listeners.get(row.model)?.();
    }
    this.#missing = [...this.#models.keys()].filter((name) => !checkpoints.has(name));
    return checkpoints;
  }

  async #servingRows(): Promise<ReadModelState[]> {
    // The first projector makes the table.
    if (this.#states.size === 0 && !(await tableExists(this.sql, 'read.models'))) return [];
    return this.sql.query<ReadModelState>(
      'SELECT model, version, generation, checkpoint, changed, replays FROM read.models WHERE serving',
    );
  }

  #state(name: string): ReadModelState {
    const state = this.#states.get(name);
    if (!state) throw new Error(`the read model ${name} has not been built yet`);
    return state;
  }
}

function sameRows(a: ReadModelState, b: ReadModelState): boolean {
  return a.generation === b.generation && a.changed === b.changed && a.replays === b.replays;
}
