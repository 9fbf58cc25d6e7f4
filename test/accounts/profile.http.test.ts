import { shownId } from '../../src/graphql/kit/ids.js';
import { randomUUID } from 'node:crypto';
import {
  ChangePasswordDocument,
  DeleteAccountDocument,
  MeDocument,
  MyAccountsDocument,
  RefreshSessionDocument,
  RenameAccountDocument,
  SignInDocument,
  UpdateProfileDocument,
} from '../generated/graphql.js';
import { allEvents } from '../crash/facts.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';

const OLD = 'correct horse';
const NEW = 'battery staple';
let t: TestApp;
beforeAll(async () => {
  t = await startApp();
});
afterAll(() => t.close());

async function newUser() {
  const email = `profile.${randomUUID()}@example.com`;
  return { email, ...(await t.register(email)) };
}
const signIn = async (email: string, password: string) =>
  (await t.query(SignInDocument, { input: { email, password } })).data?.signIn;

const change = async (token: string, currentPassword: string, newPassword: string, commandId?: string) => {
  const input = { currentPassword, newPassword, ...(commandId !== undefined && { commandId }) };
  return (await t.query(ChangePasswordDocument, { input }, token)).data?.changePassword;
};

async function changed(token: string, currentPassword: string, newPassword: string, commandId?: string) {
  const result = await change(token, currentPassword, newPassword, commandId);
  if (result?.__typename !== 'ChangePasswordPayload') {
    throw new Error(`changePassword answered ${JSON.stringify(result)}`);
  }
  return result;
}

const stateOf = async (token: string | null): Promise<unknown> => {
  const { data, errors } = await t.query(MeDocument, {}, token ?? '');
  return data?.me ? 'good' : errors?.[0]?.extensions['code'];
};

describe('changing the password', () => {
  it('ends every session but the new one, and the new password alone signs in', async () => {
    const user = await newUser();
    const other = await signIn(user.email, OLD);
    if (other?.__typename !== 'SignInPayload') throw new Error('not signed in');
    const { sessionToken, refreshToken } = (await changed(user.token, OLD, NEW)).session ?? {};
    expect(await stateOf(user.token)).toBe('SESSION_ENDED');
    expect(await stateOf(other.session?.sessionToken ?? '')).toBe('SESSION_ENDED');
    const old = await t.query(RefreshSessionDocument, {
      input: { refreshToken: other.session?.refreshToken ?? '' },
    });
    expect(old.data?.refreshSession).toMatchObject({ code: 'REFRESH_TOKEN_INVALID' });
    expect(await stateOf(sessionToken ?? '')).toBe('good');
    const next = await t.query(RefreshSessionDocument, { input: { refreshToken: refreshToken ?? '' } });
    expect(next.data?.refreshSession).toMatchObject({ __typename: 'RefreshSessionPayload' });

    expect(await signIn(user.email, OLD)).toMatchObject({ code: 'SIGN_IN_REFUSED' });
    expect(await signIn(user.email, NEW)).toMatchObject({ __typename: 'SignInPayload' });
  });

  it('needs the present password, and lets ten wrong ones be tried', async () => {
    const user = await newUser();
    for (let i = 0; i < 10; i++) {
      expect(await change(user.token, `wrong ${i}`, NEW)).toMatchObject({ code: 'PASSWORD_WRONG' });
    }
    expect(await change(user.token, OLD, NEW)).toMatchObject({ code: 'SIGN_IN_LIMITED' });
    expect(await signIn(user.email, OLD)).toMatchObject({ __typename: 'SignInPayload' });
  });

  it('refuses what is too short or too long', async () => {
    const user = await newUser();
    for (const bad of ['1234567', 'x'.repeat(201)]) {
      expect(await change(user.token, OLD, bad)).toMatchObject({ code: 'INVALID_INPUT' });
    }
    expect(await change(user.token, OLD, NEW, 'x'.repeat(129))).toMatchObject({ code: 'INVALID_INPUT' });
    expect(await stateOf(user.token)).toBe('good');
  });

  it('at the same moment from several sides happens once', async () => {
    const user = await newUser();
    const results = await Promise.all(
      Array.from({ length: 4 }, (_, i) => change(user.token, OLD, `another password ${i}`)),
    );
    const winners = results.filter((result) => result?.__typename === 'ChangePasswordPayload');
    expect(winners).toHaveLength(1);
    const signedIn = await Promise.all(
      Array.from({ length: 4 }, (_, i) => signIn(user.email, `another password ${i}`)),
    );
    expect(signedIn.map((result) => result?.__typename === 'SignInPayload')).toEqual(
      results.map((result) => result === winners[0]),
    );
  });

  it('sent again under its command id returns the first result without the tokens', async () => {
    const user = await newUser();
    const commandId = randomUUID();
    const first = await changed(user.token, OLD, NEW, commandId);
    const head = await t.events();
    const again = await changed(first.session?.sessionToken ?? '', OLD, NEW, commandId);
    expect(again).toMatchObject({
      session: null,
      replayed: true,
    });
    expect(await t.events()).toBe(head);
  });

  it('counts for deleting the account too', async () => {
    const user = await newUser();
    const sessionToken = (await changed(user.token, OLD, NEW)).session?.sessionToken;
    const remove = async (password: string) =>
      (await t.query(DeleteAccountDocument, { input: { password } }, sessionToken ?? '')).data?.deleteAccount;
    expect(await remove(OLD)).toMatchObject({ code: 'PASSWORD_WRONG' });
    expect(await remove(NEW)).toMatchObject({ __typename: 'DeleteAccountPayload' });
    expect(await signIn(user.email, NEW)).toMatchObject({ code: 'SIGN_IN_REFUSED' });
  });
});

