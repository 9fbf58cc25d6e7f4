import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { openPglite } from '../../src/adapters/postgres/pglite.js';

const PGLITE = join('node_modules', '@electric-sql', 'pglite', 'package.json');
const EXTENSIONS = 'CREATE EXTENSION IF NOT EXISTS vector; CREATE EXTENSION IF NOT EXISTS pg_trgm;';

/** Makes the database that every test file gets a copy of: creating one anew takes seconds. */
export default async function globalSetup(): Promise<void> {
  if (process.env['TEST_TEMPLATE'] !== undefined) return;
  const url = process.env['DATABASE_URL'];
  if (url === undefined) {
    process.env['TEST_TEMPLATE'] = await embeddedTemplate();
    return;
  }
  const name = `tollgraph_test_${process.pid}`;
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  await admin.end();
  const template = new pg.Client({ connectionString: withDatabase(url, name) });
  await template.connect();
  await template.query(EXTENSIONS);
  await template.end();
  process.env['TEST_TEMPLATE'] = name;
}

/** An embedded database with nothing in it, kept from run to run: making it costs six seconds of CPU. */
async function embeddedTemplate(): Promise<string> {
  const { version } = JSON.parse(await readFile(PGLITE, 'utf8')) as { version: string };
  const cache = join('node_modules', '.cache', 'tollgraph');
  const template = join(process.cwd(), cache, `pglite-${version}`);
  if (existsSync(template)) return template;
  await mkdir(cache, { recursive: true });
  const directory = await mkdtemp(`${template}.`);
  const sql = await openPglite(directory);
  await sql.script(EXTENSIONS);
  await sql.close();
  // Another run may have been first: its template is as good.
  await rename(directory, template).catch(() => rm(directory, { recursive: true }));
  return template;
}

export function withDatabase(url: string, name: string): string {
  const parsed = new URL(url);
  parsed.pathname = `/${name}`;
  return parsed.toString();
}
