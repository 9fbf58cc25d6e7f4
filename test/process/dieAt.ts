import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { openAccount } from '../../src/accounts/policies.js';
import { RegisterUser } from '../../src/accounts/register.js';
import { CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import { Leases } from '../../src/following/leases.js';
import { PolicyRunner } from '../../src/following/policyRunner.js';
import { EventReader } from '../../src/following/reader.js';
import { PersonalData } from '../../src/secrets/personalData.js';
import { loadSecrets } from '../../src/secrets/secrets.js';
import { InterceptedStore } from '../eventsourcing/fixtures.js';
import { openSql } from '../support/database.js';

// A process that registers a user on a place's data and is killed at one append: `dieAt <before|after>
// <event type> <place as JSON> <input as JSON>`.
const [when, type, place, input] = process.argv.slice(2) as [string, string, string, string];
const { dataDir, databaseUrl } = JSON.parse(place) as { dataDir: string; databaseUrl?: string };

const die = (): Promise<never> => {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
};

const sql = await openSql({ dataDir, databaseUrl, remove: async () => undefined });
const store = new InterceptedStore(await PostgresEventStore.open(sql));
store.onAppend = async (append, events) => {
  const here = events.some((event) => event.type === type);
  if (here && when === 'before') return die();
  const result = await append();
  return here ? die() : result;
};
const secrets = await loadSecrets({}, dataDir, false);
const commands = new CommandHandler(store);
const personal = await PersonalData.open(sql, secrets.MASTER_KEY);
const leases = await Leases.open(sql, { holder: 'killed', alone: databaseUrl === undefined });
const policies = await PolicyRunner.open(
  sql,
  new EventReader(store),
  [openAccount(commands)],
  () => undefined,
  { leases },
);
policies.start();
const register = new RegisterUser(commands, personal, secrets.EMAIL_HASH_KEY, Date.now);
await register.execute(JSON.parse(input) as Parameters<RegisterUser['execute']>[0], 'test');
// Killed by what follows from it.
await new Promise(() => setInterval(() => undefined, 1_000));
