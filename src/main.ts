import { join } from 'node:path';
import type { Queries } from '../projections/index.js';
import { queriesOf } from '../projections/index.js';
import { furthestBehind } from './following/readModel.js';
import type { Projector } from './following/projector.js';
import type { Policies } from './following/policyRunner.js';
import { importCommands } from './admin/importUsers.js';
import { parkedCommands } from './admin/parked.js';
import { readModelCommands } from './admin/readModels.js';
import type { AdminCommands } from './admin/server.js';
import { AdminServer } from './admin/server.js';
import { followAccess } from './composition/access.js';
import { createApi } from './composition/api.js';
import type { BillingWorker } from './billing/worker.js';
import { openBilling, operateBilling } from './composition/billing.js';
import type { OverageWork } from './composition/overage.js';
import { openOverage } from './composition/overage.js';
import { correctDuplicates, createReporting, expireReservations } from './composition/reporting.js';
import { followUsage, openMetering } from './composition/metering.js';
import { openEnvironmentAccounts } from './composition/environmentKeys.js';
import type { OnProgress, StartOptions } from './composition/options.js';
import type { ApiCommands, Parts } from './composition/parts.js';
import { createCommands } from './composition/parts.js';
import type { Projections, RunningProjections } from './composition/projections.js';
import {
  catchUp,
  eraseRestored,
  followProjections,
  settle,
  startProjections,
} from './composition/projections.js';
import { createProjectorServer } from './composition/projectorServer.js';
import { publishOperators, publishPatterns, publishPlans } from './composition/publish.js';
import { openMiniLm } from './adapters/embeddings/minilm.js';
import { openSearch } from './catalogue/search.js';
import { Shutdown } from './shutdown.js';
import { openScanner } from './composition/scanner.js';
import { startWorkers } from './composition/workers.js';
import type { RunningSandbox } from './composition/sandbox.js';
import { openSandbox } from './composition/sandbox.js';
import type { Stores } from './composition/stores.js';
import { openStores } from './composition/stores.js';
import type { Config } from './config.js';
import { createDemo } from './demo.js';
import type { CommandHandler } from './eventsourcing/commandHandler.js';
import type { EventStore } from './eventsourcing/eventStore.js';
import type { DailyReports } from './mail/dailyReport.js';
import { listen, probeAddress } from './http/listen.js';
import type { Sql } from './sql/sql.js';
import { readTrustedDocuments } from './graphql/transport/trustedDocuments.js';
import type { Logger } from './logger.js';
import { readRoutes } from './rest/declared/file.js';
import type { Journal } from './usage/journal/journal.js';

export type { StartOptions } from './composition/options.js';

/** A running process of Tollgraph, in whatever role. */
export interface Server {
  /** E.g. `http://127.0.0.1:4000`. */
  readonly url: string;
  /** The demo key, when this start has made it. */
  readonly demoKey: string | undefined;
  /** Patterns that this start has published or revised. */
  readonly imported: number;
  /** Whether the profile has a catalogue of patterns. */
  readonly catalogue: boolean;
  /** The path of a route of the profile's that a key may ask; undefined where it has none. */
  readonly example: string | undefined;
  /** Whether it has a page at `/demo` for people. */
  readonly demoPage: boolean;
  /** Whether payments go to the sandbox of this process. */
  readonly sandbox: boolean;
  /** Answers what is under way, flushes, and closes. @throws ShutdownFailed */
  close(): Promise<void>;
}

/** A running Tollgraph: everything in one process. */
export interface App extends Server {
  /** The parts that command-line tools and tests work with. */
  readonly parts: {
    readonly sql: Sql;
    readonly projector: Projector;
    readonly policies: Policies;
    readonly store: EventStore;
    readonly commands: CommandHandler;
    readonly journal: Journal;
    readonly vectors: () => Promise<void>;
    readonly billing: BillingWorker | undefined;
    readonly overage: OverageWork | undefined;
    readonly reports: DailyReports | undefined;
  };
}

const ACCESS_WAIT_MS = 250;
/** How long time that is moved waits for read models at each moment, in milliseconds. */
const MOMENT_MS = 5_000;

/**
 * The composition root: opens what the configuration names and starts what the role asks for.
 * @throws ConfigError, DataDirInUse
 */
export function startRole(options: StartOptions): Promise<Server> {
  const roles = { all: startAll, api: startApi, projector: startProjector };
  return opened(options, roles[options.config.role]);
}

/** Starts everything in this process, whatever the role says. @throws ConfigError, DataDirInUse */
export function start(options: StartOptions): Promise<App> {
  return opened(options, startAll);
}

type Starting<S> = (
  options: StartOptions,
  stores: Stores,
  shutdown: Shutdown,
  report: OnProgress,
) => Promise<S>;

