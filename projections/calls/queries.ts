import type { Environment } from '../../src/eventsourcing/event.js';
import type { ReadModelAccess } from '../../src/following/readModel.js';
import type { Sql } from '../../src/sql/sql.js';
import { rowsOfStretches, spansOf } from '../usage/spans.js';
import type { CallDimension, Measure } from './model.js';
import { CALL_DIMENSIONS, HOUR_MS, HOURS_A_DAY, SKETCHES } from './model.js';
import type { Bin } from './sketches.js';

export type { CallDimension, Measure } from './model.js';

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

export interface DenialRow {
  /** The limit by its id; empty where the record does not say. */
  readonly limit: string;
  readonly code: string;
  /** How many calls it has refused, exact. */
  readonly calls: bigint;
}

export const isCallDimension = (name: string): name is CallDimension =>
  (CALL_DIMENSIONS as readonly string[]).includes(name);

const BY_SIZE = Object.entries(SKETCHES) as readonly (readonly [
  table: keyof typeof SKETCHES,
  hours: number,
])[];

/** How calls went: sketches of their time and cost, and which limits have refused them. */
export class CallQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  /**
   * Sketches by time and group, merged. An hour of UTC belongs to the bucket that it begins in.
   * @param boundaries one more than there are buckets, ascending
   * @param groups which groups; undefined for all
   */
  async sketches(
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
    const parts = spansOf(hours, [HOURS_A_DAY, 1]).flatMap(({ size, stretches }) => {
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
          this.model.t(table),
          given,
          `${where}${conditions.join('')}`,
          `${read}c.bins, c.counts`,
          account !== undefined,
        ),
      ];
    });
    if (parts.length === 0) return [];
    const columns = groupBy.map((column) => `, ${column}`).join('');
    const rows = await this.sql.query<{ bucket: number; bins: Bin[] } & Record<CallDimension, string>>(
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

  /** What limits have refused from one hour to another (exclusive), those that refused the most first. */
  async denials(
    { account, environment }: Pick<CallsAsked, 'account' | 'environment'>,
    from: Date,
    to: Date,
    most: number,
  ): Promise<readonly DenialRow[]> {
    const rows = await this.sql.query<{ limit: string; code: string; calls: string }>(
      `SELECT limit_name AS limit, code, sum(calls)::text AS calls FROM ${this.model.t('denials')}
        WHERE environment = $1 AND ($2::text IS NULL OR account = $2) AND slot >= $3 AND slot < $4
        GROUP BY 1, 2 HAVING sum(calls) > 0 ORDER BY sum(calls) DESC, 1, 2 LIMIT $5`,
      [environment, account ?? null, hourOf(from), hourOf(to), most],
    );
    return rows.map((row) => ({ ...row, calls: BigInt(row.calls) }));
  }
}

const hourOf = (date: Date): number => Math.ceil(date.getTime() / HOUR_MS);
