import { invalid } from '../errors.js';
import { page } from '../http/lists.js';
import type { Params, Routes } from '../http/route.js';
import { objectOf } from '../http/route.js';
import type { Dispute } from '../objects.js';
import { DAY } from '../rules/time.js';
import type { Unit } from '../unit.js';
import { mergedMetadata } from '../unit.js';

const ANSWER_DAYS = 7;
const OPEN = ['needs_response', 'under_review'];

/** The customer says no to their bank: the amount is withdrawn at once. */
export function openDispute(unit: Unit, id: string): Dispute {
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
    is_charge_refundable: false,
    metadata: {},
    network_reason_code: '10.4',
    payment_intent: charge.payment_intent,
    payment_method_details: {
      type: 'card',
      card: { brand: 'visa', case_type: 'chargeback', network_reason_code: '10.4' },
    },
    reason: 'fraudulent',
    status: 'needs_response',
  };
  unit.add('dispute', dispute);
  unit.emit('charge.dispute.created', dispute);
  unit.emit('charge.dispute.funds_withdrawn', dispute);
  return dispute;
}

function decide(unit: Unit, dispute: Dispute, status: 'lost' | 'won'): void {
  dispute.status = status;
  unit.emit('charge.dispute.closed', dispute);
  if (status === 'won') unit.emit('charge.dispute.funds_reinstated', dispute);
}

/** The bank decides what a payment was disputed for. @throws ApiError where nothing is open */
export function decideFor(unit: Unit, payment: string, status: 'lost' | 'won'): void {
  const open = unit.filter(
    'dispute',
    (one) => one.payment_intent === payment && OPEN.includes(one.status),
  )[0];
  if (!open) throw invalid('No dispute of this payment is open.', 'payment_intent');
  decide(unit, unit.edit('dispute', open.id), status);
}

/** Nobody has answered in time. */
export function loseUnanswered(unit: Unit, dispute: Dispute): void {
  decide(unit, dispute, 'lost');
}

export const answerUntil = (dispute: Dispute): number | undefined =>
  dispute.status === 'needs_response'
    ? (dispute['evidence_details'] as { due_by: number }).due_by
    : undefined;

/** `winning_evidence` and `losing_evidence` decide, as in Stripe's own tests. */
function answer(unit: Unit, params: Params, id: string): Dispute {
  const dispute = unit.edit('dispute', id);
  if (!OPEN.includes(dispute.status)) throw invalid('This dispute is closed.', undefined, 'dispute_closed');
  dispute['metadata'] = mergedMetadata(dispute['metadata'] as Record<string, string>, params['metadata']);
  const evidence = objectOf(params, 'evidence');
  if (evidence) dispute.evidence = { ...dispute.evidence, ...evidence };
  if (!evidence || params['submit'] === false) return dispute;
  dispute.status = 'under_review';
  unit.emitUpdate('charge.dispute.updated', dispute);
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
