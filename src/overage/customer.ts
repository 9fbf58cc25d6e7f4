import type { BillingEvent } from '../billing/events.js';
import type { StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';

/** The customer at the payment service. @param history of the subscription's stream, which has one */
export function billingCustomerOf(history: readonly StoredEvent[]): string {
  for (const stored of history) {
    const { type, data } = as<BillingEvent>(stored);
    if (type === 'CustomerCreated') return data.customer;
  }
  throw new Error('an account with a subscription has no customer');
}
