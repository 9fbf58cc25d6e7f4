import pg from 'pg';
import type { Row, Sql } from '../../sql/sql.js';
import { SqlError, SqlUnavailable } from '../../sql/sql.js';

const INT8 = 20;
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === INT8 ? Number : (pg.types.getTypeParser(oid, format) as never),
};

/** SQLSTATE classes in which the server itself is in trouble: 08 connection, 57 shutdown, 53 resources. */
const UNAVAILABLE = /^(08|57|53)/;

function translate(error: unknown): Error {
  const { code, message } = error as { code?: string; message: string };
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !UNAVAILABLE.test(code)
    ? new SqlError(message, code)
    : new SqlUnavailable(message, { cause: error });
}

/**
 * PostgreSQL 14 or newer with pgvector and pg_trgm, through a pool.
 * @param url a connection string, e.g. `postgresql://user:password@host:5432/database`
 */
export async function openPostgres(url: string): Promise<Sql> {
  const pool = new pg.Pool({
    connectionString: url,
    max: 10,
    types,
    connectionTimeoutMillis: 5_000,
    query_timeout: 30_000,
  });
  // An idle connection that breaks is replaced by the pool; without a listener it would end Node.
  pool.on('error', () => undefined);

  const sql: Sql = {
    query: async <R extends object>(text: string, params: readonly unknown[] = []) => {
      try {
        return (await pool.query(text, [...params])).rows as R[];
      } catch (error) {
        throw translate(error);
      }
    },
    transaction: async (statements) => {
      let client: pg.PoolClient;
      try {
        client = await pool.connect();
      } catch (error) {
        throw translate(error);
      }
      let broken: Error | undefined;
      try {
        await client.query('BEGIN');
        const all: Row[][] = [];
        for (const { text, params = [] } of statements) {
          all.push((await client.query(text, [...params])).rows as Row[]);
        }
        await client.query('COMMIT');
        return all;
      } catch (error) {
        broken = translate(error);
        if (broken instanceof SqlError) {
          await client.query('ROLLBACK').then(
            () => (broken = undefined),
            () => undefined,
          );
        }
        throw translate(error);
      } finally {
        client.release(broken);
      }
    },
    script: async (text) => void (await sql.query(text)),
    close: () => pool.end(),
  };
  try {
    await sql.query('SELECT 1');
  } catch (error) {
    await pool.end();
    throw error;
  }
  return sql;
}
