import { join } from 'node:path';
import { blobFiles } from '../adapters/blobs/files.js';
import { blobTable } from '../adapters/postgres/blobTable.js';
import { openPostgres } from '../adapters/postgres/pg.js';
import { openPglite } from '../adapters/postgres/pglite.js';
import { Blobs } from '../blobs/blobs.js';
import { normaliseEmail } from '../accounts/email.js';
import { RefreshTokens } from '../sessions/refreshTokens.js';
import type { Ground } from '../capability.js';
import type { Elapsed } from '../clock.js';
import { elapsed, systemClock } from '../clock.js';
import type { Config, SecretName } from '../config.js';
import { ConfigError, SECRET_NAMES } from '../config.js';
import { lockDataDir, nodeId } from '../dataDir.js';
import { CommandHandler } from '../eventsourcing/commandHandler.js';
import { CorrectedStore } from '../eventsourcing/correctedStore.js';
import type { EventStore } from '../eventsourcing/eventStore.js';
import { installationDecider } from '../installation/decide.js';
import { INSTALLATION_STREAM } from '../installation/events.js';
import { EnvironmentKeys } from '../keys/environment.js';
import type { Logger } from '../logger.js';
import type { StartOptions } from './options.js';
import type { Profile } from '../plans/profile.js';
import { readProfile } from '../plans/publish.js';
import { Outbox } from '../outgoing/outbox.js';
import { PersonalData } from '../secrets/personalData.js';
import type { Secrets } from '../secrets/secrets.js';
import { fingerprint, loadSecrets } from '../secrets/secrets.js';
import type { Sql } from '../sql/sql.js';
import { checkOrigin, openEventStore } from './eventStore.js';
import { TracedStore } from '../telemetry/tracedStore.js';
import { traceSql } from '../telemetry/tracedSql.js';
import { SubjectIds } from '../usage/reports/subjectIds.js';
import type { Shutdown } from '../shutdown.js';
import { WebhookSequences } from '../webhooks/sequences.js';
import type { Telemetry } from './telemetry.js';
import { openTelemetry } from './telemetry.js';

/** What everything else works on: the database, the event store, and what this installation is. */
export interface Stores extends Ground {
  readonly sql: Sql;
  /** Whether the database is in this process, so that no other can be on it. */
  readonly embedded: boolean;
  /** Whether other processes may append to the event store. */
  readonly shared: boolean;
  readonly store: EventStore;
  readonly environmentKeys: EnvironmentKeys;
  /** Names this process's usage journal. */
  readonly node: string;
  /** Positions of another store are refused by it. */
  readonly storeId: string;
  readonly elapsed: Elapsed;
  readonly telemetry: Telemetry;
}

/** Commands that a start sends by itself. */
export const SYSTEM = { caller: 'system', environment: 'live', correlationId: 'start' } as const;

