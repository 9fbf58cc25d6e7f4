// `npm run bench`: a table for people, then one JSON line with the figures.
import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { openPostgres } from '../src/adapters/postgres/pg.js';
import { openPglite } from '../src/adapters/postgres/pglite.js';
import type { Sql } from '../src/sql/sql.js';
import { benchCalls } from './calls.js';
import { benchFormula } from './formula.js';
import { benchJournal } from './journal.js';
import { benchSearch } from './search.js';

if (process.argv.includes('--help')) {
  process.stdout.write(
    'npm run bench [-- --quick]\n\n' +
      'Measures a governed call beside bare Apollo on Fastify, the usage journal and the search, on the\n' +
      'embedded database, and on PostgreSQL where DATABASE_URL is set. --quick takes a minute and\n' +
      'leaves PostgreSQL out.\n',
  );
  process.exit(0);
}
const quick = process.argv.includes('--quick');
const databaseUrl = process.env['DATABASE_URL'];
delete process.env['DATABASE_URL'];
// What is measured is one process by itself: its limits in memory, its events in its own database.
delete process.env['REDIS_URL'];
delete process.env['EVENTSTORE_URL'];
delete process.env['EVENTSTOREDB_URL'];
const folder = await mkdtemp(join(tmpdir(), 'tollgraph-bench-'));
const say = (text: string): void => void process.stdout.write(`${text}\n`);

interface Place {
  sql(name: string): Promise<Sql>;
  /** A database for a process with this data directory; what that process finds it by. */
  env(dataDir: string): Promise<NodeJS.ProcessEnv>;
  remove(): Promise<void>;
}

async function measure(label: string, place: Place): Promise<Record<string, number>> {
  say(`\n${label}`);
  const row = (name: string, value: number, unit: string, target: string): void =>
    say(`  ${name.padEnd(46)} ${value.toFixed(2).padStart(12)} ${unit.padEnd(8)} ${target}`);
  const calls = await benchCalls(join(folder, label.split(' ')[0] as string), quick, (dataDir) =>
    place.env(dataDir),
  );
  row('a governed call over bare Apollo (throughput)', calls.governed_over_bare, '', 'at least 1.0');
  row('  governed calls', calls.governed_per_second, '/s', '');
  row('  bare Apollo', calls.bare_per_second, '/s', '');
  row('  CPU of a call over bare Apollo', calls.cpu_over_bare, '', 'at most 1.25');
  row('p99 at half of bare throughput, more than bare', calls.p99_extra_ms, 'ms', 'at most 5');
  row('  governed p99', calls.governed_p99_ms, 'ms', '');
  row('  bare p99', calls.bare_p99_ms, 'ms', '');
  const journalSql = await place.sql('journal');
  const uses_per_second = await benchJournal(journalSql, quick);
  await journalSql.close();
  row('durable uses of the journal', uses_per_second, '/s', 'at least 50000');
  const searchSql = await place.sql('search');
  const search_p95_ms = await benchSearch(searchSql, quick);
  await searchSql.close();
  row('search at 10,000 patterns, p95', search_p95_ms, 'ms', 'at most 20');
  await place.remove();
  return { ...calls, uses_per_second, search_p95_ms };
}

const EXTENSIONS = 'CREATE EXTENSION IF NOT EXISTS vector; CREATE EXTENSION IF NOT EXISTS pg_trgm;';

/** Made once and copied: PGlite takes seconds to make a database, which nothing here measures. */
async function onPglite(template: string): Promise<Place> {
  const first = await openPglite(template);
  await first.script(EXTENSIONS);
  await first.close();
  const copy = (directory: string): Promise<void> => cp(template, directory, { recursive: true });
  return {
    sql: async (name) => {
      const directory = join(folder, 'embedded', name);
      await copy(directory);
      return openPglite(directory);
    },
    env: async (dataDir) => {
      await copy(join(dataDir, 'postgres'));
      return {};
    },
    remove: async () => undefined,
  };
}

function onPostgres(url: string): Place {
  const made: string[] = [];
  const create = async (): Promise<string> => {
    const name = `bench_${randomBytes(6).toString('hex')}`;
    const admin = new pg.Client({ connectionString: url });
    await admin.connect();
    await admin.query(`CREATE DATABASE ${name}`);
    await admin.end();
    made.push(name);
    const parsed = new URL(url);
    parsed.pathname = `/${name}`;
    return parsed.toString();
  };
  return {
    sql: async () => {
      const sql = await openPostgres(await create());
      await sql.script(EXTENSIONS);
      return sql;
    },
    env: async () => ({ DATABASE_URL: await create() }),
    remove: async () => {
      const admin = new pg.Client({ connectionString: url });
      await admin.connect();
      for (const name of made) await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
}

say(`Node ${process.version}, ${availableParallelism()} × ${cpus()[0]?.model.trim()}`);
const formula_us = benchFormula();
say(
  `\n  ${'a cost formula, evaluated again'.padEnd(46)} ${formula_us.toFixed(2).padStart(12)} µs       less than 5`,
);
const figures: Record<string, number | string | null> = {
  formula_us,
  ...(await measure('embedded (PGlite)', await onPglite(join(folder, 'template')))),
};
const missing = quick ? 'left out by --quick' : databaseUrl ? undefined : 'DATABASE_URL is not set';
const postgres =
  missing === undefined && databaseUrl ? await measure('PostgreSQL', onPostgres(databaseUrl)) : undefined;
if (missing !== undefined) {
  say(`\nPostgreSQL: not measured, ${missing}`);
  figures['postgres_missing'] = missing;
}
for (const name of ['governed_over_bare', 'p99_extra_ms', 'uses_per_second', 'search_p95_ms']) {
  figures[`${name}_postgres`] = postgres?.[name] ?? null;
}
await rm(folder, { recursive: true, force: true });
say(`\n${JSON.stringify(figures)}`);
