import type { Decision } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import { chargeProblem, isCurrency } from '../money/money.js';
import { priceId } from '../plans/prices.js';
import type { AgreedPrice, BillingEvent } from './events.js';
import type { BillingState } from './state.js';

/** A price that can be bought. In the order of the plans, from the smallest to the largest. */
export interface Offer {
  readonly id: string;
  readonly plan: string;
  readonly interval: 'month' | 'year';
  readonly amount: number;
  readonly currency: string;
  readonly trialDays: number | undefined;
  /** For one account alone. */
  readonly agreed?: true;
}

/** What the profile sells to everybody. */
export interface PriceList {
  readonly offers: readonly Offer[];
  /** Ids of all plans, from the smallest to the largest, also of those without a price. */
  readonly plans: readonly string[];
}

/** Prices that one account can be offered at once. */
export const MAX_AGREED = 10;

const termsOf = ({ price: id, plan, interval, amount, currency }: AgreedPrice): Offer => ({
  id,
  plan,
  interval,
  amount,
  currency,
  trialDays: undefined,
});

const offerOf = (price: AgreedPrice): Offer => ({ ...termsOf(price), agreed: true });

/**
 * What an account can buy: what everybody can, and what was agreed with it.
 * @param agreed with the account, and not withdrawn
 */
export const offersWith = (
  agreed: readonly AgreedPrice[],
  { offers, plans }: PriceList,
): readonly Offer[] => [
  ...offers,
  ...agreed.filter(({ plan }) => plans.includes(plan)).map((price) => offerOf(price)),
];

export const offersFor = ({ agreed }: Pick<BillingState, 'agreed'>, list: PriceList): readonly Offer[] =>
  offersWith(
    [...agreed.values()].filter(({ withdrawn }) => !withdrawn),
    list,
  );

/**
 * Names what is paid, so that one id is one amount: a price of the profile that is offered at another amount by now,
 * or no more, goes by its amount as well, e.g. `developer-month-usd-2900`.
 */
export function paidPriceId(
  { plan, price, interval, amount, currency }: AgreedPrice,
  { offers }: PriceList,
): string {
  const isProfiles = price === priceId(plan, { interval, currency });
  const isOffered = offers.some((offer) => offer.id === price && offer.amount === amount);
  return isProfiles && !isOffered ? `${price}-${amount}` : price;
}

/**
 * A price that an account can buy, or has: what is withdrawn stays for those who pay it, or are about to, and what
 * costs something else by now for those who pay it.
 */
export function offerFor(
  state: Pick<BillingState, 'agreed' | 'paid' | 'asked'>,
  list: PriceList,
  price: string,
): Offer | undefined {
  const { agreed, paid, asked } = state;
  const offered = offersFor(state, list).find(({ id }) => id === price);
  if (offered) return offered;
  const before = asked && 'before' in asked ? asked.before : undefined;
  const kept = [paid, paid?.scheduled, paid?.dropped, before].some((one) => one?.price === price);
  const own = kept ? agreed.get(price) : undefined;
  if (own) return offerOf(own);
  return paid && price === paidPriceId(paid, list) ? termsOf(paid) : undefined;
}

export interface AgreePrice extends AgreedPrice, PriceList {
  readonly type: 'AgreePrice';
  readonly by: string;
}

export function agreePrice({ agreed }: BillingState, command: AgreePrice): Decision<BillingEvent> {
  const { price, plan, interval, amount, currency, by, offers, plans } = command;
  if (agreed.has(price)) return accept();
  if (!plans.includes(plan)) {
    return refuse('PLAN_UNKNOWN', `There is no such plan; there are ${plans.join(', ')}.`, 'planId');
  }
  const sold = [...new Set(offers.map((offer) => offer.currency))];
  if (!isCurrency(currency) || (sold.length > 0 && !sold.includes(currency))) {
    const others = sold.length === 0 ? 'one of ISO 4217' : `one of the profile’s: ${sold.join(', ')}`;
    return refuse('INVALID_INPUT', `The currency must be ${others}.`, 'currency');
  }
  const problem =
    amount < 1 ? 'A price is above zero: to give a plan away, grant it' : chargeProblem({ amount, currency });
  if (problem !== undefined) return refuse('INVALID_INPUT', `${problem}.`, 'minorUnits');
  if ([...agreed.values()].filter(({ withdrawn }) => !withdrawn).length >= MAX_AGREED) {
    const message = `At most ${MAX_AGREED} prices are agreed with an account at once: withdraw one first.`;
    return refuse('INVALID_INPUT', message);
  }
  return accept({ type: 'PriceAgreed', data: { price, plan, interval, amount, currency, by } });
}

export interface WithdrawPrice {
  readonly type: 'WithdrawPrice';
  readonly price: string;
  readonly by: string;
}

export function withdrawPrice(
  { agreed, checkout }: BillingState,
  { price, by }: WithdrawPrice,
): Decision<BillingEvent> {
  if (agreed.get(price)?.withdrawn !== false) {
    return refuse('NOT_FOUND', 'No such price is agreed with the account.', 'priceId');
  }
  // A page that is open for it could still be paid.
  const open = checkout?.price === price && checkout.session !== undefined ? checkout.id : null;
  return accept({ type: 'AgreedPriceWithdrawn', data: { price, checkoutId: open, by } });
}
