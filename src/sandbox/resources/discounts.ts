import { invalid } from '../errors.js';
import { page } from '../http/lists.js';
import type { Params, Routes } from '../http/route.js';
import { numberOf, objectOf, textOf } from '../http/route.js';
import type { Coupon, Discount, PromotionCode, Subscription } from '../objects.js';
import { boundary } from '../rules/time.js';
import type { Unit } from '../unit.js';
import { mergedMetadata, randomText } from '../unit.js';

const MAX_DISCOUNTS = 20;

interface Redeemer {
  readonly customer: string | null;
  readonly subscription?: string;
  readonly checkout?: string;
}

/** Redeems coupons and promotion codes in their order; ids of discounts stay as they are. @throws ApiError */
export function applyDiscounts(unit: Unit, given: unknown, redeemer: Redeemer): string[] {
  const all = Array.isArray(given) ? (given as Params[]) : [];
  if (all.length > MAX_DISCOUNTS) throw invalid(`There are at most ${MAX_DISCOUNTS} discounts.`, 'discounts');
  return all.map((one) => {
    const kept = textOf(one, 'discount');
    if (kept !== undefined) return unit.get('discount', kept, 'discounts[0][discount]').id;
    const promotion = textOf(one, 'promotion_code');
    if (promotion !== undefined)
      return redeemCode(unit, unit.get('promotion_code', promotion, 'promotion_code'), redeemer).id;
    return redeem(unit, textOf(one, 'coupon') ?? '', redeemer).id;
  });
}

export function redeemCode(unit: Unit, code: PromotionCode, redeemer: Redeemer): Discount {
  checkCode(unit, code, redeemer.customer);
  unit.edit('promotion_code', code.id).times_redeemed++;
  const discount = redeem(unit, code.promotion.coupon, redeemer);
  discount.promotion_code = code.id;
  return discount;
}

/** @throws ApiError where it is over, used up, or somebody else's */
export function checkCode(unit: Unit, code: PromotionCode, customer: string | null): void {
  const over = code.expires_at !== null && code.expires_at <= unit.now;
  const used = code.max_redemptions !== null && code.times_redeemed >= code.max_redemptions;
  const foreign = code.customer !== null && code.customer !== customer;
  if (!code.active || over || used || foreign) {
    throw invalid(`This promotion code cannot be redeemed: ${code.code}`, 'promotion_code', 'coupon_expired');
  }
  checkCoupon(unit, unit.get('coupon', code.promotion.coupon));
}

function checkCoupon(unit: Unit, coupon: Coupon): void {
  const over = coupon.redeem_by !== null && coupon.redeem_by <= unit.now;
  const used = coupon.max_redemptions !== null && coupon.times_redeemed >= coupon.max_redemptions;
  if (over || used) throw invalid(`Coupon expired: ${coupon.id}`, 'coupon', 'coupon_expired');
}

/** Those of the discounts that have not come to their end. What was for one invoice ends with it. */
export const livingDiscounts = (unit: Unit, ids: readonly string[]): string[] =>
  ids.filter((id) => {
    const end = unit.find('discount', id)?.end ?? null;
    return end === null || end > unit.now;
  });

/** Takes discounts that are over from a subscription, and tells of it. */
export function dropEnded(unit: Unit, subscription: Subscription): void {
  const living = livingDiscounts(unit, subscription.discounts);
  for (const id of subscription.discounts) {
    if (!living.includes(id)) unit.emit('customer.discount.deleted', unit.get('discount', id));
  }
  subscription.discounts = living;
}

/** A discount that was redeemed earlier begins only now, and so do its months. */
export function beginDiscount(unit: Unit, id: string): void {
  const discount = unit.edit('discount', id);
  const months = unit.find('coupon', discount.source.coupon)?.duration_in_months ?? null;
  discount.start = unit.now;
  if (months === null) return;
  discount.end = boundary(unit.now, { interval: 'month', interval_count: 1 }, months);
}

function redeem(unit: Unit, id: string, { customer, subscription, checkout }: Redeemer): Discount {
  const coupon = unit.edit('coupon', id, 'coupon');
  checkCoupon(unit, coupon);
  coupon.times_redeemed++;
  const months = coupon.duration_in_months;
  const discount: Discount = {
    id: unit.id('discount'),
    object: 'discount',
    created: unit.now,
    checkout_session: checkout ?? null,
    customer,
    customer_account: null,
    end: months === null ? null : boundary(unit.now, { interval: 'month', interval_count: 1 }, months),
    invoice: null,
    invoice_item: null,
    promotion_code: null,
    source: { type: 'coupon', coupon: id },
    start: unit.now,
    subscription: subscription ?? null,
    subscription_item: null,
  };
  return unit.add('discount', discount);
}

