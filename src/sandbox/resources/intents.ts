import { ApiError, cardError, invalid } from '../errors.js';
import { page } from '../http/lists.js';
import type { Params, Routes } from '../http/route.js';
import { numberOf, textOf } from '../http/route.js';
import type { PaymentIntent, SetupIntent } from '../objects.js';
import { present } from '../present.js';
import type { Unit } from '../unit.js';
import { mergedMetadata, randomText } from '../unit.js';
import type { Confirmation, Outcome } from './charging.js';
import {
  chargeFailed,
  checkAmount,
  confirm,
  createIntent,
  failAuthentication,
  nextAction,
  unexpectedState,
} from './charging.js';
import { livingCustomer } from './customers.js';
import { settle } from './invoicing.js';
import { cannotSave, resolveMethod } from './paymentMethods.js';

/** Confirms an intent; where it pays an invoice, the invoice follows. */
export function confirmIntent(unit: Unit, id: string, how: Confirmation): Outcome {
  const outcome = confirm(unit, id, how);
  const { invoice: paid } = unit.get('payment_intent', id).$;
  if (paid !== undefined) {
    const invoice = unit.edit('invoice', paid);
    invoice.attempted = true;
    if (outcome !== 'requires_action') {
      if (outcome === 'declined') invoice.attempt_count++;
      settle(unit, invoice, outcome);
    }
  }
  return outcome;
}

/** What the bank says of an intent that waits for its customer. */
export function authenticate(unit: Unit, id: string, accepted: boolean): PaymentIntent | SetupIntent {
  if (unit.find('setup_intent', id)) return authenticateSetup(unit, id, accepted);
  const intent = unit.get('payment_intent', id);
  if (intent.status !== 'requires_action') throw unexpectedState(intent, 'authenticate');
  if (accepted) confirmIntent(unit, id, { method: intent.payment_method ?? '', authenticated: true });
  else {
    failAuthentication(unit, id);
    const paid = intent.$.invoice;
    if (paid !== undefined) settle(unit, unit.edit('invoice', paid), 'declined');
  }
  return unit.get('payment_intent', id);
}

function create(unit: Unit, params: Params): PaymentIntent {
  const currency = (textOf(params, 'currency') ?? '').toLowerCase();
  const amount = numberOf(params, 'amount') ?? 0;
  checkAmount(amount, currency);
  if (params['capture_method'] === 'manual') throw invalid('The sandbox captures at once.', 'capture_method');
  const customer = textOf(params, 'customer');
  const intent = createIntent(unit, {
    amount,
    currency,
    customer: customer === undefined ? null : livingCustomer(unit, customer).id,
    description: textOf(params, 'description') ?? null,
    metadata: mergedMetadata({}, params['metadata']),
    setup_future_usage: textOf(params, 'setup_future_usage') ?? null,
    receipt_email: textOf(params, 'receipt_email') ?? null,
  });
  if (textOf(params, 'payment_method') !== undefined) setMethod(unit, intent, params);
  if (params['confirm'] === true) confirmAsked(unit, intent, params);
  return intent;
}

function setMethod(unit: Unit, intent: PaymentIntent, params: Params): void {
  intent.payment_method = resolveMethod(unit, textOf(params, 'payment_method') ?? '').id;
  if (intent.status === 'requires_payment_method') intent.status = 'requires_confirmation';
}

/** @throws ApiError 402 where the card is declined: the attempt stays */
function confirmAsked(unit: Unit, intent: PaymentIntent, params: Params): void {
  const method = textOf(params, 'payment_method') ?? intent.payment_method;
  if (method === null) {
    throw invalid(
      "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.",
      undefined,
      'payment_intent_unexpected_state',
    );
  }
  const outcome = confirmIntent(unit, intent.id, {
    method,
    offSession: params['off_session'] === true,
    returnUrl: textOf(params, 'return_url'),
  });
  if (outcome === 'declined') throw chargeFailed(unit.get('payment_intent', intent.id));
}

function createSetup(unit: Unit, params: Params): SetupIntent {
  const base = unit.base('setup_intent', 'setup_intent');
  const customer = textOf(params, 'customer');
  const intent: SetupIntent = {
    ...base,
    allowed_payment_method_types: null,
    application: null,
    automatic_payment_methods: { allow_redirects: 'always', enabled: true },
    cancellation_reason: null,
    client_secret: `${base.id}_secret_${randomText(24)}`,
    customer: customer === undefined ? null : livingCustomer(unit, customer).id,
    customer_account: null,
    description: textOf(params, 'description') ?? null,
    excluded_payment_method_types: null,
    flow_directions: null,
    last_setup_error: null,
    latest_attempt: null,
    mandate: null,
    metadata: mergedMetadata({}, params['metadata']),
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: { card: { request_three_d_secure: 'automatic' } },
    payment_method_types: ['card'],
    single_use_mandate: null,
    status: 'requires_payment_method',
    usage: textOf(params, 'usage') ?? 'off_session',
    $: {},
  };
  unit.add('setup_intent', intent);
  unit.emit('setup_intent.created', intent);
  const method = textOf(params, 'payment_method');
  if (params['confirm'] === true && method !== undefined)
    confirmSetup(unit, intent.id, method, false, textOf(params, 'return_url'));
  return intent;
}

