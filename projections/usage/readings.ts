import { compositeKey } from '../../src/eventsourcing/compositeKey.js';
import type { Environment } from '../../src/eventsourcing/event.js';
import { contentHash } from '../../src/eventsourcing/ids.js';
import type { ReadModelAccess, Tables } from '../../src/following/readModel.js';
import type { Sql } from '../../src/sql/sql.js';
import type { Use } from '../../src/usage/events.js';
import { phaseNumber } from '../../src/usage/events.js';
import { isDay, isPartOfLifetime } from '../../src/usage/limits/periods.js';
import type { Dimension } from './cells.js';
import { CELL_COLUMNS, hasValue } from './cells.js';

/** Whose readings are read together: columns, each with an index. */
const CALENDAR = ['day', 'month'] as const;

/** DDL: what single uses say of meters whose uses do not add up. */
export const readingTables = (t: Tables): string => `
    -- Whatever is asked for is computed from these: from hours neither days nor months follow.
    CREATE TABLE ${t('readings')} (
      -- useHash in src/usage/events.ts.
      id          uuid NOT NULL,
      meter       text NOT NULL,
      account     text NOT NULL,
      environment text NOT NULL,
      ${CELL_COLUMNS.map((column) => `${column} text NOT NULL,`).join('\n      ')}
      -- max, latest or unique.
      aggregation text NOT NULL,
      -- Milliseconds since the epoch.
      at          bigint NOT NULL,
      -- The place of the record: of two of one time the later one is the latest.
      position    bigint NOT NULL,
      place       int NOT NULL,
      -- Null for unique.
      amount      numeric,
      -- Stands for what is counted once; null for the others.
      value       uuid,
      -- In which day and month of the calendar it counts, which are not those of its time where it came late.
      day         text NOT NULL,
      month       text NOT NULL,
      PRIMARY KEY (id, meter)
    );`;

export const readingIndexes = (t: Tables): string[] => [
  `CREATE INDEX ON ${t('readings')} (account, environment, at)`,
  ...CALENDAR.map((period) => `CREATE INDEX ON ${t('readings')} (account, environment, ${period})`),
  // What was taken back is rare, and looked up for every reading that is read.
  `CREATE INDEX ON ${t('ids')} (id) WHERE phase = ${phaseNumber('reversed')}`,
];

/** What a use brings to the statement that counts it. */
export const readingsOf = ({ readings = {}, properties = {}, periods }: Use): readonly object[] => {
  const [day = '', month = ''] = [periods.find(isDay), periods.find(isPartOfLifetime)];
  return Object.entries(readings).map(([meter, { aggregation, ...reading }]) => {
    const says =
      'property' in reading
        ? { value: hashOf(reading.property, properties[reading.property] ?? '') }
        : { amount: reading.amount };
    return { meter, aggregation, ...says, day, month };
  });
};

const hashOf = (property: string, value: string): string =>
  contentHash(compositeKey(property, value)).slice(0, 32);

/** The part of the statement about uses whose ids may come again, behind its `counted`. */
export const readingPart = (t: Tables): string => `
  readings AS (
    INSERT INTO ${t('readings')}
           (id, meter, account, environment, ${CELL_COLUMNS.join(', ')}, aggregation, at, position, place, amount, value, day, month)
    SELECT c.id, m.meter, c.account, c.environment, ${CELL_COLUMNS.map((column) => `c.${column}`).join(', ')},
           m.aggregation, c.at, c.position, c.place, m.amount, m.value, m.day, m.month
      FROM counted c, jsonb_to_recordset(c.readings)
             AS m(meter text, aggregation text, amount numeric, value uuid, day text, month text)
     WHERE c.phase = ${phaseNumber('final')}
  )`;

/** What readings come to, by their aggregation. */
const VALUE = `CASE r.aggregation
    WHEN 'max' THEN max(r.amount)
    WHEN 'latest' THEN (array_agg(r.amount ORDER BY r.at DESC, r.position DESC, r.place DESC))[1]
    ELSE count(DISTINCT r.value) END::text AS amount`;

