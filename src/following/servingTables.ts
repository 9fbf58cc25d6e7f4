import type { Sql } from '../sql/sql.js';
import { SqlError } from '../sql/sql.js';
import type { ReadModel } from './readModel.js';

const UNDEFINED_TABLE = '42P01';
/** As `tableNames` makes them. */
const TABLE = /\bread\.([A-Za-z]+)_v(\d+)_g\d+_/g;

/** Which tables serve. */
export interface Pointers {
  generationOf(model: string): number;
  /** Reads the pointers anew, where another process may have moved them. */
  refresh(): Promise<void>;
}

/**
 * The database for queries of read models. A rebuild moves the pointer to new tables and drops the old
 * ones, while queries that name the old ones may still be on their way, in this process or in another:
 * such a query is sent again, to the tables that serve now. They hold the same rows or newer ones.
 */
export function onServingTables(sql: Sql, models: readonly ReadModel[], pointers: Pointers): Sql {
  const versions = new Map(models.map(({ name, version }) => [name, version]));
  const renamed = (text: string): string =>
    text.replace(TABLE, (table, name: string, version: string) =>
      versions.get(name) === Number(version)
        ? `read.${name}_v${version}_g${pointers.generationOf(name)}_`
        : table,
    );
  const again = async <R>(texts: readonly string[], error: unknown, send: () => Promise<R>): Promise<R> => {
    if (!(error instanceof SqlError) || error.code !== UNDEFINED_TABLE) throw error;
    await pointers.refresh();
    if (texts.every((text) => renamed(text) === text)) throw error;
    return send();
  };
  return {
    script: (text) => sql.script(text),
    close: () => sql.close(),
    query: <R extends object>(...[text, params, priority]: Parameters<Sql['query']>): Promise<R[]> =>
      sql
        .query<R>(text, params, priority)
        .catch((error: unknown) => again([text], error, () => sql.query<R>(renamed(text), params, priority))),
    transaction: (statements, priority) =>
      sql.transaction(statements, priority).catch((error: unknown) =>
        again(
          statements.map(({ text }) => text),
          error,
          () =>
            sql.transaction(
              statements.map((statement) => ({ ...statement, text: renamed(statement.text) })),
              priority,
            ),
        ),
      ),
  };
}
