import type { Plan, Profile } from '../../src/plans/profile.js';

/** A profile of two plans, as small as one can be. */
export const shop = (over: Partial<Profile> = {}): Profile => ({
  name: 'shop',
  product: 'A shop',
  keys: { live: 'sh_live_', test: 'sh_test_' },
  headers: { limit: 'calls' },
  defaultPlan: 'free',
  demoPlan: 'pro',
  tiers: ['open', 'closed'],
  plans: [plan('free', 10), plan('pro', 100)],
  ...over,
});

export const plan = (id: string, amount: number, over: Partial<Plan> = {}): Plan => ({
  id,
  name: id,
  prices: [],
  limits: [{ id: 'calls', meter: 'requests', window: 'minute', amount }],
  catalogue: { tiers: ['open'], patterns: null },
  features: [],
  ...over,
});
