// `npm run bench:events`: a table for people, then one JSON line with the figures.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { EventStoreDBClient } from '@eventstore/db-client';
import pg from 'pg';
import { EventStoreDbEventStore } from '../src/adapters/eventstoredb/eventStore.js';
import { PostgresEventStore } from '../src/adapters/postgres/eventStore.js';
import { openPglite } from '../src/adapters/postgres/pglite.js';
import type { Sql } from '../src/sql/sql.js';
import type { AppendFigures } from './events/appends.js';
import { compareAppends, throughStore } from './events/appends.js';
import { onOwnDatabase } from './events/database.js';
import { benchGrowth } from './events/growth.js';
import { RAW_TABLE, throughEventStoreDb, throughPg, throughPglite } from './events/raw.js';
import type { RebuildFigures } from './events/rebuild.js';
import { benchEmmett, benchRebuild } from './events/rebuild.js';

if (process.argv.includes('--help')) {
  process.stdout.write(
    'npm run bench:events [-- --quick | --long]\n\n' +
      'Measures appends with 1, 64 and 256 in flight beside the raw store, and how fast read models are\n' +
      'projected and rebuilt beside a plain copy of the rows, on the embedded database, and on PostgreSQL\n' +
      'where DATABASE_URL is set; there also beside emmett, which is installed under bench/emmett when it\n' +
      'is missing. --quick takes at most a minute. --long also measures an append at 10 million events\n' +
      'beside one at 10 thousand, on PostgreSQL; that takes some minutes and 8 GB of its disk.\n',
  );
  process.exit(0);
}
const quick = process.argv.includes('--quick');
const long = process.argv.includes('--long');
const databaseUrl = process.env['DATABASE_URL'];
const appendRounds = quick ? { rounds: 3, ms: 400 } : { rounds: 7, ms: 1_000 };
const logEvents = quick ? 20_000 : 60_000;
const rebuildRounds = quick ? 1 : 5;
const emmettRounds = quick ? 1 : 2;

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const figures: Record<string, number | string | boolean | null> = {};
const missing = (name: string, reason: string): void => {
  say(`\n${name}: not measured, ${reason}`);
  figures[`${name.toLowerCase()}_missing`] = reason;
};
const row = (name: string, value: number, unit: string, target = ''): void =>
  say(`  ${name.padEnd(56)} ${value.toFixed(value < 100 ? 2 : 0).padStart(10)} ${unit.padEnd(9)} ${target}`);

function sayAppends(suffix: string, measured: readonly AppendFigures[]): void {
  for (const { inFlight, store, raw, overRaw } of measured) {
    row(`appends, ${inFlight} in flight`, store, '/s');
    row('  the same batches sent straight', raw, '/s');
    row('  store over raw', overRaw, '', inFlight === 64 ? 'at least 0.8' : '');
    figures[`appends_${inFlight}_${suffix}`] = store;
    figures[`raw_${inFlight}_${suffix}`] = raw;
  }
  figures[`append_over_raw_${suffix}`] = measured.find(({ inFlight }) => inFlight === 64)?.overRaw ?? null;
}

function sayRebuild(suffix: string, rebuild: RebuildFigures, target = ''): void {
  row('rebuild', rebuild.rebuildPerSecond, 'events/s', target);
  row('  uses in them', rebuild.usesPerSecond, 'uses/s');
  row('  the running projections, from nothing', rebuild.projectionPerSecond, 'events/s');
  row("  plain copy of the log's rows", rebuild.copyPerSecond, 'events/s');
  row('  rebuild over plain copy', rebuild.rebuildPerSecond / rebuild.copyPerSecond, '');
  row("  plain copy of the read models' rows", rebuild.copyRowsSeconds * 1000, 'ms');
  figures[`rebuild_events_per_second_${suffix}`] = rebuild.rebuildPerSecond;
  figures[`rebuild_uses_per_second_${suffix}`] = rebuild.usesPerSecond;
  figures[`projection_events_per_second_${suffix}`] = rebuild.projectionPerSecond;
  figures[`copy_events_per_second_${suffix}`] = rebuild.copyPerSecond;
}

