import { randomBytes } from 'node:crypto';
import { cpSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { openPostgres } from '../../src/adapters/postgres/pg.js';
import { openPglite } from '../../src/adapters/postgres/pglite.js';
import type { Sql } from '../../src/sql/sql.js';

/** The store that this run of the suite is on. */
export const ON_POSTGRES = process.env['DATABASE_URL'] !== undefined;

/** A place for one test file's data: a data directory, and a database of its own on PostgreSQL. */
export interface Place {
  readonly dataDir: string;
  /** Undefined on PGlite, which lives in the data directory. */
  readonly databaseUrl: string | undefined;
  remove(): Promise<void>;
}

/** @param ready with the tables that the first start would make */
export async function freshPlace({ ready = false } = {}): Promise<Place> {
  const template = process.env[ready ? 'TEST_TEMPLATE_READY' : 'TEST_TEMPLATE'];
  if (template === undefined) throw new Error('globalSetup has not run');
  const dataDir = await mkdtemp(join(process.env['TEST_PLACES'] ?? tmpdir(), 'tollgraph-'));
  const removeDir = (): Promise<void> => rm(dataDir, { recursive: true, force: true });
  const url = process.env['DATABASE_URL'];
  if (url === undefined) {
    // A thousand small files: awaiting each takes longer than to copy it.
    cpSync(template, join(dataDir, 'postgres'), { recursive: true });
    return { dataDir, databaseUrl: undefined, remove: removeDir };
  }
  const name = `t_${randomBytes(6).toString('hex')}`;
  await administer(url, `CREATE DATABASE ${name} TEMPLATE ${template}`);
  return {
    dataDir,
    databaseUrl: withDatabase(url, name),
    remove: async () => {
      await administer(url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await removeDir();
    },
  };
}

export function openSql({ dataDir, databaseUrl }: Place): Promise<Sql> {
  return databaseUrl === undefined ? openPglite(join(dataDir, 'postgres')) : openPostgres(databaseUrl);
}

/** A database of its own, and how to be rid of it. */
export async function freshSql(): Promise<{ sql: Sql; remove(): Promise<void> }> {
  const place = await freshPlace();
  const sql = await openSql(place);
  return {
    sql,
    remove: async () => {
      await sql.close();
      await place.remove();
    },
  };
}

export function withDatabase(url: string, name: string): string {
  const parsed = new URL(url);
  parsed.pathname = `/${name}`;
  return parsed.toString();
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
