import type { AgreedPrice, BillingEvent, Discount, Terms } from './events.js';
import { TRIAL_USED } from './events.js';

/** A checkout that was asked for. */
export interface Checkout {
  readonly id: string;
  readonly price: string;
  readonly trialDays: number | null;
  readonly session: string | undefined;
  /** The code of its coupon. */
  readonly coupon: string | undefined;
  /** Nobody is to pay on its page, once there is one. */
  readonly withdrawn?: true;
}

/** A change that comes when the period is over. */
export interface Scheduled {
  readonly plan: string;
  readonly price: string;
  readonly at: string;
}

/** What is paid for. */
export interface Paid extends Terms {
  readonly trialEndsAt: string | undefined;
  readonly converted: boolean;
  readonly cancelsAt: string | undefined;
  readonly scheduled: Scheduled | undefined;
  /** What was to come when it was cancelled here: it comes once more where that is revoked. */
  readonly dropped: Scheduled | undefined;
  readonly overdue: { readonly since: string; readonly graceEndsAt: string } | undefined;
  readonly suspended: boolean;
  /** Since when nothing is billed, because the account has asked for it. */
  readonly pausedAt: string | undefined;
  readonly discounts: readonly Discount[];
  /** Whether the account has been told of what is to end: its trial, or its grace. */
  readonly told: boolean;
}

/** Asked of Stripe, and neither confirmed nor refused. */
export type Asked =
  | {
      readonly kind: 'change';
      readonly id: string;
      readonly price: string;
      readonly plan: string;
      readonly when: 'now' | 'period_end';
      readonly prorationAt: string;
      /** The code of the coupon to go with it. */
      readonly coupon: string | undefined;
      /** What was to come when it was asked for: where this is refused it still comes. */
      readonly before: Scheduled | undefined;
    }
  | {
      readonly kind: 'cancel';
      readonly id: string;
      readonly when: 'now' | 'period_end';
      readonly before: Scheduled | undefined;
      /** Whether all that was paid is given back. */
      readonly refund: boolean;
    }
  | { readonly kind: 'resume'; readonly id: string }
  | { readonly kind: 'pause'; readonly id: string };

export interface BillingState {
  /** How many events the stream has, of whatever type. */
  readonly events: number;
  readonly customerAsked: boolean;
  readonly customer: string | undefined;
  /** The newest, until it has ended. */
  readonly checkout: Checkout | undefined;
  /** Older ones whose pages may still be open: they are closed, so that nobody pays twice. */
  readonly replaced: readonly Checkout[];
  readonly trialTaken: boolean;
  readonly paid: Paid | undefined;
  readonly asked: Asked | undefined;
  /** What an operator has agreed with the account, by id. */
  readonly agreed: ReadonlyMap<string, AgreedPrice & { readonly withdrawn: boolean }>;
  /** Subscriptions at Stripe that are over. */
  readonly over: ReadonlySet<string>;
  /** Those of them that were ended at once: what was paid for them was given back. */
  readonly refused: ReadonlySet<string>;
}

export const INITIAL: BillingState = {
  events: 0,
  customerAsked: false,
  customer: undefined,
  checkout: undefined,
  replaced: [],
  trialTaken: false,
  paid: undefined,
  asked: undefined,
  agreed: new Map(),
  over: new Set(),
  refused: new Set(),
};

const FRESH = {
  trialEndsAt: undefined,
  converted: true,
  cancelsAt: undefined,
  scheduled: undefined,
  dropped: undefined,
  overdue: undefined,
  suspended: false,
  pausedAt: undefined,
  discounts: [],
  told: false,
};

