import type { StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import type { BillingEvent, Terms } from './events.js';

/** What is paid for from an event on. */
export interface PaidTerms {
  readonly event: string;
  readonly terms: Terms;
}

/** The events of a subscription that say what is paid for. */
type TermsEvent = Extract<
  BillingEvent,
  {
    type:
      | 'TrialStarted'
      | 'TrialConverted'
      | 'SubscriptionStarted'
      | 'SubscriptionResumed'
      | 'PeriodRenewed'
      | 'PlanChanged';
  }
>;

const SAYS_TERMS: ReadonlySet<string> = new Set<TermsEvent['type']>([
  'TrialStarted',
  'TrialConverted',
  'SubscriptionStarted',
  'SubscriptionResumed',
  'PeriodRenewed',
  'PlanChanged',
]);

/** What was paid for, oldest first. @param history the stream of the account's subscription */
export const paidTermsIn = (history: readonly StoredEvent[]): PaidTerms[] =>
  history
    .filter(({ type }) => SAYS_TERMS.has(type))
    .map((stored) => ({ event: stored.id, terms: as<TermsEvent>(stored).data }));

/**
 * What was paid for at a price when a time begins. Webhooks may be late: what came afterwards is none of the reasons,
 * unless there is nothing else.
 */
export function paidAt(
  paid: readonly PaidTerms[],
  price: string | null,
  time: string,
): PaidTerms | undefined {
  const same = paid.filter(({ terms }) => terms.price === price);
  const begun = same.findLast(({ terms }) => Date.parse(terms.periodStart) <= Date.parse(time));
  return begun ?? same[0];
}
