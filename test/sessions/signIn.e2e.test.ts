import { shownId } from '../../src/graphql/kit/ids.js';
import { randomUUID } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import type { SignInInput } from '../generated/graphql.js';
import {
  DeleteAccountDocument,
  MeDocument,
  RefreshSessionDocument,
  RegisterUserDocument,
  SignInDocument,
  SignOutDocument,
  SignOutEverywhereDocument,
} from '../generated/graphql.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import type { Place } from '../support/database.js';
import { freshPlace, openSql } from '../support/database.js';

const PASSWORD = 'correct horse';
let place: Place;
let t: TestApp;
let running = false;
beforeAll(async () => {
  place = await freshPlace({ ready: true });
  await begin();
});
afterAll(async () => {
  if (running) await t.close();
  await place.remove();
});

async function begin(): Promise<void> {
  t = await startApp({ place });
  running = true;
}

async function end(): Promise<void> {
  running = false;
  await t.close();
}

let people = 0;
/** A user with an e-mail that nobody else has; every attempt comes from another address. */
async function newUser(): Promise<{ email: string; userId: string; accountId: string; token: string }> {
  const email = `Sign.In.${++people}@example.com`;
  return { email, ...(await t.register(email)) };
}

let addresses = 0;
const anyAddress = (): string => `10.9.${(++addresses >> 8) & 255}.${addresses & 255}`;

