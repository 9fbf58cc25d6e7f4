import { invalid, tooLarge } from '../errors.js';
import { page, pageOf } from '../http/lists.js';
import type { Params, Routes } from '../http/route.js';
import { numberOf, objectOf, textOf } from '../http/route.js';
import type { Invoice, InvoiceItem } from '../objects.js';
import { MAX_AMOUNT } from '../rules/money.js';
import type { Unit } from '../unit.js';
import { mergedMetadata } from '../unit.js';
import { chargeFailed } from './charging.js';
import { livingCustomer } from './customers.js';
import { applyDiscounts } from './discounts.js';
import { recompute } from './invoiceTotals.js';
import { cancelIntent, draftInvoice, finalize, markPaid, measure, pay, voidInvoice } from './invoicing.js';
import { describeItem, priceAmount, pricingOf } from './lines.js';
import { previewInvoice } from './previews.js';
import { fromPending } from './subscriptionBilling.js';
import { priceOf, ratesOf } from './subscriptionItems.js';
import { subscriptionOf } from './subscriptionStatus.js';

function createInvoice(unit: Unit, params: Params): Invoice {
  const customer = livingCustomer(unit, textOf(params, 'customer') ?? '');
  if (params['collection_method'] === 'send_invoice') {
    throw invalid(
      'The sandbox has invoices with the collection method charge_automatically alone.',
      'collection_method',
    );
  }
  const currency = textOf(params, 'currency')?.toLowerCase() ?? customer.currency ?? 'usd';
  const subscription = textOf(params, 'subscription');
  const includes = params['pending_invoice_items_behavior'] === 'include' || subscription !== undefined;
  const pending = includes
    ? unit.filter(
        'invoiceitem',
        (item) =>
          item.invoice === null &&
          item.customer === customer.id &&
          item.currency === currency &&
          item.parent?.subscription_details.subscription === subscription,
      )
    : [];
  const id = unit.id('invoice');
  const invoice = draftInvoice(unit, {
    id,
    customer: customer.id,
    currency,
    reason: subscription === undefined ? 'manual' : 'subscription_update',
    lines: pending.map((item) => fromPending(id, item)),
    subscription:
      subscription === undefined ? undefined : unit.edit('subscription', subscription, 'subscription'),
    discounts:
      params['discounts'] === undefined && customer.discount
        ? [customer.discount.id]
        : applyDiscounts(unit, params['discounts'], { customer: customer.id }),
    taxRates: ratesOf(unit, params['default_tax_rates']),
    period: { start: unit.now, end: unit.now },
    autoAdvance: params['auto_advance'] === true,
    metadata: mergedMetadata({}, params['metadata']),
    description: textOf(params, 'description') ?? null,
  });
  invoice.default_payment_method = textOf(params, 'default_payment_method') ?? null;
  for (const item of pending) unit.edit('invoiceitem', item.id).invoice = id;
  unit.emit('invoice.created', invoice);
  return invoice;
}

