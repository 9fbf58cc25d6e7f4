import type { AccountEvent } from '../../src/accounts/events.js';
import type { PaidPlanEvent } from '../../src/billing/events.js';
import { PAID_PLAN_EVENTS, paidPlanAfter } from '../../src/billing/events.js';
import { as } from '../../src/eventsourcing/event.js';
import type { ReadModel } from '../../src/following/readModel.js';
import type { SubscriptionEvent } from '../../src/plans/events.js';

type Handled =
  Extract<AccountEvent, { type: 'AccountOpened' | 'AccountDeleted' }> | SubscriptionEvent | PaidPlanEvent;

/** When accounts were opened and deleted, and which plans they have had: for figures of any past moment. */
export const planHistory: ReadModel = {
  name: 'planHistory',
  awaited: false,
  version: 2,
  tables: ['accounts', 'plans'],
  handles: new Set<Handled['type']>([
    'AccountOpened',
    'AccountDeleted',
    'PlanGranted',
    'SubscriptionEnded',
    ...PAID_PLAN_EVENTS,
  ]),
  create: (t) => `
    CREATE TABLE ${t('accounts')} (
      id         text PRIMARY KEY,
      opened_at  timestamptz,
      deleted_at timestamptz
    );
    CREATE TABLE ${t('plans')} (
      account  text NOT NULL,
      -- Of the event.
      revision bigint NOT NULL,
      -- Granted by an operator, or paid.
      source   text NOT NULL,
      -- Null where it has ended.
      plan     text,
      at       timestamptz NOT NULL,
      -- When a gift ends by itself; null where it does not.
      until    timestamptz,
      PRIMARY KEY (account, revision)
    );`,
  fold: (events, t) =>
    events.map((stored) => {
      const { streamId: id, revision } = stored;
      const { at } = stored.metadata;
      const event = as<Handled>(stored);
      if (event.type === 'AccountOpened' || event.type === 'AccountDeleted') {
        const column = event.type === 'AccountOpened' ? 'opened_at' : 'deleted_at';
        return {
          text: `INSERT INTO ${t('accounts')} (id, ${column}) VALUES ($1, $2)
                 ON CONFLICT (id) DO UPDATE SET ${column} = excluded.${column}`,
          params: [id, at],
        };
      }
      const granted = event.type === 'PlanGranted' || event.type === 'SubscriptionEnded';
      const plan = event.type === 'PlanGranted' ? event.data.plan : granted ? null : paidPlanAfter(event);
      const until = event.type === 'PlanGranted' ? (event.data.until ?? null) : null;
      return {
        text: `INSERT INTO ${t('plans')} VALUES ($1, $2, $3, $4, $5, $6)`,
        params: [id, revision, granted ? 'granted' : 'paid', plan, at, until],
      };
    }),
};
