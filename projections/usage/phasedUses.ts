import type { Position } from '../../src/eventsourcing/event.js';
import type { Tables } from '../../src/following/readModel.js';
import type { Statement } from '../../src/sql/sql.js';
import type { Phase, Use } from '../../src/usage/events.js';
import { contentOf, phaseNumber, PHASES, subjectsOf, useHash } from '../../src/usage/events.js';
import { cellColumns, cellsOf, emptyCells } from './cells.js';
import { countedParts, emptyCounter } from './changes.js';
import { emptyReserved, PlainUses } from './plainUses.js';
import { readingPart, readingsOf } from './readings.js';
import type { Place } from './sums.js';
import { emptyTimes, timeColumns } from './times.js';

const [RESERVED, , FINAL, REVERSED] = PHASES.map(phaseNumber) as [number, number, number, number];

/** A record of a page. */
interface Given {
  readonly id: string;
  readonly position: Position;
  /** Among those of its batch. */
  readonly place: number;
  readonly account: string;
  readonly use: Use;
  readonly phase: Phase;
}

/**
 * Uses whose ids may come again, on one page (decisions 11 and 29). By position, the first record of each phase
 * counts. Of the phases `reserved`, `expired` and `final` the last that is there stands for the use: what is
 * reserved is held, of the other two the amounts count. A reversal takes back what it says.
 */
export class PhasedUses {
  readonly #given: Given[] = [];
  readonly #ids = new Map<string, number>();

  static tables(t: Tables): string {
    return `
      -- Ids that cannot count once more, kept for ever.
      CREATE TABLE ${t('ids')} (
        -- useHash, contentOf and PHASES in src/usage/events.ts.
        id          uuid NOT NULL,
        position    bigint NOT NULL,
        content     bigint NOT NULL,
        place       int NOT NULL,
        phase       smallint NOT NULL,
        PRIMARY KEY (id, phase)
      );
      -- The phases of reservations.
      CREATE TABLE ${t('reservations')} (
        id          uuid NOT NULL,
        phase       smallint NOT NULL,
        -- Whether it still waits for its end.
        open        boolean NOT NULL,
        position    bigint NOT NULL,
        account     text NOT NULL,
        use_id      text NOT NULL,
        environment text NOT NULL,
        key         text NOT NULL,
        operation   text NOT NULL,
        field       text NOT NULL,
        endpoint    text NOT NULL,
        method      text NOT NULL,
        source      text NOT NULL,
        status      text NOT NULL,
        subject     text NOT NULL,
        plan        text NOT NULL,
        properties  text NOT NULL,
        quarter     int NOT NULL,
        dimensions  uuid NOT NULL,
        at          bigint NOT NULL,
        duration_us bigint NOT NULL,
        meters      jsonb NOT NULL,
        periods     jsonb NOT NULL,
        subjects    jsonb NOT NULL,
        expires_at  bigint,
        on_expiry   text,
        PRIMARY KEY (id, phase)
      );
      CREATE INDEX ON ${t('reservations')} (use_id);
      CREATE INDEX ON ${t('reservations')} (expires_at) WHERE open;
      -- Records that count nothing, since their id was there.
      CREATE TABLE ${t('duplicates')} (
        position    bigint NOT NULL,
        place       int NOT NULL,
        account     text NOT NULL,
        use_id      text NOT NULL,
        environment text NOT NULL,
        key         text NOT NULL,
        subject     text NOT NULL,
        phase       smallint NOT NULL,
        -- Whether it says something else than the one that counts.
        differs     boolean NOT NULL,
        PRIMARY KEY (position, place)
      );
      CREATE INDEX ON ${t('duplicates')} (account, position);`;
  }

  /**
   * @param sign -1 where the batch is taken back, whose callers were told to try again: what they report with
   *   the same id stands for it, so that only a reservation is given up, of which they do not know
   */
  add(position: Position, account: string, use: Use, phase: Phase, sign: 1 | -1): void {
    if (sign === -1 && phase !== 'reserved') return;
    const last = this.#given.at(-1);
    const place = last?.position === position ? last.place + 1 : 0;
    const id = useHash(account, use.id);
    this.#ids.set(id, (this.#ids.get(id) ?? 0) + 1);
    const givenUp = { ...use, meters: {}, durationUs: 0 };
    this.#given.push({
      ...{ id, position, place, account },
      ...(sign === 1 ? { use, phase } : { use: givenUp, phase: 'expired' }),
    });
  }

  /** @param count adds a plain use to the sums of the page, and says where */
  statements(t: Tables, count: (account: string, use: Use) => Place): Statement[] {
    const plain = new PlainUses();
    const rows: object[] = [];
    const ids: string[] = [];
    let timed = false;
    for (const given of this.#given) {
      const { id, account, use } = given;
      if (isPlain(given) && this.#ids.get(id) === 1) {
        plain.add(given, count(account, use));
        continue;
      }
      ids.push(id);
      timed ||= use.durationUs > 0;
      rows.push(rowOf(given, isKept(given)));
    }
    if (rows.length === 0) return plain.statements(t);
    const json = JSON.stringify(rows);
    return [
      ...plain.statements(t),
      { text: statement(t), params: [json] },
      // Whatever was taken back, and in whichever order: a use may come behind its reversal.
      ...emptyCells(t, json),
      ...(timed ? emptyTimes(t, json) : []),
      emptyReserved(t, ids),
      { text: EMPTY_COUNTERS(t), params: [json] },
    ];
  }
}

