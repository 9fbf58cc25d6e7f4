import type { Discount } from '../../src/billing/events.js';
import type { ReadModelAccess } from '../../src/following/readModel.js';
import type { Sql } from '../../src/sql/sql.js';

export interface SubscriptionRow {
  readonly account_id: string;
  readonly customer: string | null;
  readonly subscription: string | null;
  readonly status: 'trialing' | 'active' | 'past_due' | 'paused' | 'ended' | null;
  readonly plan: string | null;
  readonly price: string | null;
  readonly interval: 'month' | 'year' | null;
  readonly amount: number | null;
  readonly currency: string | null;
  readonly period_start: Date | null;
  readonly period_end: Date | null;
  readonly trial_ends_at: Date | null;
  readonly cancels_at: Date | null;
  readonly ended_at: Date | null;
  readonly discounts: readonly Discount[];
  readonly scheduled_plan: string | null;
  readonly scheduled_price: string | null;
  readonly scheduled_at: Date | null;
  readonly overdue_since: Date | null;
  readonly grace_ends_at: Date | null;
  readonly suspended: boolean;
  readonly paused_at: Date | null;
  readonly asked_id: string | null;
  readonly asked_kind: 'change' | 'cancel' | 'resume' | 'pause' | null;
  readonly asked_plan: string | null;
  readonly asked_price: string | null;
  readonly asked_at: Date | null;
  readonly failure_code: string | null;
  readonly failure_message: string | null;
}

export class SubscriptionQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  async of(accountId: string): Promise<SubscriptionRow | undefined> {
    const [row] = await this.sql.query<SubscriptionRow & Record<string, unknown>>(
      `SELECT * FROM ${this.model.t('accounts')} WHERE account_id = $1`,
      [accountId],
    );
    return row;
  }

  /** Those that accounts have now or have had last, by their ids at Stripe, in whatever order. */
  async byIds(subscriptions: readonly string[]): Promise<SubscriptionRow[]> {
    return this.sql.query<SubscriptionRow & Record<string, unknown>>(
      `SELECT * FROM ${this.model.t('accounts')} WHERE subscription = ANY($1::text[])`,
      [subscriptions],
    );
  }

  async accountOf(customer: string): Promise<string | undefined> {
    const [row] = await this.sql.query<{ account_id: string }>(
      `SELECT account_id FROM ${this.model.t('accounts')} WHERE customer = $1`,
      [customer],
    );
    return row?.account_id;
  }

  /** The customers at Stripe of those of the accounts that have one. */
  async customersOf(accountIds: readonly string[]): Promise<string[]> {
    const rows = await this.sql.query<{ customer: string }>(
      `SELECT customer FROM ${this.model.t('accounts')}
        WHERE account_id = ANY($1::text[]) AND customer IS NOT NULL`,
      [accountIds],
    );
    return rows.map(({ customer }) => customer);
  }

  /** Accounts that have a customer at Stripe, or have asked for one, in the order of their ids. */
  async customers(after: string, limit: number): Promise<string[]> {
    const rows = await this.sql.query<{ account_id: string }>(
      `SELECT account_id FROM ${this.model.t('accounts')}
        WHERE account_id > $1 AND customer_asked_at IS NOT NULL ORDER BY account_id LIMIT $2`,
      [after, limit],
    );
    return rows.map(({ account_id: id }) => id);
  }

  /** Accounts with something that was asked of Stripe, and is neither done nor refused. */
  async pending(limit: number, without: readonly string[]): Promise<string[]> {
    const rows = await this.sql.query<{ account_id: string }>(
      `SELECT account_id FROM ${this.model.t('accounts')}
        WHERE (asked_id IS NOT NULL
               OR (customer_asked_at IS NOT NULL AND customer IS NULL)
               OR (checkout_id IS NOT NULL AND checkout_session IS NULL))
          AND account_id <> ALL($2::text[])
        ORDER BY account_id LIMIT $1`,
      [limit, without],
    );
    return rows.map(({ account_id: id }) => id);
  }

  /** Accounts that keep their plan although a payment has failed, and until when (ISO 8601). */
  async graces(): Promise<{ accountId: string; graceEndsAt: string }[]> {
    const rows = await this.sql.query<{ account_id: string; grace_ends_at: Date }>(
      `SELECT account_id, grace_ends_at FROM ${this.model.t('accounts')}
        WHERE grace_ends_at IS NOT NULL AND NOT suspended AND status = 'past_due'`,
    );
    return rows.map(({ account_id: accountId, grace_ends_at: at }) => ({
      accountId,
      graceEndsAt: new Date(at).toISOString(),
    }));
  }

  /** Accounts for which time alone has made something due: they are to be told, or their grace is over. */
  async due(now: Date, limit: number, without: readonly string[]): Promise<string[]> {
    const rows = await this.sql.query<{ account_id: string }>(
      `SELECT account_id FROM ${this.model.t('accounts')}
        WHERE due_at <= $1 AND account_id <> ALL($3::text[])
        ORDER BY due_at, account_id LIMIT $2`,
      [now, limit, without],
    );
    return rows.map(({ account_id: id }) => id);
  }
}