async function opened<S>(options: StartOptions, starting: Starting<S>): Promise<S & Pick<Server, 'close'>> {
  const { config, root, log, onProgress = () => {} } = options;
  for (const warning of config.warnings) log.warn(warning);
  const shutdown = new Shutdown(log);
  try {
    await probeAddress(config);
    onProgress('Opening the database', 0, 1);
    const given = await openStores(config, root, log, shutdown, options.time);
    const stores = { ...given, billingClock: options.billingClock ?? given.clock };
    onProgress('Opening the database', 1, 1);
    const started = await starting(options, stores, shutdown, onProgress);
    return { ...started, close: () => shutdown.run() };
  } catch (error) {
    // The error that ended the start is the one to tell; what else fails now is logged.
    await shutdown.run().catch(() => undefined);
    throw error;
  }
}

async function startAll(
  options: StartOptions,
  opened: Stores,
  shutdown: Shutdown,
  report: OnProgress,
): Promise<Omit<App, 'close'>> {
  const { log, demo = false } = options;
  const sandbox = await openSandbox(options.config, opened, log, shutdown);
  const config = sandbox?.config ?? options.config;
  const stores = sandbox ? { ...opened, billingClock: sandbox.clock } : opened;
  const { store, commands } = stores;
  await publishPlans(stores);
  await publishOperators(stores);
  const projections = await startProjections(stores, log, shutdown);
  const operator = await serveOperator(projections, stores, config, log, shutdown, sandbox?.commands);
  await catchUp(projections, stores, report);
  const queries = queriesOf(projections.sql, projections.models);
  await eraseRestored(stores, queries, log);
  const imported = await publishPatterns(options, stores, queries.catalogue, report);
  const { url, example, parts, apiCommands } = await serveCalls(
    { ...options, config },
    stores,
    projections,
    queries,
    shutdown,
    report,
    sandbox,
  );

  operator.add(operateBilling(queries, stores, parts.billing));
  const { billing, overage, reports } = await startWorkers({
    config,
    root: options.root,
    stores,
    projections,
    queries,
    billing: parts.billing,
    overage: parts.overage,
    scanner: parts.scanner,
    profile: () => parts.access.plans.profile,
    log,
    shutdown,
  });
  sandbox?.works(async () => {
    try {
      // What webhooks have brought is shown, and then acted on.
      await projections.models.allReached(await store.head(), MOMENT_MS);
      await billing?.work();
      await projections.models.allReached(await store.head(), MOMENT_MS);
      await overage?.work();
    } catch (error) {
      log.error('what was due at a moment of the sandbox is not done yet', error);
    }
  });
  // Last, when nothing can fail any more: its key is shown once, by the start that has made it.
  const demoKey =
    demo && !config.production
      ? await createDemo({ commands, ...apiCommands, plans: parts.access.plans, now: stores.clock() })
      : undefined;
  await settle(projections, stores, report);

  const { metering, search } = parts;
  return {
    url,
    demoKey,
    imported,
    catalogue: hasCatalogue(stores),
    example,
    demoPage: parts.scanner !== undefined,
    sandbox: sandbox !== undefined,
    parts: {
      sql: stores.sql,
      projector: projections.models,
      policies: projections.policies,
      store,
      commands,
      journal: metering.journal,
      vectors: () => search.idle(),
      billing,
      overage,
      reports,
    },
  };
}

/** Answers calls, as soon as the projector has built the read models of this version. */
async function startApi(
  options: StartOptions,
  stores: Stores,
  shutdown: Shutdown,
  report: OnProgress,
): Promise<Omit<Server, 'close'>> {
  sayWithoutSandbox(options.config, options.log);
  const projections = await followProjections(stores, options.log, shutdown);
  await catchUp(projections, stores, report);
  const queries = queriesOf(projections.sql, projections.models);
  const { url, example } = await serveCalls(options, stores, projections, queries, shutdown, report);
  const catalogue = hasCatalogue(stores);
  return { url, demoKey: undefined, imported: 0, sandbox: false, demoPage: false, catalogue, example };
}

