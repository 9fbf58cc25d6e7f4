import type { DisputeEvent } from '../../src/disputes/events.js';
import { as } from '../../src/eventsourcing/event.js';
import type { ReadModel } from '../../src/following/readModel.js';
import type { Statement } from '../../src/sql/sql.js';

const ENDS = { InquiryClosed: 'inquiry_closed', DisputeWon: 'won', DisputeLost: 'lost' } as const;

/** Payments that customers have disputed at their banks, or that banks ask about. */
export const disputes: ReadModel = {
  name: 'disputes',
  version: 2,
  awaited: false,
  tables: ['disputes'],
  handles: new Set<DisputeEvent['type']>([
    'InquiryOpened',
    'InquiryClosed',
    'DisputeOpened',
    'DisputeWon',
    'DisputeLost',
  ]),
  create: (t) => `
    CREATE TABLE ${t('disputes')} (
      -- At the payment service.
      id          text PRIMARY KEY,
      account_id  text,
      subject     text NOT NULL,
      status      text NOT NULL,
      amount      bigint NOT NULL,
      currency    text NOT NULL,
      reason      text NOT NULL,
      opened_at   timestamptz NOT NULL,
      respond_by  timestamptz,
      closed_at   timestamptz,
      payment     text,
      invoice     text,
      position    bigint NOT NULL
    );`,
  indexes: (t) => [`CREATE INDEX ON ${t('disputes')} (position)`],
  fold: (events, t) =>
    events.map((stored): Statement => {
      const { type, data } = as<DisputeEvent>(stored);
      const { streamId: id, position, metadata } = stored;
      if (type !== 'DisputeOpened' && type !== 'InquiryOpened') {
        return {
          text: `UPDATE ${t('disputes')} SET status = $2, closed_at = $3 WHERE id = $1`,
          params: [id, ENDS[type], metadata.at],
        };
      }
      const { accountId, subject, amount, currency, reason, respondBy, payment, invoice } = data;
      return {
        text: `INSERT INTO ${t('disputes')} (id, account_id, subject, status, amount, currency, reason, opened_at,
                 respond_by, payment, invoice, position)
               VALUES ($1, $2, $3, $12, $4, $5, $6, $7, $8, $9, $10, $11)
               -- An inquiry has become a dispute.
               ON CONFLICT (id) DO UPDATE SET status = excluded.status, amount = excluded.amount,
                 reason = excluded.reason, respond_by = excluded.respond_by, closed_at = NULL`,
        params: [
          id,
          accountId,
          subject,
          amount,
          currency,
          reason,
          metadata.at,
          respondBy,
          payment,
          invoice,
          position,
          type === 'InquiryOpened' ? 'inquiry' : 'open',
        ],
      };
    }),
};
