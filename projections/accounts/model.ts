import type { AccountEvent, UserEvent } from '../../src/accounts/events.js';
import { as } from '../../src/eventsourcing/event.js';
import type { SubscriptionEvent } from '../../src/plans/events.js';
import type { ReadModel } from '../readModel.js';

type Handled = AccountEvent | UserEvent | SubscriptionEvent;

/** Users and accounts, with the plan in force. Personal fields stay sealed; queries unseal them. */
export const accounts: ReadModel = {
  name: 'accounts',
  version: 1,
  tables: ['accounts', 'users', 'plans'],
  handles: new Set<Handled['type']>(['AccountOpened', 'UserRegistered', 'PlanGranted']),
  create: (t) => `
    CREATE TABLE ${t('accounts')} (
      id        text PRIMARY KEY,
      owner_id  text NOT NULL,
      opened_at timestamptz NOT NULL
    );
    CREATE TABLE ${t('users')} (
      id            text PRIMARY KEY,
      account_id    text NOT NULL,
      email         text NOT NULL,
      name          text NOT NULL,
      registered_at timestamptz NOT NULL
    );
    CREATE TABLE ${t('plans')} (
      account_id text PRIMARY KEY,
      plan       text NOT NULL,
      revision   bigint NOT NULL
    );`,
  fold: (events, t) =>
    events.map((stored) => {
      const event = as<Handled>(stored);
      const { streamId, revision, metadata } = stored;
      switch (event.type) {
        case 'AccountOpened':
          return {
            text: `INSERT INTO ${t('accounts')} VALUES ($1, $2, $3)`,
            params: [streamId, event.data.ownerId, metadata.at],
          };
        case 'UserRegistered': {
          const { accountId, email, name } = event.data;
          return {
            text: `INSERT INTO ${t('users')} VALUES ($1, $2, $3, $4, $5)`,
            params: [streamId, accountId, email, name, metadata.at],
          };
        }
        case 'PlanGranted':
          return {
            text: `INSERT INTO ${t('plans')} VALUES ($1, $2, $3)
                   ON CONFLICT (account_id) DO UPDATE SET plan = excluded.plan, revision = excluded.revision`,
            params: [streamId, event.data.plan, revision],
          };
      }
    }),
};
