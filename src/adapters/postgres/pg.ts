import pg from 'pg';
import type { Row, Sql, SqlPriority } from '../../sql/sql.js';
import { SqlError, SqlUnavailable } from '../../sql/sql.js';
import { Notifications } from './notifications.js';

const INT8 = 20;
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === INT8 ? Number : (pg.types.getTypeParser(oid, format) as never),
};

/**
 * SQLSTATEs by which the server itself is in trouble: 08 connection, 57 shutdown or given up, 53
 * resources, 25P03 a transaction that it waited too long for.
 */
const UNAVAILABLE = /^(08|57|53|25P03)/;
/** Those of them after which the connection still works. */
const STILL_CONNECTED = /^(53|57014)/;

const sqlState = (error: unknown): string | undefined => {
  const { code } = error as { code?: string };
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
};

function translate(error: unknown): Error {
  const { message } = error as Error;
  const code = sqlState(error);
  return code !== undefined && !UNAVAILABLE.test(code)
    ? new SqlError(message, code)
    : new SqlUnavailable(message, { cause: error });
}

/** Whether the connection is lost on which this happened: it broke, or it fell silent. */
function isConnectionLost(error: unknown): boolean {
  const code = sqlState(error);
  return code === undefined || (UNAVAILABLE.test(code) && !STILL_CONNECTED.test(code));
}

/** For a new connection, and for one that is free. */
const CONNECT_MS = 3_000;
/**
 * How long the server works on a statement, by priority; then it says that it has given up. What people
 * wait for is short, so that an outage is over for them soon after it is over.
 */
const STATEMENT_MS: Readonly<Record<SqlPriority, number>> = {
  journal: 4_000,
  query: 4_000,
  projection: 60_000,
};
/** How much later a server that says nothing at all counts as away. */
const SILENCE_MS = 1_000;
/** Held by one script at a time, over all processes. */
const SCRIPT_LOCK = 7310426002;
/** A client that vanished within a transaction keeps its locks no longer than this. */
const IDLE_IN_TRANSACTION_MS = 4_000;

/**
 * PostgreSQL 14 or newer with pgvector and pg_trgm, through a pool. Every call ends within a bound of
 * ours, also when the server or the network falls silent without a word.
 * @param url a connection string, e.g. `postgresql://user:password@host:5432/database`
 */
export async function openPostgres(url: string): Promise<Sql> {
  let connections = new Connections(url);
  const notifications = new Notifications(url);

  /** Runs `use` on a connection; one that is lost takes all others along, since nothing tells whether they live. */
  const withClient = async <R>(use: (client: pg.PoolClient) => Promise<R>): Promise<R> => {
    const from = connections;
    let client: pg.PoolClient;
    try {
      client = await from.pool.connect();
    } catch (error) {
      throw translate(error);
    }
    let lost = false;
    try {
      return await use(client);
    } catch (error) {
      lost = isConnectionLost(error);
      throw translate(error);
    } finally {
      client.release(lost);
      if (lost && connections === from) {
        connections = new Connections(url);
        from.discard();
      }
    }
  };

  const sql: Sql = {
    query: async <R extends object>(
      text: string,
      params: readonly unknown[] = [],
      priority: SqlPriority = 'query',
    ) => {
      if (priority === 'projection') return (await sql.transaction([{ text, params }], priority))[0] as R[];
      return withClient(async (client) => (await client.query(text, [...params])).rows as R[]);
    },
    transaction: (statements, priority = 'query') =>
      withClient(async (client) => {
        const ms = Math.max(STATEMENT_MS[priority], ...statements.map(({ timeoutMs = 0 }) => timeoutMs));
        try {
          await client.query(`BEGIN; SET LOCAL statement_timeout = ${ms}`);
          const all: Row[][] = [];
          for (const { text, params = [] } of statements) {
            all.push((await client.query(timed(ms, text, params))).rows as Row[]);
          }
          await client.query(timed(ms, 'COMMIT'));
          return all;
        } catch (error) {
          if (!isConnectionLost(error)) await client.query('ROLLBACK');
          throw error;
        }
      }),
    // Several statements sent as one are a transaction of their own. Processes that start together migrate
    // one after the other: IF NOT EXISTS alone does not stand a race.
    script: async (text) => {
      const ms = STATEMENT_MS.projection;
      const before = `SET LOCAL statement_timeout = ${ms}; SELECT pg_advisory_xact_lock(${SCRIPT_LOCK})`;
      await withClient((client) => client.query(timed(ms, `${before}; ${text}`)));
    },
    listen: (channel, listener) => notifications.listen(channel, listener),
    close: async () => {
      await notifications.close();
      await connections.pool.end();
    },
  };
  try {
    await sql.query('SELECT 1');
  } catch (error) {
    await connections.pool.end();
    throw error;
  }
  return sql;
}

interface TimedQuery extends pg.QueryConfig {
  /** Milliseconds until it fails without an answer; missing in the driver's types. */
  readonly query_timeout: number;
}

const timed = (ms: number, text: string, params: readonly unknown[] = []): TimedQuery => ({
  text,
  ...(params.length > 0 && { values: [...params] }),
  query_timeout: ms + SILENCE_MS,
});

/** A pool whose connections live and end together. */
class Connections {
  readonly pool: pg.Pool;
  readonly #busy = new Set<pg.PoolClient>();

  constructor(url: string) {
    this.pool = new pg.Pool({
      connectionString: url,
      max: 10,
      types,
      connectionTimeoutMillis: CONNECT_MS,
      // Statements that take JSON apart look dear to the planner: compiling one took 3 s, running it 2 ms.
      options: '-c jit=off',
      statement_timeout: STATEMENT_MS.query,
      query_timeout: STATEMENT_MS.query + SILENCE_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: 5_000,
    });
    // Whoever uses a connection that breaks learns it from the query, and an idle one is replaced by the
    // pool; but without listeners the error would end Node, in the pool and on the connection.
    this.pool.on('error', () => undefined);
    this.pool.on('connect', (client) => client.on('error', () => undefined));
    this.pool.on('acquire', (client) => this.#busy.add(client));
    this.pool.on('release', (_error, client) => this.#busy.delete(client));
  }

  /** Ends all of them where they stand: who waits for an answer learns at once that none will come. */
  discard(): void {
    void this.pool.end();
    for (const client of this.#busy) void client.end();
  }
}
