import type { FastifyInstance } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import type { AccountQueries } from '../../projections/accounts/queries.js';
import type { AuditQueries } from '../../projections/audit/queries.js';
import type { CatalogueQueries } from '../../projections/catalogue/queries.js';
import type { IdentityQueries } from '../../projections/identities/queries.js';
import type { KeyQueries } from '../../projections/keys/queries.js';
import type { SessionQueries } from '../../projections/sessions/queries.js';
import { Shown } from '../../projections/shown.js';
import type { TeamQueries } from '../../projections/teams/queries.js';
import type { UsageQueries } from '../../projections/usage/queries.js';
import { Credentials, emailHashOf } from '../accounts/credentials.js';
import { user as userDecider } from '../accounts/decide.js';
import { DeleteAccount } from '../accounts/delete.js';
import { ConfirmEmailChange, RequestEmailChange } from '../accounts/changeEmail.js';
import { ChangePassword } from '../accounts/changePassword.js';
import { RefreshSession } from '../accounts/refreshSession.js';
import { EmailResolver } from '../accounts/emailResolvers.js';
import { RequestPasswordReset, ResetPassword } from '../accounts/resetPassword.js';
import { emailHash, normaliseEmail } from '../accounts/email.js';
import { userStream } from '../accounts/events.js';
import { ExternalSessions } from '../accounts/externalSessions.js';
import { LinkIdentity } from '../accounts/linkIdentity.js';
import { RegisterUser } from '../accounts/register.js';
import { AccountResolver, AccountsResolver, UserResolver } from '../accounts/resolvers.js';
import { Account, accountPlan } from '../accounts/types.js';
import { ProfileResolver } from '../accounts/profileResolvers.js';
import { VerifyEmail } from '../accounts/verifyEmail.js';
import { SignedTokens } from '../secrets/signedTokens.js';
import { verifiedUser } from '../accounts/verifiedHolder.js';
import { UpdateProfile } from '../accounts/updateProfile.js';
import { SessionsResolver } from '../accounts/sessionResolvers.js';
import { SESSION_SECONDS, Sessions } from '../accounts/sessions.js';
import { ATTEMPTS, ATTEMPTS_WINDOW_MS, SignIn } from '../accounts/signIn.js';
import { SigningKeys } from '../accounts/signingKeys.js';
import { StartSession } from '../accounts/startSession.js';
import { QueryEmbedder } from '../catalogue/queryEmbedder.js';
import { CatalogueResolver, PatternFieldsResolver } from '../catalogue/resolvers.js';
import type { Config } from '../config.js';
import { fold } from '../eventsourcing/decider.js';
import type { Position } from '../eventsourcing/event.js';
import type { Recency } from '../eventsourcing/freshness.js';
import { PositionTokens } from '../eventsourcing/positionToken.js';
import { AccountAuditResolver, AuditResolver, pageOfLog } from '../audit/resolvers.js';
import { AddressGuard } from '../graphql/addressGuard.js';
import type { Authenticate } from '../graphql/authenticate.js';
import { authenticate } from '../graphql/authenticate.js';
import { demoKey } from '../graphql/demoCaller.js';
import { operatorAction } from '../graphql/operatorAction.js';
import { createLoaders } from '../graphql/loaders.js';
import { accountOf } from '../graphql/context.js';
import { Cursors } from '../graphql/cursors.js';
import { NodeResolver } from '../graphql/node.js';
import { createSchema, showMutations } from '../graphql/schema.js';
import type { TrustedDocuments } from '../graphql/trustedDocuments.js';
import { serveGraphQL } from '../graphql/server.js';
import { GracefulStop } from '../http/gracefulStop.js';
import { serveAudit } from '../http/audit.js';
import { serveHealth } from '../http/health.js';
import { serveSigningKeys } from '../http/signingKeys.js';
import { servePlayground } from '../http/playground.js';
import { createHttpServer } from '../http/server.js';
import { traceRequests } from '../http/tracing.js';
import { KeySecrets } from '../keys/secrets.js';
import { AccountKeysResolver, KeyFieldsResolver, KeysResolver } from '../keys/resolvers.js';
import { keyOf } from '../keys/types.js';
import type { Logger } from '../logger.js';
import { InviteMember } from '../teams/invite.js';
import {
  AccountTeamResolver,
  InvitationResolver,
  MemberResolver,
  MembershipResolver,
  ViewerTeamsResolver,
} from '../teams/fieldResolvers.js';
import { TeamsResolver } from '../teams/resolvers.js';
import { VerifyKey } from '../keys/verify.js';
import { VerifyKeyResolver } from '../keys/verifyResolvers.js';
import { OperatorKeysResolver } from '../keys/operatorResolvers.js';
import { OperatorsResolver } from '../operators/resolvers.js';
import { Issuers } from '../oidc/issuers.js';
import { PlansResolver } from '../plans/resolvers.js';
import { Guard } from '../usage/guard.js';
import type { UsageMoves } from '../usage/moves.js';
import { Standing } from '../usage/standing.js';
import { UsageResolver } from '../usage/resolvers.js';
import type { Access } from './access.js';
import { createKeyDesk } from './keyDesk.js';
import type { Metering } from './metering.js';
import type { Projections } from './projections.js';
import type { Search } from './search.js';
import type { Stores } from './stores.js';
import { describeCalls, describeProjections, followersOf } from './gauges.js';

