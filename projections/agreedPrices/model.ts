import type { BillingEvent } from '../../src/billing/events.js';
import { as } from '../../src/eventsourcing/event.js';
import type { ReadModel } from '../../src/following/readModel.js';
import type { Statement } from '../../src/sql/sql.js';

type Folded = Extract<BillingEvent, { type: 'PriceAgreed' | 'AgreedPriceWithdrawn' }>;

/** Prices that operators have agreed with single accounts, withdrawn ones too. */
export const agreedPrices: ReadModel = {
  name: 'agreedPrices',
  version: 1,
  tables: ['prices'],
  handles: new Set<Folded['type']>(['PriceAgreed', 'AgreedPriceWithdrawn']),
  create: (t) => `
    CREATE TABLE ${t('prices')} (
      account_id   text NOT NULL,
      price        text NOT NULL,
      plan         text NOT NULL,
      interval     text NOT NULL,
      -- Minor units.
      amount       bigint NOT NULL,
      currency     text NOT NULL,
      reason       text,
      agreed_at    timestamptz NOT NULL,
      withdrawn_at timestamptz,
      position     bigint NOT NULL,
      PRIMARY KEY (account_id, price)
    );`,
  indexes: (t) => [`CREATE INDEX ON ${t('prices')} (position)`],
  fold: (events, t) =>
    events.map((stored): Statement => {
      const { type, data } = as<Folded>(stored);
      const { streamId: accountId, position, metadata } = stored;
      if (type === 'AgreedPriceWithdrawn') {
        return {
          text: `UPDATE ${t('prices')} SET withdrawn_at = $3 WHERE account_id = $1 AND price = $2`,
          params: [accountId, data.price, metadata.at],
        };
      }
      const { price, plan, interval, amount, currency } = data;
      return {
        text: `INSERT INTO ${t('prices')} (account_id, price, plan, interval, amount, currency, reason, agreed_at, position)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
        params: [
          accountId,
          price,
          plan,
          interval,
          amount,
          currency,
          metadata.reason ?? null,
          metadata.at,
          position,
        ],
      };
    }),
};
