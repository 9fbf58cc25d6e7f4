import { accountDecider } from '../accounts/decideAccount.js';
import { accountStream, NOBODY } from '../accounts/events.js';
import { subscriptionDecider } from '../plans/decide.js';
import type { PlanDirectory } from '../plans/directory.js';
import { subscriptionStream } from '../plans/events.js';
import type { Stores } from './stores.js';
import { SYSTEM } from './stores.js';

/** Gives every key from the environment its account, on the plan beside it; a later start adds no event. */
export async function openEnvironmentAccounts(
  { commands, environmentKeys, clock }: Pick<Stores, 'commands' | 'environmentKeys' | 'clock'>,
  { profile, version }: Pick<PlanDirectory, 'profile' | 'version'>,
): Promise<void> {
  const now = clock();
  const context = {
    ...SYSTEM,
    at: new Date(now),
    requestHash: 'environment-key',
    commandId: `environment-key:${now}`,
  };
  for (const { accountId, plan } of environmentKeys.accounts) {
    const open = { type: 'OpenAccount', ownerId: NOBODY } as const;
    await commands.handle(accountDecider, accountStream(accountId), open, context);
    await commands.handle(
      subscriptionDecider,
      subscriptionStream(accountId),
      {
        type: 'GrantPlan',
        plan,
        plans: profile.plans.map(({ id }) => id),
        profileVersion: version,
        grantedBy: SYSTEM.caller,
        reason: 'named beside its key in the environment',
      },
      context,
    );
  }
}
