import type { Position } from '../../src/eventsourcing/event.js';
import type { RatedLine } from '../../src/overage/events.js';
import type { ReadModelAccess } from '../../src/following/readModel.js';
import type { Sql } from '../../src/sql/sql.js';

/** By what an account is billed. */
export interface BilledAccountRow {
  readonly account_id: string;
  /** Milliseconds since the epoch; null for one that has never subscribed. */
  readonly anchor: number | null;
  /** In which it is paid; null as `anchor`. */
  readonly currency: string | null;
  readonly trial: boolean;
  /** Of one that has ended or is paused: those until then. */
  readonly terms: number | null;
  /** Until when it was paid for: its end, or its pause. */
  readonly ended_at: Date | null;
  readonly revision: number;
  readonly allowed: boolean;
  readonly cap_amount: number | null;
  readonly cap_currency: string | null;
  readonly cap_rule: 'refuse' | 'alert' | null;
  readonly settings_revision: number;
  readonly use_corrected: number;
}

/** An event by which use has changed that was recorded before. */
export interface UseCorrectionRow {
  readonly eventId: string;
  readonly position: Position;
  readonly periods: readonly string[];
}

/** What closed periods were corrected by where no invoice followed. */
export interface CorrectionRow {
  readonly position: Position;
  readonly account_id: string;
  readonly corrected_at: Date;
  readonly currency: string;
  readonly total: number;
  readonly lines: readonly RatedLine[];
  readonly settled_at: Date | null;
  readonly invoice: string | null;
  readonly credit_notes: readonly string[] | null;
  readonly owed: number | null;
}

const COLUMNS =
  'account_id, anchor, currency, trial, CASE WHEN coalesce(paused_at, ended_at) IS NOT NULL THEN ended_terms WHEN terms IS NOT NULL THEN greatest(terms, grant_revision) END AS terms, coalesce(paused_at, ended_at) AS ended_at, greatest(revision, CASE WHEN terms IS NOT NULL THEN grant_revision END) AS revision, allowed, cap_amount, cap_currency, cap_rule, settings_revision, use_corrected';

export class OverageQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  all(): Promise<BilledAccountRow[]> {
    return this.#rows('WHERE anchor IS NOT NULL OR settings_revision >= 0');
  }

  async of(accountId: string): Promise<BilledAccountRow | undefined> {
    const [row] = await this.#rows('WHERE account_id = $1', [accountId]);
    return row;
  }

  /**
   * Accounts that have, or have had, use above limits that they pay for, and may have something to be done.
   * @param endedSince use may still be reported of subscriptions that have ended since then
   */
  open(endedSince: Date): Promise<BilledAccountRow[]> {
    return this.#rows(
      `WHERE ever_allowed AND anchor IS NOT NULL
         AND (coalesce(paused_at, ended_at) IS NULL OR greatest(paused_at, ended_at) >= $1
              OR closed_to IS NULL OR closed_to < coalesce(paused_at, ended_at)
              OR closed_period IS DISTINCT FROM invoiced_period
              OR use_corrected > as_of OR corrected IS DISTINCT FROM settled)
       ORDER BY account_id`,
      [endedSince],
    );
  }

  /** What has corrected an account's use since an event, oldest first. */
  useCorrections(accountId: string, after: Position): Promise<UseCorrectionRow[]> {
    return this.sql.query<UseCorrectionRow & Record<string, unknown>>(
      `SELECT event_id AS "eventId", position, periods FROM ${this.model.t('use_corrections')}
        WHERE account_id = $1 AND position > $2 ORDER BY position`,
      [accountId, after],
    );
  }

  /**
   * What closed periods were corrected by where no invoice followed, newest first.
   * @param before the position of the last one of the page before
   */
  corrections(limit: number, before: Position | undefined): Promise<CorrectionRow[]> {
    return this.sql.query<CorrectionRow & Record<string, unknown>>(
      `SELECT * FROM ${this.model.t('corrections')}
        WHERE $1::bigint IS NULL OR position < $1 ORDER BY position DESC LIMIT $2`,
      [before ?? null, limit],
    );
  }

  #rows(where: string, params: readonly unknown[] = []): Promise<BilledAccountRow[]> {
    return this.sql.query<BilledAccountRow & Record<string, unknown>>(
      `SELECT ${COLUMNS} FROM ${this.model.t('accounts')} ${where}`,
      params,
    );
  }
}
