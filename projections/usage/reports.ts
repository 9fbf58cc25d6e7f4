import type { Environment } from '../../src/eventsourcing/event.js';
import type { ReadModelAccess } from '../../src/following/readModel.js';
import type { Sql } from '../../src/sql/sql.js';
import type { Dimension } from './cells.js';
import { DIMENSIONS, hasValue, QUARTER_MS, SIZES, tableOf } from './cells.js';
import { readingsBetween } from './readings.js';
import type { BucketSums, Grouped, GroupSums, Row, Sums } from './reportRows.js';
import { added, joined, NOTHING, othersOf } from './reportRows.js';
import type { Stretch } from './spans.js';
import { rowsOfStretches, spansOf } from './spans.js';
import type { CallDimension, CallsAsked, SketchRow } from '../calls/sketchTables.js';
import { readSketches } from '../calls/sketchTables.js';
import { timesTable } from './times.js';

export type { Dimension } from './cells.js';
export { QUARTER_MS } from './cells.js';
export type { BucketSums, Grouped, GroupSums, OtherSums, Sums } from './reportRows.js';
export { addedUp } from './reportRows.js';

/** Whose uses, and which of them: empty for what has none of a dimension. */
export interface UsesAsked {
  /** Undefined for all accounts. */
  readonly account: string | undefined;
  readonly environment: Environment;
  readonly filter: Readonly<Partial<Record<Dimension, string>>>;
  /** Properties that reports go by, and which values. */
  readonly properties?: Readonly<Record<string, string>> | undefined;
}

/** What reports are grouped by, beside properties. */
export const GROUPINGS = ['account', ...DIMENSIONS] as const;

/** Whose uses, a dimension, or a property by its name. */
export type Grouping = (typeof GROUPINGS)[number] | `property.${string}`;

const PROPERTY = 'property.';

/** The property of a grouping by one; undefined for a dimension. */
export const propertyOf = (grouping: string): string | undefined =>
  grouping.startsWith(PROPERTY) ? grouping.slice(PROPERTY.length) : undefined;

/** The uses of quarter-hours, six hours and days, added up. */
export class UsageReports {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  /**
   * All of a time.
   * @param to exclusive; both at a quarter-hour
   * @param readings whether meters that do not add up are among the amounts: each of their uses is read for that
   */
  async total(asked: UsesAsked, from: Date, to: Date, readings = true): Promise<Sums> {
    const { sums } = await this.#sums(asked, [from, to], [], 1, readings);
    return sums[0] ?? NOTHING;
  }

  /** By group, those with the most uses first. */
  groups(
    asked: UsesAsked,
    from: Date,
    to: Date,
    groupBy: readonly Grouping[],
    most: number,
  ): Promise<Grouped<GroupSums>> {
    return this.#sums(asked, [from, to], groupBy, most);
  }

  /** By account, those with the most uses first. */
  accounts(asked: UsesAsked, from: Date, to: Date, most: number): Promise<Grouped<GroupSums>> {
    return this.#sums(asked, [from, to], ['account'], most);
  }

  /**
   * By time and group: of each group that is shown what it has of each bucket, the oldest first; buckets without
   * uses are left out.
   * @param boundaries one more than there are buckets, ascending, each at a quarter-hour
   * @param most groups at most, those with the most uses
   * @param readings as for a total
   */
  timeline(
    asked: UsesAsked,
    boundaries: readonly Date[],
    groupBy: readonly Grouping[],
    most: number,
    readings = true,
  ): Promise<Grouped<BucketSums>> {
    return this.#sums(asked, boundaries, groupBy, most, readings);
  }

  /**
   * Sketches of how long reported uses took, by time and group, merged.
   * @param boundaries one more than there are buckets, ascending
   * @param groups which groups
   */
  times(
    asked: CallsAsked,
    boundaries: readonly Date[],
    groupBy: readonly CallDimension[],
    groups: readonly (readonly string[])[],
  ): Promise<readonly SketchRow[]> {
    const nameOf = (table: Parameters<typeof timesTable>[0]): string => this.model.t(timesTable(table));
    return readSketches(this.sql, nameOf, asked, 'duration', boundaries, groupBy, groups);
  }

