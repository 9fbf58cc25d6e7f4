import type { Horizon, PatternRow } from '../../projections/catalogue/queries.js';
import type { Plan } from '../plans/profile.js';

/** Whether a plan with this horizon includes the pattern. */
export function includes({ tiers, published }: Horizon, pattern: PatternRow): boolean {
  return tiers.includes(pattern.tier) && pattern.published <= published;
}

/** The smallest plan that includes the pattern; plans are ordered from the smallest to the largest. */
export async function planThatOpens(
  plans: readonly Plan[],
  pattern: PatternRow,
  horizonOf: (plan: Plan) => Promise<Horizon>,
): Promise<Plan | undefined> {
  for (const plan of plans) {
    if (includes(await horizonOf(plan), pattern)) return plan;
  }
  return undefined;
}
