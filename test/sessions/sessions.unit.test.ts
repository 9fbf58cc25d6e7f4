import type { KeyObject } from 'node:crypto';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { SignJWT, UnsecuredJWT } from 'jose';
import { Sessions, SESSION_SECONDS } from '../../src/sessions/sessions.js';

const NOW = new Date('2026-11-22T12:00:00.000Z');
const SECOND = Math.floor(NOW.getTime() / 1000);
const KID = 'the-key';
/** Signs with the last one, and knows all of them. */
const keysOf = (...keys: readonly (readonly [kid: string, privateKey: KeyObject])[]) => ({
  signing: () => {
    const [kid, privateKey] = keys.at(-1) as readonly [string, KeyObject];
    return Promise.resolve({ kid, privateKey });
  },
  verifying: (kid: string) => {
    const found = keys.find(([known]) => known === kid);
    return Promise.resolve(found && createPublicKey(found[1]));
  },
});
const newKey = (): KeyObject => generateKeyPairSync('ed25519').privateKey;
const privateKey = newKey();
const publicKey = createPublicKey(privateKey);
const sessions = new Sessions(keysOf([KID, privateKey]));
/** Somebody else's, under the id of our key. */
const forger = (): Sessions => new Sessions(keysOf([KID, newKey()]));
const session = { userId: 'u1', accountId: 'a1', sessionId: 's1', epoch: 3 };
const INVALID = { kind: 'refused', code: 'SESSION_INVALID' };

interface Claims {
  readonly iss?: string;
  readonly aud?: string;
  readonly sub?: string;
  readonly exp?: number;
  readonly account?: string;
  readonly sid?: string;
  readonly epoch?: number;
}
const CLAIMS: Claims = {
  iss: 'tollgraph',
  aud: 'tollgraph',
  sub: 'u1',
  exp: SECOND + 60,
  account: 'a1',
  sid: 's1',
  epoch: 3,
};

/** Signed with our own key: what a forger can't do, so that each check is met alone. */
const signed = (claims: Claims, alg = 'EdDSA'): Promise<string> =>
  new SignJWT({ ...claims }).setProtectedHeader({ alg, typ: 'JWT', kid: KID }).sign(privateKey);

const text = (part: string | undefined): Record<string, unknown> =>
  JSON.parse(Buffer.from(part ?? '', 'base64url').toString()) as Record<string, unknown>;
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a session token', () => {
  it.each([
    ['a second', 1, 'session'],
    ['a quarter of an hour', SESSION_SECONDS, 'session'],
    ['a quarter of an hour and a second', SESSION_SECONDS + 1, 'refused'],
    ['a day', 86_400, 'refused'],
  ])('of a clock that was ahead by %s is good for twice its time at most', async (_name, seconds, kind) => {
    const token = await sessions.issue(session, new Date(NOW.getTime() + seconds * 1000));
    const check = await sessions.verify(token, NOW);
    expect(check.kind).toBe(kind);
    // Whoever has a refresh token uses it then.
    if (check.kind === 'refused') expect(check.code).toBe('SESSION_EXPIRED');
  });

  it('says whose session it is', async () => {
    const token = await sessions.issue(session, NOW);
    expect(await sessions.verify(token, NOW)).toEqual({ kind: 'session', session });
  });

  it('is known by another process that has the key, whatever others it has', async () => {
    const token = await sessions.issue(session, NOW);
    expect(await new Sessions(keysOf(['coming', newKey()], [KID, privateKey])).verify(token, NOW)).toEqual({
      kind: 'session',
      session,
    });
  });

  it('holds ids and times, and nothing personal', async () => {
    const [header, payload] = (await sessions.issue(session, NOW)).split('.');
    expect(text(header)).toEqual({ alg: 'EdDSA', typ: 'JWT', kid: KID });
    expect(text(payload)).toEqual({
      account: 'a1',
      sid: 's1',
      epoch: 3,
      sub: 'u1',
      iss: 'tollgraph',
      aud: 'tollgraph',
      iat: SECOND,
      exp: SECOND + SESSION_SECONDS,
    });
  });

  it('ends to the second, and says that it has expired', async () => {
    const token = await sessions.issue(session, NOW);
    const after = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000);
    expect(await sessions.verify(token, after(SESSION_SECONDS - 1))).toMatchObject({ kind: 'session' });
    expect(await sessions.verify(token, after(SESSION_SECONDS))).toEqual({
      kind: 'refused',
      code: 'SESSION_EXPIRED',
    });
  });
});

