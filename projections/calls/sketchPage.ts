import { compositeKey } from '../../src/eventsourcing/compositeKey.js';
import type { Statement } from '../../src/sql/sql.js';
import type { Use } from '../../src/usage/events.js';
import { binOf } from './sketches.js';
import type { Measure, SketchTable } from './sketchTables.js';
import {
  CALL_DIMENSIONS,
  cellOf,
  dimensionsOf,
  hourOf,
  MEASURES,
  mergeSketches,
  SKETCH_COLUMNS,
  SKETCH_HOURS,
  SKETCH_TABLES,
} from './sketchTables.js';

type Counts = Map<number, number>;

/** The calls of an hour that have all their dimensions in common. */
interface Cell {
  readonly account: string;
  readonly environment: string;
  readonly hour: number;
  readonly dimensions: readonly string[];
  readonly counts: Readonly<Record<Measure, Counts>>;
}

const plus = (counts: Counts, bin: number, count: number): void =>
  void counts.set(bin, (counts.get(bin) ?? 0) + count);

/** What the events of one page add to sketches. */
export class SketchPage {
  readonly #cells = new Map<string, Cell>();
  #last: { readonly account: string; readonly use: Use; readonly cell: Cell } | undefined;
  #takesBack = false;

  /** @param value of the use */
  add(account: string, use: Use, measure: Measure, value: number, sign: 1 | -1): void {
    if (sign === -1) this.#takesBack = true;
    plus(this.#cellOf(account, use).counts[measure], binOf(value), sign);
  }

  /** @param nameOf names a table in the database */
  statements(nameOf: (table: SketchTable) => string): Statement[] {
    return SKETCH_TABLES.flatMap((table) => this.#sketches(nameOf(table), table));
  }

  /** Calls that follow each other mostly go to the same place. */
  #cellOf(account: string, use: Use): Cell {
    const last = this.#last;
    if (last?.account === account && goTogether(last.use, use)) return last.cell;
    const hour = hourOf(use.at);
    const dimensions = dimensionsOf(use);
    const id = compositeKey(account, use.environment, hour, ...dimensions);
    let cell = this.#cells.get(id);
    if (!cell) {
      const counts = { duration: new Map(), cost: new Map() };
      cell = { account, environment: use.environment, hour, dimensions, counts };
      this.#cells.set(id, cell);
    }
    this.#last = { account, use, cell };
    return cell;
  }

  #sketches(name: string, table: SketchTable): Statement[] {
    const rows = new Map<string, { readonly of: readonly unknown[]; readonly counts: Counts }>();
    for (const { account, environment, hour, dimensions, counts } of this.#cells.values()) {
      const slot = Math.floor(hour / SKETCH_HOURS[table]);
      const cell = cellOf(dimensions);
      for (const measure of MEASURES) {
        const id = compositeKey(account, environment, slot, cell, measure);
        const row = rows.get(id) ?? {
          of: [account, environment, slot, cell, measure, ...dimensions],
          counts: new Map(),
        };
        for (const [bin, count] of counts[measure]) plus(row.counts, bin, count);
        rows.set(id, row);
      }
    }
    const given = [...rows].flatMap(([id, { of, counts }]) => {
      const bins = [...counts].filter(([, count]) => count !== 0);
      return bins.length === 0 ? [] : [{ id, of, bins }];
    });
    if (given.length === 0) return [];
    // In the order of their keys: two folds never wait for each other's rows.
    given.sort((a, b) => (a.id < b.id ? -1 : 1));
    const added = addSketches(name, given);
    return this.#takesBack ? [added, removeEmpty(name, given)] : [added];
  }
}

/** Rows of a table, by its columns. */
type Rows = readonly {
  readonly of: readonly unknown[];
  readonly bins: readonly (readonly [bin: number, count: number])[];
}[];

const addSketches = (name: string, given: Rows): Statement => ({
  text: mergeSketches(
    name,
    `json_to_recordset($1::json)
        AS g(account text, environment text, slot int, cell uuid, measure text,
             ${CALL_DIMENSIONS.map((dimension) => `${dimension} text`).join(', ')}, bins smallint[], counts bigint[])`,
  ),
  params: [
    JSON.stringify(
      given.map(({ of, bins }) => {
        const ascending = [...bins].sort(([a], [b]) => a - b);
        return {
          ...Object.fromEntries(SKETCH_COLUMNS.map((column, i) => [column, of[i]])),
          bins: ascending.map(([bin]) => bin),
          counts: ascending.map(([, count]) => count),
        };
      }),
    ),
  ],
});

/** Takes away rows that came to nothing. */
const removeEmpty = (name: string, given: Rows): Statement => ({
  text: `DELETE FROM ${name} WHERE account = ANY($1::text[]) AND slot = ANY($2::int[]) AND bins = '{}'`,
  params: [
    [...new Set(given.map(({ of: [account] }) => account))],
    [...new Set(given.map(({ of: [, , slot] }) => slot))],
  ],
});

const goTogether = (a: Use, b: Use): boolean =>
  hourOf(a.at) === hourOf(b.at) &&
  a.key === b.key &&
  a.environment === b.environment &&
  a.endpoint === b.endpoint &&
  a.source === b.source &&
  a.operation === b.operation &&
  (a.operation !== null || a.rootFields.join() === b.rootFields.join());
