import type { Position } from '../../src/eventsourcing/event.js';
import type { ReadModelAccess } from '../../src/following/readModel.js';
import type { Sql } from '../../src/sql/sql.js';

export interface StripeEventRow {
  readonly id: string;
  readonly type: string;
  readonly object_type: string;
  readonly object_id: string | null;
  readonly customer: string | null;
  readonly livemode: boolean;
  readonly backfilled: boolean;
  readonly created_at: Date;
  readonly received_at: Date;
  readonly handled_at: Date | null;
  readonly effect: string | null;
  readonly account_id: string | null;
  readonly position: number;
}

/** Which events; what is not given is not asked for. */
export interface StripeEventFilter {
  readonly accountId?: string | undefined;
  readonly type?: string | undefined;
  readonly effect?: string | undefined;
  /** Whether nothing was done about them yet. */
  readonly waiting?: boolean | undefined;
}

export class StripeEventQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  /** Those that nothing was done about yet, behind a position, in the order in which they came. */
  async pending(after: Position, limit: number): Promise<StripeEventRow[]> {
    return this.sql.query(
      `SELECT * FROM ${this.model.t('events')} WHERE handled_at IS NULL AND position > $1
        ORDER BY position LIMIT $2`,
      [after, limit],
    );
  }

  /**
   * The newest first.
   * @param before the position of the last one of the page before
   */
  page(
    { accountId, type, effect, waiting }: StripeEventFilter,
    limit: number,
    before: number | undefined,
  ): Promise<StripeEventRow[]> {
    return this.sql.query(
      `SELECT * FROM ${this.model.t('events')}
        WHERE ($1::text IS NULL OR account_id = $1) AND ($2::text IS NULL OR type = $2)
          AND ($3::text IS NULL OR effect = $3) AND ($4::bool IS NULL OR (handled_at IS NULL) = $4)
          AND ($5::bigint IS NULL OR position < $5)
        ORDER BY position DESC LIMIT $6`,
      [accountId ?? null, type ?? null, effect ?? null, waiting ?? null, before ?? null, limit],
    );
  }

  /** When the newest was created at Stripe: where the list of events is asked from. */
  async newestCreated(): Promise<Date | undefined> {
    const [row] = await this.sql.query<{ created_at: Date | null }>(
      `SELECT max(created_at) AS created_at FROM ${this.model.t('events')}`,
    );
    return row?.created_at ?? undefined;
  }
}
