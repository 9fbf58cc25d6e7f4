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
  fold: (events, t) => {
    const accounts: object[] = [];
    const users: object[] = [];
    const plans = new Map<string, object>();
    for (const stored of events) {
      const event = as<Handled>(stored);
      const { streamId: id, revision, metadata } = stored;
      switch (event.type) {
        case 'AccountOpened':
          accounts.push({ id, owner_id: event.data.ownerId, opened_at: metadata.at });
          break;
        case 'UserRegistered': {
          const { accountId, email, name } = event.data;
          users.push({ id, account_id: accountId, email, name, registered_at: metadata.at });
          break;
        }
        case 'PlanGranted':
          plans.set(id, { account_id: id, plan: event.data.plan, revision });
          break;
      }
    }
    return [
      {
        rows: accounts,
        text: `INSERT INTO ${t('accounts')} SELECT * FROM json_to_recordset($1::json)
                 AS r(id text, owner_id text, opened_at timestamptz)`,
      },
      {
        rows: users,
        text: `INSERT INTO ${t('users')} SELECT * FROM json_to_recordset($1::json)
                 AS r(id text, account_id text, email text, name text, registered_at timestamptz)`,
      },
      {
        rows: [...plans.values()],
        text: `INSERT INTO ${t('plans')} SELECT * FROM json_to_recordset($1::json)
                 AS r(account_id text, plan text, revision bigint)
               ON CONFLICT (account_id) DO UPDATE SET plan = excluded.plan, revision = excluded.revision`,
      },
    ]
      .filter(({ rows }) => rows.length > 0)
      .map(({ text, rows }) => ({ text, params: [JSON.stringify(rows)] }));
  },
};
