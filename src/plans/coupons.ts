import { z } from 'zod';
import { MAX_CHARGE } from '../money/money.js';
import { timeOf } from '../text/time.js';
import { zodText } from '../text/zodText.js';
import { Currency } from './prices.js';

export const MAX_COUPONS = 100;
const MAX_PLANS = 20;

/** A discount on subscriptions, for whoever knows its code. */
const Coupon = z
  .strictObject({
    /** The code: what customers type, in upper or lower case. */
    id: z
      .string()
      .regex(
        /^[A-Z0-9][A-Z0-9-]{2,39}$/,
        'must be 3 to 40 capital letters, digits and hyphens, e.g. SPRING-20',
      ),
    /** Stands on invoices. */
    name: zodText({ min: 1, max: 40 }),
    percentOff: z.number().int().min(1).max(100).optional(),
    /** Minor units of `currency`, off each invoice. */
    amountOff: z.number().int().positive().max(MAX_CHARGE).optional(),
    currency: Currency.optional(),
    /** For one invoice, for those of so many months, or for all. */
    duration: z.enum(['once', 'repeating', 'forever']),
    /** With `repeating`, counted from when it is redeemed. */
    months: z.number().int().min(1).max(36).optional(),
    /** From when on nobody can redeem it. RFC 3339. */
    redeemBy: z
      .string()
      .refine((text) => timeOf(text) !== undefined, 'must be a time, e.g. 2027-06-30T00:00:00Z')
      .optional(),
    /** By so many accounts together. */
    maxRedemptions: z.number().int().positive().max(1_000_000_000).optional(),
    /** The plans that it is for; left out, all. */
    plans: z.array(z.string().max(100)).min(1).max(MAX_PLANS).optional(),
  })
  .superRefine((coupon, context) => {
    const { percentOff, amountOff, currency, duration, months } = coupon;
    const problem = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', message, path: [path] });
    if ((percentOff === undefined) === (amountOff === undefined)) {
      problem('percentOff', 'a coupon takes off either a percentage or an amount');
    }
    if ((amountOff === undefined) !== (currency === undefined)) {
      problem('currency', 'goes with amountOff, and only with it');
    }
    if ((duration === 'repeating') !== (months !== undefined)) {
      problem('months', 'goes with a duration of repeating, and only with it');
    }
  });
export type Coupon = z.infer<typeof Coupon>;

export const Coupons = z
  .array(Coupon)
  .max(MAX_COUPONS)
  .superRefine((coupons, context) => {
    const ids = coupons.map(({ id }) => id);
    for (const [place, id] of ids.entries()) {
      if (ids.indexOf(id) === place) continue;
      context.addIssue({ code: 'custom', message: `there is a coupon ${id} already`, path: [place, 'id'] });
    }
  });

/** Whether nobody can redeem it any more. @param now ISO 8601 */
export const isCouponOver = ({ redeemBy }: Pick<Coupon, 'redeemBy'>, now: string): boolean =>
  redeemBy !== undefined && Date.parse(redeemBy) <= Date.parse(now);