/** Saves a card without charging it. @throws ApiError 402 where it cannot be saved */
export function confirmSetup(
  unit: Unit,
  id: string,
  given: string,
  authenticated: boolean,
  returnUrl?: string,
): SetupIntent {
  const intent = unit.edit('setup_intent', id);
  if (intent.status === 'succeeded' || intent.status === 'canceled') throw unexpectedState(intent, 'confirm');
  const method = resolveMethod(unit, given);
  if (returnUrl !== undefined) intent.$.returnUrl = returnUrl;
  const problem = cannotSave(method.$.behaviour);
  if (problem) {
    intent.status = 'requires_payment_method';
    intent.last_setup_error = { type: 'card_error', ...problem, payment_method: present(method) };
    unit.emit('setup_intent.setup_failed', intent);
    throw cardError(problem, { setup_intent: present(intent) as Record<string, unknown> });
  }
  intent.payment_method = method.id;
  intent.next_action = null;
  if (method.$.behaviour.authenticates && !authenticated) {
    intent.status = 'requires_action';
    intent.next_action = nextAction(unit, intent.id, intent.$.returnUrl);
    unit.emit('setup_intent.requires_action', intent);
    return intent;
  }
  const saved = unit.edit('payment_method', method.id);
  saved.$.authenticated = true;
  if (intent.customer !== null && saved.customer === null) {
    saved.customer = intent.customer;
    unit.emit('payment_method.attached', saved);
  }
  intent.status = 'succeeded';
  unit.emit('setup_intent.succeeded', intent);
  return intent;
}

function authenticateSetup(unit: Unit, id: string, accepted: boolean): SetupIntent {
  const intent = unit.edit('setup_intent', id);
  if (intent.status !== 'requires_action') throw unexpectedState(intent, 'authenticate');
  if (accepted) return confirmSetup(unit, id, intent.payment_method ?? '', true);
  intent.status = 'requires_payment_method';
  intent.next_action = null;
  intent.payment_method = null;
  intent.last_setup_error = {
    type: 'invalid_request_error',
    code: 'setup_intent_authentication_failure',
    message: 'The latest attempt to set up the payment method has failed because authentication failed.',
  };
  unit.emit('setup_intent.setup_failed', intent);
  return intent;
}

function cancel(unit: Unit, id: string, params: Params): PaymentIntent {
  const intent = unit.edit('payment_intent', id);
  if (['succeeded', 'canceled', 'processing'].includes(intent.status)) {
    throw invalid(
      `You cannot cancel this PaymentIntent because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, requires_capture, requires_confirmation, requires_action, processing.`,
      undefined,
      'payment_intent_unexpected_state',
    );
  }
  intent.status = 'canceled';
  intent.next_action = null;
  intent['canceled_at'] = unit.now;
  intent['cancellation_reason'] = textOf(params, 'cancellation_reason') ?? null;
  unit.emit('payment_intent.canceled', intent);
  return intent;
}

const ofCustomer =
  (params: Params) =>
  ({ customer }: { customer: string | null }): boolean =>
    params['customer'] === undefined || customer === params['customer'];

export const intentRoutes: Routes = {
  'POST /v1/payment_intents': create,
  'GET /v1/payment_intents': (unit, params) =>
    page(unit, 'payment_intent', params, '/v1/payment_intents', ofCustomer(params)),
  'GET /v1/payment_intents/*': (unit, _params, id = '') => unit.get('payment_intent', id),
  'POST /v1/payment_intents/*': (unit, params, id = '') => {
    const intent = unit.edit('payment_intent', id);
    const amount = numberOf(params, 'amount');
    if (amount !== undefined) {
      if (intent.status === 'succeeded' || intent.status === 'canceled')
        throw unexpectedState(intent, 'update');
      checkAmount(amount, intent.currency);
      intent.amount = amount;
    }
    if (textOf(params, 'payment_method') !== undefined) setMethod(unit, intent, params);
    if (textOf(params, 'customer') !== undefined)
      intent.customer = livingCustomer(unit, textOf(params, 'customer') ?? '').id;
    if (params['description'] !== undefined) intent.description = textOf(params, 'description') ?? null;
    intent.metadata = mergedMetadata(intent.metadata, params['metadata']);
    return intent;
  },
  'POST /v1/payment_intents/*/confirm': (unit, params, id = '') => {
    confirmAsked(unit, unit.edit('payment_intent', id), params);
    return unit.get('payment_intent', id);
  },
  'POST /v1/payment_intents/*/cancel': (unit, params, id = '') => cancel(unit, id, params),
  'GET /v1/charges': (unit, params) =>
    page(
      unit,
      'charge',
      params,
      '/v1/charges',
      (charge) =>
        ofCustomer(params)(charge) &&
        (params['payment_intent'] === undefined || charge.payment_intent === params['payment_intent']),
    ),
  'GET /v1/charges/*': (unit, _params, id = '') => unit.get('charge', id),
  'POST /v1/setup_intents': createSetup,
  'GET /v1/setup_intents': (unit, params) =>
    page(unit, 'setup_intent', params, '/v1/setup_intents', ofCustomer(params)),
  'GET /v1/setup_intents/*': (unit, _params, id = '') => unit.get('setup_intent', id),
  'POST /v1/setup_intents/*/confirm': (unit, params, id = '') => {
    const intent = unit.get('setup_intent', id);
    const method = textOf(params, 'payment_method') ?? intent.payment_method;
    if (method === null) {
      throw new ApiError(400, {
        type: 'invalid_request_error',
        code: 'setup_intent_unexpected_state',
        message: 'A payment method is missing.',
      });
    }
    return confirmSetup(unit, id, method, false, textOf(params, 'return_url'));
  },
  'POST /v1/setup_intents/*/cancel': (unit, _params, id = '') => {
    const intent = unit.edit('setup_intent', id);
    if (intent.status === 'succeeded' || intent.status === 'canceled')
      throw unexpectedState(intent, 'cancel');
    intent.status = 'canceled';
    unit.emit('setup_intent.canceled', intent);
    return intent;
  },
};
