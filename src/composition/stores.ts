import { join } from 'node:path';
import { openPostgres } from '../adapters/postgres/pg.js';
import { openPglite } from '../adapters/postgres/pglite.js';
import type { Clock } from '../clock.js';
import { monotonicClock } from '../clock.js';
import type { Config, SecretName } from '../config.js';
import { ConfigError, SECRET_NAMES } from '../config.js';
import { lockDataDir, nodeId } from '../dataDir.js';
import { CommandHandler } from '../eventsourcing/commandHandler.js';
import type { EventStore } from '../eventsourcing/eventStore.js';
import { installation } from '../installation/decide.js';
import { INSTALLATION_STREAM } from '../installation/events.js';
import type { Profile } from '../plans/profile.js';
import { readProfile } from '../plans/publish.js';
import { PersonalData } from '../secrets/personalData.js';
import type { Secrets } from '../secrets/secrets.js';
import { fingerprint, loadSecrets } from '../secrets/secrets.js';
import type { Sql } from '../sql/sql.js';
import { checkOrigin, openEventStore } from './eventStore.js';
import type { Shutdown } from './shutdown.js';

/** What everything else works on: the database, the event store, and what this installation is. */
export interface Stores {
  readonly sql: Sql;
  /** Whether the database is in this process, so that no other can be on it. */
  readonly embedded: boolean;
  readonly store: EventStore;
  readonly commands: CommandHandler;
  readonly personal: PersonalData;
  readonly secrets: Secrets;
  readonly profile: Profile;
  /** Names this process's usage journal. */
  readonly node: string;
  /** Positions of another store are refused by it. */
  readonly storeId: string;
  readonly clock: Clock;
}

/** Commands that a start sends by itself. */
export const SYSTEM = { caller: 'system', environment: 'live', correlationId: 'start' } as const;

/** @throws ConfigError, DataDirInUse */
export async function openStores(config: Config, root: string, shutdown: Shutdown): Promise<Stores> {
  const lock = await lockDataDir(config.dataDir);
  shutdown.add('lock on the data directory', () => lock.release());
  const secrets = await loadSecrets(config.secrets, config.dataDir, config.production);
  const node = await nodeId(config.dataDir, config.nodeId);
  const profile = await readProfile(join(root, 'profiles', `${config.profile}.yaml`));
  const clock = monotonicClock();

  const sql = await openDatabase(config);
  shutdown.add('database', () => sql.close());
  await sql.script('CREATE EXTENSION IF NOT EXISTS vector; CREATE EXTENSION IF NOT EXISTS pg_trgm;');
  const store = await openEventStore(config, sql);
  shutdown.add('event store', () => store.close());
  const commands = new CommandHandler(store);
  const personal = await PersonalData.open(sql, secrets.MASTER_KEY);

  const storeId = await checkInstallation(commands, config.profile, secrets, clock());
  await checkOrigin(sql, storeId);
  const embedded = config.databaseUrl === undefined;
  return { sql, embedded, store, commands, personal, secrets, profile, node, storeId, clock };
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
    installation,
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
