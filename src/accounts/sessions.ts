import { createPrivateKey, createPublicKey } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';

export interface Session {
  readonly userId: string;
  readonly accountId: string;
}

export type SessionCheck =
  | { readonly kind: 'session'; readonly session: Session }
  | { readonly kind: 'refused'; readonly code: 'SESSION_EXPIRED' | 'SESSION_INVALID' };

const ISSUER = 'tollgraph';
export const SESSION_SECONDS = 15 * 60;

/** RFC 8410: the PKCS #8 frame around a raw Ed25519 seed. */
const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Short-lived access tokens: JWT (RFC 7519) signed with Ed25519 (RFC 8037). */
export class Sessions {
  readonly #privateKey;
  readonly #publicKey;

  /** @param seed 32 bytes */
  constructor(seed: Buffer) {
    const der = Buffer.concat([ED25519_PKCS8, seed]);
    this.#privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    this.#publicKey = createPublicKey(this.#privateKey);
  }

  issue({ userId, accountId }: Session, now: Date): Promise<string> {
    const seconds = Math.floor(now.getTime() / 1000);
    return new SignJWT({ account: accountId })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT' })
      .setSubject(userId)
      .setIssuer(ISSUER)
      .setAudience(ISSUER)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + SESSION_SECONDS)
      .sign(this.#privateKey);
  }

  async verify(token: string, now: Date): Promise<SessionCheck> {
    try {
      const { payload } = await jwtVerify(token, this.#publicKey, {
        algorithms: ['EdDSA'],
        issuer: ISSUER,
        audience: ISSUER,
        currentDate: now,
        requiredClaims: ['sub', 'exp', 'account'],
      });
      return {
        kind: 'session',
        session: { userId: payload.sub as string, accountId: payload['account'] as string },
      };
    } catch (error) {
      const expired = error instanceof errors.JWTExpired;
      return { kind: 'refused', code: expired ? 'SESSION_EXPIRED' : 'SESSION_INVALID' };
    }
  }
}