/** Whether its reservation is kept, as it ends or may end one. */
const isKept = ({ phase, use }: Given): boolean =>
  phase !== 'final' ? phase !== 'reversed' : use.replaces !== undefined;

/** Nearly all that back ends report: it only counts if its id is new. */
const isPlain = (given: Given): boolean =>
  given.phase === 'final' && !isKept(given) && given.use.readings === undefined;

/** A record, as the statement below takes it. */
const rowOf = ({ id, position, place, account, use, phase }: Given, kept: boolean): object => ({
  id,
  phase: phaseNumber(phase),
  position,
  place,
  content: contentOf(use),
  account,
  use_id: use.id,
  environment: use.environment,
  ...cellColumns(use),
  ...timeColumns(use),
  method: use.method,
  at: use.at,
  duration_us: use.durationUs,
  meters: use.meters,
  readings: readingsOf(use),
  periods: use.periods,
  subjects: subjectsOf(account, use),
  expires_at: use.reservation?.expiresAt ?? null,
  on_expiry: use.reservation?.onExpiry ?? null,
  kept,
});

/** Takes away counters of records at which nothing is left. */
const EMPTY_COUNTERS = (t: Tables): string => `
  WITH of_uses AS (
    SELECT * FROM json_to_recordset($1::json) AS r(meters jsonb, periods jsonb, subjects jsonb)
  ), ${emptyCounter(t)}`;

/** One statement: all of it sees the rows as they were before this page. */
const statement = (t: Tables): string => `
  WITH given AS (
    SELECT * FROM json_to_recordset($1::json) AS r(
      id uuid, phase smallint, position bigint, place int, content bigint, account text, use_id text,
      environment text, key text, operation text, field text, endpoint text, method text, source text, status text, subject text, plan text, properties text, quarter int, dimensions uuid, cell uuid, bin smallint,
      at bigint, duration_us bigint, meters jsonb, readings jsonb, periods jsonb, subjects jsonb, expires_at bigint, on_expiry text,
      kept boolean)
  ), first AS (
    SELECT DISTINCT ON (id, phase) * FROM given ORDER BY id, phase, position, place
  ), before AS (
    SELECT id, max(phase) AS phase FROM ${t('ids')}
     WHERE phase <= ${FINAL} AND id = ANY(SELECT id FROM given) GROUP BY id
  ), fresh AS (
    INSERT INTO ${t('ids')} (id, position, content, place, phase)
    SELECT id, position, content, place, phase FROM first
    ON CONFLICT (id, phase) DO NOTHING RETURNING id, phase
  ), counted AS (
    SELECT first.* FROM first JOIN fresh USING (id, phase)
  ), after AS (
    SELECT id, max(phase) AS phase FROM counted WHERE phase <= ${FINAL} GROUP BY id
  ), entered AS (
    INSERT INTO ${t('reservations')}
    SELECT c.id, c.phase,
           c.phase = ${RESERVED} AND a.phase = ${RESERVED} AND coalesce(b.phase, ${RESERVED}) = ${RESERVED},
           c.position, c.account, c.use_id, c.environment, c.key, c.operation, c.field, c.endpoint, c.method, c.source, c.status, c.subject, c.plan, c.properties, c.quarter, c.dimensions,
           c.at, c.duration_us, c.meters, c.periods, c.subjects, c.expires_at, c.on_expiry
      FROM counted c JOIN after a USING (id) LEFT JOIN before b USING (id)
     WHERE c.kept
  ), ended AS (
    UPDATE ${t('reservations')} AS r SET open = false FROM after a
     WHERE a.id = r.id AND r.phase = ${RESERVED} AND a.phase > ${RESERVED}
  ), changes AS (
    SELECT 1 AS sign, c.phase, c.account, c.environment, ${cellsOf('c')}, c.cell, c.bin, c.duration_us, c.meters, c.periods, c.subjects
      FROM counted c JOIN after USING (id, phase) LEFT JOIN before b USING (id)
     WHERE b.phase IS NULL OR c.phase > b.phase
    UNION ALL
    SELECT -1, r.phase, r.account, r.environment, ${cellsOf('r')}, NULL, NULL, r.duration_us, r.meters, r.periods, r.subjects
      FROM ${t('reservations')} r JOIN before b USING (id, phase) JOIN after a USING (id)
     WHERE b.phase < ${FINAL} AND a.phase > b.phase
    UNION ALL
    SELECT -1, phase, account, environment, ${cellsOf('counted')}, cell, bin, duration_us, meters, periods, subjects
      FROM counted WHERE phase = ${REVERSED}
  ), ${countedParts(t)},${readingPart(t)},
  used AS (
    INSERT INTO ${t('keys')} AS u
    SELECT key, max(at) FROM counted WHERE phase = ${FINAL} AND key <> '' GROUP BY 1 ORDER BY 1
    ON CONFLICT (key) DO UPDATE SET last_used = greatest(u.last_used, excluded.last_used)
  )
  INSERT INTO ${t('duplicates')}
  SELECT g.position, g.place, g.account, g.use_id, g.environment, g.key, g.subject, g.phase, g.content <> coalesce(f.content, i.content)
    FROM given g
    LEFT JOIN counted c USING (id, phase)
    LEFT JOIN first f ON c.id IS NOT NULL AND f.id = g.id AND f.phase = g.phase
    LEFT JOIN ${t('ids')} i ON c.id IS NULL AND i.id = g.id AND i.phase = g.phase
   WHERE c.id IS NULL OR (c.position, c.place) <> (g.position, g.place)`;
