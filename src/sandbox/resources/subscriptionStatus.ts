import type { Invoice, Subscription } from '../objects.js';
import type { Unit } from '../unit.js';

/** The subscription that an invoice bills; undefined for one-off invoices. */
export const subscriptionOf = (invoice: Invoice): string | undefined =>
  invoice.parent?.subscription_details?.subscription;

/** What a paid invoice means for its subscription. */
export function subscriptionPaid(unit: Unit, invoice: Invoice): void {
  const id = subscriptionOf(invoice);
  if (id === undefined || !unit.find('subscription', id)) return;
  const subscription = unit.edit('subscription', id);
  const { pending } = subscription.$;
  if (pending?.invoice === invoice.id) {
    subscription.items.data = pending.items;
    const waited = subscription.pending_update !== null;
    subscription.pending_update = null;
    delete subscription.$.pending;
    if (waited) unit.emit('customer.subscription.pending_update_applied', subscription);
  }
  if (subscription.status === 'incomplete' && invoice.billing_reason === 'subscription_create') {
    subscription.status =
      subscription.trial_end !== null && subscription.trial_end > unit.now ? 'trialing' : 'active';
  }
  const late = subscription.status === 'past_due' || subscription.status === 'unpaid';
  if (late && subscription.latest_invoice === invoice.id) subscription.status = 'active';
  unit.emitUpdate('customer.subscription.updated', subscription);
}

/** What a charge that failed means for the subscription of an invoice. */
export function subscriptionUnpaid(unit: Unit, invoice: Invoice): void {
  const id = subscriptionOf(invoice);
  if (id === undefined || !unit.find('subscription', id)) return;
  const subscription = unit.edit('subscription', id);
  if (subscription.$.pending?.invoice === invoice.id) return;
  if (['active', 'trialing'].includes(subscription.status)) subscription.status = 'past_due';
  unit.emitUpdate('customer.subscription.updated', subscription);
}

/** The update that waits for an invoice is dropped: the invoice was voided, or nobody paid in time. */
export function dropPending(unit: Unit, subscription: Subscription): void {
  if (!subscription.pending_update) return;
  subscription.pending_update = null;
  delete subscription.$.pending;
  unit.emit('customer.subscription.pending_update_expired', subscription);
}

/** Nothing is billed any more. What was canceled cannot come back. */
export function end(unit: Unit, subscription: Subscription, status: 'canceled' | 'incomplete_expired'): void {
  subscription.status = status;
  subscription.status_details = null;
  subscription.ended_at = unit.now;
  subscription.canceled_at ??= unit.now;
  subscription.pending_update = null;
  delete subscription.$.pending;
  endSchedule(unit, subscription);
  for (const open of unit.filter(
    'invoice',
    (invoice) => subscriptionOf(invoice) === subscription.id && ['draft', 'open'].includes(invoice.status),
  )) {
    const invoice = unit.edit('invoice', open.id);
    invoice.auto_advance = false;
    invoice.automatically_finalizes_at = null;
    invoice.next_payment_attempt = null;
    unit.emitUpdate('invoice.updated', invoice);
  }
  if (status === 'canceled') unit.emit('customer.subscription.deleted', subscription);
  else unit.emitUpdate('customer.subscription.updated', subscription);
}

/** There is nothing left that a phase could change. */
function endSchedule(unit: Unit, subscription: Subscription): void {
  const { schedule: id } = subscription;
  subscription.schedule = null;
  if (unit.find('subscription_schedule', id)?.status !== 'active') return;
  const schedule = unit.edit('subscription_schedule', id ?? '');
  schedule.status = 'canceled';
  schedule.current_phase = null;
  schedule['canceled_at'] = unit.now;
  unit.emit('subscription_schedule.canceled', schedule);
}
