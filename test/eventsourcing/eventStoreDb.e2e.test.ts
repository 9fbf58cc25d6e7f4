import { randomBytes, randomUUID } from 'node:crypto';
import { ConfigError } from '../../src/config.js';
import { IssueKeyDocument, SearchPatternsDocument, UsageDocument } from '../generated/graphql.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import { freshPlace } from '../support/database.js';
import { EventStoreDbStandIn } from './eventStoreDbStandIn.js';
import { quantityIn } from '../support/usage.js';
import { until } from '../support/until.js';

/** The same for every run: a real server remembers the installation of the first. */
const SECRETS = Object.fromEntries(
  ['KEY_PEPPER', 'EMAIL_HASH_KEY', 'MASTER_KEY', 'SESSION_KEY'].map((name) => [
    name,
    Buffer.from(name.padEnd(32, '.')).toString('base64url'),
  ]),
);

const servers: [string, () => Promise<{ url: string; standIn?: EventStoreDbStandIn }>][] = [
  [
    'the stand-in',
    async () => {
      const standIn = await EventStoreDbStandIn.start();
      return { url: standIn.url, standIn };
    },
  ],
];
const REAL = process.env['EVENTSTOREDB_URL'];
if (REAL !== undefined) servers.push(['EVENTSTOREDB_URL', () => Promise.resolve({ url: REAL })]);

describe.each(servers)('the product on EventStoreDB, %s', (_name, connect) => {
  let server: Awaited<ReturnType<typeof connect>>;
  let env: NodeJS.ProcessEnv;
  const closing: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    server = await connect();
    env = { ...SECRETS, EVENTSTOREDB_URL: server.url, NODE_ID: `n${randomBytes(8).toString('hex')}` };
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  afterAll(() => server.standIn?.close());

  const place = async (): ReturnType<typeof freshPlace> => {
    const fresh = await freshPlace();
    closing.push(() => fresh.remove());
    return fresh;
  };

  const search = async (app: TestApp, secret: string): Promise<number | undefined> =>
    (await app.query(SearchPatternsDocument, { query: 'circuit breaker' }, secret)).data?.searchPatterns
      ?.edges.length;

  const usage = async (app: TestApp, secret: string): Promise<number | undefined> =>
    quantityIn((await app.query(UsageDocument, {}, secret)).data?.account?.usage);

  it('registers, issues, searches and meters; goes on after a restart; builds its read models anew', async () => {
    const data = await place();
    const email = `${randomUUID()}@example.com`;
    const input = { name: 'first', commandId: randomUUID() };

    let app = await startApp({ place: data, env, patterns: 'patterns' });
    const { token } = await app.register(email);
    const issued = (await app.query(IssueKeyDocument, { input }, token)).data?.issueKey;
    const secret = issued?.__typename === 'IssueKeyPayload' ? (issued.secret ?? '') : '';
    expect(secret).toMatch(/^sk_live_/);
    expect(await search(app, secret)).toBeGreaterThan(0);
    expect(await usage(app, secret)).toBe(1);
    await app.close();

    app = await startApp({ place: data, env });
    expect(await search(app, secret)).toBeGreaterThan(0);
    expect(await usage(app, secret)).toBe(2);
    const repeated = (await app.query(IssueKeyDocument, { input }, token)).data?.issueKey;
    expect(repeated).toMatchObject({ secret: null, key: { name: 'first' } });
    const other = (await app.query(IssueKeyDocument, { input: { ...input, name: 'other' } }, token)).data;
    expect(other?.issueKey).toMatchObject({ code: 'COMMAND_ID_REUSED' });
    await app.close();

    // A database with nothing in it: everything it shows comes from the events.
    app = await startApp({ place: await place(), env });
    closing.push(() => app.close());
    expect(await usage(app, secret)).toBe(2);
    expect(await search(app, secret)).toBeGreaterThan(0);
    expect(await usage(app, secret)).toBe(3);
  });
});

describe('the product on EventStoreDB', () => {
  let server: EventStoreDbStandIn;
  beforeEach(async () => {
    server = await EventStoreDbStandIn.start();
  });
  afterEach(() => server.close());

  it('refuses a database whose read models were made from another event store', async () => {
    const data = await freshPlace();
    const other = await EventStoreDbStandIn.start();
    try {
      await (await startApp({ place: data, env: { ...SECRETS, EVENTSTOREDB_URL: server.url } })).close();
      for (const url of [other.url, '']) {
        const start = startApp({ place: data, env: { ...SECRETS, EVENTSTOREDB_URL: url } });
        await expect(start).rejects.toBeInstanceOf(ConfigError);
        await expect(start).rejects.toThrow(/made from another event store/);
      }
      await (await startApp({ place: data, env: { ...SECRETS, EVENTSTOREDB_URL: server.url } })).close();
    } finally {
      await other.close();
      await data.remove();
    }
  });

  it('says that the event store cannot be reached, and starts nothing', async () => {
    await server.proxy.inject('refuse');
    const start = startApp({ env: { EVENTSTOREDB_URL: server.url } });
    await expect(start).rejects.toThrow(/EVENTSTOREDB_URL: the event store cannot be reached/);
  });

  it('answers 503 while the event store is away, bills nothing of it, and goes on by itself', async () => {
    const app = await startApp({ env: { EVENTSTOREDB_URL: server.url }, patterns: 'patterns' });
    try {
      const { secret } = await app.customer('enterprise');
      const call = () => app.query(SearchPatternsDocument, { query: 'circuit breaker' }, secret);
      expect((await call()).status).toBe(200);
      await server.proxy.inject('refuse');
      const refused = await call();
      expect(refused.status).toBe(503);
      expect(refused.errors?.[0]?.extensions['code']).toBe('TRY_AGAIN');
      await server.proxy.heal();
      await until(async () => (await call()).status === 200);
      await app.caughtUp();
      const { data } = await app.query(UsageDocument, {}, secret);
      expect(quantityIn(data?.account?.usage)).toBe(2);
    } finally {
      await app.close();
    }
  });
});