  async #sums(
    { account, environment, filter, properties = {} }: UsesAsked,
    boundaries: readonly Date[],
    groupBy: readonly Grouping[],
    most: number,
    withReadings = true,
  ): Promise<Grouped<BucketSums>> {
    const params: unknown[] = [environment, most];
    const param = (value: unknown, type: string): string => `$${params.push(value)}::${type}`;
    const conditions = Object.entries(filter).map(
      ([dimension, value]) => ` AND ${hasValue('c', dimension, param(value, 'text'))}`,
    );
    if (account !== undefined) conditions.push(` AND c.account = ${param(account, 'text')}`);
    const propertyIn = (name: string): string =>
      `coalesce(c.properties::jsonb ->> ${param(name, 'text')}, '')`;
    for (const [name, value] of Object.entries(properties)) {
      conditions.push(` AND ${propertyIn(name)} = ${param(value, 'text')}`);
    }
    const where = `c.environment = $1${conditions.join('')}`;
    const columns = groupBy.map((_, i) => `group${i}`);
    const grouped = groupBy.map((grouping, i) => {
      const property = propertyOf(grouping);
      return `${property === undefined ? `c.${grouping}` : propertyIn(property)} AS group${i}`;
    });
    const read = [...grouped, ...READ].join();
    const quarters = boundaries.map((date) => Math.floor(date.getTime() / QUARTER_MS));
    const parts = spansOf(quarters, SIZES).flatMap(({ size, stretches }) => {
      if (stretches.length === 0) return [];
      const slots = size === 1 ? stretches : stretches.flatMap(single);
      const given = (['from', 'to', 'plus', 'minus'] as const)
        .map((name) =>
          param(
            slots.map((slot) => slot[name]),
            'int[]',
          ),
        )
        .join();
      // Longer slots are met one by one: there are ever so few of them in an interval.
      const meets = size === 1 ? 'c.slot >= s."from" AND c.slot < s."to"' : 'c.slot = s."from"';
      const table = this.model.t(tableOf(size));
      return [rowsOfStretches(table, given, `${meets} AND ${where}`, read, account !== undefined)];
    });
    const group = columns.map((column) => `, ${column}`).join('');
    const ranked = columns.length === 0 ? '' : columns.join();
    const whose =
      account === undefined || !withReadings ? undefined : { account, environment, filter, properties };
    const cells = this.sql.query<Row>(
      `WITH cells AS MATERIALIZED (
         SELECT bucket${group}, meter, sum(sign * amount) AS amount, sum(sign * uses) AS uses,
                coalesce(sum(sign * uses) FILTER (WHERE status = 'refused'), 0) AS refused,
                coalesce(sum(sign * uses) FILTER (WHERE status IN ('error', 'timeout')), 0) AS errors,
                sum(sign * duration_us) AS duration_us
           FROM (${parts.join(' UNION ALL ')}) AS c
          GROUP BY bucket${group}, meter
         -- Longer slots have what is taken off again.
         HAVING sum(sign * amount) <> 0 OR sum(sign * uses) <> 0
       ), ranked AS (
         SELECT ${ranked && `${ranked}, `}row_number() OVER (ORDER BY sum(uses) DESC${group})::int AS place,
                count(*) OVER ()::int AS groups
           FROM cells${ranked && ` GROUP BY ${ranked}`}
       )
       SELECT bucket${group}, meter, amount::text, uses::text, refused::text, errors::text, duration_us::text,
              place, groups, 0 AS nth
         FROM cells ${ranked ? `JOIN ranked USING (${ranked})` : 'CROSS JOIN ranked'}
        WHERE place <= $2::int
       ${ranked && others(columns)}
        ORDER BY bucket, place, meter`,
      params,
    );
    const [rows, readings] = await Promise.all([
      cells,
      whose ? readingsBetween(this.sql, this.model, whose, boundaries, groupBy) : [],
    ]);
    const isShown = (row: Row): boolean => Number(row['place']) <= most;
    const shown = added(rows.filter(isShown), columns);
    return {
      sums: joined(shown, readings),
      omitted: Math.max(0, Number(rows[0]?.['groups'] ?? 0) - most),
      others: othersOf(rows.filter((row) => !isShown(row))),
    };
  }
}

/** The part of the query about the groups behind those that are shown. */
const others = (columns: readonly string[]): string => `
        UNION ALL
       SELECT bucket, ${columns.map(() => 'NULL').join()}, meter, sum(amount)::text, sum(uses)::text,
              sum(refused)::text, sum(errors)::text, sum(duration_us)::text, $2::int + 1, max(groups), max(nth)
         FROM (SELECT cells.*, groups, dense_rank() OVER (PARTITION BY bucket ORDER BY place)::int AS nth
                 FROM cells JOIN ranked USING (${columns.join()})
                WHERE place > $2::int) AS rest
        GROUP BY bucket, meter`;

/** The slots of a stretch, one by one. */
const single = (stretch: Stretch): Stretch[] =>
  Array.from({ length: stretch.to - stretch.from }, (_, i) => ({
    ...stretch,
    from: stretch.from + i,
    to: stretch.from + i + 1,
  }));

const READ = ['status', 'meter', 'amount', 'uses', 'duration_us'].map((column) => `c.${column}`);
