import { invalid } from '../errors.js';
import { page, pageOf } from '../http/lists.js';
import type { Params, Routes } from '../http/route.js';
import { arrayOf, numberOf, textOf } from '../http/route.js';
import type { CreditNote, Invoice, Refund } from '../objects.js';
import { listOf } from '../present.js';
import { formatted, roundedRatio } from '../rules/money.js';
import type { Unit } from '../unit.js';
import { mergedMetadata, sandboxId } from '../unit.js';
import { addToBalance, livingCustomer } from './customers.js';
import { cancelIntent, markPaid } from './invoicing.js';

/** How soon a refund fails that is bound to. */
const FAILS_AFTER_SECONDS = 60;
/** The newer name of one event, and the older. */
const UPDATES = ['refund.updated', 'charge.refund.updated'];

export function refund(unit: Unit, params: Params): Refund {
  const intent = textOf(params, 'payment_intent');
  const id =
    textOf(params, 'charge') ?? unit.get('payment_intent', intent ?? '', 'payment_intent').latest_charge;
  if (id === null)
    throw invalid('This PaymentIntent does not have a successful charge to refund.', 'payment_intent');
  const charge = unit.edit('charge', id, 'charge');
  if (charge.status !== 'succeeded') {
    throw invalid('This PaymentIntent does not have a successful charge to refund.', 'payment_intent');
  }
  const disputes = unit.filter('dispute', (one) => one.charge === id);
  if (disputes.some((one) => !one.is_charge_refundable)) {
    throw invalid(`Charge ${id} has been charged back; cannot issue a refund.`, undefined, 'charge_disputed');
  }
  if (charge.refunded) {
    throw invalid(`Charge ${id} has already been refunded.`, undefined, 'charge_already_refunded');
  }
  const left = charge.amount - charge.amount_refunded;
  const amount = numberOf(params, 'amount') ?? left;
  if (amount < 1) throw invalid('Invalid positive integer', 'amount', 'parameter_invalid_integer');
  if (amount > left) {
    const [asked, rest] = [amount, left].map((one) => formatted(one, charge.currency));
    throw invalid(`Refund amount (${asked}) is greater than unrefunded amount on charge (${rest})`, 'amount');
  }
  charge.amount_refunded += amount;
  charge.refunded = charge.amount_refunded === charge.amount;
  const made: Refund = {
    ...unit.base('refund', 'refund'),
    amount,
    balance_transaction: null,
    charge: id,
    currency: charge.currency,
    customer: charge.customer,
    customer_account: null,
    destination_details: { card: { reference_status: 'pending', type: 'refund' }, type: 'card' },
    metadata: mergedMetadata({}, params['metadata']),
    payment_intent: charge.payment_intent,
    payment_method: charge.payment_method,
    reason: textOf(params, 'reason') ?? null,
    receipt_number: null,
    source_transfer_reversal: null,
    status: 'succeeded',
    transfer_reversal: null,
    $: unit.find('payment_method', charge.payment_method)?.$.behaviour.refundsFail
      ? { failsAt: unit.now + FAILS_AFTER_SECONDS }
      : {},
  };
  unit.add('refund', made);
  unit.emit('refund.created', made);
  unit.emit('charge.refunded', charge);
  return made;
}

/** The bank could not give it to the customer: the money is back with the seller. */
export function failRefund(unit: Unit, failed: Refund): void {
  Object.assign(failed, {
    $: {},
    failure_balance_transaction: null,
    failure_reason: 'expired_or_canceled_card',
    status: 'failed',
  });
  const charge = unit.edit('charge', failed.charge);
  charge.amount_refunded -= failed.amount;
  charge.refunded = false;
  for (const type of ['refund.failed', ...UPDATES]) unit.emit(type, failed);
}

interface Tax {
  readonly amount: number;
  readonly tax_behavior: string;
  readonly taxable_amount: number;
  readonly [field: string]: unknown;
}

interface Parts {
  readonly lines: {
    amount: number;
    description: string;
    line?: string | undefined;
    quantity: number;
    taxes: Tax[];
  }[];
  /** With the tax that is added. */
  readonly amount: number;
}

