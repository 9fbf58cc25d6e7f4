import { timingSafeEqual } from 'node:crypto';
import { keyedHash } from './secrets.js';

/** No token is good for longer. */
const LONGEST_MS = 7 * 24 * 3_600_000;

/**
 * Tokens that say something and are good until a time: computed when they are needed and stored nowhere. The
 * same purpose, subject and end always give the same token.
 */
export class SignedTokens {
  constructor(private readonly key: Buffer) {}

  /** @param purpose keeps tokens for one thing from being good for another */
  sign(purpose: string, subject: string, expiresAt: Date): string {
    const body = Buffer.from(JSON.stringify([subject, expiresAt.getTime()])).toString('base64url');
    return `${body}.${keyedHash(this.key, `token ${purpose}`, body)}`;
  }

  /**
   * @param lifeMs how long a token is good that is made now; one that is good for more than twice as long was
   *   made by a clock that was ahead
   * @returns the subject; undefined for a token that is over or that we did not sign for this purpose
   */
  verify(purpose: string, token: string, now: number, lifeMs = LONGEST_MS): string | undefined {
    const [body, mac, ...rest] = token.split('.');
    if (body === undefined || mac === undefined || rest.length > 0) return undefined;
    const expected = Buffer.from(keyedHash(this.key, `token ${purpose}`, body));
    const given = Buffer.from(mac);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    const [subject, expiresAt] = JSON.parse(Buffer.from(body, 'base64url').toString()) as [string, number];
    return now < expiresAt && expiresAt <= now + 2 * lifeMs ? subject : undefined;
  }
}