/** What was taken back counts no more, whichever of the two was read first. */
const counts = (t: Tables): string =>
  `NOT EXISTS (SELECT FROM ${t('ids')} i WHERE i.id = r.id AND i.phase = ${phaseNumber('reversed')})`;

/** Whose readings, and which of them. */
export interface ReadingsAsked {
  readonly account: string;
  readonly environment: Environment;
  readonly filter: Readonly<Partial<Record<Dimension, string>>>;
  readonly properties: Readonly<Record<string, string>>;
}

/** What the readings of a bucket and group came to. */
export interface BucketReading {
  /** Its place among the buckets, from 0 on. */
  readonly bucket: number;
  /** A value for each part of the group. */
  readonly group: readonly string[];
  readonly meter: string;
  readonly amount: bigint;
}

/**
 * What readings came to between boundaries, by group.
 * @param groupBy dimensions, `account`, or properties as `property.<name>`
 */
export async function readingsBetween(
  sql: Sql,
  { t }: Pick<ReadModelAccess, 't'>,
  { account, environment, filter, properties }: ReadingsAsked,
  boundaries: readonly Date[],
  groupBy: readonly string[],
): Promise<BucketReading[]> {
  const times = boundaries.map((date) => date.getTime());
  const params: unknown[] = [account, environment, times, times[0], times.at(-1)];
  const conditions = Object.entries(filter).map(
    ([dimension, value]) => ` AND ${hasValue('r', dimension, `$${params.push(value)}::text`)}`,
  );
  const propertyIn = (name: string): string =>
    `coalesce(r.properties::jsonb ->> $${params.push(name)}::text, '')`;
  for (const [name, value] of Object.entries(properties)) {
    conditions.push(` AND ${propertyIn(name)} = $${params.push(value)}::text`);
  }
  const columns = groupBy.map((_, i) => `group${i}`);
  const read = groupBy.map((grouping, i) => {
    const [, property] = /^property\.(.*)$/s.exec(grouping) ?? [];
    return `, ${property === undefined ? `r.${grouping}` : propertyIn(property)} AS group${i}`;
  });
  const group = columns.map((column) => `, ${column}`).join('');
  const rows = await sql.query<Readonly<Record<string, string | number>>>(
    `SELECT width_bucket(r.at, $3::bigint[]) - 1 AS bucket${read.join('')}, r.meter, ${VALUE}
       FROM ${t('readings')} r
      WHERE r.account = $1 AND r.environment = $2 AND r.at >= $4::bigint AND r.at < $5::bigint${conditions.join('')}
        AND ${counts(t)}
      GROUP BY 1${group}, r.meter, r.aggregation
      ORDER BY r.aggregation`,
    params,
  );
  return rows.map((row) => ({
    bucket: row['bucket'] as number,
    group: columns.map((column) => row[column] as string),
    meter: row['meter'] as string,
    amount: BigInt(row['amount'] as string),
  }));
}

/**
 * What the readings of an account, or of a key of it, came to in a day or month of the calendar, by meter.
 * @param period `day:2026-11-29` or `month:2026-11`
 */
export async function readingsIn(
  sql: Sql,
  { t }: Pick<ReadModelAccess, 't'>,
  {
    account,
    environment,
    key,
  }: { readonly account: string; readonly environment: Environment; readonly key: string | undefined },
  period: string,
): Promise<ReadonlyMap<string, bigint>> {
  const rows = await sql.query<{ meter: string; amount: string }>(
    `SELECT r.meter, ${VALUE} FROM ${t('readings')} r
      WHERE r.account = $1 AND r.environment = $2 AND ($3::text IS NULL OR r.key = $3)
        AND r.${isDay(period) ? 'day' : 'month'} = $4
        AND ${counts(t)}
      GROUP BY r.meter, r.aggregation ORDER BY r.aggregation`,
    [account, environment, key ?? null, period],
  );
  return new Map(rows.map(({ meter, amount }) => [meter, BigInt(amount)]));
}