/** Calls a minute of each anonymous field from one address. */
const ANONYMOUS_PER_MINUTE = 10;
/** A refresh token cannot be guessed, and behind one address there may be many people. */
const ANONYMOUS_PER_MINUTE_BY_FIELD = new Map([['refreshSession', 120]]);

/** Read models that commands change; what calls change shows a moment later. */
const SHOWN_MODELS = ['accounts', 'audit', 'catalogue', 'identities', 'keys', 'sessions', 'teams'];

/**
 * Mutations after which there is nothing to read back. What follows from a reset that is asked for depends on
 * whether somebody has the e-mail, and waiting beside it would tell.
 */
const NOTHING_TO_SHOW: ReadonlySet<string> = new Set(['requestPasswordReset', 'refreshSession', 'verifyKey']);

/** Read models that show that an account is there, or is no more. */
const SETTLED_MODELS = ['accounts', 'keys', 'teams'];
/** How long the first call of an identity waits for them, in milliseconds. */
const SETTLED_WAIT_MS = 3_000;

/** The queries of all read models. */
export interface Queries {
  readonly accounts: AccountQueries;
  readonly keys: KeyQueries;
  readonly identities: IdentityQueries;
  readonly sessions: SessionQueries;
  readonly teams: TeamQueries;
  readonly catalogue: CatalogueQueries;
  readonly usage: UsageQueries;
  readonly audit: AuditQueries;
}

/** Everything that answers a call. */
export interface Parts {
  readonly stores: Stores;
  readonly projections: Projections;
  readonly queries: Queries;
  readonly access: Access;
  readonly metering: Metering;
  readonly search: Search;
  readonly usageMoves: UsageMoves;
}

/** The commands that GraphQL and the demo account share. */
export interface ApiCommands {
  readonly register: RegisterUser;
  readonly keySecrets: KeySecrets;
}

export function createCommands({ stores, access }: Pick<Parts, 'stores' | 'access'>): ApiCommands {
  const { commands, personal, secrets, clock } = stores;
  return {
    register: new RegisterUser(commands, personal, secrets.EMAIL_HASH_KEY, clock),
    keySecrets: new KeySecrets(commands, secrets.KEY_PEPPER, () => access.plans.profile),
  };
}

/** The HTTP server, and how it stops. */
export interface Api {
  readonly fastify: FastifyInstance;
  readonly graceful: GracefulStop;
}

