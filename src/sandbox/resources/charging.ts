import type { ApiError } from '../errors.js';
import { cardError, invalid, tooLarge } from '../errors.js';
import { present } from '../present.js';
import type { Charge, PaymentIntent, PaymentMethod } from '../objects.js';
import type { Decline } from '../rules/cards.js';
import { DECLINES } from '../rules/cards.js';
import type { Debit } from '../rules/debits.js';
import { isRepresentable, MAX_AMOUNT, minimumOf } from '../rules/money.js';
import type { Unit } from '../unit.js';
import { randomText } from '../unit.js';
import { openDispute } from './disputes.js';
import { isExpired, resolveMethod } from './paymentMethods.js';

export interface IntentInput {
  readonly amount: number;
  readonly currency: string;
  readonly customer: string | null;
  readonly description?: string | null;
  readonly metadata?: Record<string, string>;
  readonly setup_future_usage?: string | null;
  readonly receipt_email?: string | null;
  readonly invoice?: string;
  readonly checkout?: string;
}

/** @throws ApiError of an amount that no card can be charged */
export function checkAmount(amount: number, currency: string, param = 'amount'): void {
  if (amount > MAX_AMOUNT) throw tooLarge(param);
  if (amount < minimumOf(currency)) {
    throw invalid(
      `Amount must be at least ${minimumOf(currency)} in ${currency}, in its smallest unit`,
      param,
      'amount_too_small',
    );
  }
  if (!isRepresentable(amount, currency)) throw invalid(`Invalid amount for ${currency}`, param);
}

export function createIntent(unit: Unit, input: IntentInput): PaymentIntent {
  const base = unit.base('payment_intent', 'payment_intent');
  const intent: PaymentIntent = {
    ...base,
    allowed_payment_method_types: null,
    amount: input.amount,
    amount_capturable: 0,
    amount_details: { tip: {} },
    amount_received: 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: { allow_redirects: 'always', enabled: true },
    canceled_at: null,
    cancellation_reason: null,
    capture_method: 'automatic_async',
    client_secret: `${base.id}_secret_${randomText(24)}`,
    confirmation_method: 'automatic',
    currency: input.currency,
    customer: input.customer,
    customer_account: null,
    description: input.description ?? null,
    excluded_payment_method_types: null,
    last_payment_error: null,
    latest_charge: null,
    managed_payments: null,
    metadata: input.metadata ?? {},
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: { card: { request_three_d_secure: 'automatic' } },
    payment_method_types: ['card'],
    payment_record: null,
    processing: null,
    receipt_email: input.receipt_email ?? null,
    review: null,
    setup_future_usage: input.setup_future_usage ?? null,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: 'requires_payment_method',
    transfer_data: null,
    transfer_group: null,
    $: {
      ...(input.invoice !== undefined && { invoice: input.invoice }),
      ...(input.checkout !== undefined && { checkout: input.checkout }),
    },
  };
  unit.add('payment_intent', intent);
  unit.emit('payment_intent.created', intent);
  return intent;
}

export interface Confirmation {
  readonly method: string;
  /** Somebody is there who has just said yes to their bank. */
  readonly authenticated?: boolean;
  /** Nobody is there to authenticate. */
  readonly offSession?: boolean;
  readonly returnUrl?: string | undefined;
}

/** What the page for authentication is told. */
export type Outcome = 'declined' | 'processing' | 'requires_action' | 'succeeded';

/** Tries to charge. The intent says the rest: its status, and `last_payment_error` where it was declined. */
export function confirm(unit: Unit, id: string, how: Confirmation): Outcome {
  const intent = unit.edit('payment_intent', id);
  if (['succeeded', 'canceled', 'processing'].includes(intent.status)) {
    throw unexpectedState(intent, 'confirm');
  }
  const method = resolveMethod(unit, how.method);
  if (method.customer !== null && intent.customer !== method.customer) {
    throw invalid(
      `The provided PaymentMethod (${method.id}) belongs to another customer than the one of the PaymentIntent.`,
      'payment_method',
    );
  }
  intent.payment_method = method.id;
  intent.next_action = null;
  if (how.returnUrl !== undefined) intent.$.returnUrl = how.returnUrl;
  if (method.$.debit) return debit(unit, intent, method, method.$.debit);
  const { authenticates } = method.$.behaviour;
  const must = authenticates === 'always' || (authenticates === 'setup' && method.$.authenticated !== true);
  if (must && how.authenticated !== true) {
    if (how.offSession === true) return decline(unit, intent, method, DECLINES.authentication_required);
    intent.status = 'requires_action';
    intent.next_action = nextAction(unit, intent.id, intent.$.returnUrl);
    unit.emit('payment_intent.requires_action', intent);
    return 'requires_action';
  }
  const problem = declineOf(unit, method, unit.world.faults.decline(intent.customer));
  if (problem) return decline(unit, intent, method, problem);
  return succeed(unit, intent, method);
}

/** The page on which a person says yes or no, in the bank's stead. */
export const nextAction = (unit: Unit, intent: string, returnUrl: string | undefined) => ({
  type: 'redirect_to_url',
  redirect_to_url: { return_url: returnUrl ?? null, url: `${unit.pagesUrl}/authenticate/${intent}` },
});