/** Lowers what is due, or gives back of what was paid. @throws ApiError */
function credit(unit: Unit, params: Params): CreditNote {
  const invoice = unit.edit('invoice', textOf(params, 'invoice') ?? '', 'invoice');
  if (!['open', 'paid', 'uncollectible'].includes(invoice.status)) {
    throw invalid(`You cannot create a credit note for an invoice that is ${invoice.status}.`, 'invoice');
  }
  const { lines, amount } = partsOf(invoice, params);
  const taxes = lines.flatMap(({ taxes: of }) => of);
  const tax = sumOf(taxes);
  const added = sumOf(taxes.filter(({ tax_behavior: behavior }) => behavior === 'exclusive'));
  if (amount < 1) throw invalid('A credit note needs an amount or lines.', 'amount', 'parameter_missing');
  const notes = unit.filter('credit_note', (note) => note.invoice === invoice.id && note.status === 'issued');
  const credited = sumOf(notes);
  if (credited + amount > invoice.total) {
    throw invalid('The amount of the credit notes of an invoice cannot be more than its total.', 'amount');
  }
  const paid = invoice.status === 'paid';
  if (!paid && amount > invoice.amount_remaining) {
    throw invalid('A credit note on an open invoice cannot be more than what is left to pay.', 'amount');
  }
  const given = ['refund_amount', 'credit_amount', 'out_of_band_amount'].map(
    (name) => numberOf(params, name) ?? 0,
  );
  const [refundAmount = 0, creditAmount = 0, outside = 0] = given;
  if (paid && refundAmount + creditAmount + outside !== amount) {
    throw invalid(
      'The sum of credit amount, refund amount and out of band amount must equal the post payment credit note amount.',
      'amount',
    );
  }
  if (!paid && refundAmount + creditAmount + outside > 0) {
    throw invalid('Nothing was paid yet that could be given back.', 'refund_amount');
  }
  const refunds =
    refundAmount > 0 ? [refund(unit, { payment_intent: invoice.$.paymentIntent, amount: refundAmount })] : [];
  const note: CreditNote = {
    ...unit.base('credit_note', 'credit_note'),
    amount,
    amount_shipping: 0,
    currency: invoice.currency,
    customer: invoice.customer,
    customer_account: null,
    customer_balance_transaction: null,
    discount_amount: 0,
    discount_amounts: [],
    effective_at: unit.now,
    invoice: invoice.id,
    lines: listOf(
      lines.map(({ amount: of, description, line, quantity, taxes: taxed }) => ({
        id: sandboxId('cnli'),
        object: 'credit_note_line_item',
        amount: of,
        description,
        discount_amount: 0,
        discount_amounts: [],
        invoice_line_item: line,
        livemode: false,
        pretax_credit_amounts: [],
        quantity,
        tax_rates: [],
        taxes: taxed,
        type: line === undefined ? 'custom_line_item' : 'invoice_line_item',
        unit_amount: null,
        unit_amount_decimal: null,
      })),
      '',
    ),
    memo: textOf(params, 'memo') ?? null,
    metadata: mergedMetadata({}, params['metadata']),
    number: `${invoice.number ?? ''}-CN-${`${notes.length + 1}`.padStart(2, '0')}`,
    out_of_band_amount: outside === 0 ? null : outside,
    pdf: '',
    post_payment_amount: paid ? amount : 0,
    pre_payment_amount: paid ? 0 : amount,
    pretax_credit_amounts: [],
    reason: textOf(params, 'reason') ?? null,
    refunds: refunds.map(({ id, amount: of }) => ({ amount_refunded: of, refund: id, type: 'refund' })),
    shipping_cost: null,
    status: 'issued',
    subtotal: amount - added,
    subtotal_excluding_tax: amount - tax,
    total: amount,
    total_excluding_tax: amount - tax,
    total_taxes: taxes,
    type: paid ? 'post_payment' : 'pre_payment',
    voided_at: null,
  };
  (note['lines'] as { url: string }).url = `/v1/credit_notes/${note.id}/lines`;
  note['pdf'] = `${unit.pagesUrl}/invoice/${invoice.id}`;
  unit.add('credit_note', note);
  if (creditAmount > 0) {
    const customer = livingCustomer(unit, invoice.customer);
    const more = { credit_note: note.id, invoice: invoice.id };
    note['customer_balance_transaction'] = addToBalance(
      unit,
      customer,
      -creditAmount,
      invoice.currency,
      'credit_note',
      more,
    ).id;
    unit.emitUpdate('customer.updated', customer);
  }
  unit.emit('credit_note.created', note);
  if (paid) invoice.post_payment_credit_notes_amount += amount;
  else lowerDue(unit, invoice, amount);
  unit.emitUpdate('invoice.updated', invoice);
  return note;
}

