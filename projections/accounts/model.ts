import type { AccountEvent, UserEvent } from '../../src/accounts/events.js';
import type { PaidPlanEvent } from '../../src/billing/events.js';
import { PAID_PLAN_EVENTS, paidPlanAfter } from '../../src/billing/events.js';
import { as } from '../../src/eventsourcing/event.js';
import type { SubscriptionEvent } from '../../src/plans/events.js';
import type { ReadModel } from '../../src/following/readModel.js';

type Handled =
  | AccountEvent
  | Extract<
      UserEvent,
      { type: 'UserRegistered' | 'ProfileUpdated' | 'EmailVerified' | 'EmailChanged' | 'UserErased' }
    >
  | SubscriptionEvent
  | PaidPlanEvent;

/**
 * Users and accounts, with the plan in force. Personal fields stay sealed, and are null once they are
 * erased; resolvers unseal them.
 */
export const accounts: ReadModel = {
  name: 'accounts',
  version: 8,
  tables: ['accounts', 'users', 'plans'],
  handles: new Set<Handled['type']>([
    'AccountOpened',
    'AccountRenamed',
    'AccountDeleted',
    'UserRegistered',
    'ProfileUpdated',
    'EmailVerified',
    'EmailChanged',
    'UserErased',
    'PlanGranted',
    'SubscriptionEnded',
    ...PAID_PLAN_EVENTS,
  ]),
  create: (t) => `
    CREATE TABLE ${t('accounts')} (
      id         text PRIMARY KEY,
      owner_id   text NOT NULL,
      opened_at  timestamptz NOT NULL,
      deleted_at timestamptz,
      -- Sealed; null where the account was given none, and once it is deleted.
      name       text
    );
    CREATE TABLE ${t('users')} (
      id            text PRIMARY KEY,
      account_id    text NOT NULL,
      email         text,
      name          text,
      registered_at timestamptz NOT NULL,
      email_verified bool NOT NULL DEFAULT false,
      erased_at     timestamptz
    );
    CREATE TABLE ${t('plans')} (
      account_id text,
      -- Granted by an operator, or paid.
      source     text,
      -- Null once it has ended.
      plan       text,
      revision   bigint NOT NULL,
      -- When it ends by itself.
      until      timestamptz,
      PRIMARY KEY (account_id, source)
    );`,
  indexes: (t) => [
    `CREATE INDEX ON ${t('accounts')} (opened_at, id)`,
    `CREATE INDEX ON ${t('plans')} (until) WHERE until IS NOT NULL AND plan IS NOT NULL`,
  ],
  fold: (events, t) => {
    const opened: object[] = [];
    const renamed = new Map<string, object>();
    const deleted: object[] = [];
    const registered: object[] = [];
    const names = new Map<string, object>();
    const verified: object[] = [];
    const emails = new Map<string, object>();
    const erased: object[] = [];
    const plans = new Map<string, object>();
    for (const stored of events) {
      const event = as<Handled>(stored);
      const { streamId: id, revision, metadata } = stored;
      switch (event.type) {
        case 'AccountOpened':
          opened.push({ id, owner_id: event.data.ownerId, opened_at: metadata.at });
          break;
        case 'AccountRenamed':
          renamed.set(id, { id, name: event.data.name });
          break;
        case 'AccountDeleted':
          deleted.push({ id, deleted_at: metadata.at });
          break;
        case 'UserRegistered': {
          const { accountId, email, name } = event.data;
          registered.push({ id, account_id: accountId, email, name, registered_at: metadata.at });
          break;
        }
        case 'ProfileUpdated':
          names.set(id, { id, name: event.data.name });
          break;
        case 'EmailVerified':
          verified.push({ id });
          break;
        case 'EmailChanged':
          emails.set(id, { id, email: event.data.email });
          break;
        case 'UserErased':
          erased.push({ id, erased_at: metadata.at });
          break;
        case 'PlanGranted':
          plans.set(`granted ${id}`, {
            account_id: id,
            source: 'granted',
            plan: event.data.plan,
            revision,
            until: event.data.until,
          });
          break;
        case 'SubscriptionEnded':
          plans.set(`granted ${id}`, { account_id: id, source: 'granted', plan: null, revision });
          break;
        case 'TrialStarted':
        case 'TrialConverted':
        case 'SubscriptionStarted':
        case 'PlanChanged':
        case 'PaymentRecovered':
        case 'AccessRestored':
        case 'AccessSuspended':
        case 'SubscriptionPaused':
        case 'SubscriptionResumed':
        case 'PaidSubscriptionEnded':
          plans.set(`paid ${id}`, {
            account_id: id,
            source: 'paid',
            plan: paidPlanAfter(event),
            revision,
          });
      }
    }
    // Nobody is deleted before being made: what ends comes after what begins.
    return [
      {
        rows: opened,
        text: `INSERT INTO ${t('accounts')} SELECT * FROM json_to_recordset($1::json)
                 AS r(id text, owner_id text, opened_at timestamptz)`,
      },
      {
        rows: [...renamed.values()],
        text: `UPDATE ${t('accounts')} AS a SET name = r.name
                 FROM json_to_recordset($1::json) AS r(id text, name text) WHERE a.id = r.id`,
      },
      {
        rows: deleted,
        text: `UPDATE ${t('accounts')} AS a SET deleted_at = r.deleted_at, name = NULL
                 FROM json_to_recordset($1::json) AS r(id text, deleted_at timestamptz) WHERE a.id = r.id`,
      },
      {
        rows: registered,
        text: `INSERT INTO ${t('users')} SELECT * FROM json_to_recordset($1::json)
                 AS r(id text, account_id text, email text, name text, registered_at timestamptz)`,
      },
      {
        rows: [...names.values()],
        text: `UPDATE ${t('users')} AS u SET name = r.name
                 FROM json_to_recordset($1::json) AS r(id text, name text) WHERE u.id = r.id`,
      },
      {
        rows: verified,
        text: `UPDATE ${t('users')} AS u SET email_verified = true
                 FROM json_to_recordset($1::json) AS r(id text) WHERE u.id = r.id`,
      },
      {
        rows: [...emails.values()],
        text: `UPDATE ${t('users')} AS u SET email = r.email, email_verified = true
                 FROM json_to_recordset($1::json) AS r(id text, email text) WHERE u.id = r.id`,
      },
      {
        rows: erased,
        text: `UPDATE ${t('users')} AS u SET email = NULL, name = NULL, erased_at = r.erased_at
                 FROM json_to_recordset($1::json) AS r(id text, erased_at timestamptz) WHERE u.id = r.id`,
      },
      {
        rows: [...plans.values()],
        text: `INSERT INTO ${t('plans')} SELECT * FROM json_to_recordset($1::json)
                 AS r(account_id text, source text, plan text, revision bigint, until timestamptz)
               ON CONFLICT (account_id, source) DO UPDATE
                 SET plan = excluded.plan, revision = excluded.revision, until = excluded.until`,
      },
    ]
      .filter(({ rows }) => rows.length > 0)
      .map(({ text, rows }) => ({ text, params: [JSON.stringify(rows)] }));
  },
};
