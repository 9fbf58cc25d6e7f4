import { generateKeyPairSync } from 'node:crypto';
import { DeletedAccounts } from '../../src/accounts/deletedAccounts.js';
import { EndedSessions } from '../../src/accounts/endedSessions.js';
import { accountStream, sessionStream, userStream } from '../../src/accounts/events.js';
import { Sessions } from '../../src/accounts/sessions.js';
import { StreamCatchUp } from '../../src/eventsourcing/catchUp.js';
import { StoredEvent } from '../../src/eventsourcing/event.js';
import { StoreUnavailable } from '../../src/eventsourcing/eventStore.js';
import { authenticate } from '../../src/graphql/authenticate.js';
import { hashKey, KeyCache } from '../../src/keys/cache.js';
import { keyStream } from '../../src/keys/events.js';
import { mintKey } from '../../src/keys/format.js';
import { Metrics } from '../../src/metrics.js';
import { Operators } from '../../src/operators/operators.js';
import { PlanDirectory } from '../../src/plans/directory.js';
import { Memberships } from '../../src/teams/memberships.js';
import { refusal } from '../../src/graphql/responses.js';

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
const allEnded = stored(userStream('u'), 1, 'SessionsEnded', { accountId: 'a', epoch: 1 });

/** A node that knows one key, and a store in which more may have happened; `away`: it does not answer. */
function node(stale: boolean, elsewhere: readonly StoredEvent[] | 'away' = []) {
  const keys = new KeyCache(PEPPER, ['sk_live_', 'sk_test_']);
  keys.apply(issued);
  const deletedAccounts = new DeletedAccounts();
  const endedSessions = new EndedSessions();
  const memberships = new Memberships();
  const plans = new PlanDirectory();
  const operators = new Operators();
  const read: string[] = [];
  const catchUp = new StreamCatchUp({
    load: async (stream) => {
      read.push(stream);
      if (elsewhere === 'away') throw new StoreUnavailable('away');
      return [issued, ...elsewhere].filter((event) => event.stream === stream);
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
    sessions,
    deletedAccounts,
    endedSessions,
    memberships,
    operators,
    plans,
    recency,
    catchUp,
  };
  const call = async (credential: string | undefined): Promise<string> => {
    const headers = credential === undefined ? {} : { authorization: `Bearer ${credential}` };
    const caller = await authenticate(headers, access, NOW);
    return caller.kind === 'refused' ? caller.code : caller.kind;
  };
  return { call, read, keys };
}

const token = (): Promise<string> => sessions.issue(session, new Date(NOW));

describe('while what is in memory is recent', () => {
  it('callers are known from memory alone', async () => {
    const { call, read } = node(false, 'away');
    expect(await call(secret)).toBe('key');
    expect(await call(await token())).toBe('session');
    expect(await call(mintKey('sk_live_'))).toBe('KEY_UNKNOWN');
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
    expect(read).toEqual([sessionStream('s'), userStream('u'), accountStream('a')]);
  });

  it('nobody can tell of a key that is not known: another node may have issued it', async () => {
    const { call, read } = node(true);
    expect(await call(mintKey('sk_live_'))).toBe('TRY_AGAIN');
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
  const { http } = refusal(new Metrics(), 'TRY_AGAIN');
  expect([http.status, http.headers.get('retry-after')]).toEqual([503, '1']);
});
