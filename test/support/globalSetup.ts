import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { openPglite } from '../../src/adapters/postgres/pglite.js';

const EXTENSIONS = 'CREATE EXTENSION IF NOT EXISTS vector; CREATE EXTENSION IF NOT EXISTS pg_trgm;';

/** Makes the database that every test file gets a copy of: creating one anew takes seconds. */
export default async function globalSetup(): Promise<void> {
  if (process.env['TEST_TEMPLATE'] !== undefined) return;
  const url = process.env['DATABASE_URL'];
  if (url === undefined) {
    const directory = await mkdtemp(join(tmpdir(), 'tollgraph-template-'));
    const sql = await openPglite(directory);
    await sql.script(EXTENSIONS);
    await sql.close();
    process.env['TEST_TEMPLATE'] = directory;
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

export function withDatabase(url: string, name: string): string {
  const parsed = new URL(url);
  parsed.pathname = `/${name}`;
  return parsed.toString();
}
