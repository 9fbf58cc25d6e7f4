import { priceId } from '../plans/prices.js';
import type { Profile } from '../plans/profile.js';
import type { PriceList } from './decide.js';

/** What a profile sells by subscription, from the smallest plan to the largest. What is free is no offer. */
export const priceListOf = ({ plans }: Profile): PriceList => ({
  plans: plans.map(({ id }) => id),
  offers: plans.flatMap(({ id: plan, prices, trialDays }) =>
    prices.flatMap(({ interval, amount, currency }) =>
      amount === 0
        ? []
        : [{ id: priceId(plan, { interval, currency }), plan, interval, amount, currency, trialDays }],
    ),
  ),
});
