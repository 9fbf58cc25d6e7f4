import type { Position } from '../../src/eventsourcing/event.js';
import type { ReadModelAccess } from '../../src/following/readModel.js';
import type { Sql } from '../../src/sql/sql.js';

export interface DisputeRow {
  readonly id: string;
  readonly account_id: string | null;
  readonly subject: string;
  readonly status: 'inquiry' | 'inquiry_closed' | 'open' | 'won' | 'lost';
  readonly amount: number;
  readonly currency: string;
  readonly reason: string;
  readonly opened_at: Date;
  readonly respond_by: Date | null;
  readonly closed_at: Date | null;
  readonly payment: string | null;
  readonly invoice: string | null;
  readonly position: Position;
}

export class DisputeQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  /**
   * The newest first.
   * @param before the position of the last one of the page before
   */
  page(limit: number, before: Position | undefined): Promise<DisputeRow[]> {
    return this.sql.query<DisputeRow & Record<string, unknown>>(
      `SELECT * FROM ${this.model.t('disputes')}
        WHERE $1::bigint IS NULL OR position < $1 ORDER BY position DESC LIMIT $2`,
      [before ?? null, limit],
    );
  }
}
