import { generateKeyPairSync } from 'node:crypto';
import { DeletedAccounts } from '../../src/accounts/deletedAccounts.js';
import { EndedSessions } from '../../src/sessions/endedSessions.js';
import { accountStream, userStream } from '../../src/accounts/events.js';
import { sessionStream } from '../../src/sessions/events.js';
import { Sessions } from '../../src/sessions/sessions.js';
import { StreamCatchUp } from '../../src/following/catchUp.js';
import { StoredEvent } from '../../src/eventsourcing/event.js';
import { StoreUnavailable } from '../../src/eventsourcing/eventStore.js';
import { authenticate } from '../../src/gate/authenticate.js';
import type { Caller } from '../../src/graphql/kit/context.js';
import { hashKey, KeyCache } from '../../src/keys/cache.js';
import { EnvironmentKeys } from '../../src/keys/environment.js';
import { keyStream } from '../../src/keys/events.js';
import { mintKey } from '../../src/keys/format.js';
import { Metrics } from '../../src/metrics.js';
import { OPERATORS_STREAM } from '../../src/operators/events.js';
import { Operators } from '../../src/operators/operators.js';
import { PlanDirectory } from '../../src/plans/directory.js';
import { teamStream } from '../../src/teams/events.js';
import { Memberships } from '../../src/teams/memberships.js';
import { refusal } from '../../src/graphql/transport/responses.js';

const PEPPER = Buffer.alloc(32, 7);
const NOW = Date.UTC(2026, 10, 23);

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const sessions = new Sessions({
  signing: async () => ({ kid: 'k', privateKey }),
  verifying: async () => publicKey,
});
const session = { userId: 'u', accountId: 'a', sessionId: 's', epoch: 0 };
const secret = mintKey('sk_live_');

let position = 0;
function stored(stream: string, revision: number, type: string, data: object): StoredEvent {
  const metadata = {
    schemaVersion: 1,
    at: new Date(NOW).toISOString(),
    environment: 'live',
    correlationId: 'c',
  };
  const text = [JSON.stringify(data), JSON.stringify(metadata)] as const;
  return new StoredEvent(++position, stream, revision, `event-${position}`, type, ...text);
}

const OPERATOR = { userId: 'u', accountId: 'a', source: 'operator', reason: 'a test' };
const issued = stored(keyStream('k1'), 0, 'KeyIssued', {
  accountId: 'a',
  name: 'test',
  environment: 'live',
  scopes: ['read'],
  hash: hashKey(PEPPER, secret),
  pepperId: 'p',
  prefix: 'sk_live_',
  last4: secret.slice(-4),
  expiresAt: null,
});
const revoked = stored(keyStream('k1'), 1, 'KeyRevoked', { accountId: 'a', by: 'user:u' });
const deleted = stored(accountStream('a'), 1, 'AccountDeleted', { ownerId: 'u', emailHash: 'h', by: 'u' });
const ended = stored(sessionStream('s'), 1, 'SessionEnded', { userId: 'u', accountId: 'a', reason: '' });
const granted = stored(OPERATORS_STREAM, 0, 'OperatorGranted', OPERATOR);
const withdrawn = stored(OPERATORS_STREAM, 1, 'OperatorRevoked', OPERATOR);
const joined = stored(teamStream('team'), 1, 'InvitationAccepted', { userId: 'u', role: 'owner' });
const removed = stored(teamStream('team'), 2, 'MemberRemoved', { userId: 'u', by: 'user:o' });
const allEnded = stored(userStream('u'), 1, 'SessionsEnded', { accountId: 'a', epoch: 1 });

/** A node that knows one key, and a store in which more may have happened; `away`: it does not answer. */
function node(stale: boolean, elsewhere: readonly StoredEvent[] | 'away' = []) {
  const keys = new KeyCache(PEPPER, ['sk_live_', 'sk_test_']);
  keys.apply(issued);
  const deletedAccounts = new DeletedAccounts();
  const endedSessions = new EndedSessions();
  const memberships = new Memberships();
  memberships.apply(joined);
  const plans = new PlanDirectory();
  const operators = new Operators();
  operators.apply(granted);
  const read: string[] = [];
  const catchUp = new StreamCatchUp({
    load: async (stream) => {
      read.push(stream);
      if (elsewhere === 'away') throw new StoreUnavailable('away');
      return [issued, joined, granted, ...elsewhere].filter((event) => event.stream === stream);
    },
    apply: (events) => {
      for (const event of events) {
        for (const projection of [keys, deletedAccounts, endedSessions, memberships, operators])
          projection.apply(event);
      }
    },
    clock: () => 0,
  });
  const recency = { stale, ageMs: stale ? 751 : 0 };
  const access = {
    keys,
    environmentKeys: new EnvironmentKeys(PEPPER, []),
    sessions,
    deletedAccounts,
    endedSessions,
    memberships,
    operators,
    plans,
    recency,
    catchUp,
  };
  const who = async (credential: string | undefined, account?: string): Promise<Caller> => {
    const authorization = credential === undefined ? undefined : `Bearer ${credential}`;
    return authenticate({ authorization, 'tollgraph-account': account }, access, NOW);
  };
  const call = async (credential: string | undefined, account?: string): Promise<string> => {
    const caller = await who(credential, account);
    return caller.kind === 'refused' ? caller.code : caller.kind;
  };
  return { who, call, read, keys };
}