async function attempt(input: SignInInput, address = anyAddress()) {
  const response = await fetch(`${t.app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': address },
    body: JSON.stringify({ query: SignInDocument.toString(), variables: { input } }),
  });
  const { data, errors } = (await response.json()) as {
    data?: { signIn: Record<string, unknown> & { __typename: string } };
    errors?: { extensions: { code: string } }[];
  };
  return { status: response.status, result: data?.signIn, code: errors?.[0]?.extensions.code };
}

interface Tokens {
  readonly sessionToken: string;
  readonly refreshToken: string;
}

async function signIn(email: string): Promise<Tokens> {
  const { result } = await attempt({ email, password: PASSWORD });
  if (result?.__typename !== 'SignInPayload') throw new Error(`signIn answered ${JSON.stringify(result)}`);
  return result['session'] as Tokens;
}

const refresh = async (refreshToken: string) =>
  (await t.query(RefreshSessionDocument, { input: { refreshToken } })).data?.refreshSession;

async function refreshed(refreshToken: string): Promise<Tokens> {
  const result = await refresh(refreshToken);
  if (result?.__typename !== 'RefreshSessionPayload') {
    throw new Error(`refreshSession answered ${JSON.stringify(result)}`);
  }
  return result.session;
}

/** `good`, or why a session token is refused. */
async function stateOf({ sessionToken }: Pick<Tokens, 'sessionToken'>): Promise<unknown> {
  const { errors, data } = await t.query(MeDocument, {}, sessionToken);
  return data?.me ? 'good' : errors?.[0]?.extensions['code'];
}

const INVALID = { __typename: 'SignInRefused', code: 'REFRESH_TOKEN_INVALID' };
const REUSED = { __typename: 'SignInRefused', code: 'REFRESH_TOKEN_REUSED' };

describe('signing in', () => {
  it('with e-mail and password opens a session of the user, however the e-mail is written', async () => {
    const { email, userId, accountId } = await newUser();
    for (const written of [email, email.toUpperCase(), ` ${email.toLowerCase()} `]) {
      const { result, status } = await attempt({ email: written, password: PASSWORD });
      expect([status, result]).toMatchObject([
        200,
        {
          __typename: 'SignInPayload',
          user: { id: shownId('User', userId), email: email.toLowerCase(), name: '' },
          account: { id: shownId('Account', accountId) },
        },
      ]);
      const tokens = result?.['session'] as Tokens & { expiresAt: string };
      expect(await stateOf(tokens)).toBe('good');
      expect(Date.parse(tokens.expiresAt)).toBeGreaterThan(Date.now());
    }
  });

  it('says the same to a wrong password, to an e-mail that nobody has and to one of a deleted account', async () => {
    const [known, gone] = [await newUser(), await newUser()];
    await t.query(DeleteAccountDocument, { input: { password: PASSWORD } }, gone.token);
    const answers = [
      await attempt({ email: known.email, password: 'correct horsf' }),
      await attempt({ email: known.email, password: 'x'.repeat(10_000) }),
      await attempt({ email: 'nobody.at.all@example.com', password: PASSWORD }),
      await attempt({ email: gone.email, password: PASSWORD }),
    ];
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]).toEqual({
      status: 200,
      code: undefined,
      result: {
        __typename: 'SignInRefused',
        code: 'SIGN_IN_REFUSED',
        message: 'This e-mail and this password do not belong together.',
        retryAfterSeconds: null,
      },
    });
  });

  it('refuses what is no e-mail and no command id', async () => {
    expect((await attempt({ email: 'no e-mail', password: PASSWORD })).result).toMatchObject({
      __typename: 'InvalidInput',
      code: 'INVALID_INPUT',
    });
    const { result } = await attempt({
      email: 'a@example.com',
      password: PASSWORD,
      commandId: 'x'.repeat(129),
    });
    expect(result).toMatchObject({ __typename: 'InvalidInput', code: 'INVALID_INPUT' });
  });

  it('lets ten attempts for one e-mail fail, also all at once, whether anybody has it or not', async () => {
    const known = await newUser();
    for (const email of [known.email, `nobody.${randomUUID()}@example.com`]) {
      const answers = await Promise.all(
        Array.from({ length: 15 }, () => attempt({ email, password: 'a wrong one' })),
      );
      const codes = answers.map(({ result }) => result?.['code']);
      expect(codes.filter((code) => code === 'SIGN_IN_REFUSED')).toHaveLength(10);
      const limited = answers.filter(({ result }) => result?.['code'] === 'SIGN_IN_LIMITED');
      expect(limited).toHaveLength(5);
      for (const { result } of limited) {
        expect(result).toMatchObject({ __typename: 'SignInRefused' });
        expect(result?.['retryAfterSeconds']).toBeGreaterThan(800);
        expect(result?.['retryAfterSeconds']).toBeLessThanOrEqual(900);
      }
      // The right password does not help any more, and tells nothing.
      expect((await attempt({ email, password: PASSWORD })).result).toMatchObject({
        code: 'SIGN_IN_LIMITED',
      });
    }
  });

  it('counts failures alone', async () => {
    const { email } = await newUser();
    for (let i = 0; i < 12; i++) await signIn(email);
    expect((await attempt({ email, password: 'a wrong one' })).result).toMatchObject({
      code: 'SIGN_IN_REFUSED',
    });
  });

  it.each([
    ['address', anyAddress()],
    // As many as anybody has who has one.
    ['network of IPv6', '2001:db8:0:1::'],
  ])('is limited for each %s, whatever the e-mails', async (_name, address) => {
    const answers = await Promise.all(
      Array.from({ length: 14 }, (_, i) =>
        attempt(
          { email: `address.${i}@example.com`, password: 'a wrong one' },
          address.endsWith(':') ? `${address}${i}` : address,
        ),
      ),
    );
    const limited = answers.filter(({ status, code }) => status === 429 && code === 'RATE_LIMITED');
    expect(limited).toHaveLength(4);
  });

  it('is limited for each address also beside what asks for a session', async () => {
    const { token } = await newUser();
    const attempts = Array.from(
      { length: 11 },
      (_, i) =>
        `a${i}: signIn(input: { email: "beside.${i}@example.com", password: "a wrong one" }) { __typename }`,
    );
    const own = 'updateProfile(input: { name: "Ann" }) { __typename }';
    const { status, errors } = await t.raw(`mutation { ${attempts.join(' ')} ${own} }`, {}, token);
    expect([status, errors?.[0]?.extensions['code']]).toEqual([429, 'RATE_LIMITED']);
  });

  it('under one command id opens one session, and shows its tokens once', async () => {
    const { email } = await newUser();
    const input = { email, password: PASSWORD, commandId: randomUUID() };
    const first = (await attempt(input)).result;
    const before = await t.events();
    const again = (await attempt(input)).result;
    expect(again).toEqual({
      ...first,
      session: null,
      replayed: true,
    });
    // Who does not know the password learns nothing from the command id.
    const guess = (await attempt({ ...input, password: 'a wrong one' })).result;
    expect(guess).toMatchObject({ code: 'SIGN_IN_REFUSED' });
    expect(await t.events()).toBe(before);
  });

  it('at the same moment under one command id shows tokens to one of them', async () => {
    const { email } = await newUser();
    const input = { email, password: PASSWORD, commandId: randomUUID() };
    const all = await Promise.all(Array.from({ length: 5 }, () => attempt(input)));
    expect(all.map(({ result }) => result?.__typename)).toEqual(Array(5).fill('SignInPayload'));
    expect(all.filter(({ result }) => result?.['session'] !== null)).toHaveLength(1);
  });
});

describe('a session token', () => {
  it('can be checked by anybody with the published keys', async () => {
    const { email, userId, accountId } = await newUser();
    const { sessionToken } = await signIn(email);
    const keys = createRemoteJWKSet(new URL(`${t.app.url}/.well-known/jwks.json`));
    const { payload, protectedHeader } = await jwtVerify(sessionToken, keys, { issuer: 'tollgraph' });
    expect([payload.sub, payload['account'], protectedHeader.alg]).toEqual([userId, accountId, 'EdDSA']);
  });

  it('the published keys hold no private half', async () => {
    const response = await fetch(`${t.app.url}/.well-known/jwks.json`);
    expect(response.headers.get('cache-control')).toBe('public, max-age=300');
    const { keys } = (await response.json()) as { keys: object[] };
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) {
      expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
    }
  });
});

describe('refreshing', () => {
  it('gives new tokens for the same session and adds no event', async () => {
    const { email } = await newUser();
    let tokens = await signIn(email);
    const before = await t.events();
    for (let i = 0; i < 3; i++) {
      const next = await refreshed(tokens.refreshToken);
      expect(next.refreshToken).not.toBe(tokens.refreshToken);
      expect(await stateOf(next)).toBe('good');
      tokens = next;
    }
    expect(await t.events()).toBe(before);
  });

  it('goes on from the session that registering has opened', async () => {
    const input = { email: `fresh.${randomUUID()}@example.com`, password: PASSWORD };
    const { data } = await t.query(RegisterUserDocument, { input });
    const result = data?.registerUser;
    if (result?.__typename !== 'RegisterUserPayload') throw new Error('not registered');
    expect(await stateOf(await refreshed(result.session?.refreshToken ?? ''))).toBe('good');
  });

  it('many times at once with one token gives all the same token, and the session goes on', async () => {
    const { email } = await newUser();
    const { refreshToken } = await signIn(email);
    const all = await Promise.all(Array.from({ length: 8 }, () => refreshed(refreshToken)));
    expect(new Set(all.map((tokens) => tokens.refreshToken)).size).toBe(1);
    const next = await refreshed(all[0]?.refreshToken ?? '');
    expect(await stateOf(next)).toBe('good');
  });

  it('with a token that was used before ends the whole session, and no other', async () => {
    const { email } = await newUser();
    const [stolen, other] = [await signIn(email), await signIn(email)];
    const second = await refreshed(stolen.refreshToken);
    const third = await refreshed(second.refreshToken);
    expect(await refresh(stolen.refreshToken)).toMatchObject(REUSED);
    expect(await Promise.all([stolen, second, third].map(stateOf))).toEqual(Array(3).fill('SESSION_ENDED'));
    for (const { refreshToken } of [stolen, second, third]) {
      expect(await refresh(refreshToken)).toMatchObject(INVALID);
    }
    expect(await stateOf(await refreshed(other.refreshToken))).toBe('good');
  });

  it('of a stranger’s token is refused, and so is a session token in its place', async () => {
    const { email } = await newUser();
    const { sessionToken } = await signIn(email);
    for (const text of ['', sessionToken, `rt_${'A'.repeat(43)}`])
      expect(await refresh(text)).toMatchObject(INVALID);
    const bad = { refreshToken: 'rt_', commandId: 'x'.repeat(129) };
    const { data } = await t.query(RefreshSessionDocument, { input: bad });
    expect(data?.refreshSession).toMatchObject({ __typename: 'InvalidInput' });
  });

  it('does not outlive the account, and nothing of it is kept', async () => {
    const { email, userId } = await newUser();
    const tokens = await signIn(email);
    await t.query(DeleteAccountDocument, { input: { password: PASSWORD } }, tokens.sessionToken);
    expect(await refresh(tokens.refreshToken)).toMatchObject(INVALID);
    await end();
    const sql = await openSql(place);
    const kept = await sql.query('SELECT 1 FROM vault.refresh_tokens WHERE user_id = $1', [userId]);
    await sql.close();
    await begin();
    expect(kept).toEqual([]);
  });
});

describe('signing out', () => {
  it('ends this session at once and leaves the others', async () => {
    const { email } = await newUser();
    const [here, there] = [await signIn(email), await signIn(email)];
    const { data } = await t.query(SignOutDocument, { input: {} }, here.sessionToken);
    expect(data?.signOut).toMatchObject({ __typename: 'SignOutPayload' });
    expect([await stateOf(here), await stateOf(there)]).toEqual(['SESSION_ENDED', 'good']);
    expect(await refresh(here.refreshToken)).toMatchObject(INVALID);
    expect(await stateOf(await refreshed(there.refreshToken))).toBe('good');
  });

  it('everywhere ends all sessions of the user at once, keys and other users go on', async () => {
    const [user, other] = [await newUser(), await newUser()];
    const { secret } = await t.issueKey(user.token);
    const [one, two] = [await signIn(user.email), await signIn(user.email)];
    const others = await signIn(other.email);
    const { data } = await t.query(SignOutEverywhereDocument, { input: {} }, one.sessionToken);
    expect(data?.signOutEverywhere).toMatchObject({ __typename: 'SignOutEverywherePayload' });
    for (const tokens of [one, two, { sessionToken: user.token }]) {
      expect(await stateOf(tokens)).toBe('SESSION_ENDED');
    }
    expect(await refresh(one.refreshToken)).toMatchObject(INVALID);
    expect(await refresh(two.refreshToken)).toMatchObject(INVALID);
    expect((await t.raw('{ categories { slug } }', {}, secret)).status).toBe(200);
    expect(await stateOf(others)).toBe('good');
    // Whoever signs in afterwards is signed in.
    expect(await stateOf(await signIn(user.email))).toBe('good');
  });

  it('needs a session: neither a key nor nobody signs anybody out', async () => {
    const { token } = await newUser();
    const { secret } = await t.issueKey(token);
    for (const credential of [secret, undefined]) {
      const answer = await t.query(SignOutEverywhereDocument, { input: {} }, credential);
      expect(answer.errors?.[0]?.extensions['code']).toBe('SESSION_MISSING');
    }
    expect(await stateOf({ sessionToken: token })).toBe('good');
  });

  it('holds over a restart, and so do the sessions that went on', async () => {
    const { email } = await newUser();
    const [out, everywhere, kept] = [await signIn(email), await newUser(), await newUser()];
    const stays = await signIn(kept.email);
    await t.query(SignOutDocument, { input: {} }, out.sessionToken);
    await t.query(SignOutEverywhereDocument, { input: {} }, everywhere.token);
    await end();
    await begin();
    expect(await stateOf(out)).toBe('SESSION_ENDED');
    expect(await stateOf({ sessionToken: everywhere.token })).toBe('SESSION_ENDED');
    expect(await stateOf(stays)).toBe('good');
    expect(await stateOf(await refreshed(stays.refreshToken))).toBe('good');
  });

  it('while the session is refreshed again and again leaves no token of it that works', async () => {
    const { email } = await newUser();
    let tokens = await signIn(email);
    const { sessionToken } = tokens;
    const all: Tokens[] = [tokens];
    const refreshing = (async () => {
      for (;;) {
        const result = await refresh(tokens.refreshToken);
        if (result?.__typename !== 'RefreshSessionPayload') return result;
        all.push((tokens = result.session));
      }
    })();
    await t.query(SignOutDocument, { input: {} }, sessionToken);
    expect(await refreshing).toMatchObject(INVALID);
    for (const each of all) expect(await stateOf(each)).toBe('SESSION_ENDED');
  });
});
