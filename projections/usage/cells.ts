import { compositeKey } from '../../src/eventsourcing/compositeKey.js';
import { contentHash } from '../../src/eventsourcing/ids.js';
import type { Tables } from '../../src/following/readModel.js';
import type { Statement } from '../../src/sql/sql.js';
import type { Use } from '../../src/usage/events.js';
import { ExactSum } from '../../src/exactSum.js';

/**
 * Reports by hour, day and month of any time zone are sums of quarter-hours: there are zones of 5:45. Days of UTC
 * and quarters of them stand beside those, so that long reports read few rows, also in zones half an hour off.
 */
export const QUARTER_MS = 15 * 60_000;
export const QUARTERS_A_DAY = 96;

/** What reports are grouped and filtered by: columns of all tables. */
export const DIMENSIONS = [
  'key',
  'plan',
  'operation',
  'field',
  'endpoint',
  'source',
  'subject',
  'status',
] as const;
export type Dimension = (typeof DIMENSIONS)[number];
/** With the properties that reports go by, as one JSON object. */
export const CELL_COLUMNS = [...DIMENSIONS, 'properties'] as const;

/** Those columns of a table in a statement, with what their rows are found by. */
export const cellsOf = (table: string): string =>
  [...CELL_COLUMNS, 'quarter', 'dimensions'].map((column) => `${table}.${column}`).join(', ');

/** Whether a column has a value of its dimension. A call may have several fields: one of them, or all together. */
export const hasValue = (table: string, dimension: string, value: string): string =>
  dimension === 'field'
    ? `(${table}.field = ${value} OR ${value} = ANY(string_to_array(${table}.field, ',')))`
    : `${table}.${dimension} = ${value}`;

/** A use's value of each dimension; empty for what it has none of. */
const valuesOf = (use: Use): readonly string[] => [
  use.key,
  use.plan ?? '',
  use.operation ?? use.rootFields.join(','),
  use.rootFields.join(','),
  use.endpoint,
  use.source ?? '',
  use.subject ?? '',
  use.status,
  reportedIn(use),
];

/** A use's properties that reports go by, as JSON: the same for the same ones. */
export function reportedIn({ reportBy, properties = {} }: Use): string {
  if (reportBy === undefined) return '{}';
  const names = [...new Set(reportBy)].filter((name) => Object.hasOwn(properties, name)).sort();
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, properties[name]])));
}

/** Stands for the values of all dimensions in keys of tables, whose rows have a limit. */
const hashOf = (values: readonly string[]): string => contentHash(compositeKey(...values)).slice(0, 32);

/** Quarter-hours since the epoch. */
export const quarterOf = (at: number): number => Math.floor(at / QUARTER_MS);

/** What a use of a phase brings to the statement that counts it. */
export function cellColumns(use: Use): Readonly<Record<string, unknown>> {
  const values = valuesOf(use);
  const named = Object.fromEntries(CELL_COLUMNS.map((dimension, i) => [dimension, values[i]]));
  return { ...named, quarter: quarterOf(use.at), dimensions: hashOf(values) };
}

/** Tables, and how long their slots are in quarter-hours. */
const LENGTHS = { quarters: 1, six_hours: QUARTERS_A_DAY / 4, days: QUARTERS_A_DAY } as const;
type Table = keyof typeof LENGTHS;
export const CELL_TABLES = Object.keys(LENGTHS) as Table[];
/** The longest first. */
export const SIZES: readonly number[] = Object.values(LENGTHS).sort((a, b) => b - a);
export const tableOf = (size: number): Table =>
  CELL_TABLES.find((table) => LENGTHS[table] === size) ?? 'quarters';

