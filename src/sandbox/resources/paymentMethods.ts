import { cardError, invalid } from '../errors.js';
import type { Params, Routes } from '../http/route.js';
import { numberOf, objectOf, textOf } from '../http/route.js';
import { page } from '../http/lists.js';
import type { Customer, PaymentMethod } from '../objects.js';
import type { CardBehaviour } from '../rules/cards.js';
import { behaviourOf, cardByName, cardByNumber, DECLINES, fingerprintOf } from '../rules/cards.js';
import type { Unit } from '../unit.js';
import { mergedMetadata } from '../unit.js';
import { addAccount } from './debits.js';

export interface CardInput {
  readonly number: string;
  readonly exp_month: number;
  readonly exp_year: number;
  readonly name?: string | undefined;
  readonly email?: string | undefined;
}

/** The card that a person has typed, as a payment method. @throws ApiError of a number that is no test card's */
export function addCard(unit: Unit, input: CardInput): PaymentMethod {
  const card = cardByNumber(input.number);
  if (!card) {
    throw cardError({
      code: 'incorrect_number',
      message:
        'Your card number is incorrect. The sandbox takes test cards alone, such as 4242 4242 4242 4242.',
    });
  }
  const year = input.exp_year < 100 ? 2000 + input.exp_year : input.exp_year;
  if (input.exp_month < 1 || input.exp_month > 12) {
    throw cardError({ code: 'invalid_expiry_month', message: "Your card's expiration month is invalid." });
  }
  const method: PaymentMethod = {
    ...unit.base('payment_method', 'payment_method'),
    allow_redisplay: 'unspecified',
    billing_details: {
      address: { city: null, country: null, line1: null, line2: null, postal_code: null, state: null },
      email: input.email ?? null,
      name: input.name ?? null,
      phone: null,
      tax_id: null,
    },
    card: {
      brand: card.brand,
      checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
      country: 'US',
      display_brand: card.brand,
      exp_month: input.exp_month,
      exp_year: year,
      fingerprint: fingerprintOf(card.number, 'sandbox'),
      funding: 'credit',
      generated_from: null,
      last4: card.number.slice(-4),
      networks: { available: [card.brand], preferred: null },
      regulated_status: 'unregulated',
      three_d_secure_usage: { supported: true },
      wallet: null,
    },
    customer: null,
    customer_account: null,
    metadata: {},
    type: 'card',
    $: { behaviour: behaviourOf(card) },
  };
  return unit.add('payment_method', method);
}

/** A payment method by its id, or a new one by a test name such as `pm_card_visa`. @throws ApiError */
export function resolveMethod(unit: Unit, id: string, param = 'payment_method'): PaymentMethod {
  const name = /^(?:pm_card|tok)_(\w+)$/.exec(id)?.[1];
  const card = name === undefined ? undefined : cardByName(name);
  if (!card) return unit.get('payment_method', id, param);
  const year = new Date(unit.now * 1000).getUTCFullYear() + 5;
  return addCard(unit, { number: card.number, exp_month: 12, exp_year: year });
}

/** Whether its last month is over. */
export function isExpired({ card }: PaymentMethod, now: number): boolean {
  return card !== undefined && Date.UTC(card.exp_year, card.exp_month, 1) / 1000 <= now;
}

/** Why the card cannot be saved; undefined where it can. */
export function cannotSave(behaviour: CardBehaviour) {
  return behaviour.decline !== undefined && !behaviour.attaches ? DECLINES[behaviour.decline] : undefined;
}

/** @throws ApiError where the card is declined when it is checked */
export function attach(unit: Unit, id: string, customer: string): PaymentMethod {
  unit.get('customer', customer, 'customer');
  const resolved = resolveMethod(unit, id);
  const decline = cannotSave(resolved.$.behaviour);
  if (decline) throw cardError(decline);
  const method = unit.edit('payment_method', resolved.id);
  if (method.customer === customer) return method;
  if (method.customer !== null) {
    throw invalid(
      'The payment method you provided has already been attached to a customer.',
      'payment_method',
    );
  }
  method.customer = customer;
  unit.emit('payment_method.attached', method);
  return method;
}

/** What pays for a customer where a subscription says nothing else. */
export const defaultMethodOf = ({ invoice_settings: { default_payment_method: method } }: Customer) => method;

export const paymentMethodRoutes: Routes = {
  'POST /v1/payment_methods': (unit, params) => {
    if (params['type'] === 'sepa_debit') {
      const iban = textOf(objectOf(params, 'sepa_debit') ?? {}, 'iban') ?? '';
      return describe(unit, addAccount(unit, iban).id, params);
    }
    if (params['type'] !== 'card') {
      throw invalid('The sandbox has payment methods of the types card and sepa_debit alone.', 'type');
    }
    const card = objectOf(params, 'card') ?? {};
    const token = textOf(card, 'token');
    const method =
      token === undefined
        ? addCard(unit, {
            number: textOf(card, 'number') ?? '',
            exp_month: numberOf(card, 'exp_month') ?? 0,
            exp_year: numberOf(card, 'exp_year') ?? 0,
          })
        : resolveMethod(unit, token, 'card[token]');
    return describe(unit, method.id, params);
  },
  'GET /v1/payment_methods': (unit, params) =>
    page(unit, 'payment_method', params, '/v1/payment_methods', ({ customer }) =>
      params['customer'] === undefined ? customer !== null : customer === params['customer'],
    ),
  'GET /v1/payment_methods/*': (unit, _params, id = '') => unit.get('payment_method', id),
  'POST /v1/payment_methods/*': (unit, params, id = '') => {
    const method = describe(unit, id, params);
    unit.emitUpdate('payment_method.updated', method);
    return method;
  },
  'POST /v1/payment_methods/*/attach': (unit, params, id = '') =>
    attach(unit, id, textOf(params, 'customer') ?? ''),
  'POST /v1/payment_methods/*/detach': (unit, _params, id = '') => {
    const method = unit.edit('payment_method', id);
    if (method.customer === null) {
      throw invalid(
        'The payment method you provided is not attached to a customer so detachment is impossible.',
      );
    }
    const customer = unit.edit('customer', method.customer);
    if (defaultMethodOf(customer) === id) customer.invoice_settings.default_payment_method = null;
    method.customer = null;
    unit.emitUpdate('payment_method.detached', method);
    unit.emitUpdate('customer.updated', customer);
    return method;
  },
  'GET /v1/customers/*/payment_methods': (unit, params, customer = '') => {
    unit.get('customer', customer);
    return page(
      unit,
      'payment_method',
      params,
      `/v1/customers/${customer}/payment_methods`,
      (method) => method.customer === customer,
    );
  },
  'GET /v1/customers/*/payment_methods/*': (unit, _params, customer = '', id = '') => {
    unit.get('customer', customer);
    return unit.get('payment_method', id);
  },
};

function describe(unit: Unit, id: string, params: Params): PaymentMethod {
  const method = unit.edit('payment_method', id);
  const billing = objectOf(params, 'billing_details');
  if (billing) method['billing_details'] = { ...(method['billing_details'] as object), ...billing };
  if (method.card) {
    const card = objectOf(params, 'card') ?? {};
    method.card.exp_month = numberOf(card, 'exp_month') ?? method.card.exp_month;
    method.card.exp_year = numberOf(card, 'exp_year') ?? method.card.exp_year;
  }
  method['metadata'] = mergedMetadata(
    (method['metadata'] ?? {}) as Record<string, string>,
    params['metadata'],
  );
  return method;
}
