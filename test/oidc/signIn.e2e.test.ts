import { shownId } from '../../src/graphql/kit/ids.js';
import { randomUUID } from 'node:crypto';
import { userDecider } from '../../src/accounts/decideUser.js';
import { userStream } from '../../src/accounts/events.js';
import {
  ChangePasswordDocument,
  DeleteAccountDocument,
  MeDocument,
  SignOutDocument,
  SignOutEverywhereDocument,
} from '../generated/graphql.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import { allEvents } from '../crash/facts.js';
import type { Place } from '../support/database.js';
import { freshPlace } from '../support/database.js';
import type { Person, TestProvider } from './provider.js';
import { CLIENT, startProvider } from './provider.js';

const people = new Map<string, Person>();
let provider: TestProvider;
let place: Place;
let t: TestApp;
const env = () => ({ OIDC_ISSUERS: JSON.stringify([{ issuer: provider.issuer, audience: CLIENT }]) });

beforeAll(async () => {
  provider = await startProvider(people);
  place = await freshPlace({ ready: true });
  t = await startApp({ place, env: env() });
});
afterAll(async () => {
  await t.close();
  await provider.close();
  await place.remove();
});

/** Somebody whom the issuer knows, and a token that says so. */
async function newcomer(person: Person = {}) {
  const subject = randomUUID();
  const email = `${subject}@example.com`;
  people.set(subject, { email, email_verified: true, name: 'Ann', ...person });
  return { subject, email, token: await provider.signIn(subject) };
}

async function whoIs(token: string) {
  const { data, errors } = await t.query(MeDocument, {}, token);
  if (!data?.me) return { code: errors?.[0]?.extensions['code'] };
  return { accountId: data.me.account.id, user: data.me.user };
}

async function verifyEmail(userId: string): Promise<void> {
  const context = { commandId: randomUUID(), caller: 'test', requestHash: 'verify', at: new Date() };
  await t.app.parts.commands.handle(
    userDecider,
    userStream(userId),
    { type: 'VerifyEmail' },
    { ...context, environment: 'live', correlationId: 'test' },
  );
}

const countOf = async (type: string): Promise<number> =>
  (await allEvents(t.app.parts.store)).filter((event) => event.type === type).length;

it('the first token makes one user and one account, however many calls bring it; the next cost no event', async () => {
  const { email, token } = await newcomer();
  const [links, users] = [await countOf('IdentityLinked'), await countOf('UserRegistered')];
  const calls = await Promise.all(Array.from({ length: 10 }, () => whoIs(token)));
  expect(new Set(calls.map(({ accountId }) => accountId)).size).toBe(1);
  expect(calls[0]).toMatchObject({ user: { email, name: 'Ann', emailVerified: true } });
  expect(await countOf('IdentityLinked')).toBe(links + 1);
  expect(await countOf('UserRegistered')).toBe(users + 1);
  const events = await t.events();
  expect(await whoIs(token)).toEqual(calls[0]);
  expect(await t.events()).toBe(events);
  expect(await t.issueKey(token)).toMatchObject({ secret: expect.stringMatching(/^sk_live_/) as string });
});

it.each([
  ['one that is too long, between characters', `${'x'.repeat(99)}😀 and more`, `${'x'.repeat(99)}😀`],
  ['one in another spelling, in NFC', ' A\u0308nne ', 'Änne'],
  ['none of half a surrogate pair', 'Ann \ud83d', ''],
  ['none with a control character', 'An\u0001n', ''],
  ['none of two lines', 'Ann\nBob', ''],
])('of names that an issuer says it keeps %s', async (_what, name, kept) => {
  const { token } = await newcomer({ name });
  expect(await whoIs(token)).toMatchObject({ user: { name: kept } });
});

it('an e-mail that both sides have verified links with the user who has it, and no other', async () => {
  const { email, token } = await newcomer();
  const registered = await t.register(email);
  const events = await t.events();
  expect(await whoIs(token)).toEqual({ code: 'EMAIL_UNVERIFIED' });
  expect(await t.events()).toBe(events);
  await verifyEmail(registered.userId);
  expect(await whoIs(token)).toMatchObject({ accountId: shownId('Account', registered.accountId) });

  const unverified = await newcomer({ email, email_verified: false });
  expect(await whoIs(unverified.token)).toEqual({ code: 'IDENTITY_NOT_LINKED' });
});

it('a token that is not the issuer’s is refused', async () => {
  const { token } = await newcomer();
  const [header, , signature] = token.split('.');
  const body = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
  const changed = Buffer.from(body.replace(/"sub":"[^"]+"/, '"sub":"root"')).toString('base64url');
  expect(await whoIs([header, changed, signature].join('.'))).toEqual({ code: 'SESSION_INVALID' });
});

it('what takes a password, or a session of ours, says so', async () => {
  const { token } = await newcomer();
  await whoIs(token);
  const passwords = { currentPassword: 'correct horse', newPassword: 'battery staple' };
  const answers = [
    await t.query(ChangePasswordDocument, { input: passwords }, token),
    await t.query(DeleteAccountDocument, { input: { password: 'correct horse' } }, token),
    await t.query(SignOutDocument, { input: {} }, token),
  ];
  for (const { errors } of answers) {
    expect(errors?.[0]?.extensions['code']).toBe('OWN_SESSION_REQUIRED');
  }
});

it('ending all sessions and deleting the account hold for tokens of the issuer too, also after a restart', async () => {
  const out = await newcomer();
  await whoIs(out.token);
  await t.query(SignOutEverywhereDocument, { input: {} }, out.token);
  expect(await whoIs(out.token)).toEqual({ code: 'SESSION_ENDED' });

  const gone = await newcomer();
  const registered = await t.register(gone.email);
  await verifyEmail(registered.userId);
  expect(await whoIs(gone.token)).toMatchObject({ accountId: shownId('Account', registered.accountId) });
  await t.query(DeleteAccountDocument, { input: { password: 'correct horse' } }, registered.token);
  expect(await whoIs(gone.token)).toEqual({ code: 'ACCOUNT_DELETED' });

  const kept = await newcomer();
  const before = await whoIs(kept.token);
  await t.close();
  t = await startApp({ place, env: env() });
  const events = await t.events();
  expect(await whoIs(kept.token)).toEqual(before);
  expect(await whoIs(out.token)).toEqual({ code: 'SESSION_ENDED' });
  expect(await whoIs(gone.token)).toEqual({ code: 'ACCOUNT_DELETED' });
  expect(await t.events()).toBe(events);
});