async function onPglite(): Promise<void> {
  say('\nembedded (PGlite)');
  const folder = await mkdtemp(join(tmpdir(), 'tollgraph-bench-'));
  const sql = await openPglite(join(folder, 'store'));
  await sql.script('CREATE EXTENSION IF NOT EXISTS vector; CREATE EXTENSION IF NOT EXISTS pg_trgm;');
  const store = await PostgresEventStore.open(sql);
  const raw = await PGlite.create({ dataDir: join(folder, 'raw') });
  await raw.exec(readFileSync('src/adapters/postgres/store.sql', 'utf8') + RAW_TABLE);
  sayAppends('pglite', await compareAppends(throughStore(store), throughPglite(raw), appendRounds));
  await raw.close();
  await sql.script('TRUNCATE store.events');
  sayRebuild('pglite', await benchRebuild(sql, logEvents, rebuildRounds, true));
  await sql.close();
  await rm(folder, { recursive: true, force: true });
}

async function appendsOnPostgres(sql: Sql, url: string): Promise<void> {
  const store = await PostgresEventStore.open(sql);
  await sql.script(RAW_TABLE);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  sayAppends('postgres', await compareAppends(throughStore(store), throughPg(client), appendRounds));
  await client.end();
}

async function rebuildOnPostgres(sql: Sql, url: string): Promise<void> {
  const rebuild = await benchRebuild(sql, logEvents, rebuildRounds, false);
  sayRebuild('postgres', rebuild, 'at least 50000');
  figures['rebuild_events_per_second'] = rebuild.rebuildPerSecond;
  const install = ['ci', '--prefix', 'bench/emmett', '--no-audit', '--no-fund'];
  const npm = spawnSync('npm', install, { encoding: 'utf8', shell: process.platform === 'win32' });
  if (npm.status !== 0) return missing('emmett', 'npm ci --prefix bench/emmett failed');
  const emmett = await benchEmmett(sql, url, rebuild.tables, emmettRounds);
  if (!emmett.same) throw new Error('emmett built other rows than ours: the comparison would be unfair');
  row('  emmett, the same read models of the same events', emmett.perSecond, 'events/s');
  row('  rebuild over emmett', rebuild.rebuildPerSecond / emmett.perSecond, '', 'at least 15');
  figures['emmett_events_per_second'] = emmett.perSecond;
  figures['rebuild_over_emmett'] = rebuild.rebuildPerSecond / emmett.perSecond;
}

async function growthOnPostgres(sql: Sql, url: string): Promise<void> {
  const { smallMs, largeMs } = await benchGrowth(sql, url);
  row('an append at 10 thousand events, 64 in flight', smallMs * 1000, 'µs');
  row('an append at 10 million events', largeMs * 1000, 'µs');
  row('  10 million over 10 thousand', largeMs / smallMs, '', 'at most 1.3');
  figures['append_10m_over_10k'] = largeMs / smallMs;
}

async function onEventStoreDb(url: string): Promise<void> {
  say('\nEventStoreDB');
  const store = new EventStoreDbEventStore({ url, categories: ['key'] });
  const client = EventStoreDBClient.connectionString(url);
  sayAppends(
    'eventstoredb',
    await compareAppends(throughStore(store), throughEventStoreDb(client), appendRounds),
  );
  await store.close();
  await client.dispose();
}

say(`Node ${process.version}, ${availableParallelism()} × ${cpus()[0]?.model.trim()}`);
for (const name of ['append_over_raw_pglite', 'append_over_raw_postgres', 'append_over_raw_eventstoredb']) {
  figures[name] = null;
}
for (const name of ['rebuild_events_per_second', 'rebuild_over_emmett', 'append_10m_over_10k']) {
  figures[name] = null;
}
await onPglite();
if (databaseUrl === undefined) {
  missing('PostgreSQL', 'DATABASE_URL is not set');
} else {
  say('\nPostgreSQL');
  await onOwnDatabase(databaseUrl, appendsOnPostgres);
  await onOwnDatabase(databaseUrl, rebuildOnPostgres);
  if (long) await onOwnDatabase(databaseUrl, growthOnPostgres);
}
const eventStoreUrl = process.env['EVENTSTOREDB_URL'] ?? process.env['EVENTSTORE_URL'];
if (eventStoreUrl === undefined) missing('EventStoreDB', 'EVENTSTOREDB_URL is not set');
else await onEventStoreDb(eventStoreUrl);
// The slowest adapter's figure: the target holds for each.
const overRaw = ['pglite', 'postgres', 'eventstoredb'].map((name) => figures[`append_over_raw_${name}`]);
figures['append_over_raw'] = Math.min(...overRaw.filter((value) => typeof value === 'number'));
say(`\n${JSON.stringify(figures)}`);
