import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { shownId } from '../../src/graphql/kit/ids.js';
import {
  RequestEmailChangeDocument,
  ConfirmEmailChangeDocument,
  MeDocument,
  RequestPasswordResetDocument,
  ResetPasswordDocument,
  SignInDocument,
} from '../generated/graphql.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import { pause } from '../support/until.js';

const OLD = 'correct horse';
const NEW = 'battery staple';
let t: TestApp;
beforeAll(async () => {
  t = await startApp();
});
afterAll(() => t.close());

async function newUser() {
  const email = `r.${randomUUID().slice(0, 8)}@example.com`;
  return { email, ...(await t.register(email)) };
}

/** The mail to an address with these words in its subject, once it lies in its file. */
async function mailTo(email: string, subject: string): Promise<{ text: string; token: string }> {
  const folder = join(t.place.dataDir, 'mail');
  for (;;) {
    for (const name of (await readdir(folder).catch(() => [])).filter((file) => file.endsWith('.eml'))) {
      const text = (await readFile(join(folder, name), 'utf8')).replace(/=\n/g, '').replace(/=3D/g, '=');
      if (!text.includes(`To: ${email}`) || !text.includes(subject)) continue;
      return { text, token: /^[\w-]+\.[\w-]{43}$/m.exec(text)?.[0] ?? '' };
    }
    await pause();
  }
}

const askForReset = async (email: string) =>
  t.query(RequestPasswordResetDocument, { input: { email, commandId: 'forgotten' } });
const reset = async (token: string, newPassword = NEW) =>
  (await t.query(ResetPasswordDocument, { input: { token, newPassword } })).data?.resetPassword;
const change = async (session: string, email: string, password = OLD) =>
  (await t.query(RequestEmailChangeDocument, { input: { email, password } }, session)).data
    ?.requestEmailChange;
const confirm = async (token: string) =>
  (await t.query(ConfirmEmailChangeDocument, { input: { token } })).data?.confirmEmailChange;
const signIn = async (email: string, password: string) =>
  (await t.query(SignInDocument, { input: { email, password } })).data?.signIn;
const me = async (session: string) => (await t.query(MeDocument, {}, session)).data?.me?.user;
const shape = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, of: unknown) => (key === 'position' ? typeof of : of)));

it('a forgotten password is set anew by the token in a mail, once; all sessions end, and the e-mail is verified', async () => {
  const user = await newUser();
  const known = await askForReset(user.email);
  const unknown = await askForReset(`nobody.${randomUUID()}@example.com`);
  expect(known.data?.requestPasswordReset).toMatchObject({ __typename: 'RequestPasswordResetPayload' });
  expect([known.status, shape(known.data)]).toEqual([unknown.status, shape(unknown.data)]);

  const { text, token } = await mailTo(user.email, 'reset your password');
  expect(text).toContain('resetPassword');
  expect(await reset(token, 'short')).toMatchObject({ code: 'INVALID_INPUT' });
  expect(await reset(`${token}x`)).toMatchObject({ code: 'TOKEN_INVALID' });
  expect(await reset(token)).toMatchObject({ __typename: 'ResetPasswordPayload' });
  expect(await reset(token, 'another password')).toMatchObject({ code: 'TOKEN_INVALID' });
  const { errors } = await t.query(MeDocument, {}, user.token);
  expect(errors?.[0]?.extensions['code']).toBe('SESSION_ENDED');
  expect(await signIn(user.email, OLD)).toMatchObject({ code: 'SIGN_IN_REFUSED' });
  const signedIn = await signIn(user.email, NEW);
  if (signedIn?.__typename !== 'SignInPayload') throw new Error('not signed in');
  expect(await me(signedIn.session?.sessionToken ?? '')).toMatchObject({ emailVerified: true });
});

it('an e-mail changes by the token in a mail to the new one; the old one is free and gets a notice', async () => {
  const [user, other] = [await newUser(), await newUser()];
  const email = `new.${randomUUID().slice(0, 8)}@example.com`;
  expect(await change(user.token, email, 'wrong password')).toMatchObject({ code: 'PASSWORD_WRONG' });
  expect(await change(user.token, other.email)).toMatchObject({ code: 'EMAIL_TAKEN' });
  expect(await change(user.token, email)).toMatchObject({ __typename: 'RequestEmailChangePayload' });
  expect(await me(user.token)).toMatchObject({ email: user.email });

  const { token } = await mailTo(email, 'confirm your new e-mail');
  expect(await reset(token)).toMatchObject({ code: 'TOKEN_INVALID' });
  expect(await confirm(`${token}x`)).toMatchObject({ code: 'TOKEN_INVALID' });
  expect(await confirm(token)).toMatchObject({ __typename: 'ConfirmEmailChangePayload' });
  expect(await me(user.token)).toMatchObject({ email, emailVerified: true });
  const head = await t.events();
  expect(await confirm(token)).toMatchObject({ __typename: 'ConfirmEmailChangePayload' });
  expect(await t.events()).toBe(head);

  expect(await signIn(user.email, OLD)).toMatchObject({ code: 'SIGN_IN_REFUSED' });
  expect(await signIn(email, OLD)).toMatchObject({ user: { id: shownId('User', user.userId) } });
  const notice = await mailTo(user.email, 'your e-mail was changed');
  expect(notice.token).toBe('');
  expect(notice.text).not.toContain(email);
  expect((await t.register(user.email)).userId).not.toBe(user.userId);
});

it('wrong passwords for a change are counted', async () => {
  const user = await newUser();
  for (let i = 0; i < 10; i++) {
    expect(await change(user.token, 'a@example.com', `wrong ${i}`)).toMatchObject({ code: 'PASSWORD_WRONG' });
  }
  expect(await change(user.token, 'a@example.com')).toMatchObject({ code: 'SIGN_IN_LIMITED' });
});

it('the read models are built again from the events', async () => {
  const { projector } = t.app.parts;
  await t.caughtUp();
  for (const model of ['accounts', 'sessions', 'audit']) {
    expect(await projector.rebuild(model)).toMatchObject({ differing: [] });
  }
});
