import type { Audited } from '../eventsourcing/audited.js';
import type { BillingEvent, RefundFailed } from './events.js';

type Kept = Extract<
  BillingEvent,
  {
    type:
      | 'CheckoutRequested'
      | 'PlanChangeRequested'
      | 'CancellationRequested'
      | 'ResumptionRequested'
      | 'PauseRequested'
      | 'SubscriptionPaused'
      | 'SubscriptionResumed'
      | 'PriceAgreed'
      | 'AgreedPriceWithdrawn'
      | 'SubscriptionStarted'
      | 'TrialStarted'
      | 'PlanChanged'
      | 'AccessSuspended'
      | 'PaidSubscriptionEnded';
  }
>;

/** What the audit log keeps: who asked for what, and when what is paid for has changed. */
export const audited: Audited<Kept | RefundFailed> = {
  CheckoutRequested: ({ by }, id) => ({ account: id, actor: by }),
  PlanChangeRequested: ({ by }, id) => ({ account: id, actor: by }),
  CancellationRequested: ({ by }, id) => ({ account: id, actor: by }),
  PriceAgreed: ({ price, by }, id) => ({ account: id, actor: by, subject: `price:${price}` }),
  AgreedPriceWithdrawn: ({ price, by }, id) => ({ account: id, actor: by, subject: `price:${price}` }),
  ResumptionRequested: ({ by }, id) => ({ account: id, actor: by }),
  PauseRequested: ({ by }, id) => ({ account: id, actor: by }),
  SubscriptionPaused: (_data, id) => ({ account: id }),
  SubscriptionResumed: (_data, id) => ({ account: id }),
  SubscriptionStarted: (_data, id) => ({ account: id }),
  TrialStarted: (_data, id) => ({ account: id }),
  PlanChanged: (_data, id) => ({ account: id }),
  RefundFailed: ({ accountId, reason }) => ({ account: accountId, ...(reason !== null && { reason }) }),
  AccessSuspended: ({ reason }, id) => ({ account: id, reason }),
  PaidSubscriptionEnded: ({ reason }, id) => ({ account: id, reason }),
};
