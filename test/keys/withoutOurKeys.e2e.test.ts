import { givenId } from '../../src/graphql/kit/ids.js';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEMO_ACCOUNT } from '../../src/plans/profile.js';
import { parseConfig } from '../../src/config.js';
import { silentLogger } from '../../src/logger.js';
import { start } from '../../src/main.js';
import type { UsageEvent, Use } from '../../src/usage/events.js';
import { completeUse } from '../../src/usage/journal/useJson.js';
import { allEvents } from '../crash/facts.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import type { Place } from '../support/database.js';
import { freshPlace, openSql } from '../support/database.js';

/** Keys that somebody else has made, in no format of ours. */
const OLD = 'legacy/key+of=somebody:1';
const OTHER = '0123456789abcdef';
const ENV = { PROFILE: 'dataapi', LEGACY_API_KEYS: `${OLD}:pro`, API_KEYS: `${OTHER}:free,${OLD}:pro` };

let place: Place;
let root: string;
let t: TestApp;
const logged: string[] = [];
const log = (...parts: unknown[]): void => void logged.push(JSON.stringify(parts.map(String)));
beforeAll(async () => {
  place = await freshPlace({ ready: true });
  root = await mkdtemp(join(tmpdir(), 'tollgraph-dataapi-'));
  await cp('test/plans/demo', join(root, 'profiles'), { recursive: true });
  t = await startApp({ place, root, env: ENV, log: { info: log, warn: log, error: log } });
});
// The last test closes the product.
afterAll(async () => {
  await place.remove();
  await rm(root, { recursive: true, force: true });
});

interface Answered {
  readonly status: number;
  readonly code: unknown;
  readonly headers: Headers;
  readonly data: Record<string, unknown> | null | undefined;
}

async function ask(
  headers: Record<string, string>,
  query = '{ patterns { totalCount } }',
): Promise<Answered> {
  const response = await fetch(`${t.app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = (await response.json()) as {
    data?: Record<string, unknown>;
    errors?: { extensions: Record<string, unknown> }[];
  };
  return { status: response.status, code: errors?.[0]?.extensions['code'], headers: response.headers, data };
}
const withKey = (key: string, query?: string) => ask({ authorization: `Bearer ${key}` }, query);
const from = (address: string, query?: string) => ask({ 'x-forwarded-for': address }, query);

/** Uses that are recorded, with their accounts. */
async function uses(): Promise<{ account: string; use: Use }[]> {
  return (await allEvents(t.app.parts.store)).flatMap((event) => {
    if (event.type !== 'UsesRecorded') return [];
    const { groups } = event.data as Extract<UsageEvent, { type: 'UsesRecorded' }>['data'];
    return groups.flatMap(({ account, uses: of }) => of.map((use) => ({ account, use: completeUse(use) })));
  });
}

describe('a key from the environment', () => {
  const me = '{ me { account { id plan { id } } } }';

  it('reads, live, for an account of its own on the plan beside it, and is metered', async () => {
    const old = await withKey(OLD, me);
    const other = await ask({ 'x-api-key': OTHER }, me);
    const idOf = ({ data }: Answered) => (data?.['me'] as { account: { id: string; plan: object } }).account;
    expect(idOf(old).plan).toEqual({ id: 'pro' });
    expect(idOf(other).plan).toEqual({ id: 'free' });
    expect(idOf(old).id).not.toBe(idOf(other).id);
    const { status, headers } = await withKey(OLD);
    expect([status, headers.get('x-ratelimit-limit'), headers.get('x-demo-mode')]).toEqual([
      200,
      '10000',
      null,
    ]);
    const [recorded] = (await uses()).filter(({ account }) => account === givenId('Account', idOf(old).id));
    expect(recorded?.use).toMatchObject({ environment: 'live', status: 'ok', meters: { requests: 1 } });
  });

  it('is held to its limits', async () => {
    for (let i = 0; i < 5; i++) expect((await withKey(OTHER)).status).toBe(200);
    expect(await withKey(OTHER)).toMatchObject({ status: 429, code: 'RATE_LIMITED' });
    expect((await withKey(OLD)).status).toBe(200);
  });

  it('does nothing but read', async () => {
    const issue = 'mutation { issueKey(input: { name: "a" }) { __typename } }';
    expect(await withKey(OLD, issue)).toMatchObject({ code: 'SCOPE_MISSING' });
    expect(await withKey(OLD, '{ me { account { keys { nodes { id } } } } }')).toMatchObject({
      code: 'SCOPE_MISSING',
    });
  });

  it('that is a little different is refused', async () => {
    for (const key of [`${OLD}x`, OLD.slice(1), OLD.toUpperCase()]) {
      expect(await withKey(key)).toMatchObject({ status: 401, code: 'KEY_MALFORMED' });
    }
  });
});

describe('a call without a key', () => {
  it('is let through under the demo plan, says so, and is counted by address', async () => {
    for (let i = 1; i <= 5; i++) {
      const { status, headers } = await from('192.0.2.1');
      expect([status, headers.get('x-demo-mode'), headers.get('x-ratelimit-used')]).toEqual([
        200,
        'true',
        `${i}`,
      ]);
    }
    const refused = await from('192.0.2.1');
    expect(refused).toMatchObject({ status: 429, code: 'RATE_LIMITED' });
    expect(refused.headers.get('x-demo-mode')).toBe('true');
    expect((await from('192.0.2.2')).status).toBe(200);
  });

  it('is recorded as a demo’s, as no live use, without the address', async () => {
    await from('192.0.2.3');
    const recorded = (await uses()).filter(({ account }) => account.startsWith(DEMO_ACCOUNT));
    expect(new Set(recorded.map(({ account }) => account)).size).toBe(3);
    expect(recorded.filter(({ use }) => use.environment !== 'test')).toEqual([]);
    const texts = (await allEvents(t.app.parts.store)).map(({ dataText }) => dataText).join('\n');
    expect(texts).not.toContain('192.0.2.');
  });

  it('of one IPv6 network counts as one', async () => {
    for (let i = 1; i <= 5; i++) expect((await from(`2001:db8:1:2::${i}`)).status).toBe(200);
    expect((await from('2001:db8:1:2:ffff::1')).status).toBe(429);
    expect((await from('2001:db8:1:3::1')).status).toBe(200);
  });

  it('does nothing but governed queries', async () => {
    const issue = 'mutation { issueKey(input: { name: "a" }) { __typename } }';
    expect(await from('192.0.2.9', issue)).toMatchObject({ status: 401, code: 'SESSION_MISSING' });
    expect(await from('192.0.2.9', '{ me { account { id } } }')).toMatchObject({ code: 'KEY_MISSING' });
    expect(
      await from('192.0.2.9', '{ operator { auditLog { nodes { id } } } patterns { totalCount } }'),
    ).toMatchObject({
      code: 'SESSION_MISSING',
    });
    const keys = '{ patterns { totalCount } me { account { keys { nodes { id } } } } }';
    expect(await from('192.0.2.9', keys)).toMatchObject({ status: 401 });
    const events = await fetch(`${t.app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: 'subscription { usageChanged { at } }' }),
    });
    expect(events.status).toBe(401);
    const signedIn = 'mutation { registerUser(input: { email: "a", password: "b" }) { __typename } }';
    const { status, headers } = await from('192.0.2.9', signedIn);
    expect([status, headers.get('x-demo-mode')]).toEqual([200, null]);
  });

  it('with a bad key is refused', async () => {
    expect(await withKey('da_live_x')).toMatchObject({ code: 'KEY_MALFORMED' });
  });

  it('from what the proxy names no address of counts as the proxy', async () => {
    for (const named of ['no address', 'garbage', '127.0.0.1']) {
      expect(await from(named)).toMatchObject({ status: 200 });
    }
    const accounts = (await uses()).slice(-3).map(({ account }) => account);
    expect(new Set(accounts).size).toBe(1);
  });
});

