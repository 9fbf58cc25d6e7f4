import type { GraphQLSchema } from 'graphql';
import { AWAITED_MODELS } from '../../projections/index.js';
import { ReadYourWrites } from '../following/readYourWrites.js';
import { ConfirmEmailChange, RequestEmailChange } from '../accounts/changeEmail.js';
import { ChangePassword } from '../accounts/changePassword.js';
import { Credentials, emailHashOf } from '../accounts/credentials.js';
import { userDecider } from '../accounts/decide.js';
import { DeleteAccount } from '../accounts/delete.js';
import { emailHash, normaliseEmail } from '../accounts/email.js';
import { EmailResolver } from '../accounts/emailResolvers.js';
import { userStream } from '../accounts/events.js';
import { ProfileResolver } from '../accounts/profileResolvers.js';
import { RefreshSession } from '../accounts/refreshSession.js';
import { RequestPasswordReset, ResetPassword } from '../accounts/resetPassword.js';
import { AccountResolver, AccountsResolver, UserResolver } from '../accounts/resolvers.js';
import { SessionsResolver } from '../accounts/sessionResolvers.js';
import type { Sessions } from '../accounts/sessions.js';
import { ATTEMPTS, ATTEMPTS_WINDOW_MS, SignIn } from '../accounts/signIn.js';
import { StartSession } from '../accounts/startSession.js';
import { Account, accountPlan } from '../accounts/types.js';
import { UpdateProfile } from '../accounts/updateProfile.js';
import { verifiedUser } from '../accounts/verifiedHolder.js';
import { VerifyEmail } from '../accounts/verifyEmail.js';
import { AccountAuditResolver, AuditResolver, pageOfLog } from '../audit/resolvers.js';
import { QueryEmbedder } from '../catalogue/queryEmbedder.js';
import { CatalogueResolver, PatternFieldsResolver } from '../catalogue/resolvers.js';
import { fold } from '../eventsourcing/decider.js';
import { PositionTokens } from '../eventsourcing/positionToken.js';
import type { Authenticate } from '../gate/authenticate.js';
import type { PlanOf } from '../graphql/kit/context.js';
import { accountOf } from '../graphql/kit/context.js';
import { Cursors } from '../graphql/kit/cursors.js';
import { NodeResolver } from '../graphql/kit/node.js';
import { operatorAction } from '../graphql/kit/operatorAction.js';
import { createSchema, showMutations } from '../graphql/execution/schema.js';
import { OperatorKeysResolver } from '../keys/operatorResolvers.js';
import { AccountKeysResolver, KeyFieldsResolver, KeysResolver } from '../keys/resolvers.js';
import { keyOf } from '../keys/types.js';
import { VerifyKey } from '../keys/verify.js';
import { VerifyKeyResolver } from '../keys/verifyResolvers.js';
import type { Logger } from '../logger.js';
import { OperatorsResolver } from '../operators/resolvers.js';
import { PlansResolver } from '../plans/resolvers.js';
import { SignedTokens } from '../secrets/signedTokens.js';
import {
  AccountTeamResolver,
  InvitationResolver,
  MemberResolver,
  MembershipResolver,
  ViewerTeamsResolver,
} from '../teams/fieldResolvers.js';
import { InviteMember } from '../teams/invite.js';
import { TeamsResolver } from '../teams/resolvers.js';
import { Guard } from '../usage/guard.js';
import { UsageResolver } from '../usage/resolvers.js';
import type { LimitStates } from '../usage/limitStates.js';
import { createKeyDesk } from './keyDesk.js';
import type { ApiCommands, Parts } from './parts.js';
import { accountsShown } from './projections.js';

/**
 * Mutations after which there is nothing to read back. What follows from a reset that is asked for depends on
 * whether somebody has the e-mail, and waiting beside it would tell.
 */
const NOTHING_TO_SHOW: ReadonlySet<string> = new Set(['requestPasswordReset', 'refreshSession', 'verifyKey']);

/** Who calls, and where they stand. */
export interface Calls {
  readonly sessions: Sessions;
  readonly standing: LimitStates;
  readonly authenticate: Authenticate;
}

/** What the resolvers of several capabilities share. */
interface Shared extends Parts, ApiCommands, Calls {
  readonly log: Logger;
  readonly cursors: Cursors;
  readonly positions: PositionTokens;
  readonly planOf: PlanOf;
  /** Waits until queries of this process show what its commands have stored. */
  readonly shown: () => Promise<void>;
  readonly mailedTokens: SignedTokens;
}

/** The schema of the product, with all that answers it. */
export function createProductSchema(
  parts: Parts,
  commands: ApiCommands,
  calls: Calls,
  log: Logger,
): GraphQLSchema {
  const { stores, projections, access } = parts;
  const showing = new ReadYourWrites(projections.models, AWAITED_MODELS);
  stores.commands.onAppended(showing.appended);
  const shared: Shared = {
    ...parts,
    ...commands,
    ...calls,
    log,
    cursors: new Cursors(stores.secrets.SESSION_KEY),
    positions: new PositionTokens(stores.storeId),
    planOf: (account) => access.plans.planOf(account),
    shown: () => showing.wait(),
    mailedTokens: new SignedTokens(stores.secrets.SESSION_KEY),
  };
  const catalogue = catalogueResolver(shared);
  const schema = createSchema([
    ...accountResolvers(shared),
    catalogue,
    new PatternFieldsResolver(),
    ...keyResolvers(shared),
    ...teamResolvers(shared),
    usageResolver(shared),
    ...operatorResolvers(shared),
    nodeResolver(shared, catalogue),
  ]);
  showMutations(schema, shared.shown, NOTHING_TO_SHOW);
  return schema;
}

