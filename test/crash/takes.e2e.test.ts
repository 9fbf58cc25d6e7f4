import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import { UsageQueries } from '../../projections/usage/queries.js';
import { RedisLimiter } from '../../src/adapters/redis/limiter.js';
import { SECRET_NAMES } from '../../src/config.js';
import { silentLogger } from '../../src/logger.js';
import { CountersUnavailable } from '../../src/usage/limits/limiter.js';
import { periodOf } from '../../src/usage/limits/periods.js';
import { FaultyProxy } from '../faults/proxy.js';
import { LimitsDocument } from '../generated/graphql.js';
import type { Product } from '../process/product.js';
import { kill, ready, spawnProduct } from '../process/product.js';
import { rootWithoutPatterns } from '../process/root.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import type { Place } from '../support/database.js';
import { freshPlace, ON_POSTGRES } from '../support/database.js';
import { SHARED_REDIS_URL } from '../support/redis.js';
import { pause } from '../support/until.js';

/** Appends to the store wait for it (src/adapters/postgres/store.sql). */
const APPENDS = 7_310_426_001;

/** The backends that wait to append; comes back once there are so many. */
async function waiting(database: pg.Client, count: number): Promise<number[]> {
  for (;;) {
    const { rows } = await database.query<{ pid: number }>(
      `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    if (rows.length >= count) return rows.map(({ pid }) => pid);
  }
}

/** As the account of a key is shown them, once it may ask again: its limits were asked for all the time. */
async function duplicates(t: TestApp, secret: string): Promise<unknown> {
  for (;;) {
    const { data } = await t.raw('{ account { duplicateUses { nodes { useId differs } } } }', {}, secret);
    const account = data?.['account'] as { duplicateUses: { nodes: unknown } } | null | undefined;
    if (account) return account.duplicateUses.nodes;
    await pause();
  }
}

(ON_POSTGRES ? it : it.skip)(
  'nodes that count by themselves have what the ledger has, once it has met a use twice',
  async () => {
    const place = await freshPlace({ ready: true });
    const secrets = Object.fromEntries(
      SECRET_NAMES.map((name) => [name, randomBytes(32).toString('base64url')]),
    );
    const env = { ...secrets, PROFILE: 'videomind', BILLING: 'off' };
    const nodes: TestApp[] = [];
    for (const name of ['one', 'two']) {
      const dataDir = join(place.dataDir, name);
      nodes.push(await startApp({ place: { ...place, dataDir }, env: { ...env, NODE_ID: name } }));
    }
    const [one, two] = nodes as [TestApp, TestApp];
    const database = new pg.Client({ connectionString: place.databaseUrl });
    await database.connect();
    try {
      const operator = await one.customer();
      await one.makeOperator(operator);
      const backEnd = (await one.issueKey(operator.token, 'LIVE', ['ADMIN'])).secret;
      const { keyId, secret } = await one.customer('pro');
      const report = async ({ app }: TestApp, useId: string, quantity: number): Promise<string> => {
        for (;;) {
          const answer = await fetch(`${app.url}/v1/usage`, {
            method: 'POST',
            headers: { 'content-type': 'application/json', authorization: `Bearer ${backEnd}` },
            body: JSON.stringify({ uses: [{ useId, keyId: `key_${keyId}`, meter: 'videos', quantity }] }),
          });
          const { results } = (await answer.json()) as { results?: { status: string }[] };
          // A node that has not heard of the key yet rejects it.
          const status = results?.[0]?.status ?? 'REJECTED';
          if (status !== 'REJECTED') return status;
        }
      };
      const used = async (t: TestApp): Promise<number> => {
        const { data } = await t.query(LimitsDocument, {}, secret);
        return Number(data?.account?.limits?.find(({ name }) => name === 'videos-day')?.used);
      };
      await report(one, 'first', 1);
      await one.caughtUp();
      expect(await used(one)).toBe(1);
      while ((await used(two)) !== 1) await pause();
      // What the other stores a node that is not told counts as of its next load only.
      await report(one, 'second', 2);
      expect([await used(one), await used(two)]).toEqual([3, 1]);
      await database.query(`SELECT pg_advisory_lock(${APPENDS})`);
      const answers = [report(one, 'same', 5), report(two, 'same', 5)];
      await waiting(database, 2);
      await database.query(`SELECT pg_advisory_unlock(${APPENDS})`);
      await Promise.all(answers);
      while ((await used(one)) !== 8 || (await used(two)) !== 8) await pause();
      expect(await duplicates(two, secret)).toEqual([{ useId: 'same', differs: false }]);
    } finally {
      await database.end();
      for (const node of nodes.reverse()) await node.close();
      await place.remove();
    }
  },
);

const possible = ON_POSTGRES && SHARED_REDIS_URL !== undefined ? describe : describe.skip;

possible('nodes that are killed between what limits know and what the journal has', () => {
  const redisUrl = SHARED_REDIS_URL ?? '';
  let place: Place;
  let t: TestApp;
  let backEnd: string;
  let root: Awaited<ReturnType<typeof rootWithoutPatterns>>;
  let toRedis: FaultyProxy;
  let database: pg.Client;
  /** Starts a node, or starts it again. */
  let node: (name: string, url: string) => Product;
  const running: Product[] = [];

  beforeAll(async () => {
    place = await freshPlace({ ready: true });
    root = await rootWithoutPatterns();
    const { hostname, port } = new URL(redisUrl);
    toRedis = await FaultyProxy.open(hostname, Number(port));
    database = new pg.Client({ connectionString: place.databaseUrl });
    await database.connect();
    const secrets = Object.fromEntries(
      SECRET_NAMES.map((name) => [name, randomBytes(32).toString('base64url')]),
    );
    const env = { ...secrets, PROFILE: 'videomind', BILLING: 'off' };
    t = await startApp({ place, env: { ...env, REDIS_URL: redisUrl } });
    node = (name, url) => {
      const own = { ROLE: 'api', NODE_ID: name, DATA_DIR: join(place.dataDir, name), REDIS_URL: url };
      const product = spawnProduct(place, root.path, { ...env, ...own });
      running.push(product);
      return product;
    };
    node('one', redisUrl);
    node('two', `redis://127.0.0.1:${toRedis.listening}`);
    const operator = await t.customer();
    await t.makeOperator(operator);
    backEnd = (await t.issueKey(operator.token, 'LIVE', ['ADMIN'])).secret;
    await Promise.all(running.map(ready));
  });
  afterAll(async () => {
    await Promise.all(running.map(kill));
    await t.close();
    await toRedis.close();
    await database.end();
    await place.remove();
    await root.remove();
  });

  const post = async (product: Product, path: string, body: object): Promise<Response> =>
    fetch(`${await ready(product)}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${backEnd}` },
      body: JSON.stringify(body),
    });
  const used = async (secret: string): Promise<number> => {
    const { data } = await t.query(LimitsDocument, {}, secret);
    return Number(data?.account?.limits?.find(({ name }) => name === 'videos-day')?.used);
  };
  /** What the fold of the journal says. */
  const folded = async (accountId: string): Promise<number> => {
    await t.caughtUp();
    const { sql, projector } = t.app.parts;
    const queries = new UsageQueries(sql, projector.access('usage'));
    const day = periodOf('day', Date.now());
    const subject = { accountId, environment: 'live', keyId: undefined } as const;
    return (await queries.counters(subject, [day])).amounts.of('videos', day);
  };
  /** Uses one video through a node, once it knows the key. */
  const known = async (product: Product, keyId: string, useId = 'first'): Promise<void> => {
    const body = { uses: [{ useId, keyId: `key_${keyId}`, meter: 'videos', quantity: 1 }] };
    for (;;) {
      const answer = await post(product, '/v1/usage', body);
      const { results } = (await answer.json()) as { results: { status: string }[] };
      if (results[0]?.status !== 'REJECTED') return;
    }
  };
  /** Somebody asks for an account a minute later. */
  const aMinuteLater = async (...accounts: readonly string[]): Promise<void> => {
    const { rows } = await database.query<{ store: string }>(
      "SELECT data::json->>'storeId' AS store FROM store.events WHERE type = 'InstallationCreated'",
    );
    const later = await RedisLimiter.open({
      url: redisUrl,
      prefix: `tollgraph:${rows[0]?.store}`,
      load: () => Promise.reject(new CountersUnavailable('only looks')),
      log: silentLogger,
      time: 'given',
    });
    for (const accountId of accounts) {
      const now = Date.now() + 61_000;
      await expect(later.states({ accountId, environment: 'live', limits: [], now })).rejects.toThrow(
        'only looks',
      );
    }
    await later.close();
  };

  it('count once what two of them store at the same moment', async () => {
    const [one, two] = running as [Product, Product];
    const { keyId, secret, accountId } = await t.customer('pro');
    expect(await used(secret)).toBe(0);
    for (const product of running) await known(product, keyId, `first-${running.indexOf(product)}`);
    expect(await used(secret)).toBe(2);
    await database.query(`SELECT pg_advisory_lock(${APPENDS})`);
    const body = { uses: [{ useId: 'same', keyId: `key_${keyId}`, meter: 'videos', quantity: 5 }] };
    const answers = [post(one, '/v1/usage', body), post(two, '/v1/usage', body)];
    await waiting(database, 2);
    await database.query(`SELECT pg_advisory_unlock(${APPENDS})`);
    for (const answer of answers) expect((await answer).status).toBe(200);
    expect(await folded(accountId)).toBe(7);
    // Both have told the limits. Once the ledger has judged, they show what it has.
    while ((await used(secret)) !== 7) await pause();
    expect(await duplicates(t, secret)).toEqual([{ useId: 'same', differs: false }]);
  });

  it('leave no take without an owner, and no record that nobody notes', async () => {
    const [one, two] = running as [Product, Product];
    const [spender, reported] = [await t.customer('pro'), await t.customer('pro')];
    // All counters are loaded.
    for (const [product, { keyId, secret }] of [
      [one, spender],
      [two, reported],
    ] as const) {
      expect(await used(secret)).toBe(0);
      await known(product, keyId);
      expect(await used(secret)).toBe(1);
    }

    await database.query(`SELECT pg_advisory_lock(${APPENDS})`);
    const spending = post(one, '/v1/keys/verify', {
      secret: spender.secret,
      spend: { endpoint: '/analyse', quantities: [{ meter: 'videos', quantity: 2 }] },
    });
    const [taking] = await waiting(database, 1);
    const reporting = post(two, '/v1/usage', {
      uses: [{ useId: 'second', keyId: `key_${reported.keyId}`, meter: 'videos', quantity: 3 }],
    });
    await waiting(database, 2);
    // The take of the first is never recorded; what the second records it never notes.
    await kill(one);
    await database.query('SELECT pg_terminate_backend($1)', [taking]);
    await toRedis.inject('freeze');
    const before = await database.query<{ last: string }>('SELECT max(position) AS last FROM store.events');
    await database.query(`SELECT pg_advisory_unlock(${APPENDS})`);
    for (;;) {
      const { rows } = await database.query('SELECT FROM store.events WHERE position > $1', [
        before.rows[0]?.last,
      ]);
      if (rows.length > 0) break;
    }
    await kill(two);
    await Promise.allSettled([spending, reporting]);

    expect([await folded(spender.accountId), await folded(reported.accountId)]).toEqual([1, 4]);
    // For at most a minute the take stands as its node has left it; what the limits have missed was noted on disk
    // before the kill, or is loaded with the rest.
    expect(await used(spender.secret)).toBe(3);
    expect([1, 4]).toContain(await used(reported.secret));
    await aMinuteLater(spender.accountId, reported.accountId);
    expect([await used(spender.secret), await used(reported.secret)]).toEqual([1, 4]);
  });

  it('know at the next start of a node what it has stored while Redis was away', async () => {
    const { hostname, port } = new URL(redisUrl);
    const proxy = await FaultyProxy.open(hostname, Number(port));
    const away = node('three', `redis://127.0.0.1:${proxy.listening}`);
    await ready(away);
    const { keyId, secret, accountId } = await t.customer('pro');
    expect(await used(secret)).toBe(0);
    await known(away, keyId);
    expect(await used(secret)).toBe(1);
    await proxy.close();
    const uses = [{ useId: 'away', keyId: `key_${keyId}`, meter: 'videos', quantity: 4 }];
    // The call under way when Redis goes may fail; sent again it is the same use.
    while ((await post(away, '/v1/usage', { uses })).status !== 200) await pause();
    expect(await folded(accountId)).toBe(5);
    await kill(away);
    expect(await used(secret)).toBe(1);
    await ready(node('three', redisUrl));
    while ((await used(secret)) !== 5) await pause();
  });
});
