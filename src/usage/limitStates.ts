import type { PlanInForce } from '../plans/profile.js';
import type { Account, Limiter, LimitState } from './limiter.js';

/** Where the limits of an account and of a key of it stand, for whoever asks; it takes nothing. */
export class LimitStates {
  constructor(
    private readonly limiter: Limiter,
    private readonly planOf: (accountId: string) => PlanInForce,
  ) {}

  /** @throws Outage when nobody can tell */
  of(caller: Omit<Account, 'limits'>): Promise<readonly LimitState[]> {
    const { plan, anchors } = this.planOf(caller.accountId);
    const { limits } = plan;
    if (limits.length === 0 && !caller.key?.limits.length) return Promise.resolve([]);
    return this.limiter.states({ ...caller, limits, anchors });
  }
}