/** The HTTP server with everything on it, not yet listening. */
export async function createApi(
  parts: Parts,
  commands: ApiCommands,
  config: Config,
  documents: TrustedDocuments,
  log: Logger,
): Promise<Api> {
  const { stores, projections, queries, access, metering } = parts;
  const { metrics, tracing } = stores.telemetry;
  const fastify = await createHttpServer({
    trustProxy: config.trustProxy,
    corsOrigins: config.corsOrigins,
    log,
    metrics,
  });
  if (tracing) traceRequests(fastify, tracing);
  const signingKeys = await SigningKeys.open(stores.sql, stores.secrets.MASTER_KEY, SESSION_SECONDS * 1000);
  const sessions = new Sessions(signingKeys);
  const standing = new Standing(metering.limiter, (account) => access.plans.planOf(account));
  const guard = new Guard();
  const credible = { ...access, sessions, external: externalSessions(parts, config) };
  const whoCalls: Authenticate = (credentials) => authenticate(credentials, credible, stores.clock());
  const schema = createProductSchema(parts, commands, sessions, standing, whoCalls, log);
  await serveGraphQL(fastify, {
    schema,
    governor: metering.governor,
    standing,
    guard,
    addressGuard: new AddressGuard(ANONYMOUS_PER_MINUTE, ANONYMOUS_PER_MINUTE_BY_FIELD),
    plans: access.plans,
    metrics,
    tracing,
    access: credible,
    demo: (address, now) =>
      access.plans.profile.demo ? demoKey(metering.addresses, address, now) : undefined,
    clock: stores.clock,
    loaders: () => createLoaders(queries.accounts, queries.catalogue, queries.usage, stores.personal),
    usageMoves: parts.usageMoves,
    onRevoked: access.onRevoked,
    documents,
    production: config.production,
    log,
  });
  const graceful = new GracefulStop(fastify, { drainMs: config.shutdownDrainMs });
  const problems = (): string[] => [
    ...(graceful.problem === undefined ? [] : [graceful.problem]),
    ...(metering.journal.problem === undefined ? [] : [metering.journal.problem]),
    ...projections.models.failures().map(({ model }) => `the read model ${model} does not get on`),
  ];
  const followers = () => followersOf(stores, projections);
  const warnings = (): string[] => [
    ...projections.warnings(),
    ...(access.recency.stale ? [staleAccess(access.recency)] : []),
    ...(metering.limitsUp() ? [] : ['Redis is away: limits are decided as LIMITS_ON_OUTAGE says']),
  ];
  serveHealth(fastify, { problems, warnings, followers }, metrics);
  serveAudit(fastify, {
    audit: queries.audit,
    authenticate: whoCalls,
    wait: (account) => guard.take(`account ${account}`, stores.clock()),
    log,
  });
  serveSigningKeys(fastify, () => signingKeys.published(stores.clock()));
  await servePlayground(fastify, schema);
  describeProjections(metrics, projections, stores);
  describeCalls(metrics, access, metering);
  return { fastify, graceful };
}

/** Sessions of the issuers that the configuration names; undefined where there are none. */
function externalSessions(
  { stores, projections, access }: Parts,
  { oidcIssuers, oidcSharedSecret }: Config,
): ExternalSessions | undefined {
  if (oidcIssuers.length === 0) return undefined;
  const { commands, personal, secrets } = stores;
  const { models } = projections;
  const shown = (position: Position) =>
    Promise.all(SETTLED_MODELS.map((name) => models.reached(name, position, SETTLED_WAIT_MS)));
  return new ExternalSessions(
    new Issuers(oidcIssuers, { sharedSecret: oidcSharedSecret }),
    access.identities,
    new LinkIdentity(commands, personal, secrets.EMAIL_HASH_KEY, shown),
    secrets.EMAIL_HASH_KEY,
  );
}

function staleAccess({ ageMs }: Recency): string {
  const since = Number.isFinite(ageMs) ? `for ${(ageMs / 1000).toFixed(1)} seconds` : 'since the start';
  return `nothing has been heard of the event store ${since}: each key and session is looked up in it`;
}

