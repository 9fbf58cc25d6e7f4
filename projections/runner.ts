import { Follower } from '../src/eventsourcing/follower.js';
import type { Position, StoredEvent } from '../src/eventsourcing/event.js';
import { START } from '../src/eventsourcing/event.js';
import type { EventReader } from '../src/eventsourcing/reader.js';
import type { Sql, Statement } from '../src/sql/sql.js';
import { GUARD_FAILED, SqlError } from '../src/sql/sql.js';
import type { ReadModel, ReadModelAccess, ReadModels, ReadModelState, Tables } from './readModel.js';
import { tableNames } from './readModel.js';

const MIGRATION = `
CREATE SCHEMA IF NOT EXISTS read;
CREATE TABLE IF NOT EXISTS read.models (
  model      text    NOT NULL,
  version    int     NOT NULL,
  generation int     NOT NULL,
  checkpoint bigint  NOT NULL DEFAULT 0,
  changed    bigint  NOT NULL DEFAULT 0,
  -- The lease's fencing token: whoever raised it last is the only writer.
  epoch      bigint  NOT NULL DEFAULT 0,
  -- The pointer: the generation of a version that answers queries.
  serving    boolean NOT NULL DEFAULT false,
  PRIMARY KEY (model, version, generation)
);
-- How often parked events were applied late.
ALTER TABLE read.models ADD COLUMN IF NOT EXISTS replays bigint NOT NULL DEFAULT 0;
-- Moves a checkpoint in the transaction that writes the rows; raises when another projector has
-- taken over or the checkpoint is elsewhere, and so rolls the rows back.
CREATE OR REPLACE FUNCTION read.advance(
  m text, v int, g int, e bigint, from_position bigint, to_position bigint, changed_at bigint
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE read.models SET checkpoint = to_position, changed = greatest(changed, changed_at)
   WHERE model = m AND version = v AND generation = g AND epoch = e AND checkpoint = from_position;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'another projector writes % v%', m, v USING ERRCODE = '${GUARD_FAILED}';
  END IF;
END $$;`;

/** Events after which a checkpoint is stored although none of them mattered. */
const STORE_EVERY = 200;

interface Running {
  readonly model: ReadModel;
  generation: number;
  epoch: number;
  /** The last event seen. */
  checkpoint: Position;
  /** The checkpoint that is stored; it may be behind where nothing mattered. */
  stored: Position;
  /** Events seen since then. */
  unstored: number;
  changed: Position;
  follower: Follower;
}

export interface RebuildReport {
  readonly model: string;
  readonly events: number;
  readonly position: Position;
  /** Tables whose rows were not the same, old against new, at the same checkpoint. */
  readonly differing: readonly string[];
}

/** Runs the read models: one loop each, rows and checkpoint in one transaction. */
export class Projector implements ReadModels {
  readonly #running = new Map<string, Running>();
  readonly #listeners = new Map<string, () => void>();

  private constructor(
    private readonly sql: Sql,
    private readonly reader: EventReader,
    private readonly onError: (model: string, error: unknown) => void,
  ) {}

  static async open(
    sql: Sql,
    reader: EventReader,
    models: readonly ReadModel[],
    onError: (model: string, error: unknown) => void,
  ): Promise<Projector> {
    await sql.script(MIGRATION);
    const projector = new Projector(sql, reader, onError);
    for (const model of models) projector.#running.set(model.name, await projector.#prepare(model));
    return projector;
  }

