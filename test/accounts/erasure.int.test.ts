import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { DeleteAccount } from '../../src/accounts/delete.js';
import { eraseAgain } from '../../src/accounts/eraseAgain.js';
import { emailHash } from '../../src/accounts/email.js';
import { accountStream, emailStream, userStream } from '../../src/accounts/events.js';
import { eraseUser, openAccount, releaseEmail } from '../../src/accounts/policies.js';
import type { Registered } from '../../src/accounts/register.js';
import { RegisterUser } from '../../src/accounts/register.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import type { EventStore } from '../../src/eventsourcing/eventStore.js';
import { StoreUnavailable } from '../../src/eventsourcing/eventStore.js';
import { PolicyRunner } from '../../src/following/policyRunner.js';
import { EventReader } from '../../src/following/reader.js';
import type { KeyEvent } from '../../src/keys/events.js';
import { keyStream } from '../../src/keys/events.js';
import { KeySecrets } from '../../src/keys/secrets.js';
import { revokeKeys } from '../../src/keys/policies.js';
import { subscriptionDecider } from '../../src/plans/decide.js';
import { subscriptionStream } from '../../src/plans/events.js';
import { endSubscription } from '../../src/plans/policies.js';
import { PersonalData, SubjectErased } from '../../src/secrets/personalData.js';
import type { Sql } from '../../src/sql/sql.js';
import { shop } from '../plans/shop.js';
import { allEvents } from '../crash/facts.js';
import { deferred, InterceptedStore } from '../eventsourcing/fixtures.js';
import { freshSql } from '../support/database.js';

const LONG = 60_000;
const KEY = Buffer.alloc(32, 1);
const PASSWORD = 'correct horse';
const START = Date.parse('2026-11-22T12:00:00Z');
const WEEKS = 6 * 7 * 24 * 3_600_000;

let database: Awaited<ReturnType<typeof freshSql>>;
let sql: Sql;
let store: EventStore;
let personal: PersonalData;
let now = START;
beforeAll(async () => {
  database = await freshSql();
  sql = database.sql;
  store = await PostgresEventStore.open(sql);
  personal = await PersonalData.open(sql, KEY);
});
afterAll(() => database.remove());
beforeEach(() => {
  now = START;
});

/** The commands of one process. */
function commandsOn(on: EventStore) {
  const commands = new CommandHandler(on);
  return {
    commands,
    register: new RegisterUser(commands, personal, KEY, () => now),
    deleteAccount: new DeleteAccount(commands, personal, KEY),
    keySecrets: new KeySecrets(commands, KEY, shop),
  };
}

type RegisteredUser = Extract<Registered, { kind: 'registered' }>;

async function register(
  input: Partial<Parameters<RegisterUser['execute']>[0]> = {},
): Promise<RegisteredUser & { readonly email: string }> {
  const email = input.email ?? `${randomUUID()}@example.com`;
  const result = await commandsOn(store).register.execute(
    { email, password: PASSWORD, name: 'Ada', ...input },
    'test',
  );
  if (result.kind === 'refused') throw new Error(result.refusal.code);
  return { ...result, email };
}

const context = (caller: string, commandId: string = randomUUID()) => ({
  commandId,
  caller,
  at: new Date(now),
  correlationId: 'test',
});

async function issueKey(
  { accountId, userId }: RegisteredUser,
  commandId?: string,
  expiresAt: Date | null = null,
) {
  const issued = await commandsOn(store).keySecrets.issue(
    { accountId, name: 'a key', environment: 'live', scopes: ['read'], expiresAt },
    undefined,
    context(`user:${userId}`, commandId),
  );
  if (issued.kind === 'refused') throw new Error(issued.refusal.code);
  return { ...issued, keyId: issued.stored.streamId };
}

const remove = ({ accountId, userId }: RegisteredUser, password = PASSWORD, commandId?: string) =>
  commandsOn(store).deleteAccount.execute(
    { accountId, userId, password, commandId },
    { at: new Date(now), correlationId: 'test' },
  );

