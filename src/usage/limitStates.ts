import type { PlanInForce } from '../plans/profile.js';
import { subjectLimitsOf } from '../plans/profile.js';
import type { Account, Limiter, LimitState } from './limiter.js';
import { partsOf } from './limiter.js';

/** Where the limits of an account and of a key of it stand, for whoever asks; it takes nothing. */
export class LimitStates {
  constructor(
    private readonly limiter: Limiter,
    private readonly planOf: (accountId: string) => PlanInForce,
  ) {}

  /**
   * @param subject the end customer whose limits stand behind them, by the id that records have
   * @throws Outage when nobody can tell
   */
  of(caller: Omit<Account, 'limits' | 'customer'>, subject?: string): Promise<readonly LimitState[]> {
    const { plan, anchors } = this.planOf(caller.accountId);
    const { limits } = plan;
    const customer = subject === undefined ? undefined : { id: subject, limits: subjectLimitsOf(plan) };
    const account = { ...caller, limits, anchors, customer };
    if (partsOf(account).every((part) => part.limits.length === 0)) return Promise.resolve([]);
    return this.limiter.states(account);
  }
}