const COLUMNS = ['account', 'environment', 'dimensions', ...CELL_COLUMNS, 'meter'] as const;
const KEY = 'account, environment, slot, dimensions, meter';
/** How the slots of a table follow from quarter-hours. */
const slotOf = (table: Table): string => (LENGTHS[table] === 1 ? 'quarter' : `quarter / ${LENGTHS[table]}`);
/** A row without any of them is none: so the rows do not tell how the events fell into pages. */
const NOTHING = 'amount = 0 AND uses = 0 AND duration_us = 0';

/** DDL of these tables. */
export const cellTables = (t: Tables): string =>
  CELL_TABLES.map(
    (table) => `
    -- What was used in each slot, by whom and what for.
    CREATE TABLE ${t(table)} (
      account     text NOT NULL,
      environment text NOT NULL,
      -- Of ${LENGTHS[table]} quarter-hours, since the epoch.
      slot        int NOT NULL,
      -- Stands for the ${CELL_COLUMNS.length} columns behind it.
      dimensions  uuid NOT NULL,
      ${CELL_COLUMNS.map((dimension) => `${dimension} text NOT NULL,`).join('\n      ')}
      -- Empty where a use has no amounts.
      meter       text NOT NULL,
      amount      numeric NOT NULL,
      -- Uses and their time of execution are counted once, with their first meter.
      uses        bigint NOT NULL,
      duration_us numeric NOT NULL,
      PRIMARY KEY (${KEY})
    );`,
  ).join('');

/** For sums over all accounts: rows lie about in the order of their time. */
export const cellIndexes = (t: Tables): string[] =>
  CELL_TABLES.map((table) => `CREATE INDEX ON ${t(table)} USING brin (slot)`);

/**
 * The part of a statement with which rows are added up.
 * @param given rows with a quarter, the columns above and their sums
 */
const upsert = (t: Tables, table: Table, given: string): string => `
    INSERT INTO ${t(table)} AS c (${KEY}, ${CELL_COLUMNS.join(', ')}, amount, uses, duration_us)
    SELECT account, environment, ${slotOf(table)}, dimensions, meter, ${CELL_COLUMNS.join(', ')},
           sum(amount), sum(uses)::bigint, sum(duration_us)
      FROM ${given}
     GROUP BY account, environment, ${slotOf(table)}, ${COLUMNS.slice(2).join(', ')}
    HAVING sum(amount) <> 0 OR sum(uses) <> 0 OR sum(duration_us) <> 0
     ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (${KEY}) DO UPDATE SET amount = c.amount + excluded.amount, uses = c.uses + excluded.uses,
      duration_us = c.duration_us + excluded.duration_us`;

/**
 * The parts of the statement about uses whose ids may come again, behind its `changes`: those have `sign`,
 * `meters`, `duration_us` and the columns of `cellColumns`.
 */
export const cellParts = (t: Tables, where: string): string => `
  cells AS (
    SELECT account, environment, quarter, dimensions, ${CELL_COLUMNS.join(', ')}, m.meter, sign * m.amount AS amount,
           CASE WHEN m.first THEN sign ELSE 0 END AS uses,
           CASE WHEN m.first THEN sign * duration_us ELSE 0 END AS duration_us
      FROM changes,
           LATERAL (SELECT key AS meter, value::numeric AS amount, row_number() OVER (ORDER BY key COLLATE "C") = 1 AS first
                      FROM jsonb_each_text(meters)
                     UNION ALL SELECT '', 0, true WHERE meters = '{}') AS m
     WHERE ${where}
  ), ${CELL_TABLES.map((table) => `cells_${table} AS (${upsert(t, table, 'cells')}\n  )`).join(', ')}`;

/** Rows of given JSON, as `emptyCells` asks for them. */
const FROM_JSON =
  'json_to_recordset($1::json) AS g(account text, environment text, quarter int, dimensions uuid)';

/**
 * Takes away rows of a table that came to nothing.
 * @param given rows `g` with account, environment, quarter and dimensions
 */
