import { randomUUID } from 'node:crypto';
import { ConfirmEmailChange, RequestEmailChange } from '../../src/accounts/changeEmail.js';
import { Credentials } from '../../src/accounts/credentials.js';
import { DeleteAccount } from '../../src/accounts/delete.js';
import { emailHash } from '../../src/accounts/email.js';
import { emailStream, mailedSubject, userStream } from '../../src/accounts/events.js';
import {
  changeEmail,
  eraseUser,
  offerPasswordReset,
  openAccount,
  releaseEmail,
} from '../../src/accounts/policies.js';
import { RegisterUser } from '../../src/accounts/register.js';
import { RequestPasswordReset, RESET_MS, ResetPassword } from '../../src/accounts/resetPassword.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import type { EventStore } from '../../src/eventsourcing/eventStore.js';
import { StoreUnavailable } from '../../src/eventsourcing/eventStore.js';
import { PolicyRunner } from '../../src/following/policyRunner.js';
import { EventReader } from '../../src/following/reader.js';
import { requestMails } from '../../src/mail/policies.js';
import { PersonalData } from '../../src/secrets/personalData.js';
import { SignedTokens } from '../../src/secrets/signedTokens.js';
import { allEvents } from '../crash/facts.js';
import { deferred, InterceptedStore } from '../eventsourcing/fixtures.js';
import { freshSql } from '../support/database.js';

const LONG = 60_000;
const KEY = Buffer.alloc(32, 1);
const PASSWORD = 'correct horse';
const NOON = Date.parse('2026-11-23T12:00:00Z');
const UNLIMITED = { take: () => ({ waitMs: 0, giveBack: () => undefined }) };
const when = { at: new Date(NOON), correlationId: 'test' };

let database: Awaited<ReturnType<typeof freshSql>>;
let store: EventStore;
let personal: PersonalData;
let commands: CommandHandler;
const tokens = new SignedTokens(KEY);
beforeAll(async () => {
  database = await freshSql();
  store = await PostgresEventStore.open(database.sql);
  personal = await PersonalData.open(database.sql, KEY);
  commands = new CommandHandler(store);
});
afterAll(() => database.remove());