const token = (): Promise<string> => sessions.issue(session, new Date(NOW));

describe('while what is in memory is recent', () => {
  it('callers are known from memory alone', async () => {
    const { call, read } = node(false, 'away');
    expect(await call(secret)).toBe('key');
    expect(await call(await token())).toBe('session');
    expect(await call(await token(), 'team')).toBe('session');
    expect(await call(mintKey('sk_live_'))).toBe('KEY_UNKNOWN');
    expect(await call(await token(), 'another')).toBe('ACCOUNT_NOT_FOUND');
    expect(read).toEqual([]);
  });
});

describe('while it is not (law 8)', () => {
  it.each<[string, StoredEvent[], string]>([
    ['is good', [], 'key'],
    ['was revoked on another node', [revoked], 'KEY_REVOKED'],
    ['belongs to an account that was deleted on another node', [deleted], 'KEY_REVOKED'],
  ])('a key that %s is looked up in the store', async (_name, elsewhere, expected) => {
    const { call, read } = node(true, elsewhere);
    expect(await call(secret)).toBe(expected);
    expect(read).toEqual([keyStream('k1'), accountStream('a')]);
  });

  it.each<[string, StoredEvent[], string]>([
    ['is good', [], 'session'],
    ['was signed out on another node', [ended], 'SESSION_ENDED'],
    ['was signed out everywhere on another node', [allEnded], 'SESSION_ENDED'],
    ['belongs to an account that was deleted on another node', [deleted], 'ACCOUNT_DELETED'],
  ])('a session that %s is looked up in the store', async (_name, elsewhere, expected) => {
    const { call, read } = node(true, elsewhere);
    expect(await call(await token())).toBe(expected);
    expect(read).toEqual([sessionStream('s'), userStream('u'), accountStream('a'), OPERATORS_STREAM]);
  });

  it.each<[string, StoredEvent[], string]>([
    ['is a member', [], 'session'],
    ['was removed on another node', [removed], 'ACCOUNT_NOT_FOUND'],
  ])('a session in a team whose user %s is looked up in the store', async (_name, elsewhere, expected) => {
    const { call, read } = node(true, elsewhere);
    expect(await call(await token(), 'team')).toBe(expected);
    expect(read).toEqual(expect.arrayContaining([teamStream('team'), accountStream('team')]));
  });

  it.each<[string, StoredEvent[], boolean]>([
    ['is an operator', [], true],
    ['is one no more on another node', [withdrawn], false],
  ])('a session whose user %s is looked up in the store', async (_name, elsewhere, operator) => {
    expect(await node(true, elsewhere).who(await token())).toMatchObject({ kind: 'session', operator });
  });

  it('nobody can tell of what is not known: another node may have done it a moment ago', async () => {
    const { call, read } = node(true);
    expect(await call(mintKey('sk_live_'))).toBe('TRY_AGAIN');
    expect(await call(await token(), 'another')).toBe('TRY_AGAIN');
    expect(read).toEqual([]);
  });

  it('what cannot be good, whatever has happened, is refused as ever', async () => {
    const { call, read, keys } = node(true, 'away');
    keys.apply(revoked);
    expect(await call(secret)).toBe('KEY_REVOKED');
    expect(await call('sk_live_nonsense')).toBe('KEY_MALFORMED');
    expect(await call('eyJ')).toBe('SESSION_INVALID');
    expect(await call(undefined)).toBe('anonymous');
    expect(read).toEqual([]);
  });

  it('and the store does not answer, nobody can tell of any', async () => {
    const { call } = node(true, 'away');
    expect(await call(secret)).toBe('TRY_AGAIN');
    expect(await call(await token())).toBe('TRY_AGAIN');
  });
});

it('is refused with 503 and the time to try again when nobody can tell', () => {
  const { status, headers } = refusal(new Metrics(), 'TRY_AGAIN');
  expect([status, headers]).toEqual([503, [['retry-after', '1']]]);
});
