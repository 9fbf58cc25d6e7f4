import type { Position } from '../eventsourcing/event.js';
import type { Lease } from './leases.js';
import { Parking } from './parking.js';
import type { Sql, Statement } from '../sql/sql.js';
import { GUARD_FAILED } from '../sql/sql.js';
import type { ReadModel } from './readModel.js';
import { readerOf, tableNames } from './readModel.js';

const MIGRATION = `
CREATE SCHEMA IF NOT EXISTS read;
CREATE TABLE IF NOT EXISTS read.models (
  model      text    NOT NULL,
  version    int     NOT NULL,
  generation int     NOT NULL,
  checkpoint bigint  NOT NULL DEFAULT 0,
  changed    bigint  NOT NULL DEFAULT 0,
  -- The pointer: the generation of a version that answers queries.
  serving    boolean NOT NULL DEFAULT false,
  PRIMARY KEY (model, version, generation)
);
-- How often parked events were applied late.
ALTER TABLE read.models ADD COLUMN IF NOT EXISTS replays bigint NOT NULL DEFAULT 0;
-- Whether the first load is over and the indexes are made.
ALTER TABLE read.models ADD COLUMN IF NOT EXISTS built boolean NOT NULL DEFAULT true;
-- When it ceased to serve; nothing is written to it from then on.
ALTER TABLE read.models ADD COLUMN IF NOT EXISTS retired_at timestamptz;
-- The newest correction that was known when the generation was begun: it is read as it says from then on.
ALTER TABLE read.models ADD COLUMN IF NOT EXISTS corrected bigint NOT NULL DEFAULT 0;
-- Whether an event was corrected that is in the rows as it was before: a rebuild replaces them.
ALTER TABLE read.models ADD COLUMN IF NOT EXISTS outdated boolean NOT NULL DEFAULT false;
-- Leases have a table of their own by now (read.leases).
ALTER TABLE read.models DROP COLUMN IF EXISTS epoch;
DROP FUNCTION IF EXISTS read.advance(text, int, int, bigint, bigint, bigint, bigint);
-- Moves a checkpoint in the transaction that writes the rows; raises when it is elsewhere, and so
-- rolls the rows back.
CREATE OR REPLACE FUNCTION read.advance(
  m text, v int, g int, from_position bigint, to_position bigint, changed_at bigint
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE read.models SET checkpoint = to_position, changed = greatest(changed, changed_at)
   WHERE model = m AND version = v AND generation = g AND checkpoint = from_position AND retired_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the checkpoint of % v% g% is elsewhere', m, v, g USING ERRCODE = '${GUARD_FAILED}';
  END IF;
END $$;`;

/** An index over many rows takes its time. */
const INDEX_TIMEOUT_MS = 3_600_000;

/** A generation as it is stored. */
export interface GenerationRow {
  readonly generation: number;
  readonly checkpoint: Position;
  readonly changed: Position;
  readonly replays: number;
  readonly built: boolean;
  readonly corrected: Position;
  readonly outdated: boolean;
}

const COLUMNS = 'generation, checkpoint, changed, replays, built, corrected, outdated';

export interface RetirementRules {
  /** How long a generation that was replaced stays, for queries and processes that still name it. */
  readonly generationMs: number;
  /** How long a version must have had no projector before its tables go. */
  readonly versionMs: number;
}

