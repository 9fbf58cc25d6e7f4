import type { Environment } from '../eventsourcing/event.js';
import type { PlanInForce } from '../plans/profile.js';
import type { Limiter, LimitState } from './limiter.js';

/** Where the limits of an account stand, for whoever asks; it takes nothing. */
export class Standing {
  constructor(
    private readonly limiter: Limiter,
    private readonly planOf: (accountId: string) => PlanInForce,
  ) {}

  /** @throws Outage when nobody can tell */
  of(accountId: string, environment: Environment, now: number): Promise<readonly LimitState[]> {
    const { limits } = this.planOf(accountId).plan;
    if (limits.length === 0) return Promise.resolve([]);
    return this.limiter.states({ accountId, environment, limits, now });
  }
}
