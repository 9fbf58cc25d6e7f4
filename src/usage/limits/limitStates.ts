import type { PlanInForce } from '../../plans/profile.js';
import { subjectLimitsOf } from '../../plans/profile.js';
import type { Account, Limiter, LimitState } from './limiter.js';

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
    const { accountId, environment, key, now } = caller;
    const { plan, anchors } = this.planOf(accountId);
    const { limits } = plan;
    const customer = subject === undefined ? undefined : { id: subject, limits: subjectLimitsOf(plan) };
    const account = { accountId, environment, key, now, limits, anchors, customer };
    if (![account, key, customer].some((one) => one && one.limits.length > 0)) return Promise.resolve([]);
    return this.limiter.states(account);
  }
}
