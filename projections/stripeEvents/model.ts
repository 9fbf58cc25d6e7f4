import type { StripeEventEvent } from '../../src/billing/events.js';
import { as } from '../../src/eventsourcing/event.js';
import type { ReadModel } from '../../src/following/readModel.js';

/** Events that Stripe has sent, and what was done about them. */
export const stripeEvents: ReadModel = {
  name: 'stripeEvents',
  awaited: false,
  version: 1,
  tables: ['events'],
  handles: new Set<StripeEventEvent['type']>(['StripeEventReceived', 'StripeEventHandled']),
  create: (t) => `
    CREATE TABLE ${t('events')} (
      id          text PRIMARY KEY,
      type        text NOT NULL,
      object_type text NOT NULL,
      object_id   text,
      customer    text,
      livemode    bool NOT NULL,
      backfilled  bool NOT NULL,
      created_at  timestamptz NOT NULL,
      received_at timestamptz NOT NULL,
      position    bigint NOT NULL,
      -- Null until it has been handled.
      handled_at  timestamptz,
      effect      text,
      account_id  text
    );`,
  indexes: (t) => [
    `CREATE INDEX ON ${t('events')} (position) WHERE handled_at IS NULL`,
    `CREATE INDEX ON ${t('events')} (position)`,
    `CREATE INDEX ON ${t('events')} (account_id, position)`,
    `CREATE INDEX ON ${t('events')} (created_at)`,
  ],
  fold: (events, t) => {
    const received: object[] = [];
    const handled: object[] = [];
    for (const stored of events) {
      const { type, data } = as<StripeEventEvent>(stored);
      const { streamId: id, metadata, position } = stored;
      if (type === 'StripeEventReceived') {
        received.push({
          id,
          type: data.eventType,
          object_type: data.object.type,
          object_id: data.object.id,
          customer: data.customer,
          livemode: data.livemode,
          backfilled: data.backfilled,
          created_at: data.createdAt,
          received_at: metadata.at,
          position,
        });
      } else {
        handled.push({ id, handled_at: metadata.at, effect: data.effect, account_id: data.accountId });
      }
    }
    return [
      {
        rows: received,
        text: `INSERT INTO ${t('events')} SELECT * FROM json_to_recordset($1::json)
                 AS r(id text, type text, object_type text, object_id text, customer text, livemode bool,
                      backfilled bool, created_at timestamptz, received_at timestamptz, position bigint)`,
      },
      {
        rows: handled,
        text: `UPDATE ${t('events')} AS e
                  SET handled_at = r.handled_at, effect = r.effect, account_id = r.account_id
                 FROM json_to_recordset($1::json)
                      AS r(id text, handled_at timestamptz, effect text, account_id text)
                WHERE e.id = r.id`,
      },
    ]
      .filter(({ rows }) => rows.length > 0)
      .map(({ text, rows }) => ({ text, params: [JSON.stringify(rows)] }));
  },
};
