import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import { SignJWT, UnsecuredJWT } from 'jose';
import { Sessions, SESSION_SECONDS } from '../../src/accounts/sessions.js';

const NOW = new Date('2026-11-22T12:00:00.000Z');
const SECOND = Math.floor(NOW.getTime() / 1000);
const seed = Buffer.alloc(32, 7);
const sessions = new Sessions(seed);
const session = { userId: 'u1', accountId: 'a1' };
const INVALID = { kind: 'refused', code: 'SESSION_INVALID' };

/** The key pair that the seed stands for, as RFC 8410 frames it. */
const privateKey = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
  format: 'der',
  type: 'pkcs8',
});
const publicKey = createPublicKey(privateKey);

interface Claims {
  readonly iss?: string;
  readonly aud?: string;
  readonly sub?: string;
  readonly exp?: number;
  readonly account?: string;
}
const CLAIMS: Claims = {
  iss: 'tollgraph',
  aud: 'tollgraph',
  sub: 'u1',
  exp: SECOND + 60,
  account: 'a1',
};

/** Signed with our own key: what a forger can't do, so that each check is met alone. */
const signed = (claims: Claims, alg = 'EdDSA'): Promise<string> =>
  new SignJWT({ ...claims }).setProtectedHeader({ alg, typ: 'JWT' }).sign(privateKey);

const text = (part: string | undefined): Record<string, unknown> =>
  JSON.parse(Buffer.from(part ?? '', 'base64url').toString()) as Record<string, unknown>;
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a session token', () => {
  it('says whose session it is', async () => {
    const token = await sessions.issue(session, NOW);
    expect(await sessions.verify(token, NOW)).toEqual({ kind: 'session', session });
  });

  it('is known by another process with the same key', async () => {
    const token = await sessions.issue(session, NOW);
    expect(await new Sessions(Buffer.from(seed)).verify(token, NOW)).toEqual({ kind: 'session', session });
  });

  it('holds ids and times, and nothing personal', async () => {
    const [header, payload] = (await sessions.issue(session, NOW)).split('.');
    expect(text(header)).toEqual({ alg: 'EdDSA', typ: 'JWT' });
    expect(text(payload)).toEqual({
      account: 'a1',
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
    const token = await new Sessions(randomBytes(32)).issue(session, NOW);
    expect(await sessions.verify(token, NOW)).toEqual(INVALID);
  });

  it('is refused, not called expired, when another key signed it long ago', async () => {
    const token = await new Sessions(randomBytes(32)).issue(session, new Date(0));
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
    expect(await sessions.verify(`${part({ alg: 'none' })}.${payload}.${signature}`, NOW)).toEqual(INVALID);
  });

  it.each([
    ['raw', Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')],
    ['DER', publicKey.export({ format: 'der', type: 'spki' })],
    ['PEM', Buffer.from(publicKey.export({ format: 'pem', type: 'spki' }))],
  ])('is refused when the public key (%s) was taken for an HMAC secret', async (_form, secret) => {
    const token = await new SignJWT({ ...CLAIMS }).setProtectedHeader({ alg: 'HS256' }).sign(secret);
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
  it.each<[string, Claims]>([
    ['another issuer', { ...CLAIMS, iss: 'another' }],
    ['no issuer', withoutIssuer],
    ['another audience', { ...CLAIMS, aud: 'another' }],
    ['no audience', withoutAudience],
    ['no user', withoutUser],
    ['no end', withoutEnd],
    ['no account', withoutAccount],
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
