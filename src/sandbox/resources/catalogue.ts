import { invalid } from '../errors.js';
import { page } from '../http/lists.js';
import type { Params, Routes } from '../http/route.js';
import { arrayOf, numberOf, objectOf, textOf } from '../http/route.js';
import type { Price, Product } from '../objects.js';
import type { Tier } from '../rules/pricing.js';
import type { Recurrence } from '../rules/time.js';
import type { Unit } from '../unit.js';
import { mergedMetadata } from '../unit.js';

function createProduct(unit: Unit, params: Params): Product {
  const id = textOf(params, 'id');
  if (id !== undefined && unit.find('product', id)) {
    throw invalid(`Product already exists with id ${id}`, 'id', 'resource_already_exists');
  }
  const product: Product = {
    ...unit.base('product', 'product', id),
    active: params['active'] !== false,
    default_price: null,
    description: textOf(params, 'description') ?? null,
    images: params['images'] ?? [],
    marketing_features: params['marketing_features'] ?? [],
    metadata: mergedMetadata({}, params['metadata']),
    name: textOf(params, 'name') ?? '',
    package_dimensions: null,
    shippable: params['shippable'] ?? null,
    statement_descriptor: textOf(params, 'statement_descriptor') ?? null,
    tax_code: textOf(params, 'tax_code') ?? null,
    tax_details: null,
    type: 'service',
    unit_label: textOf(params, 'unit_label') ?? null,
    updated: unit.now,
    url: textOf(params, 'url') ?? null,
  };
  unit.add('product', product);
  const price = objectOf(params, 'default_price_data');
  if (price) product.default_price = createPrice(unit, { ...price, product: product.id }).id;
  unit.emit('product.created', product);
  return product;
}

/** @param params those of a price, or of `price_data`. @throws ApiError */
export function createPrice(unit: Unit, params: Params): Price {
  const currency = (textOf(params, 'currency') ?? '').toLowerCase();
  if (!/^[a-z]{3}$/.test(currency)) throw invalid(`Invalid currency: ${currency}`, 'currency');
  const productData = objectOf(params, 'product_data');
  const product = productData
    ? createProduct(unit, productData)
    : unit.get('product', textOf(params, 'product') ?? '', 'product');
  const recurring = objectOf(params, 'recurring');
  const scheme = params['billing_scheme'] === 'tiered' ? 'tiered' : 'per_unit';
  const tiers = scheme === 'tiered' ? tiersOf(params) : undefined;
  const decimal = textOf(params, 'unit_amount_decimal');
  const unitAmount = numberOf(params, 'unit_amount');
  if (scheme === 'per_unit' && decimal === undefined && unitAmount === undefined) {
    throw invalid(
      'You must specify one of `unit_amount`, `unit_amount_decimal` or `custom_unit_amount`.',
      'unit_amount',
      'parameter_missing',
    );
  }
  const whole = decimal === undefined ? unitAmount : /^-?\d+$/.test(decimal) ? Number(decimal) : undefined;
  const price: Price = {
    ...unit.base('price', 'price'),
    active: params['active'] !== false,
    billing_scheme: scheme,
    currency,
    custom_unit_amount: null,
    lookup_key: null,
    metadata: mergedMetadata({}, params['metadata']),
    nickname: textOf(params, 'nickname') ?? null,
    product: product.id,
    recurring: recurring ? recurrenceOf(unit, recurring) : null,
    tax_behavior: textOf(params, 'tax_behavior') ?? 'unspecified',
    tiers_mode: tiers ? (params['tiers_mode'] as 'graduated' | 'volume') : null,
    transform_quantity: (objectOf(params, 'transform_quantity') ?? null) as Price['transform_quantity'],
    type: recurring ? 'recurring' : 'one_time',
    unit_amount: scheme === 'tiered' ? null : (whole ?? null),
    unit_amount_decimal: scheme === 'tiered' ? null : (decimal ?? `${unitAmount ?? 0}`),
    $: { ...(tiers && { tiers }) },
  };
  unit.add('price', price);
  setLookupKey(unit, price, params);
  unit.emit('price.created', price);
  return price;
}

function tiersOf(params: Params): Tier[] {
  if (params['tiers_mode'] === undefined) {
    throw invalid(
      '`tiers_mode` must be provided when `billing_scheme` is set to tiered.',
      'tiers_mode',
      'parameter_missing',
    );
  }
  if (objectOf(params, 'transform_quantity')) {
    throw invalid('You cannot set `transform_quantity` with `billing_scheme=tiered`.', 'transform_quantity');
  }
  const tiers = arrayOf(params, 'tiers').map((tier) => ({
    flat_amount: numberOf(tier, 'flat_amount') ?? null,
    flat_amount_decimal: textOf(tier, 'flat_amount_decimal') ?? decimalOf(numberOf(tier, 'flat_amount')),
    unit_amount: numberOf(tier, 'unit_amount') ?? null,
    unit_amount_decimal: textOf(tier, 'unit_amount_decimal') ?? decimalOf(numberOf(tier, 'unit_amount')),
    up_to: tier['up_to'] === 'inf' ? null : (tier['up_to'] as number),
  }));
  if (tiers.length === 0) throw invalid('You must specify at least one tier.', 'tiers', 'parameter_missing');
  const rising = tiers.every(({ up_to }, i) => up_to === null || up_to > (tiers[i - 1]?.up_to ?? 0));
  if (!rising || tiers.findIndex(({ up_to }) => up_to === null) !== tiers.length - 1) {
    throw invalid('Tiers must rise, and the last one must have `up_to` set to `inf`.', 'tiers');
  }
  return tiers;
}

