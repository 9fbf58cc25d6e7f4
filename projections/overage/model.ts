import type { BillingEvent } from '../../src/billing/events.js';
import { anchorFrom } from '../../src/billing/events.js';
import { as } from '../../src/eventsourcing/event.js';
import type { ReadModel } from '../../src/following/readModel.js';
import type { SubscriptionEvent } from '../../src/plans/events.js';
import type { OverageEvent } from '../../src/overage/events.js';
import type { Statement } from '../../src/sql/sql.js';
import type { ParkedUseEvent, UseReversal } from '../../src/usage/events.js';

type Folded =
  | Extract<
      BillingEvent,
      {
        type:
          | 'TrialStarted'
          | 'SubscriptionStarted'
          | 'TrialConverted'
          | 'PlanChanged'
          | 'SubscriptionPaused'
          | 'SubscriptionResumed'
          | 'PaidSubscriptionEnded';
      }
    >
  | SubscriptionEvent
  | Exclude<OverageEvent, { type: 'SpendCapReached' }>;

/** By which use has changed that was recorded before. */
type Corrected = UseReversal | Extract<ParkedUseEvent, { type: 'ParkedUseCorrected' }>;

type Change = Readonly<Record<string, string | number | boolean | null>>;

/** What an event says of an account, by column. Each column follows one stream alone. */
function changeOf(event: Folded, revision: number): Change {
  switch (event.type) {
    case 'TrialStarted':
      return {
        anchor: Date.parse(event.data.periodStart),
        currency: event.data.currency,
        trial: true,
        terms: null,
        ended_at: null,
        paused_at: null,
        ended_terms: null,
        revision,
      };
    case 'SubscriptionStarted':
    case 'SubscriptionResumed':
    case 'TrialConverted':
      return {
        anchor: anchorFrom(event.data),
        currency: event.data.currency,
        trial: false,
        terms: revision,
        ended_at: null,
        paused_at: null,
        ended_terms: null,
        revision,
      };
    case 'PlanChanged':
      return { terms: revision, revision };
    case 'PlanGranted':
    case 'SubscriptionEnded':
      return { grant_revision: revision };
    case 'SubscriptionPaused':
      return { paused_at: event.data.at, revision };
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
      return {
        closed_to: event.data.to,
        closed_period: event.data.period,
        as_of: event.data.asOf,
        settings_revision: revision,
      };
    case 'PeriodInvoiced':
      return { invoiced_period: event.data.period, settings_revision: revision };
    case 'OverageCorrected':
      return {
        as_of: event.data.asOf,
        corrected: event.data.correction,
        settings_revision: revision,
      };
    case 'CorrectionSettled':
      return { settled: event.data.correction, settings_revision: revision };
  }
}

