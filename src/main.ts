import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { accounts as accountsModel } from '../projections/accounts/model.js';
import { AccountQueries } from '../projections/accounts/queries.js';
import { catalogue as catalogueModel } from '../projections/catalogue/model.js';
import { CatalogueQueries } from '../projections/catalogue/queries.js';
import { CatalogueSearch } from '../projections/catalogue/search.js';
import { PatternVectors } from '../projections/catalogue/vectors.js';
import { keys as keysModel } from '../projections/keys/model.js';
import { KeyQueries } from '../projections/keys/queries.js';
import { popularity as popularityModel } from '../projections/popularity/model.js';
import type { ReadModel } from '../projections/readModel.js';
import { Projector } from '../projections/runner.js';
import { usage as usageModel } from '../projections/usage/model.js';
import { UsageQueries } from '../projections/usage/queries.js';
import { openAccount } from './accounts/policies.js';
import { RegisterUser } from './accounts/register.js';
import { AccountResolver, AccountsResolver, UserResolver } from './accounts/resolvers.js';
import { Sessions } from './accounts/sessions.js';
import { openMiniLm } from './adapters/embeddings/minilm.js';
import { PostgresEventStore } from './adapters/postgres/eventStore.js';
import { openPostgres } from './adapters/postgres/pg.js';
import { openPglite } from './adapters/postgres/pglite.js';
import { Cursors } from './catalogue/cursor.js';
import type { Embedder } from './catalogue/embedder.js';
import { importPatterns, readPatternFiles } from './catalogue/importer.js';
import { QueryEmbedder } from './catalogue/queryEmbedder.js';
import { CatalogueResolver, PatternFieldsResolver } from './catalogue/resolvers.js';
import { VectorWorker } from './catalogue/vectorWorker.js';
import { monotonicClock } from './clock.js';
import type { Config, SecretName } from './config.js';
import { ConfigError, SECRET_NAMES } from './config.js';
import { lockDataDir, nodeId } from './dataDir.js';
import { createDemo } from './demo.js';
import { CommandHandler } from './eventsourcing/commandHandler.js';
import { START } from './eventsourcing/event.js';
import { EventReader } from './eventsourcing/reader.js';
import { Follower } from './eventsourcing/follower.js';
import { PolicyRunner } from './eventsourcing/policy.js';
import { PositionTokens } from './eventsourcing/positionToken.js';
import { AddressGuard } from './graphql/addressGuard.js';
import { createLoaders } from './graphql/loaders.js';
import { createSchema } from './graphql/schema.js';
import { serveGraphQL } from './graphql/server.js';
import { serveHealth } from './http/health.js';
import { servePlayground } from './http/playground.js';
import { createHttpServer } from './http/server.js';
import { installation } from './installation/decide.js';
import { INSTALLATION_STREAM } from './installation/events.js';
import { KeyCache } from './keys/cache.js';
import { IssueKey } from './keys/issue.js';
import { AccountKeysResolver, KeysResolver } from './keys/resolvers.js';
import type { Logger } from './logger.js';
import { Metrics } from './metrics.js';
import { PlanDirectory } from './plans/directory.js';
import { SLIDING_MS } from './plans/profile.js';
import { publishProfile, readProfile } from './plans/publish.js';
import { PersonalData } from './secrets/personalData.js';
import { fingerprint, loadSecrets } from './secrets/secrets.js';
import { AddressHashes } from './usage/addresses.js';
import { Governor } from './usage/govern.js';
import { Guard } from './usage/guard.js';
import { Journal } from './usage/journal.js';
import { Limiter } from './usage/limiter.js';
import { periodOf } from './usage/periods.js';
import { RefusalLog } from './usage/refusalLog.js';
import { readRecentUses, recentKey } from './usage/spent.js';
import { UsageResolver } from './usage/resolvers.js';

export const READ_MODELS: readonly ReadModel[] = [
  keysModel,
  accountsModel,
  catalogueModel,
  usageModel,
  popularityModel,
];