function createCoupon(unit: Unit, params: Params): Coupon {
  const id = textOf(params, 'id') ?? `sbx_${randomText(8)}`;
  if (unit.find('coupon', id)) throw invalid(`Coupon already exists.`, 'id', 'resource_already_exists');
  const percent = numberOf(params, 'percent_off');
  const amount = numberOf(params, 'amount_off');
  if ((percent === undefined) === (amount === undefined)) {
    throw invalid('You must pass either percent_off or amount_off', 'percent_off', 'parameter_missing');
  }
  if (percent !== undefined && (percent <= 0 || percent > 100)) {
    throw invalid('Invalid percent_off: must be greater than 0 and at most 100', 'percent_off');
  }
  const currency = textOf(params, 'currency')?.toLowerCase();
  if (amount !== undefined && currency === undefined) {
    throw invalid('You must pass currency when passing amount_off', 'currency', 'parameter_missing');
  }
  const duration = (textOf(params, 'duration') ?? 'once') as Coupon['duration'];
  const months = numberOf(params, 'duration_in_months');
  if ((duration === 'repeating') !== (months !== undefined)) {
    throw invalid(
      'duration_in_months goes with a duration of repeating, and only with it.',
      'duration_in_months',
    );
  }
  const products = objectOf(params, 'applies_to')?.['products'] as string[] | undefined;
  const coupon: Coupon = {
    ...unit.base('coupon', 'coupon', id),
    amount_off: amount ?? null,
    currency: currency ?? null,
    duration,
    duration_in_months: months ?? null,
    max_redemptions: numberOf(params, 'max_redemptions') ?? null,
    metadata: mergedMetadata({}, params['metadata']),
    name: textOf(params, 'name') ?? null,
    percent_off: percent ?? null,
    redeem_by: numberOf(params, 'redeem_by') ?? null,
    times_redeemed: 0,
    valid: true,
    $: { ...(products && { products }) },
  };
  unit.add('coupon', coupon);
  unit.emit('coupon.created', coupon);
  return coupon;
}

/** `valid` is a question of the time at which it is asked. */
function shown(unit: Unit, coupon: Coupon): Coupon {
  const over = coupon.redeem_by !== null && coupon.redeem_by <= unit.now;
  const used = coupon.max_redemptions !== null && coupon.times_redeemed >= coupon.max_redemptions;
  return { ...coupon, valid: !over && !used };
}

function createCode(unit: Unit, params: Params): PromotionCode {
  const promotion = objectOf(params, 'promotion') ?? {};
  const coupon = unit.get('coupon', textOf(promotion, 'coupon') ?? '', 'promotion[coupon]');
  const code = textOf(params, 'code') ?? randomText(8).toUpperCase();
  if (codeOf(unit, code)?.active) {
    throw invalid(
      'An active promotion code with this code already exists.',
      'code',
      'resource_already_exists',
    );
  }
  const created: PromotionCode = {
    ...unit.base('promotion_code', 'promotion_code'),
    active: params['active'] !== false,
    code,
    customer: textOf(params, 'customer') ?? null,
    customer_account: null,
    expires_at: numberOf(params, 'expires_at') ?? null,
    max_redemptions: numberOf(params, 'max_redemptions') ?? null,
    metadata: mergedMetadata({}, params['metadata']),
    promotion: { type: 'coupon', coupon: coupon.id },
    restrictions: { first_time_transaction: false, minimum_amount: null, minimum_amount_currency: null },
    times_redeemed: 0,
  };
  unit.add('promotion_code', created);
  unit.emit('promotion_code.created', created);
  return created;
}

/** By what a person types: case does not matter. An active one before others. */
export function codeOf(unit: Unit, text: string): PromotionCode | undefined {
  const same = unit.filter('promotion_code', ({ code }) => code.toUpperCase() === text.trim().toUpperCase());
  return same.find(({ active }) => active) ?? same[0];
}

export const discountRoutes: Routes = {
  'POST /v1/coupons': createCoupon,
  'GET /v1/coupons': (unit, params) => {
    const list = page(unit, 'coupon', params, '/v1/coupons');
    return { ...list, data: (list.data as Coupon[]).map((coupon) => shown(unit, coupon)) };
  },
  'GET /v1/coupons/*': (unit, _params, id = '') => shown(unit, unit.get('coupon', id)),
  'POST /v1/coupons/*': (unit, params, id = '') => {
    const coupon = unit.edit('coupon', id);
    if (params['name'] !== undefined) coupon['name'] = textOf(params, 'name') ?? null;
    coupon['metadata'] = mergedMetadata(coupon['metadata'] as Record<string, string>, params['metadata']);
    unit.emitUpdate('coupon.updated', coupon);
    return shown(unit, coupon);
  },
  'DELETE /v1/coupons/*': (unit, _params, id = '') => {
    const coupon = unit.get('coupon', id);
    // Whoever has redeemed it keeps it; nobody else can.
    unit.edit('coupon', id).redeem_by = unit.now;
    unit.emit('coupon.deleted', coupon);
    return { id, object: 'coupon', deleted: true };
  },
  'POST /v1/promotion_codes': createCode,
  'GET /v1/promotion_codes': (unit, params) =>
    page(
      unit,
      'promotion_code',
      params,
      '/v1/promotion_codes',
      (code) =>
        (params['active'] === undefined || code.active === params['active']) &&
        (params['code'] === undefined ||
          code.code.toUpperCase() === (textOf(params, 'code') ?? '').toUpperCase()) &&
        (params['coupon'] === undefined || code.promotion.coupon === params['coupon']),
    ),
  'GET /v1/promotion_codes/*': (unit, _params, id = '') => unit.get('promotion_code', id),
  'POST /v1/promotion_codes/*': (unit, params, id = '') => {
    const code = unit.edit('promotion_code', id);
    if (typeof params['active'] === 'boolean') code.active = params['active'];
    unit.emitUpdate('promotion_code.updated', code);
    return code;
  },
};
