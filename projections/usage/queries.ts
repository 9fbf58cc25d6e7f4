import type { Environment, Position } from '../../src/eventsourcing/event.js';
import { START } from '../../src/eventsourcing/event.js';
import type { Sql } from '../../src/sql/sql.js';
import { Amounts } from '../../src/usage/limits/amounts.js';
import type { Phase, Subject } from '../../src/usage/events.js';
import { PHASES, subjectId } from '../../src/usage/events.js';
import { isPartOfLifetime, LIFETIME, MONTHS } from '../../src/usage/limits/periods.js';
import type { ReadModelAccess } from '../../src/following/readModel.js';
import { readerOf } from '../../src/following/readModel.js';
import { readingsIn } from './readings.js';

/** What the ledger has of a subject. */
export interface Counted {
  readonly amounts: Amounts;
  /** Of uses that are parked and of open reservations: limits count it, and nothing else does. */
  readonly held: Amounts;
  /** The last event that is in them. */
  readonly seen: Position;
  /** Whether there are batches that could not be read, of which nobody knows whose uses they have. */
  readonly incomplete: boolean;
}

/** A use that cannot be counted. */
export interface ParkedUseRow {
  readonly event: string;
  readonly place: number;
  /** Where its batch stands: unlike a position, that is exact on every store. */
  readonly stream: string;
  readonly revision: number;
  /** When its batch was stored, ISO 8601. */
  readonly stored_at: string;
  /** Null where that cannot be told. */
  readonly account: string | null;
  readonly reason: string;
}

/** A record of a use whose id may come again, as the ledger counts it. */
export interface KnownPhase {
  /** As `useHash` has it. */
  readonly hash: string;
  readonly phase: Phase;
  /** As `contentOf` has it. */
  readonly content: string;
  readonly position: Position;
  readonly place: number;
}

/** One phase of a reservation. */
export interface ReservationRow {
  readonly phase: Phase;
  readonly account: string;
  readonly use_id: string;
  readonly environment: Environment;
  /** Empty where none reserved. */
  readonly key: string;
  /** What the work is. */
  readonly endpoint: string;
  readonly method: string;
  readonly label: string | null;
  readonly source: string | null;
  /** The end customer; null where none was named. */
  readonly subject: string | null;
  readonly at: number;
  readonly meters: Readonly<Record<string, number>>;
  readonly periods: readonly string[];
  /** Milliseconds since the epoch; null but where it was reserved, as is the rule. */
  readonly expires_at: number | null;
  readonly on_expiry: 'release' | 'charge' | null;
  readonly position: Position;
}

const RESERVATION =
  "phase, account, use_id, environment, key, endpoint, method, nullif(operation, '') AS label, nullif(source, '') AS source, nullif(subject, '') AS subject, at, meters, periods, expires_at, on_expiry, position";

const reservationRow = (row: Omit<ReservationRow, 'phase'> & { readonly phase: number }): ReservationRow => ({
  ...row,
  phase: PHASES[row.phase - 1] as Phase,
});

export interface DuplicateRow {
  readonly use_id: string;
  readonly position: Position;
  readonly place: number;
  /** Whether it says something else than the one that counts. */
  readonly differs: boolean;
}

const MINUTE_MS = 60_000;

