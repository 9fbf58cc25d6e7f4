import type { Sql } from '../sql/sql.js';
import type { Tables } from './readModel.js';

/** A row that is not the same in two generations. */
export interface DifferingRow {
  readonly key: Readonly<Record<string, unknown>>;
  /** Null where the old generation lacks it. */
  readonly before: Readonly<Record<string, unknown>> | null;
  /** Null where the new generation lacks it. */
  readonly after: Readonly<Record<string, unknown>> | null;
}

export interface TableDifference {
  readonly table: string;
  /** Rows of the old generation that the new one lacks. */
  readonly missing: number;
  /** Rows of the new generation that the old one lacks. */
  readonly added: number;
  readonly changed: number;
  /** The first few. */
  readonly examples: readonly DifferingRow[];
}

const MAX_EXAMPLES = 5;

interface Key {
  readonly name: string;
  readonly type: string;
}

interface Counts {
  readonly missing: number;
  readonly added: number;
  readonly changed: number;
}

/**
 * Compares a table of two generations row for row, along the primary key in chunks: no statement is
 * long, so that queries get in between on one connection.
 * @returns undefined when all rows are the same
 */
export async function compareTable(
  sql: Sql,
  table: string,
  before: Tables,
  after: Tables,
  chunkRows: number,
): Promise<TableDifference | undefined> {
  const keys = await primaryKey(sql, before(table));
  const columns = keys.map(({ name }) => name).join(', ');
  const total = { missing: 0, added: 0, changed: 0 };
  const examples: DifferingRow[] = [];

  const one = keys[0]?.name as string;
  for (let from: readonly string[] | undefined; ;) {
    const to = await lastKeyOfChunk(sql, before(table), keys, from, chunkRows);
    const [where, params] = range(keys, from, to);
    const joined = `
      FROM (SELECT * FROM ${before(table)} ${where}) AS o
      FULL JOIN (SELECT * FROM ${after(table)} ${where}) AS n USING (${columns})
      WHERE o.${one} IS NULL OR n.${one} IS NULL OR o *<> n`;
    const [counts] = await sql.query<Counts>(
      `SELECT count(*) FILTER (WHERE n.${one} IS NULL) AS missing,
              count(*) FILTER (WHERE o.${one} IS NULL) AS added,
              count(*) FILTER (WHERE o.${one} IS NOT NULL AND n.${one} IS NOT NULL) AS changed ${joined}`,
      params,
      'projection',
    );
    if (counts && counts.missing + counts.added + counts.changed > 0) {
      total.missing += counts.missing;
      total.added += counts.added;
      total.changed += counts.changed;
      const rows = await sql.query<Omit<DifferingRow, 'key'>>(
        `SELECT to_jsonb(o) AS before, to_jsonb(n) AS after ${joined} ORDER BY ${columns} LIMIT $${params.length + 1}`,
        [...params, MAX_EXAMPLES - examples.length],
        'projection',
      );
      for (const row of rows) {
        const some = row.before ?? row.after ?? {};
        examples.push({ key: Object.fromEntries(keys.map(({ name }) => [name, some[name]])), ...row });
      }
    }
    if (!to) break;
    from = to;
  }
  return total.missing + total.added + total.changed > 0 ? { table, ...total, examples } : undefined;
}

async function primaryKey(sql: Sql, table: string): Promise<Key[]> {
  const keys = await sql.query<Key>(
    `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type
       FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS k(attnum, ord), pg_attribute a
      WHERE i.indrelid = $1::regclass AND i.indisprimary
        AND a.attrelid = i.indrelid AND a.attnum = k.attnum
      ORDER BY k.ord`,
    [table],
    'projection',
  );
  if (keys.length === 0) throw new Error(`${table} has no primary key to compare its rows by`);
  return keys;
}

/** The key that a chunk of the old table ends with; undefined when it is the last one. */
async function lastKeyOfChunk(
  sql: Sql,
  table: string,
  keys: readonly Key[],
  from: readonly string[] | undefined,
  rows: number,
): Promise<string[] | undefined> {
  const [where, params] = range(keys, from, undefined);
  const names = keys.map(({ name }) => name);
  const [row] = await sql.query<{ last: string[] }>(
    `SELECT ARRAY[${names.map((name) => `${name}::text`).join(', ')}] AS last FROM ${table} ${where}
      ORDER BY ${names.join(', ')} OFFSET ${rows - 1} LIMIT 1`,
    params,
    'projection',
  );
  return row?.last;
}

/** The rows behind `from` (exclusive) up to `to` (inclusive). */
function range(
  keys: readonly Key[],
  from: readonly string[] | undefined,
  to: readonly string[] | undefined,
): [where: string, params: string[]] {
  const params: string[] = [];
  const row = `(${keys.map(({ name }) => name).join(', ')})`;
  const bound = (operator: string, values: readonly string[] | undefined): string[] => {
    if (!values) return [];
    const casts = keys.map(({ type }, i) => `$${params.push(values[i] as string)}::text::${type}`);
    return [`${row} ${operator} (${casts.join(', ')})`];
  };
  const bounds = [...bound('>', from), ...bound('<=', to)];
  return [bounds.length > 0 ? `WHERE ${bounds.join(' AND ')}` : '', params];
}

/** A digest of all rows of a table, whatever their physical order. */
export async function rowsDigest(sql: Sql, t: Tables, table: string): Promise<string> {
  const rows = await sql.query<{ digest: string }>(
    `SELECT count(*) || ':' || coalesce(md5(string_agg(md5(r::text), '' ORDER BY md5(r::text))), '') AS digest
       FROM ${t(table)} AS r`,
  );
  return rows[0]?.digest ?? '';
}
