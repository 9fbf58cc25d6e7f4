import { compositeKey } from '../../src/eventsourcing/compositeKey.js';
import type { Environment } from '../../src/eventsourcing/event.js';
import { contentHash } from '../../src/eventsourcing/ids.js';
import type { Sql } from '../../src/sql/sql.js';
import type { Use } from '../../src/usage/events.js';
import { rowsOfStretches, spansOf } from '../usage/spans.js';
import type { Bin } from './sketches.js';

export const HOUR_MS = 3_600_000;

/** What sketches are grouped and filtered by. */
export const CALL_DIMENSIONS = ['key', 'operation', 'endpoint', 'source'] as const;
export type CallDimension = (typeof CALL_DIMENSIONS)[number];

/** What sketches are of: the time of execution in microseconds, and cost points. */
export const MEASURES = ['duration', 'cost'] as const;
export type Measure = (typeof MEASURES)[number];

/** How long the slots of tables are, in hours. */
export const SKETCH_HOURS = { hours: 1, days: 24 } as const;
export type SketchTable = keyof typeof SKETCH_HOURS;
export const SKETCH_TABLES = Object.keys(SKETCH_HOURS) as SketchTable[];

/** Hours of UTC since the epoch. */
export const hourOf = (at: number): number => Math.floor(at / HOUR_MS);

/** A use's value of each dimension; empty for what it has none of. */
export const dimensionsOf = (use: Use): readonly string[] => [
  use.key,
  use.operation ?? use.rootFields.join(','),
  use.endpoint,
  use.source ?? '',
];

/** Stands for the values of all dimensions. */
export const cellOf = (dimensions: readonly string[]): string =>
  contentHash(compositeKey(...dimensions)).slice(0, 32);

const KEY = 'account, environment, slot, cell, measure';
export const SKETCH_COLUMNS = [
  'account',
  'environment',
  'slot',
  'cell',
  'measure',
  ...CALL_DIMENSIONS,
] as const;

/** DDL of one of the tables. @param name in the database */
export const sketchTable = (name: string, table: SketchTable): string => `
    CREATE TABLE ${name} (
      account     text NOT NULL,
      environment text NOT NULL,
      -- ${table === 'days' ? 'Days' : 'Hours'} of UTC since the epoch.
      slot        int NOT NULL,
      -- Stands for the ${CALL_DIMENSIONS.length} columns behind it.
      cell        uuid NOT NULL,
      ${CALL_DIMENSIONS.map((dimension) => `${dimension} text NOT NULL,`).join('\n      ')}
      measure     text NOT NULL,
      -- Bins of the sketch that are not empty, ascending, and how many values are in each.
      bins        smallint[] NOT NULL,
      counts      bigint[] NOT NULL,
      PRIMARY KEY (${KEY})
    );`;

/** The statement with which sketches are added up. @param given rows of the columns above, bins and counts */
export const mergeSketches = (name: string, given: string): string => `
    INSERT INTO ${name} AS c (${SKETCH_COLUMNS.join(', ')}, bins, counts)
    SELECT ${SKETCH_COLUMNS.join(', ')}, bins, counts FROM ${given}
    ON CONFLICT (${KEY}) DO UPDATE SET (bins, counts) = (
      SELECT coalesce(array_agg(s.bin ORDER BY s.bin), '{}'), coalesce(array_agg(s.count ORDER BY s.bin), '{}')
        FROM (SELECT u.bin, sum(u.count)::bigint AS count
                FROM unnest(c.bins || excluded.bins, c.counts || excluded.counts) AS u(bin, count)
               GROUP BY u.bin HAVING sum(u.count) <> 0) AS s)`;

/** Whose calls, and which of them. */
export interface CallsAsked {
  /** Undefined for all accounts. */
  readonly account: string | undefined;
  readonly environment: Environment;
  readonly filter: Readonly<Partial<Record<CallDimension, string>>>;
}

/** A sketch of the calls of a group in a bucket. */
export interface SketchRow {
  /** Its place among the buckets, from 0 on. */
  readonly bucket: number;
  /** A value for each dimension. */
  readonly group: readonly string[];
  readonly bins: readonly Bin[];
}

const BY_SIZE = Object.entries(SKETCH_HOURS) as readonly (readonly [table: SketchTable, hours: number])[];

/**
 * Sketches by time and group, merged. An hour of UTC belongs to the bucket that it begins in.
 * @param nameOf names a table in the database
 * @param boundaries one more than there are buckets, ascending
 * @param groups which groups; undefined for all
 */
export async function readSketches(
  sql: Sql,
  nameOf: (table: SketchTable) => string,
  { account, environment, filter }: CallsAsked,
  measure: Measure,
  boundaries: readonly Date[],
  groupBy: readonly CallDimension[],
  groups?: readonly (readonly string[])[],
): Promise<readonly SketchRow[]> {
  const params: unknown[] = [environment, measure];
  const param = (value: unknown, type: string): string => `$${params.push(value)}::${type}`;
  const conditions = Object.entries(filter).map(
    ([column, value]) => ` AND c.${column} = ${param(value, 'text')}`,
  );
  if (account !== undefined) conditions.push(` AND c.account = ${param(account, 'text')}`);
  if (groups && groupBy.length > 0) {
    const wanted = groupBy
      .map((_, i) =>
        param(
          groups.map((group) => group[i]),
          'text[]',
        ),
      )
      .join();
    const columns = groupBy.map((column) => `c.${column}`).join();
    conditions.push(` AND (${columns}) IN (SELECT * FROM unnest(${wanted}))`);
  }
  const read = groupBy.map((column) => `c.${column}, `).join('');
  const hours = boundaries.map((date) => Math.ceil(date.getTime() / HOUR_MS));
  const parts = spansOf(hours, [SKETCH_HOURS.days, SKETCH_HOURS.hours]).flatMap(({ size, stretches }) => {
    const table = BY_SIZE.find(([, length]) => length === size)?.[0];
    if (table === undefined || stretches.length === 0) return [];
    const given = (['from', 'to', 'plus', 'minus'] as const)
      .map((name) =>
        param(
          stretches.map((stretch) => stretch[name]),
          'int[]',
        ),
      )
      .join();
    const where = `c.slot >= s."from" AND c.slot < s."to" AND c.environment = $1 AND c.measure = $2`;
    return [
      rowsOfStretches(
        nameOf(table),
        given,
        `${where}${conditions.join('')}`,
        `${read}c.bins, c.counts`,
        account !== undefined,
      ),
    ];
  });
  if (parts.length === 0) return [];
  const columns = groupBy.map((column) => `, ${column}`).join('');
  const rows = await sql.query<{ bucket: number; bins: Bin[] } & Record<CallDimension, string>>(
    `SELECT bucket${columns}, json_agg(json_build_array(bin, count) ORDER BY bin) AS bins
       FROM (SELECT c.bucket${columns}, u.bin, sum(c.sign * u.count) AS count
               FROM (${parts.join(' UNION ALL ')}) AS c
              CROSS JOIN LATERAL unnest(c.bins, c.counts) AS u(bin, count)
              GROUP BY c.bucket${columns}, u.bin HAVING sum(c.sign * u.count) <> 0) AS s
      GROUP BY bucket${columns}`,
    params,
  );
  return rows.map((row) => ({
    bucket: row.bucket,
    group: groupBy.map((column) => row[column]),
    bins: row.bins,
  }));
}
