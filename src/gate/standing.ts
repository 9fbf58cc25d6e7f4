import type { DeletedAccounts } from '../accounts/deletedAccounts.js';
import { accountStream } from '../accounts/events.js';
import type { Session } from '../sessions/events.js';
import type { StreamCatchUp } from '../following/catchUp.js';
import type { Recency } from '../following/freshness.js';
import type { Caller, StandingIn } from '../graphql/kit/context.js';
import { standingOf } from '../graphql/kit/context.js';
import type { PlanDirectory } from '../plans/directory.js';
import { hasFeature } from '../plans/profile.js';
import type { Role } from '../teams/events.js';
import { teamStream } from '../teams/events.js';
import type { Memberships } from '../teams/memberships.js';
import { TEAMS } from '../teams/memberships.js';

/** What says who works where. */
export interface Roles {
  readonly deletedAccounts: DeletedAccounts;
  readonly memberships: Memberships;
  readonly plans: Pick<PlanDirectory, 'planOf'>;
}

/** How old that may be, and what single streams say now. */
export interface RolesNow extends Roles {
  readonly recency: Recency;
  readonly catchUp: StreamCatchUp;
}

/** The role of a user in an account, or why there is none. */
export function roleIn(
  { userId, accountId: own }: Pick<Session, 'userId' | 'accountId'>,
  accountId: string,
  { deletedAccounts, memberships, plans }: Roles,
): { readonly role: Role } | { readonly code: 'ACCOUNT_NOT_FOUND' | 'TEAMS_NOT_IN_PLAN' } {
  // The same whether there is such an account or not.
  if (deletedAccounts.has(accountId)) return { code: 'ACCOUNT_NOT_FOUND' };
  const role = accountId === own ? 'owner' : memberships.roleOf(accountId, userId);
  if (role === undefined) return { code: 'ACCOUNT_NOT_FOUND' };
  if (role !== 'owner' && !hasFeature(plans.planOf(accountId).plan, TEAMS)) {
    return { code: 'TEAMS_NOT_IN_PLAN' };
  }
  return { role };
}

/** Tells what callers may do in accounts other than the one they work in, too. */
export function standings(access: RolesNow): StandingIn {
  return async ({ caller }, accountId) => {
    if (!('accountId' in caller)) return undefined;
    if (caller.accountId === accountId) return standingOf({ caller });
    return caller.kind === 'session' ? inAnother(caller, accountId, access) : undefined;
  };
}

async function inAnother(
  { session }: Extract<Caller, { kind: 'session' }>,
  accountId: string,
  access: RolesNow,
) {
  // What another node has done may be missing in memory (decision 17).
  if (access.recency.stale) await access.catchUp.of([accountStream(accountId), teamStream(accountId)]);
  const found = roleIn(session, accountId, access);
  return 'role' in found ? ({ kind: 'member', role: found.role } as const) : undefined;
}
