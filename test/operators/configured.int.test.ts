import { userDecider } from '../../src/accounts/decideUser.js';
import { accountDecider } from '../../src/accounts/decideAccount.js';
import { emailDecider } from '../../src/accounts/decideEmail.js';
import { emailHash } from '../../src/accounts/email.js';
import { accountStream, emailStream, userStream } from '../../src/accounts/events.js';
import { openAccount } from '../../src/accounts/policies.js';
import { RegisterUser } from '../../src/accounts/register.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { verifiedHolderOf } from '../../src/accounts/verifiedHolder.js';
import { publishOperators } from '../../src/composition/publish.js';
import type { Stores } from '../../src/composition/stores.js';
import { CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import { configuredOperators } from '../../src/operators/configured.js';
import { operatorsDecider } from '../../src/operators/decide.js';
import { OPERATORS_STREAM } from '../../src/operators/events.js';
import { keepOperators } from '../../src/operators/policies.js';
import { PersonalData } from '../../src/secrets/personalData.js';
import { freshSql } from '../support/database.js';

const KEY = Buffer.alloc(32, 1);
const NOON = Date.parse('2026-11-23T12:00:00Z');
const hashOf = (email: string): string => emailHash(KEY, email);

let database: Awaited<ReturnType<typeof freshSql>>;
let commands: CommandHandler;
let personal: PersonalData;
let now = NOON;
beforeAll(async () => {
  database = await freshSql();
  commands = new CommandHandler(await PostgresEventStore.open(database.sql));
  personal = await PersonalData.open(database.sql, KEY);
});
afterAll(() => database.remove());

const context = (): Parameters<CommandHandler['handle']>[3] => ({
  commandId: crypto.randomUUID(),
  caller: 'operator:boss',
  requestHash: 'test',
  at: new Date(++now),
  environment: 'live',
  correlationId: 'test',
});

/** What a start needs of the stores, with these e-mails in OPERATORS. */
const configuredWith = (...emails: string[]) =>
  ({
    commands,
    personal,
    secrets: { EMAIL_HASH_KEY: KEY },
    operatorEmails: emails,
    clock: () => ++now,
  }) as unknown as Stores;

interface Person {
  readonly email: string;
  readonly userId: string;
  readonly accountId: string;
}

async function register(email: string): Promise<Person> {
  const registered = await new RegisterUser(commands, personal, KEY, () => ++now).execute(
    { email, password: 'correct horse' },
    'test',
  );
  if (registered.kind === 'refused') throw new Error(registered.refusal.code);
  await openAccount(commands).react((await commands.load(emailStream(hashOf(email)))).at(-1) as StoredEvent);
  return { email, userId: registered.userId, accountId: registered.accountId };
}

async function verify({ userId }: Person): Promise<StoredEvent> {
  await commands.handle(userDecider, userStream(userId), { type: 'VerifyEmail' }, context());
  return (await commands.load(userStream(userId))).at(-1) as StoredEvent;
}

const policy = (...emails: string[]) =>
  keepOperators(commands, () =>
    configuredOperators(emails, (email) => verifiedHolderOf(commands, personal, KEY, email)),
  );

/** What the log tells of a user: +configuration, -operator, … */
async function told({ userId }: Person): Promise<string[]> {
  return (await commands.load(OPERATORS_STREAM)).flatMap(({ type, data }) => {
    const { userId: of, source } = data as { userId: string; source: string };
    return of === userId ? [`${type === 'OperatorGranted' ? '+' : '-'}${source}`] : [];
  });
}

it('an e-mail in OPERATORS makes nobody an operator who has not verified it', async () => {
  const squatter = await register('squatter@example.com');
  await publishOperators(configuredWith('squatter@example.com'));
  expect(await told(squatter)).toEqual([]);
});

it('holds from the verification on, or from the start after it, and is told once', async () => {
  const early = await register('early@example.com');
  await verify(early);
  await publishOperators(configuredWith('early@example.com', 'late@example.com'));
  expect(await told(early)).toEqual(['+configuration']);

  const late = await register('late@example.com');
  const verified = await verify(late);
  const keep = policy('early@example.com', 'late@example.com');
  await keep.react(verified);
  await keep.react(verified);
  expect(await told(late)).toEqual(['+configuration']);
  const length = (await commands.load(OPERATORS_STREAM)).length;
  await publishOperators(configuredWith('early@example.com', 'late@example.com'));
  expect((await commands.load(OPERATORS_STREAM)).length).toBe(length);

  await publishOperators(configuredWith('late@example.com'));
  expect(await told(early)).toEqual(['+configuration', '-configuration']);
  expect(await told(late)).toEqual(['+configuration']);
});

it('is over with the e-mail, which somebody else may register then', async () => {
  const email = 'passed.on@example.com';
  const first = await register(email);
  await policy(email).react(await verify(first));
  const stream = emailStream(hashOf(email));
  await commands.handle(emailDecider, stream, { type: 'ReleaseEmail', userId: first.userId }, context());
  await policy(email).react((await commands.load(stream)).at(-1) as StoredEvent);
  expect(await told(first)).toEqual(['+configuration', '-configuration']);
  const second = await register(email);
  await publishOperators(configuredWith(email));
  expect(await told(second)).toEqual([]);
});

it('nobody is an operator without an account, whichever comes first', async () => {
  const person = await register('gone@example.com');
  const { userId, accountId } = person;
  await verify(person);
  const grant = async (): Promise<StoredEvent> => {
    const command = { type: 'GrantOperator', user: { userId, accountId }, reason: 'a test' } as const;
    await commands.handle(operatorsDecider, OPERATORS_STREAM, command, context());
    return (await commands.load(OPERATORS_STREAM)).at(-1) as StoredEvent;
  };
  await policy().react(await grant());
  expect(await told(person)).toEqual(['+operator']);
  const remove = { type: 'DeleteAccount', ownerId: userId, emailHash: 'hash', by: `user:${userId}` } as const;
  await commands.handle(accountDecider, accountStream(accountId), remove, context());
  const deleted = (await commands.load(accountStream(accountId))).at(-1) as StoredEvent;
  await policy().react(deleted);
  expect(await told(person)).toEqual(['+operator', '-operator']);
  // A grant that was under way meanwhile.
  await policy().react(await grant());
  expect(await told(person)).toEqual(['+operator', '-operator', '+operator', '-operator']);
});