  start(): void {
    for (const { follower } of this.#running.values()) follower.start();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ follower }) => follower.stop()));
  }

  access(name: string): ReadModelAccess {
    const running = this.#get(name);
    return {
      t: (table) => tableNames(running.model, running.generation)(table),
      state: () => stateOf(running),
    };
  }

  /** Calls back after each change of a read model's rows. */
  onChanged(name: string, listener: () => void): void {
    this.#listeners.set(name, listener);
  }

  states(): ReadModelState[] {
    return [...this.#running.values()].map(stateOf);
  }

  /** The models that do not get on, with the reason. */
  failures(): { model: string; error: unknown }[] {
    return [...this.#running.values()]
      .filter(({ follower }) => follower.failure !== undefined)
      .map(({ model, follower }) => ({ model: model.name, error: follower.failure }));
  }

  /** @returns false when the model did not get there within `timeoutMs` */
  reached(name: string, position: Position, timeoutMs: number): Promise<boolean> {
    return this.#get(name).follower.reached(position, timeoutMs);
  }

  async allReached(position: Position, timeoutMs: number): Promise<boolean> {
    const all = await Promise.all(
      [...this.#running.keys()].map((name) => this.reached(name, position, timeoutMs)),
    );
    return all.every(Boolean);
  }

  /**
   * Builds the next generation from the first event on while the serving one goes on, then compares
   * the two at the same checkpoint and moves the pointer.
   */
  async rebuild(name: string, onProgress?: (done: Position) => void): Promise<RebuildReport> {
    const running = this.#get(name);
    const { model } = running;
    const next: Running = {
      ...running,
      generation: running.generation + 1,
      checkpoint: START,
      stored: START,
      unstored: 0,
      changed: START,
    };
    await this.#create(next);
    let events = 0;
    const catchUp = async (until: () => Position): Promise<void> => {
      while (next.checkpoint < until()) {
        const page = (await this.reader.page(next.checkpoint)).filter((e) => e.position <= until());
        const last = page.at(-1)?.position;
        if (last === undefined) break;
        await this.#apply(next, page, last);
        next.checkpoint = last;
        events += page.length;
        onProgress?.(last);
      }
    };
    await catchUp(() => running.checkpoint);
    // The last step, with the live loop at rest: both generations at the same checkpoint.
    await running.follower.stop();
    try {
      await catchUp(() => running.checkpoint);
      const differing = await this.#differing(running, next);
      const { generation, epoch, stored } = running;
      await this.sql.transaction([
        {
          // Moves nothing: raises when another projector has taken over meanwhile.
          text: 'SELECT read.advance($1, $2, $3, $4, $5, $5, $6)',
          params: [model.name, model.version, generation, epoch, stored, START],
        },
        {
          text: 'UPDATE read.models SET serving = (generation = $3) WHERE model = $1 AND version = $2',
          params: [model.name, model.version, next.generation],
        },
      ]);
      running.generation = next.generation;
      running.changed = next.changed;
      running.stored = next.stored;
      running.unstored = next.unstored;
      // Behind the queries that still name the old tables; if it fails, the next start does it.
      await this.#drop(model, generation).catch((error: unknown) => this.onError(name, error));
      return { model: name, events, position: running.checkpoint, differing };
    } finally {
      running.follower = this.#follow(running);
      running.follower.start();
    }
  }

  async #prepare(model: ReadModel): Promise<Running> {
    const [serving] = await this.sql.query<{
      generation: number;
      checkpoint: number;
      changed: number;
      epoch: number;
    }>(
      `UPDATE read.models SET epoch = epoch + 1 WHERE model = $1 AND version = $2 AND serving
       RETURNING generation, checkpoint, changed, epoch`,
      [model.name, model.version],
    );
    const running = {
      model,
      generation: serving?.generation ?? 1,
      checkpoint: serving?.checkpoint ?? START,
      stored: serving?.checkpoint ?? START,
      unstored: 0,
      changed: serving?.changed ?? START,
      epoch: serving?.epoch ?? 1,
    } as Running;
    if (!serving) await this.#create(running, true);
    const left = await this.sql.query<{ generation: number }>(
      'SELECT generation FROM read.models WHERE model = $1 AND version = $2 AND NOT serving',
      [model.name, model.version],
    );
    for (const { generation } of left) await this.#drop(model, generation);
    running.follower = this.#follow(running);
    return running;
  }

  async #create(running: Running, serving = false): Promise<void> {
    const { model, generation, epoch } = running;
    const t = tableNames(model, generation);
    // What an interrupted rebuild left behind goes first.
    await this.sql.script(`DROP TABLE IF EXISTS ${model.tables.map(t).join(', ')}; ${model.create(t)}`);
    await this.sql.query(
      `INSERT INTO read.models (model, version, generation, epoch, serving) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (model, version, generation) DO UPDATE
         SET checkpoint = 0, changed = 0, epoch = excluded.epoch, serving = excluded.serving`,
      [model.name, model.version, generation, epoch, serving],
    );
  }

  /** Removes a generation that does not serve. */
  async #drop(model: ReadModel, generation: number): Promise<void> {
    const tables = model.tables.map(tableNames(model, generation));
    await this.sql.transaction(
      [
        { text: `DROP TABLE IF EXISTS ${tables.join(', ')}` },
        {
          text: 'DELETE FROM read.models WHERE model = $1 AND version = $2 AND generation = $3 AND NOT serving',
          params: [model.name, model.version, generation],
        },
      ],
      'projection',
    );
  }

  #follow(running: Running): Follower {
    return new Follower({
      name: running.model.name,
      reader: this.reader,
      from: running.checkpoint,
      handle: async (events, last) => {
        await this.#apply(running, events, last);
        running.checkpoint = last;
      },
      onError: (error) => this.onError(running.model.name, error),
    });
  }

