import type { AgreedPrice } from '../../src/billing/events.js';
import type { ReadModelAccess } from '../../src/following/readModel.js';
import type { Sql } from '../../src/sql/sql.js';

export interface AgreedPriceRow extends AgreedPrice {
  readonly account_id: string;
  /** Why; null in events from before reasons were asked for. */
  readonly reason: string | null;
  readonly agreed_at: Date;
  readonly withdrawn_at: Date | null;
  readonly position: number;
}

/** Which of them; what is not given is not asked for. */
export interface AgreedPriceFilter {
  readonly accountId?: string | undefined;
  readonly withdrawn?: boolean | undefined;
}

export class AgreedPriceQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  /** What an account is offered: what was withdrawn is not. In the order in which it was agreed. */
  async offeredTo(accountId: string): Promise<AgreedPriceRow[]> {
    return this.sql.query<AgreedPriceRow & Record<string, unknown>>(
      `SELECT * FROM ${this.model.t('prices')}
        WHERE account_id = $1 AND withdrawn_at IS NULL ORDER BY position`,
      [accountId],
    );
  }

  /**
   * The newest first.
   * @param before the position of the last one of the page before
   */
  async page(
    { accountId, withdrawn }: AgreedPriceFilter,
    limit: number,
    before: number | undefined,
  ): Promise<AgreedPriceRow[]> {
    return this.sql.query<AgreedPriceRow & Record<string, unknown>>(
      `SELECT * FROM ${this.model.t('prices')}
        WHERE ($1::text IS NULL OR account_id = $1) AND ($2::bool IS NULL OR (withdrawn_at IS NOT NULL) = $2)
          AND ($3::bigint IS NULL OR position < $3)
        ORDER BY position DESC LIMIT $4`,
      [accountId ?? null, withdrawn ?? null, before ?? null, limit],
    );
  }
}
