import type { Refusal } from '../../eventsourcing/decider.js';
import type { Environment } from '../../eventsourcing/event.js';
import { givenId } from '../../graphql/kit/ids.js';
import type { Limit, PlanInForce } from '../../plans/profile.js';
import { subjectLimitsOf } from '../../plans/profile.js';
import type { Account } from '../limits/limiter.js';
import type { JudgedUse, Payer } from './reportedUse.js';

/** Who reports: an operator for every account, all others for their own. */
export interface Reporter {
  readonly accountId: string;
  readonly environment: Environment;
  readonly operator: boolean;
}

/** What is known of a key. */
export interface PayingKey {
  readonly id: string;
  readonly accountId: string;
  readonly environment: Environment;
  readonly limits: readonly Limit[];
}

export interface PayersOptions {
  readonly key: (keyId: string) => PayingKey | undefined;
  /** Those of the accounts that are there. */
  readonly accounts: (ids: readonly string[]) => Promise<ReadonlySet<string>>;
}

const NO_KEY: Refusal = { code: 'NOT_FOUND', message: 'There is no key with this id.', field: 'keyId' };
const NO_ACCOUNT: Refusal = {
  code: 'NOT_FOUND',
  message: 'There is no account with this id.',
  field: 'accountId',
};
const OTHER_ENVIRONMENT: Refusal = {
  code: 'INVALID_INPUT',
  message: 'Test keys report for test keys, and all else for live ones.',
  field: 'keyId',
};
const NOT_ITS_KEY: Refusal = {
  code: 'INVALID_INPUT',
  message: 'The key belongs to another account.',
  field: 'keyId',
};

/** Who pays for uses. A key that was revoked since pays for what it was used for before. */
export class UsagePayers {
  constructor(private readonly options: PayersOptions) {}

  limitsOf(keyId: string): readonly Limit[] {
    return this.options.key(keyId)?.limits ?? [];
  }

  /**
   * In the order of the uses; what belongs to others is not there (law 11). Ids come with their prefixes or without.
   * @param access a customer's test credential may read what live keys used, and spend nothing of it
   */
  async of(
    reporter: Reporter,
    given: readonly Pick<JudgedUse, 'keyId' | 'accountId'>[],
    access: 'read' | 'spend' = 'spend',
  ): Promise<(Payer | Refusal)[]> {
    const uses = given.map(({ keyId, accountId }) => ({
      keyId: keyId === undefined ? undefined : givenId('Key', keyId),
      accountId: accountId === undefined ? undefined : givenId('Account', accountId),
    }));
    const named = uses.flatMap(({ keyId, accountId }) =>
      keyId === undefined && accountId !== undefined && accountId !== reporter.accountId ? [accountId] : [],
    );
    const there =
      reporter.operator && named.length > 0
        ? await this.options.accounts([...new Set(named)])
        : new Set<string>();
    const mine = (accountId: string): boolean => reporter.operator || accountId === reporter.accountId;
    return uses.map(({ keyId, accountId }) => {
      if (keyId !== undefined) {
        const key = this.options.key(keyId);
        if (!key || !mine(key.accountId)) return NO_KEY;
        if (accountId !== undefined && accountId !== key.accountId)
          return mine(accountId) ? NOT_ITS_KEY : NO_KEY;
        if (access === 'spend' && !reporter.operator && key.environment !== reporter.environment) {
          return OTHER_ENVIRONMENT;
        }
        return { accountId: key.accountId, environment: key.environment, keyId };
      }
      if (accountId === reporter.accountId) {
        // Test keys report test uses.
        const environment = reporter.operator ? 'live' : reporter.environment;
        return { accountId, environment, keyId: '' };
      }
      if (accountId === undefined || !there.has(accountId)) return NO_ACCOUNT;
      return { accountId, environment: 'live', keyId: '' };
    });
  }
}

/** An account as limits know it. */
export function accountOf(
  { accountId, environment, keyId }: Payer,
  { plan, anchors }: PlanInForce,
  now: number,
  payers: Pick<UsagePayers, 'limitsOf'>,
  /** The end customer, by the id that records have. */
  subject?: string,
): Account {
  const key = keyId === '' ? undefined : { id: keyId, limits: payers.limitsOf(keyId) };
  const customer = subject === undefined ? undefined : { id: subject, limits: subjectLimitsOf(plan) };
  return { accountId, environment, limits: plan.limits, anchors, key, customer, now };
}
