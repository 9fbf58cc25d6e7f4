import { z } from 'zod';

/** Lengths of the windows that slide, in milliseconds. */
export const SLIDING_MS = { minute: 60_000, hour: 3_600_000 } as const;

const Limit = z.strictObject({
  /** Names the limit in headers and answers. */
  id: z.string().regex(/^[a-z][a-z0-9-]*$/),
  meter: z.enum(['requests', 'cost']),
  /** minute and hour slide; day and month are fixed periods of the UTC calendar (decision 13). */
  window: z.enum(['minute', 'hour', 'day', 'month']),
  amount: z.number().int().positive(),
});

const Price = z.strictObject({
  interval: z.enum(['month', 'year']),
  /** Minor units of the currency, e.g. cents. */
  amount: z.number().int().nonnegative(),
  currency: z.string().regex(/^[a-z]{3}$/),
});

const Plan = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]*$/),
  name: z.string().min(1),
  prices: z.array(Price),
  limits: z.array(Limit),
  catalogue: z.strictObject({
    tiers: z.array(z.string()).min(1),
    /** At most so many patterns, the first by publication; null for all (decision 16). */
    patterns: z.number().int().positive().nullable(),
  }),
  features: z.array(z.string()),
});

/** A product profile: what is sold, as data (`profiles/*.yaml`). */
export const Profile = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9-]*$/),
    product: z.string().min(1),
    keys: z.strictObject({ live: z.string().min(3), test: z.string().min(3) }),
    headers: z.strictObject({
      /** The limit that feeds the X-RateLimit-* headers. */
      limit: z.string(),
    }),
    /** The plan of an account without a subscription. */
    defaultPlan: z.string(),
    /** The plan that an operator grants to the demo account. */
    demoPlan: z.string(),
    tiers: z.array(z.string()).min(1),
    /** From the smallest to the largest: the first that opens a pattern is the one to buy. */
    plans: z.array(Plan).min(1),
  })
  .superRefine((profile, context) => {
    const ids = profile.plans.map((plan) => plan.id);
    const problem = (message: string): void => context.addIssue({ code: 'custom', message });
    if (new Set(ids).size !== ids.length) problem('plan ids must be unique');
    for (const name of ['defaultPlan', 'demoPlan'] as const) {
      if (!ids.includes(profile[name])) problem(`${name} "${profile[name]}" is not one of the plans`);
    }
    for (const plan of profile.plans) {
      for (const tier of plan.catalogue.tiers) {
        if (!profile.tiers.includes(tier)) problem(`plan ${plan.id}: "${tier}" is not one of the tiers`);
      }
      const limits = plan.limits.map((limit) => limit.id);
      if (new Set(limits).size !== limits.length) problem(`plan ${plan.id}: limit ids must be unique`);
    }
  });

export type Profile = z.infer<typeof Profile>;
export type Plan = Profile['plans'][number];
export type Limit = Plan['limits'][number];

/** A plan with the version of the profile that it is taken from. */
export interface PlanInForce {
  readonly plan: Plan;
  readonly version: number;
}