async function grant({ accountId }: RegisteredUser): Promise<void> {
  const granted = { plan: 'team', plans: ['team'], profileVersion: 1, grantedBy: 'operator', reason: 'test' };
  await new CommandHandler(store).handle(
    subscriptionDecider,
    subscriptionStream(accountId),
    { type: 'GrantPlan', ...granted },
    { ...context('operator'), requestHash: 'team', environment: 'live' },
  );
}

const keysOf = async (accountId: string): Promise<string[]> =>
  (await allEvents(store))
    .filter(({ type, data }) => type === 'KeyIssued' && (data as KeyEvent['data']).accountId === accountId)
    .map(({ streamId }) => streamId);

/** A process that runs the policies on the given stores; `onSql` has vault and checkpoints. */
async function runPolicies(onStore: EventStore = store, onSql: Sql = sql) {
  const commands = new CommandHandler(onStore);
  const reader = new EventReader(onStore);
  const runner = await PolicyRunner.open(
    onSql,
    reader,
    [
      openAccount(commands),
      revokeKeys(commands, keysOf),
      endSubscription(commands),
      releaseEmail(commands),
      eraseUser(commands, await PersonalData.open(onSql, KEY)),
    ],
    () => undefined,
  );
  runner.start();
  return {
    runner,
    stop: async () => {
      reader.close();
      await runner.stop();
    },
  };
}

/** Lets the policies do all that there is to do. */
async function settle(): Promise<void> {
  const { runner, stop } = await runPolicies();
  for (let head = 0; head < (await store.head());) {
    head = await store.head();
    expect(await runner.reached(head, LONG)).toBe(true);
  }
  await stop();
}

const typesOf = async (stream: string): Promise<string[]> =>
  (await store.readStream(stream)).map(({ type }) => type);

describe('a deleted account', () => {
  it('loses its keys, its plan, its e-mail and its user’s data', async () => {
    const user = await register();
    await settle();
    const { keyId } = await issueKey(user);
    await grant(user);
    expect(await remove(user)).toMatchObject({ kind: 'accepted', replayed: false });
    await settle();

    expect(await typesOf(accountStream(user.accountId))).toEqual(['AccountOpened', 'AccountDeleted']);
    expect(await typesOf(userStream(user.userId))).toEqual(['UserRegistered', 'UserErased']);
    expect(await typesOf(emailStream(emailHash(KEY, user.email)))).toEqual([
      'EmailRegistered',
      'EmailReleased',
    ]);
    expect(await typesOf(keyStream(keyId))).toEqual(['KeyIssued', 'KeyRevoked']);
    expect(await typesOf(subscriptionStream(user.accountId))).toEqual(['PlanGranted', 'SubscriptionEnded']);
    expect(await personal.unseal(user.sealedEmail)).toBeNull();
    expect(await personal.unseal(user.sealedName)).toBeNull();
  });

  it('asks for the password first', async () => {
    const user = await register();
    await settle();
    for (const password of ['', 'Correct horse', 'x'.repeat(10_000)]) {
      expect(await remove(user, password)).toMatchObject({ refusal: { code: 'PASSWORD_WRONG' } });
    }
    expect(await typesOf(accountStream(user.accountId))).toEqual(['AccountOpened']);
  });

  it('is not another user’s to delete', async () => {
    const [ada, bob] = [await register(), await register()];
    await settle();
    expect(await remove({ ...bob, accountId: ada.accountId })).toMatchObject({
      refusal: { code: 'NOT_FOUND' },
    });
    expect(await typesOf(accountStream(ada.accountId))).toEqual(['AccountOpened']);
  });

  it('is deleted once under one command id, weeks later too, and asked with another nothing changes', async () => {
    const user = await register();
    await settle();
    const first = await remove(user, PASSWORD, 'delete-1');
    await settle();
    now += WEEKS;
    expect(await remove(user, PASSWORD, 'delete-1')).toMatchObject({
      kind: 'accepted',
      replayed: true,
      position: (first as { position: number }).position,
    });
    const head = await store.head();
    expect(await remove(user, PASSWORD, 'delete-2')).toMatchObject({ refusal: { code: 'NOT_FOUND' } });
    await settle();
    expect(await store.head()).toBe(head);
  });

  it('is deleted by the operator without a password, once', async () => {
    const user = await register();
    await settle();
    const { deleteAccount } = commandsOn(store);
    const first = await deleteAccount.byOperator(user.accountId, new Date(now));
    expect(first).toMatchObject({ kind: 'accepted', events: [{ data: { by: 'operator' } }] });
    await settle();
    expect(await deleteAccount.byOperator(user.accountId, new Date(now))).toMatchObject({ replayed: true });
    expect(await deleteAccount.byOperator(randomUUID(), new Date(now))).toMatchObject({
      refusal: { code: 'NOT_FOUND' },
    });
    expect(await typesOf(userStream(user.userId))).toEqual(['UserRegistered', 'UserErased']);
  });

  it('has a key revoked that a request under way issues after it', async () => {
    const user = await register();
    await settle();
    await remove(user);
    await settle();
    const { keyId } = await issueKey(user);
    await settle();
    expect(await typesOf(keyStream(keyId))).toEqual(['KeyIssued', 'KeyRevoked']);
  });
});

