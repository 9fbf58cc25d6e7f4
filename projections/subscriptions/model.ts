import type { BillingEvent, Terms } from '../../src/billing/events.js';
import { NOTICE_MS } from '../../src/billing/events.js';
import { as } from '../../src/eventsourcing/event.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import type { ReadModel } from '../../src/following/readModel.js';

/** What an event says of an account, by column. */
type Change = Readonly<Record<string, string | number | boolean | null>>;

const termsOf = ({
  subscription,
  plan,
  price,
  interval,
  amount,
  currency,
  periodStart,
  periodEnd,
}: Terms) => ({
  subscription,
  plan,
  price,
  interval,
  amount,
  currency,
  period_start: periodStart,
  period_end: periodEnd,
});

const NOTHING_SCHEDULED = { scheduled_plan: null, scheduled_price: null, scheduled_at: null };
const NOTHING_ASKED = {
  asked_id: null,
  asked_kind: null,
  asked_plan: null,
  asked_price: null,
  asked_at: null,
};
const FRESH = {
  trial_ends_at: null,
  cancels_at: null,
  ended_at: null,
  overdue_since: null,
  grace_ends_at: null,
  suspended: false,
  paused_at: null,
  due_at: null,
  discounts: '[]',
  ...NOTHING_SCHEDULED,
};

/** When an account is told of what ends then. */
const noticeOf = (end: string): string => new Date(Date.parse(end) - NOTICE_MS).toISOString();

function changeOf(stored: StoredEvent): Change {
  const { type, data } = as<BillingEvent>(stored);
  const { at } = stored.metadata;
  switch (type) {
    case 'CustomerRequested':
      return { customer_asked_at: at };
    case 'CustomerCreated':
      return { customer: data.customer };
    case 'CheckoutRequested':
      return { checkout_id: data.checkoutId, checkout_session: null };
    case 'AgreedPriceWithdrawn':
      // Its page is to be closed, as long as it has not ended.
      return data.checkoutId === null ? {} : { checkout_session: null };
    case 'CheckoutWithdrawn':
      return { checkout_session: null };
    case 'CheckoutOpened':
      return { checkout_session: data.session };
    case 'CheckoutEnded':
      return { checkout_id: null, checkout_session: null };
    case 'TrialStarted':
      return {
        ...FRESH,
        ...termsOf(data),
        trial_ends_at: data.trialEndsAt,
        due_at: noticeOf(data.trialEndsAt),
        status: 'trialing',
        started_at: at,
      };
    case 'SubscriptionStarted':
      return { ...FRESH, ...termsOf(data), status: 'active', started_at: at };
    case 'TrialConverted':
      return { ...termsOf(data), status: 'active', due_at: null };
    case 'PeriodRenewed':
      return termsOf(data);
    case 'PlanChangeRequested':
      return {
        asked_id: data.changeId,
        asked_kind: 'change',
        asked_plan: data.plan,
        asked_price: data.price,
        asked_at: at,
        failure_code: null,
        failure_message: null,
      };
    case 'PlanChanged':
      return { ...termsOf(data), suspended: false, ...NOTHING_SCHEDULED, ...NOTHING_ASKED };
    case 'DiscountsChanged':
      return { discounts: JSON.stringify(data.discounts) };
    case 'PlanChangeScheduled':
      return {
        scheduled_plan: data.plan,
        scheduled_price: data.price,
        scheduled_at: data.at,
        ...NOTHING_ASKED,
      };
    case 'PlanChangeUnscheduled':
      return data.changeId === undefined ? NOTHING_SCHEDULED : { ...NOTHING_SCHEDULED, ...NOTHING_ASKED };
    case 'CancellationRequested':
      return {
        asked_id: data.requestId,
        asked_kind: 'cancel',
        asked_at: at,
        failure_code: null,
        failure_message: null,
      };
    case 'CancellationScheduled':
      return { cancels_at: data.at, ...NOTHING_ASKED };
    case 'ResumptionRequested':
      return {
        asked_id: data.requestId,
        asked_kind: 'resume',
        asked_at: at,
        failure_code: null,
        failure_message: null,
      };
    case 'PauseRequested':
      return {
        asked_id: data.requestId,
        asked_kind: 'pause',
        asked_at: at,
        failure_code: null,
        failure_message: null,
      };
    case 'SubscriptionPaused':
      return {
        status: 'paused',
        paused_at: data.at,
        overdue_since: null,
        grace_ends_at: null,
        due_at: null,
        ...NOTHING_ASKED,
      };
    case 'SubscriptionResumed':
      return { ...termsOf(data), status: 'active', paused_at: null, suspended: false, ...NOTHING_ASKED };
    case 'CancellationRevoked':
      return { cancels_at: null, ...NOTHING_ASKED };
    case 'BillingRequestFailed':
      return { ...NOTHING_ASKED, failure_code: data.code, failure_message: data.message };
    case 'PaymentOverdue':
      return {
        status: 'past_due',
        overdue_since: data.since,
        grace_ends_at: data.graceEndsAt,
        due_at: noticeOf(data.graceEndsAt),
      };
    case 'TrialEnding':
      return { due_at: null };
    case 'GraceEnding':
      return { due_at: data.graceEndsAt };
    case 'PaymentRecovered':
      return { status: 'active', overdue_since: null, grace_ends_at: null, due_at: null };
    case 'AccessSuspended':
      return { suspended: true, due_at: null };
    case 'AccessRestored':
      return { suspended: false };
    case 'ActivationFailed':
    case 'DuplicateSubscriptionEnded':
    case 'PriceAgreed':
      return {};
    case 'PaidSubscriptionEnded':
      return {
        status: 'ended',
        ended_at: data.endedAt,
        paused_at: null,
        due_at: null,
        ...NOTHING_SCHEDULED,
        ...NOTHING_ASKED,
      };
  }
}

