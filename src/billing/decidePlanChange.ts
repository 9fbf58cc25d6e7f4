import type { Decision, Refusal } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import type { Offer, PriceList } from './decideAgreedPrice.js';
import { offerFor } from './decideAgreedPrice.js';
import type { GivenCoupon } from './decideCoupon.js';
import { codeOf, couponOf, couponProblem } from './decideCoupon.js';
import { ending, noSubscription, PAUSED, stillAsked, unknownPrice, unpaid } from './decideRefusals.js';
import type { BillingEvent } from './events.js';
import type { BillingState, Paid } from './state.js';

/** Why a coupon can't go with a change, which by itself could be made. */
function unfitFor(
  { coupons, code }: GivenCoupon,
  when: 'now' | 'period_end',
  stays: boolean,
): Refusal | undefined {
  const refusal = (message: string): Refusal => ({ code: 'COUPON_NOT_APPLICABLE', message, field: 'coupon' });
  if (stays) return refusal('Taking back a scheduled change costs nothing: leave the coupon out.');
  if (when === 'period_end' || couponOf(coupons, code)?.duration !== 'once') return undefined;
  // It would count for the part of a period, and again for the next whole one.
  return refusal('A coupon for one invoice can be used for a whole period, and not for the rest of one.');
}

export interface RequestPlanChange extends PriceList {
  readonly type: 'RequestPlanChange';
  readonly changeId: string;
  readonly price: string;
  readonly prorationAt: string;
  readonly coupon?: GivenCoupon | undefined;
  readonly by: string;
}

export function requestPlanChange(state: BillingState, command: RequestPlanChange): Decision<BillingEvent> {
  const { changeId, prorationAt, coupon, by } = command;
  const { paid } = state;
  const offer = offerFor(state, command, command.price);
  if (!offer) return unknownPrice(state, command);
  if (!paid) return noSubscription();
  if (state.asked) return stillAsked();
  const { id: price } = offer;
  if (paid.price === price && !paid.scheduled) {
    const same = offer.amount === paid.amount;
    const message = same
      ? 'The account has this plan at this price already.'
      : 'The account has this plan already, and keeps the price that it was sold at.';
    return refuse('PLAN_UNCHANGED', message, 'priceId');
  }
  if (paid.scheduled?.price === price) {
    return refuse(
      'CHANGE_SCHEDULED',
      `This change is scheduled for ${paid.scheduled.at} already.`,
      'priceId',
    );
  }
  if (offer.currency !== paid.currency) {
    return refuse(
      'CURRENCY_MISMATCH',
      `The subscription is paid in ${paid.currency.toUpperCase()}. To pay in another currency, end it first.`,
      'priceId',
    );
  }
  if (paid.pausedAt !== undefined) {
    return refuse(PAUSED, 'The subscription is paused. Call `resumeSubscription` first.');
  }
  if (paid.overdue || paid.suspended) return unpaid();
  if (paid.cancelsAt !== undefined) return ending();
  const when = isUpgrade(paid, offer, command.plans) ? 'now' : 'period_end';
  const wrong = coupon && (couponProblem(coupon, offer) ?? unfitFor(coupon, when, price === paid.price));
  if (wrong) return { kind: 'refused', refusal: wrong };
  return accept({
    type: 'PlanChangeRequested',
    data: { changeId, from: paid.plan, plan: offer.plan, price, when, prorationAt, ...codeOf(coupon), by },
  });
}

/**
 * A larger plan, or a longer interval of the same, begins at once; all else when the period is over. Of two prices for
 * the same, such as one that was agreed, the lower one waits: nothing is paid back for what is paid.
 * @param plans from the smallest to the largest
 */
export function isUpgrade(
  from: Pick<Paid, 'plan' | 'interval' | 'amount'>,
  to: Offer,
  plans: readonly string[],
): boolean {
  if (to.plan !== from.plan) return plans.indexOf(to.plan) > plans.indexOf(from.plan);
  return to.interval === from.interval ? to.amount >= from.amount : to.interval === 'year';
}
