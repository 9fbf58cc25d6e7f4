import { compositeKey } from '../../src/eventsourcing/compositeKey.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import { as } from '../../src/eventsourcing/event.js';
import { contentHash } from '../../src/eventsourcing/ids.js';
import type { ReadModel, Tables } from '../../src/following/readModel.js';
import type { Statement } from '../../src/sql/sql.js';
import type { ParkedUseEvent, UsageEvent, Use } from '../../src/usage/events.js';
import { PRICED_ELSEWHERE } from '../../src/usage/events.js';
import { usesOf } from '../../src/usage/readUses.js';
import { binOf } from './sketches.js';

export const HOUR_MS = 3_600_000;
export const HOURS_A_DAY = 24;

/** What sketches are grouped and filtered by. */
export const CALL_DIMENSIONS = ['key', 'operation', 'endpoint'] as const;
export type CallDimension = (typeof CALL_DIMENSIONS)[number];

/** What sketches are of: the time of execution in microseconds, and cost points. */
export const MEASURES = ['duration', 'cost'] as const;
export type Measure = (typeof MEASURES)[number];

/** Tables of sketches, and how long their slots are in hours. */
export const SKETCHES = { hours: 1, days: HOURS_A_DAY } as const;
type SketchTable = keyof typeof SKETCHES;
const TABLES = Object.keys(SKETCHES) as SketchTable[];

const KEY = 'account, environment, slot, cell, measure';

/**
 * How calls went that were executed here, beside what they came to: sketches of their time and cost by the hour, and
 * what was refused by which limit. Uses that were reported afterwards have neither.
 */
export const calls: ReadModel = {
  name: 'calls',
  awaited: false,
  version: 1,
  tables: [...TABLES, 'denials'],
  // Bins and counts are added up, in whatever order.
  independent: true,
  handles: new Set<(UsageEvent | ParkedUseEvent)['type']>([
    'UsesRecorded',
    'UsesCorrected',
    'ParkedUseCorrected',
  ]),
  create: (t) => `
    ${TABLES.map(
      (table) => `
    CREATE TABLE ${t(table)} (
      account     text NOT NULL,
      environment text NOT NULL,
      -- ${table === 'days' ? 'Days' : 'Hours'} of UTC since the epoch.
      slot        int NOT NULL,
      -- Stands for the three columns behind it.
      cell        uuid NOT NULL,
      ${CALL_DIMENSIONS.map((dimension) => `${dimension} text NOT NULL,`).join('\n      ')}
      measure     text NOT NULL,
      -- Bins of the sketch that are not empty, ascending, and how many values are in each.
      bins        smallint[] NOT NULL,
      counts      bigint[] NOT NULL,
      PRIMARY KEY (${KEY})
    );`,
    ).join('')}
    CREATE TABLE ${t('denials')} (
      account     text NOT NULL,
      environment text NOT NULL,
      -- Hours of UTC since the epoch.
      slot        int NOT NULL,
      limit_name  text NOT NULL,
      code        text NOT NULL,
      calls       bigint NOT NULL,
      PRIMARY KEY (account, environment, slot, limit_name, code)
    );`,
  indexes: (t) => [...TABLES, 'denials'].map((table) => `CREATE INDEX ON ${t(table)} USING brin (slot)`),
  fold: (events, t) => {
    const page = new Page();
    for (const stored of events) page.read(stored);
    return page.statements(t);
  },
};

type Counts = Map<number, number>;

/** The calls of an hour that have key, operation and endpoint in common. */
interface Cell {
  readonly account: string;
  readonly environment: string;
  readonly hour: number;
  readonly dimensions: readonly string[];
  readonly counts: Readonly<Record<Measure, Counts>>;
}

const plus = (counts: Counts, bin: number, count: number): void =>
  void counts.set(bin, (counts.get(bin) ?? 0) + count);

const hourOf = (at: number): number => Math.floor(at / HOUR_MS);

/** What the events of one page add. */
class Page {
  readonly #cells = new Map<string, Cell>();
  readonly #denials = new Map<string, { readonly of: readonly unknown[]; calls: number }>();
  #last: { readonly account: string; readonly use: Use; readonly cell: Cell } | undefined;
  #takesBack = false;

  read(stored: StoredEvent): void {
    const event = as<UsageEvent | ParkedUseEvent>(stored);
    if (event.type === 'ParkedUseCorrected') {
      const { account, use, sign } = event.data;
      this.#add(account, use, sign);
      return;
    }
    if (!hasCalls(stored.dataText)) return;
    const { sign, groups } = usesOf(stored);
    for (const { account, uses } of groups) for (const use of uses) this.#add(account, use, sign);
  }