export interface StartOptions {
  readonly config: Config;
  /** The folder that holds `profiles/` and `patterns/`. */
  readonly root: string;
  readonly log: Logger;
  readonly onProgress?: (step: string, done: number, total: number) => void;
  /** Makes the account to try things out with; never in production. */
  readonly demo?: boolean;
  /** Where the patterns are, if not under `root`; null for an empty catalogue. */
  readonly patterns?: string | null;
}

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
    readonly store: PostgresEventStore;
    readonly commands: CommandHandler;
    readonly journal: Journal;
    readonly vectors: () => Promise<void>;
  };
  /** Answers what is under way, flushes, and closes. */
  close(): Promise<void>;
}

const CATCH_UP_STEP_MS = 250;
const SETTLED_MODELS = ['accounts', 'keys'];

/**
 * The composition root: opens what the configuration names, wires it, and serves.
 * @throws ConfigError, DataDirInUse
 */
export async function start(options: StartOptions): Promise<App> {
  const { config, root, log, onProgress = () => {}, demo = false, patterns } = options;
  const closing: (() => Promise<unknown> | void)[] = [];
  const close = async (): Promise<void> => {
    // A step may add another: a model that was still loading has to be closed too.
    for (let step = closing.pop(); step; step = closing.pop()) await step();
  };
  try {
    const lock = await lockDataDir(config.dataDir);
    closing.push(() => lock.release());
    const secrets = await loadSecrets(config.secrets, config.dataDir, config.production);
    const node = await nodeId(config.dataDir, config.nodeId);
    const profile = await readProfile(join(root, 'profiles', `${config.profile}.yaml`));
    const clock = monotonicClock();
    const metrics = new Metrics();

    onProgress('Opening the database', 0, 1);
    const sql = config.databaseUrl
      ? await openPostgres(config.databaseUrl).catch((error: Error) => {
          throw new ConfigError([`DATABASE_URL: the database cannot be opened: ${error.message}`]);
        })
      : await openPglite(join(config.dataDir, 'postgres'));
    closing.push(() => sql.close());
    await sql.script('CREATE EXTENSION IF NOT EXISTS vector; CREATE EXTENSION IF NOT EXISTS pg_trgm;');
    const store = await PostgresEventStore.open(sql);
    closing.push(() => store.close());
    const commands = new CommandHandler(store);
    const personal = await PersonalData.open(sql, secrets.MASTER_KEY);
    onProgress('Opening the database', 1, 1);

    const system = { caller: 'system', environment: 'live', correlationId: 'start' } as const;
    const storeId = await checkInstallation(commands, config.profile, secrets, clock());
    await publishProfile(commands, profile, { ...system, at: new Date(clock()) });

    const reader = new EventReader(store);
    const projector = await Projector.open(sql, reader, READ_MODELS, (model, error) =>
      log.error(`the read model ${model} does not get on`, error),
    );
    const policies = await PolicyRunner.open(sql, reader, [openAccount(commands)], (policy, error) =>
      log.error(`the policy ${policy} does not get on`, error),
    );
    projector.start();
    policies.start();
    closing.push(async () => {
      reader.close();
      await Promise.all([projector.stop(), policies.stop()]);
    });
    await catchUp(projector, await store.head(), onProgress);

    const accountQueries = new AccountQueries(sql, projector.access('accounts'));
    const keyQueries = new KeyQueries(sql, projector.access('keys'));
    const catalogue = new CatalogueQueries(
      sql,
      projector.access('catalogue'),
      projector.access('popularity'),
    );
    const usageQueries = new UsageQueries(sql, projector.access('usage'));

    const keyCache = new KeyCache(secrets.KEY_PEPPER, [profile.keys.live, profile.keys.test]);
    const plans = new PlanDirectory();
    const from = Math.min(...SETTLED_MODELS.map((name) => projector.access(name).state().checkpoint));
    keyCache.load(await keyQueries.known());
    plans.load(await accountQueries.plans());
    for (const event of await commands.load(`profile-${profile.name}`)) plans.apply(event);
    const access = new Follower({
      name: 'access',
      reader,
      from,
      handle: (events) => {
        for (const event of events) {
          keyCache.apply(event);
          plans.apply(event);
        }
      },
      onError: (error) => log.error('the key cache does not get on', error),
    });
    access.start();
    closing.push(() => access.stop());
    // The node that changes something knows it before it answers (law 8).
    commands.onAppended((events) => {
      for (const event of events) {
        keyCache.apply(event);
        plans.apply(event);
      }
    });

    const imported =
      patterns === null
        ? 0
        : await importPatterns(
            commands,
            await readPatternFiles(patterns ?? join(root, 'patterns'), profile.tiers),
            await catalogue.contentHashes(),
            { ...system, at: new Date(clock()) },
            (done, total) => onProgress('Loading the catalogue', done, total),
          );

    const register = new RegisterUser(commands, personal, secrets.EMAIL_HASH_KEY, clock);
    const issueKey = new IssueKey(commands, secrets.KEY_PEPPER, () => plans.profile.keys);
    const journal = new Journal({ store, node, clock, log, flushMs: config.journalFlushMs });
    const slides = profile.plans.flatMap((plan) =>
      plan.limits.filter(({ window }) => window === 'minute' || window === 'hour'),
    );
    const longest = slides.some(({ window }) => window === 'hour') ? SLIDING_MS.hour : SLIDING_MS.minute;
    const most = Math.max(0, ...slides.map(({ amount }) => amount));
    const recent = await readRecentUses(store, clock() - longest, most);
    const limiter = new Limiter(async (account, environment, now) => {
      const periods = [periodOf('day', now), periodOf('month', now)];
      return {
        periods: await usageQueries.counters(account, environment, periods),
        recent: recent.get(recentKey(account, environment)) ?? [],
      };
    });
    const refusals = new RefusalLog((account, use) => journal.note(account, use));
    const sweeping = setInterval(() => refusals.sweep(clock()), 10_000).unref();
    closing.push(async () => {
      clearInterval(sweeping);
      refusals.sweep(Number.MAX_SAFE_INTEGER);
      await journal.close();
    });
    const governor = new Governor(journal, limiter, refusals, new AddressHashes(secrets.EMAIL_HASH_KEY));

    // The model loads while the server already answers; until then searches are by words.
    let vectorWorker: VectorWorker | undefined;
    let search = new CatalogueSearch(sql, projector.access('catalogue'), undefined);
    const loadModel = async (): Promise<Embedder> => {
      const model = await openMiniLm();
      closing.push(() => model.close());
      const vectors = await PatternVectors.open(sql, projector.access('catalogue'), model);
      search = new CatalogueSearch(sql, projector.access('catalogue'), {
        tables: vectors.tables,
        dimensions: model.dimensions,
        minSimilarity: model.minSimilarity,
      });
      const worker = new VectorWorker(vectors, model, (error) =>
        log.error('vectors are not computed', error),
      );
      vectorWorker = worker;
      closing.push(() => worker.stop());
      projector.onChanged('catalogue', () => worker.wake());
      worker.wake();
      return model;
    };
    const modelLoaded: Promise<Embedder | undefined> =
      config.embeddings === 'local'
        ? loadModel().catch((error: unknown) => {
            log.error('the embedding model cannot be loaded', error);
            return undefined;
          })
        : Promise.resolve(undefined);
    closing.push(() => modelLoaded);

    const sessions = new Sessions(secrets.SESSION_KEY);
    const tokens = new PositionTokens(storeId);
    const planOf = (account: string) => plans.planOf(account);
    const schema = createSchema([
      new AccountsResolver(register, sessions, tokens, async (position, timeoutMs) => {
        if (!(await policies.reached(position, timeoutMs))) return false;
        const head = await store.head();
        const all = await Promise.all(SETTLED_MODELS.map((name) => projector.reached(name, head, timeoutMs)));
        return all.every(Boolean);
      }),
      new UserResolver(personal),
      new AccountResolver(planOf),
      new CatalogueResolver(
        catalogue,
        { search: (request) => search.search(request) },
        new QueryEmbedder(modelLoaded, (error) => log.error('a query has no vector', error)),
        new Cursors(secrets.SESSION_KEY),
        planOf,
        () => plans.profile.plans,
      ),
      new PatternFieldsResolver(),
      new KeysResolver(issueKey, commands, tokens),
      new AccountKeysResolver(keyQueries),
      new UsageResolver(
        usageQueries,
        limiter,
        planOf,
        tokens,
        () => journal.lastPosition,
        (position, timeoutMs) => projector.reached('usage', position, timeoutMs),
      ),
    ]);

    const fastify = await createHttpServer({
      trustProxy: config.trustProxy,
      corsOrigins: config.corsOrigins,
      log,
    });
    await serveGraphQL(fastify, {
      schema,
      governor,
      guard: new Guard(),
      addressGuard: new AddressGuard(REGISTRATIONS_PER_MINUTE),
      plans,
      metrics,
      keys: keyCache,
      sessions,
      clock,
      loaders: () => createLoaders(accountQueries, catalogue),
      production: config.production,
      log,
    });
    const problems = (): string[] => [
      ...(journal.problem === undefined ? [] : [journal.problem]),
      ...projector.failures().map(({ model }) => `the read model ${model} does not get on`),
    ];
    serveHealth(fastify, { problems }, metrics);
    await servePlayground(fastify, schema);
    describeMetrics(metrics, projector, keyCache, commands);

    await catchUp(projector, await store.head(), onProgress);
    await access.reached(await store.head(), CATCH_UP_STEP_MS);
    const url = await listen(fastify, config);
    closing.push(() => fastify.close());

    // Last, when nothing can fail any more: its key is shown once, by the start that has made it.
    const demoKey =
      demo && !config.production
        ? await createDemo({ commands, register, issueKey, plans, now: clock() })
        : undefined;
    await settle(policies, projector, store, onProgress);

    return {
      url,
      demoKey,
      imported,
      parts: {
        projector,
        store,
        commands,
        journal,
        vectors: async () => {
          await modelLoaded;
          await vectorWorker?.idle();
        },
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Registrations a minute from one address. */
const REGISTRATIONS_PER_MINUTE = 10;

/** @throws ConfigError when the data were made with another profile or other secrets */
async function checkInstallation(
  commands: CommandHandler,
  profile: string,
  secrets: Readonly<Record<SecretName, Buffer>>,
  now: number,
): Promise<string> {
  const fingerprints = Object.fromEntries(
    SECRET_NAMES.map((name) => [name, fingerprint(name, secrets[name])]),
  ) as Record<SecretName, string>;
  const context = {
    caller: 'system',
    at: new Date(now),
    environment: 'live',
    correlationId: 'start',
    requestHash: 'start',
    // Every start is a command of its own; all but the first change nothing.
    commandId: `start:${now}`,
  } as const;
  const storeId = crypto.randomUUID();
  const result = await commands.handle(
    installation,
    INSTALLATION_STREAM,
    { storeId, profile, fingerprints },
    context,
  );
  if (result.kind === 'refused') throw new ConfigError([result.refusal.message]);
  const [created] = await commands.load(INSTALLATION_STREAM);
  return (created?.data as { storeId: string }).storeId;
}

/** @throws ConfigError when the address is taken or not ours to take */
async function listen(fastify: FastifyInstance, { host, port }: Config): Promise<string> {
  try {
    return await fastify.listen({ host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') throw new ConfigError(['PORT: another process is listening there already']);
    if (code === 'EACCES') throw new ConfigError(['PORT: this user may not listen there']);
    if (code === 'EADDRNOTAVAIL') throw new ConfigError(['HOST: this machine has no such address']);
    throw error;
  }
}

/** Until what policies do about the last events is stored too, and shown: a stop leaves nothing half done. */
async function settle(
  policies: PolicyRunner,
  projector: Projector,
  store: PostgresEventStore,
  onProgress: (step: string, done: number, total: number) => void,
): Promise<void> {
  for (let handled = START; handled < (await store.head()); ) {
    handled = await store.head();
    while (!(await policies.reached(handled, CATCH_UP_STEP_MS)));
  }
  await catchUp(projector, await store.head(), onProgress);
}

async function catchUp(
  projector: Projector,
  head: number,
  onProgress: (step: string, done: number, total: number) => void,
): Promise<void> {
  while (!(await projector.allReached(head, CATCH_UP_STEP_MS))) {
    const done = Math.min(...projector.states().map(({ checkpoint }) => checkpoint));
    onProgress('Catching up', Math.min(done, head), head);
  }
}

function describeMetrics(
  metrics: Metrics,
  projector: Projector,
  keys: KeyCache,
  commands: CommandHandler,
): void {
  metrics.gauges('tollgraph_read_model_position', 'Last event a read model has seen.', 'model', () =>
    projector.states().map(({ model, checkpoint }) => [model, checkpoint] as const),
  );
  metrics.gauge('tollgraph_keys', 'Keys in the cache.', () => keys.size);
  metrics.gauge(
    'tollgraph_command_conflicts',
    'Commands decided again after losing a race.',
    () => commands.conflicts,
  );
}
