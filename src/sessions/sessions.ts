import { decodeProtectedHeader, errors, jwtVerify, SignJWT } from 'jose';
import type { Session } from './events.js';
import type { SigningKeys } from './signingKeys.js';

export type SessionCheck =
  | { readonly kind: 'session'; readonly session: Session }
  | { readonly kind: 'refused'; readonly code: 'SESSION_EXPIRED' | 'SESSION_INVALID' };

const ISSUER = 'tollgraph';
export const SESSION_SECONDS = 15 * 60;

/** Short-lived session tokens: JWT (RFC 7519) signed with Ed25519 (RFC 8037). */
export class Sessions {
  constructor(private readonly keys: Pick<SigningKeys, 'signing' | 'verifying'>) {}

  async issue({ userId, accountId, sessionId, epoch }: Session, now: Date): Promise<string> {
    const seconds = Math.floor(now.getTime() / 1000);
    const { kid, privateKey } = await this.keys.signing(now.getTime());
    return new SignJWT({ account: accountId, sid: sessionId, epoch })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid })
      .setSubject(userId)
      .setIssuer(ISSUER)
      .setAudience(ISSUER)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + SESSION_SECONDS)
      .sign(privateKey);
  }

  async verify(token: string, now: Date): Promise<SessionCheck> {
    const key = await this.#keyOf(token, now);
    if (!key) return { kind: 'refused', code: 'SESSION_INVALID' };
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ['EdDSA'],
        issuer: ISSUER,
        audience: ISSUER,
        currentDate: now,
        requiredClaims: ['sub', 'exp', 'account', 'sid', 'epoch'],
      });
      // Made by a clock that was ahead. Within the life of a token nobody notices; a token that is good for
      // longer is refused, and its session goes on with the refresh token.
      if ((payload.exp as number) > now.getTime() / 1000 + 2 * SESSION_SECONDS) {
        return { kind: 'refused', code: 'SESSION_EXPIRED' };
      }
      return {
        kind: 'session',
        session: {
          userId: payload.sub as string,
          accountId: payload['account'] as string,
          sessionId: payload['sid'] as string,
          epoch: payload['epoch'] as number,
        },
      };
    } catch (error) {
      const expired = error instanceof errors.JWTExpired;
      return { kind: 'refused', code: expired ? 'SESSION_EXPIRED' : 'SESSION_INVALID' };
    }
  }

  #keyOf(token: string, now: Date): ReturnType<SigningKeys['verifying']> | undefined {
    try {
      const { kid } = decodeProtectedHeader(token);
      return typeof kid === 'string' ? this.keys.verifying(kid, now.getTime()) : undefined;
    } catch {
      return undefined;
    }
  }
}

/** When a session token that is issued now is over. */
export function sessionEnd(now: number): Date {
  return new Date((Math.floor(now / 1000) + SESSION_SECONDS) * 1000);
}
