import { createHmac, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT, UnsecuredJWT } from 'jose';
import type { OidcIssuer } from '../../src/config.js';
import { parseConfig } from '../../src/config.js';
import { Issuers } from '../../src/oidc/issuers.js';
import { Outage } from '../../src/outage.js';

const NOW = new Date('2026-11-23T12:00:00.000Z');
const SECOND = NOW.getTime() / 1000;
const SECRET = 'a secret that is shared by two of us';
const INVALID = { kind: 'refused', code: 'SESSION_INVALID' };
const newKey = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
const first = newKey();
const second = newKey();

/** An issuer on loopback: what it publishes, and how often it was asked for it. */
const published = new Map<string, KeyObject>();
const asked = { discovery: 0, keys: 0 };
let up = true;
let speaksOf: string | undefined;
let issuer: string;

const server = createServer((request, response) => {
  const jwks = request.url === '/jwks';
  asked[jwks ? 'keys' : 'discovery']++;
  if (!up) return void response.writeHead(503).end();
  const keys = [...published].map(([kid, key]) => ({ ...key.export({ format: 'jwk' }), kid, use: 'sig' }));
  const body = jwks ? { keys } : { issuer: speaksOf ?? issuer, jwks_uri: `${issuer}/jwks` };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
});
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  published.clear();
  published.set('first', first.publicKey);
  Object.assign(asked, { discovery: 0, keys: 0 });
  up = true;
  speaksOf = undefined;
});

const configured = (more: object = {}): readonly OidcIssuer[] =>
  parseConfig({
    OIDC_ISSUERS: JSON.stringify([{ issuer, audience: 'us', ...more }]),
    OIDC_SHARED_SECRET: SECRET,
  }).oidcIssuers;

const issuers = (more?: object, options = {}): Issuers =>
  new Issuers(configured(more), { sharedSecret: SECRET, ...options });

const good = (): Record<string, unknown> => ({
  iss: issuer,
  aud: 'us',
  sub: 'ann',
  iat: SECOND - 5,
  exp: SECOND + 60,
});
/** The claims of a good token with some changed; undefined takes one out. */
const signed = (changes: object = {}, key = first.privateKey, header: object = {}): Promise<string> =>
  new SignJWT(JSON.parse(JSON.stringify({ ...good(), ...changes })) as Record<string, unknown>)
    .setProtectedHeader({ alg: 'RS256', kid: 'first', ...header })
    .sign(key);

it('tells whom the issuer vouches for, and since when', async () => {
  const changes = { email: 'ann@example.com', email_verified: true, name: 'Ann', auth_time: SECOND - 100 };
  expect(await issuers().verify(await signed(changes), NOW)).toEqual({
    kind: 'identity',
    identity: {
      issuer,
      subject: 'ann',
      since: (SECOND - 100) * 1000,
      email: 'ann@example.com',
      name: 'Ann',
    },
  });
});

it.each([undefined, false, 'false', 1, null])('knows no e-mail where email_verified is %p', async (said) => {
  const token = await signed({ email: 'ann@example.com', email_verified: said });
  expect(await issuers().verify(token, NOW)).toMatchObject({ identity: { email: undefined } });
});

it.each<[string, object, string]>([
  ['for somebody else', { aud: 'them' }, 'SESSION_INVALID'],
  ['for nobody', { aud: undefined }, 'SESSION_INVALID'],
  ['of nobody', { sub: undefined }, 'SESSION_INVALID'],
  ['with an empty subject', { sub: '' }, 'SESSION_INVALID'],
  ['with half a surrogate pair for a subject', { sub: 'ann\ud83d' }, 'SESSION_INVALID'],
  ['with NUL in its subject', { sub: 'ann\0' }, 'SESSION_INVALID'],
  ['with a subject of 256 bytes', { sub: 'x'.repeat(256) }, 'SESSION_INVALID'],
  ['without an end', { exp: undefined }, 'SESSION_INVALID'],
  ['that is over', { exp: SECOND - 11 }, 'SESSION_EXPIRED'],
  ['that begins later', { nbf: SECOND + 11 }, 'SESSION_INVALID'],
  ['that is issued later', { iat: SECOND + 11 }, 'SESSION_INVALID'],
  ['without a time of issue', { iat: undefined }, 'SESSION_INVALID'],
])('refuses a token %s', async (_what, changes, code) => {
  expect(await issuers().verify(await signed(changes), NOW)).toEqual({ kind: 'refused', code });
});

it.each(['x'.repeat(255), 'e\u0301', '\u00e9', ' ann', '__proto__'])(
  'takes the subject %j as it is',
  async (sub) => {
    expect(await issuers().verify(await signed({ sub }), NOW)).toMatchObject({ identity: { subject: sub } });
  },
);

