import type { Environment } from '../../src/eventsourcing/event.js';
import type { ReadModelAccess } from '../../src/following/readModel.js';
import type { Sql } from '../../src/sql/sql.js';
import { compositeKey } from '../../src/eventsourcing/compositeKey.js';
import type { Dimension } from './cells.js';
import { QUARTER_MS, SIZES, tableOf } from './cells.js';
import type { BucketReading } from './readings.js';
import { readingsBetween } from './readings.js';
import type { Stretch } from './spans.js';
import { rowsOfStretches, spansOf } from './spans.js';
import type { CallDimension, CallsAsked, SketchRow } from '../calls/sketchTables.js';
import { readSketches } from '../calls/sketchTables.js';
import { timesTable } from './times.js';

export type { Dimension } from './cells.js';
export { DIMENSIONS, QUARTER_MS } from './cells.js';

/** Whose uses, and which of them: empty for what has none of a dimension. */
export interface UsesAsked {
  /** Undefined for all accounts. */
  readonly account: string | undefined;
  readonly environment: Environment;
  readonly filter: Readonly<Partial<Record<Dimension, string>>>;
  /** Properties that reports go by, and which values. */
  readonly properties?: Readonly<Record<string, string>> | undefined;
}

/** What reports are grouped by: a dimension, or a property by its name. */
export type Grouping = Dimension | `property.${string}`;

const PROPERTY = 'property.';

/** The property of a grouping by one; undefined for a dimension. */
export const propertyOf = (grouping: string): string | undefined =>
  grouping.startsWith(PROPERTY) ? grouping.slice(PROPERTY.length) : undefined;

/** What uses came to. Of each number of calls it is said how many uses there are, whatever they came to. */
export interface Sums {
  /** Amounts by meter, exact; of an account also what meters come to that do not add up. */
  readonly amounts: ReadonlyMap<string, bigint>;
  /** Uses, those that were refused or failed among them. */
  readonly uses: bigint;
  readonly refused: bigint;
  /** Internal errors and time-outs. */
  readonly errors: bigint;
  /** Of what was executed, in microseconds. */
  readonly durationUs: bigint;
}

export interface GroupSums extends Sums {
  /** A value for each dimension of the group. */
  readonly group: readonly string[];
}

export interface BucketSums extends GroupSums {
  /** Its place among the buckets, from 0 on. */
  readonly bucket: number;
}

/** What of the groups is shown. */
export interface Grouped<S> {
  readonly sums: readonly S[];
  /** How many groups there are. */
  readonly groups: number;
}

type Row = Readonly<Record<string, string | number>>;

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
    groupBy: readonly (Grouping | 'account')[],
    most: number,
    withReadings = true,
  ): Promise<Grouped<BucketSums>> {
    const params: unknown[] = [environment, most];
    const param = (value: unknown, type: string): string => `$${params.push(value)}::${type}`;
    const conditions = Object.entries(filter).map(
      ([column, value]) => ` AND c.${column} = ${param(value, 'text')}`,
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
       ), ranked AS (
         SELECT ${ranked && `${ranked}, `}row_number() OVER (ORDER BY sum(uses) DESC${group}) AS place,
                count(*) OVER () AS groups
           FROM cells${ranked && ` GROUP BY ${ranked}`}
          ORDER BY place LIMIT $2
       )
       SELECT bucket${group}, meter, amount::text, uses::text, refused::text, errors::text, duration_us::text,
              groups::int
         FROM cells ${ranked ? `JOIN ranked USING (${ranked})` : 'CROSS JOIN ranked'}
        WHERE amount <> 0 OR uses <> 0
        ORDER BY bucket, place, meter`,
      params,
    );
    const [rows, readings] = await Promise.all([
      cells,
      whose ? readingsBetween(this.sql, this.model, whose, boundaries, groupBy) : [],
    ]);
    return { sums: joined(added(rows, columns), readings), groups: Number(rows[0]?.['groups'] ?? 0) };
  }
}

/** The slots of a stretch, one by one. */
const single = (stretch: Stretch): Stretch[] =>
  Array.from({ length: stretch.to - stretch.from }, (_, i) => ({
    ...stretch,
    from: stretch.from + i,
    to: stretch.from + i + 1,
  }));

const READ = ['status', 'meter', 'amount', 'uses', 'duration_us'].map((column) => `c.${column}`);

const NOTHING: Sums = { amounts: new Map(), uses: 0n, refused: 0n, errors: 0n, durationUs: 0n };

/** The same, with what the uses say of meters that do not add up. */
function joined(sums: readonly BucketSums[], readings: readonly BucketReading[]): BucketSums[] {
  if (readings.length === 0) return [...sums];
  const byPlace = new Map<string, BucketReading[]>();
  for (const reading of readings) {
    const place = compositeKey(reading.bucket, ...reading.group);
    const known = byPlace.get(place);
    if (known) known.push(reading);
    else byPlace.set(place, [reading]);
  }
  return sums.map((sum) => {
    const own = byPlace.get(compositeKey(sum.bucket, ...sum.group)) ?? [];
    const amounts = own.map(({ meter, amount }) => [meter, amount] as const);
    return { ...sum, amounts: new Map([...sum.amounts, ...amounts]) };
  });
}

/** The rows of one bucket and group follow each other: one for each meter. */
function added(rows: readonly Row[], columns: readonly string[]): BucketSums[] {
  const sums: (Omit<BucketSums, 'amounts'> & { amounts: Map<string, bigint> })[] = [];
  for (const row of rows) {
    const bucket = row['bucket'] as number;
    const group = columns.map((column) => row[column] as string);
    const last = sums.at(-1);
    const same = last?.bucket === bucket && last.group.every((value, i) => value === group[i]);
    const before = same && last ? last : { ...NOTHING, bucket, group, amounts: new Map<string, bigint>() };
    const plus = (name: string): bigint => BigInt(row[name] as string);
    if (row['meter'] !== '') before.amounts.set(row['meter'] as string, plus('amount'));
    const sum = {
      ...before,
      uses: before.uses + plus('uses'),
      refused: before.refused + plus('refused'),
      errors: before.errors + plus('errors'),
      durationUs: before.durationUs + plus('duration_us'),
    };
    if (same) sums.pop();
    sums.push(sum);
  }
  return sums;
}
