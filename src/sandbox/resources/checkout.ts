import { ApiError, cardError, invalid } from '../errors.js';
import { page, pageOf } from '../http/lists.js';
import type { Params, Routes } from '../http/route.js';
import { arrayOf, numberOf, objectOf, textOf } from '../http/route.js';
import type { CheckoutLine, CheckoutSession, Customer } from '../objects.js';
import type { Recurrence, Seconds } from '../rules/time.js';
import { DAY, HOUR } from '../rules/time.js';
import { totalsOf } from '../rules/totals.js';
import type { Unit } from '../unit.js';
import { mergedMetadata, randomText, sandboxId } from '../unit.js';
import { chargeFailed, checkAmount, confirm, createIntent } from './charging.js';
import { createCustomer, livingCustomer } from './customers.js';
import { applyDiscounts, checkCode, codeOf } from './discounts.js';
import { confirmIntent, confirmSetup } from './intents.js';
import { reductionOf } from './invoiceTotals.js';
import { nameOf, priceAmount } from './lines.js';
import type { CardInput } from './paymentMethods.js';
import { addCard } from './paymentMethods.js';
import { priceOf } from './subscriptionItems.js';
import { createSubscription } from './subscriptions.js';

function createSession(unit: Unit, params: Params): CheckoutSession {
  const base = unit.base('checkout.session', 'checkout.session');
  const mode = (textOf(params, 'mode') ?? 'payment') as CheckoutSession['mode'];
  if (!['hosted', 'hosted_page', undefined].includes(textOf(params, 'ui_mode'))) {
    throw invalid('The sandbox has the hosted page alone.', 'ui_mode');
  }
  if (textOf(params, 'success_url') === undefined)
    throw invalid('Missing required param: success_url.', 'success_url', 'parameter_missing');
  const customer = textOf(params, 'customer');
  if (customer !== undefined) livingCustomer(unit, customer);
  const lines = linesOf(unit, params, mode);
  const currency = lines[0]?.price.currency ?? textOf(params, 'currency') ?? 'usd';
  if (lines.some(({ price }) => price.currency !== currency))
    throw invalid('All prices must have the same currency.', 'line_items');
  const expires = numberOf(params, 'expires_at') ?? unit.now + DAY;
  if (expires < unit.now + HOUR / 2 || expires > unit.now + DAY) {
    throw invalid(
      'The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.',
      'expires_at',
    );
  }
  const session: CheckoutSession = {
    ...base,
    adaptive_pricing: { enabled: false },
    after_expiration: null,
    allow_promotion_codes: params['allow_promotion_codes'] ?? null,
    amount_subtotal: 0,
    amount_total: 0,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    billing_address_collection: null,
    cancel_url: textOf(params, 'cancel_url') ?? null,
    client_reference_id: textOf(params, 'client_reference_id') ?? null,
    client_secret: null,
    collected_information: null,
    consent: null,
    consent_collection: null,
    currency,
    currency_conversion: null,
    custom_fields: [],
    custom_text: {
      after_submit: null,
      shipping_address: null,
      submit: null,
      terms_of_service_acceptance: null,
    },
    customer: customer ?? null,
    customer_account: null,
    customer_creation: mode === 'payment' ? (params['customer_creation'] ?? 'if_required') : null,
    customer_details: null,
    customer_email: textOf(params, 'customer_email') ?? null,
    discounts: [],
    expires_at: expires,
    integration_identifier: null,
    invoice: null,
    invoice_creation: mode === 'payment' ? { enabled: false, invoice_data: {} } : null,
    locale: null,
    managed_payments: null,
    metadata: mergedMetadata({}, params['metadata']),
    mode,
    origin_context: null,
    payment_intent: null,
    payment_link: null,
    payment_method_collection:
      params['payment_method_collection'] ?? (mode === 'payment' ? 'if_required' : 'always'),
    payment_method_configuration_details: null,
    payment_method_options: { card: { request_three_d_secure: 'automatic' } },
    payment_method_types: params['allowed_payment_method_types'] ?? typesOf(currency),
    payment_status: mode === 'setup' ? 'no_payment_required' : 'unpaid',
    permissions: null,
    phone_number_collection: { enabled: false },
    recovered_from: null,
    saved_payment_method_options: null,
    setup_intent: null,
    shipping_address_collection: null,
    shipping_cost: null,
    shipping_options: [],
    status: 'open',
    submit_type: textOf(params, 'submit_type') ?? null,
    subscription: null,
    success_url: textOf(params, 'success_url') ?? null,
    total_details: null,
    ui_mode: 'hosted_page',
    url: `${unit.pagesUrl}/checkout/${base.id}`,
    wallet_options: null,
    $: { lines, lineItems: [], params, discounts: [] },
  };
  if (arrayOf(params, 'discounts').length > 0 && params['allow_promotion_codes'] === true) {
    throw invalid(
      'You may only specify one of these parameters: allow_promotion_codes, discounts.',
      'discounts',
    );
  }
  price(unit, session);
  if (mode === 'payment') checkAmount(session.amount_total, currency, 'line_items');
  return unit.add('checkout.session', session);
}

