import type { FastifyInstance } from 'fastify';
import { AnalysisChanges } from '../analysis/changes.js';
import { ExternalSessions } from '../identities/externalSessions.js';
import { RegisterVouchedUser } from '../accounts/registerVouchedUser.js';
import { LinkIdentity } from '../identities/linkIdentity.js';
import { SESSION_SECONDS, Sessions } from '../sessions/sessions.js';
import { SigningKeys } from '../sessions/signingKeys.js';
import type { Config } from '../config.js';
import type { Position } from '../eventsourcing/event.js';
import type { Recency } from '../following/freshness.js';
import { AddressGuard } from '../gate/addressGuard.js';
import { demoKey } from '../gate/demoCaller.js';
import { Gate } from '../gate/gate.js';
import type { TrustedDocuments } from '../graphql/transport/trustedDocuments.js';
import { serveGraphQL } from '../graphql/transport/server.js';
import { GracefulStop } from '../http/gracefulStop.js';
import { serveHealth } from '../http/health.js';
import { serveSigningKeys } from '../http/signingKeys.js';
import { servePlayground } from '../http/playground.js';
import type { HttpOptions } from '../http/server.js';
import { serveApiPage } from '../http/apiPage.js';
import { createHttpServer } from '../http/server.js';
import { traceRequests } from '../http/tracing.js';
import type { Logger } from '../logger.js';
import { compileRoutes, exampleOf } from '../rest/declared/compile.js';
import type { Declared } from '../rest/declared/file.js';
import { serveDeclared, tellNotFound } from '../rest/declared/serve.js';
import { stripePlaces, withoutStripe } from '../rest/declared/stripe.js';
import { openApiOf } from '../rest/openapi.js';
import { serveRoutes } from '../rest/serve.js';
import { CAPABILITIES, loadersOf } from '../capabilities.js';
import { Issuers } from '../oidc/issuers.js';
import { SLIDING_MS } from '../plans/profile.js';
import { Guard, GUARD_PER_MINUTE } from '../usage/limits/guard.js';
import { LimitStates } from '../usage/limits/limitStates.js';
import type { RequestIds } from '../usage/requestId.js';
import { RequestId } from '../usage/requestId.js';
import type { ApiCommands, Parts } from './parts.js';
import { accountsShown } from './projections.js';
import { createProductSchema, createServices } from './schema.js';
import { describeCalls, describeProjections, followersOf } from './gauges.js';

/** How long the first call of an identity waits until its account is shown, in milliseconds. */
const SHOWN_WAIT_MS = 3_000;

/** Calls a minute of each anonymous field from one address. */
const ANONYMOUS_PER_MINUTE = 10;
/** A refresh token cannot be guessed, and behind one address there may be many people. */
const ANONYMOUS_PER_MINUTE_BY_FIELD = new Map([['refreshSession', 120]]);

/** The HTTP server, and how it stops. */
export interface Api {
  readonly fastify: FastifyInstance;
  readonly graceful: GracefulStop;
  /** A route of the profile's that a key may ask. */
  readonly example: string | undefined;
}

