import type { StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import type { PublicEvent, PublicEventsOf } from '../eventsourcing/publicEvents.js';
import { shownId } from '../graphql/kit/ids.js';
import type { BillingEvent, InvoiceEvent } from './events.js';
import { evolve, INITIAL } from './state.js';

const END = {
  InvoicePaid: 'paid',
  InvoiceVoided: 'void',
  InvoiceWrittenOff: 'uncollectible',
} as const;

/** An invoice with its lines. Amounts are in minor units of its currency. */
function invoiceState(history: readonly StoredEvent[]): object {
  let invoice: object = {};
  for (const stored of history) {
    const { type, data } = as<InvoiceEvent>(stored);
    switch (type) {
      case 'InvoiceFinalised':
        invoice = {
          id: stored.streamId,
          ...data,
          accountId: shownId('Account', data.accountId),
          status: 'open',
          paid: 0,
          credited: 0,
          nextAttemptAt: null,
        };
        break;
      case 'PaymentFailed':
        invoice = { ...invoice, nextAttemptAt: data.nextAttemptAt };
        break;
      case 'InvoiceCredited':
        invoice = { ...invoice, credited: data.credited };
        break;
      case 'InvoiceDiffers':
        // It is for operators.
        break;
      case 'InvoicePaid':
        invoice = { ...invoice, status: END[type], paid: data.paid, nextAttemptAt: null };
        break;
      case 'InvoiceVoided':
      case 'InvoiceWrittenOff':
        invoice = { ...invoice, status: END[type], nextAttemptAt: null };
    }
  }
  return invoice;
}

const ofInvoice = (type: string, description: string): PublicEvent => ({
  type,
  description,
  account: (event) => as<InvoiceEvent>(event).data.accountId,
  state: invoiceState,
});

/** What is paid for, without what only Stripe and we need; null once it has ended. */
function subscriptionState(history: readonly StoredEvent[]): object {
  // Beside these the stream has what operators grant, which changes nothing here.
  const { paid } = history.reduce((state, event) => evolve(state, as<BillingEvent>(event)), INITIAL);
  const accountId = shownId('Account', history[0]?.streamId ?? '');
  if (!paid) return { accountId, planId: null };
  const { plan: planId, price: priceId, interval, amount, currency, periodStart, periodEnd } = paid;
  const { trialEndsAt = null, cancelsAt = null, suspended, pausedAt = null } = paid;
  const terms = { planId, priceId, interval, amount, currency, periodStart, periodEnd };
  return { accountId, ...terms, trialEndsAt, cancelsAt, suspended, pausedAt };
}

const ofSubscription = (type: string, description: string): PublicEvent => ({
  type,
  description,
  account: ({ streamId }) => streamId,
  state: subscriptionState,
});

/** What webhooks tell of subscriptions and invoices. */
export const publicEvents: PublicEventsOf<BillingEvent | InvoiceEvent> = {
  TrialStarted: ofSubscription('subscription.trial_started', 'The trial of a plan has begun.'),
  SubscriptionStarted: ofSubscription('subscription.started', 'The account pays for a plan from now on.'),
  PlanChanged: ofSubscription('subscription.changed', 'The account pays for another plan or price.'),
  AccessSuspended: ofSubscription(
    'subscription.suspended',
    'The account is on the default plan until it has paid.',
  ),
  SubscriptionPaused: ofSubscription(
    'subscription.paused',
    'The account has paused its subscription and is on the default plan.',
  ),
  SubscriptionResumed: ofSubscription(
    'subscription.resumed',
    'A pause is over: the account pays for its plan again.',
  ),
  AccessRestored: ofSubscription('subscription.restored', 'The account has paid and is on its plan again.'),
  PaidSubscriptionEnded: ofSubscription(
    'subscription.ended',
    'The account does not pay for a plan any more.',
  ),
  InvoiceFinalised: ofInvoice('invoice.finalised', 'An invoice was issued.'),
  InvoicePaid: ofInvoice('invoice.paid', 'An invoice was paid.'),
  PaymentFailed: ofInvoice(
    'invoice.payment_failed',
    'A payment failed; `nextAttemptAt` says when it is tried again.',
  ),
  InvoiceVoided: ofInvoice('invoice.voided', 'An invoice was voided: nothing is to be paid.'),
  InvoiceWrittenOff: ofInvoice('invoice.written_off', 'An invoice will not be collected.'),
  InvoiceCredited: ofInvoice('invoice.credited', 'Something that was paid was given back.'),
};