/** A process that runs the policies. */
async function runPolicies(on: EventStore = store) {
  const handler = new CommandHandler(on);
  const reader = new EventReader(on);
  const policies = [
    openAccount(handler),
    offerPasswordReset(handler),
    changeEmail(handler),
    releaseEmail(handler),
    eraseUser(handler, personal),
    requestMails(handler),
  ];
  const runner = await PolicyRunner.open(database.sql, reader, policies, () => undefined);
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

const hashOf = (email: string): string => emailHash(KEY, email);
const newEmail = (): string => `${randomUUID()}@example.com`;
const typesOf = async (stream: string): Promise<string[]> =>
  (await store.readStream(stream)).map(({ type }) => type);
const typesOfEmail = (email: string): Promise<string[]> => typesOf(emailStream(hashOf(email)));

async function register(email = newEmail()) {
  const registered = await new RegisterUser(commands, personal, KEY, () => NOON).execute(
    { email, password: PASSWORD },
    'test',
  );
  if (registered.kind === 'refused') throw new Error(registered.refusal.code);
  for (const event of await store.readStream(emailStream(hashOf(email)))) {
    if (event.type === 'EmailRegistered') await openAccount(commands).react(event);
  }
  return { ...registered, email };
}

const ask = ({ userId }: { userId: string }, email: string, password = PASSWORD, commandId?: string) =>
  new RequestEmailChange(commands, personal, UNLIMITED, KEY).execute(
    { userId },
    { email, password, commandId },
    when,
  );
const tokenFor = (userId: string, email: string, epoch = 0, end = NOON + 1): string =>
  tokens.sign('change-email', mailedSubject({ userId, epoch, emailHash: hashOf(email) }), new Date(end));
const confirm = (token: string) => new ConfirmEmailChange(commands, tokens).execute({ token }, when);
const check = (email: string, password = PASSWORD) =>
  new Credentials(commands, personal).check(hashOf(email), password);

/** Runs the policies until the process dies at its nth append, before or after it is stored. */
async function dieAt(nth: number, stored: boolean): Promise<void> {
  const died = deferred();
  const intercepted = new InterceptedStore(store);
  let appends = 0;
  let dead = false;
  intercepted.onAppend = async (append) => {
    if (!dead && appends++ < nth) return append();
    if (!dead && stored) await append();
    dead = true;
    died.resolve();
    throw new StoreUnavailable('this process is dead');
  };
  const { stop } = await runPolicies(intercepted);
  await died.promise;
  await stop();
}

// Appends after a confirmation: the change, then the release of the old e-mail and the notice.
it.each([
  [0, false],
  [0, true],
  [1, false],
  [1, true],
  [2, false],
])(
  'a process that dies at append %i of a change (stored: %s) leaves the e-mail to one user, and the next ends it',
  async (nth, stored) => {
    const user = await register();
    const email = newEmail();
    expect(await ask(user, email)).toMatchObject({ kind: 'accepted' });
    await settle();
    expect(await confirm(tokenFor(user.userId, email))).toMatchObject({ kind: 'accepted' });
    await dieAt(nth, stored);
    // Half done, the user signs in by the new e-mail already, and nobody else gets either.
    expect(await check(email)).toMatchObject({ userId: user.userId });
    const { userId } = await register();
    expect(await ask({ userId }, email)).toMatchObject({ refusal: { code: 'EMAIL_TAKEN' } });
    await settle();

    expect(await typesOfEmail(email)).toEqual(['EmailClaimed']);
    expect(await typesOfEmail(user.email)).toEqual(['EmailRegistered', 'EmailReleased']);
    expect(await typesOf(userStream(user.userId))).toEqual([
      'UserRegistered',
      'EmailChangeRequested',
      'EmailChanged',
    ]);
    const holder = await check(email);
    expect(holder).toMatchObject({ userId: user.userId, emailVerified: true, registeredAt: new Date(NOON) });
    expect(await check(user.email)).toBeUndefined();
    const notices = (await allEvents(store)).filter(
      ({ type, data }) => type === 'MailRequested' && (data as { kind: string }).kind === 'email-changed',
    );
    const to = await Promise.all(notices.map(({ data }) => personal.unseal((data as { to: string }).to)));
    expect(to.filter((address) => address === user.email)).toHaveLength(1);
  },
);

it('two who confirm the same e-mail at one moment: one has it, the other keeps the old one', async () => {
  const users = [await register(), await register(), await register()];
  const email = newEmail();
  for (const user of users) expect(await ask(user, email)).toMatchObject({ kind: 'accepted' });
  const answers = await Promise.all(users.map(({ userId }) => confirm(tokenFor(userId, email))));
  expect(answers.map(({ kind }) => kind).sort()).toEqual(['accepted', 'refused', 'refused']);
  await settle();
  const winner = users[answers.findIndex(({ kind }) => kind === 'accepted')];
  expect(await check(email)).toMatchObject({ userId: winner?.userId });
  for (const user of users.filter((one) => one !== winner)) {
    expect(await check(user.email)).toMatchObject({ userId: user.userId });
  }
});

it('an account that is deleted while its e-mail changes leaves neither e-mail behind', async () => {
  const user = await register();
  const email = newEmail();
  await ask(user, email);
  await confirm(tokenFor(user.userId, email));
  const { accountId, userId } = user;
  const removed = await new DeleteAccount(commands, personal, KEY).execute(
    { accountId, userId, password: PASSWORD },
    when,
  );
  expect(removed).toMatchObject({ kind: 'accepted' });
  await settle();
  expect((await typesOfEmail(email)).at(-1)).toBe('EmailReleased');
  expect((await typesOfEmail(user.email)).at(-1)).toBe('EmailReleased');
});

it('a change is asked for with the password, for an e-mail that is free, and once under one command id', async () => {
  const [user, other] = [await register(), await register()];
  const email = newEmail();
  expect(await ask(user, email, 'wrong')).toMatchObject({ refusal: { code: 'PASSWORD_WRONG' } });
  expect(await ask(user, 'no e-mail')).toMatchObject({ refusal: { code: 'INVALID_INPUT' } });
  for (const taken of [user.email, other.email]) {
    expect(await ask(user, taken)).toMatchObject({ refusal: { code: 'EMAIL_TAKEN' } });
  }
  const first = await ask(user, email, PASSWORD, 'c1');
  expect(first).toMatchObject({ kind: 'accepted' });
  expect(await ask(user, email, PASSWORD, 'c1')).toMatchObject({ replayed: true });
  expect(await ask(user, newEmail(), PASSWORD, 'c1')).toMatchObject({
    refusal: { code: 'COMMAND_ID_REUSED' },
  });
});

it('only the token of the last request confirms, until it is over or the password has changed', async () => {
  const user = await register();
  const [first, second] = [newEmail(), newEmail()];
  await ask(user, first);
  await ask(user, second);
  const over = { refusal: { code: 'TOKEN_INVALID' } };
  const { userId } = user;
  expect(await confirm(tokenFor(userId, first))).toMatchObject(over);
  expect(await confirm(tokenFor(userId, second, 0, NOON))).toMatchObject(over);
  expect(await confirm(tokenFor(userId, second, 1))).toMatchObject(over);
  await reset(user.email, userId);
  expect(await confirm(tokenFor(userId, second))).toMatchObject(over);
  expect(await typesOfEmail(second)).toEqual([]);
});

const askForReset = (email: string) => new RequestPasswordReset(commands, KEY).execute({ email }, when);
const resetToken = (email: string, userId: string, epoch = 0): string =>
  tokens.sign(
    'reset-password',
    mailedSubject({ userId, epoch, emailHash: hashOf(email) }),
    new Date(NOON + RESET_MS),
  );
async function reset(email: string, userId: string, newPassword = 'battery staple') {
  await askForReset(email);
  await settle();
  return new ResetPassword(commands, personal, tokens).execute(
    { token: resetToken(email, userId), newPassword },
    when,
  );
}

it('asking for a new password does the same work whether anybody has the e-mail, and tells nothing', async () => {
  const { email: known, userId } = await register();
  const asked: string[] = [];
  const watched = new InterceptedStore(store);
  watched.onAppend = (append) => {
    asked.push('append');
    return append();
  };
  const handler = new CommandHandler(watched);
  const load = handler.load.bind(handler);
  handler.load = (stream) => {
    asked.push('load');
    return load(stream);
  };
  const work = async (email: string): Promise<unknown[]> => {
    asked.length = 0;
    const { kind } = await new RequestPasswordReset(handler, KEY).execute({ email, commandId: 'c' }, when);
    return [kind, ...asked];
  };
  const unknown = newEmail();
  // The first is stored, the same again is known, and then there are as many as may be.
  for (let i = 0; i < 2; i++) expect(await work(known)).toEqual(await work(unknown));
  for (let i = 0; i < 2; i++) for (const email of [known, unknown]) await askForReset(email);
  const more = async (email: string): Promise<unknown[]> => {
    asked.length = 0;
    const result = await new RequestPasswordReset(handler, KEY).execute({ email }, when);
    const last = (await store.readStream(emailStream(hashOf(email)))).at(-1);
    return [result.kind === 'asked' && result.position === last?.position, ...asked];
  };
  expect(await more(known)).toEqual(await more(unknown));
  expect((await more(known))[0]).toBe(true);
  await settle();
  expect(await typesOf(userStream(userId))).toEqual([
    'UserRegistered',
    ...Array.from({ length: 3 }, () => 'PasswordResetOffered'),
  ]);
  expect(await typesOfEmail(unknown)).toEqual(Array.from({ length: 3 }, () => 'PasswordResetRequested'));
});

it('a token for a new password is good once, also when many send it at one moment', async () => {
  const { email, userId } = await register();
  await askForReset(email);
  await settle();
  const token = resetToken(email, userId);
  const resets = new ResetPassword(commands, personal, tokens);
  const passwords = Array.from({ length: 4 }, (_, i) => `battery staple ${i}`);
  const results = await Promise.all(
    passwords.map((newPassword) => resets.execute({ token, newPassword }, when)),
  );
  expect(results.map(({ kind }) => kind).sort()).toEqual(['accepted', 'refused', 'refused', 'refused']);
  const signedIn = await Promise.all(passwords.map((password) => check(email, password)));
  expect(signedIn.map((holder) => holder !== undefined)).toEqual(
    results.map(({ kind }) => kind === 'accepted'),
  );
  expect(await check(email)).toBeUndefined();
  expect(await typesOf(userStream(userId))).toEqual([
    'UserRegistered',
    'PasswordResetOffered',
    'PasswordChanged',
    'EmailVerified',
  ]);
});