function declineOf(
  unit: Unit,
  method: PaymentMethod,
  planned: keyof typeof DECLINES | undefined,
): Decline | undefined {
  if (planned) return DECLINES[planned];
  if (isExpired(method, unit.now)) return DECLINES.expired_card;
  const { decline } = method.$.behaviour;
  return decline && DECLINES[decline];
}

/** Charges whoever authenticated in vain. */
export function failAuthentication(unit: Unit, id: string): void {
  const intent = unit.edit('payment_intent', id);
  if (intent.status !== 'requires_action') throw unexpectedState(intent, 'authenticate');
  intent.status = 'requires_payment_method';
  intent.next_action = null;
  intent.last_payment_error = {
    type: 'invalid_request_error',
    code: 'payment_intent_authentication_failure',
    message:
      'The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.',
    payment_method: present(unit.find('payment_method', intent.payment_method)),
  };
  intent.payment_method = null;
  unit.emit('payment_intent.payment_failed', intent);
}

function decline(unit: Unit, intent: PaymentIntent, method: PaymentMethod, problem: Decline): Outcome {
  const charge = addCharge(unit, intent, method, problem);
  intent.latest_charge = charge.id;
  intent.status = 'requires_payment_method';
  intent.payment_method = null;
  intent.last_payment_error = {
    type: 'card_error',
    ...problem,
    charge: charge.id,
    payment_method: present(method),
  };
  unit.emit('charge.failed', charge);
  unit.emit('payment_intent.payment_failed', intent);
  return 'declined';
}

/** Orders a direct debit: the bank says later what has become of it. */
function debit(unit: Unit, intent: PaymentIntent, method: PaymentMethod, { fails, after }: Debit): Outcome {
  if (intent.currency !== 'eur') {
    throw invalid('The payment method `sepa_debit` takes payments in eur alone.', 'payment_method');
  }
  if (intent.$.invoice !== undefined) {
    throw invalid('The sandbox takes direct debits for one-time payments alone.', 'payment_method');
  }
  const charge = addCharge(unit, intent, method, undefined);
  Object.assign(charge, { status: 'pending', paid: false, amount_captured: 0 });
  intent.latest_charge = charge.id;
  intent.status = 'processing';
  intent.last_payment_error = null;
  intent.$.debit = { at: unit.now + after, fails };
  unit.emit('charge.pending', charge);
  unit.emit('payment_intent.processing', intent);
  return 'processing';
}

function succeed(unit: Unit, intent: PaymentIntent, method: PaymentMethod): Outcome {
  const charge = addCharge(unit, intent, method, undefined);
  intent.latest_charge = charge.id;
  intent.status = 'succeeded';
  intent.amount_received = intent.amount;
  intent.last_payment_error = null;
  unit.emit('charge.succeeded', charge);
  if (intent.setup_future_usage !== null && intent.customer !== null) {
    const saved = unit.edit('payment_method', method.id);
    saved.$.authenticated = true;
    if (saved.customer === null) {
      saved.customer = intent.customer;
      unit.emit('payment_method.attached', saved);
    }
  }
  unit.emit('payment_intent.succeeded', intent);
  const { disputed, inquired } = method.$.behaviour;
  if (disputed || inquired) openDispute(unit, charge.id, inquired);
  return 'succeeded';
}

function addCharge(
  unit: Unit,
  intent: PaymentIntent,
  method: PaymentMethod,
  failure: Decline | undefined,
): Charge {
  const paid = failure === undefined;
  return unit.add('charge', {
    ...unit.base('charge', 'charge'),
    amount: intent.amount,
    amount_captured: paid ? intent.amount : 0,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: null,
    billing_details: method['billing_details'],
    calculated_statement_descriptor: 'SANDBOX',
    captured: paid,
    currency: intent.currency,
    customer: intent.customer,
    description: intent.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: failure?.code ?? null,
    failure_message: failure?.message ?? null,
    fraud_details: {},
    metadata: { ...intent.metadata },
    on_behalf_of: null,
    outcome: paid
      ? { network_status: 'approved_by_network', type: 'authorized', seller_message: 'Payment complete.' }
      : {
          network_status: 'declined_by_network',
          type: 'issuer_declined',
          reason: failure.decline_code ?? failure.code,
          seller_message: failure.message,
        },
    paid,
    payment_intent: intent.id,
    payment_method: method.id,
    payment_method_details: { type: method.type, [method.type]: { ...(method[method.type] ?? {}) } },
    receipt_email: null,
    receipt_number: null,
    receipt_url: null,
    refunded: false,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: paid ? 'succeeded' : 'failed',
    transfer_data: null,
    transfer_group: null,
  });
}

/** 402 for whoever asked for the charge; what was tried stays. */
export function chargeFailed(intent: PaymentIntent): ApiError {
  const { last_payment_error: error } = intent;
  const problem = (error ?? {}) as unknown as Decline & { type: string };
  return cardError(problem, { payment_intent: present(intent) as Record<string, unknown> });
}

export function unexpectedState({ status }: { readonly status: string }, what: string): ApiError {
  return invalid(
    `You cannot ${what} this PaymentIntent because it has a status of ${status}.`,
    undefined,
    'payment_intent_unexpected_state',
  );
}