describe('a token that is not ours', () => {
  it('is refused when another key signed it', async () => {
    const token = await forger().issue(session, NOW);
    expect(await sessions.verify(token, NOW)).toEqual(INVALID);
  });

  it('is refused, not called expired, when another key signed it long ago', async () => {
    const token = await forger().issue(session, new Date(0));
    expect(await sessions.verify(token, NOW)).toEqual(INVALID);
  });

  it.each([undefined, 'another', '__proto__'])('is refused under the key id %s', async (kid) => {
    const header = { alg: 'EdDSA', typ: 'JWT', ...(kid !== undefined && { kid }) };
    const token = await new SignJWT({ ...CLAIMS }).setProtectedHeader(header).sign(privateKey);
    expect(await sessions.verify(token, NOW)).toEqual(INVALID);
  });

  it('is refused when its claims were changed after signing', async () => {
    const [header, payload, signature] = (await sessions.issue(session, NOW)).split('.');
    const forged = `${header}.${part({ ...text(payload), account: 'a2' })}.${signature}`;
    expect(await sessions.verify(forged, NOW)).toEqual(INVALID);
  });

  it('is refused when any single bit of its signature is turned', async () => {
    const [header, payload, signature] = (await sessions.issue(session, NOW)).split('.');
    const bytes = Buffer.from(signature ?? '', 'base64url');
    expect(bytes.length).toBe(64);
    for (const index of [0, 31, 32, 63]) {
      const turned = Buffer.from(bytes);
      turned[index] = (turned[index] ?? 0) ^ 1;
      const forged = `${header}.${payload}.${turned.toString('base64url')}`;
      expect(await sessions.verify(forged, NOW)).toEqual(INVALID);
    }
  });

  it('is refused without a signature (alg none)', async () => {
    const unsecured = new UnsecuredJWT({ ...CLAIMS }).encode();
    expect(text(unsecured.split('.')[0])).toEqual({ alg: 'none' });
    expect(await sessions.verify(unsecured, NOW)).toEqual(INVALID);
    const [, payload, signature] = (await signed(CLAIMS)).split('.');
    expect(await sessions.verify(`${part({ alg: 'none', kid: KID })}.${payload}.${signature}`, NOW)).toEqual(
      INVALID,
    );
  });

  it.each([
    ['raw', Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')],
    ['DER', publicKey.export({ format: 'der', type: 'spki' })],
    ['PEM', Buffer.from(publicKey.export({ format: 'pem', type: 'spki' }))],
  ])('is refused when the public key (%s) was taken for an HMAC secret', async (_form, secret) => {
    const token = await new SignJWT({ ...CLAIMS })
      .setProtectedHeader({ alg: 'HS256', kid: KID })
      .sign(secret);
    expect(await sessions.verify(token, NOW)).toEqual(INVALID);
  });

  it('is accepted where all claims are ours, so that the refusals below have one reason each', async () => {
    expect(await sessions.verify(await signed(CLAIMS), NOW)).toEqual({ kind: 'session', session });
  });

  const { iss: _iss, ...withoutIssuer } = CLAIMS;
  const { aud: _aud, ...withoutAudience } = CLAIMS;
  const { sub: _sub, ...withoutUser } = CLAIMS;
  const { exp: _exp, ...withoutEnd } = CLAIMS;
  const { account: _account, ...withoutAccount } = CLAIMS;
  const { sid: _sid, ...withoutSession } = CLAIMS;
  const { epoch: _epoch, ...withoutEpoch } = CLAIMS;
  it.each<[string, Claims]>([
    ['another issuer', { ...CLAIMS, iss: 'another' }],
    ['no issuer', withoutIssuer],
    ['another audience', { ...CLAIMS, aud: 'another' }],
    ['no audience', withoutAudience],
    ['no user', withoutUser],
    ['no end', withoutEnd],
    ['no account', withoutAccount],
    ['no session', withoutSession],
    ['no epoch', withoutEpoch],
  ])('is refused with %s', async (_what, claims) => {
    expect(await sessions.verify(await signed(claims), NOW)).toEqual(INVALID);
  });

  it.each(['', '.', '..', 'a.b.c', 'null', 'ä.ö.ü', 'x'.repeat(10_000)])(
    'is refused when it is no token at all: %.20s',
    async (token) => {
      expect(await sessions.verify(token, NOW)).toEqual(INVALID);
    },
  );
});
