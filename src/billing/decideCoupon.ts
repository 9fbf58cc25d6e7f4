import type { Refusal } from '../eventsourcing/decider.js';
import type { Coupon } from '../plans/profile.js';
import { isCouponOver } from '../plans/profile.js';

export type { Coupon };

/** A code as somebody has typed it, and what it is looked up in. */
export interface GivenCoupon {
  readonly code: string;
  readonly coupons: readonly Coupon[];
  /** By the clock that is billed by. ISO 8601. */
  readonly now: string;
}

/** What a coupon is to be used for. */
interface Purchase {
  readonly plan: string;
  readonly currency: string;
  readonly agreed?: true;
}

/** The coupon of a code, whether it is typed in capitals or not. */
export const couponOf = (coupons: readonly Coupon[], code: string): Coupon | undefined =>
  coupons.find(({ id }) => id === code.trim().toUpperCase());

/** Why a coupon can't be used; undefined where it can, as far as is known here: the payment service counts. */
export function couponProblem(given: GivenCoupon, { plan, currency, agreed }: Purchase): Refusal | undefined {
  const problem = (code: string, message: string): Refusal => ({ code, message, field: 'coupon' });
  const coupon = couponOf(given.coupons, given.code);
  if (!coupon) return problem('COUPON_UNKNOWN', 'There is no coupon with this code.');
  if (isCouponOver(coupon, given.now)) {
    return problem(
      'COUPON_EXPIRED',
      `The coupon ${coupon.id} could be redeemed until ${String(coupon.redeemBy)}.`,
    );
  }
  if (agreed) {
    const message = 'Coupons are for the prices that everybody can buy, and not for one that was agreed.';
    return problem('COUPON_NOT_APPLICABLE', message);
  }
  if (coupon.plans && !coupon.plans.includes(plan)) {
    const message = `The coupon ${coupon.id} is for other plans: ${coupon.plans.join(', ')}.`;
    return problem('COUPON_NOT_APPLICABLE', message);
  }
  if (coupon.currency !== undefined && coupon.currency !== currency) {
    const message = `The coupon ${coupon.id} is for prices in ${coupon.currency.toUpperCase()}.`;
    return problem('COUPON_NOT_APPLICABLE', message);
  }
  return undefined;
}

/** The payment service's word for a coupon that is used up: it alone counts how often. */
export const USED_UP = 'coupon_expired';

export const usedUp = (): Refusal => ({
  code: 'COUPON_USED_UP',
  message: 'The coupon has been redeemed as often as it can be.',
  field: 'coupon',
});

/** What an event says of it: the code as it stands in the catalogue. */
export function codeOf(coupon: GivenCoupon | undefined): { readonly coupon?: string } {
  const id = coupon && couponOf(coupon.coupons, coupon.code)?.id;
  return id === undefined ? {} : { coupon: id };
}