const decimalOf = (amount: number | undefined): string | null => (amount === undefined ? null : `${amount}`);

function recurrenceOf(unit: Unit, params: Params): Price['recurring'] {
  const meter = textOf(params, 'meter');
  const metered = params['usage_type'] === 'metered';
  if (metered && meter === undefined) {
    throw invalid(
      'Metered prices must be backed by a meter: `recurring[meter]`.',
      'recurring[meter]',
      'parameter_missing',
    );
  }
  if (meter !== undefined) unit.get('billing.meter', meter, 'recurring[meter]');
  return {
    interval: params['interval'] as Recurrence['interval'],
    interval_count: numberOf(params, 'interval_count') ?? 1,
    meter: meter ?? null,
    trial_period_days: null,
    usage_type: metered ? 'metered' : 'licensed',
  };
}

function setLookupKey(unit: Unit, price: Price, params: Params): void {
  if (params['lookup_key'] === undefined) return;
  const key = textOf(params, 'lookup_key') ?? null;
  const holder = key === null ? undefined : [...unit.all('price')].find((one) => one.lookup_key === key);
  if (holder && holder.id !== price.id) {
    if (params['transfer_lookup_key'] !== true) {
      throw invalid(
        `A price (\`${holder.id}\`) already uses that lookup key. To overwrite it, set \`transfer_lookup_key\` to true.`,
        'lookup_key',
      );
    }
    const former = unit.edit('price', holder.id);
    former.lookup_key = null;
    unit.emitUpdate('price.updated', former);
  }
  price.lookup_key = key;
}

export const catalogueRoutes: Routes = {
  'POST /v1/products': createProduct,
  'GET /v1/products': (unit, params) => {
    const ids = params['ids'] as string[] | undefined;
    return page(
      unit,
      'product',
      params,
      '/v1/products',
      ({ id, active }) =>
        (ids === undefined || ids.includes(id)) &&
        (params['active'] === undefined || active === params['active']),
    );
  },
  'GET /v1/products/*': (unit, _params, id = '') => unit.get('product', id),
  'POST /v1/products/*': (unit, params, id = '') => {
    const product = unit.edit('product', id);
    for (const name of [
      'active',
      'name',
      'description',
      'images',
      'unit_label',
      'url',
      'tax_code',
      'statement_descriptor',
    ]) {
      if (params[name] !== undefined) product[name] = params[name] === '' ? null : params[name];
    }
    const price = textOf(params, 'default_price');
    if (price !== undefined) product.default_price = unit.get('price', price, 'default_price').id;
    product.metadata = mergedMetadata(product.metadata, params['metadata']);
    product.updated = unit.now;
    unit.emitUpdate('product.updated', product);
    return product;
  },
  'DELETE /v1/products/*': (unit, _params, id = '') => {
    const product = unit.get('product', id);
    if (unit.filter('price', (price) => price.product === id).length > 0) {
      throw invalid('This product cannot be deleted because it has one or more user-created prices.');
    }
    unit.emit('product.deleted', product);
    unit.remove('product', id);
    return { id, object: 'product', deleted: true };
  },
  'POST /v1/prices': createPrice,
  'GET /v1/prices': (unit, params) => {
    const keys = params['lookup_keys'] as string[] | undefined;
    return page(
      unit,
      'price',
      params,
      '/v1/prices',
      (price) =>
        (params['active'] === undefined || price.active === params['active']) &&
        (params['product'] === undefined || price.product === params['product']) &&
        (params['type'] === undefined || price.type === params['type']) &&
        (params['currency'] === undefined || price.currency === params['currency']) &&
        (keys === undefined || (price.lookup_key !== null && keys.includes(price.lookup_key))),
    );
  },
  'GET /v1/prices/*': (unit, _params, id = '') => unit.get('price', id),
  // What a price costs never changes: Stripe has no parameters for it.
  'POST /v1/prices/*': (unit, params, id = '') => {
    const price = unit.edit('price', id);
    if (typeof params['active'] === 'boolean') price.active = params['active'];
    if (params['nickname'] !== undefined) price.nickname = textOf(params, 'nickname') ?? null;
    if (params['tax_behavior'] !== undefined) price['tax_behavior'] = params['tax_behavior'];
    price.metadata = mergedMetadata(price.metadata, params['metadata']);
    setLookupKey(unit, price, params);
    unit.emitUpdate('price.updated', price);
    return price;
  },
};