/** By what accounts are billed for use above their limits, and what of it is still to be done. */
export const overage: ReadModel = {
  name: 'overage',
  version: 6,
  awaited: false,
  tables: ['accounts', 'use_corrections', 'corrections'],
  handles: new Set<(Folded | Corrected)['type']>([
    'TrialStarted',
    'SubscriptionStarted',
    'TrialConverted',
    'PlanChanged',
    'PlanGranted',
    'SubscriptionEnded',
    'SubscriptionPaused',
    'SubscriptionResumed',
    'PaidSubscriptionEnded',
    'OverageAllowed',
    'OverageStopped',
    'PeriodClosed',
    'PeriodInvoiced',
    'OverageCorrected',
    'CorrectionSettled',
    'UseReversed',
    'ParkedUseCorrected',
  ]),
  create: (t) => `
    CREATE TABLE ${t('accounts')} (
      account_id        text PRIMARY KEY,
      -- From the subscription. Months are counted from there on, in milliseconds since the epoch.
      anchor            bigint,
      -- In which it is paid.
      currency          text,
      trial             bool NOT NULL DEFAULT false,
      -- Revision of the event that set the price.
      terms             bigint,
      -- Of the last event by which an operator has granted a plan, or ended that: the price includes more or less.
      grant_revision    bigint NOT NULL DEFAULT -1,
      ended_at          timestamptz,
      -- It was paid for until then, also where it ends while it is paused.
      paused_at         timestamptz,
      -- By what it was billed then: what was changed or granted since holds for nothing that was used before.
      ended_terms       bigint,
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
      -- The last event that the ledger had seen when something was billed.
      as_of             bigint NOT NULL DEFAULT 0,
      -- What was corrected last after the last period was closed, and what of that is settled.
      corrected         text,
      settled           text,
      settings_revision bigint NOT NULL DEFAULT -1,
      -- Position of the last event by which use has changed that was recorded before.
      use_corrected     bigint NOT NULL DEFAULT 0
    );
    -- Events by which use has changed that was recorded before.
    CREATE TABLE ${t('use_corrections')} (
      account_id  text NOT NULL,
      position    bigint NOT NULL,
      event_id    text NOT NULL,
      -- In which the use counts.
      periods     text[] NOT NULL,
      PRIMARY KEY (account_id, position)
    );
    -- What closed periods were corrected by where no invoice followed.
    CREATE TABLE ${t('corrections')} (
      position      bigint PRIMARY KEY,
      account_id    text NOT NULL,
      correction    text NOT NULL,
      corrected_at  timestamptz NOT NULL,
      currency      text NOT NULL,
      total         bigint NOT NULL,
      lines         jsonb NOT NULL,
      -- Null until it is settled at the payment service.
      settled_at    timestamptz,
      invoice       text,
      credit_notes  text[],
      owed          bigint
    );`,
  indexes: (t) => [
    `CREATE INDEX ON ${t('accounts')} (account_id) WHERE ever_allowed`,
    `CREATE INDEX ON ${t('corrections')} (account_id, correction)`,
  ],
  fold: (events, t) => {
    const changes = new Map<string, Change>();
    const ends: Statement[] = [];
    const statements: Statement[] = [];
    const upsert = (accountId: string, change: Change): Statement => {
      const columns = Object.keys(change);
      const names = ['account_id', ...columns];
      const update = columns.map((name) => `${name} = excluded.${name}`);
      return {
        text: `INSERT INTO ${t('accounts')} (${names.join(', ')})
               VALUES (${names.map((_, place) => `$${place + 1}`).join(', ')})
               ON CONFLICT (account_id) DO ${update.length === 0 ? 'NOTHING' : `UPDATE SET ${update.join(', ')}`}`,
        params: [accountId, ...Object.values(change)],
      };
    };
    for (const stored of events) {
      const event = as<Folded | Corrected>(stored);
      if (event.type === 'UseReversed' || event.type === 'ParkedUseCorrected') {
        const { account, use } = event.data;
        if (use.environment === 'test') continue;
        changes.set(account, { ...changes.get(account), use_corrected: stored.position });
        statements.push({
          text: `INSERT INTO ${t('use_corrections')} VALUES ($1, $2, $3, $4)`,
          params: [account, stored.position, stored.id, use.periods],
        });
        continue;
      }
      const { streamId: accountId } = stored;
      if (event.type === 'SubscriptionPaused' || event.type === 'PaidSubscriptionEnded') {
        // What has come before it, in this page too, is what counts.
        const before = changes.get(accountId);
        if (before) ends.push(upsert(accountId, before));
        changes.delete(accountId);
        ends.push({
          text: `UPDATE ${t('accounts')} SET ended_terms = greatest(terms, grant_revision)
                  WHERE account_id = $1 AND terms IS NOT NULL AND coalesce(paused_at, ended_at) IS NULL`,
          params: [accountId],
        });
        ends.push(upsert(accountId, changeOf(event, stored.revision)));
        continue;
      }
      changes.set(accountId, { ...changes.get(accountId), ...changeOf(event, stored.revision) });
      if (event.type === 'OverageCorrected') {
        const { correction, currency, total, lines } = event.data;
        statements.push({
          text: `INSERT INTO ${t('corrections')} (position, account_id, correction, corrected_at, currency, total, lines)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)`,
          params: [
            stored.position,
            accountId,
            correction,
            stored.metadata.at,
            currency,
            total,
            JSON.stringify(lines),
          ],
        });
      }
      if (event.type === 'CorrectionSettled') {
        const { correction, invoice, creditNotes, owed } = event.data;
        statements.push({
          text: `UPDATE ${t('corrections')} SET settled_at = $3, invoice = $4, credit_notes = $5, owed = $6
                  WHERE account_id = $1 AND correction = $2`,
          params: [accountId, correction, stored.metadata.at, invoice, creditNotes, owed],
        });
      }
    }
    const rows = [...changes].map(([accountId, change]) => upsert(accountId, change));
    return [...ends, ...rows, ...statements];
  },
};