/** Ways to pay where a session names none. */
const typesOf = (currency: string): string[] => (currency === 'eur' ? ['card', 'sepa_debit'] : ['card']);

function linesOf(unit: Unit, params: Params, mode: CheckoutSession['mode']): CheckoutLine[] {
  const given = arrayOf(params, 'line_items');
  if (given.length === 0 && mode !== 'setup')
    throw invalid('Missing required param: line_items.', 'line_items', 'parameter_missing');
  const lines = given.map((line, index) => {
    const price = priceOf(unit, line, `line_items[${index}]`);
    const metered = price.recurring?.usage_type === 'metered';
    if (mode === 'payment' && price.recurring) {
      throw invalid(
        'You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.',
        'line_items',
      );
    }
    if (!metered && numberOf(line, 'quantity') === undefined) {
      throw invalid(
        `Missing required param: line_items[${index}][quantity].`,
        `line_items[${index}][quantity]`,
        'parameter_missing',
      );
    }
    return { price, quantity: metered ? 0 : (numberOf(line, 'quantity') ?? 1) };
  });
  if (mode === 'subscription' && !lines.some(({ price }) => price.recurring)) {
    throw invalid(
      'You must provide at least one recurring price in `subscription` mode when using prices.',
      'line_items',
    );
  }
  return lines;
}

const trialOf = ({ $: { params } }: CheckoutSession): boolean => {
  const data = objectOf(params, 'subscription_data') ?? {};
  return (numberOf(data, 'trial_period_days') ?? 0) > 0 || numberOf(data, 'trial_end') !== undefined;
};

/** What a trial is followed by: how much, how often, and from when on. Empty where there is none. */
export function afterTrial(
  unit: Unit,
  session: CheckoutSession,
): { readonly amount: number; readonly recurring: Recurrence; readonly from: Seconds }[] {
  if (session.mode !== 'subscription' || !trialOf(session)) return [];
  const data = objectOf(session.$.params, 'subscription_data') ?? {};
  const days = numberOf(data, 'trial_period_days') ?? 0;
  const from = numberOf(data, 'trial_end') ?? unit.now + days * DAY;
  return session.$.lines.flatMap(({ price, quantity }) =>
    price.recurring && price.recurring.usage_type !== 'metered'
      ? [{ amount: priceAmount(price, quantity), recurring: price.recurring, from }]
      : [],
  );
}

/** Amounts as of now: nothing of a plan on trial, nothing yet of what is metered. */
function price(unit: Unit, session: CheckoutSession): void {
  const fork = unit.fork();
  // Also prices that this very request has made.
  const ids = applyDiscounts(fork, session.$.params['discounts'] ?? codes(session), {
    customer: session.customer,
  });
  const trial = trialOf(session);
  const lines = session.$.lines.map(({ price, quantity }) => ({
    amount:
      trial && price.recurring
        ? 0
        : price.recurring?.usage_type === 'metered'
          ? 0
          : priceAmount(price, quantity),
    discountable: true,
    product: price.product,
    taxes: [],
  }));
  const totals = totalsOf(
    lines,
    ids.flatMap((id) => reductionOf(fork, id, session.currency)),
  );
  session.amount_subtotal = totals.subtotal;
  session.amount_total = totals.total;
  session['total_details'] = { amount_discount: totals.discount, amount_shipping: 0, amount_tax: totals.tax };
  session.$.lineItems = session.$.lines.map(({ price, quantity }, index) => {
    const discount = (totals.lines[index]?.discounts ?? []).reduce((sum, { amount }) => sum + amount, 0);
    const subtotal = lines[index]?.amount ?? 0;
    return {
      id: sandboxId('li'),
      object: 'item',
      adjustable_quantity: null,
      amount_discount: discount,
      amount_subtotal: subtotal,
      amount_tax: 0,
      amount_total: subtotal - discount,
      currency: session.currency,
      description: nameOf(unit, price),
      metadata: {},
      price,
      quantity,
    };
  });
}

const codes = ({ $: { discounts } }: CheckoutSession) =>
  discounts.map((promotion_code) => ({ promotion_code }));

