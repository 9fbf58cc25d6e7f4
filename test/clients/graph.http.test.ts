import { gql } from '@apollo/client';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import { join } from '../support/members.js';
import { apolloClient, connectApolloClient } from './apolloClient.js';
import type { Connect, TestedClient } from './client.js';
import { connectGraphqlRequest } from './graphqlRequest.js';
import { connectRelay } from './relay.js';
import { connectRelayStore, relayEnvironment } from './relayStore.js';
import { connectUrql } from './urql.js';

// What a page does with the graph: another team, an object again, the next page, a refusal that is new.

let t: TestApp;
const open: TestedClient[] = [];
let own: Awaited<ReturnType<TestApp['customer']>>;
let team: Awaited<ReturnType<TestApp['customer']>>;
beforeAll(async () => {
  t = await startApp({ patterns: 'patterns' });
  own = await t.customer();
  team = await t.customer('team');
  await join(t, team, own, 'admin');
  await t.caughtUp();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map(async (client) => client.close()));
});
afterAll(() => t.close());

const ACCOUNT = `query Account($id: ID) {
  account(id: $id) { __typename id plan { id } limits { name max } keys(first: 5) { nodes { __typename id name } } }
}`;
interface Shown {
  readonly id: string;
  readonly plan: { readonly id: string };
  readonly limits: readonly { readonly name: string; readonly max: string }[];
  readonly keys: { readonly nodes: readonly { readonly id: string }[] };
}
const monthly = ({ limits }: Shown) => limits.find(({ name }) => name === 'requests-month')?.max;

const CLIENTS: [string, Connect][] = [
  ['urql', connectUrql],
  ['Apollo Client', connectApolloClient],
  ['graphql-request', connectGraphqlRequest],
  ['Relay', connectRelay],
  ['Relay, from its store', connectRelayStore],
];

describe.each(CLIENTS)('%s', (_name, connect) => {
  const signedIn = (): TestedClient => {
    const client = connect(`${t.app.url}/graphql`, { Authorization: `Bearer ${own.token}` });
    open.push(client);
    return client;
  };

  it('changes the team without another credential or header', async () => {
    const client = signedIn();
    const shown = async (id: string) => (await client.ask(ACCOUNT, { id })).data?.['account'] as Shown;
    const [mine, theirs] = [await shown(own.accountId), await shown(team.accountId)];
    expect([mine.plan.id, monthly(mine)]).toEqual(['free', '1000']);
    expect([theirs.plan.id, monthly(theirs)]).toEqual(['team', '100000']);
    expect(await shown(own.accountId)).toEqual(mine);
  });

  it('asks for an object again by its id', async () => {
    const client = signedIn();
    const { data } = await client.ask(ACCOUNT, { id: team.accountId });
    const { id } = (data?.['account'] as Shown).keys.nodes[0] as { id: string };
    const again = await client.ask(
      'query Again($id: ID!) { node(id: $id) { __typename id ... on Key { name } } }',
      {
        id,
      },
    );
    expect([again.data?.['node'], again.codes]).toEqual([{ __typename: 'Key', id, name: 'test' }, []]);
  });

  it('pages through a search', async () => {
    const client = signedIn();
    const search = `query Search($after: String) {
      searchPatterns(query: "event", first: 1, after: $after) { edges { node { id } } pageInfo { hasNextPage endCursor } }
    }`;
    const page = async (after?: string) =>
      (await client.ask(search, { after })).data?.['searchPatterns'] as {
        edges: { node: { id: string } }[];
        pageInfo: { hasNextPage: boolean; endCursor: string };
      };
    const first = await page();
    const second = await page(first.pageInfo.endCursor);
    expect(first.pageInfo.hasNextPage).toBe(true);
    expect(second.edges[0]?.node.id).toMatch(/^pat_/);
    expect(second.edges[0]?.node.id).not.toBe(first.edges[0]?.node.id);
  });

  it('understands a refusal that its query does not name', async () => {
    // As a client wrote it that knows of one member and of the interface.
    const { data, codes } = await signedIn().ask(
      `mutation Invite { inviteMember(input: { email: "later@example.com", role: VIEWER }) {
        __typename ... on InviteMemberPayload { invitation { id } } ... on Refusal { code message }
      } }`,
    );
    expect([data?.['inviteMember'], codes]).toEqual([
      { __typename: 'PlanRequired', code: 'PLAN_REQUIRED', message: expect.any(String) as string },
      [],
    ]);
  });
});

it('the normalised cache of Apollo Client keeps the figures of two teams apart', async () => {
  const url = `${t.app.url}/graphql`;
  const socket = createClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, lazy: true });
  const client = apolloClient(url, { Authorization: `Bearer ${own.token}` }, socket);
  const ask = async (id: string, fetchPolicy: 'cache-first' | 'cache-only' = 'cache-first') =>
    (await client.query<{ account: Shown }>({ query: gql(ACCOUNT), variables: { id }, fetchPolicy })).data
      ?.account;
  const [mine, theirs] = [await ask(own.accountId), await ask(team.accountId)];
  if (!mine || !theirs) throw new Error('no answer');
  // Nothing is asked again, and nothing is the other team's.
  expect(await ask(own.accountId, 'cache-only')).toEqual(mine);
  expect(await ask(team.accountId, 'cache-only')).toEqual(theirs);
  expect([monthly(mine), monthly(theirs)]).toEqual(['1000', '100000']);
  const entries = Object.keys(client.cache.extract() as object);
  expect(entries).toEqual(expect.arrayContaining([`Account:${mine.id}`, `Account:${theirs.id}`]));
  client.stop();
  await socket.dispose();
});

it('the store of Relay keeps the figures of two teams apart, and each object once', async () => {
  const { ask, known, records, close } = relayEnvironment(`${t.app.url}/graphql`, {
    Authorization: `Bearer ${own.token}`,
  });
  const shown = async (id: string) => (await ask(ACCOUNT, { id })).data?.['account'] as Shown;
  const [mine, theirs] = [await shown(own.accountId), await shown(team.accountId)];
  // Nothing is asked again, and nothing is the other team's.
  expect(known(ACCOUNT, { id: own.accountId })?.['account']).toEqual(mine);
  expect(known(ACCOUNT, { id: team.accountId })?.['account']).toEqual(theirs);
  expect([monthly(mine), monthly(theirs)]).toEqual(['1000', '100000']);
  expect(records()).toEqual(expect.arrayContaining([mine.id, theirs.id]));
  // What a mutation answers is seen wherever the same object is shown.
  const keyId = mine.keys.nodes[0]?.id as string;
  const KEY = 'query Key($id: ID!) { node(id: $id) { __typename id ... on Key { name revokedAt } } }';
  expect((await ask(KEY, { id: keyId })).data?.['node']).toMatchObject({ id: keyId, revokedAt: null });
  const revoked = await ask(
    'mutation Revoke($input: RevokeKeyInput!) { revokeKey(input: $input) { __typename ... on RevokeKeyPayload { key { id revokedAt } } } }',
    { input: { keyId } },
  );
  expect(revoked.data?.['revokeKey']).toMatchObject({ __typename: 'RevokeKeyPayload' });
  expect(known(KEY, { id: keyId })?.['node']).toMatchObject({ revokedAt: expect.any(String) as string });
  close();
});
