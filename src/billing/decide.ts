import type { Decider, Decision, Refusal } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import type { AgreePrice, Offer, PriceList, WithdrawPrice } from './decideAgreedPrice.js';
import { agreePrice, offerFor, offersFor, withdrawPrice } from './decideAgreedPrice.js';
import type { GivenCoupon } from './decideCoupon.js';
import { couponOf, couponProblem } from './decideCoupon.js';
import type { BillingEvent, CheckoutEnd } from './events.js';
import { NOTICE_MS } from './events.js';
import type { Snapshot } from './recordSubscription.js';
import { isGraceOver, recordSubscriptions } from './recordSubscription.js';
import type { BillingState, Paid } from './state.js';
import { evolve, INITIAL } from './state.js';

export type { Offer, PriceList };

export type BillingCommand =
  | AgreePrice
  | WithdrawPrice
  | { readonly type: 'RequestCustomer'; readonly by: string }
  | { readonly type: 'RecordCustomer'; readonly customer: string }
  | ({
      readonly type: 'RequestCheckout';
      readonly checkoutId: string;
      readonly price: string;
      readonly profileVersion: number;
      readonly coupon?: GivenCoupon | undefined;
      readonly by: string;
    } & PriceList)
  | {
      readonly type: 'RecordCheckout';
      readonly checkoutId: string;
      readonly session: string;
      readonly expiresAt: string;
    }
  | {
      readonly type: 'EndCheckout';
      readonly checkoutId: string;
      readonly how: CheckoutEnd;
      readonly problem: string | null;
    }
  | {
      readonly type: 'RecordDuplicate';
      readonly subscription: string;
      readonly plan: string;
      readonly currency: string;
      readonly refunded: number;
    }
  | ({
      readonly type: 'RequestPlanChange';
      readonly changeId: string;
      readonly price: string;
      readonly prorationAt: string;
      readonly coupon?: GivenCoupon | undefined;
      readonly by: string;
    } & PriceList)
  | {
      readonly type: 'RequestCancellation';
      readonly requestId: string;
      readonly when: 'now' | 'period_end';
      readonly by: string;
    }
  | { readonly type: 'RequestPause'; readonly requestId: string; readonly by: string }
  | { readonly type: 'RequestResumption'; readonly requestId: string; readonly by: string }
  | {
      readonly type: 'FailRequest';
      readonly requestId: string;
      readonly code: string;
      readonly message: string;
    }
  | {
      /** What Stripe says now of all subscriptions of the customer. */
      readonly type: 'RecordSubscriptions';
      readonly snapshots: readonly Snapshot[];
      /** How many events the stream had before Stripe was asked. */
      readonly asOf: number;
      readonly graceDays: number;
      /** When it was asked, by the clock that bills. */
      readonly at: string;
    }
  /** What time alone has made due: the plan of an account whose grace is over, or a notice. */
  | { readonly type: 'FollowTime'; readonly now: string };

/** Refused where the stream went on while Stripe was asked: what it said may be old. */
export const STALE = 'STALE';

export const NO_SUBSCRIPTION = 'NO_SUBSCRIPTION';

export const billingDecider: Decider<BillingState, BillingCommand, BillingEvent> = {
  initial: INITIAL,
  evolve,
  decide: (state, command) => {
    switch (command.type) {
      case 'RequestCustomer':
        return state.customerAsked
          ? accept()
          : accept({ type: 'CustomerRequested', data: { by: command.by } });
      case 'RecordCustomer':
        return state.customer === undefined
          ? accept({ type: 'CustomerCreated', data: { customer: command.customer } })
          : accept();
      case 'AgreePrice':
        return agreePrice(state, command);
      case 'WithdrawPrice':
        return withdrawPrice(state, command);
      case 'RequestCheckout':
        return requestCheckout(state, command);
      case 'RecordCheckout': {
        const { checkoutId, session, expiresAt } = command;
        if (state.checkout?.id !== checkoutId || state.checkout.session !== undefined) return accept();
        return accept({ type: 'CheckoutOpened', data: { checkoutId, session, expiresAt } });
      }
      case 'EndCheckout': {
        const { checkoutId, how, problem } = command;
        const known = state.checkout?.id === checkoutId || state.replaced.some(({ id }) => id === checkoutId);
        if (!known) return accept();
        return accept({ type: 'CheckoutEnded', data: { checkoutId, how, problem } });
      }
      case 'RecordDuplicate': {
        const { type: _, ...data } = command;
        if (state.over.has(data.subscription)) return accept();
        return accept({ type: 'DuplicateSubscriptionEnded', data });
      }
      case 'RequestPlanChange':
        return requestPlanChange(state, command);
      case 'RequestCancellation':
        return requestCancellation(state, command);
      case 'RequestPause':
        return requestPause(state, command);
      case 'RequestResumption': {
        const { requestId, by } = command;
        const { paid } = state;
        if (!paid) return noSubscription();
        if (state.asked) return stillAsked();
        if (paid.cancelsAt === undefined && paid.pausedAt === undefined) {
          const message = 'The subscription is neither paused nor about to end: there is nothing to resume.';
          return refuse('NOT_CANCELLED', message);
        }
        return accept({ type: 'ResumptionRequested', data: { requestId, by } });
      }
      case 'FailRequest': {
        const { requestId, code, message } = command;
        if (state.asked?.id !== requestId) return accept();
        return accept({ type: 'BillingRequestFailed', data: { requestId, code, message } });
      }
      case 'RecordSubscriptions':
        if (state.events !== command.asOf) return refuse(STALE, 'Stripe has to be asked again.');
        return accept(...recordSubscriptions(state, command.snapshots, command.graceDays, command.at));
      case 'FollowTime':
        return state.paid ? followTime(state.paid, command.now) : accept();
    }
  },
};