function createProductSchema(
  { stores, projections, queries, access, metering, search }: Parts,
  { register, keySecrets }: ApiCommands,
  sessions: Sessions,
  standing: Standing,
  whoCalls: Authenticate,
  log: Logger,
): GraphQLSchema {
  const { store, secrets, personal } = stores;
  const { models, policies } = projections;
  const { plans } = access;
  const planOf = (account: string) => plans.planOf(account);
  const tokens = new PositionTokens(stores.storeId);
  const deleteAccount = new DeleteAccount(stores.commands, personal, secrets.EMAIL_HASH_KEY);
  const action = operatorAction(metering.addresses);
  const cursors = new Cursors(secrets.SESSION_KEY);
  const auditLog = pageOfLog(queries.audit, cursors);
  const catalogue = new CatalogueResolver(
    queries.catalogue,
    search,
    new QueryEmbedder(search.model, (error) => log.error('a query has no vector', error)),
    cursors,
    planOf,
    () => plans.profile.plans,
  );
  const startSession = new StartSession(stores.commands, sessions, stores.refreshTokens);
  const deleted = (account: string) => access.deletedAccounts.has(account);
  const attempts = new Guard(ATTEMPTS, ATTEMPTS_WINDOW_MS);
  const signIn = new SignIn(
    new Credentials(stores.commands, personal),
    startSession,
    attempts,
    secrets.EMAIL_HASH_KEY,
    deleted,
  );
  const refreshSession = new RefreshSession(stores.commands, sessions, stores.refreshTokens, deleted);
  const mailedTokens = new SignedTokens(secrets.SESSION_KEY);
  const settled = async (position: number, timeoutMs: number): Promise<boolean> => {
    if (!(await policies.reached(position, timeoutMs))) return false;
    const head = await store.head();
    const all = await Promise.all(SETTLED_MODELS.map((name) => models.reached(name, head, timeoutMs)));
    return all.every(Boolean);
  };
  const showing = new Shown(models, SHOWN_MODELS);
  stores.commands.onAppended(showing.appended);
  const shown = () => showing.wait();
  const schema = createSchema([
    new SessionsResolver(signIn, refreshSession, stores.commands, tokens),
    new ProfileResolver(
      new ChangePassword(stores.commands, personal, startSession, attempts, secrets.EMAIL_HASH_KEY),
      new UpdateProfile(stores.commands, personal, secrets.EMAIL_HASH_KEY),
      new VerifyEmail(stores.commands, mailedTokens),
      tokens,
      shown,
    ),
    new AccountsResolver(register, deleteAccount, startSession, tokens, settled),
    new EmailResolver(
      new RequestPasswordReset(stores.commands, secrets.EMAIL_HASH_KEY),
      new ResetPassword(stores.commands, personal, mailedTokens),
      new RequestEmailChange(stores.commands, personal, attempts, secrets.EMAIL_HASH_KEY),
      new ConfirmEmailChange(stores.commands, mailedTokens),
      tokens,
      settled,
    ),
    new UserResolver(),
    new AccountResolver(planOf),
    catalogue,
    new PatternFieldsResolver(),
    new KeysResolver(keySecrets, stores.commands, tokens),
    new KeyFieldsResolver(),
    new AccountKeysResolver(queries.keys, cursors),
    new VerifyKeyResolver(
      new VerifyKey(createKeyDesk(whoCalls, standing, metering.governor, planOf)),
      (account) => accountPlan(planOf(account)),
    ),
    ...teamResolvers(stores, queries, access, cursors, tokens),
    new UsageResolver(
      queries.usage,
      standing,
      planOf,
      () => plans.profile.headers,
      tokens,
      () => metering.journal.lastPosition,
      (position, timeoutMs) => models.reached('usage', position, timeoutMs),
    ),
    new OperatorsResolver(stores.commands, action, (userId) => verifiedUser(stores.commands, userId), tokens),
    new OperatorKeysResolver(stores.commands, action, tokens),
    new PlansResolver(stores.commands, action, plans, tokens),
    new AuditResolver(auditLog),
    new AccountAuditResolver(auditLog),
    new NodeResolver([
      (id, context) => catalogue.node(id, context),
      (id, context) => (id === accountOf(context) ? Object.assign(new Account(), { id }) : undefined),
      async (id, context) => {
        // As with the list of keys, which says so at the field.
        const { caller } = context;
        if (caller.kind === 'key' && !caller.key.scopes.includes('admin')) return undefined;
        const row = await queries.keys.find(accountOf(context), id);
        return row && keyOf(row);
      },
    ]),
  ]);
  showMutations(schema, shown, NOTHING_TO_SHOW);
  return schema;
}

function teamResolvers(
  { commands, personal, secrets }: Stores,
  queries: Queries,
  { plans }: Access,
  cursors: Cursors,
  positions: PositionTokens,
): object[] {
  const key = secrets.EMAIL_HASH_KEY;
  const hashOf = (email: string) => emailHash(key, email);
  return [
    new TeamsResolver({
      commands,
      invite: new InviteMember(commands, personal, key, hashOf),
      normaliseEmail,
      emailOf: async (userId) => {
        const hash = await emailHashOf(commands, personal, key, userId);
        if (hash === undefined) return undefined;
        const { emailVerified } = fold(userDecider, await commands.load(userStream(userId)));
        return { hash, verified: emailVerified };
      },
      planOf: (account) => plans.planOf(account).plan,
      plans: () => plans.profile.plans,
      invitationTokens: new SignedTokens(secrets.SESSION_KEY),
      positions,
    }),
    new AccountTeamResolver(queries.teams, cursors),
    new ViewerTeamsResolver(queries.teams, cursors),
    new MemberResolver(),
    new MembershipResolver(),
    new InvitationResolver(),
  ];
}
