import { join } from 'node:path';
import { AccountQueries } from '../projections/accounts/queries.js';
import { CatalogueQueries } from '../projections/catalogue/queries.js';
import { KeyQueries } from '../projections/keys/queries.js';
import type { Projector } from '../projections/runner.js';
import { UsageQueries } from '../projections/usage/queries.js';
import { importPatterns, readPatternFiles } from './catalogue/importer.js';
import { followAccess } from './composition/access.js';
import type { Queries } from './composition/api.js';
import { createApi, createCommands, listen } from './composition/api.js';
import { openMetering } from './composition/metering.js';
import type { StartOptions } from './composition/options.js';
import { catchUp, settle, startProjections } from './composition/projections.js';
import { openSearch } from './composition/search.js';
import { Shutdown } from './composition/shutdown.js';
import type { Stores } from './composition/stores.js';
import { openStores, SYSTEM } from './composition/stores.js';
import { createDemo } from './demo.js';
import type { CommandHandler } from './eventsourcing/commandHandler.js';
import type { EventStore } from './eventsourcing/eventStore.js';
import type { Journal } from './usage/journal.js';

export type { StartOptions } from './composition/options.js';

/** A running Tollgraph. */
export interface App {
  /** E.g. `http://127.0.0.1:4000`. */
  readonly url: string;
  /** The demo key, when this start has made it. */
  readonly demoKey: string | undefined;
  /** Patterns that this start has published or revised. */
  readonly imported: number;
  /** The parts that command-line tools and tests work with. */
  readonly parts: {
    readonly projector: Projector;
    readonly store: EventStore;
    readonly commands: CommandHandler;
    readonly journal: Journal;
    readonly vectors: () => Promise<void>;
  };
  /** Answers what is under way, flushes, and closes. @throws ShutdownFailed */
  close(): Promise<void>;
}

const ACCESS_WAIT_MS = 250;

/**
 * The composition root: opens what the configuration names, starts the read models, and serves.
 * @throws ConfigError, DataDirInUse
 */
export async function start(options: StartOptions): Promise<App> {
  const shutdown = new Shutdown(options.log);
  try {
    return await startAll(options, shutdown);
  } catch (error) {
    // The error that ended the start is the one to tell; what else fails now is logged.
    await shutdown.run().catch(() => undefined);
    throw error;
  }
}

async function startAll(options: StartOptions, shutdown: Shutdown): Promise<App> {
  const { config, root, log, onProgress = () => {}, demo = false } = options;
  onProgress('Opening the database', 0, 1);
  const stores = await openStores(config, root, shutdown);
  onProgress('Opening the database', 1, 1);
  const { sql, store, commands, clock } = stores;

  const projections = await startProjections(stores, log, shutdown);
  const { projector } = projections;
  await catchUp(projections, stores, onProgress);

  const queries: Queries = {
    accounts: new AccountQueries(sql, projector.access('accounts')),
    keys: new KeyQueries(sql, projector.access('keys')),
    catalogue: new CatalogueQueries(sql, projector.access('catalogue'), projector.access('popularity')),
    usage: new UsageQueries(sql, projector.access('usage')),
  };
  const loadedFrom = Math.min(
    ...['accounts', 'keys'].map((name) => projector.access(name).state().checkpoint),
  );
  const access = await followAccess(stores, projections.reader, loadedFrom, queries, log, shutdown);
  const imported = await loadCatalogue(options, stores, queries);
  const metering = await openMetering(stores, queries.usage, config, log, shutdown);
  const search = openSearch(sql, projector, config.embeddings, log, shutdown);

  const parts = { stores, projections, queries, access, metering, search };
  const apiCommands = createCommands(parts);
  const fastify = await createApi(parts, apiCommands, config, log);
  await catchUp(projections, stores, onProgress);
  await access.follower.reached(await store.head(), ACCESS_WAIT_MS);
  const url = await listen(fastify, config);
  shutdown.add('HTTP server', () => fastify.close());

  // Last, when nothing can fail any more: its key is shown once, by the start that has made it.
  const demoKey =
    demo && !config.production
      ? await createDemo({ commands, ...apiCommands, plans: access.plans, now: clock() })
      : undefined;
  await settle(projections, stores, onProgress);

  return {
    url,
    demoKey,
    imported,
    parts: { projector, store, commands, journal: metering.journal, vectors: () => search.idle() },
    close: () => shutdown.run(),
  };
}

/** Publishes the patterns' files as far as they have changed. */
async function loadCatalogue(
  { root, patterns, onProgress = () => {} }: StartOptions,
  { commands, profile, clock }: Stores,
  { catalogue }: Queries,
): Promise<number> {
  if (patterns === null) return 0;
  return importPatterns(
    commands,
    await readPatternFiles(patterns ?? join(root, 'patterns'), profile.tiers),
    await catalogue.contentHashes(),
    { ...SYSTEM, at: new Date(clock()) },
    (done, total) => onProgress('Loading the catalogue', done, total),
  );
}
