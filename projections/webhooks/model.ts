import { as } from '../../src/eventsourcing/event.js';
import type { ReadModel } from '../../src/following/readModel.js';
import type { WebhookEndpointEvent } from '../../src/webhooks/events.js';

type Handled = Exclude<WebhookEndpointEvent, { type: 'WebhookSecretRotated' }>;

/** The endpoints that webhooks go to, the deleted ones not. */
export const webhooks: ReadModel = {
  name: 'webhooks',
  version: 1,
  tables: ['endpoints'],
  handles: new Set<Handled['type']>([
    'WebhookEndpointCreated',
    'WebhookEndpointUpdated',
    'WebhookEndpointDisabled',
    'WebhookEndpointDeleted',
  ]),
  create: (t) => `
    CREATE TABLE ${t('endpoints')} (
      id              text PRIMARY KEY,
      account_id      text NOT NULL,
      -- The operators' together.
      all_accounts    bool NOT NULL,
      -- Sealed for the endpoint.
      url             text NOT NULL,
      event_types     text[] NOT NULL,
      enabled         bool NOT NULL,
      disabled_reason text,
      created_at      timestamptz NOT NULL,
      -- What happened before is not told.
      created         bigint NOT NULL
    );`,
  indexes: (t) => [
    `CREATE INDEX ON ${t('endpoints')} (account_id, created_at, id)`,
    `CREATE INDEX ON ${t('endpoints')} (created_at, id) WHERE all_accounts`,
  ],
  fold: (events, t) =>
    events.map((stored) => {
      const { type, data } = as<Handled>(stored);
      const { streamId: id, position, metadata } = stored;
      switch (type) {
        case 'WebhookEndpointCreated': {
          const { accountId, allAccounts, url, eventTypes } = data;
          return {
            text: `INSERT INTO ${t('endpoints')} VALUES ($1, $2, $3, $4, $5, true, NULL, $6, $7)`,
            params: [id, accountId, allAccounts, url, eventTypes, metadata.at, position],
          };
        }
        case 'WebhookEndpointUpdated':
          return {
            text: `UPDATE ${t('endpoints')}
                      SET url = $2, event_types = $3, enabled = $4,
                          disabled_reason = CASE WHEN $4 THEN NULL ELSE disabled_reason END
                    WHERE id = $1`,
            params: [id, data.url, data.eventTypes, data.enabled],
          };
        case 'WebhookEndpointDisabled':
          return {
            text: `UPDATE ${t('endpoints')} SET enabled = false, disabled_reason = $2 WHERE id = $1`,
            params: [id, data.reason],
          };
        case 'WebhookEndpointDeleted':
          return { text: `DELETE FROM ${t('endpoints')} WHERE id = $1`, params: [id] };
      }
    }),
};
