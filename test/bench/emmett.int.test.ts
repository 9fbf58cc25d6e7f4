import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { writeLog } from '../../bench/events/log.js';
import { MODELS } from '../../bench/events/rebuild.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import { freshSql } from '../support/database.js';

/** What the benchmark's projections for emmett are. */
interface Projections {
  readonly PROJECTIONS: readonly {
    readonly canHandle: readonly string[];
    readonly tables: readonly string[];
    readonly evolve: (
      event: StoredEvent,
    ) => readonly (readonly [text: string, ...values: (string | number | null)[]])[];
  }[];
  readonly tablesLike: (like: Readonly<Record<string, string>>) => string;
}

const literal = (value: string | number | null): string =>
  value === null ? 'NULL' : pg.escapeLiteral(String(value));

it('has emmett build the same rows as our own read models, which it is measured against', async () => {
  const { PROJECTIONS, tablesLike } = (await import(
    pathToFileURL(join('bench', 'emmett', 'projections.mjs')).href
  )) as Projections;
  const database = await freshSql();
  const { sql } = database;
  try {
    const store = await PostgresEventStore.open(sql);
    await writeLog(sql, 400);
    const events = await store.readAll(0, 1_000, 4 * 1024 * 1024);
    await sql.script('CREATE SCHEMA ours');
    const ours = new Map(
      MODELS.flatMap(({ name, tables }) =>
        tables.map((table) => [`${name}_${table}`, `ours.${name}_${table}`] as const),
      ),
    );
    for (const model of MODELS) {
      const t = (table: string): string => `ours.${model.name}_${table}`;
      await sql.script(model.create(t));
      const handled = events.filter(({ type }) => model.handles.has(type));
      await sql.transaction([...model.fold(handled, t)], 'projection');
    }
    await sql.script(tablesLike(Object.fromEntries(ours)));
    for (const { canHandle, evolve } of PROJECTIONS) {
      for (const event of events.filter(({ type }) => canHandle.includes(type))) {
        for (const [text, ...values] of evolve(event)) {
          await sql.query(text.replace(/%[Ls]/g, () => literal(values.shift() ?? null)));
        }
      }
    }
    const compared: string[] = [];
    for (const { tables } of PROJECTIONS) {
      for (const table of tables) {
        const rows = (of: string) =>
          sql.query<{ row: string }>(`SELECT r::text AS row FROM ${of} AS r ORDER BY 1`);
        const [mine, theirs] = [await rows(`ours.${table}`), await rows(`emmett.${table}`)];
        expect({ table, rows: theirs }).toEqual({ table, rows: mine });
        if (mine.length > 0) compared.push(table);
      }
    }
    // And nothing that ours build is left out of the comparison.
    const filled: string[] = [];
    for (const [name, table] of ours) {
      const [{ n } = { n: 0 }] = await sql.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`);
      if (n > 0) filled.push(name);
    }
    expect(compared.sort()).toEqual(filled.sort());
  } finally {
    await database.remove();
  }
});
