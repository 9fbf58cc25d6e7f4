import type { InvoiceEvent, InvoiceNumbered } from '../../src/billing/events.js';
import { as } from '../../src/eventsourcing/event.js';
import type { ReadModel } from '../../src/following/readModel.js';
import type { Statement } from '../../src/sql/sql.js';

/** Invoices that were issued, with their lines, and the numbers that were given. Amounts are whole minor units. */
export const invoices: ReadModel = {
  name: 'invoices',
  version: 6,
  tables: ['invoices', 'lines', 'numbers'],
  handles: new Set<(InvoiceEvent | InvoiceNumbered)['type']>([
    'InvoiceNumbered',
    'InvoiceFinalised',
    'InvoiceDiffers',
    'InvoicePaid',
    'PaymentFailed',
    'InvoiceVoided',
    'InvoiceWrittenOff',
    'InvoiceCredited',
  ]),
  create: (t) => `
    CREATE TABLE ${t('invoices')} (
      id              text PRIMARY KEY,
      account_id      text NOT NULL,
      number          text,
      -- Stripe's number, where the number is ours.
      reference       text,
      status          text NOT NULL,
      reason          text NOT NULL,
      currency        text NOT NULL,
      issued_at       timestamptz NOT NULL,
      period_start    timestamptz NOT NULL,
      period_end      timestamptz NOT NULL,
      subtotal        bigint NOT NULL,
      discount        bigint NOT NULL,
      -- What it is the sum of: the coupon's code, its name and the amount.
      discounts       jsonb NOT NULL,
      tax             bigint NOT NULL,
      -- Of it, what the lines have already.
      tax_included    bigint NOT NULL,
      total           bigint NOT NULL,
      due             bigint NOT NULL,
      paid            bigint NOT NULL DEFAULT 0,
      credited        bigint NOT NULL DEFAULT 0,
      attempts        int NOT NULL DEFAULT 0,
      next_attempt_at timestamptz,
      -- Where it is not what our own events say; null where it is.
      differences     jsonb,
      position        bigint NOT NULL
    );
    CREATE TABLE ${t('lines')} (
      invoice_id   text NOT NULL,
      place        int NOT NULL,
      id           text NOT NULL,
      kind         text NOT NULL,
      description  text NOT NULL,
      -- Beyond 64 bits, too.
      quantity     numeric NOT NULL,
      -- Of use: what was counted.
      meter        text,
      amount       bigint NOT NULL,
      period_start timestamptz NOT NULL,
      period_end   timestamptz NOT NULL,
      price        text,
      -- The events that it comes from.
      events       text[] NOT NULL,
      PRIMARY KEY (invoice_id, place)
    );
    CREATE TABLE ${t('numbers')} (
      -- Issuer and year.
      series     text NOT NULL,
      number     bigint NOT NULL,
      invoice_id text NOT NULL,
      PRIMARY KEY (series, number)
    );`,
  indexes: (t) => [
    `CREATE INDEX ON ${t('invoices')} (account_id, issued_at, id)`,
    `CREATE INDEX ON ${t('invoices')} (position) WHERE differences IS NOT NULL`,
    `CREATE INDEX ON ${t('numbers')} (invoice_id)`,
  ],
  fold: (events, t) =>
    events.flatMap((stored): Statement[] => {
      const { type, data } = as<InvoiceEvent | InvoiceNumbered>(stored);
      const { streamId: id, position } = stored;
      const set = (assignment: string, ...values: readonly unknown[]): Statement[] => [
        { text: `UPDATE ${t('invoices')} SET ${assignment} WHERE id = $1`, params: [id, ...values] },
      ];
      switch (type) {
        case 'InvoiceNumbered':
          return [
            {
              text: `INSERT INTO ${t('numbers')} VALUES ($1, $2, $3)`,
              params: [id, stored.revision + 1, data.invoiceId],
            },
          ];
        case 'InvoiceFinalised': {
          const lines = data.lines.map((line, place) => ({ ...line, place }));
          return [
            {
              text: `INSERT INTO ${t('invoices')} (id, account_id, number, reference, status, reason, currency, issued_at,
                       period_start, period_end, subtotal, discount, discounts, tax, tax_included, total, due, position)
                     VALUES ($1, $2, $3, $4, 'open', $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
              params: [
                id,
                data.accountId,
                data.number,
                data.reference ?? null,
                data.reason,
                data.currency,
                data.issuedAt,
                data.periodStart,
                data.periodEnd,
                data.subtotal,
                data.discount,
                JSON.stringify(data.discounts ?? []),
                data.tax,
                data.taxIncluded ?? 0,
                data.total,
                data.due,
                position,
              ],
            },
            {
              text: `INSERT INTO ${t('lines')}
                     SELECT $1, place, id, kind, description, quantity, meter, amount, "periodStart", "periodEnd", price,
                            ARRAY(SELECT json_array_elements_text(events))
                       FROM json_to_recordset($2::json)
                         AS r(place int, id text, kind text, description text, quantity numeric, meter text, amount bigint,
                              "periodStart" timestamptz, "periodEnd" timestamptz, price text, events json)`,
              params: [id, JSON.stringify(lines)],
            },
          ];
        }
        case 'InvoiceDiffers':
          return set('differences = $2', JSON.stringify(data.differences));
        case 'InvoicePaid':
          return set(`status = 'paid', paid = $2, next_attempt_at = NULL`, data.paid);
        case 'PaymentFailed':
          return set('attempts = $2, next_attempt_at = $3', data.attempt, data.nextAttemptAt);
        case 'InvoiceVoided':
          return set(`status = 'void', next_attempt_at = NULL`);
        case 'InvoiceWrittenOff':
          return set(`status = 'uncollectible', next_attempt_at = NULL`);
        case 'InvoiceCredited':
          return set('credited = $2', data.credited);
      }
    }),
};
