import type { Position } from '../../src/eventsourcing/event.js';
import type { Tables } from '../../src/following/readModel.js';
import type { Statement } from '../../src/sql/sql.js';
import type { Phase, Use } from '../../src/usage/events.js';
import { contentOf, PHASES, subjectsOf, useHash } from '../../src/usage/events.js';
import { CELL_COLUMNS, cellColumns, cellParts, emptyCells } from './cells.js';
import { readingPart, readingsOf } from './readings.js';

const numberOf = (phase: Phase): number => PHASES.indexOf(phase) + 1;
const [RESERVED, EXPIRED, FINAL, REVERSED] = PHASES.map(numberOf) as [number, number, number, number];

/** A record, as the statement below takes it. */
interface Row {
  readonly id: string;
  readonly phase: number;
  readonly position: Position;
  readonly place: number;
  readonly content: string;
  readonly meters: Use['meters'];
  /** Whether its reservation is kept, as it ends or may end one. */
  readonly kept: boolean;
  readonly [column: string]: unknown;
}

/**
 * Uses whose ids may come again, on one page (decisions 11 and 29). By position, the first record of each phase
 * counts. Of the phases `reserved`, `expired` and `final` the last that is there stands for the use: what is
 * reserved is held, of the other two the amounts count. A reversal takes back what it says.
 */
export class PhasedUses {
  readonly #rows: Row[] = [];

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
    const meters = sign === 1 ? use.meters : {};
    const last = this.#rows.at(-1);
    this.#rows.push({
      id: useHash(account, use.id),
      phase: sign === 1 ? numberOf(phase) : EXPIRED,
      position,
      // Among those of its batch.
      place: last?.position === position ? last.place + 1 : 0,
      content: contentOf({ ...use, meters }),
      account,
      use_id: use.id,
      environment: use.environment,
      ...cellColumns(use),
      method: use.method,
      at: use.at,
      duration_us: sign === 1 ? use.durationUs : 0,
      meters,
      readings: readingsOf(use),
      periods: use.periods,
      subjects: subjectsOf(account, use),
      expires_at: use.reservation?.expiresAt ?? null,
      on_expiry: use.reservation?.onExpiry ?? null,
      kept: phase !== 'final' ? phase !== 'reversed' : use.replaces !== undefined,
    });
  }

  statements(t: Tables): Statement[] {
    if (this.#rows.length === 0) return [];
    const given = JSON.stringify(this.#rows);
    const counted = { text: statement(t), params: [given] };
    const takesBack = this.#rows.some(({ phase, kept }) => phase === REVERSED || (phase === FINAL && kept));
    return takesBack ? [counted, ...emptyCells(t, given)] : [counted];
  }
}

/** The columns that reports go by. */
const cellsOf = (table: string): string =>
  [...CELL_COLUMNS, 'quarter', 'dimensions'].map((column) => `${table}.${column}`).join(', ');

/** One statement: all of it sees the rows as they were before this page. */
const statement = (t: Tables): string => `
  WITH given AS (
    SELECT * FROM json_to_recordset($1::json) AS r(
      id uuid, phase smallint, position bigint, place int, content bigint, account text, use_id text,
      environment text, key text, operation text, endpoint text, method text, source text, status text, subject text, plan text, properties text, quarter int, dimensions uuid,
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
           c.position, c.account, c.use_id, c.environment, c.key, c.operation, c.endpoint, c.method, c.source, c.status, c.subject, c.plan, c.properties, c.quarter, c.dimensions,
           c.at, c.duration_us, c.meters, c.periods, c.subjects, c.expires_at, c.on_expiry
      FROM counted c JOIN after a USING (id) LEFT JOIN before b USING (id)
     WHERE c.kept
  ), ended AS (
    UPDATE ${t('reservations')} AS r SET open = false FROM after a
     WHERE a.id = r.id AND r.phase = ${RESERVED} AND a.phase > ${RESERVED}
  ), changes AS (
    SELECT 1 AS sign, c.phase, c.account, c.environment, ${cellsOf('c')}, c.duration_us, c.meters, c.periods, c.subjects
      FROM counted c JOIN after USING (id, phase) LEFT JOIN before b USING (id)
     WHERE b.phase IS NULL OR c.phase > b.phase
    UNION ALL
    SELECT -1, r.phase, r.account, r.environment, ${cellsOf('r')}, r.duration_us, r.meters, r.periods, r.subjects
      FROM ${t('reservations')} r JOIN before b USING (id, phase) JOIN after a USING (id)
     WHERE b.phase < ${FINAL} AND a.phase > b.phase
    UNION ALL
    SELECT -1, phase, account, environment, ${cellsOf('counted')}, duration_us, meters, periods, subjects
      FROM counted WHERE phase = ${REVERSED}
  ), sums AS (
    SELECT s.subject, m.meter, p.period, sum(c.sign * m.amount::numeric) AS amount, c.phase = ${RESERVED} AS held
      FROM changes c, jsonb_array_elements_text(c.subjects) AS s(subject), jsonb_each_text(c.meters) AS m(meter, amount),
           jsonb_array_elements_text(c.periods) AS p(period)
     GROUP BY 1, 2, 3, 5
  ), counters AS (
    INSERT INTO ${t('counters')} AS k
    SELECT subject, meter, period, coalesce(sum(amount) FILTER (WHERE NOT held), 0),
           coalesce(sum(amount) FILTER (WHERE held), 0)
      FROM sums GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (subject, meter, period)
       DO UPDATE SET amount = k.amount + excluded.amount, held = k.held + excluded.held
  ), ${cellParts(t, `phase <> ${RESERVED}`)},${readingPart(t)},
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
