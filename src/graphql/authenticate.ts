import type { DeletedAccounts } from '../accounts/deletedAccounts.js';
import type { EndedSessions } from '../accounts/endedSessions.js';
import type { Sessions } from '../accounts/sessions.js';
import type { KeyCache } from '../keys/cache.js';
import type { Caller } from './context.js';

/** Who somebody says he is. */
export interface Credentials {
  readonly authorization?: string | undefined;
  readonly 'x-api-key'?: string | string[] | undefined;
}

/** JSON in base64url begins like this: a JWT. */
const JWT = /^eyJ/;

/** What credentials are held against. */
export interface Access {
  readonly keys: KeyCache;
  readonly sessions: Sessions;
  readonly deletedAccounts: DeletedAccounts;
  readonly endedSessions: EndedSessions;
}

/** Finds out who calls now. */
export type Authenticate = (credentials: Credentials) => Caller | Promise<Caller>;

/** Finds out who calls, from `Authorization: Bearer <key or session>` or `X-API-Key: <key>`. */
export function authenticate(
  credentials: Credentials,
  access: Access,
  now: number,
): Caller | Promise<Caller> {
  const { authorization, 'x-api-key': apiKey } = credentials;
  if (authorization !== undefined) {
    const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    if (token === undefined) return { kind: 'refused', code: 'KEY_MALFORMED' };
    return JWT.test(token) ? bySession(token, access, now) : byKey(token, access, now);
  }
  if (apiKey === undefined) return { kind: 'anonymous' };
  return typeof apiKey === 'string' ? byKey(apiKey, access, now) : { kind: 'refused', code: 'KEY_MALFORMED' };
}

function byKey(text: string, { keys, deletedAccounts }: Access, now: number): Caller {
  const check = keys.check(text, now);
  if (check.kind === 'refused') return check;
  const { accountId } = check.key;
  // Its revocation follows by a policy.
  if (deletedAccounts.has(accountId)) return { kind: 'refused', code: 'KEY_REVOKED' };
  return { kind: 'key', accountId, key: check.key, operator: false };
}

async function bySession(
  token: string,
  { sessions, deletedAccounts, endedSessions }: Access,
  now: number,
): Promise<Caller> {
  const check = await sessions.verify(token, new Date(now));
  if (check.kind === 'refused') return check;
  const { accountId } = check.session;
  if (deletedAccounts.has(accountId)) return { kind: 'refused', code: 'ACCOUNT_DELETED' };
  if (endedSessions.has(check.session)) return { kind: 'refused', code: 'SESSION_ENDED' };
  return { kind: 'session', accountId, session: check.session, role: 'owner', operator: false };
}
