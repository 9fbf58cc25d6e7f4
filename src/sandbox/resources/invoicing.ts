import { invalid, tooLarge } from '../errors.js';
import type { Invoice, InvoiceLine, InvoicePayment, Subscription, TaxRate } from '../objects.js';
import { listOf } from '../present.js';
import { MAX_AMOUNT } from '../rules/money.js';
import { DAY, HOUR } from '../rules/time.js';
import { settled } from '../rules/totals.js';
import type { Unit } from '../unit.js';
import type { Outcome } from './charging.js';
import { confirm, createIntent } from './charging.js';
import { addToBalance, livingCustomer } from './customers.js';
import { recompute } from './invoiceTotals.js';
import { describeItem, priceAmount } from './lines.js';
import {
  dropPending,
  end,
  subscriptionOf,
  subscriptionPaid,
  subscriptionUnpaid,
} from './subscriptionStatus.js';
import { usageOf } from './usage.js';

export interface InvoiceInput {
  readonly id: string;
  readonly customer: string;
  readonly currency: string;
  readonly reason: string;
  readonly lines: InvoiceLine[];
  readonly subscription?: Subscription | undefined;
  readonly prorationDate?: number | undefined;
  readonly discounts: readonly string[];
  readonly taxRates: readonly TaxRate[];
  readonly period: { readonly start: number; readonly end: number };
  readonly autoAdvance: boolean;
  readonly metadata?: Record<string, string>;
  readonly description?: string | null;
}

/** A draft with its totals. The caller tells of it. */
export function draftInvoice(unit: Unit, input: InvoiceInput): Invoice {
  const { id, subscription } = input;
  const customer = livingCustomer(unit, input.customer);
  customer.currency ??= input.currency;
  const invoice: Invoice = {
    ...unit.base('invoice', 'invoice', id),
    account_country: 'US',
    account_name: 'Sandbox',
    account_tax_ids: null,
    amount_due: 0,
    amount_overpaid: 0,
    amount_paid: 0,
    amount_remaining: 0,
    amount_shipping: 0,
    application: null,
    attempt_count: 0,
    attempted: false,
    auto_advance: input.autoAdvance,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
    automatically_finalizes_at: input.autoAdvance ? unit.now + HOUR : null,
    billing_reason: input.reason,
    collection_method: 'charge_automatically',
    currency: input.currency,
    custom_fields: null,
    customer: customer.id,
    customer_account: null,
    customer_address: customer['address'] ?? null,
    customer_email: customer.email,
    customer_name: customer.name,
    customer_phone: customer['phone'] ?? null,
    customer_shipping: null,
    customer_tax_exempt: customer.tax_exempt,
    customer_tax_ids: [],
    default_payment_method: null,
    default_source: null,
    default_tax_rates: [...input.taxRates],
    description: input.description ?? null,
    discounts: [...input.discounts],
    due_date: null,
    effective_at: null,
    ending_balance: null,
    footer: null,
    from_invoice: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    issuer: { type: 'self' },
    last_finalization_error: null,
    latest_revision: null,
    lines: listOf(input.lines, `/v1/invoices/${id}/lines`),
    metadata: input.metadata ?? {},
    next_payment_attempt: input.autoAdvance ? unit.now + HOUR : null,
    number: null,
    on_behalf_of: null,
    parent: subscription
      ? {
          quote_details: null,
          subscription_details: {
            metadata: { ...subscription.metadata },
            subscription: subscription.id,
            ...(input.prorationDate !== undefined && { subscription_proration_date: input.prorationDate }),
          },
          type: 'subscription_details',
        }
      : null,
    payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
    period_end: input.period.end,
    period_start: input.period.start,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    receipt_number: null,
    rendering: null,
    shipping_cost: null,
    shipping_details: null,
    starting_balance: 0,
    statement_descriptor: null,
    status: 'draft',
    status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
    subtotal: 0,
    subtotal_excluding_tax: 0,
    test_clock: null,
    total: 0,
    total_discount_amounts: [],
    total_excluding_tax: 0,
    total_pretax_credit_amounts: [],
    total_taxes: [],
    webhooks_delivered_at: null,
    $: { payments: [] },
  };
  unit.add('invoice', invoice);
  recompute(unit, invoice);
  if (subscription) subscription.latest_invoice = id;
  return invoice;
}

