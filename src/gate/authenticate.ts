import { accountStream, userStream } from '../accounts/events.js';
import { identityStream } from '../identities/events.js';
import { sessionStream } from '../sessions/events.js';
import type { EndedSessions } from '../sessions/endedSessions.js';
import type { ExternalSessions } from '../identities/externalSessions.js';
import type { Sessions } from '../sessions/sessions.js';
import type { KeyCache, KnownKey } from '../keys/cache.js';
import type { EnvironmentKeys } from '../keys/environment.js';
import { keyStream } from '../keys/events.js';
import { Outage } from '../outage.js';
import { teamStream } from '../teams/events.js';
import { OPERATORS_STREAM } from '../operators/events.js';
import type { Operators } from '../operators/operators.js';
import type { Caller } from '../graphql/kit/context.js';
import { givenId } from '../graphql/kit/ids.js';
import type { ErrorCode } from '../graphql/kit/errors.js';
import type { RolesNow } from './standing.js';
import { roleIn } from './standing.js';

/** Who somebody says he is, and for which account he acts. */
export interface Credentials {
  readonly authorization?: string | undefined;
  readonly 'x-api-key'?: string | string[] | undefined;
  /** The id of an account; by default that of the key, or the user's own. */
  readonly 'tollgraph-account'?: string | string[] | undefined;
}

/** JSON in base64url begins like this: a JWT. */
const JWT = /^eyJ/;

/**
 * Whether the credential is one that a browser never sends by itself: a page of another origin has to ask
 * first (a preflight) before it may set it, so that a GET with it is nobody else's doing. What a browser
 * adds on its own, which is a cookie or a password of `Authorization: Basic`, does not count.
 */
export function isPreflighted({ authorization = '', 'x-api-key': apiKey = '' }: Credentials): boolean {
  return BEARER.test(authorization) || apiKey.length > 0;
}

const BEARER = /^Bearer +(\S+)$/i;

/** What credentials are held against. */
export interface Access extends RolesNow {
  readonly keys: KeyCache;
  readonly environmentKeys: EnvironmentKeys;
  readonly sessions: Sessions;
  /** Of OIDC issuers; undefined where none is configured. */
  readonly external?: ExternalSessions | undefined;
  readonly endedSessions: EndedSessions;
  readonly operators: Operators;
}

/** Finds out who calls now. */
export type Authenticate = (credentials: Credentials) => Caller | Promise<Caller>;

/**
 * Finds out who calls, from `Authorization: Bearer <key or session>` or `X-API-Key: <key>`, and for which
 * account, from `Tollgraph-Account: <id>`. While nobody can tell, the caller is refused with TRY_AGAIN.
 */
export function authenticate(
  credentials: Credentials,
  access: Access,
  now: number,
): Caller | Promise<Caller> {
  const caller = fromMemory(credentials, access, now);
  return access.recency.stale ? unlessOutage(fromStreams(caller, credentials, access, now)) : caller;
}

const NOBODY_CAN_TELL: Caller = { kind: 'refused', code: 'TRY_AGAIN' };

const unlessOutage = (caller: Promise<Caller>): Promise<Caller> =>
  caller.catch((error: unknown) => {
    if (error instanceof Outage) return NOBODY_CAN_TELL;
    throw error;
  });

/** Refused for what is not known, which another node may have done a moment ago. */
const UNKNOWN: ReadonlySet<ErrorCode> = new Set(['KEY_UNKNOWN', 'ACCOUNT_NOT_FOUND', 'TEAMS_NOT_IN_PLAN']);

/**
 * What another node has done may be missing in memory (decision 17): the credential's own streams tell.
 * What has ended has ended for good, and needs no second look.
 */
async function fromStreams(
  known: Caller | Promise<Caller>,
  credentials: Credentials,
  access: Access,
  now: number,
): Promise<Caller> {
  const caller = await known;
  if (caller.kind === 'anonymous') return caller;
  if (caller.kind === 'refused') return UNKNOWN.has(caller.code) ? NOBODY_CAN_TELL : caller;
  await access.catchUp.of(streamsOf(caller));
  return fromMemory(credentials, access, now);
}