  #add(account: string, use: Use, sign: 1 | -1): void {
    // Its id may come again, and it was not executed here.
    if (use.phase !== undefined) return;
    if (sign === -1) this.#takesBack = true;
    if (use.refusal !== null) this.#deny(account, use, sign);
    if (use.status === 'refused') return;
    const { counts } = this.#cellOf(account, use);
    // What a back end does itself, it has not told how long that took.
    const here = use.costVersion !== null && use.costVersion !== PRICED_ELSEWHERE;
    if (here) plus(counts.duration, binOf(use.durationUs), sign);
    const cost = use.meters['cost'];
    if (cost !== undefined) plus(counts.cost, binOf(cost), sign);
  }

  /** Calls that follow each other mostly go to the same place. */
  #cellOf(account: string, use: Use): Cell {
    const last = this.#last;
    if (last?.account === account && goTogether(last.use, use)) return last.cell;
    const hour = hourOf(use.at);
    const dimensions = [use.key, use.operation ?? use.rootFields.join(','), use.endpoint];
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

  #deny(account: string, { environment, at, refusal }: Use, sign: 1 | -1): void {
    const of = [account, environment, hourOf(at), nameIn(refusal?.limit), nameIn(refusal?.code)];
    const id = compositeKey(...(of as string[]));
    const known = this.#denials.get(id) ?? { of, calls: 0 };
    known.calls += sign * (refusal?.count ?? 0);
    this.#denials.set(id, known);
  }

  statements(t: Tables): Statement[] {
    const denials = [...this.#denials.values()].map(({ of, calls: count }) => [...of, count]);
    return [
      ...TABLES.flatMap((table) => this.#sketches(t(table), SKETCHES[table])),
      ...(denials.length === 0 ? [] : [addDenials(t('denials'), denials)]),
      ...(denials.length === 0 || !this.#takesBack ? [] : [remove(t('denials'), 'calls = 0', denials)]),
    ];
  }

  #sketches(table: string, hours: number): Statement[] {
    const rows = new Map<string, { readonly of: readonly unknown[]; readonly counts: Counts }>();
    for (const { account, environment, hour, dimensions, counts } of this.#cells.values()) {
      const slot = Math.floor(hour / hours);
      const cell = contentHash(compositeKey(...dimensions)).slice(0, 32);
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
    const added = addSketches(table, given);
    if (!this.#takesBack) return [added];
    return [
      added,
      remove(
        table,
        "bins = '{}'",
        given.map(({ of }) => of),
      ),
    ];
  }
}

const SKETCH_COLUMNS = ['account', 'environment', 'slot', 'cell', 'measure', ...CALL_DIMENSIONS] as const;

const addSketches = (
  table: string,
  given: readonly {
    readonly of: readonly unknown[];
    readonly bins: readonly (readonly [number, number])[];
  }[],
): Statement => ({
  text: `
    INSERT INTO ${table} AS c (${SKETCH_COLUMNS.join(', ')}, bins, counts)
    SELECT ${SKETCH_COLUMNS.join(', ')}, bins, counts FROM json_to_recordset($1::json)
        AS g(account text, environment text, slot int, cell uuid, measure text,
             ${CALL_DIMENSIONS.map((dimension) => `${dimension} text`).join(', ')}, bins smallint[], counts bigint[])
    ON CONFLICT (${KEY}) DO UPDATE SET (bins, counts) = (
      SELECT coalesce(array_agg(s.bin ORDER BY s.bin), '{}'), coalesce(array_agg(s.count ORDER BY s.bin), '{}')
        FROM (SELECT u.bin, sum(u.count)::bigint AS count
                FROM unnest(c.bins || excluded.bins, c.counts || excluded.counts) AS u(bin, count)
               GROUP BY u.bin HAVING sum(u.count) <> 0) AS s)`,
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

/** Takes away rows that came to nothing. @param rows what was touched: account, environment and slot come first */
const remove = (table: string, nothing: string, rows: readonly (readonly unknown[])[]): Statement => ({
  text: `DELETE FROM ${table} WHERE account = ANY($1::text[]) AND slot = ANY($2::int[]) AND ${nothing}`,
  params: [[...new Set(rows.map(([account]) => account))], [...new Set(rows.map(([, , slot]) => slot))]],
});

const addDenials = (table: string, rows: readonly (readonly unknown[])[]): Statement => ({
  text: `
    INSERT INTO ${table} AS d
    SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::bigint[])
           AS g(account, environment, slot, limit_name, code, calls)
     WHERE calls <> 0 ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (account, environment, slot, limit_name, code) DO UPDATE SET calls = d.calls + excluded.calls`,
  params: [0, 1, 2, 3, 4, 5].map((i) => rows.map((row) => row[i])),
});

/** Whether a batch has calls that were executed here, or refused: of those that back ends report most are not even parsed. */
const hasCalls = (batch: string): boolean =>
  batch.includes('"costVersion":"') || batch.includes('"status":"refused"');

const MAX_NAME = 200;

/** Of limits and codes nobody has checked what stands in the journal. */
const nameIn = (value: unknown): string =>
  typeof value === 'string' && value.length <= MAX_NAME && value.isWellFormed() && !value.includes('\0')
    ? value
    : '';

const goTogether = (a: Use, b: Use): boolean =>
  hourOf(a.at) === hourOf(b.at) &&
  a.key === b.key &&
  a.environment === b.environment &&
  a.endpoint === b.endpoint &&
  a.operation === b.operation &&
  (a.operation !== null || a.rootFields.join() === b.rootFields.join());
