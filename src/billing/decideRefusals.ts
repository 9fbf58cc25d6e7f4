import type { Decision } from '../eventsourcing/decider.js';
import { refuse } from '../eventsourcing/decider.js';
import type { PriceList } from './decideAgreedPrice.js';
import { offersFor } from './decideAgreedPrice.js';
import type { BillingState } from './state.js';

// Why nothing can be asked now, whatever is asked for.

export const NO_SUBSCRIPTION = 'NO_SUBSCRIPTION';
export const PAUSED = 'SUBSCRIPTION_PAUSED';

export const unpaid = (): Decision<never> =>
  refuse('PAYMENT_OVERDUE', 'A payment has failed. Pay the open invoice first: `openBillingPortal`.');

export const ending = (): Decision<never> =>
  refuse('CANCELLATION_SCHEDULED', 'The subscription is about to end. Call `resumeSubscription` first.');

export const noSubscription = (): Decision<never> =>
  refuse(NO_SUBSCRIPTION, 'The account has no subscription. Use `startCheckout`.');

export const stillAsked = (): Decision<never> =>
  refuse('CHANGE_PENDING', 'An earlier change is still under way. Try again in a few seconds.');

export const unknownPrice = (state: BillingState, list: PriceList): Decision<never> =>
  refuse(
    'PRICE_UNKNOWN',
    `There is no such price; there are ${offersFor(state, list)
      .map(({ id }) => id)
      .join(', ')}.`,
    'priceId',
  );
