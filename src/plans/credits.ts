import { z } from 'zod';
import { chargeProblem, isCurrency } from '../money/money.js';
import { zodText } from '../text/zodText.js';
import { METER_ID } from './meters.js';

const MAX_PACKS = 20;
export const MAX_CREDITS = 1_000_000_000_000;

/** Credits that are bought at once. */
const CreditPack = z
  .strictObject({
    id: z.string().regex(/^[a-z][a-z0-9-]*$/),
    name: zodText({ min: 1, max: 100 }),
    credits: z.number().int().positive().max(MAX_CREDITS),
    /** Minor units of the currency. */
    amount: z.number().int().positive(),
    currency: z
      .string()
      .regex(/^[a-z]{3}$/, 'must be a currency in lower case, e.g. usd')
      .refine((code) => !/^[a-z]{3}$/.test(code) || isCurrency(code), 'is no currency of ISO 4217'),
    /** How long they are good for, in months. */
    months: z.number().int().min(1).max(120),
  })
  .superRefine(({ amount, currency }, context) => {
    if (!isCurrency(currency)) return;
    const message = chargeProblem({ amount, currency });
    if (message !== undefined) context.addIssue({ code: 'custom', message, path: ['amount'] });
  });
export type CreditPack = z.infer<typeof CreditPack>;

/** What is paid with credits before it is billed. */
export const CreditTerms = z.strictObject({
  /** By meter: how many credits one of its smallest units costs above what a plan includes. */
  meters: z.record(z.string().regex(METER_ID), z.number().int().positive().max(1_000_000_000)),
  packs: z
    .array(CreditPack)
    .max(MAX_PACKS)
    .default([])
    .refine(
      (packs) => new Set(packs.map(({ id }) => id)).size === packs.length,
      'ids of packs must be unique',
    ),
});
export type CreditTerms = z.infer<typeof CreditTerms>;