export class UsageQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  /** The last event that the ledger has seen. */
  seen(): Position {
    return this.model.state().checkpoint;
  }

  /** Of a batch that was stored before a moment, milliseconds since the epoch, and not long before; START for none. */
  async positionBefore(at: number): Promise<Position> {
    const [row] = await this.sql.query<{ position: Position | null }>(
      `SELECT max(position) AS position FROM ${this.model.t('minutes')} WHERE minute < $1`,
      [Math.floor(at / MINUTE_MS)],
    );
    return row?.position ?? START;
  }

  /** When keys were used last, milliseconds since the epoch; those that never were are not in it. */
  async lastUsed(keyIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const rows = await this.sql.query<{ key: string; last_used: number }>(
      `SELECT key, last_used FROM ${this.model.t('keys')} WHERE key = ANY($1::text[])`,
      [keyIds],
    );
    return new Map(rows.map(({ key, last_used }) => [key, last_used]));
  }

  /**
   * What the ledger has of a subject in the given periods, all of one moment. The whole life is the sum of
   * its months.
   */
  async counters(subject: Subject, periods: readonly string[]): Promise<Counted> {
    const lifetime = periods.includes(LIFETIME.id);
    for (;;) {
      const { model, version, generation } = this.model.state();
      // One statement: the amounts and the checkpoint of one moment.
      const rows = await this.sql.query<{
        checkpoint: Position;
        incomplete: boolean;
        counted: boolean | null;
        meter: string;
        period: string;
        amount: string;
        open: string;
      }>(
        `SELECT m.checkpoint, c.counted, c.meter, c.period, c.amount::text, c.open::text,
                EXISTS (SELECT FROM read.parked WHERE reader = $6) AS incomplete
           FROM read.models m
           LEFT JOIN (
             SELECT true AS counted, meter, period, amount, held AS open FROM ${this.model.t('counters')}
              WHERE subject = $1 AND (period = ANY($2::text[]) OR ($7 AND period ~ '${MONTHS}'))
             UNION ALL
             SELECT false, h.meter, h.period, h.amount, 0
               FROM ${this.model.t('held')} h JOIN ${this.model.t('parked')} p USING (event, place)
              WHERE h.subject = $1 AND (h.period = ANY($2::text[]) OR ($7 AND h.period ~ '${MONTHS}'))
                AND NOT p.settled
           ) AS c ON true
          WHERE m.model = $3 AND m.version = $4 AND m.generation = $5`,
        [
          subjectId(subject),
          periods,
          model,
          version,
          generation,
          readerOf(model, version, generation),
          lifetime,
        ],
      );
      const [first] = rows;
      // A rebuild has put another generation in its place: ask that one.
      if (!first) continue;
      const { checkpoint: seen, incomplete } = first;
      const [amounts, held] = [new Amounts(), new Amounts()];
      const add = (into: Amounts, meter: string, period: string, amount: bigint): void => {
        if (periods.includes(period)) into.add(meter, period, amount);
        if (lifetime && isPartOfLifetime(period)) into.add(meter, LIFETIME.id, amount);
      };
      for (const { counted, meter, period, amount, open } of rows) {
        if (counted === null) continue;
        add(counted ? amounts : held, meter, period, BigInt(amount));
        if (open !== '0') add(held, meter, period, BigInt(open));
      }
      return { amounts, held, seen, incomplete };
    }
  }

  /**
   * What a subject has spent in a day or month of the calendar, by meter, and the last event that is in it: exact,
   * however much.
   * @param period `day:2026-11-29` or `month:2026-11`
   */
  async totals(
    subject: Subject,
    period: string,
  ): Promise<{ readonly totals: ReadonlyMap<string, bigint>; readonly seen: Position }> {
    for (;;) {
      const { model, version, generation } = this.model.state();
      const rows = await this.sql.query<{
        checkpoint: Position;
        meter: string | null;
        amount: string | null;
      }>(
        `SELECT m.checkpoint, c.meter, c.amount::text
           FROM read.models m
           LEFT JOIN ${this.model.t('counters')} c ON c.subject = $1 AND c.period = $2
          WHERE m.model = $3 AND m.version = $4 AND m.generation = $5`,
        [subjectId(subject), period, model, version, generation],
      );
      const [first] = rows;
      // A rebuild has put another generation in its place: ask that one.
      if (!first) continue;
      const counted = rows.flatMap(({ meter, amount }) =>
        meter === null || amount === null ? [] : [[meter, BigInt(amount)] as const],
      );
      const { accountId: account, environment, keyId: key } = subject;
      const readings = await readingsIn(this.sql, this.model, { account, environment, key }, period);
      return { totals: new Map([...counted, ...readings]), seen: first.checkpoint };
    }
  }

  /** What the ledger has of uses whose ids may come again, by `useHash` and then by phase. */
  async known(hashes: readonly string[]): Promise<KnownPhase[]> {
    const rows = await this.sql.query<Omit<KnownPhase, 'phase' | 'hash'> & { hash: string; phase: number }>(
      `SELECT replace(id::text, '-', '') AS hash, phase, content::text, position, place
         FROM ${this.model.t('ids')} WHERE id = ANY($1::uuid[]) ORDER BY id, phase`,
      [hashes],
    );
    return rows.map((row) => ({ ...row, phase: PHASES[row.phase - 1] as Phase }));
  }

  /** The records of a reservation that count, by its id: `reserved` first; empty where it is not known. */
  reservation(useId: string): Promise<ReservationRow[]> {
    return this.reservations([useId]);
  }

  /** The same of several, one after the other. */
  async reservations(useIds: readonly string[]): Promise<ReservationRow[]> {
    const rows = await this.sql.query<Omit<ReservationRow, 'phase'> & { phase: number }>(
      `SELECT ${RESERVATION} FROM ${this.model.t('reservations')}
        WHERE use_id = ANY($1::text[]) ORDER BY use_id, phase`,
      [useIds],
    );
    return rows.map(reservationRow);
  }

  /** Open reservations whose time was over at that moment, the oldest first. */
  async overdue(at: number, limit: number): Promise<ReservationRow[]> {
    const rows = await this.sql.query<Omit<ReservationRow, 'phase'> & { phase: number }>(
      `SELECT ${RESERVATION} FROM ${this.model.t('reservations')}
        WHERE open AND expires_at <= $1 ORDER BY expires_at LIMIT $2`,
      [at, limit],
    );
    return rows.map(reservationRow);
  }

  /**
   * Uses of an account whose ids came again, the newest first: they count once.
   * @param before the last one of the page before
   */
  duplicates(
    account: string,
    limit: number,
    before?: Pick<DuplicateRow, 'position' | 'place'>,
  ): Promise<DuplicateRow[]> {
    return this.sql.query(
      `SELECT use_id, position, place, differs FROM ${this.model.t('duplicates')}
        WHERE account = $1 AND ($3::bigint IS NULL OR (position, place) < ($3, $4))
        ORDER BY position DESC, place DESC LIMIT $2`,
      [account, limit, before?.position ?? null, before?.place ?? null],
    );
  }

  /** Whose records count nothing: of batches after a position and up to another. */
  async subjectsOfDuplicates(after: Position, upTo: Position): Promise<Subject[]> {
    const rows = await this.sql.query<{
      account: string;
      environment: Environment;
      key: string;
      subject: string;
    }>(
      `SELECT DISTINCT account, environment, key, subject FROM ${this.model.t('duplicates')}
        WHERE position > $1 AND position <= $2`,
      [after, upTo],
    );
    return rows.flatMap(({ account: accountId, environment, key, subject }) => {
      const account = { accountId, environment, keyId: undefined };
      return [
        account,
        ...(key === '' ? [] : [{ ...account, keyId: key }]),
        ...(subject === '' ? [] : [{ ...account, customerId: subject }]),
      ];
    });
  }

  /** Which records in batches count nothing, as `<position>.<place>`. */
  async duplicatesAt(account: string, positions: readonly Position[]): Promise<ReadonlySet<string>> {
    const rows = await this.sql.query<{ position: Position; place: number }>(
      `SELECT position, place FROM ${this.model.t('duplicates')}
        WHERE account = $1 AND position = ANY($2::bigint[])`,
      [account, positions],
    );
    return new Set(rows.map(({ position, place }) => `${position}.${place}`));
  }

  /** Whether something of the account waits for an operator before it is counted. */
  async waits(account: string): Promise<boolean> {
    const { model, version, generation } = this.model.state();
    const [row] = await this.sql.query<{ waits: boolean }>(
      `SELECT EXISTS (SELECT FROM read.parked WHERE reader = $2)
           OR EXISTS (SELECT FROM ${this.model.t('parked')} WHERE account = $1 AND NOT settled) AS waits`,
      [account, readerOf(model, version, generation)],
    );
    return row?.waits === true;
  }

  /** Uses that cannot be counted and of which nobody has decided yet, the oldest first. */
  parkedUses(limit: number): Promise<ParkedUseRow[]> {
    return this.sql.query(
      `SELECT event, place, stream, revision, stored_at, account, reason FROM ${this.model.t('parked')}
        WHERE NOT settled ORDER BY position, place LIMIT $1`,
      [limit],
    );
  }

  /** How many of those there are. */
  async parkedCount(): Promise<number> {
    const [row] = await this.sql.query<{ count: number }>(
      `SELECT count(*) AS count FROM ${this.model.t('parked')} WHERE NOT settled`,
    );
    return row?.count ?? 0;
  }

  /** One of them; undefined for what is not parked. */
  async parkedUse(event: string, place: number): Promise<ParkedUseRow | undefined> {
    const [row] = await this.sql.query<ParkedUseRow>(
      `SELECT event, place, stream, revision, stored_at, account, reason FROM ${this.model.t('parked')}
        WHERE event = $1 AND place = $2 AND NOT settled`,
      [event, place],
    );
    return row;
  }

  /** Places of the uses of a batch that an operator has corrected or left out. */
  async decidedPlaces(event: string): Promise<number[]> {
    const rows = await this.sql.query<{ place: number }>(
      `SELECT place FROM ${this.model.t('parked')} WHERE event = $1 AND settled ORDER BY place`,
      [event],
    );
    return rows.map(({ place }) => place);
  }
}
