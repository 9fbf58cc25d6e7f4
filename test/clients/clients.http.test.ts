import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  IssueKeyDocument,
  PatternsDocument,
  RevokeKeyDocument,
  UsageChangedDocument,
} from '../generated/graphql.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import { connectApolloClient } from './apolloClient.js';
import type { Connect, Outcome, TestedClient } from './client.js';
import { connectGraphqlRequest, connectGraphqlRequestByGet } from './graphqlRequest.js';
import { connectGraphqlSse } from './graphqlSse.js';
import { connectGraphqlWs } from './graphqlWs.js';
import { connectRelay } from './relay.js';
import { connectUrql } from './urql.js';

// The clients that people use, at their defaults.

let t: TestApp;
const open: TestedClient[] = [];
beforeAll(async () => {
  t = await startApp();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map(async (client) => client.close()));
});
afterAll(() => t.close());

const counted = (requests: string): unknown =>
  expect.arrayContaining([expect.objectContaining({ meter: 'requests', quantity: requests })]);
const QUERY = PatternsDocument.toString();

const CLIENTS: [string, Connect][] = [
  ['urql', connectUrql],
  ['Apollo Client', connectApolloClient],
  ['graphql-request', connectGraphqlRequest],
  ['graphql-request by GET', connectGraphqlRequestByGet],
  ['Relay', connectRelay],
  ['graphql-ws', connectGraphqlWs],
  ['graphql-sse', connectGraphqlSse],
];

describe.each(CLIENTS)('%s', (_name, connect) => {
  const connected = (credential: string): TestedClient => {
    const client = connect(`${t.app.url}/graphql`, { Authorization: `Bearer ${credential}` });
    open.push(client);
    return client;
  };
  const withKey = (secret: string): TestedClient => {
    const client = connect(`${t.app.url}/graphql`, { 'X-API-Key': secret });
    open.push(client);
    return client;
  };

  it('sends a query, with a key in either header', async () => {
    const { secret } = await t.customer();
    for (const client of [connected(secret), withKey(secret)]) {
      const { data, codes } = await client.ask(QUERY, { first: 1 });
      expect([data?.['patterns'], codes]).toEqual([expect.objectContaining({ totalCount: 0 }), []]);
    }
  });

  it('sends a mutation', async () => {
    const { token } = await t.register();
    const input = { name: 'from a client', environment: 'LIVE', scopes: ['READ'] };
    const { data, codes } = await connected(token).ask(IssueKeyDocument.toString(), { input });
    const payload = expect.objectContaining({
      secret: expect.stringMatching(/^sk_live_/) as string,
    }) as object;
    expect([data?.['issueKey'], codes]).toEqual([payload, []]);
  });

  it('sees the code of an error', async () => {
    const { secret } = await t.customer();
    const client = withKey(secret);
    expect((await client.ask(QUERY, { first: 0 })).codes).toEqual(['INVALID_INPUT']);
    expect((await client.ask('{ nope }')).codes).toEqual(['GRAPHQL_VALIDATION_FAILED']);
    expect(
      (await client.ask('query Q($first: Int!) { patterns(first: $first) { totalCount } }')).codes,
    ).toEqual(['BAD_USER_INPUT']);
  });

  it('sees that a limit is reached', async () => {
    const { secret } = await t.customer();
    const client = withKey(secret);
    for (let i = 0; i < 10; i++) expect((await client.ask(QUERY, { first: 1 })).codes).toEqual([]);
    expect((await client.ask(QUERY, { first: 1 })).codes).toEqual(['RATE_LIMITED']);
  });

  it('sees that its key is revoked', async () => {
    const { secret, token, keyId } = await t.customer();
    await t.query(RevokeKeyDocument, { input: { keyId } }, token);
    expect((await withKey(secret).ask(QUERY, { first: 1 })).codes).toEqual(['KEY_REVOKED']);
  });

  it('subscribes, where it can, and sees why a subscription ends', async () => {
    const { secret, token, keyId } = await t.customer();
    const client = withKey(secret);
    const events = client.subscribe?.(UsageChangedDocument.toString());
    if (!events) return;
    const next = async (): Promise<Outcome | undefined> =>
      ((await events.next()) as IteratorResult<Outcome, undefined>).value;
    const first = await next();
    expect([first?.data?.['usageChanged'], first?.codes]).toEqual([
      expect.objectContaining({ totals: counted('0') }),
      [],
    ]);
    await t.query(PatternsDocument, { first: 1 }, secret);
    const second = await next();
    expect(second?.data?.['usageChanged']).toMatchObject({ totals: counted('1') });
    await t.query(RevokeKeyDocument, { input: { keyId } }, token);
    expect((await next())?.codes).toEqual(['KEY_REVOKED']);
    await events.return?.();
  });
});

it('urql sends queries by GET: that is what its defaults are', async () => {
  const { secret } = await t.customer();
  const methods: unknown[] = [];
  const { urql } = await import('./urql.js');
  const client = urql(`${t.app.url}/graphql`, { 'X-API-Key': secret });
  const request = jest.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    methods.push(init?.method);
    request.mockRestore();
    return fetch(input, init);
  });
  const { data } = await client.query<{ patterns: object }, object>(QUERY, { first: 1 }).toPromise();
  expect([data?.patterns, methods]).toEqual([expect.objectContaining({ totalCount: 0 }), ['GET']]);
});

it('docs/clients.md shows what is tested here', () => {
  const page = readFileSync('docs/clients.md', 'utf8');
  const sources = readdirSync(join('test', 'clients')).filter((file) => !file.includes('.test.'));
  const shown = sources.flatMap((file) => {
    const text = readFileSync(join('test', 'clients', file), 'utf8');
    return [...text.matchAll(/\/\/ docs\/clients\.md\n([\s\S]*?)\/\/ end\n/g)].map(([, snippet]) => snippet);
  });
  expect(shown.length).toBe(6);
  for (const snippet of shown) expect(page).toContain(snippet);
});