function accountResolvers(shared: Shared): object[] {
  const { stores, projections, access, register, sessions, positions, planOf, shown, mailedTokens } = shared;
  const { commands, personal, refreshTokens } = stores;
  const hashKey = stores.secrets.EMAIL_HASH_KEY;
  const attempts = new Guard(ATTEMPTS, ATTEMPTS_WINDOW_MS);
  const startSession = new StartSession(commands, sessions, refreshTokens);
  const deleted = (account: string) => access.deletedAccounts.has(account);
  const settled = async (position: number, timeoutMs: number): Promise<boolean> => {
    const { models, policies } = projections;
    if (!(await policies.reached(position, timeoutMs))) return false;
    return accountsShown(models, await stores.store.head(), timeoutMs);
  };
  return [
    new SessionsResolver(
      new SignIn(new Credentials(commands, personal), startSession, attempts, hashKey, deleted),
      new RefreshSession(commands, sessions, refreshTokens, deleted),
      commands,
      positions,
    ),
    new ProfileResolver(
      new ChangePassword(commands, personal, startSession, attempts, hashKey),
      new UpdateProfile(commands, personal, hashKey),
      new VerifyEmail(commands, mailedTokens),
      positions,
      shown,
    ),
    new AccountsResolver(
      register,
      new DeleteAccount(commands, personal, hashKey),
      startSession,
      positions,
      settled,
    ),
    new EmailResolver(
      new RequestPasswordReset(commands, hashKey),
      new ResetPassword(commands, personal, mailedTokens),
      new RequestEmailChange(commands, personal, attempts, hashKey),
      new ConfirmEmailChange(commands, mailedTokens),
      positions,
      settled,
    ),
    new UserResolver(),
    new AccountResolver(planOf),
  ];
}

function catalogueResolver({ queries, search, access, cursors, planOf, log }: Shared): CatalogueResolver {
  return new CatalogueResolver(
    queries.catalogue,
    search,
    new QueryEmbedder(search.model, (error) => log.error('a query has no vector', error)),
    cursors,
    planOf,
    () => access.plans.profile.plans,
  );
}

function keyResolvers(shared: Shared): object[] {
  const { stores, queries, metering, keySecrets, authenticate, standing, cursors, positions, planOf } =
    shared;
  return [
    new KeysResolver(keySecrets, stores.commands, positions),
    new KeyFieldsResolver(),
    new AccountKeysResolver(queries.keys, cursors),
    new VerifyKeyResolver(
      new VerifyKey(createKeyDesk(authenticate, standing, metering.governor, planOf)),
      (account) => accountPlan(planOf(account)),
    ),
  ];
}

function teamResolvers({ stores, queries, access, cursors, positions, mailedTokens }: Shared): object[] {
  const { commands, personal } = stores;
  const { plans } = access;
  const hashKey = stores.secrets.EMAIL_HASH_KEY;
  const hashOf = (email: string) => emailHash(hashKey, email);
  return [
    new TeamsResolver({
      commands,
      invite: new InviteMember(commands, personal, hashKey, hashOf),
      normaliseEmail,
      emailOf: async (userId) => {
        const hash = await emailHashOf(commands, personal, hashKey, userId);
        if (hash === undefined) return undefined;
        const { emailVerified } = fold(userDecider, await commands.load(userStream(userId)));
        return { hash, verified: emailVerified };
      },
      planOf: (account) => plans.planOf(account).plan,
      plans: () => plans.profile.plans,
      invitationTokens: mailedTokens,
      positions,
    }),
    new AccountTeamResolver(queries.teams, cursors),
    new ViewerTeamsResolver(queries.teams, cursors),
    new MemberResolver(),
    new MembershipResolver(),
    new InvitationResolver(),
  ];
}

function usageResolver(shared: Shared): UsageResolver {
  const { projections, queries, access, metering, standing, positions, planOf } = shared;
  return new UsageResolver(
    queries.usage,
    standing,
    planOf,
    () => access.plans.profile.headers,
    positions,
    () => metering.journal.lastPosition,
    (position, timeoutMs) => projections.models.reached('usage', position, timeoutMs),
  );
}

function operatorResolvers({ stores, queries, access, metering, cursors, positions }: Shared): object[] {
  const { commands } = stores;
  const action = operatorAction(metering.addresses);
  const auditLog = pageOfLog(queries.audit, cursors);
  return [
    new OperatorsResolver(commands, action, (userId) => verifiedUser(commands, userId), positions),
    new OperatorKeysResolver(commands, action, positions),
    new PlansResolver(commands, action, access.plans, positions),
    new AuditResolver(auditLog),
    new AccountAuditResolver(auditLog),
  ];
}

function nodeResolver({ queries }: Shared, catalogue: CatalogueResolver): NodeResolver {
  return new NodeResolver([
    (id, context) => catalogue.node(id, context),
    (id, context) => (id === accountOf(context) ? Object.assign(new Account(), { id }) : undefined),
    async (id, context) => {
      // As with the list of keys, which says so at the field.
      const { caller } = context;
      if (caller.kind === 'key' && !caller.key.scopes.includes('admin')) return undefined;
      const row = await queries.keys.find(accountOf(context), id);
      return row && keyOf(row);
    },
  ]);
}
