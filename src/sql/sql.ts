import { Outage } from '../outage.js';

/** A row as the driver returns it: bigint columns as safe integers, timestamps as Date. */
export type Row = Record<string, unknown>;

export interface Statement {
  readonly text: string;
  readonly params?: readonly unknown[];
  /** For what takes longer than any query may, such as an index over many rows. */
  readonly timeoutMs?: number;
}

/** On PGlite's one connection the journal goes first, then queries, then projections (decision 18). */
export type SqlPriority = 'journal' | 'query' | 'projection';

/**
 * The port to PostgreSQL, native or embedded. A transaction is a list of statements and never
 * interactive: guards are statements that raise.
 */
export interface Sql {
  query<R extends object = Row>(
    text: string,
    params?: readonly unknown[],
    priority?: SqlPriority,
  ): Promise<R[]>;
  /** All statements in one transaction; the rows of each. */
  transaction(statements: readonly Statement[], priority?: SqlPriority): Promise<Row[][]>;
  /** Several statements separated by semicolons, without parameters, all or none, one script at a time. */
  script(text: string): Promise<void>;
  /**
   * Calls back when a channel was told something (NOTIFY) by whatever process, and whenever that may have
   * been missed. Absent where no other process can be (PGlite).
   * @returns how to stop listening
   */
  listen?(channel: string, listener: () => void): () => void;
  close(): Promise<void>;
}

/** Whether a table has been made yet, by whichever process makes it. */
export async function tableExists(sql: Sql, table: string): Promise<boolean> {
  const [row] = await sql.query<{ exists: boolean }>('SELECT to_regclass($1) IS NOT NULL AS exists', [table]);
  return row?.exists === true;
}

/** The database refused a statement (bad data, a guard that raised): repeating it changes nothing. */
export class SqlError extends Error {
  constructor(
    message: string,
    /** PostgreSQL's SQLSTATE. */
    readonly code: string,
  ) {
    super(message);
    this.name = 'SqlError';
  }
}

/** The database cannot be reached, or did not answer: whether a write happened is unknown. */
export class SqlUnavailable extends Outage {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'SqlUnavailable';
  }
}

/** SQLSTATE of `RAISE EXCEPTION` in our own guards. */
export const GUARD_FAILED = 'TG001';

/** SQLSTATE of the guard of a lease: another process holds it now. */
export const LEASE_LOST = 'TG002';