function createItem(unit: Unit, params: Params): InvoiceItem {
  const customer = livingCustomer(unit, textOf(params, 'customer') ?? '');
  const pricing = objectOf(params, 'pricing') ?? {};
  const price =
    textOf(pricing, 'price') !== undefined || objectOf(params, 'price_data')
      ? priceOf(unit, { ...pricing, ...params }, 'pricing')
      : undefined;
  const quantity = numberOf(params, 'quantity') ?? 1;
  const amount = numberOf(params, 'amount') ?? (price && priceAmount(price, quantity));
  if (amount === undefined)
    throw invalid('You must pass an amount or a price.', 'amount', 'parameter_missing');
  if (Math.abs(amount) > MAX_AMOUNT) throw tooLarge();
  const subscription = textOf(params, 'subscription');
  if (subscription !== undefined) unit.get('subscription', subscription, 'subscription');
  const period = objectOf(params, 'period');
  const item: InvoiceItem = {
    ...unit.base('invoiceitem', 'invoiceitem'),
    amount,
    currency: price?.currency ?? textOf(params, 'currency')?.toLowerCase() ?? customer.currency ?? 'usd',
    customer: customer.id,
    customer_account: null,
    date: unit.now,
    description: textOf(params, 'description') ?? (price ? describeItem(unit, price, quantity) : null),
    discountable: params['discountable'] !== false && amount >= 0,
    discounts: applyDiscounts(unit, params['discounts'], { customer: customer.id }),
    invoice: null,
    metadata: mergedMetadata({}, params['metadata']),
    net_amount: amount,
    parent:
      subscription === undefined
        ? null
        : { type: 'subscription_details', subscription_details: { subscription, subscription_item: null } },
    period: {
      start: numberOf(period ?? {}, 'start') ?? unit.now,
      end: numberOf(period ?? {}, 'end') ?? unit.now,
    },
    pricing: price ? pricingOf(price) : null,
    proration: false,
    quantity,
    quantity_decimal: `${quantity}`,
    tax_rates: ratesOf(unit, params['tax_rates']),
    test_clock: null,
    $: {},
  };
  unit.add('invoiceitem', item);
  unit.emit('invoiceitem.created', item);
  const id = textOf(params, 'invoice');
  if (id !== undefined) {
    const invoice = draft(unit, id);
    item.invoice = id;
    invoice.lines.data.push(fromPending(id, item));
    recompute(unit, invoice);
    unit.emitUpdate('invoice.updated', invoice);
  }
  return item;
}

function draft(unit: Unit, id: string): Invoice {
  const invoice = unit.edit('invoice', id, 'invoice');
  if (invoice.status === 'draft') return invoice;
  throw invalid('This invoice is no longer editable', undefined, 'invoice_not_editable');
}

/** @throws ApiError 402 where the card is declined: the attempt stays */
function payInvoice(unit: Unit, params: Params, id: string): Invoice {
  const invoice = unit.edit('invoice', id);
  if (invoice.status === 'draft') {
    finalize(unit, invoice);
    if ((invoice.status as string) === 'paid') return invoice;
  }
  if (invoice.status === 'paid') throw invalid('Invoice is already paid');
  if (params['paid_out_of_band'] === true) {
    cancelIntent(unit, invoice, 'void_invoice');
    markPaid(unit, invoice, 0, true);
    return invoice;
  }
  const method = textOf(params, 'payment_method');
  const outcome = pay(unit, invoice, { ...(method !== undefined && { method }) });
  if (outcome === 'no_method') {
    throw invalid('Cannot charge a customer that has no active card', undefined, 'missing');
  }
  if (outcome === 'requires_action') {
    const intent = unit.get('payment_intent', invoice.$.paymentIntent ?? '');
    intent.last_payment_error ??= {
      code: 'invoice_payment_intent_requires_action',
      message: 'This payment requires additional user action before it can be completed successfully.',
    };
    throw chargeFailed(intent);
  }
  if (outcome === 'declined') throw chargeFailed(unit.get('payment_intent', invoice.$.paymentIntent ?? ''));
  return invoice;
}