function partsOf(invoice: Invoice, params: Params): Parts {
  const lines = arrayOf(params, 'lines').map((line) => {
    const id = textOf(line, 'invoice_line_item');
    const of = invoice.lines.data.find((one) => one.id === id);
    if (id !== undefined && !of)
      throw invalid(`No such invoice line item: '${id}'`, 'lines', 'resource_missing');
    const quantity = numberOf(line, 'quantity') ?? 1;
    const each = numberOf(line, 'unit_amount');
    const amount = numberOf(line, 'amount') ?? (each === undefined ? (of?.amount ?? 0) : each * quantity);
    return {
      amount,
      description: textOf(line, 'description') ?? of?.description ?? 'Credit',
      line: id,
      quantity,
      taxes: of ? (of.taxes as Tax[]).map((tax) => shareOf(tax, amount, of.amount)) : [],
    };
  });
  if (lines.length === 0) {
    const amount = numberOf(params, 'amount') ?? 0;
    return { amount, lines: [{ amount, description: 'Credit', quantity: 1, taxes: [] }] };
  }
  const added = lines
    .flatMap(({ taxes }) => taxes)
    .filter(({ tax_behavior: behavior }) => behavior === 'exclusive');
  return { amount: sumOf(lines) + sumOf(added), lines };
}

/** The tax of a part of a line. */
const shareOf = (tax: Tax, part: number, of: number): Tax => {
  const share = (amount: number): number =>
    of === 0 ? 0 : roundedRatio(BigInt(amount) * BigInt(part), BigInt(of));
  return { ...tax, amount: share(tax.amount), taxable_amount: share(tax.taxable_amount) };
};

const sumOf = (parts: readonly { readonly amount: number }[]): number =>
  parts.reduce((sum, { amount }) => sum + amount, 0);

/** What a credit note would come to. What was paid goes back nowhere as yet. */
function preview(unit: Unit, params: Params): CreditNote {
  const tried = unit.fork();
  const invoice = tried.get('invoice', textOf(params, 'invoice') ?? '', 'invoice');
  const isSaid = ['refund_amount', 'credit_amount', 'out_of_band_amount'].some((name) => name in params);
  if (invoice.status !== 'paid' || isSaid) return credit(tried, params);
  return credit(tried, { ...params, out_of_band_amount: partsOf(invoice, params).amount });
}

/** Where nothing is left to pay, the invoice is paid. */
function lowerDue(unit: Unit, invoice: Invoice, amount: number): void {
  invoice.pre_payment_credit_notes_amount += amount;
  invoice.amount_due = Math.max(0, invoice.amount_due - amount);
  invoice.amount_remaining = Math.max(0, invoice.amount_remaining - amount);
  const id = invoice.$.paymentIntent;
  if (invoice.amount_remaining > 0) {
    if (id !== undefined) unit.edit('payment_intent', id).amount = invoice.amount_remaining;
    return;
  }
  cancelIntent(unit, invoice, 'automatic');
  markPaid(unit, invoice, 0, true);
}

export const refundRoutes: Routes = {
  'POST /v1/refunds': refund,
  'GET /v1/refunds': (unit, params) =>
    page(
      unit,
      'refund',
      params,
      '/v1/refunds',
      (one) =>
        (params['charge'] === undefined || one.charge === params['charge']) &&
        (params['payment_intent'] === undefined || one.payment_intent === params['payment_intent']),
    ),
  'GET /v1/refunds/*': (unit, _params, id = '') => unit.get('refund', id),
  'POST /v1/refunds/*': (unit, params, id = '') => {
    const one = unit.edit('refund', id);
    one['metadata'] = mergedMetadata(one['metadata'] as Record<string, string>, params['metadata']);
    for (const type of UPDATES) unit.emit(type, one);
    return one;
  },
  'POST /v1/credit_notes': credit,
  'GET /v1/credit_notes': (unit, params) =>
    page(
      unit,
      'credit_note',
      params,
      '/v1/credit_notes',
      (note) =>
        (params['invoice'] === undefined || note.invoice === params['invoice']) &&
        (params['customer'] === undefined || note['customer'] === params['customer']),
    ),
  'GET /v1/credit_notes/preview': preview,
  'GET /v1/credit_notes/*': (unit, _params, id = '') => unit.get('credit_note', id),
  'GET /v1/credit_notes/*/lines': (unit, params, id = '') =>
    pageOf(
      (unit.get('credit_note', id)['lines'] as { data: { id: string }[] }).data,
      params,
      `/v1/credit_notes/${id}/lines`,
      'line item',
    ),
};
