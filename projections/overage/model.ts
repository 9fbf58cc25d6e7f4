import type { BillingEvent } from '../../src/billing/events.js';
import { as } from '../../src/eventsourcing/event.js';
import type { ReadModel } from '../../src/following/readModel.js';
import type { SubscriptionEvent } from '../../src/plans/events.js';
import type { OverageEvent } from '../../src/overage/events.js';

type Folded =
  | Extract<
      BillingEvent,
      {
        type:
          'TrialStarted' | 'SubscriptionStarted' | 'TrialConverted' | 'PlanChanged' | 'PaidSubscriptionEnded';
      }
    >
  | SubscriptionEvent
  | Exclude<OverageEvent, { type: 'SpendCapReached' }>;

/** What an event says of an account, by column. Each column follows one stream alone. */
function changeOf(
  event: Folded,
  revision: number,
): Readonly<Record<string, string | number | boolean | null>> {
  switch (event.type) {
    case 'TrialStarted':
      return {
        anchor: Date.parse(event.data.periodStart),
        trial: true,
        terms: null,
        ended_at: null,
        revision,
      };
    case 'SubscriptionStarted':
    case 'TrialConverted':
      return {
        anchor: Date.parse(event.data.periodStart),
        trial: false,
        terms: revision,
        ended_at: null,
        revision,
      };
    case 'PlanChanged':
      return { terms: revision, revision };
    case 'PlanGranted':
    case 'SubscriptionEnded':
      return { grant_revision: revision };
    case 'PaidSubscriptionEnded':
      return { ended_at: event.data.endedAt, revision };
    case 'OverageAllowed': {
      const { cap, at } = event.data;
      return {
        allowed: true,
        ever_allowed: true,
        allowed_at: at,
        cap_amount: cap?.amount ?? null,
        cap_currency: cap?.currency ?? null,
        cap_rule: cap?.whenReached ?? null,
        settings_revision: revision,
      };
    }
    case 'OverageStopped':
      return { allowed: false, settings_revision: revision };
    case 'PeriodClosed':
      return { closed_to: event.data.to, closed_period: event.data.period, settings_revision: revision };
    case 'PeriodInvoiced':
      return { invoiced_period: event.data.period, settings_revision: revision };
  }
}

/** By what accounts are billed for use above their limits, and what of it is still to be done. */
export const overage: ReadModel = {
  name: 'overage',
  version: 2,
  awaited: false,
  tables: ['accounts'],
  handles: new Set<Folded['type']>([
    'TrialStarted',
    'SubscriptionStarted',
    'TrialConverted',
    'PlanChanged',
    'PlanGranted',
    'SubscriptionEnded',
    'PaidSubscriptionEnded',
    'OverageAllowed',
    'OverageStopped',
    'PeriodClosed',
    'PeriodInvoiced',
  ]),
  create: (t) => `
    CREATE TABLE ${t('accounts')} (
      account_id        text PRIMARY KEY,
      -- From the subscription. Months are counted from there on, in milliseconds since the epoch.
      anchor            bigint,
      trial             bool NOT NULL DEFAULT false,
      -- Revision of the event that set the price.
      terms             bigint,
      -- Of the last event by which an operator has granted a plan, or ended that: the price includes more or less.
      grant_revision    bigint NOT NULL DEFAULT -1,
      ended_at          timestamptz,
      revision          bigint NOT NULL DEFAULT -1,
      -- From what the account has set, and what was billed.
      allowed           bool NOT NULL DEFAULT false,
      ever_allowed      bool NOT NULL DEFAULT false,
      allowed_at        timestamptz,
      cap_amount        bigint,
      cap_currency      text,
      cap_rule          text,
      closed_to         timestamptz,
      closed_period     text,
      invoiced_period   text,
      settings_revision bigint NOT NULL DEFAULT -1
    );`,
  indexes: (t) => [`CREATE INDEX ON ${t('accounts')} (account_id) WHERE ever_allowed`],
  fold: (events, t) => {
    const changes = new Map<string, Record<string, string | number | boolean | null>>();
    for (const stored of events) {
      const change = changeOf(as<Folded>(stored), stored.revision);
      changes.set(stored.streamId, { ...changes.get(stored.streamId), ...change });
    }
    return [...changes].map(([accountId, change]) => {
      const columns = Object.keys(change);
      const names = ['account_id', ...columns];
      const update = columns.map((name) => `${name} = excluded.${name}`);
      return {
        text: `INSERT INTO ${t('accounts')} (${names.join(', ')})
               VALUES (${names.map((_, place) => `$${place + 1}`).join(', ')})
               ON CONFLICT (account_id) DO ${update.length === 0 ? 'NOTHING' : `UPDATE SET ${update.join(', ')}`}`,
        params: [accountId, ...Object.values(change)],
      };
    });
  },
};