/** Takes a promotion code that a person has typed. @throws ApiError where there is none or it is over */
export function useCode(unit: Unit, id: string, text: string): void {
  const session = openSession(unit, id);
  const code = codeOf(unit, text);
  if (!code || session['allow_promotion_codes'] !== true)
    throw invalid('This code is invalid.', 'promotion_code');
  checkCode(unit, code, session.customer);
  session.$.discounts = [code.id];
  price(unit, session);
}

/** @throws ApiError where it is over */
export function openSession(unit: Unit, id: string): CheckoutSession {
  const session = unit.edit('checkout.session', id);
  if (session.status === 'open' && session.expires_at > unit.now) return session;
  throw invalid('This Checkout Session is over.', undefined, 'checkout_session_over');
}

export const needsCard = (session: CheckoutSession): boolean =>
  session.mode === 'setup' || session.amount_total > 0 || session['payment_method_collection'] === 'always';

export interface Payer {
  /** What the person has typed, or the payment method that this became. */
  readonly card?: CardInput | string;
  readonly email: string | null;
  readonly name: string | null;
  readonly authenticated?: boolean;
}

/** The card of a person as a payment method, before it is known whether it must be authenticated. */
export function takeCard(
  unit: Unit,
  id: string,
  card: CardInput,
): { method: string; authenticates: boolean } {
  openSession(unit, id);
  const { id: method, $ } = addCard(unit, card);
  return { method, authenticates: $.behaviour.authenticates !== undefined };
}

/**
 * A person pays. @throws ApiError 402 where the card is declined: nothing but the failed charge is kept
 */
export function complete(unit: Unit, id: string, payer: Payer): CheckoutSession {
  const session = openSession(unit, id);
  const customer = customerOf(unit, session, payer);
  const method = typeof payer.card === 'object' ? addCard(unit, payer.card).id : payer.card;
  if (method === undefined && needsCard(session))
    throw cardError({ code: 'incomplete_number', message: 'A card is needed.' });
  if (session.mode === 'payment') payOnce(unit, session, customer, method, payer);
  if (session.mode === 'subscription') subscribe(unit, session, customer, method, payer);
  if (session.mode === 'setup') setUp(unit, session, customer, method, payer);
  session.status = 'complete';
  session.url = null;
  session.customer = customer?.id ?? null;
  session['customer_details'] = {
    address: null,
    business_name: null,
    email: payer.email ?? customer?.email ?? null,
    individual_name: payer.name,
    name: payer.name ?? customer?.name ?? null,
    phone: null,
    tax_exempt: 'none',
    tax_ids: [],
  };
  unit.emit('checkout.session.completed', session);
  return session;
}

function customerOf(unit: Unit, session: CheckoutSession, payer: Payer): Customer | undefined {
  if (session.customer !== null) return livingCustomer(unit, session.customer);
  if (session.mode === 'payment' && session['customer_creation'] !== 'always') return undefined;
  return createCustomer(unit, {
    ...(payer.email !== null && { email: payer.email }),
    ...(payer.name !== null && { name: payer.name }),
  });
}

function payOnce(
  unit: Unit,
  session: CheckoutSession,
  customer: Customer | undefined,
  method: string | undefined,
  payer: Payer,
): void {
  const data = objectOf(session.$.params, 'payment_intent_data') ?? {};
  if (session.amount_total === 0) {
    session.payment_status = 'no_payment_required';
    return;
  }
  applyDiscounts(unit, session.$.params['discounts'] ?? codes(session), {
    customer: session.customer,
    checkout: session.id,
  });
  const intent = createIntent(unit, {
    amount: session.amount_total,
    currency: session.currency,
    customer: customer?.id ?? null,
    description: textOf(data, 'description') ?? null,
    metadata: mergedMetadata({}, data['metadata']),
    setup_future_usage: textOf(data, 'setup_future_usage') ?? null,
    checkout: session.id,
  });
  confirm(unit, intent.id, { method: method ?? '', authenticated: payer.authenticated ?? false });
  const made = intent.status;
  if (made !== 'succeeded' && made !== 'processing') throw forgotten(chargeFailed(intent));
  session.payment_intent = intent.id;
  // A bank that is asked for a debit answers later.
  if (made === 'succeeded') session.payment_status = 'paid';
}