/** The streams whose events can end the credential, or what it may do in the account. */
function streamsOf(caller: Extract<Caller, { readonly accountId: string }>): string[] {
  const account = accountStream(caller.accountId);
  const above = caller.operator ? [OPERATORS_STREAM] : [];
  if (caller.kind === 'key') return [keyStream(caller.key.id), account, ...above];
  const { session } = caller;
  const { userId, accountId: own } = session;
  const itself = 'identity' in session ? identityStream(session.identity) : sessionStream(session.sessionId);
  const streams = [itself, userStream(userId), account, ...above];
  return own === caller.accountId ? streams : [...streams, accountStream(own), teamStream(caller.accountId)];
}

function fromMemory(credentials: Credentials, access: Access, now: number): Caller | Promise<Caller> {
  const { authorization, 'x-api-key': apiKey, 'tollgraph-account': account } = credentials;
  const wanted = typeof account === 'string' ? givenId('Account', account) : account;
  // A key that stands by itself goes before what is no token of ours, such as the password of a proxy.
  const byItself = typeof apiKey === 'string' && apiKey !== '' && !/^Bearer\b/i.test(authorization ?? '');
  if (authorization !== undefined && !byItself) {
    const token = BEARER.exec(authorization)?.[1];
    if (token === undefined) return { kind: 'refused', code: 'KEY_MALFORMED' };
    return JWT.test(token)
      ? unlessOutage(bySession(token, wanted, access, now))
      : byKey(token, wanted, access, now);
  }
  if (apiKey === undefined) return { kind: 'anonymous' };
  return typeof apiKey === 'string'
    ? byKey(apiKey, wanted, access, now)
    : { kind: 'refused', code: 'KEY_MALFORMED' };
}

/** No key of ours; it may be one that the environment names. */
const FOREIGN: ReadonlySet<string> = new Set(['KEY_MALFORMED', 'KEY_UNKNOWN']);

type Wanted = Credentials['tollgraph-account'];

function byKey(text: string, wanted: Wanted, access: Access, now: number): Caller {
  const check = access.keys.check(text, now);
  if (check.kind === 'key') return holding(check.key, wanted, access);
  const named = FOREIGN.has(check.code) ? access.environmentKeys.find(text) : undefined;
  return named ? holding(named, wanted, access) : check;
}

function holding(key: KnownKey, wanted: Wanted, { deletedAccounts, operators }: Access): Caller {
  const { accountId } = key;
  // Its revocation follows by a policy.
  if (deletedAccounts.has(accountId)) return { kind: 'refused', code: 'KEY_REVOKED' };
  // Whoever means another account must not change this one.
  if (wanted !== undefined && wanted !== accountId) return { kind: 'refused', code: 'ACCOUNT_NOT_FOUND' };
  return { kind: 'key', accountId, key, operator: operators.actBy(key) };
}

async function bySession(token: string, wanted: Wanted, access: Access, now: number): Promise<Caller> {
  const { sessions, external, deletedAccounts, endedSessions, operators } = access;
  const check =
    (await external?.check(token, new Date(now))) ?? (await sessions.verify(token, new Date(now)));
  if (check.kind === 'refused') return check;
  const { session } = check;
  if (deletedAccounts.has(session.accountId)) return { kind: 'refused', code: 'ACCOUNT_DELETED' };
  if (!('identity' in session) && endedSessions.has(session))
    return { kind: 'refused', code: 'SESSION_ENDED' };
  const operator = operators.has(session.userId);
  if (wanted === undefined) {
    return { kind: 'session', accountId: session.accountId, session, role: 'owner', operator };
  }
  if (typeof wanted !== 'string') return { kind: 'refused', code: 'ACCOUNT_NOT_FOUND' };
  const found = roleIn(session, wanted, access);
  if ('code' in found) return { kind: 'refused', code: found.code };
  return { kind: 'session', accountId: wanted, session, role: found.role, operator };
}