it('leaves tokens of others to others', async () => {
  expect(await issuers().verify(await signed({ iss: 'tollgraph' }), NOW)).toBeUndefined();
  expect(await issuers().verify(await signed({ iss: `${issuer}/` }), NOW)).toBeUndefined();
  expect(await issuers().verify('eyJ.no.token', NOW)).toBeUndefined();
});

it('takes no published key for a shared secret, no token without a signature, and no forged one', async () => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const body = `${part({ alg: 'HS256', kid: 'first' })}.${part(good())}`;
  const pems = ['spki', 'pkcs1'].map((type) =>
    first.publicKey.export({ type: type as 'spki' | 'pkcs1', format: 'pem' }),
  );
  for (const secret of [...pems, SECRET]) {
    const confused = `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
    expect(await issuers().verify(confused, NOW)).toEqual(INVALID);
  }
  expect(await issuers().verify(new UnsecuredJWT(good()).encode(), NOW)).toEqual(INVALID);
  expect(await issuers().verify(await signed({}, second.privateKey), NOW)).toEqual(INVALID);
  const [header, , signature] = (await signed()).split('.');
  const changed = [header, part({ ...good(), sub: 'bob' }), signature].join('.');
  expect(await issuers().verify(changed, NOW)).toEqual(INVALID);
  const logout = await signed({}, first.privateKey, { typ: 'logout+jwt' });
  expect(await issuers().verify(logout, NOW)).toEqual(INVALID);
});

it('takes access tokens of Cognito, which name the client alone, where the mapping says so', async () => {
  const access = { aud: undefined, client_id: 'us', token_use: 'access' };
  const mapping = { claims: { audience: ['aud', 'client_id'] }, require: { token_use: ['access', 'id'] } };
  const cognito = issuers(mapping);
  expect(await cognito.verify(await signed(access), NOW)).toMatchObject({ kind: 'identity' });
  expect(await issuers().verify(await signed(access), NOW)).toEqual(INVALID);
  for (const wrong of [{ client_id: 'them' }, { token_use: 'refresh' }, { aud: 'them' }]) {
    expect(await cognito.verify(await signed({ ...access, ...wrong }), NOW)).toEqual(INVALID);
  }
});

it('asks for keys once, again for an unknown one, and no more than that within the cooldown', async () => {
  const kept = issuers();
  const many = await Promise.all(Array.from({ length: 20 }, async () => kept.verify(await signed(), NOW)));
  expect(many.every((check) => check?.kind === 'identity')).toBe(true);
  expect(asked).toEqual({ discovery: 1, keys: 1 });
  for (let i = 0; i < 20; i++) {
    const unknown = await signed({}, second.privateKey, { kid: `unknown ${i}` });
    expect(await kept.verify(unknown, NOW)).toEqual(INVALID);
  }
  expect(asked).toEqual({ discovery: 1, keys: 1 });

  const rotated = issuers({}, { cooldownMs: 0 });
  expect(await rotated.verify(await signed(), NOW)).toMatchObject({ kind: 'identity' });
  published.delete('first');
  published.set('second', second.publicKey);
  const next = await signed({}, second.privateKey, { kid: 'second' });
  expect(await rotated.verify(next, NOW)).toMatchObject({ kind: 'identity' });
  expect(await rotated.verify(await signed(), NOW)).toEqual(INVALID);
});

it('while the issuer is away nobody can tell, and it is not asked at every call', async () => {
  up = false;
  let now = 0;
  const away = issuers({}, { clock: () => now });
  const token = await signed();
  for (let i = 0; i < 5; i++) await expect(away.verify(token, NOW)).rejects.toThrow(Outage);
  expect(asked.discovery).toBe(1);
  up = true;
  now = 5_000;
  expect(await away.verify(token, NOW)).toMatchObject({ kind: 'identity' });
});

it('believes no discovery that speaks of another issuer', async () => {
  speaksOf = 'https://other.example';
  await expect(issuers().verify(await signed(), NOW)).rejects.toThrow(Outage);
});

it('takes a shared secret where the issuer has one, and then no published key', async () => {
  const shared = issuers({ algorithm: 'HS256' });
  const by = (secret: string, alg = 'HS256') =>
    new SignJWT(good()).setProtectedHeader({ alg }).sign(Buffer.from(secret));
  expect(await shared.verify(await by(SECRET), NOW)).toMatchObject({ kind: 'identity' });
  expect(await shared.verify(await by('another secret of the same length!'), NOW)).toEqual(INVALID);
  expect(await shared.verify(await by(SECRET.repeat(2), 'HS512'), NOW)).toEqual(INVALID);
  expect(await shared.verify(await signed(), NOW)).toEqual(INVALID);
  expect(asked).toEqual({ discovery: 0, keys: 0 });
});
