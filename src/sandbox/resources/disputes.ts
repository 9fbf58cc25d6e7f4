import { invalid } from '../errors.js';
import { page } from '../http/lists.js';
import type { Params, Routes } from '../http/route.js';
import { objectOf } from '../http/route.js';
import type { Dispute } from '../objects.js';
import { DAY } from '../rules/time.js';
import type { Unit } from '../unit.js';
import { mergedMetadata } from '../unit.js';

const ANSWER_DAYS = 7;
/** How long an inquiry is open that nobody escalates. */
const INQUIRY_DAYS = 120;
const INQUIRIES = ['warning_needs_response', 'warning_under_review'];
const OPEN = ['needs_response', 'under_review', ...INQUIRIES];

/** What stands open of a payment. */
const openOf = (unit: Unit, payment: string): Dispute | undefined =>
  unit.filter('dispute', (one) => one.payment_intent === payment && OPEN.includes(one.status))[0];

const isInquiry = ({ status }: Dispute): boolean => INQUIRIES.includes(status);

/**
 * The customer says no to their bank: the amount is withdrawn at once. Where the bank has only asked so far, that
 * inquiry becomes the dispute. @throws ApiError
 */
export function disputePayment(unit: Unit, payment: string): Dispute {
  const open = openOf(unit, payment);
  if (open && isInquiry(open)) return escalate(unit, unit.edit('dispute', open.id));
  return openDispute(unit, unit.get('payment_intent', payment).latest_charge ?? '');
}

/** A bank asks about a payment: nothing is withdrawn. @throws ApiError */
export const inquire = (unit: Unit, payment: string): Dispute =>
  openDispute(unit, unit.get('payment_intent', payment).latest_charge ?? '', true);

function escalate(unit: Unit, dispute: Dispute): Dispute {
  Object.assign(dispute, { is_charge_refundable: false, status: 'needs_response' });
  dispute.evidence_details.due_by = unit.now + ANSWER_DAYS * DAY;
  unit.emitUpdate('charge.dispute.updated', dispute);
  unit.emit('charge.dispute.funds_withdrawn', dispute);
  return dispute;
}

/** @param inquiry the bank only asks, and withdraws nothing */
export function openDispute(unit: Unit, id: string, inquiry = false): Dispute {
  const charge = unit.edit('charge', id);
  if (charge.status !== 'succeeded' || charge.disputed) {
    throw invalid('Only a charge that has succeeded can be disputed, and only once.', 'charge');
  }
  charge.disputed = true;
  const dispute: Dispute = {
    ...unit.base('dispute', 'dispute'),
    amount: charge.amount,
    balance_transactions: [],
    charge: id,
    currency: charge.currency,
    enhanced_eligibility_types: [],
    evidence: {},
    evidence_details: {
      due_by: unit.now + ANSWER_DAYS * DAY,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
    },
    intended_submission_method: null,
    is_charge_refundable: inquiry,
    metadata: {},
    network_reason_code: '10.4',
    payment_intent: charge.payment_intent,
    payment_method_details: {
      type: 'card',
      card: { brand: 'visa', case_type: inquiry ? 'inquiry' : 'chargeback', network_reason_code: '10.4' },
    },
    reason: 'fraudulent',
    status: inquiry ? 'warning_needs_response' : 'needs_response',
  };
  unit.add('dispute', dispute);
  unit.emit('charge.dispute.created', dispute);
  if (!inquiry) unit.emit('charge.dispute.funds_withdrawn', dispute);
  return dispute;
}

/** An inquiry has taken nothing: however it ends, it is closed. */
function decide(unit: Unit, dispute: Dispute, outcome: 'lost' | 'won'): void {
  const inquiry = isInquiry(dispute);
  dispute.status = inquiry ? 'warning_closed' : outcome;
  unit.emit('charge.dispute.closed', dispute);
  if (outcome === 'won' && !inquiry) unit.emit('charge.dispute.funds_reinstated', dispute);
}

/** The bank decides what a payment was disputed for. @throws ApiError where nothing is open */
export function decideFor(unit: Unit, payment: string, outcome: 'lost' | 'won'): void {
  const open = openOf(unit, payment);
  if (!open) throw invalid('No dispute of this payment is open.', 'payment_intent');
  decide(unit, unit.edit('dispute', open.id), outcome);
}

/** Nobody has answered in time: a dispute is lost, an inquiry is over. */
export function closeUnanswered(unit: Unit, dispute: Dispute): void {
  decide(unit, dispute, 'lost');
}

export function openUntil(dispute: Dispute): number | undefined {
  if (isInquiry(dispute)) return dispute.created + INQUIRY_DAYS * DAY;
  return dispute.status === 'needs_response' ? dispute.evidence_details.due_by : undefined;
}

/** `winning_evidence` and `losing_evidence` decide, as in Stripe's own tests. */
function answer(unit: Unit, params: Params, id: string): Dispute {
  const dispute = unit.edit('dispute', id);
  if (!OPEN.includes(dispute.status)) throw invalid('This dispute is closed.', undefined, 'dispute_closed');
  dispute['metadata'] = mergedMetadata(dispute['metadata'] as Record<string, string>, params['metadata']);
  const evidence = objectOf(params, 'evidence');
  if (evidence) dispute.evidence = { ...dispute.evidence, ...evidence };
  const submits = evidence !== undefined && params['submit'] !== false;
  if (submits) dispute.status = isInquiry(dispute) ? 'warning_under_review' : 'under_review';
  unit.emitUpdate('charge.dispute.updated', dispute);
  if (!submits) return dispute;
  const said = Object.values(dispute.evidence);
  if (said.includes('winning_evidence')) decide(unit, dispute, 'won');
  else if (said.includes('losing_evidence')) decide(unit, dispute, 'lost');
  return dispute;
}

export const disputeRoutes: Routes = {
  'GET /v1/disputes': (unit, params) =>
    page(
      unit,
      'dispute',
      params,
      '/v1/disputes',
      (dispute) =>
        (params['charge'] === undefined || dispute.charge === params['charge']) &&
        (params['payment_intent'] === undefined || dispute.payment_intent === params['payment_intent']),
    ),
  'GET /v1/disputes/*': (unit, _params, id = '') => unit.get('dispute', id),
  'POST /v1/disputes/*': (unit, params, id = '') => answer(unit, params, id),
  'POST /v1/disputes/*/close': (unit, _params, id = '') => {
    const dispute = unit.edit('dispute', id);
    if (!OPEN.includes(dispute.status)) throw invalid('This dispute is closed.', undefined, 'dispute_closed');
    decide(unit, dispute, 'lost');
    return dispute;
  },
};
