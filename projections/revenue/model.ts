import type { BillingEvent, InvoiceEvent, PaymentEvent, Terms } from '../../src/billing/events.js';
import type { CreditEvent } from '../../src/credits/events.js';
import type { DisputeEvent } from '../../src/disputes/events.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import { as } from '../../src/eventsourcing/event.js';
import type { ReadModel } from '../../src/following/readModel.js';

type Folded =
  | Extract<
      BillingEvent,
      {
        type:
          | 'TrialStarted'
          | 'TrialConverted'
          | 'SubscriptionStarted'
          | 'PeriodRenewed'
          | 'PlanChanged'
          | 'SubscriptionPaused'
          | 'SubscriptionResumed'
          | 'PaidSubscriptionEnded';
      }
    >
  | Extract<InvoiceEvent, { type: 'InvoiceFinalised' }>
  | Extract<CreditEvent, { type: 'CreditsGranted' | 'CreditsRefunded' | 'CreditRefundReversed' }>
  | Extract<PaymentEvent, { type: 'PaymentReceived' | 'PaymentRefunded' }>
  | Extract<DisputeEvent, { type: 'DisputeOpened' | 'DisputeWon' }>;

interface Row {
  readonly kind:
    'recurring' | 'trial_started' | 'trial_converted' | 'invoiced' | 'one_time' | 'refund' | 'dispute';
  /** Empty where there is none. */
  readonly account: string;
  /**
   * Minor units. Of `recurring`: what the account pays in twelve months from then on, so that months and years
   * are whole; 0 while it is paused, and once it has ended.
   */
  readonly amount: number;
  /** Null where the currency is the one before. */
  readonly currency: string | null;
}

const yearly = ({ amount, interval }: Terms): number => (interval === 'year' ? amount : amount * 12);

function rowsOf(stored: StoredEvent): Row[] {
  const { type, data } = as<Folded>(stored);
  const account = stored.streamId;
  switch (type) {
    case 'TrialStarted':
      return [{ kind: 'trial_started', account, amount: 0, currency: data.currency }];
    case 'TrialConverted':
      return [
        { kind: 'trial_converted', account, amount: 0, currency: data.currency },
        { kind: 'recurring', account, amount: yearly(data), currency: data.currency },
      ];
    case 'SubscriptionStarted':
    case 'SubscriptionResumed':
    case 'PeriodRenewed':
      return [{ kind: 'recurring', account, amount: yearly(data), currency: data.currency }];
    case 'PlanChanged':
      return [{ kind: 'recurring', account, amount: yearly(data), currency: data.currency }];
    case 'SubscriptionPaused':
    case 'PaidSubscriptionEnded':
      return [{ kind: 'recurring', account, amount: 0, currency: null }];
    case 'InvoiceFinalised':
      return [{ kind: 'invoiced', account: data.accountId, amount: data.total, currency: data.currency }];
    case 'CreditsGranted':
      return data.paid ? [{ kind: 'one_time', account, ...data.paid }] : [];
    case 'CreditsRefunded':
      return data.refunded ? [{ kind: 'refund', account, ...data.refunded }] : [];
    case 'CreditRefundReversed':
      return [{ kind: 'refund', account, ...data.reversed, amount: -data.reversed.amount }];
    case 'PaymentReceived':
      return [{ kind: 'one_time', account: '', amount: data.amount, currency: data.currency }];
    case 'PaymentRefunded':
      return [{ kind: 'refund', account: '', amount: data.amount, currency: data.currency }];
    case 'DisputeOpened':
    case 'DisputeWon': {
      const { accountId, amount, unrefunded = amount, currency } = data;
      // What was refunded before is a refund.
      const back = type === 'DisputeWon' ? -unrefunded : unrefunded;
      return [{ kind: 'dispute', account: accountId ?? '', amount: back, currency }];
    }
  }
}

/** What operators earn, one row for each event that says something of it: figures are asked for any moment. */
export const revenue: ReadModel = {
  name: 'revenue',
  version: 4,
  awaited: false,
  tables: ['facts'],
  independent: true,
  handles: new Set<Folded['type']>([
    'TrialStarted',
    'TrialConverted',
    'SubscriptionStarted',
    'PeriodRenewed',
    'PlanChanged',
    'SubscriptionPaused',
    'SubscriptionResumed',
    'PaidSubscriptionEnded',
    'InvoiceFinalised',
    'CreditsGranted',
    'CreditsRefunded',
    'CreditRefundReversed',
    'PaymentReceived',
    'PaymentRefunded',
    'DisputeOpened',
    'DisputeWon',
  ]),
  create: (t) => `
    CREATE TABLE ${t('facts')} (
      position   bigint NOT NULL,
      -- Of several events of one position.
      event      text NOT NULL,
      place      int NOT NULL,
      at         timestamptz NOT NULL,
      kind       text NOT NULL,
      account_id text NOT NULL,
      amount     bigint NOT NULL,
      currency   text,
      PRIMARY KEY (position, event, place)
    );`,
  indexes: (t) => [`CREATE INDEX ON ${t('facts')} (kind, at)`],
  fold: (events, t) => {
    const rows = events.flatMap((stored) =>
      rowsOf(stored).map((row, place) => ({
        ...row,
        place,
        position: stored.position,
        event: stored.id,
        at: stored.metadata.at,
      })),
    );
    if (rows.length === 0) return [];
    return [
      {
        text: `INSERT INTO ${t('facts')}
               SELECT position, event, place, at, kind, account, amount, currency
                 FROM json_to_recordset($1::json) AS r(position bigint, event text, place int, at timestamptz,
                      kind text, account text, amount bigint, currency text)`,
        params: [JSON.stringify(rows)],
      },
    ];
  },
};