/** Draft → open, or paid where nothing is due: number, balance, discounts of one use. @throws ApiError */
export function finalize(unit: Unit, invoice: Invoice): void {
  if (invoice.status !== 'draft') {
    throw invalid(
      "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
      undefined,
      'invoice_not_editable',
    );
  }
  measure(unit, invoice);
  alter(unit, invoice);
  recompute(unit, invoice);
  const customer = livingCustomer(unit, invoice.customer);
  const { amountDue, endingBalance } = settled(invoice.total, customer.balance, invoice.currency);
  // One payment pays it.
  if (amountDue > MAX_AMOUNT) throw tooLarge();
  invoice.number = `${customer.invoice_prefix}-${`${customer.next_invoice_sequence}`.padStart(4, '0')}`;
  customer.next_invoice_sequence++;
  invoice.starting_balance = customer.balance;
  invoice.ending_balance = endingBalance;
  if (endingBalance !== customer.balance) {
    addToBalance(unit, customer, endingBalance - customer.balance, invoice.currency, 'applied_to_invoice', {
      invoice: invoice.id,
    });
    unit.emitUpdate('customer.updated', customer);
  }
  Object.assign(invoice, {
    amount_due: amountDue,
    amount_remaining: amountDue,
    automatically_finalizes_at: null,
    effective_at: unit.now,
    hosted_invoice_url: `${unit.pagesUrl}/invoice/${invoice.id}`,
    invoice_pdf: `${unit.pagesUrl}/invoice/${invoice.id}`,
    next_payment_attempt: null,
    status: 'open',
  });
  invoice.status_transitions.finalized_at = unit.now;
  for (const { discount } of invoice.total_discount_amounts) useUp(unit, discount);
  unit.emit('invoice.finalized', invoice);
  if (amountDue === 0) return markPaid(unit, invoice, 0);
  const intent = createIntent(unit, {
    amount: amountDue,
    currency: invoice.currency,
    customer: invoice.customer,
    description: INTENT_DESCRIPTIONS[invoice.billing_reason] ?? 'Payment for Invoice',
    setup_future_usage: subscriptionOf(invoice) === undefined ? null : 'off_session',
    invoice: invoice.id,
  });
  invoice.$.paymentIntent = intent.id;
  const payment: InvoicePayment = {
    ...unit.base('invoice_payment', 'invoice_payment'),
    amount_paid: null,
    amount_requested: amountDue,
    currency: invoice.currency,
    invoice: invoice.id,
    is_default: true,
    payment: { type: 'payment_intent', payment_intent: intent.id },
    status: 'open',
    status_transitions: { canceled_at: null, paid_at: null },
  };
  unit.add('invoice_payment', payment);
  invoice.$.payments.push(payment.id);
}

/** A fault that was asked for: the first line bills more than it should. */
function alter(unit: Unit, invoice: Invoice): void {
  const [first] = invoice.lines.data;
  if (!first || first.amount === 0) return;
  const by = unit.world.faults.alteration();
  first.amount += by;
  first.subtotal += by;
}

const INTENT_DESCRIPTIONS: Readonly<Record<string, string>> = {
  subscription_create: 'Subscription creation',
  subscription_cycle: 'Subscription update',
  subscription_update: 'Subscription update',
};

/** Metered use counts until the invoice is final. */
export function measure(unit: Unit, invoice: Invoice): void {
  for (const line of invoice.lines.data) {
    const { metered } = line.$;
    const id = line.pricing?.price_details.price;
    if (!metered || id === undefined) continue;
    const price = unit.get('price', id);
    const quantity = usageOf(unit, price, invoice.customer, metered.from, metered.to);
    line.quantity = quantity;
    line.quantity_decimal = `${quantity}`;
    line.amount = line.subtotal = priceAmount(price, quantity);
    line.description = describeItem(unit, price, quantity);
  }
}

/** A coupon for one invoice has done its work. */
function useUp(unit: Unit, id: string): void {
  const discount = unit.find('discount', id);
  if (!discount || unit.find('coupon', discount.source.coupon)?.duration !== 'once') return;
  const used = unit.edit('discount', id);
  used.end = unit.now;
  if (used.subscription !== null) {
    const subscription = unit.edit('subscription', used.subscription);
    subscription.discounts = subscription.discounts.filter((one) => one !== id);
  }
  const customer = used.customer === null ? undefined : unit.edit('customer', used.customer);
  if (customer?.discount?.id === id) customer.discount = null;
}

/** Which card pays: the invoice's, the subscription's, the customer's. */
export function methodFor(unit: Unit, invoice: Invoice): string | null {
  const subscription = unit.find('subscription', subscriptionOf(invoice));
  const customer = unit.get('customer', invoice.customer);
  return (
    invoice.default_payment_method ??
    subscription?.default_payment_method ??
    customer.invoice_settings.default_payment_method
  );
}

export interface PayOptions {
  readonly method?: string | null;
  readonly offSession?: boolean;
  readonly authenticated?: boolean;
  readonly returnUrl?: string;
}

/** Tries to charge an open invoice. @returns `no_method` where there is nothing to charge */
export function pay(unit: Unit, invoice: Invoice, options: PayOptions = {}): Outcome | 'no_method' {
  const intent = invoice.$.paymentIntent;
  if (invoice.status !== 'open' || intent === undefined) throw invalid('Invoice is not open.');
  const method = options.method ?? methodFor(unit, invoice);
  invoice.attempted = true;
  invoice.attempt_count++;
  const outcome =
    method === null
      ? 'no_method'
      : confirm(unit, intent, {
          method,
          authenticated: options.authenticated ?? false,
          returnUrl: options.returnUrl,
        });
  settle(unit, invoice, outcome);
  return outcome;
}

