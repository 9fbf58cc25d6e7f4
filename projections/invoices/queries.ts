import type { InvoiceDifference, InvoiceDiscount } from '../../src/billing/events.js';
import type { ReadModelAccess } from '../../src/following/readModel.js';
import type { Sql } from '../../src/sql/sql.js';

export interface InvoiceRow {
  readonly id: string;
  readonly account_id: string;
  readonly number: string | null;
  readonly reference: string | null;
  readonly status: 'open' | 'paid' | 'void' | 'uncollectible';
  readonly reason: string;
  readonly currency: string;
  readonly issued_at: Date;
  readonly period_start: Date;
  readonly period_end: Date;
  readonly subtotal: number;
  readonly discount: number;
  readonly discounts: readonly InvoiceDiscount[];
  readonly tax: number;
  readonly tax_included: number;
  readonly total: number;
  readonly due: number;
  readonly paid: number;
  readonly credited: number;
  readonly attempts: number;
  readonly next_attempt_at: Date | null;
  readonly differences: readonly InvoiceDifference[] | null;
  readonly position: number;
}

export interface InvoiceLineRow {
  readonly kind: 'plan' | 'proration' | 'usage' | 'other';
  readonly description: string;
  /** A whole number, in digits. */
  readonly quantity: string;
  readonly meter: string | null;
  readonly amount: number;
  readonly periodStart: Date;
  readonly periodEnd: Date;
  readonly events: readonly string[];
}

/** The place of an invoice in the list of its account. */
export interface InvoicePlace {
  readonly issuedAt: Date;
  readonly id: string;
}

/** Numbers of one issuer and year. */
export interface NumbersSeen {
  /** All numbers up to this one are known here; 0 for none. */
  readonly upTo: number;
  /** Those of the invoices that were asked for, by invoice. */
  readonly given: ReadonlyMap<string, number>;
}

export class InvoiceQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  async find(id: string): Promise<InvoiceRow | undefined> {
    const [row] = await this.byIds([id]);
    return row;
  }

  /** Those that there are, in whatever order. */
  async byIds(ids: readonly string[]): Promise<InvoiceRow[]> {
    return this.sql.query<InvoiceRow & Record<string, unknown>>(
      `SELECT * FROM ${this.model.t('invoices')} WHERE id = ANY($1::text[])`,
      [ids],
    );
  }

  /** The newest first. */
  async page(accountId: string, limit: number, after: InvoicePlace | undefined): Promise<InvoiceRow[]> {
    return this.sql.query<InvoiceRow & Record<string, unknown>>(
      `SELECT * FROM ${this.model.t('invoices')}
        WHERE account_id = $1 AND ($2::timestamptz IS NULL OR (issued_at, id) < ($2, $3))
        ORDER BY issued_at DESC, id DESC LIMIT $4`,
      [accountId, after?.issuedAt ?? null, after?.id ?? null, limit],
    );
  }

  /**
   * Those of all accounts that are not what our own events say, the newest first.
   * @param before the position of the last one of the page before
   */
  async differing(limit: number, before: number | undefined): Promise<InvoiceRow[]> {
    return this.sql.query<InvoiceRow & Record<string, unknown>>(
      `SELECT * FROM ${this.model.t('invoices')}
        WHERE differences IS NOT NULL AND ($1::bigint IS NULL OR position < $1)
        ORDER BY position DESC LIMIT $2`,
      [before ?? null, limit],
    );
  }

  /** The numbers of invoices in a series, and the last number that is known here. */
  async numbers(series: string, invoiceIds: readonly string[]): Promise<NumbersSeen> {
    const rows = await this.sql.query<{ up_to: number; invoice_id: string | null; number: number }>(
      `SELECT newest.up_to, given.invoice_id, given.number
         FROM (SELECT coalesce(max(number), 0) AS up_to FROM ${this.model.t('numbers')} WHERE series = $1) AS newest
         LEFT JOIN ${this.model.t('numbers')} AS given ON given.series = $1 AND given.invoice_id = ANY($2::text[])`,
      [series, invoiceIds],
    );
    const given = rows.flatMap(({ invoice_id: id, number }) => (id === null ? [] : [[id, number] as const]));
    return { upTo: rows[0]?.up_to ?? 0, given: new Map(given) };
  }

  async lines(invoiceId: string): Promise<InvoiceLineRow[]> {
    return this.sql.query<InvoiceLineRow & Record<string, unknown>>(
      `SELECT kind, description, quantity::text, meter, amount, period_start AS "periodStart", period_end AS "periodEnd", events
         FROM ${this.model.t('lines')} WHERE invoice_id = $1 ORDER BY place`,
      [invoiceId],
    );
  }
}
