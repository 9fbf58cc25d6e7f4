import { join } from '../support/members.js';
import { shownId } from '../../src/graphql/kit/ids.js';
import { startApp } from '../support/app.js';
import type { TestApp } from '../support/app.js';

let t: TestApp;
beforeAll(async () => {
  t = await startApp({ patterns: 'patterns' });
});
afterAll(() => t.close());

const FIELDS =
  '__typename id ... on Pattern { slug useCount } ... on Key { name } ... on Account { plan { id } } ... on User { email }';
const NODE = `query ($id: ID!) { node(id: $id) { ${FIELDS} } }`;
const NODES = `query ($ids: [ID!]!) { nodes(ids: $ids) { ${FIELDS} } }`;

/** Requests of the month that are spent. */
async function spent(credential: string): Promise<number> {
  const { data } = await t.raw('{ account { limits { name used } } }', {}, credential);
  const { limits } = data?.['account'] as { limits: { name: string; used: string }[] };
  return Number(limits.find(({ name }) => name === 'requests-month')?.used);
}

describe('node', () => {
  const node = async (id: string, credential: string) =>
    (await t.raw(NODE, { id }, credential)).data?.['node'];
  const nodes = async (ids: readonly string[], credential: string) =>
    (await t.raw(NODES, { ids }, credential)).data?.['nodes'];
  const patternId = async (secret: string): Promise<string> => {
    const found = await t.raw(
      '{ pattern(by: { slug: "circuit-breaker" }) { ... on Pattern { id } } }',
      {},
      secret,
    );
    return (found.data?.['pattern'] as { id: string }).id;
  };

  it('gives patterns, the account and its keys by their ids, to keys and sessions', async () => {
    const { secret, token, accountId, keyId, userId } = await t.customer();
    await t.caughtUp();
    const id = await patternId(secret);
    expect(id).toMatch(/^pat_/);
    const admin = await t.issueKey(token, 'LIVE', ['READ', 'ADMIN']);
    const [key, account, user] = [
      shownId('Key', keyId),
      shownId('Account', accountId),
      shownId('User', userId),
    ];
    const pattern = {
      __typename: 'Pattern',
      id,
      slug: 'circuit-breaker',
      useCount: expect.any(Number) as number,
    };
    const theKey = { __typename: 'Key', id: key, name: 'test' };
    const theAccount = { __typename: 'Account', id: account, plan: { id: 'free' } };
    const oneself = { __typename: 'User', id: user, email: expect.any(String) as string };
    for (const [credential, answers] of [
      [secret, [pattern, null, theAccount, null]],
      [admin.secret, [pattern, theKey, theAccount, null]],
      [token, [pattern, theKey, theAccount, oneself]],
    ] as const) {
      expect(await nodes([id, key, account, user], credential)).toEqual(answers);
      // One by one it is the same.
      expect(await node(key, credential)).toEqual(answers[1]);
    }
    expect(await node(id, token)).toEqual(pattern);
    // In the order of the ids, each as often as it is asked for.
    expect(await nodes([key, 'none', key, account], token)).toEqual([theKey, null, theKey, theAccount]);
    expect(await nodes([], token)).toEqual([]);
  });

  it('gives an entry of the audit log and an invitation to whoever sees them in their lists', async () => {
    const ada = await t.customer('team');
    const [admin, viewer, eve] = [await t.register(), await t.register(), await t.customer('team')];
    await join(t, ada, admin, 'admin');
    await join(t, ada, viewer, 'viewer');
    const invite = `mutation { inviteMember(input: { email: "node@example.com", role: VIEWER }) {
      ... on InviteMemberPayload { invitation { id } } } }`;
    await t.raw(invite, {}, ada.token);
    await t.caughtUp();
    const lists = await t.raw(
      '{ account { auditLog { nodes { id } } invitations { nodes { id } } members { nodes { userId } } } }',
      {},
      ada.token,
    );
    const { auditLog, invitations } = lists.data?.['account'] as Record<string, { nodes: { id: string }[] }>;
    const ids = [auditLog?.nodes[0]?.id, invitations?.nodes[0]?.id] as string[];
    expect(ids).toEqual([expect.stringMatching(/^aud_/), expect.stringMatching(/^inv_/)]);
    const found = [
      { __typename: 'AuditEntry', id: ids[0] },
      { __typename: 'Invitation', id: ids[1] },
    ];
    expect(await nodes(ids, ada.token)).toEqual(found);
    // Whichever account the session works in: the one that they are of decides.
    expect(await nodes(ids, admin.token)).toEqual(found);
    for (const other of [viewer.token, eve.token, ada.secret]) {
      expect(await nodes(ids, other)).toEqual([null, null]);
    }
    const user = shownId('User', viewer.userId);
    expect(await node(user, ada.token)).toMatchObject({ __typename: 'User', id: user });
    expect(await node(user, eve.token)).toBeNull();
  });

  it('spends a request where an id is a pattern’s, and nothing else', async () => {
    const { secret, token, accountId, keyId } = await t.customer();
    const id = await patternId(secret);
    const before = await spent(secret);
    const others = [shownId('Account', accountId), shownId('Key', keyId), 'none'];
    await nodes(others, secret);
    await node(others[0] as string, token);
    expect(await spent(secret)).toBe(before);
    const { extensions, ...answer } = (await t.raw(NODES, { ids: [...others, id] }, secret)) as {
      extensions?: { cost: { requestedQueryCost: number; actualQueryCost: number } };
    } & Awaited<ReturnType<TestApp['raw']>>;
    expect(answer.status).toBe(200);
    expect(await spent(secret)).toBe(before + 1);
    // Reckoned for the four that are asked for, and charged for the three that there are.
    expect(extensions?.cost.requestedQueryCost).toBeLessThan(15);
    expect(extensions?.cost.actualQueryCost).toBeLessThan(extensions?.cost.requestedQueryCost ?? 0);
    // A user's read is a use of the account, without a key.
    await node(id, token);
    expect(await spent(token)).toBe(before + 2);
    await t.caughtUp();
    const { data } = await t.raw('{ account { usage { calls stale } } }', {}, token);
    expect(data?.['account']).toEqual({ usage: { calls: String(before + 2), stale: false } });
  });

  it('takes at most a hundred ids', async () => {
    const { secret } = await t.customer();
    const { status, errors } = await t.raw(
      NODES,
      { ids: Array.from({ length: 101 }, () => 'key_a') },
      secret,
    );
    expect([status, errors]).toEqual([
      400,
      [
        {
          message: '"ids" must have 0 to 100 entries.',
          extensions: { code: 'INVALID_INPUT', field: 'ids', path: 'nodes' },
        },
      ],
    ]);
  });

  it('gives nothing of another account, above the plan, or that there is not', async () => {
    const { secret, token } = await t.customer();
    const other = await t.customer('enterprise');
    const all = await t.raw('{ patterns(first: 100) { nodes { id tier } } }', {}, other.secret);
    const list = (all.data?.['patterns'] as { nodes: { id: string; tier: string }[] }).nodes;
    const premium = list.find(({ tier }) => tier === 'premium')?.id as string;
    expect(await node(premium, other.secret)).toMatchObject({ __typename: 'Pattern', id: premium });
    const foreign = [
      shownId('Account', other.accountId),
      shownId('Key', other.keyId),
      shownId('User', other.userId),
    ];
    // Without its prefix an id names nothing here.
    const ids = [premium, ...foreign, premium.slice(4), 'x', 'pat_', 'key_key_a', 'x'.repeat(128), '𝄞'];
    for (const credential of [secret, token]) {
      expect(await nodes(ids, credential)).toEqual(ids.map(() => null));
    }
    for (const id of ['', 'x'.repeat(129), '𝄞\u0001']) {
      const { status, errors } = await t.raw('query ($id: ID!) { node(id: $id) { id } }', { id }, secret);
      expect([status, errors?.[0]?.extensions['code']]).toEqual([400, 'INVALID_INPUT']);
    }
  });

  it('is given ids that commands take, with and without their prefix, as one command', async () => {
    const { token, keyId } = await t.customer();
    const revoke = async (id: string) =>
      (
        await t.raw(
          `mutation ($id: ID!) { revokeKey(input: { keyId: $id, commandId: "again" }) {
            __typename ... on RevokeKeyPayload { position } } }`,
          { id },
          token,
        )
      ).data?.['revokeKey'];
    const first = await revoke(keyId);
    expect(first).toMatchObject({ __typename: 'RevokeKeyPayload' });
    expect(await revoke(shownId('Key', keyId))).toEqual(first);
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
    expect(seen).toEqual(ids.map((id) => shownId('Key', id)));
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