function followTime(paid: Paid, now: string): Decision<BillingEvent> {
  const { plan, overdue, suspended, converted, trialEndsAt, cancelsAt, told } = paid;
  if (isGraceOver(paid, now)) {
    return accept({ type: 'AccessSuspended', data: { plan, reason: 'grace_over' } });
  }
  const isSoon = (at: string): boolean => Date.parse(at) - NOTICE_MS <= Date.parse(now);
  if (told || suspended || paid.pausedAt !== undefined) return accept();
  if (overdue) {
    const { graceEndsAt } = overdue;
    return isSoon(graceEndsAt) ? accept({ type: 'GraceEnding', data: { plan, graceEndsAt } }) : accept();
  }
  if (converted || trialEndsAt === undefined || !isSoon(trialEndsAt)) return accept();
  const cancelled = cancelsAt !== undefined;
  return accept({ type: 'TrialEnding', data: { plan, trialEndsAt, cancelled } });
}

type Of<T extends BillingCommand['type']> = Extract<BillingCommand, { type: T }>;

function requestCheckout(state: BillingState, command: Of<'RequestCheckout'>): Decision<BillingEvent> {
  const { checkoutId, price, profileVersion, coupon, by } = command;
  if (state.paid?.pausedAt !== undefined) {
    return refuse(
      PAUSED,
      'The account has a subscription that is paused. Go on with it: `resumeSubscription`. Or end it first: `cancelSubscription` with `when: NOW`.',
    );
  }
  if (state.paid) {
    return refuse('ALREADY_SUBSCRIBED', 'The account has a subscription. Use `changePlan` to change it.');
  }
  const offer = offersFor(state, command).find(({ id }) => id === price);
  if (!offer) return unknownPrice(state, command);
  const problem = coupon && couponProblem(coupon, offer);
  if (problem) return { kind: 'refused', refusal: problem };
  const { plan, interval, amount, currency, trialDays = null } = offer;
  const checkout: BillingEvent = {
    type: 'CheckoutRequested',
    data: {
      checkoutId,
      plan,
      price,
      interval,
      amount,
      currency,
      profileVersion,
      trialDays: state.trialTaken ? null : trialDays,
      ...codeOf(coupon),
      by,
    },
  };
  if (state.customerAsked) return accept(checkout);
  return accept<BillingEvent>({ type: 'CustomerRequested', data: { by } }, checkout);
}

/** The code as it stands in the catalogue. */
function codeOf(coupon: GivenCoupon | undefined): { readonly coupon?: string } {
  const id = coupon && couponOf(coupon.coupons, coupon.code)?.id;
  return id === undefined ? {} : { coupon: id };
}

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

function requestPlanChange(state: BillingState, command: Of<'RequestPlanChange'>): Decision<BillingEvent> {
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

function requestCancellation(
  { paid, asked }: BillingState,
  { requestId, when, by }: Of<'RequestCancellation'>,
): Decision<BillingEvent> {
  if (!paid) return noSubscription();
  // What is cancelled at once needs nothing else that was asked.
  const superseded = when === 'now' && !(asked?.kind === 'cancel' && asked.when === 'now');
  if (asked && !superseded) return stillAsked();
  if (when === 'period_end' && paid.pausedAt !== undefined) {
    return refuse(PAUSED, 'The subscription is paused: no period ends. Cancel it with `when: NOW`.');
  }
  if (when === 'period_end' && paid.cancelsAt !== undefined) {
    return refuse('ALREADY_CANCELLED', `The subscription ends on ${paid.cancelsAt} already.`);
  }
  return accept({ type: 'CancellationRequested', data: { requestId, when, by } });
}

function requestPause(
  { paid, asked }: BillingState,
  { requestId, by }: Of<'RequestPause'>,
): Decision<BillingEvent> {
  if (!paid) return noSubscription();
  if (asked) return stillAsked();
  if (paid.pausedAt !== undefined) return refuse(PAUSED, 'The subscription is paused already.');
  if (!paid.converted) {
    return refuse('TRIAL_RUNNING', 'Nothing is paid in a trial, so that there is nothing to pause.');
  }
  if (paid.overdue || paid.suspended) return unpaid();
  if (paid.cancelsAt !== undefined) return ending();
  if (paid.scheduled) {
    const message = `A change of plan is scheduled for ${paid.scheduled.at}. Take it back first: \`changePlan\`.`;
    return refuse('CHANGE_SCHEDULED', message);
  }
  return accept({ type: 'PauseRequested', data: { requestId, by } });
}

const PAUSED = 'SUBSCRIPTION_PAUSED';

const unpaid = (): Decision<never> =>
  refuse('PAYMENT_OVERDUE', 'A payment has failed. Pay the open invoice first: `openBillingPortal`.');

const ending = (): Decision<never> =>
  refuse('CANCELLATION_SCHEDULED', 'The subscription is about to end. Call `resumeSubscription` first.');

const noSubscription = (): Decision<never> =>
  refuse(NO_SUBSCRIPTION, 'The account has no subscription. Use `startCheckout`.');

const stillAsked = (): Decision<never> =>
  refuse('CHANGE_PENDING', 'An earlier change is still under way. Try again in a few seconds.');

const unknownPrice = (state: BillingState, list: PriceList): Decision<never> =>
  refuse(
    'PRICE_UNKNOWN',
    `There is no such price; there are ${offersFor(state, list)
      .map(({ id }) => id)
      .join(', ')}.`,
    'priceId',
  );