function subscribe(
  unit: Unit,
  session: CheckoutSession,
  customer: Customer | undefined,
  method: string | undefined,
  payer: Payer,
): void {
  const { params, lines } = session.$;
  const { metadata, ...data } = objectOf(params, 'subscription_data') ?? {};
  if (!customer) throw new Error('a subscription without a customer');
  if (method !== undefined) {
    // Saving it is part of paying; where nothing is due, an intent of its own does.
    const setup = trialOf(session) || session.amount_total === 0;
    if (setup) setUp(unit, session, customer, method, payer);
    else attachQuietly(unit, method, customer.id);
  }
  const discounts = params['discounts'] ?? codes(session);
  const { subscription, invoice } = createSubscription(unit, {
    ...data,
    ...(metadata !== undefined && { metadata }),
    customer: customer.id,
    items: lines
      .filter(({ price }) => price.recurring)
      .map(({ price, quantity }) => ({
        price: price.id,
        ...(price.recurring?.usage_type === 'licensed' && { quantity }),
      })),
    add_invoice_items: lines
      .filter(({ price }) => !price.recurring)
      .map(({ price, quantity }) => ({ price: price.id, quantity })),
    discounts,
    payment_behavior: 'default_incomplete',
    ...(method !== undefined && { default_payment_method: method }),
  });
  if (invoice?.status === 'open') {
    const intent = invoice.$.paymentIntent ?? '';
    const outcome = confirmIntent(unit, intent, {
      method: method ?? '',
      authenticated: payer.authenticated ?? false,
    });
    if (outcome !== 'succeeded') throw forgotten(chargeFailed(unit.get('payment_intent', intent)));
  }
  session.subscription = subscription.id;
  session.invoice = invoice?.id ?? null;
  session.payment_status = (invoice?.amount_due ?? 0) > 0 ? 'paid' : 'no_payment_required';
}

function attachQuietly(unit: Unit, method: string, customer: string): void {
  const saved = unit.edit('payment_method', method);
  saved.customer = customer;
  unit.emit('payment_method.attached', saved);
}

function setUp(
  unit: Unit,
  session: CheckoutSession,
  customer: Customer | undefined,
  method: string | undefined,
  payer: Payer,
): void {
  const base = unit.base('setup_intent', 'setup_intent');
  unit.add('setup_intent', {
    ...base,
    client_secret: `${base.id}_secret_${randomText(24)}`,
    customer: customer?.id ?? null,
    last_setup_error: null,
    metadata: mergedMetadata({}, (objectOf(session.$.params, 'setup_intent_data') ?? {})['metadata']),
    next_action: null,
    payment_method: null,
    payment_method_types: ['card'],
    status: 'requires_payment_method',
    usage: 'off_session',
    $: {},
  });
  try {
    confirmSetup(unit, base.id, method ?? '', payer.authenticated ?? false);
  } catch (error) {
    throw error instanceof ApiError ? forgotten(error) : error;
  }
  if (session.mode === 'setup') session.setup_intent = base.id;
}

/** Nobody has subscribed or bought anything: what was done on the way is undone. */
const forgotten = ({ status, body }: ApiError): ApiError => new ApiError(status, body);

/** Tells of a charge that failed on the page, by itself. */
export function recordDecline(unit: Unit, id: string, card: CardInput | string, message: string): void {
  const session = openSession(unit, id);
  session.$.failure = message;
  if (session.amount_total === 0) return;
  const method = typeof card === 'string' ? card : addCard(unit, card).id;
  const { id: intent } = createIntent(unit, {
    amount: session.amount_total,
    currency: session.currency,
    customer: session.customer,
    checkout: id,
  });
  confirm(unit, intent, { method });
}

export function expireSession(unit: Unit, session: CheckoutSession): void {
  session.status = 'expired';
  session.url = null;
  unit.emit('checkout.session.expired', session);
}

export const checkoutRoutes: Routes = {
  'POST /v1/checkout/sessions': createSession,
  'GET /v1/checkout/sessions': (unit, params) =>
    page(
      unit,
      'checkout.session',
      params,
      '/v1/checkout/sessions',
      (session) =>
        (params['customer'] === undefined || session.customer === params['customer']) &&
        (params['status'] === undefined || session.status === params['status']) &&
        (params['subscription'] === undefined || session.subscription === params['subscription']) &&
        (params['payment_intent'] === undefined || session.payment_intent === params['payment_intent']),
    ),
  'GET /v1/checkout/sessions/*': (unit, _params, id = '') => unit.get('checkout.session', id),
  'GET /v1/checkout/sessions/*/line_items': (unit, params, id = '') =>
    pageOf(
      unit.get('checkout.session', id).$.lineItems as { id: string }[],
      params,
      `/v1/checkout/sessions/${id}/line_items`,
      'line item',
    ),
  'POST /v1/checkout/sessions/*/expire': (unit, _params, id = '') => {
    const session = unit.edit('checkout.session', id);
    if (session.status !== 'open') {
      throw invalid(
        `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of ${session.status}.`,
      );
    }
    expireSession(unit, session);
    return session;
  },
};
