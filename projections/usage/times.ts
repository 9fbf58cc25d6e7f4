import type { Tables } from '../../src/following/readModel.js';
import type { Statement } from '../../src/sql/sql.js';
import type { Use } from '../../src/usage/events.js';
import { binOf } from '../calls/sketches.js';
import type { SketchTable } from '../calls/sketchTables.js';
import {
  CALL_DIMENSIONS,
  cellOf,
  dimensionsOf,
  mergeSketches,
  SKETCH_HOURS,
  SKETCH_TABLES,
  sketchTable,
} from '../calls/sketchTables.js';

/** Of the tables that say how long reported uses took, as their back ends have measured it. */
export const timesTable = (table: SketchTable) => `timed_${table}` as const;
export const TIMES_TABLES = SKETCH_TABLES.map(timesTable);

/** DDL of these tables. */
export const timesTables = (t: Tables): string =>
  SKETCH_TABLES.map((table) => sketchTable(t(timesTable(table)), table)).join('');

/** For sums over all accounts. */
export const timesIndexes = (t: Tables): string[] =>
  TIMES_TABLES.map((table) => `CREATE INDEX ON ${t(table)} USING brin (slot)`);

/** What a use brings to the statement that counts it; nothing where nobody has said how long it took. */
export const timeColumns = (use: Use): { readonly cell: string | null; readonly bin: number | null } =>
  use.durationUs > 0
    ? { cell: cellOf(dimensionsOf(use)), bin: binOf(use.durationUs) }
    : { cell: null, bin: null };

const QUARTERS_AN_HOUR = 4;
const COLUMNS = ['account', 'environment', 'cell', ...CALL_DIMENSIONS].join(', ');

/**
 * The parts of the statement about uses whose ids may come again, behind its `changes`: those have `sign` and the
 * columns above.
 */
export const timeParts = (t: Tables, where: string): string =>
  SKETCH_TABLES.map((table) => {
    const slot = `quarter / ${QUARTERS_AN_HOUR * SKETCH_HOURS[table]}`;
    const bins = `SELECT ${COLUMNS}, ${slot} AS slot, bin, sum(sign)::bigint AS count FROM changes
       WHERE bin IS NOT NULL AND ${where}
       GROUP BY ${COLUMNS}, ${slot}, bin HAVING sum(sign) <> 0`;
    const sketches = `SELECT ${COLUMNS}, slot, 'duration' AS measure,
             array_agg(bin ORDER BY bin) AS bins, array_agg(count ORDER BY bin) AS counts
        FROM (${bins}) AS b
       GROUP BY ${COLUMNS}, slot ORDER BY account, environment, slot, cell`;
    return `
  timed_${table} AS (${mergeSketches(t(timesTable(table)), `(${sketches}) AS g`)}
  )`;
  }).join(', ');

/** Takes away rows that came to nothing. @param given an array of JSON with account, environment, quarter, cell */
export const emptyTimes = (t: Tables, given: string): Statement[] =>
  SKETCH_TABLES.map((table) => ({
    text: `DELETE FROM ${t(timesTable(table))} AS c
            USING json_to_recordset($1::json) AS g(account text, environment text, quarter int, cell uuid)
            WHERE c.account = g.account AND c.environment = g.environment AND c.cell = g.cell
              AND c.slot = g.quarter / ${QUARTERS_AN_HOUR * SKETCH_HOURS[table]} AND c.bins = '{}'`,
    params: [given],
  }));