/** What an attempt means for an invoice: also of an attempt that was made on the payment intent itself. */
export function settle(unit: Unit, invoice: Invoice, outcome: Outcome | 'no_method'): void {
  if (outcome === 'succeeded') return markPaid(unit, invoice, invoice.amount_remaining);
  planRetry(unit, invoice);
  const customer = livingCustomer(unit, invoice.customer);
  customer.delinquent = true;
  if (outcome === 'requires_action') unit.emit('invoice.payment_action_required', invoice);
  unit.emit('invoice.payment_failed', invoice);
  unit.emitUpdate('invoice.updated', invoice);
  subscriptionUnpaid(unit, invoice);
  if (invoice.next_payment_attempt === null) giveUp(unit, invoice);
}

/** The last try has failed: the subscription becomes what the settings say. */
function giveUp(unit: Unit, invoice: Invoice): void {
  const { afterRetries, retryDays } = unit.world.settings;
  const id = subscriptionOf(invoice);
  if (id === undefined || invoice.attempt_count <= retryDays.length) return;
  const subscription = unit.edit('subscription', id);
  if (subscription.status !== 'past_due' || afterRetries === 'past_due') return;
  if (afterRetries === 'canceled') {
    subscription.cancellation_details.reason = 'payment_failed';
    return end(unit, subscription, 'canceled');
  }
  subscription.status = 'unpaid';
  unit.emitUpdate('customer.subscription.updated', subscription);
}

/** Renewals are tried again; what starts or changes a subscription waits for its customer. */
function planRetry(unit: Unit, invoice: Invoice): void {
  const renews = invoice.billing_reason !== 'subscription_create';
  const days = unit.world.settings.retryDays[invoice.attempt_count - 1];
  const retries = renews && invoice.auto_advance && days !== undefined;
  invoice.next_payment_attempt = retries ? unit.now + days * DAY : null;
}

/** @param amount what was charged just now */
export function markPaid(unit: Unit, invoice: Invoice, amount: number, outOfBand = false): void {
  invoice.status = 'paid';
  invoice.attempted = true;
  invoice.next_payment_attempt = null;
  if (!outOfBand) invoice.amount_paid += amount;
  invoice.amount_remaining = 0;
  invoice.status_transitions.paid_at = unit.now;
  for (const id of invoice.$.payments) {
    const payment = unit.edit('invoice_payment', id);
    payment.status = outOfBand ? 'canceled' : 'paid';
    payment.amount_paid = outOfBand ? null : amount;
    payment.status_transitions.paid_at = outOfBand ? null : unit.now;
    if (!outOfBand) unit.emit('invoice_payment.paid', payment);
  }
  const customer = livingCustomer(unit, invoice.customer);
  const owes = unit
    .filter(
      'invoice',
      ({ customer: of, status, attempted }) => of === customer.id && status === 'open' && attempted,
    )
    .some(({ id }) => id !== invoice.id);
  if (customer.delinquent && !owes) customer.delinquent = false;
  unit.emit('invoice.paid', invoice);
  unit.emit('invoice.payment_succeeded', invoice);
  subscriptionPaid(unit, invoice);
}

/** Nobody has to pay it any more. */
export function voidInvoice(unit: Unit, invoice: Invoice): void {
  if (!['open', 'uncollectible'].includes(invoice.status)) {
    throw invalid(`You can only pass in open invoices. This invoice isn't open, it is ${invoice.status}.`);
  }
  invoice.status = 'void';
  invoice.next_payment_attempt = null;
  invoice.auto_advance = false;
  invoice.status_transitions.voided_at = unit.now;
  cancelIntent(unit, invoice, 'void_invoice');
  unit.emit('invoice.voided', invoice);
  const subscription = unit.find('subscription', subscriptionOf(invoice));
  if (subscription?.$.pending?.invoice === invoice.id)
    dropPending(unit, unit.edit('subscription', subscription.id));
}

export function cancelIntent(unit: Unit, invoice: Invoice, reason: string): void {
  const id = invoice.$.paymentIntent;
  if (id === undefined) return;
  const intent = unit.edit('payment_intent', id);
  if (intent.status === 'succeeded' || intent.status === 'canceled') return;
  intent.status = 'canceled';
  intent['canceled_at'] = unit.now;
  intent['cancellation_reason'] = reason;
  unit.emit('payment_intent.canceled', intent);
  for (const payment of invoice.$.payments) {
    const open = unit.edit('invoice_payment', payment);
    open.status = 'canceled';
    open.status_transitions.canceled_at = unit.now;
  }
}