it('a restart adds no event, finds the same accounts, and refuses a key that is not named any more', async () => {
  const account = async (key: string) => (await withKey(key, '{ me { account { id } } }')).data?.['me'];
  const before = await account(OLD);
  const events = await t.events();
  await t.close();
  const env = { PROFILE: 'dataapi', API_KEYS: `${OLD}:pro` };
  t = await startApp({ place, root, env, log: { info: log, warn: log, error: log } });
  expect(await t.events()).toBe(events);
  expect(await account(OLD)).toEqual(before);
  expect(await withKey(OTHER)).toMatchObject({ status: 401, code: 'KEY_MALFORMED' });
});

it('a plan that the profile does not have is an error of the configuration, which shows no key', async () => {
  const other = await freshPlace({ ready: true });
  const config = parseConfig({
    DATA_DIR: other.dataDir,
    DATABASE_URL: other.databaseUrl,
    PROFILE: 'dataapi',
    API_KEYS: `${OTHER}:free,${OLD}:gold`,
  });
  await expect(start({ config, root, log: silentLogger, patterns: null })).rejects.toMatchObject({
    problems: ['API_KEYS, entry 2: the plan must be one of free, pro'],
  });
  await other.remove();
});

it('no key from the environment is in a table or a log', async () => {
  await t.close();
  const sql = await openSql(place);
  try {
    const tables = await sql.query<{ name: string }>(
      `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
        WHERE table_schema NOT IN ('pg_catalog', 'information_schema')`,
    );
    const texts = [...logged];
    for (const { name } of tables) {
      const content = await sql.query<{ row: string }>(`SELECT t::text AS row FROM ${name} AS t`);
      texts.push(...content.map(({ row }) => row));
    }
    expect(texts.length).toBeGreaterThan(20);
    expect(texts.filter((text) => text.includes(OLD) || text.includes(OTHER))).toEqual([]);
  } finally {
    await sql.close();
  }
});
