import type { Decider, Decision } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import { STALE } from '../eventsourcing/retryStale.js';
import type { AgreePrice, Offer, PriceList, WithdrawPrice } from './decideAgreedPrice.js';
import { agreePrice, offersFor, withdrawPrice } from './decideAgreedPrice.js';
import type { RequestCancellation, RequestPause, RequestResumption } from './decideCancellation.js';
import { requestCancellation, requestPause, requestResumption } from './decideCancellation.js';
import type { GivenCoupon } from './decideCoupon.js';
import { codeOf, couponProblem } from './decideCoupon.js';
import type { RequestPlanChange } from './decidePlanChange.js';
import { requestPlanChange } from './decidePlanChange.js';
import { PAUSED, unknownPrice } from './decideRefusals.js';
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
  /** Nobody is to pay on the page that is open, or being made. */
  | { readonly type: 'WithdrawCheckout' }
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
  | RequestPlanChange
  | RequestCancellation
  | RequestPause
  | RequestResumption
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
      case 'WithdrawCheckout': {
        const { checkout } = state;
        if (!checkout || checkout.withdrawn) return accept();
        return accept({ type: 'CheckoutWithdrawn', data: { checkoutId: checkout.id } });
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
      case 'RequestResumption':
        return requestResumption(state, command);
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