describe('an erased e-mail', () => {
  it('is free: who registers it anew is another user with another account', async () => {
    const first = await register();
    await settle();
    await remove(first);
    await settle();
    const second = await register({ email: first.email });
    await settle();
    expect(second.replayed).toBe(false);
    expect([second.userId, second.accountId]).not.toEqual([first.userId, first.accountId]);
    expect(await personal.unseal(second.sealedEmail)).toBe(first.email);
    expect(await typesOf(accountStream(second.accountId))).toEqual(['AccountOpened']);
    // The first one's policies come again, and take nothing from the second.
    await sql.query('DELETE FROM read.policies');
    const head = await store.head();
    await settle();
    expect(await store.head()).toBe(head);
    expect(await personal.unseal(second.sealedName)).toBe('Ada');
    expect(await typesOf(accountStream(second.accountId))).toEqual(['AccountOpened']);
  });

  it('does not come back when its registration is sent again: the first result, erased', async () => {
    const email = `${randomUUID()}@example.com`;
    const first = await register({ email, commandId: 'register-1' });
    await settle();
    await remove(first);
    await settle();
    now += WEEKS;
    const again = await register({ email, commandId: 'register-1' });
    expect(again).toMatchObject({ replayed: true, userId: first.userId, position: first.position });
    expect(await personal.unseal(again.sealedEmail)).toBeNull();
    expect(await personal.withKey([first.userId])).toEqual([]);
    await expect(personal.seal(first.userId, 'anything')).rejects.toBeInstanceOf(SubjectErased);
  });

  it('is not registered by who is refused, and no key is kept for him', async () => {
    const { email } = await register();
    const keys = async () => (await sql.query('SELECT 1 FROM vault.subject_keys')).length;
    const before = await keys();
    await expect(register({ email })).rejects.toThrow('EMAIL_TAKEN');
    expect(await keys()).toBe(before);
  });
});

it('keys that an old backup of the vault brings back are found by the events, and erased again', async () => {
  const [ada, bob] = [await register(), await register()];
  await settle();
  const backup = await sql.query<{ subject: string; wrapped: string }>(
    'SELECT subject, wrapped FROM vault.subject_keys WHERE subject = $1',
    [ada.userId],
  );
  await remove(ada);
  await settle();
  const deleted = [ada.userId];
  expect(await eraseAgain(personal, deleted)).toEqual([]);

  await sql.query('DELETE FROM vault.subject_keys WHERE subject = $1', [ada.userId]);
  await sql.query('INSERT INTO vault.subject_keys VALUES ($1, $2)', [ada.userId, backup[0]?.wrapped]);
  expect(await personal.unseal(ada.sealedEmail)).toBe(ada.email);
  expect(await eraseAgain(personal, deleted)).toEqual([ada.userId]);
  expect(await personal.unseal(ada.sealedEmail)).toBeNull();
  expect(await personal.unseal(bob.sealedEmail)).toBe(bob.email);
});