export const invoiceRoutes: Routes = {
  'POST /v1/invoices': createInvoice,
  'POST /v1/invoices/create_preview': previewInvoice,
  'GET /v1/invoices': (unit, params) =>
    page(
      unit,
      'invoice',
      params,
      '/v1/invoices',
      (invoice) =>
        (params['customer'] === undefined || invoice.customer === params['customer']) &&
        (params['status'] === undefined || invoice.status === params['status']) &&
        (params['subscription'] === undefined || subscriptionOf(invoice) === params['subscription']),
    ),
  'GET /v1/invoices/*': (unit, _params, id = '') => {
    const invoice = unit.get('invoice', id);
    if (invoice.status !== 'draft') return invoice;
    // A draft shows the use as it is now.
    const shown = structuredClone(invoice);
    measure(unit, shown);
    recompute(unit, shown);
    return shown;
  },
  'POST /v1/invoices/*': (unit, params, id = '') => {
    const invoice = unit.edit('invoice', id);
    const fixed = ['discounts', 'default_tax_rates', 'description'].find(
      (name) => params[name] !== undefined,
    );
    if (fixed !== undefined) draft(unit, id);
    if (params['discounts'] !== undefined) {
      invoice.discounts = applyDiscounts(unit, params['discounts'], { customer: invoice.customer });
    }
    if (params['default_tax_rates'] !== undefined)
      invoice.default_tax_rates = ratesOf(unit, params['default_tax_rates']);
    if (typeof params['auto_advance'] === 'boolean') invoice.auto_advance = params['auto_advance'];
    if (textOf(params, 'default_payment_method') !== undefined) {
      invoice.default_payment_method = textOf(params, 'default_payment_method') ?? null;
    }
    if (params['description'] !== undefined) invoice['description'] = textOf(params, 'description') ?? null;
    invoice.metadata = mergedMetadata(invoice.metadata, params['metadata']);
    if (invoice.status === 'draft') recompute(unit, invoice);
    unit.emitUpdate('invoice.updated', invoice);
    return invoice;
  },
  'DELETE /v1/invoices/*': (unit, _params, id = '') => {
    const invoice = draft(unit, id);
    if (subscriptionOf(invoice) !== undefined)
      throw invalid('You can only delete draft invoices that are one-off.');
    for (const item of unit.filter('invoiceitem', (one) => one.invoice === id))
      unit.remove('invoiceitem', item.id);
    unit.emit('invoice.deleted', invoice);
    unit.remove('invoice', id);
    return { id, object: 'invoice', deleted: true };
  },
  'GET /v1/invoices/*/lines': (unit, params, id = '') =>
    pageOf(unit.get('invoice', id).lines.data, params, `/v1/invoices/${id}/lines`, 'line item'),
  'POST /v1/invoices/*/finalize': (unit, params, id = '') => {
    const invoice = unit.edit('invoice', id);
    if (typeof params['auto_advance'] === 'boolean') invoice.auto_advance = params['auto_advance'];
    finalize(unit, invoice);
    unit.emitUpdate('invoice.updated', invoice);
    return invoice;
  },
  'POST /v1/invoices/*/pay': (unit, params, id = '') => payInvoice(unit, params, id),
  'POST /v1/invoices/*/void': (unit, _params, id = '') => {
    const invoice = unit.edit('invoice', id);
    voidInvoice(unit, invoice);
    return invoice;
  },
  'POST /v1/invoices/*/mark_uncollectible': (unit, _params, id = '') => {
    const invoice = unit.edit('invoice', id);
    if (invoice.status !== 'open') throw invalid('You can only mark open invoices as uncollectible.');
    invoice.status = 'uncollectible';
    invoice.next_payment_attempt = null;
    invoice.status_transitions.marked_uncollectible_at = unit.now;
    unit.emit('invoice.marked_uncollectible', invoice);
    return invoice;
  },
  'GET /v1/invoice_payments': (unit, params) => {
    const payment = objectOf(params, 'payment');
    return page(
      unit,
      'invoice_payment',
      params,
      '/v1/invoice_payments',
      (one) =>
        (params['invoice'] === undefined || one.invoice === params['invoice']) &&
        (payment === undefined || one.payment.payment_intent === payment['payment_intent']),
    );
  },
  'GET /v1/invoice_payments/*': (unit, _params, id = '') => unit.get('invoice_payment', id),
  'POST /v1/invoiceitems': createItem,
  'GET /v1/invoiceitems': (unit, params) =>
    page(
      unit,
      'invoiceitem',
      params,
      '/v1/invoiceitems',
      (item) =>
        (params['customer'] === undefined || item.customer === params['customer']) &&
        (params['invoice'] === undefined || item.invoice === params['invoice']) &&
        (params['pending'] === undefined || (item.invoice === null) === params['pending']),
    ),
  'GET /v1/invoiceitems/*': (unit, _params, id = '') => unit.get('invoiceitem', id),
  'DELETE /v1/invoiceitems/*': (unit, _params, id = '') => {
    const item = unit.get('invoiceitem', id);
    if (item.invoice !== null) {
      const invoice = draft(unit, item.invoice);
      invoice.lines.data = invoice.lines.data.filter(({ $ }) => $.invoiceItem !== id);
      recompute(unit, invoice);
    }
    unit.emit('invoiceitem.deleted', item);
    unit.remove('invoiceitem', id);
    return { id, object: 'invoiceitem', deleted: true };
  },
};