/** Keeps the read models, runs the policies, and publishes plans and patterns. */
async function startProjector(
  options: StartOptions,
  stores: Stores,
  shutdown: Shutdown,
  report: OnProgress,
): Promise<Omit<Server, 'close'>> {
  const { config, log } = options;
  sayWithoutSandbox(config, log);
  await publishPlans(stores);
  await publishOperators(stores);
  const projections = await startProjections(stores, log, shutdown);
  const operator = await serveOperator(projections, stores, config, log, shutdown);
  let caughtUp = false;
  const { fastify, graceful } = await createProjectorServer(projections, stores, () => caughtUp, config, log);
  const url = await listen(fastify, config);
  shutdown.add('HTTP server', () => graceful.stop());

  await catchUp(projections, stores, report);
  const queries = queriesOf(projections.sql, projections.models);
  await eraseRestored(stores, queries, log);
  const imported = await publishPatterns(options, stores, queries.catalogue, report);
  openSearch(projections, embedder(config), true, log, shutdown);
  const profile = () => stores.profile;
  const billing = await openBilling(stores, config, queries, log, profile);
  const overage = openOverage(stores, queries, billing, { profile, returnUrl: config.paymentReturnUrl });
  operator.add(operateBilling(queries, stores, billing));
  const scanner = await openScanner(
    config,
    stores,
    options.root,
    shutdown,
    billing?.onePayment,
    overage.credits,
    () => {
      throw new Error('this process takes no files');
    },
  );
  await startWorkers({
    config,
    root: options.root,
    stores,
    projections,
    queries,
    billing,
    overage,
    scanner,
    profile,
    log,
    shutdown,
  });
  await settle(projections, stores, report);
  caughtUp = true;
  const catalogue = hasCatalogue(stores);
  return {
    url,
    demoKey: undefined,
    imported,
    sandbox: false,
    demoPage: false,
    catalogue,
    example: undefined,
  };
}

/** Takes the commands of whoever runs this process. */
async function serveOperator(
  projections: RunningProjections,
  { store, commands, personal, secrets, profile, clock }: Stores,
  { dataDir }: Config,
  log: Logger,
  shutdown: Shutdown,
  more: AdminCommands = {},
): Promise<AdminServer> {
  const { models: projector, policies } = projections;
  const { usage } = queriesOf(projections.sql, projector);
  const all = {
    ...readModelCommands(projector, store),
    ...more,
    ...importCommands({ commands, personal, secrets, profile, clock }),
    ...parkedCommands({ projector, policies, usage, store, commands, clock }),
  };
  const operator = await AdminServer.open(dataDir, all, log);
  shutdown.add('operator socket', () => operator.close());
  return operator;
}

async function serveCalls(
  { config, root, log }: StartOptions,
  stores: Stores,
  projections: Projections,
  queries: Queries,
  shutdown: Shutdown,
  report: OnProgress,
  sandbox?: RunningSandbox,
): Promise<{ url: string; example: string | undefined; parts: Parts; apiCommands: ApiCommands }> {
  const { reader, models } = projections;
  const access = await followAccess(stores, reader, furthestBehind(models), queries, log, shutdown);
  await openEnvironmentAccounts(stores, access.plans);
  const metering = await openMetering(stores, queries.usage, config, log, shutdown);
  const search = openSearch(projections, embedder(config), config.role !== 'api', log, shutdown);
  const usageChanges = await followUsage(stores, projections, metering.journal, log, shutdown);
  const profile = () => access.plans.profile;
  const billing = await openBilling(stores, config, queries, log, profile);
  const overage = openOverage(stores, queries, billing, { profile, returnUrl: config.paymentReturnUrl });
  const reporting = createReporting({ stores, projections, queries, access, metering, log });
  expireReservations(reporting, stores.billingClock, log, shutdown);
  await correctDuplicates(stores, queries.usage, metering.limiter, log, shutdown);
  const parts: Parts = {
    stores,
    projections,
    queries,
    access,
    metering,
    search,
    usageChanges,
    reporting,
    billing,
    scanner: await openScanner(
      config,
      stores,
      root,
      shutdown,
      billing?.onePayment,
      overage.credits,
      (account) => access.plans.planOf(account),
    ),
    overage,
  };
  const apiCommands = createCommands(parts);
  const documents = await readTrustedDocuments(root);
  const declared = await readRoutes(join(root, 'profiles', `${config.profile}.routes.yaml`));
  const { fastify, graceful, example } = await createApi(
    parts,
    apiCommands,
    config,
    documents,
    declared,
    log,
  );
  await sandbox?.serve(fastify);
  await catchUp(projections, stores, report);
  await access.follower.reached(await stores.store.head(), ACCESS_WAIT_MS);
  const url = await listen(fastify, config);
  sandbox?.listens(url);
  shutdown.add('HTTP server', () => graceful.stop());
  return { url, example, parts, apiCommands };
}

/** One process hosts the sandbox (decision 36): others say that they take no payments. */
function sayWithoutSandbox({ billing, role }: Config, log: Logger): void {
  if (billing.mode !== 'sandbox') return;
  log.warn(
    `ROLE=${role} has no sandbox, so this process takes no payments: run one process with ROLE=all, or set STRIPE_SECRET_KEY (docs/sandbox.md)`,
  );
}

const hasCatalogue = ({ profile }: Stores): boolean => profile.tiers.length > 0;

const embedder = ({ embeddings }: Config) => (embeddings === 'local' ? () => openMiniLm() : undefined);