/** What accounts pay for, and what was asked of Stripe and is not done. */
export const subscriptions: ReadModel = {
  name: 'subscriptions',
  version: 5,
  tables: ['accounts'],
  handles: new Set<BillingEvent['type']>([
    'CustomerRequested',
    'CustomerCreated',
    'CheckoutRequested',
    'CheckoutOpened',
    'CheckoutEnded',
    'CheckoutWithdrawn',
    'AgreedPriceWithdrawn',
    'TrialStarted',
    'TrialConverted',
    'SubscriptionStarted',
    'PeriodRenewed',
    'PlanChangeRequested',
    'PlanChanged',
    'PlanChangeScheduled',
    'DiscountsChanged',
    'PlanChangeUnscheduled',
    'CancellationRequested',
    'CancellationScheduled',
    'ResumptionRequested',
    'CancellationRevoked',
    'PauseRequested',
    'SubscriptionPaused',
    'SubscriptionResumed',
    'BillingRequestFailed',
    'PaymentOverdue',
    'TrialEnding',
    'GraceEnding',
    'PaymentRecovered',
    'AccessSuspended',
    'AccessRestored',
    'ActivationFailed',
    'PaidSubscriptionEnded',
  ]),
  create: (t) => `
    CREATE TABLE ${t('accounts')} (
      account_id        text PRIMARY KEY,
      customer_asked_at timestamptz,
      customer          text,
      checkout_id       text,
      checkout_session  text,
      -- Null before the first subscription.
      subscription      text,
      status            text,
      plan              text,
      price             text,
      interval          text,
      amount            bigint,
      currency          text,
      period_start      timestamptz,
      period_end        timestamptz,
      trial_ends_at     timestamptz,
      started_at        timestamptz,
      cancels_at        timestamptz,
      ended_at          timestamptz,
      discounts         jsonb NOT NULL DEFAULT '[]',
      scheduled_plan    text,
      scheduled_price   text,
      scheduled_at      timestamptz,
      overdue_since     timestamptz,
      grace_ends_at     timestamptz,
      suspended         bool NOT NULL DEFAULT false,
      paused_at         timestamptz,
      -- When time alone makes something due: a notice, or the end of a grace.
      due_at            timestamptz,
      -- Asked of Stripe, and neither confirmed nor refused.
      asked_id          text,
      asked_kind        text,
      asked_plan        text,
      asked_price       text,
      asked_at          timestamptz,
      -- Why Stripe has refused what was asked last.
      failure_code      text,
      failure_message   text
    );`,
  indexes: (t) => [
    `CREATE INDEX ON ${t('accounts')} (customer)`,
    `CREATE INDEX ON ${t('accounts')} (subscription)`,
    `CREATE INDEX ON ${t('accounts')} (asked_at) WHERE asked_id IS NOT NULL`,
    `CREATE INDEX ON ${t('accounts')} (due_at, account_id) WHERE due_at IS NOT NULL`,
  ],
  fold: (events, t) => {
    const changes = new Map<string, Change>();
    for (const stored of events) {
      changes.set(stored.streamId, { ...changes.get(stored.streamId), ...changeOf(stored) });
    }
    return [...changes].map(([accountId, change]) => {
      const columns = Object.keys(change);
      const names = ['account_id', ...columns];
      const values = names.map((_, place) => `$${place + 1}`);
      const update = columns.map((name) => `${name} = excluded.${name}`);
      return {
        text: `INSERT INTO ${t('accounts')} (${names.join(', ')}) VALUES (${values.join(', ')})
               ON CONFLICT (account_id) DO ${update.length === 0 ? 'NOTHING' : `UPDATE SET ${update.join(', ')}`}`,
        params: [accountId, ...Object.values(change)],
      };
    });
  },
};
