import type { ReadModelAccess } from '../../src/following/readModel.js';
import type { Sql } from '../../src/sql/sql.js';
import type { CallDimension, CallsAsked, Measure, SketchRow } from './sketchTables.js';
import { CALL_DIMENSIONS, HOUR_MS, readSketches } from './sketchTables.js';

export type { CallDimension, CallsAsked, Measure, SketchRow } from './sketchTables.js';

export interface DenialRow {
  /** The limit by its id; empty where the record does not say. */
  readonly limit: string;
  readonly code: string;
  /** How many calls it has refused, exact. */
  readonly calls: bigint;
}

export const isCallDimension = (name: string): name is CallDimension =>
  (CALL_DIMENSIONS as readonly string[]).includes(name);

/** How calls went: sketches of their time and cost, and which limits have refused them. */
export class CallQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  /**
   * Sketches of calls that were executed here, by time and group, merged.
   * @param boundaries one more than there are buckets, ascending
   * @param groups which groups; undefined for all
   */
  sketches(
    asked: CallsAsked,
    measure: Measure,
    boundaries: readonly Date[],
    groupBy: readonly CallDimension[],
    groups?: readonly (readonly string[])[],
  ): Promise<readonly SketchRow[]> {
    return readSketches(
      this.sql,
      (table) => this.model.t(table),
      asked,
      measure,
      boundaries,
      groupBy,
      groups,
    );
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
