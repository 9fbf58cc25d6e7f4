import { Credentials } from '../../src/accounts/credentials.js';
import { emailHash, normaliseEmail } from '../../src/accounts/email.js';
import { openAccount } from '../../src/accounts/policies.js';
import { RegisterUser } from '../../src/accounts/register.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import type { EventStore } from '../../src/eventsourcing/eventStore.js';
import { PersonalData } from '../../src/secrets/personalData.js';
import type { Sql } from '../../src/sql/sql.js';
import { freshSql } from '../support/database.js';

const KEY = Buffer.alloc(32, 1);
const PASSWORD = 'correct horse';
const NOON = Date.parse('2026-11-22T12:00:00Z');

let database: Awaited<ReturnType<typeof freshSql>>;
let store: EventStore;
let credentials: Credentials;
let personal: PersonalData;
/** What is asked of the store and the database, in order. */
let asked: string[] = [];
beforeAll(async () => {
  database = await freshSql();
  const { sql } = database;
  const watched: Sql = {
    query: (text, ...rest) => {
      asked.push(text);
      return sql.query(text, ...rest);
    },
    transaction: (statements, priority) => sql.transaction(statements, priority),
    script: (text) => sql.script(text),
    close: () => sql.close(),
  };
  store = await PostgresEventStore.open(sql);
  personal = await PersonalData.open(watched, KEY);
  const commands = new CommandHandler(store);
  const load = commands.load.bind(commands);
  commands.load = (stream) => {
    asked.push(stream.slice(0, stream.indexOf('-')));
    return load(stream);
  };
  credentials = new Credentials(commands, personal);
});
afterAll(() => database.remove());

const hashOf = (email: string): string => emailHash(KEY, normaliseEmail(email) as string);

async function register(email: string, password = PASSWORD): Promise<string> {
  const commands = new CommandHandler(store);
  const registered = await new RegisterUser(commands, personal, KEY, () => NOON).execute(
    { email, password },
    'test',
  );
  if (registered.kind === 'refused') throw new Error(registered.refusal.code);
  const [event] = await store.readStream(`email-${hashOf(email)}`);
  if (event) await openAccount(commands).react(event);
  return registered.userId;
}

it('find who has the e-mail by the right password alone', async () => {
  const userId = await register('ada@example.com');
  expect(await credentials.check(hashOf('ada@example.com'), PASSWORD)).toMatchObject({ userId, epoch: 0 });
  for (const wrong of ['', 'Correct horse', `${PASSWORD} `, 'x'.repeat(100_000)]) {
    expect(await credentials.check(hashOf('ada@example.com'), wrong)).toBeUndefined();
  }
  expect(await credentials.check(hashOf('bob@example.com'), PASSWORD)).toBeUndefined();
});

it('take a password of 200 characters, whatever each is written with', async () => {
  const password = '👍'.repeat(200);
  const userId = await register('thumbs@example.com', password);
  expect(await credentials.check(hashOf('thumbs@example.com'), password)).toMatchObject({ userId });
});

it('ask the same of the stores whether anybody has the e-mail, or did before it was erased', async () => {
  await register('known@example.com');
  await personal.erase([await register('erased@example.com')]);
  // The first one also makes what is compared where nobody is found.
  await credentials.check(hashOf('first@example.com'), PASSWORD);
  const work = async (email: string, password: string): Promise<string[]> => {
    asked = [];
    await credentials.check(hashOf(email), password);
    return asked;
  };
  const known = await work('known@example.com', 'a wrong one');
  expect(known).toHaveLength(3);
  expect(await work('known@example.com', PASSWORD)).toEqual(known);
  expect(await work('nobody@example.com', 'a wrong one')).toEqual(known);
  expect(await work('erased@example.com', PASSWORD)).toEqual(known);
  expect(await credentials.check(hashOf('erased@example.com'), PASSWORD)).toBeUndefined();
});
