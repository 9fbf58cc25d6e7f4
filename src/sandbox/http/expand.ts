import { invalid } from '../errors.js';
import type { Kind } from '../objects.js';
import { PREFIXES } from '../objects.js';
import { listOf, present } from '../present.js';
import type { Unit } from '../unit.js';

const MAX_LEVELS = 4;
const KINDS = new Map(Object.entries(PREFIXES).map(([kind, prefix]) => [prefix, kind as Kind]));
/** Objects whose ids people may choose, by the fields that hold them. */
const CHOSEN: Readonly<Record<string, Kind>> = { product: 'product', coupon: 'coupon' };

type Wire = Record<string, unknown>;

/** Fields that an object shows only when they are asked for. */
const ON_REQUEST: Readonly<Record<string, (unit: Unit, object: Wire) => unknown>> = {
  'price.tiers': (unit, { id }) => unit.find('price', id as string)?.$.tiers,
  'invoice.payments': (unit, { id }) =>
    listOf(
      unit.filter('invoice_payment', ({ invoice }) => invoice === id).map(present),
      `/v1/invoice_payments?invoice=${String(id)}`,
    ),
  'invoice.confirmation_secret': (unit, { id }) => {
    const intent = unit.find('payment_intent', unit.find('invoice', id as string)?.$.paymentIntent);
    return intent ? { client_secret: intent.client_secret, type: 'payment_intent' } : null;
  },
  'customer.subscriptions': (unit, { id }) =>
    listOf(
      unit
        .filter('subscription', ({ customer, status }) => customer === id && !status.startsWith('canceled'))
        .reverse()
        .map(present),
      `/v1/customers/${String(id)}/subscriptions`,
    ),
  'charge.refunds': (unit, { id }) =>
    listOf(
      unit
        .filter('refund', ({ charge }) => charge === id)
        .reverse()
        .map(present),
      `/v1/charges/${String(id)}/refunds`,
    ),
  'coupon.applies_to': (unit, { id }) => {
    const products = unit.find('coupon', id as string)?.$.products;
    return products ? { products } : undefined;
  },
  'checkout.session.line_items': (unit, { id }) =>
    listOf(
      unit.find('checkout.session', id as string)?.$.lineItems ?? [],
      `/v1/checkout/sessions/${String(id)}/line_items`,
    ),
};

/** Puts objects in place of their ids, where `expand` asks for it. @throws ApiError */
export function expand(unit: Unit, answer: unknown, paths: unknown): unknown {
  for (const path of (paths ?? []) as string[]) {
    const keys = path.split('.');
    if (keys.filter((key) => key !== 'data').length > MAX_LEVELS) {
      throw invalid('You cannot expand more than 4 levels of a property.', 'expand');
    }
    expandPath(unit, answer, keys, path);
  }
  return answer;
}

function expandPath(unit: Unit, at: unknown, [key, ...rest]: readonly string[], path: string): void {
  if (key === undefined || at === null || at === undefined) return;
  if (Array.isArray(at)) {
    for (const one of at) expandPath(unit, one, [key, ...rest], path);
    return;
  }
  if (typeof at !== 'object') return;
  const object = at as Wire;
  const asked = ON_REQUEST[`${String(object['object'])}.${key}`];
  if (asked && object[key] === undefined) object[key] = present(asked(unit, object));
  if (!(key in object)) {
    throw invalid(
      `This property cannot be expanded (${key}). You may want to try expanding 'data.${path}' or check the API reference.`,
      'expand',
    );
  }
  const value = object[key];
  if (typeof value === 'string') object[key] = present(byId(unit, key, value) ?? value);
  else if (Array.isArray(value)) {
    object[key] = value.map((one: unknown) =>
      typeof one === 'string' ? present(byId(unit, key, one) ?? one) : one,
    );
  }
  expandPath(unit, object[key], rest, path);
}

function byId(unit: Unit, field: string, id: string): unknown {
  const kind = KINDS.get(/^(.+)_sbx_/.exec(id)?.[1] ?? '') ?? CHOSEN[field];
  return kind && unit.find(kind, id);
}