  async #apply(running: Running, events: readonly StoredEvent[], last: Position): Promise<void> {
    const { model, generation, epoch, stored } = running;
    const mine = events.filter((event) => event.position > stored && model.handles.has(event.type));
    // A page in which nothing matters costs no transaction; a restart reads it again.
    running.unstored += events.length;
    if (mine.length === 0 && running.unstored < STORE_EVERY) return;
    const changed = mine.at(-1)?.position ?? START;
    const statements: Statement[] = [
      {
        text: 'SELECT read.advance($1, $2, $3, $4, $5, $6, $7)',
        params: [model.name, model.version, generation, epoch, stored, last, changed],
      },
      ...(mine.length > 0 ? model.fold(mine, tableNames(model, generation)) : []),
    ];
    try {
      await this.sql.transaction(statements, 'projection');
    } catch (error) {
      const committed = await this.#committed(running, error);
      if (committed === undefined || committed <= stored) throw error;
      running.stored = committed;
      // The page that is tried again may have grown since.
      if (committed < last) return this.#apply(running, events, last);
    }
    running.stored = last;
    running.unstored = 0;
    if (changed > running.changed) {
      running.changed = changed;
      this.#listeners.get(model.name)?.();
    }
  }

  /** A commit whose confirmation was lost shows when it is tried again: the checkpoint is further on. */
  async #committed(running: Running, error: unknown): Promise<Position | undefined> {
    if (!(error instanceof SqlError) || error.code !== GUARD_FAILED) return undefined;
    const { model, generation, epoch } = running;
    const [row] = await this.sql.query<{ checkpoint: Position }>(
      `SELECT checkpoint FROM read.models
        WHERE model = $1 AND version = $2 AND generation = $3 AND epoch = $4`,
      [model.name, model.version, generation, epoch],
    );
    return row?.checkpoint;
  }

  async #differing(a: Running, b: Running): Promise<string[]> {
    const differing: string[] = [];
    for (const table of a.model.tables) {
      const [before, after] = await Promise.all([
        rowsDigest(this.sql, tableNames(a.model, a.generation), table),
        rowsDigest(this.sql, tableNames(b.model, b.generation), table),
      ]);
      if (before !== after) differing.push(table);
    }
    return differing;
  }

  #get(name: string): Running {
    const running = this.#running.get(name);
    if (!running) throw new Error(`there is no read model "${name}"`);
    return running;
  }
}

/** A digest of all rows of a table, whatever their physical order. */
export async function rowsDigest(sql: Sql, t: Tables, table: string): Promise<string> {
  const rows = await sql.query<{ digest: string }>(
    `SELECT count(*) || ':' || coalesce(md5(string_agg(md5(r::text), '' ORDER BY md5(r::text))), '') AS digest
       FROM ${t(table)} AS r`,
  );
  return rows[0]?.digest ?? '';
}

function stateOf({ model, generation, checkpoint, changed }: Running): ReadModelState {
  return { model: model.name, version: model.version, generation, checkpoint, changed, replays: 0 };
}
