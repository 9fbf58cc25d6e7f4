import type { Sql } from '../../src/sql/sql.js';

export interface Queried {
  readonly text: string;
  readonly params: unknown[];
}

/** A database that keeps what it is asked. */
export function recording(sql: Sql): { readonly sql: Sql; readonly queries: Queried[] } {
  const queries: Queried[] = [];
  const query = (text: string, params: unknown[] = []) => {
    queries.push({ text, params });
    return sql.query(text, params);
  };
  return { sql: { ...sql, query } as Sql, queries };
}

interface PlanNode {
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** How many rows of tables a plan has read. */
function rowsOf({ Plans = [], ...node }: PlanNode): number {
  const { 'Actual Rows': rows, 'Actual Loops': loops, 'Rows Removed by Filter': removed = 0 } = node;
  const own = node['Relation Name'] === undefined ? 0 : (rows + removed) * loops;
  return Plans.reduce((sum, plan) => sum + rowsOf(plan), own);
}

/**
 * How many rows of tables a query reads, as the database itself has counted.
 * @param settings in force for it: of few rows a planner would rather read all
 */
export async function rowsRead(
  sql: Sql,
  { text, params }: Queried,
  settings: readonly string[] = [],
): Promise<number> {
  const answers = await sql.transaction([
    ...settings.map((setting) => ({ text: `SET LOCAL ${setting}` })),
    { text: `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${text}`, params },
  ]);
  const [row] = (answers.at(-1) ?? []) as unknown as { 'QUERY PLAN': [{ Plan: PlanNode }] }[];
  if (!row) throw new Error('the database explains nothing');
  return rowsOf(row['QUERY PLAN'][0].Plan);
}