export function evolve(before: BillingState, event: BillingEvent): BillingState {
  const state = { ...before, events: before.events + 1 };
  const on = (change: Partial<Paid>): BillingState =>
    state.paid ? { ...state, paid: { ...state.paid, ...change } } : state;
  const answered = (kind: Asked['kind'], next: BillingState): BillingState =>
    next.asked?.kind === kind ? { ...next, asked: undefined } : next;
  switch (event.type) {
    case 'CustomerRequested':
      return { ...state, customerAsked: true };
    case 'CustomerCreated':
      return { ...state, customer: event.data.customer };
    case 'CheckoutRequested': {
      const { checkoutId: id, price, trialDays, coupon } = event.data;
      const { checkout: before, replaced } = state;
      return {
        ...state,
        checkout: { id, price, trialDays, coupon, session: undefined },
        replaced: before?.session === undefined ? replaced : [...replaced, before],
      };
    }
    case 'PriceAgreed': {
      const { by: _, ...price } = event.data;
      return { ...state, agreed: new Map([...state.agreed, [price.price, { ...price, withdrawn: false }]]) };
    }
    case 'AgreedPriceWithdrawn': {
      const { price, checkoutId } = event.data;
      const known = state.agreed.get(price);
      const agreed = known
        ? new Map([...state.agreed, [price, { ...known, withdrawn: true }]])
        : state.agreed;
      if (state.checkout === undefined || state.checkout.id !== checkoutId) return { ...state, agreed };
      return { ...state, agreed, checkout: undefined, replaced: [...state.replaced, state.checkout] };
    }
    case 'CheckoutWithdrawn': {
      const { checkout, replaced } = state;
      if (checkout?.id !== event.data.checkoutId) return state;
      return checkout.session === undefined
        ? { ...state, checkout: { ...checkout, withdrawn: true } }
        : { ...state, checkout: undefined, replaced: [...replaced, checkout] };
    }
    case 'CheckoutOpened':
      return opened(state, event.data);
    case 'CheckoutEnded': {
      const { checkoutId } = event.data;
      return {
        ...state,
        checkout: state.checkout?.id === checkoutId ? undefined : state.checkout,
        replaced: state.replaced.filter(({ id }) => id !== checkoutId),
      };
    }
    case 'TrialStarted':
      return { ...state, trialTaken: true, paid: { ...FRESH, ...event.data, converted: false } };
    case 'SubscriptionStarted':
      return { ...state, paid: { ...FRESH, ...event.data } };
    case 'TrialConverted':
      // The plan is in force with it, also where the trial had been suspended.
      return on({ ...event.data, converted: true, suspended: false });
    case 'PeriodRenewed':
      return on(event.data);
    case 'PlanChangeRequested': {
      const { changeId: id, price, plan, when, prorationAt, coupon } = event.data;
      const before = state.paid?.scheduled;
      return { ...state, asked: { kind: 'change', id, price, plan, when, prorationAt, coupon, before } };
    }
    case 'PlanChanged': {
      const { from: _, changeId: __, ...terms } = event.data;
      // The new plan is in force: one that is not paid for is suspended again, or paused.
      const inForce = { scheduled: undefined, suspended: false, pausedAt: undefined };
      return answered('change', on({ ...terms, ...inForce }));
    }
    case 'DiscountsChanged':
      return on({ discounts: event.data.discounts });
    case 'PlanChangeScheduled': {
      const { plan, price, at } = event.data;
      return answered('change', on({ scheduled: { plan, price, at } }));
    }
    case 'PlanChangeUnscheduled': {
      const stays = on({ scheduled: undefined });
      return state.asked && state.asked.id === event.data.changeId ? { ...stays, asked: undefined } : stays;
    }
    case 'CancellationRequested':
      return {
        ...state,
        asked: {
          kind: 'cancel',
          id: event.data.requestId,
          when: event.data.when,
          before: state.paid?.scheduled,
          refund: event.data.refund === true,
        },
      };
    case 'CancellationScheduled':
      return answered(
        'cancel',
        on({
          cancelsAt: event.data.at,
          dropped: state.asked?.kind === 'cancel' ? state.asked.before : undefined,
        }),
      );
    case 'ResumptionRequested':
      return { ...state, asked: { kind: 'resume', id: event.data.requestId } };
    case 'PauseRequested':
      return { ...state, asked: { kind: 'pause', id: event.data.requestId } };
    case 'SubscriptionPaused':
      // It has no plan by that: whatever it was suspended for before is over with the pause.
      return answered('pause', on({ pausedAt: event.data.at, overdue: undefined, suspended: false }));
    case 'SubscriptionResumed': {
      const { billedFrom: _, ...terms } = event.data;
      return answered('resume', on({ ...terms, pausedAt: undefined, suspended: false }));
    }
    case 'CancellationRevoked':
      return answered('resume', on({ cancelsAt: undefined, dropped: undefined }));
    case 'BillingRequestFailed':
      return state.asked?.id === event.data.requestId ? { ...state, asked: undefined } : state;
    case 'PaymentOverdue':
      return on({ overdue: { since: event.data.since, graceEndsAt: event.data.graceEndsAt }, told: false });
    case 'PaymentRecovered':
      return on({ overdue: undefined });
    case 'TrialEnding':
    case 'GraceEnding':
      return on({ told: true });
    case 'AccessSuspended':
      return on({ suspended: true });
    case 'AccessRestored':
      return on({ suspended: false });
    case 'ActivationFailed':
      return { ...state, over: new Set([...state.over, event.data.subscription]) };
    case 'DuplicateSubscriptionEnded':
      return {
        ...state,
        over: new Set([...state.over, event.data.subscription]),
        refused: new Set([...state.refused, event.data.subscription]),
      };
    case 'PaidSubscriptionEnded': {
      const { subscription, reason } = event.data;
      return {
        ...state,
        paid: undefined,
        asked: undefined,
        over: new Set([...state.over, subscription]),
        refused: reason === TRIAL_USED ? new Set([...state.refused, subscription]) : state.refused,
      };
    }
    default:
      // What operators grant stands on the same stream.
      return state;
  }
}

/** A page that was withdrawn while it was made, or whose price was, is closed as one that was replaced. */
function opened(
  state: BillingState,
  { checkoutId, session }: { readonly checkoutId: string; readonly session: string },
): BillingState {
  if (state.checkout?.id !== checkoutId) return state;
  const checkout = { ...state.checkout, session };
  if (!checkout.withdrawn && state.agreed.get(checkout.price)?.withdrawn !== true)
    return { ...state, checkout };
  return { ...state, checkout: undefined, replaced: [...state.replaced, checkout] };
}
