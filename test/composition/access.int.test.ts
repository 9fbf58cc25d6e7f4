import { join } from 'node:path';
import type { Queries } from '../../projections/index.js';
import { Sessions } from '../../src/sessions/sessions.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import type { Access } from '../../src/composition/access.js';
import { followAccess } from '../../src/composition/access.js';
import { Shutdown } from '../../src/shutdown.js';
import type { Position, StoredEvent } from '../../src/eventsourcing/event.js';
import { START } from '../../src/eventsourcing/event.js';
import { CORRECTIONS_STREAM } from '../../src/eventsourcing/events.js';
import { CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import type { EventStore } from '../../src/eventsourcing/eventStore.js';
import { NO_STREAM, StoreUnavailable } from '../../src/eventsourcing/eventStore.js';
import { EventReader } from '../../src/following/reader.js';
import { authenticate } from '../../src/gate/authenticate.js';
import { creditStream } from '../../src/credits/events.js';
import { hashKey } from '../../src/keys/cache.js';
import { EnvironmentKeys } from '../../src/keys/environment.js';
import { keyStream } from '../../src/keys/events.js';
import { mintKey } from '../../src/keys/format.js';
import { silentLogger } from '../../src/logger.js';
import { overageStream } from '../../src/overage/events.js';
import { readProfile } from '../../src/plans/publish.js';
import type { Secrets } from '../../src/secrets/secrets.js';
import { usageStream } from '../../src/usage/events.js';
import { deferred, InterceptedStore, newEvent } from '../eventsourcing/fixtures.js';
import { freshSql } from '../support/database.js';

const LONG = 60_000;
const PEPPER = Buffer.alloc(32, 7);

let database: Awaited<ReturnType<typeof freshSql>>;
/** As another node sees the store. */
let elsewhere: EventStore;
/** The same as this node sees it. */
let store: InterceptedStore;
let shutdown: Shutdown;

beforeAll(async () => {
  database = await freshSql();
  elsewhere = await PostgresEventStore.open(database.sql);
});
afterAll(() => database.remove());
beforeEach(() => {
  store = new InterceptedStore(elsewhere);
  shutdown = new Shutdown(silentLogger);
});
afterEach(() => shutdown.run());

async function follow(shared: boolean): Promise<Access> {
  const reader = new EventReader(store);
  shutdown.add('reader', () => reader.close());
  return followAccess(
    {
      commands: new CommandHandler(store),
      store,
      shared,
      secrets: { KEY_PEPPER: PEPPER } as Secrets,
      profile: await readProfile(join('profiles', 'specql.yaml')),
      environmentKeys: new EnvironmentKeys(PEPPER, []),
      clock: Date.now,
      billingClock: Date.now,
    },
    reader,
    START,
    {
      accounts: { plans: async () => [], deleted: async () => [] },
      keys: { known: async () => [] },
      sessions: { endedSince: async () => ({ sessions: [], epochs: [] }), ends: async () => [] },
      identities: { links: async () => [] },
      teams: { memberships: async () => [] },
      subscriptions: { graces: async () => [] },
      overage: { all: async () => [] },
      credits: { all: async () => [] },
      quotaResets: { since: async () => [] },
    } as unknown as Queries,
    silentLogger,
    shutdown,
  );
}

async function issue(): Promise<{ id: string; secret: string; position: Position }> {
  const [id, secret] = [crypto.randomUUID(), mintKey('sk_live_')];
  const data = JSON.stringify({
    accountId: `account-of-${id}`,
    name: 'test',
    environment: 'live',
    scopes: ['read'],
    hash: hashKey(PEPPER, secret),
    pepperId: 'p',
    prefix: 'sk_live_',
    last4: secret.slice(-4),
    expiresAt: null,
  });
  const event = newEvent({ type: 'KeyIssued', data });
  return { id, secret, position: (await elsewhere.append(keyStream(id), NO_STREAM, [event])).position };
}

async function revoke(id: string): Promise<Position> {
  const data = JSON.stringify({ accountId: `account-of-${id}`, by: 'user:elsewhere' });
  const event = newEvent({ type: 'KeyRevoked', data });
  return (await elsewhere.append(keyStream(id), 0, [event])).position;
}

const nobody = (): Promise<never> => Promise.reject(new Error('no session is looked at'));
const sessions = new Sessions({ signing: nobody, verifying: nobody });

async function call(access: Access, secret: string): Promise<string> {
  const caller = await authenticate({ 'x-api-key': secret }, { ...access, sessions }, Date.now());
  return caller.kind === 'refused' ? caller.code : caller.kind;
}

const away = (): Promise<never> => Promise.reject(new StoreUnavailable('away'));

// Law 8.
describe('a node that shares its store with others', () => {
  it('looks a key up while it hears nothing, and goes by memory when it hears again', async () => {
    store.onHead = away;
    const access = await follow(true);
    const { id, secret, position } = await issue();
    expect(await access.follower.reached(position, LONG)).toBe(true);
    expect([access.recency.stale, await call(access, secret)]).toEqual([true, 'key']);

    const held = deferred();
    const hold = async (read: (limit: number) => Promise<StoredEvent[]>, _after: Position, limit: number) => {
      await held.promise;
      return read(limit);
    };
    store.onReadAll = hold;
    await revoke(id);
    expect(access.keys.check(secret, Date.now()).kind).toBe('key');
    expect(await call(access, secret)).toBe('KEY_REVOKED');

    held.resolve();
    store.onHead = (head) => head();
    while (access.recency.stale) await new Promise((resolve) => setImmediate(resolve));
    expect(await call(access, secret)).toBe('KEY_REVOKED');
  });

  it('cannot tell of keys that it does not know while it hears nothing', async () => {
    store.onHead = away;
    const access = await follow(true);
    store.onReadAll = away;
    const { secret } = await issue();
    expect(await call(access, secret)).toBe('TRY_AGAIN');
    expect(await call(access, 'sk_live_nonsense')).toBe('KEY_MALFORMED');
  });

  it('proves at its start that it has heard everything', async () => {
    const { id, secret } = await issue();
    await revoke(id);
    const access = await follow(true);
    expect([access.recency.stale, access.recency.ageMs < Infinity]).toEqual([false, true]);
    expect(access.keys.check(secret, Date.now())).toEqual({ kind: 'refused', code: 'KEY_REVOKED' });
  });
});

it('a node that has its store for itself asks nobody', async () => {
  store.onHead = away;
  const access = await follow(false);
  expect(access.recency).toEqual({ stale: false, ageMs: 0 });
});

it('a correction applies anew what is followed here, and loads no other stream', async () => {
  const { id } = await issue();
  const key = keyStream(id);
  const journal = usageStream('n', '2026-11-22');
  await elsewhere.append(journal, NO_STREAM, [newEvent({ type: 'UsesRecorded' })]);
  const loaded: string[] = [];
  const readStream = store.readStream.bind(store);
  store.readStream = (stream, options) => {
    loaded.push(stream);
    return readStream(stream, options);
  };
  const [overage, credits] = [overageStream('a1'), creditStream('a1')];
  const corrections = [journal, key, overage, credits].map((stream) =>
    newEvent({ type: 'EventCorrected', data: JSON.stringify({ stream }) }),
  );
  const { position } = await elsewhere.append(CORRECTIONS_STREAM, NO_STREAM, corrections);
  const access = await follow(false);
  expect(await access.follower.reached(position, LONG)).toBe(true);
  expect(loaded).toEqual(expect.arrayContaining([key, overage, credits]));
  expect(loaded).not.toContain(journal);
});
