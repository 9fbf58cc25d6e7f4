import { z } from 'zod';
import { chargeProblem, isCurrency, MAX_CHARGE } from '../money/money.js';
import { isTimeZone } from '../text/timeZone.js';
import { zodText } from '../text/zodText.js';
import { METER_ID } from './meters.js';

export const MAX_PRICES = 20;
export const MAX_TRIAL_DAYS = 730;
export const MAX_OVERAGE = 20;
export const MAX_PRICE_TIERS = 20;

export const Currency = z
  .string()
  .regex(/^[a-z]{3}$/, 'must be a currency in lower case, e.g. usd')
  .refine((code) => !/^[a-z]{3}$/.test(code) || isCurrency(code), 'is no currency of ISO 4217');

/** What a plan costs for one interval. */
export const Price = z
  .strictObject({
    interval: z.enum(['month', 'year']),
    /** Minor units of the currency, e.g. cents. */
    amount: z.number().int().nonnegative(),
    currency: Currency,
  })
  .superRefine(({ amount, currency }, context) => {
    if (!isCurrency(currency)) return;
    const message = chargeProblem({ amount, currency });
    if (message !== undefined) context.addIssue({ code: 'custom', message, path: ['amount'] });
  });
export type Price = z.infer<typeof Price>;

/** A decimal number without a sign and at most twelve decimals: as many as Stripe has. */
export const UNIT_AMOUNT = /^(0|[1-9]\d{0,11})(\.\d{1,12})?$/;

/** Minor units for one unit, exact: a number, or a decimal as text where a number could not hold it. */
const UnitAmount = z
  .union([z.string(), z.number().nonnegative()])
  .transform(String)
  .refine((text) => UNIT_AMOUNT.test(text), 'must be minor units as a decimal with at most 12 decimals')
  .refine((text) => !(Number(text) > MAX_CHARGE), `at most ${MAX_CHARGE} can be charged`);

const PriceTier = z.strictObject({
  /** The last unit that belongs to it; left out, it is the last tier. */
  upTo: z.number().int().positive().optional(),
  unitAmount: UnitAmount,
  /** Minor units, once for the whole tier. */
  flatAmount: z.number().int().nonnegative().max(MAX_CHARGE).default(0),
});
export type PriceTier = z.infer<typeof PriceTier>;

/** What use above a limit costs, instead of being refused. */
export const Overage = z
  .strictObject({
    /** The limit of the plan, over a month or a billing period: what it allows is included. */
    limit: z.string(),
    meter: z.string().regex(METER_ID),
    currency: Currency,
    /** So many smallest units are a block, which is what is priced: one that is begun is charged whole. */
    per: z.number().int().positive().max(1_000_000_000).default(1),
    /** graduated: each unit at the price of its tier. volume: all at the price of the tier that the total reaches. */
    mode: z.enum(['graduated', 'volume']).default('graduated'),
    tiers: z.array(PriceTier).min(1).max(MAX_PRICE_TIERS),
  })
  .superRefine(({ tiers }, context) => {
    for (const [place, { upTo }] of tiers.entries()) {
      const last = place === tiers.length - 1;
      const problem = (message: string): void =>
        context.addIssue({ code: 'custom', message, path: ['tiers', place, 'upTo'] });
      if (last && upTo !== undefined) problem('the last tier has no end: leave upTo out');
      if (!last && upTo === undefined) problem('only the last tier has no end');
      const before = tiers[place - 1]?.upTo ?? 0;
      if (upTo !== undefined && upTo <= before)
        problem(`must be above ${before}, where the tier before ends`);
    }
  });
export type Overage = z.infer<typeof Overage>;

export const Prices = z
  .array(Price)
  .max(MAX_PRICES)
  .superRefine((prices, context) => {
    const ids = prices.map(({ interval, currency }) => `${interval} ${currency}`);
    for (const [place, id] of ids.entries()) {
      if (ids.indexOf(id) === place) continue;
      const [interval, currency] = id.split(' ');
      context.addIssue({
        code: 'custom',
        message: `there is a price a ${interval} in ${currency} already`,
        path: [place],
      });
    }
  });
export const Overages = z.array(Overage).max(MAX_OVERAGE);

/** When money is due, and what follows where it does not come. */
export const BillingTerms = z.strictObject({
  /** How long an account whose payment has failed keeps its plan, in days. */
  graceDays: z.number().int().min(0).max(90).default(14),
  /** When an account gets its customer at Stripe: at once, or when it first buys. */
  customer: z.enum(['at-registration', 'when-needed']).default('when-needed'),
  /** Who stands on invoices as the seller, line by line: name, address, tax number. By default the product. */
  seller: z
    .array(zodText({ min: 1, max: 200 }))
    .min(1)
    .max(10)
    .optional(),
  /** How invoices are numbered: `<issuer>-<year>-<number>`, without gaps. */
  numbering: z
    .strictObject({
      /** Who issues them; by default the name of the profile. Each installation needs one of its own. */
      issuer: z
        .string()
        .regex(/^[A-Z0-9]{1,12}$/, 'must be 1 to 12 capital letters and digits')
        .optional(),
      /** Whose calendar says in which year an invoice is issued. */
      timeZone: z
        .string()
        .refine((name) => isTimeZone(name), 'must be a time zone, e.g. Europe/Berlin')
        .default('UTC'),
    })
    .optional(),
  /** Whether months of limits begin with the calendar's, or with the subscription of whoever has one. */
  months: z.enum(['calendar', 'anniversary']).default('calendar'),
});
export type BillingTerms = z.infer<typeof BillingTerms>;

/** Names a price to clients and to Stripe (as its lookup key), e.g. `developer-month-usd`. */
export const priceId = (plan: string, { interval, currency }: Pick<Price, 'interval' | 'currency'>): string =>
  `${plan}-${interval}-${currency}`;
