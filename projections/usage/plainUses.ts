import type { Position } from '../../src/eventsourcing/event.js';
import type { Tables } from '../../src/following/readModel.js';
import type { Statement } from '../../src/sql/sql.js';
import type { Use } from '../../src/usage/events.js';
import { contentOf, phaseNumber } from '../../src/usage/events.js';
import { SketchPage } from '../calls/sketchPage.js';
import { CELL_TABLES, cellsOf, emptyCell, emptyCells, quarterOf } from './cells.js';
import { countedParts, emptyCounter } from './changes.js';
import type { Place } from './sums.js';
import { emptyTimes, timeColumns, timesTable } from './times.js';

const [RESERVED, FINAL] = [phaseNumber('reserved'), phaseNumber('final')];

interface Row {
  readonly id: string;
  readonly position: Position;
  readonly place: number;
  readonly account: string;
  readonly use: Use;
  readonly of: Place;
}

/**
 * Uses that are final at once, each with an id that the page has once. They are in the sums of the page already, as
 * if all ids were new. Nearly always they are: what follows for those that are not is computed by the database, and
 * nothing of the others but their ids goes there.
 */
export class PlainUses {
  readonly #rows: Row[] = [];
  /** By number, from 1 on. */
  readonly #places = new Map<Place, number>();
  readonly #times = new SketchPage();

  /** @param of where it was counted */
  add({ id, position, place, account, use }: Omit<Row, 'of'>, of: Place): void {
    this.#rows.push({ id, position, place, account, use, of });
    if (!this.#places.has(of)) this.#places.set(of, this.#places.size + 1);
    if (use.durationUs > 0) this.#times.add(account, use, 'duration', use.durationUs, 1);
  }

  statements(t: Tables): Statement[] {
    if (this.#rows.length === 0) return [];
    const rows = this.#rows;
    const ids = rows.map(({ id }) => id);
    const touched = [...this.#places.keys()].map(({ cells }) => cells.named);
    const times = rows.map(({ use }) => timeColumns(use));
    const timed = rows.filter(({ use }) => use.durationUs > 0);
    return [
      ...this.#times.statements((table) => t(timesTable(table))),
      {
        text: statement(t),
        params: [
          ids,
          rows.map(({ position }) => position),
          rows.map(({ place }) => place),
          rows.map(({ use }) => contentOf(use)),
          rows.map(({ use }) => use.id),
          rows.map(({ use }) => JSON.stringify(use.meters)),
          rows.map(({ use }) => use.durationUs),
          rows.map(({ of }) => this.#places.get(of)),
          rows.map(({ use }) => use.at),
          [...this.#places.keys()].map(({ use, subjects, cells }) =>
            JSON.stringify({ ...cells.named, subjects, periods: use.periods }),
          ),
          [...this.#places.keys()].map(({ use }) => use.key),
          times.map(({ cell }) => cell),
          times.map(({ bin }) => bin),
        ],
      },
      ...emptyCells(t, JSON.stringify(touched)),
      ...(timed.length === 0 ? [] : emptyTimes(t, JSON.stringify(timed.map(timedCell)))),
      emptyReserved(t, ids),
    ];
  }
}

/** Where it was counted how long one took. */
const timedCell = ({ account, use }: Row): object => ({
  account,
  environment: use.environment,
  quarter: quarterOf(use.at),
  cell: timeColumns(use).cell,
});

/**
 * Takes away what came to nothing where these ids were reserved: rows of all lengths, and counters. Hardly any id was,
 * so that they are looked up once for all of it.
 */
export const emptyReserved = (t: Tables, ids: readonly string[]): Statement => ({
  text: `
  WITH of_uses AS MATERIALIZED (
    SELECT account, environment, quarter, dimensions, meters, periods, subjects
      FROM ${t('reservations')} WHERE id = ANY($1::uuid[])
  ), ${CELL_TABLES.map((table) => `empty_${table} AS (${emptyCell(t, table, 'of_uses AS g')})`).join(', ')},
  ${emptyCounter(t)}`,
  params: [ids],
});

const statement = (t: Tables): string => `
  WITH given AS (
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::int[], $4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::int[], $9::bigint[], $12::uuid[], $13::smallint[])
               AS g(id, position, place, content, use_id, meters, duration_us, number, at, cell, bin)
  ), fresh AS (
    INSERT INTO ${t('ids')} (id, position, content, place, phase)
    SELECT id, position, content, place, ${FINAL} FROM given ORDER BY id
    ON CONFLICT (id, phase) DO NOTHING RETURNING id
  ), again AS (
    SELECT given.*, p.* FROM given
      LEFT JOIN fresh USING (id),
           json_to_record(($10::text[])[given.number]::json) AS p(
             account text, environment text, key text, operation text, field text, endpoint text, source text, status text,
             subject text, plan text, properties text, quarter int, dimensions uuid, periods jsonb, subjects jsonb)
     WHERE fresh.id IS NULL
  ), stood AS (
    -- What was reserved under an id that is final now.
    SELECT DISTINCT ON (r.id) r.* FROM ${t('reservations')} r JOIN fresh USING (id)
     WHERE r.phase < ${FINAL} ORDER BY r.id, r.phase DESC
  ), ended AS (
    UPDATE ${t('reservations')} AS r SET open = false FROM stood
     WHERE stood.id = r.id AND r.phase = ${RESERVED}
  ), changes AS (
    SELECT -1 AS sign, ${FINAL} AS phase, a.account, a.environment, ${cellsOf('a')}, a.cell, a.bin, a.duration_us, a.meters::jsonb AS meters, a.periods, a.subjects
      FROM again a
    UNION ALL
    SELECT -1, s.phase, s.account, s.environment, ${cellsOf('s')}, NULL::uuid, NULL::smallint, s.duration_us, s.meters, s.periods, s.subjects
      FROM stood s
  ), ${countedParts(t)}, used AS (
    INSERT INTO ${t('keys')} AS u
    SELECT ($11::text[])[number], max(at) FROM given JOIN fresh USING (id)
     WHERE ($11::text[])[number] <> '' GROUP BY 1 ORDER BY 1
    ON CONFLICT (key) DO UPDATE SET last_used = greatest(u.last_used, excluded.last_used)
  )
  INSERT INTO ${t('duplicates')}
  SELECT a.position, a.place, a.account, a.use_id, a.environment, a.key, a.subject, ${FINAL}, a.content <> i.content
    FROM again a JOIN ${t('ids')} i ON i.id = a.id AND i.phase = ${FINAL}`;
