import type { ReadModelAccess } from '../../src/following/readModel.js';
import type { Sql } from '../../src/sql/sql.js';
import type { AnalysisFailure, Counts } from '../../src/analysis/events.js';

export interface AnalysisRow {
  readonly id: string;
  readonly account_id: string | null;
  readonly status: 'awaiting_file' | 'queued' | 'completed' | 'failed';
  readonly requested_at: Date;
  readonly received_at: Date | null;
  readonly ended_at: Date | null;
  readonly file_hash: string | null;
  readonly file_bytes: number | null;
  readonly counts: Counts | null;
  readonly has_result: boolean;
  readonly failure: AnalysisFailure | null;
  readonly refund: 'due' | 'done' | null;
  readonly rule_set_id: string | null;
  readonly rules_version: number | null;
}

export class AnalysisQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  /** The newest first; one more than `first` where there are more. @param after the last of the page before */
  ofAccount(
    accountId: string,
    first: number,
    after: { readonly at: Date; readonly id: string } | undefined,
  ): Promise<AnalysisRow[]> {
    return this.sql.query(
      `SELECT * FROM ${this.model.t('analyses')}
        WHERE account_id = $1 AND status <> 'deleted'
          AND ($2::timestamptz IS NULL OR (requested_at, id) < ($2::timestamptz, $3::text))
        ORDER BY requested_at DESC, id DESC LIMIT $4`,
      [accountId, after?.at ?? null, after?.id ?? null, first + 1],
    );
  }

  byIds(ids: readonly string[]): Promise<AnalysisRow[]> {
    return this.sql.query(
      `SELECT * FROM ${this.model.t('analyses')} WHERE id = ANY($1::text[]) AND status <> 'deleted'`,
      [ids],
    );
  }

  /** Ids of all that an account has. */
  async ids(accountId: string): Promise<string[]> {
    const rows = await this.sql.query<{ id: string }>(
      `SELECT id FROM ${this.model.t('analyses')}
        WHERE account_id = $1 AND status <> 'deleted' ORDER BY id`,
      [accountId],
    );
    return rows.map(({ id }) => id);
  }

  /**
   * What is to be done, the oldest first.
   * @param direct before this, what somebody without an account waits for: whoever received it does it itself
   */
  async pending(limit: number, without: readonly string[], direct: Date): Promise<string[]> {
    const rows = await this.sql.query<{ id: string }>(
      `SELECT id FROM ${this.model.t('analyses')}
        WHERE (status = 'queued' AND (account_id IS NOT NULL OR received_at < $3) OR refund = 'due')
          AND NOT id = ANY($2::text[])
        ORDER BY received_at, id LIMIT $1`,
      [limit, without, direct],
    );
    return rows.map(({ id }) => id);
  }
}
