import type { Sessions } from '../accounts/sessions.js';
import type { KeyCache } from '../keys/cache.js';
import type { Caller } from './context.js';

interface Headers {
  readonly authorization?: string | undefined;
  readonly 'x-api-key'?: string | string[] | undefined;
}

/** JSON in base64url begins like this: a JWT. */
const JWT = /^eyJ/;

/** Finds out who calls, from `Authorization: Bearer <key or session>` or `X-API-Key: <key>`. */
export function authenticate(
  headers: Headers,
  keys: KeyCache,
  sessions: Sessions,
  now: number,
): Caller | Promise<Caller> {
  const { authorization, 'x-api-key': apiKey } = headers;
  if (authorization !== undefined) {
    const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    if (token === undefined) return { kind: 'refused', code: 'KEY_MALFORMED' };
    return JWT.test(token) ? bySession(token, sessions, now) : byKey(token, keys, now);
  }
  if (apiKey === undefined) return { kind: 'anonymous' };
  return typeof apiKey === 'string' ? byKey(apiKey, keys, now) : { kind: 'refused', code: 'KEY_MALFORMED' };
}

function byKey(text: string, keys: KeyCache, now: number): Caller {
  const check = keys.check(text, now);
  return check.kind === 'key' ? { kind: 'key', accountId: check.key.accountId, key: check.key } : check;
}

async function bySession(token: string, sessions: Sessions, now: number): Promise<Caller> {
  const check = await sessions.verify(token, new Date(now));
  return check.kind === 'session'
    ? { kind: 'session', accountId: check.session.accountId, session: check.session }
    : check;
}