/** @throws ConfigError, DataDirInUse */
export async function openStores(
  config: Config,
  root: string,
  log: Logger,
  shutdown: Shutdown,
  time: NonNullable<StartOptions['time']> = { clock: systemClock, elapsed },
): Promise<Stores> {
  const lock = await lockDataDir(config.dataDir).catch((error: NodeJS.ErrnoException) => {
    // The path is a file or not writable; the system's message is enough, without a stack.
    if (error.syscall === undefined) throw error;
    throw new ConfigError([`DATA_DIR: cannot be used: ${error.message}`]);
  });
  shutdown.add('lock on the data directory', () => lock.release());
  const secrets = await loadSecrets(config.secrets, config.dataDir, config.production);
  const node = await nodeId(config.dataDir, config.nodeId);
  const profile = await readProfile(join(root, 'profiles', `${config.profile}.yaml`));
  const bySecret = config.oidcIssuers.find(({ algorithm }) => algorithm === 'HS256');
  if (bySecret && profile.sessions?.sharedSecret !== true) {
    throw new ConfigError([
      `OIDC_ISSUERS: ${bySecret.issuer} has HS256, which the profile ${profile.name} does not accept (sessions.sharedSecret)`,
    ]);
  }
  const operatorEmails = emailsOf(config.operators);
  const environmentKeys = environmentKeysOf(config, profile, secrets.KEY_PEPPER);
  const { clock } = time;
  // Closed late: the last spans are those of the shutdown.
  const telemetry = await openTelemetry(config, node, log, shutdown);
  const { tracing } = telemetry;

  const database = await openDatabase(config);
  shutdown.add('database', () => database.close());
  const sql = tracing ? traceSql(database, tracing) : database;
  await sql.script('CREATE EXTENSION IF NOT EXISTS vector; CREATE EXTENSION IF NOT EXISTS pg_trgm;');
  const opened = await openEventStore(config, database);
  shutdown.add('event store', () => opened.close());
  // Behind the store's own statements: appends of many requests share one, but each belongs to its trace.
  const system = config.eventStoreUrl === undefined ? 'postgresql' : 'eventstoredb';
  const store = await CorrectedStore.open(tracing ? new TracedStore(opened, tracing, system) : opened);
  const commands = new CommandHandler(store, tracing && (() => tracing.active()));
  const personal = await PersonalData.open(sql, secrets.MASTER_KEY);
  const refreshTokens = await RefreshTokens.open(sql, secrets.SESSION_KEY);
  const subjectIds = await SubjectIds.open(sql, secrets.EMAIL_HASH_KEY);

  const embedded = config.databaseUrl === undefined;
  // Beside the embedded database there is one process, and its files are its own.
  const bodies = embedded ? await blobFiles(join(config.dataDir, 'blobs')) : await blobTable(sql);
  const blobs = await Blobs.open(sql, secrets.MASTER_KEY, bodies, clock);
  const outbox = await Outbox.open(sql);
  const webhookSequences = await WebhookSequences.open(sql);

  const storeId = await checkInstallation(commands, config.profile, secrets, clock());
  await checkOrigin(sql, storeId);
  return {
    sql,
    blobs,
    embedded,
    shared: !embedded || config.eventStoreUrl !== undefined,
    store,
    commands,
    personal,
    refreshTokens,
    subjectIds,
    secrets,
    profile,
    operatorEmails,
    admission: config.registration,
    outbox,
    webhookSequences,
    webhookNetworks: config.webhookNetworks,
    environmentKeys,
    node,
    storeId,
    clock,
    billingClock: clock,
    elapsed: time.elapsed,
    telemetry,
  };
}

/** @throws ConfigError */
function emailsOf(operators: readonly string[]): string[] {
  return operators.map((text) => {
    const email = normaliseEmail(text);
    if (email === undefined) throw new ConfigError(['OPERATORS: must be e-mails, separated by commas']);
    return email;
  });
}

/** @throws ConfigError that names the entry, never what stands in it */
function environmentKeysOf(config: Config, profile: Profile, pepper: Buffer): EnvironmentKeys {
  const ids = profile.plans.map(({ id }) => id);
  const environmentKeys = config.environmentKeys.map(
    ({ key, plan = profile.environmentKeys?.plan ?? '', entry }) => ({ key, plan, entry }),
  );
  const wrong = environmentKeys.filter(({ plan }) => !ids.includes(plan));
  if (wrong.length > 0) {
    throw new ConfigError(wrong.map(({ entry }) => `${entry}: the plan must be one of ${ids.join(', ')}`));
  }
  return new EnvironmentKeys(pepper, environmentKeys);
}

async function openDatabase({ databaseUrl, dataDir }: Config): Promise<Sql> {
  if (databaseUrl === undefined) return openPglite(join(dataDir, 'postgres'));
  try {
    return await openPostgres(databaseUrl);
  } catch (error) {
    throw new ConfigError([`DATABASE_URL: the database cannot be opened: ${(error as Error).message}`]);
  }
}

/** @throws ConfigError when the data were made with another profile or other secrets */
async function checkInstallation(
  commands: CommandHandler,
  profile: string,
  secrets: Secrets,
  now: number,
): Promise<string> {
  const fingerprints = Object.fromEntries(
    SECRET_NAMES.map((name) => [name, fingerprint(name, secrets[name])]),
  ) as Record<SecretName, string>;
  const result = await commands.handle(
    installationDecider,
    INSTALLATION_STREAM,
    { storeId: crypto.randomUUID(), profile, fingerprints },
    {
      ...SYSTEM,
      at: new Date(now),
      requestHash: 'start',
      // Every start is a command of its own; all but the first change nothing.
      commandId: `start:${now}`,
    },
  );
  if (result.kind === 'refused') throw new ConfigError([result.refusal.message]);
  const [created] = await commands.load(INSTALLATION_STREAM);
  return (created?.data as { storeId: string }).storeId;
}
