import { invalid } from '../errors.js';
import { page } from '../http/lists.js';
import type { Params, Routes } from '../http/route.js';
import { numberOf, objectOf, textOf } from '../http/route.js';
import type { Customer, Stored } from '../objects.js';
import type { Unit } from '../unit.js';
import { mergedMetadata, randomText } from '../unit.js';
import { attach } from './paymentMethods.js';
import { end } from './subscriptionStatus.js';

export function createCustomer(unit: Unit, params: Params): Customer {
  const customer: Customer = {
    ...unit.base('customer', 'customer'),
    address: objectOf(params, 'address') ?? null,
    balance: numberOf(params, 'balance') ?? 0,
    cash_balance: null,
    currency: null,
    customer_account: null,
    default_source: null,
    delinquent: false,
    description: textOf(params, 'description') ?? null,
    discount: null,
    email: textOf(params, 'email') ?? null,
    invoice_prefix: randomText(8).toUpperCase(),
    invoice_settings: {
      custom_fields: null,
      default_payment_method: null,
      footer: null,
      rendering_options: null,
    },
    metadata: {},
    name: textOf(params, 'name') ?? null,
    next_invoice_sequence: numberOf(params, 'next_invoice_sequence') ?? 1,
    phone: textOf(params, 'phone') ?? null,
    preferred_locales: params['preferred_locales'] ?? [],
    shipping: objectOf(params, 'shipping') ?? null,
    tax_exempt: textOf(params, 'tax_exempt') ?? 'none',
    test_clock: null,
  };
  customer.metadata = mergedMetadata({}, params['metadata']);
  unit.add('customer', customer);
  setMethods(unit, customer, params);
  unit.emit('customer.created', customer);
  return customer;
}

function setMethods(unit: Unit, customer: Customer, params: Params): void {
  const settings = objectOf(params, 'invoice_settings') ?? {};
  const method = textOf(params, 'payment_method');
  const attached = method === undefined ? undefined : attach(unit, method, customer.id).id;
  const usual = settings['default_payment_method'];
  if (usual === '') customer.invoice_settings.default_payment_method = null;
  else if (typeof usual === 'string') {
    // A test name that is given twice is one card.
    const own = usual === method ? attached : undefined;
    customer.invoice_settings.default_payment_method = own ?? ownMethod(unit, usual, customer.id);
  }
}

/** A payment method that is the customer's; test names are attached. @throws ApiError */
export function ownMethod(unit: Unit, id: string, customer: string): string {
  if (/^(pm_card|tok)_/.test(id) && !id.includes('_sbx_')) return attach(unit, id, customer).id;
  const method = unit.get('payment_method', id, 'default_payment_method');
  if (method.customer === customer) return id;
  throw invalid(
    `The customer does not have a payment method with the ID ${id}. The payment method must be attached to the customer.`,
    'default_payment_method',
    'resource_missing',
  );
}

/** A customer that was not deleted. @throws ApiError */
export function livingCustomer(unit: Unit, id: string, param = 'customer'): Customer {
  const customer = unit.edit('customer', id, param);
  if (customer.deleted) throw invalid(`No such customer: '${id}'`, param, 'resource_missing');
  return customer;
}

/** Money that the customer owes (positive) or has to their credit (negative). */
export function addToBalance(
  unit: Unit,
  customer: Customer,
  amount: number,
  currency: string,
  type: string,
  more: Record<string, unknown> = {},
): Stored {
  customer.balance += amount;
  return unit.add('customer_balance_transaction', {
    ...unit.base('customer_balance_transaction', 'customer_balance_transaction'),
    amount,
    checkout_session: null,
    credit_note: null,
    currency,
    customer: customer.id,
    customer_account: null,
    description: null,
    ending_balance: customer.balance,
    invoice: null,
    metadata: {},
    type,
    ...more,
  });
}

export const customerRoutes: Routes = {
  'POST /v1/customers': createCustomer,
  'GET /v1/customers': (unit, params) =>
    page(
      unit,
      'customer',
      params,
      '/v1/customers',
      ({ email, deleted }) => !deleted && (params['email'] === undefined || email === params['email']),
    ),
  'GET /v1/customers/*': (unit, _params, id = '') => {
    const customer = unit.get('customer', id);
    return customer.deleted ? { id, object: 'customer', deleted: true } : customer;
  },
  'POST /v1/customers/*': (unit, params, id = '') => {
    const customer = livingCustomer(unit, id, 'id');
    for (const name of ['description', 'email', 'name', 'phone', 'tax_exempt', 'address', 'shipping']) {
      if (params[name] !== undefined) customer[name] = params[name] === '' ? null : params[name];
    }
    const balance = numberOf(params, 'balance');
    if (balance !== undefined && balance !== customer.balance) {
      addToBalance(unit, customer, balance - customer.balance, customer.currency ?? 'usd', 'adjustment');
    }
    customer.metadata = mergedMetadata(customer.metadata, params['metadata']);
    setMethods(unit, customer, params);
    unit.emitUpdate('customer.updated', customer);
    return customer;
  },
  // Its subscriptions end at once; its invoices stay.
  'DELETE /v1/customers/*': (unit, _params, id = '') => {
    const customer = livingCustomer(unit, id, 'id');
    for (const { id: subscription, status } of unit.filter('subscription', (one) => one.customer === id)) {
      if (['canceled', 'incomplete_expired'].includes(status)) continue;
      end(unit, unit.edit('subscription', subscription), 'canceled');
    }
    unit.emit('customer.deleted', customer);
    customer.deleted = true;
    customer.email = customer.name = null;
    customer.metadata = {};
    return { id, object: 'customer', deleted: true };
  },
  'GET /v1/customers/*/balance_transactions': (unit, params, id = '') =>
    page(
      unit,
      'customer_balance_transaction',
      params,
      `/v1/customers/${id}/balance_transactions`,
      ({ customer }) => customer === id,
    ),
  'POST /v1/customers/*/balance_transactions': (unit, params, id = '') => {
    const customer = livingCustomer(unit, id, 'id');
    const transaction = addToBalance(
      unit,
      customer,
      params['amount'] as number,
      params['currency'] as string,
      'adjustment',
      { description: textOf(params, 'description') ?? null, metadata: params['metadata'] ?? {} },
    );
    unit.emitUpdate('customer.updated', customer);
    return transaction;
  },
};