/** The generations of one version of a read model: their tables, and their rows in `read.models`. */
export class Generations {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModel,
  ) {}

  static migrate(sql: Sql): Promise<void> {
    return sql.script(MIGRATION);
  }

  /** The name of the lease on this version. */
  get lease(): string {
    return `${this.model.name}_v${this.model.version}`;
  }

  parking(generation: number): Parking {
    const { name, version } = this.model;
    return new Parking(this.sql, readerOf(name, version, generation), `${name} v${version}`);
  }

  async serving(): Promise<GenerationRow | undefined> {
    const { name, version } = this.model;
    const [row] = await this.sql.query<GenerationRow>(
      `SELECT ${COLUMNS} FROM read.models WHERE model = $1 AND version = $2 AND serving`,
      [name, version],
    );
    return row;
  }

  /** A generation as the holder of the lease has left it; undefined when another has taken the lease. */
  async row(generation: number, lease: Lease): Promise<GenerationRow | undefined> {
    const { name, version } = this.model;
    const [row] = await this.sql.query<GenerationRow>(
      `SELECT ${COLUMNS} FROM read.models WHERE model = $1 AND version = $2 AND generation = $3
          AND EXISTS (SELECT FROM read.leases WHERE name = $4 AND epoch = $5)`,
      [name, version, generation, lease.name, lease.epoch],
    );
    return row;
  }

  /**
   * Makes the tables of a generation anew, without the indexes that only queries use.
   * @param corrected the newest correction that is known
   */
  async create(
    generation: number,
    lease: Lease,
    serving: boolean,
    corrected: Position,
  ): Promise<GenerationRow> {
    const { model } = this;
    const t = tableNames(model, generation);
    // One script is one transaction. What an interrupted build left behind goes first.
    await this.sql.script(`
      DROP TABLE IF EXISTS ${model.tables.map(t).join(', ')};
      ${model.create(t)};
      DELETE FROM read.parked WHERE reader = '${readerOf(model.name, model.version, generation)}';
      DELETE FROM read.models
       WHERE model = '${model.name}' AND version = ${model.version} AND generation = ${generation};
      INSERT INTO read.models (model, version, generation, serving, built, corrected)
      VALUES ('${model.name}', ${model.version}, ${generation}, ${serving}, false, ${corrected});
      ${literally(lease.hold)};`);
    return { generation, checkpoint: 0, changed: 0, replays: 0, built: false, corrected, outdated: false };
  }

  /** After the load: the indexes that queries need, and what the planner has to know of the rows. */
  async finish(generation: number, lease: Lease): Promise<void> {
    const { model } = this;
    const t = tableNames(model, generation);
    const indexes = model.indexes?.(t) ?? [];
    await this.sql.transaction(
      [
        ...indexes.map((text) => ({ text, timeoutMs: INDEX_TIMEOUT_MS })),
        ...model.tables.map((table) => ({ text: `ANALYZE ${t(table)}`, timeoutMs: INDEX_TIMEOUT_MS })),
        {
          text: 'UPDATE read.models SET built = true WHERE model = $1 AND version = $2 AND generation = $3',
          params: [model.name, model.version, generation],
        },
        lease.hold,
      ],
      'projection',
    );
  }

  /** Moves the pointer, in the same transaction as the guards; the old generation is retired. */
  async switchTo(generation: number, guards: readonly Statement[], lease: Lease): Promise<void> {
    await this.sql.transaction([
      ...guards,
      {
        text: `UPDATE read.models
                  SET serving = (generation = $3),
                      retired_at = CASE WHEN serving AND generation <> $3 THEN clock_timestamp() ELSE retired_at END
                WHERE model = $1 AND version = $2`,
        params: [this.model.name, this.model.version, generation],
      },
      lease.hold,
    ]);
  }

  /** Removes a generation that does not serve. */
  async drop(generation: number, lease: Lease): Promise<void> {
    const { name, version } = this.model;
    const tables = this.model.tables.map(tableNames(this.model, generation));
    await this.#drop(name, version, generation, tables, lease);
  }

  /** Removes what rebuilds that did not end left behind, for whoever has just taken the lease. */
  async dropUnfinished(lease: Lease): Promise<void> {
    const left = await this.sql.query<{ generation: number }>(
      'SELECT generation FROM read.models WHERE model = $1 AND version = $2 AND NOT serving AND retired_at IS NULL',
      [this.model.name, this.model.version],
    );
    for (const { generation } of left) await this.drop(generation, lease);
  }

  /**
   * Removes what nobody can be reading any more: generations replaced some time ago, and older
   * versions of the model without a projector for longer than a deploy may take to be taken back.
   */
  async dropRetired({ generationMs, versionMs }: RetirementRules, lease: Lease): Promise<void> {
    const { name, version } = this.model;
    const retired = await this.sql.query<{ version: number; generation: number }>(
      `SELECT m.version, m.generation FROM read.models m
        WHERE m.model = $1 AND m.version = $2 AND NOT m.serving
          AND m.retired_at <= clock_timestamp() - $3::interval
       UNION ALL
       SELECT m.version, m.generation FROM read.models m
         JOIN read.leases l ON l.name = m.model || '_v' || m.version
        WHERE m.model = $1 AND m.version < $2 AND l.expires_at <= clock_timestamp() - $4::interval`,
      [name, version, `${generationMs} milliseconds`, `${versionMs} milliseconds`],
      'projection',
    );
    for (const old of retired) {
      // An older version may have had tables of other names.
      const prefix = `${name}_v${old.version}_g${old.generation}_`;
      const tables = await this.sql.query<{ tablename: string }>(
        `SELECT tablename FROM pg_tables WHERE schemaname = 'read' AND starts_with(tablename, $1)`,
        [prefix],
        'projection',
      );
      const names = tables.map(({ tablename }) => `read.${tablename}`);
      await this.#drop(name, old.version, old.generation, names, lease);
    }
  }

  async #drop(
    model: string,
    version: number,
    generation: number,
    tables: readonly string[],
    lease: Lease,
  ): Promise<void> {
    const params = [model, version, generation];
    await this.sql.transaction(
      [
        {
          text: `DELETE FROM read.models WHERE model = $1 AND version = $2 AND generation = $3`,
          params,
        },
        {
          text: 'DELETE FROM read.parked WHERE reader = $1',
          params: [readerOf(model, version, generation)],
        },
        ...(tables.length > 0 ? [{ text: `DROP TABLE IF EXISTS ${tables.join(', ')}` }] : []),
        lease.hold,
      ],
      'projection',
    );
  }
}

/** A script takes no parameters; the lease's are a name from the code, a number and a duration. */
function literally({ text, params = [] }: Statement): string {
  return text.replace(/\$(\d+)/g, (_all, n: string) => `'${String(params[Number(n) - 1])}'`);
}