describe('law 4, weeks later', () => {
  it('a registration says what it said at first, whatever came after it', async () => {
    const email = `${randomUUID()}@example.com`;
    const first = await register({ email, commandId: 'r' });
    await settle();
    now += WEEKS;
    const again = await register({ email, commandId: 'r', password: 'another password' });
    expect(again).toEqual({ ...first, replayed: true });
    await expect(register({ email, commandId: 'r', name: 'Eve' })).rejects.toThrow('COMMAND_ID_REUSED');
  });

  it('an issued key is shown without its secret, after it was revoked and has expired too', async () => {
    const user = await register();
    await settle();
    const expiresAt = new Date(now + WEEKS / 2);
    const first = await issueKey(user, 'k', expiresAt);
    expect(first.secret).toMatch(/^sh_live_/);
    await remove(user);
    await settle();
    now += WEEKS;
    const again = await issueKey(user, 'k', expiresAt);
    expect(again).toMatchObject({ keyId: first.keyId, secret: null });
    expect(again.stored.data).toEqual(first.stored.data);
    expect(again.stored.metadata.at).toBe(new Date(START).toISOString());
    await expect(issueKey(user, 'k')).rejects.toThrow('COMMAND_ID_REUSED');
    expect(await typesOf(keyStream(first.keyId))).toEqual(['KeyIssued', 'KeyRevoked']);
  });
});

/** Where a process dies: at its nth write, before or after it is stored. */
interface Death {
  readonly write: number;
  readonly stored: boolean;
}

/** Runs the policies until they have done all, or the process dies at the given write. */
async function runUntil(death: Death | undefined): Promise<void> {
  const died = deferred();
  let writes = 0;
  let dead = false;
  const away = (): never => {
    throw new StoreUnavailable('this process is dead');
  };
  const write = async <T>(run: () => Promise<T>): Promise<T> => {
    if (dead) away();
    if (!death || writes++ !== death.write) return run();
    dead = true;
    if (death.stored) await run();
    died.resolve();
    return away();
  };
  const intercepted = new InterceptedStore(store);
  intercepted.onAppend = (append) => write(append);
  // Policies write to SQL when they erase a key, and when they move a checkpoint.
  const onSql: Sql = {
    ...sqlOf(sql),
    query: (text, params, priority) =>
      /^\s*INSERT/.test(text)
        ? write(() => sql.query(text, params, priority))
        : sql.query(text, params, priority),
  };
  const { runner, stop } = await runPolicies(intercepted, onSql);
  const done = (async () => {
    for (let head = 0; head < (await store.head());) {
      head = await store.head();
      if (!(await runner.reached(head, LONG))) return;
    }
  })();
  await Promise.race([done, died.promise]);
  await stop();
}

const sqlOf = (on: Sql): Omit<Sql, 'query'> => ({
  transaction: (statements, priority) => on.transaction(statements, priority),
  script: (text) => on.script(text),
  close: () => on.close(),
});

it('policies that die at any of their writes, again and again, do everything once', async () => {
  const deaths = fc.array(fc.record({ write: fc.nat({ max: 5 }), stored: fc.boolean() }), {
    minLength: 2,
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(deaths, deaths, async (opening, deleting) => {
      const user = await register();
      for (const death of opening) await runUntil(death);
      await runUntil(undefined);
      const keys = [await issueKey(user), await issueKey(user)];
      await grant(user);
      await remove(user);
      for (const death of deleting) await runUntil(death);
      await runUntil(undefined);

      expect(await typesOf(accountStream(user.accountId))).toEqual(['AccountOpened', 'AccountDeleted']);
      expect(await typesOf(userStream(user.userId))).toEqual(['UserRegistered', 'UserErased']);
      expect(await typesOf(emailStream(emailHash(KEY, user.email)))).toEqual([
        'EmailRegistered',
        'EmailReleased',
      ]);
      for (const { keyId } of keys) {
        expect(await typesOf(keyStream(keyId))).toEqual(['KeyIssued', 'KeyRevoked']);
      }
      expect(await typesOf(subscriptionStream(user.accountId))).toEqual(['PlanGranted', 'SubscriptionEnded']);
      expect(await personal.withKey([user.userId])).toEqual([]);
    }),
    { numRuns: 6 },
  );
});