describe('the profile', () => {
  it('shows a new name at once, and when signing in', async () => {
    const user = await newUser();
    const input = { name: 'Ada Lovelace' };
    const { data } = await t.query(UpdateProfileDocument, { input }, user.token);
    expect(data?.updateProfile).toMatchObject({
      __typename: 'UpdateProfilePayload',
      user: { id: shownId('User', user.userId), name: 'Ada Lovelace' },
    });
    const me = await t.query(MeDocument, {}, user.token);
    expect(me.data?.me?.user).toMatchObject({ id: shownId('User', user.userId) });
    expect(await signIn(user.email, OLD)).toMatchObject({ user: { name: 'Ada Lovelace' } });
    await t.query(UpdateProfileDocument, { input: { name: '' } }, user.token);
    expect(await signIn(user.email, OLD)).toMatchObject({ user: { name: '' } });
  });

  it('is updated once under one command id, and refused with another name', async () => {
    const user = await newUser();
    const input = { name: 'Ada', commandId: randomUUID() };
    const update = async (of: typeof input) =>
      (await t.query(UpdateProfileDocument, { input: of }, user.token)).data?.updateProfile;
    const first = await update(input);
    const head = await t.events();
    expect(await update(input)).toEqual(first);
    expect(await update({ ...input, name: 'Bob' })).toMatchObject({ code: 'COMMAND_ID_REUSED' });
    expect(await update({ ...input, name: 'x'.repeat(101) })).toMatchObject({ code: 'INVALID_INPUT' });
    expect(await t.events()).toBe(head);
  });

  it('survives a rebuild', async () => {
    const user = await newUser();
    await t.query(UpdateProfileDocument, { input: { name: 'Grace' } }, user.token);
    await changed(user.token, OLD, NEW);
    const { projector } = t.app.parts;
    await t.caughtUp();
    for (const model of ['accounts', 'sessions']) {
      expect(await projector.rebuild(model)).toMatchObject({ differing: [] });
    }
  });
});

describe('the name of an account', () => {
  const rename = async (token: string, name: string, commandId: string | null = null) =>
    (await t.query(RenameAccountDocument, { input: { name, commandId } }, token)).data?.renameAccount;
  const nameOf = async (token: string) => (await t.query(MeDocument, {}, token)).data?.me?.account.name;

  it('is that of whoever opened it, until it is given one of its own', async () => {
    const { token } = await newUser();
    await t.query(UpdateProfileDocument, { input: { name: 'Ada' } }, token);
    expect(await nameOf(token)).toBe('Ada');
    expect(await rename(token, '  Analytical Engines  ')).toMatchObject({
      __typename: 'RenameAccountPayload',
      replayed: false,
      account: { name: 'Analytical Engines' },
    });
    expect(await nameOf(token)).toBe('Analytical Engines');
    const { data } = await t.query(MyAccountsDocument, {}, token);
    expect(data?.me?.accounts?.nodes.map(({ accountName }) => accountName)).toEqual(['Analytical Engines']);
    await t.query(UpdateProfileDocument, { input: { name: 'Ada Lovelace' } }, token);
    expect(await nameOf(token)).toBe('Analytical Engines');
  });

  it('is changed once by a command that is sent again, and by no other content under its id', async () => {
    const { token } = await newUser();
    expect(await rename(token, 'One', 'id')).toMatchObject({ replayed: false });
    expect(await rename(token, 'One', 'id')).toMatchObject({ replayed: true, account: { name: 'One' } });
    expect(await rename(token, 'Two', 'id')).toMatchObject({ code: 'COMMAND_ID_REUSED' });
    expect(await nameOf(token)).toBe('One');
  });

  it.each([
    ['empty', ' '],
    ['longer than 100 characters', 'x'.repeat(101)],
    ['more than one line', 'a\nb'],
  ])('is not %s', async (_what, name) => {
    const { token } = await newUser();
    expect(await rename(token, name)).toMatchObject({ __typename: 'InvalidInput', code: 'INVALID_INPUT' });
  });

  it('is sealed, and gone with the account', async () => {
    const [user, operator] = [await newUser(), await newUser()];
    await t.makeOperator(operator);
    await rename(user.token, 'Secret Society');
    const OF = 'query Of($id: ID!) { operator { account(id: $id) { id name } } }';
    const seen = async () =>
      (await t.raw(OF, { id: shownId('Account', user.accountId) }, operator.token)).data?.['operator'];
    expect(await seen()).toMatchObject({ account: { name: 'Secret Society' } });
    await t.query(DeleteAccountDocument, { input: { password: OLD } }, user.token);
    await t.caughtUp();
    expect(await seen()).toMatchObject({ account: { name: null } });
    const events = (await allEvents(t.app.parts.store)).filter(({ type }) => type === 'AccountRenamed');
    expect(events.length).toBeGreaterThan(0);
    expect(JSON.stringify(events)).not.toContain('Secret Society');
  });
});
