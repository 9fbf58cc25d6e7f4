import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, readlinkSync, statfsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { openPostgres } from '../../src/adapters/postgres/pg.js';
import { openPglite } from '../../src/adapters/postgres/pglite.js';
import { READ_MODELS } from '../../src/capabilities.js';
import { Projector } from '../../src/following/projector.js';
import { EventReader } from '../../src/following/reader.js';
import type { Sql } from '../../src/sql/sql.js';
import { withDatabase } from './database.js';

const PGLITE = join('node_modules', '@electric-sql', 'pglite', 'package.json');
const EXTENSIONS = 'CREATE EXTENSION IF NOT EXISTS vector; CREATE EXTENSION IF NOT EXISTS pg_trgm;';

/**
 * Makes the databases that tests get copies of: an empty one, since creating one anew takes seconds, and one with
 * the tables of this build, which a start would take a second to make.
 */
export default async function globalSetup(): Promise<void> {
  if (process.env['TEST_TEMPLATE'] !== undefined) return;
  const url = process.env['DATABASE_URL'];
  const [empty, ready] = url === undefined ? await embeddedTemplates() : await templatesOn(url);
  process.env['TEST_PLACES'] = await folderOfRun();
  process.env['TEST_TEMPLATE'] = empty;
  process.env['TEST_TEMPLATE_READY'] = ready;
}

/** Files of embedded databases are made and opened all the time: in memory that takes a fifth of the time. */
const MEMORY = '/dev/shm';
/** What memory must have room for, so that tests take nothing from anybody. */
const ROOM_BYTES = 8 * 1024 ** 3;

/** Where the data of this run lies: in memory where there is plenty, unless TMPDIR says otherwise. */
async function folderOfRun(): Promise<string> {
  if (process.env['TMPDIR'] !== undefined || !hasRoom()) return mkdtemp(join(tmpdir(), 'tollgraph-tests-'));
  const ours = `tollgraph-tests-${placeOfPids()}-`;
  // What a run has left that was killed would stay in memory.
  for (const name of await readdir(MEMORY)) {
    const pid = name.startsWith(ours) ? /^(\d+)-/.exec(name.slice(ours.length))?.[1] : undefined;
    if (pid === undefined || isAlive(Number(pid))) continue;
    // Another run may be at it.
    await rm(join(MEMORY, name), { recursive: true, force: true }).catch(() => undefined);
  }
  return mkdtemp(join(MEMORY, `${ours}${process.pid}-`));
}

/** Where process ids mean the same: containers may share the memory, but see no processes of each other. */
function placeOfPids(): string {
  let namespace = '';
  try {
    namespace = readlinkSync('/proc/self/ns/pid');
  } catch {
    // Not on Linux.
  }
  return [hostname(), userInfo().uid, namespace].join('-').replace(/[^\w.-]/g, '');
}

function hasRoom(): boolean {
  // Since Node 20.13. A container's limit counts what lies in memory.
  const { availableMemory } = process as { availableMemory?: () => number };
  if (availableMemory && availableMemory() < ROOM_BYTES) return false;
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= ROOM_BYTES;
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function templatesOn(url: string): Promise<[empty: string, ready: string]> {
  const [empty, ready] = [`tollgraph_test_${process.pid}`, `tollgraph_test_${process.pid}_ready`] as const;
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${empty}`);
  const template = new pg.Client({ connectionString: withDatabase(url, empty) });
  await template.connect();
  await template.query(EXTENSIONS);
  await template.end();
  await admin.query(`CREATE DATABASE ${ready} TEMPLATE ${empty}`);
  await admin.end();
  const sql = await openPostgres(withDatabase(url, ready));
  await makeTables(sql);
  await sql.close();
  return [empty, ready];
}

/** Kept from run to run: making the empty one costs six seconds of CPU. */
async function embeddedTemplates(): Promise<[empty: string, ready: string]> {
  const { version } = JSON.parse(readFileSync(PGLITE, 'utf8')) as { version: string };
  const cache = join(process.cwd(), 'node_modules', '.cache', 'tollgraph');
  await mkdir(cache, { recursive: true });
  const empty = await made(join(cache, `pglite-${version}`), async (directory) => {
    const sql = await openPglite(directory);
    await sql.script(EXTENSIONS);
    await sql.close();
  });
  const name = `ready-${version}-${hashOfBuild()}`;
  const ready = await made(join(cache, name), async (directory) => {
    cpSync(empty, directory, { recursive: true });
    const sql = await openPglite(directory);
    await makeTables(sql);
    await sql.close();
  });
  for (const other of await readdir(cache)) {
    if (/^ready-.*[0-9a-f]$/.test(other) && other !== name) await rm(join(cache, other), { recursive: true });
  }
  return [empty, ready];
}

/** @returns the directory, made if it is not there */
async function made(directory: string, make: (directory: string) => Promise<void>): Promise<string> {
  if (existsSync(directory)) return directory;
  const making = await mkdtemp(`${directory}.`);
  await make(making);
  // Another run may have been first: its template is as good.
  await rename(making, directory).catch(() => rm(making, { recursive: true }));
  return directory;
}

/** The tables of the event store and of the read models, without an event. */
async function makeTables(sql: Sql): Promise<void> {
  const reader = new EventReader(await PostgresEventStore.open(sql));
  const models = await Projector.open(sql, reader, READ_MODELS, (model, error) => {
    throw new Error(`the template's read model ${model} failed`, { cause: error });
  });
  models.start();
  while ((await sql.query('SELECT FROM read.models WHERE NOT built')).length > 0);
  await models.stop();
  reader.close();
  // Nobody is to wait for a process that was never there.
  await sql.query('DELETE FROM read.leases');
}

/** Tables are what the code says. */
function hashOfBuild(): string {
  const hash = createHash('sha256');
  for (const folder of ['src', 'projections']) {
    const files = readdirSync(join('dist', folder), { recursive: true, encoding: 'utf8' });
    for (const file of files.filter((name) => /\.(js|sql)$/.test(name)).sort()) {
      hash.update(readFileSync(join('dist', folder, file)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}