/** The HTTP server with everything on it, not yet listening. */
export async function createApi(
  parts: Parts,
  commands: ApiCommands,
  config: Config,
  documents: TrustedDocuments,
  declared: Declared | undefined,
  log: Logger,
): Promise<Api> {
  const { stores, projections, queries, access, metering, scanner } = parts;
  const { metrics, tracing } = stores.telemetry;
  let notFound: NonNullable<HttpOptions['notFound']> = () =>
    scanner && { status: 404, body: { detail: 'Not Found' } };
  const mint = (): string => metering.journal.mintUseId();
  const requestIds: RequestIds = (given) => RequestId.of(given, mint);
  const fastify = await createHttpServer({
    trustProxy: config.trustProxy,
    publicUrl: config.publicUrl,
    corsOrigins: config.corsOrigins,
    exposedHeaders: Object.keys(stores.profile.headers.named ?? {}),
    notFound: (request) => notFound(request),
    requestIds,
    log,
    metrics,
  });
  if (tracing) traceRequests(fastify, tracing);
  const signingKeys = await SigningKeys.open(stores.sql, stores.secrets.MASTER_KEY, SESSION_SECONDS * 1000);
  const sessions = new Sessions(signingKeys);
  const limitStates = new LimitStates(metering.limiter, (account) => access.plans.planOf(account));
  const gate = new Gate({
    access: { ...access, sessions, external: externalSessions(parts, config) },
    demo: (address, now) =>
      access.plans.profile.demo ? demoKey(metering.addresses, address, now) : undefined,
    clock: stores.clock,
    billingClock: stores.billingClock,
    governor: metering.governor,
    limitStates,
    guard: new Guard(GUARD_PER_MINUTE, SLIDING_MS.minute, stores.elapsed),
    addressGuard: new AddressGuard(ANONYMOUS_PER_MINUTE, ANONYMOUS_PER_MINUTE_BY_FIELD, stores.elapsed),
    plans: access.plans,
    metrics,
  });
  const problems = (): string[] => [
    ...(graceful.problem === undefined ? [] : [graceful.problem]),
    ...(metering.journal.problem === undefined ? [] : [metering.journal.problem]),
    ...projections.models.failures().map(({ model }) => `the read model ${model} is not making progress`),
  ];
  const services = createServices(parts, commands, { sessions, limitStates, gate, problems }, log);
  const schema = createProductSchema(services);
  const calls = await serveGraphQL(fastify, {
    schema,
    gate,
    limitStates,
    metrics,
    tracing,
    loaders: () => loadersOf({ queries, personal: stores.personal }),
    requestIds,
    usageChanges: parts.usageChanges,
    analysisChanges: scanner?.desk.changes ?? new AnalysisChanges(),
    onRevoked: access.onRevoked,
    documents,
    production: config.production,
    maxAnswerBytes: config.maxAnswerBytes,
    log,
  });
  const graceful = new GracefulStop(fastify, { drainMs: config.shutdownDrainMs });
  const followers = () => followersOf(stores, projections);
  const warnings = (): string[] => [
    ...projections.warnings(),
    ...(access.recency.stale ? [staleAccess(access.recency)] : []),
    ...limitsWarning(metering.limitsProblem()),
    ...(metering.limitsUp() ? [] : ['Redis is away: limits are decided as LIMITS_ON_OUTAGE says']),
  ];
  const all = declared && compileRoutes(schema, declared.routes, declared.source);
  const compiled = all && (parts.billing ? all : withoutStripe(all));
  const own = compiled?.routes.some(({ path }) => path === '/health') === true || scanner !== undefined;
  serveHealth(fastify, { problems, warnings, followers }, metrics, own ? ['/v1/health'] : undefined);
  await scanner?.serveDemo(fastify);
  await parts.billing?.serve(fastify, compiled ? stripePlaces(compiled) : []);
  const routes = CAPABILITIES.flatMap((capability) => capability.routes?.(services) ?? []);
  serveRoutes(fastify, routes, { gate, metrics, log });
  serveApiPage(
    fastify,
    openApiOf({ title: stores.profile.product, url: config.publicUrl }, compiled, routes),
  );
  serveSigningKeys(fastify, () => signingKeys.published(stores.clock()));
  let root: Parameters<typeof servePlayground>[3];
  if (compiled) {
    const options = { ...calls, compiled, gate, plans: access.plans, problems, metrics, log };
    ({ root } = serveDeclared(fastify, options));
    notFound = (request) => tellNotFound(options, request);
  }
  await servePlayground(fastify, schema, stores.profile, root);
  describeProjections(metrics, projections, stores);
  describeCalls(metrics, access, metering);
  return { fastify, graceful, example: compiled && exampleOf(compiled) };
}

/** Sessions of the issuers that the configuration names; undefined where there are none. */
function externalSessions(
  { stores, projections, access }: Parts,
  { oidcIssuers, oidcSharedSecret }: Config,
): ExternalSessions | undefined {
  if (oidcIssuers.length === 0) return undefined;
  const { commands, personal, secrets } = stores;
  const shown = (position: Position) => accountsShown(projections.models, position, SHOWN_WAIT_MS);
  return new ExternalSessions(
    new Issuers(oidcIssuers, { sharedSecret: oidcSharedSecret }),
    access.identities,
    new LinkIdentity(commands, new RegisterVouchedUser(commands, personal, secrets.EMAIL_HASH_KEY), shown),
    secrets.EMAIL_HASH_KEY,
  );
}

function limitsWarning(problem: string | undefined): string[] {
  return problem === undefined
    ? []
    : [`governed calls of accounts whose limits are not in memory are refused: ${problem}`];
}

function staleAccess({ ageMs }: Recency): string {
  const since = Number.isFinite(ageMs) ? `for ${(ageMs / 1000).toFixed(1)} seconds` : 'since the start';
  return `nothing has been heard of the event store ${since}: each key and session is looked up in it`;
}
