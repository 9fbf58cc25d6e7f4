import { fork } from 'node:child_process';
import { once } from 'node:events';
import { accounts } from '../../projections/accounts/model.js';
import { keys } from '../../projections/keys/model.js';
import { popularity } from '../../projections/popularity/model.js';
import type { ReadModel } from '../../src/following/readModel.js';
import { Projector } from '../../src/following/projector.js';
import { usage } from '../../projections/usage/model.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { Leases } from '../../src/following/leases.js';
import { EventReader } from '../../src/following/reader.js';
import type { Sql } from '../../src/sql/sql.js';
import { median } from '../statistics.js';
import { USES_PER_EVENT, writeLog } from './log.js';

/**
 * The read models that are rebuilt: each event of the log changes at least one. The catalogue is left
 * out, since its cost is PostgreSQL's full-text index.
 */
export const MODELS: readonly ReadModel[] = [accounts, keys, usage, popularity];

export interface RebuildFigures {
  /** Stored events, each folded into every model that it changes; all models rebuilt together. */
  readonly rebuildPerSecond: number;
  readonly usesPerSecond: number;
  /** The same by the running projections, as after a pause: no comparison of old and new, no swap. */
  readonly projectionPerSecond: number;
  /** The log's rows copied by one INSERT … SELECT into a table with the same indexes. */
  readonly copyPerSecond: number;
  /** Seconds to copy the read models' finished rows likewise. */
  readonly copyRowsSeconds: number;
  /** The full names of the read models' tables, by model and short name. */
  readonly tables: ReadonlyMap<string, string>;
}

const say = (error: unknown): void => void process.stderr.write(`${String(error)}\n`);

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

/**
 * Writes the log, projects it once from nothing, then rebuilds and copies in turns.
 * @param alone as the product has it on this database: no other process can be there
 */
export async function benchRebuild(
  sql: Sql,
  events: number,
  rounds: number,
  alone: boolean,
): Promise<RebuildFigures> {
  const store = await PostgresEventStore.open(sql);
  await writeLog(sql, events);
  const head = await store.head();
  const reader = new EventReader(store);
  const leases = await Leases.open(sql, { holder: 'bench', alone });
  const projector = await Projector.open(
    sql,
    reader,
    MODELS,
    (model, error) => say(`${model}: ${String(error)}`),
    { leases },
  );
  const projected = await seconds(async () => {
    projector.start();
    if (!(await projector.allReached(head, 600_000))) throw new Error('the projections did not get there');
  });
  await copyTables(sql, [['store.events', 'bench.log']]);
  const rebuilds: number[] = [];
  const copies: number[] = [];
  const rowCopies: number[] = [];
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    const rebuilt = await seconds(async () => {
      const reports = await Promise.all(MODELS.map(({ name }) => projector.rebuild(name)));
      const differing = reports.flatMap((report) => report.differing);
      if (differing.length > 0) throw new Error(`rebuilt otherwise: ${JSON.stringify(differing)}`);
    });
    const copied = await copyTables(sql, [['store.events', 'bench.log']]);
    const tables = servingTables(projector);
    const rowsCopied = await copyTables(
      sql,
      [...tables].map(([name, table]) => [table, `bench.${name}`]),
    );
    if (round === 0) continue;
    rebuilds.push(rebuilt);
    copies.push(copied);
    rowCopies.push(rowsCopied);
  }
  await projector.stop();
  reader.close();
  const tables = servingTables(projector);
  const rebuildPerSecond = head / median(rebuilds);
  return {
    rebuildPerSecond,
    usesPerSecond: rebuildPerSecond * USES_PER_EVENT,
    projectionPerSecond: head / projected,
    copyPerSecond: head / median(copies),
    copyRowsSeconds: median(rowCopies),
    tables,
  };
}

const servingTables = (projector: Projector): Map<string, string> =>
  new Map(
    MODELS.flatMap(({ name, tables }) =>
      tables.map((table): [string, string] => [`${name}_${table}`, projector.access(name).t(table)]),
    ),
  );

/** Copies whole tables, each by one statement; the seconds without making the empty ones. */
async function copyTables(
  sql: Sql,
  pairs: readonly (readonly [from: string, to: string])[],
): Promise<number> {
  await sql.script('CREATE SCHEMA IF NOT EXISTS bench');
  for (const [from, to] of pairs) {
    await sql.script(`DROP TABLE IF EXISTS ${to}; CREATE TABLE ${to} (LIKE ${from} INCLUDING ALL)`);
  }
  return seconds(async () => {
    for (const [from, to] of pairs) await sql.query(`INSERT INTO ${to} SELECT * FROM ${from}`);
  });
}

export interface EmmettFigures {
  readonly perSecond: number;
  /** Whether its tables hold the same rows as ours. */
  readonly same: boolean;
}

/** Rebuilds the same read models from the same log with emmett, in a process of its own. */
export async function benchEmmett(
  sql: Sql,
  url: string,
  ours: ReadonlyMap<string, string>,
  rounds: number,
): Promise<EmmettFigures> {
  const child = fork(
    'bench/emmett/rebuild.mjs',
    [url, String(rounds), JSON.stringify(Object.fromEntries(ours))],
    {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    },
  );
  let output = '';
  child.stdout?.on('data', (text: Buffer) => (output += text.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error('emmett failed');
  const result = JSON.parse(output) as { seconds: number[]; rows: Record<string, string> };
  const [log] = await sql.query<{ events: number }>('SELECT count(*) AS events FROM store.events');
  let same = true;
  for (const [table, digest] of Object.entries(result.rows)) {
    const [row] = await sql.query<{ digest: string }>(
      `SELECT count(*) || ':' || coalesce(sum(hashtextextended(r::text, 0)), 0) AS digest FROM ${ours.get(table)} AS r`,
    );
    same &&= row?.digest === digest;
  }
  return { perSecond: (log?.events ?? 0) / median(result.seconds), same };
}