export const emptyCell = (t: Tables, table: Table, given: string): string => `
  DELETE FROM ${t(table)} AS c
   USING ${given}
   WHERE c.account = g.account AND c.environment = g.environment AND c.slot = ${slotOf(table)}
     AND c.dimensions = g.dimensions AND ${NOTHING}`;

/** The same of all tables. @param given an array of JSON with account, environment, quarter and dimensions */
export const emptyCells = (t: Tables, given: string): Statement[] =>
  CELL_TABLES.map((table) => ({ text: emptyCell(t, table, FROM_JSON), params: [given] }));

/** What a quarter-hour has of a meter. */
interface Cell {
  readonly meter: string;
  readonly amount: ExactSum;
  uses: number;
  readonly durationUs: ExactSum;
}

/** The rows of uses that have all their dimensions in common. */
export class CellsOfPlace {
  readonly columns: readonly unknown[];
  /** The same by the names of the columns. */
  readonly named: Readonly<Record<string, unknown>>;
  readonly #cells = new Map<string, Cell>();

  constructor(account: string, { environment, at }: Use, values: readonly string[]) {
    const named = Object.fromEntries(CELL_COLUMNS.map((dimension, i) => [dimension, values[i]]));
    this.named = { account, environment, quarter: quarterOf(at), dimensions: hashOf(values), ...named };
    this.columns = Object.values(this.named);
  }

  add(use: Use, sign: 1 | -1): void {
    let first: string | undefined;
    for (const meter in use.meters) {
      if (first === undefined || meter < first) first = meter;
      const amount = use.meters[meter] as number;
      if (amount !== 0) this.#of(meter).amount.add(sign * amount);
    }
    const cell = this.#of(first ?? '');
    cell.uses += sign * (use.refusal?.count ?? 1);
    cell.durationUs.add(sign * use.durationUs);
  }

  *rows(): Generator<readonly unknown[]> {
    for (const { meter, amount, uses, durationUs } of this.#cells.values()) {
      yield [...this.columns, meter, String(amount), uses, String(durationUs)];
    }
  }

  #of(meter: string): Cell {
    let cell = this.#cells.get(meter);
    if (!cell) {
      this.#cells.set(meter, (cell = { meter, amount: new ExactSum(), uses: 0, durationUs: new ExactSum() }));
    }
    return cell;
  }
}

/** The quarter-hours of one page. */
export class Cells {
  readonly #places = new Map<string, CellsOfPlace>();
  #takesBack = false;

  /** Where uses like this one are counted. */
  placeOf(account: string, use: Use): CellsOfPlace {
    const values = valuesOf(use);
    const id = compositeKey(account, use.environment, quarterOf(use.at), ...values);
    let place = this.#places.get(id);
    if (!place) this.#places.set(id, (place = new CellsOfPlace(account, use, values)));
    return place;
  }

  /** Something is taken back: rows may come to nothing. */
  takesBack(): void {
    this.#takesBack = true;
  }

  statements(t: Tables): Statement[] {
    const rows = [...this.#places.values()].flatMap((place) => [...place.rows()]);
    if (rows.length === 0) return [];
    const types = [
      'text',
      'text',
      'int',
      'uuid',
      ...CELL_COLUMNS.map(() => 'text'),
      'text',
      'numeric',
      'bigint',
      'numeric',
    ];
    const names = [
      'account',
      'environment',
      'quarter',
      'dimensions',
      ...CELL_COLUMNS,
      'meter',
      'amount',
      'uses',
      'duration_us',
    ];
    const given = `unnest(${types.map((type, i) => `$${i + 1}::${type}[]`).join(', ')}) AS g(${names.join(', ')})`;
    const params = types.map((_type, i) => rows.map((row) => row[i]));
    const added = CELL_TABLES.map((table) => ({ text: upsert(t, table, given), params }));
    if (!this.#takesBack) return added;
    const touched = [...this.#places.values()].map(({ named }) => named);
    return [...added, ...emptyCells(t, JSON.stringify(touched))];
  }
}
