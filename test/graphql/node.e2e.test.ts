import { startApp } from '../support/app.js';
import type { TestApp } from '../support/app.js';

let t: TestApp;
beforeAll(async () => {
  t = await startApp({ patterns: 'patterns' });
});
afterAll(() => t.close());

const NODE = `query ($id: ID!) {
  node(id: $id) { __typename id ... on Pattern { slug useCount } ... on Key { name } ... on Account { plan { id } } }
}`;

describe('node', () => {
  const node = async (id: string, secret: string) => (await t.raw(NODE, { id }, secret)).data?.['node'];

  it('gives patterns, the account and its keys by their ids', async () => {
    const { secret, token, accountId, keyId } = await t.customer();
    const found = await t.raw('{ pattern(slug: "circuit-breaker") { ... on Pattern { id } } }', {}, secret);
    const { id } = found.data?.['pattern'] as { id: string };
    expect(await node(id, secret)).toMatchObject({ __typename: 'Pattern', id, slug: 'circuit-breaker' });
    const admin = await t.issueKey(token, 'LIVE', ['READ', 'ADMIN']);
    expect(await node(keyId, admin.secret)).toEqual({ __typename: 'Key', id: keyId, name: 'test' });
    expect(await node(keyId, secret)).toBeNull();
    expect(await node(accountId, secret)).toEqual({
      __typename: 'Account',
      id: accountId,
      plan: { id: 'free' },
    });
  });

  it('gives nothing of another account, above the plan, or that there is not', async () => {
    const { secret } = await t.customer();
    const other = await t.customer('enterprise');
    const all = await t.raw('{ patterns(first: 100) { nodes { id tier } } }', {}, other.secret);
    const { nodes } = all.data?.['patterns'] as { nodes: { id: string; tier: string }[] };
    const premium = nodes.find(({ tier }) => tier === 'premium')?.id as string;
    expect(await node(premium, other.secret)).toMatchObject({ __typename: 'Pattern', id: premium });
    for (const id of [premium, other.accountId, other.keyId, 'x', 'x'.repeat(128), '𝄞']) {
      expect([id, await node(id, secret)]).toEqual([id, null]);
    }
    for (const id of ['', 'x'.repeat(129), '𝄞\u0001']) {
      const { status, errors } = await t.raw('query ($id: ID!) { node(id: $id) { id } }', { id }, secret);
      expect([status, errors?.[0]?.extensions['code']]).toEqual([400, 'INVALID_INPUT']);
    }
  });

  it('counts as a use of a pattern, as reading it does', async () => {
    const { secret } = await t.customer();
    const uses = async () => {
      await t.caughtUp();
      const found = await t.raw('{ patterns(first: 100) { nodes { id slug useCount } } }', {}, secret);
      const { nodes } = found.data?.['patterns'] as {
        nodes: { id: string; slug: string; useCount: number }[];
      };
      return nodes.find(({ slug }) => slug === 'bulkhead') as { id: string; useCount: number };
    };
    const before = await uses();
    await node(before.id, secret);
    expect((await uses()).useCount).toBe(before.useCount + 1);
  });
});

describe('the keys of an account', () => {
  const KEYS = `query ($first: Int!, $after: String) {
    me { account { keys(first: $first, after: $after) {
      nodes { id } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    } } }
  }`;
  interface Keys {
    readonly nodes: { id: string }[];
    readonly edges: { cursor: string }[];
    readonly pageInfo: {
      hasNextPage: boolean;
      hasPreviousPage: boolean;
      startCursor: string | null;
      endCursor: string | null;
    };
  }
  const page = async (credential: string, first: number, after?: string | null): Promise<Keys> => {
    const { data } = await t.raw(KEYS, { first, after }, credential);
    return (data?.['me'] as { account: { keys: Keys } }).account.keys;
  };

  it('come in pages, the oldest first, each once', async () => {
    const { token, keyId } = await t.customer();
    const ids = [keyId];
    for (let i = 0; i < 6; i++) ids.push((await t.issueKey(token)).keyId);
    await t.caughtUp();
    const seen: string[] = [];
    let after: string | null = null;
    for (;;) {
      const { nodes, edges, pageInfo }: Keys = await page(token, 3, after);
      expect(pageInfo.hasPreviousPage).toBe(after !== null);
      expect([pageInfo.startCursor, pageInfo.endCursor]).toEqual([edges[0]?.cursor, edges.at(-1)?.cursor]);
      seen.push(...nodes.map(({ id }) => id));
      if (!pageInfo.hasNextPage) break;
      after = pageInfo.endCursor;
    }
    expect(seen).toEqual(ids);
  });

  it('of a fresh account are an empty page', async () => {
    const { token } = await t.register();
    expect(await page(token, 3)).toEqual({
      nodes: [],
      edges: [],
      pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
    });
  });

  it('know no cursor of another list', async () => {
    const { secret, token } = await t.customer();
    const { data } = await t.raw('{ patterns(first: 1) { pageInfo { endCursor } } }', {}, secret);
    const foreign = (data?.['patterns'] as { pageInfo: { endCursor: string } }).pageInfo.endCursor;
    const { errors } = await t.raw(KEYS, { first: 1, after: foreign }, token);
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'INVALID_INPUT', field: 'after' });
  });
});
