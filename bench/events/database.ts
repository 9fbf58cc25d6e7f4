import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { openPostgres } from '../../src/adapters/postgres/pg.js';
import type { Sql } from '../../src/sql/sql.js';

/** A database of its own on the PostgreSQL at `url`, for as long as `work` takes. */
export async function onOwnDatabase<T>(url: string, work: (sql: Sql, url: string) => Promise<T>): Promise<T> {
  const name = `bench_${randomBytes(6).toString('hex')}`;
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  try {
    const sql = await openPostgres(own.toString());
    try {
      await sql.script('CREATE EXTENSION IF NOT EXISTS vector; CREATE EXTENSION IF NOT EXISTS pg_trgm;');
      return await work(sql, own.toString());
    } finally {
      await sql.close();
    }
  } finally {
    await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await admin.end();
  }
}
