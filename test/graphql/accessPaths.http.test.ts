import { randomUUID } from 'node:crypto';
import { getNamedType, isCompositeType, isObjectType, isRequiredArgument } from 'graphql';
import { createSchema } from '../../src/graphql/execution/schema.js';
import { givenId, shownId } from '../../src/graphql/kit/ids.js';
import { accessRuleOf } from '../../src/graphql/kit/access.js';
import type { Role } from '../../src/teams/events.js';
import { ROLES } from '../../src/teams/events.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import { join } from '../support/members.js';

/** Every field of an account that says who may ask for it: a new one is in here by itself. */
const account = createSchema().getType('Account');
if (!isObjectType(account)) throw new Error('there is no type Account');
const FIELDS = Object.values(account.getFields()).flatMap((field) => {
  const rule = accessRuleOf(field);
  const selection = isCompositeType(getNamedType(field.type)) ? ' { __typename }' : '';
  const required = field.args.filter(isRequiredArgument).map(({ name }) => `${name}: "none"`);
  const given = required.length > 0 ? `(${required.join(', ')})` : '';
  return rule ? [{ name: field.name, text: `${field.name}${given}${selection}`, rule }] : [];
});
const SELECTION = `{ id ${FIELDS.map(({ text }) => text).join(' ')} }`;

type Path = 'me' | 'account' | 'operator' | 'node' | 'nodes';
const PATHS: Readonly<Record<Path, string>> = {
  me: `{ me { account ${SELECTION} } }`,
  account: `query ($id: ID) { account(id: $id) ${SELECTION} }`,
  operator: `query ($id: ID!) { operator { account(id: $id) ${SELECTION} } }`,
  node: `query ($id: ID!) { node(id: $id) { ... on Account ${SELECTION} } }`,
  // Priced for the one id that is given.
  nodes: `query ($id: ID!) { nodes(ids: [$id]) { ... on Account ${SELECTION} } }`,
};

type Seen = Readonly<Record<string, unknown>> | null | undefined;

let t: TestApp;
let team: Awaited<ReturnType<TestApp['customer']>>;
let other: Awaited<ReturnType<TestApp['customer']>>;
let boss: Awaited<ReturnType<TestApp['register']>>;
const members = new Map<Role, Awaited<ReturnType<TestApp['register']>>>();

beforeAll(async () => {
  t = await startApp();
  team = await t.customer('team');
  other = await t.customer('team');
  boss = await t.register();
  await t.makeOperator(boss);
  for (const role of ROLES) {
    const member = await t.register();
    await join(t, team, member, role);
    members.set(role, member);
  }
  await t.caughtUp();
});
afterAll(() => t.close());

/** What one caller sees of an account on one path, and the codes of what he does not, by field. */
async function look(path: Path, id: string | undefined, credential: string | undefined, works?: string) {
  const response = await fetch(`${t.app.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(credential !== undefined && { authorization: `Bearer ${credential}` }),
      ...(works !== undefined && { 'tollgraph-account': works }),
    },
    body: JSON.stringify({ query: PATHS[path], variables: { id: id && shownId('Account', id) } }),
  });
  const answer = (await response.json()) as {
    data?: Record<string, unknown> | null;
    errors?: { path?: string[]; extensions: { code: string } }[];
  };
  const given = answer.data?.[path];
  const at: unknown = Array.isArray(given) ? given[0] : given;
  const nested = path === 'me' || path === 'operator';
  const seen = (nested ? (at as { account?: Seen } | null | undefined)?.account : at) as Seen;
  const codes = Object.fromEntries(
    (answer.errors ?? []).map(({ path: place, extensions }) => [place?.at(-1) ?? '', extensions.code]),
  );
  return { status: response.status, seen, codes };
}

/** Which fields are there, and which are refused for what. */
function judged({ seen, codes }: Awaited<ReturnType<typeof look>>) {
  // What there is none of is null, and seen all the same.
  return FIELDS.map(({ name }) => [name, codes[name] ?? (seen && name in seen ? 'seen' : undefined)]);
}

it('finds the fields', () => {
  expect(FIELDS.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['auditLog', 'keys', 'members', 'invitations', 'usage', 'limits']),
  );
});

it.each(ROLES)('a %s sees of the team what the role may, and of the own account everything', async (role) => {
  const { token, accountId: own } = members.get(role) as Awaited<ReturnType<TestApp['register']>>;
  const inTeam = FIELDS.map(({ name, rule }) => [
    name,
    rule.roles?.includes(role) ? 'seen' : rule.roles ? 'ROLE_MISSING' : 'KEY_MISSING',
  ]);
  const asOwner = FIELDS.map(({ name, rule }) => [name, rule.roles ? 'seen' : 'KEY_MISSING']);
  // Whichever account the request works in: the one that is asked for decides.
  for (const works of [undefined, own, team.accountId]) {
    for (const path of ['account', 'node', 'nodes'] as const) {
      expect([path, judged(await look(path, team.accountId, token, works))]).toEqual([path, inTeam]);
    }
    expect(judged(await look('account', own, token, works))).toEqual(asOwner);
  }
  expect(judged(await look('me', undefined, token, team.accountId))).toEqual(inTeam);
  expect(judged(await look('me', undefined, token))).toEqual(asOwner);
  expect(judged(await look('account', undefined, token, team.accountId))).toEqual(inTeam);
});

it('another account is as good as none, on every path', async () => {
  const admin = await t.issueKey(other.token, 'LIVE', ['READ', 'ADMIN']);
  const { token, accountId } = members.get('owner') as Awaited<ReturnType<TestApp['register']>>;
  const callers: (readonly [string, string | undefined])[] = [
    [other.token, undefined],
    [other.token, other.accountId],
    [other.secret, undefined],
    [admin.secret, undefined],
    // Not even from within an account that has something to do with it.
    [token, accountId],
  ];
  for (const [credential, works] of callers) {
    const foreign = credential === token ? other.accountId : team.accountId;
    const found = await look('account', foreign, credential, works);
    const none = await look('account', randomUUID(), credential, works);
    expect(found.seen ?? null).toBeNull();
    if (credential !== other.secret && credential !== admin.secret) expect(found.codes).toEqual({});
    expect(none).toEqual(found);
    const above = await look('operator', foreign, credential, works);
    expect([above.seen, above.status]).toEqual([undefined, 403]);
  }
  for (const path of ['node', 'nodes'] as const) {
    for (const credential of [other.token, other.secret]) {
      expect([path, (await look(path, team.accountId, credential)).seen ?? null]).toEqual([path, null]);
    }
  }
  for (const path of ['me', 'account', 'operator', 'node', 'nodes'] as const) {
    const { status, seen } = await look(path, team.accountId, undefined);
    expect([path, status, seen ?? null]).toEqual([path, 401, null]);
  }
});

it('a key sees of its account what its scope may', async () => {
  const admin = await t.issueKey(team.token, 'LIVE', ['READ', 'ADMIN']);
  const asked = await look('account', team.accountId, admin.secret);
  // What needs a session is refused before anything is executed.
  expect([asked.status, asked.seen ?? null]).toEqual([401, null]);
  const { data, status } = await t.raw(
    '{ account { id auditLog { nodes { id } } keys { nodes { id } } usage { calls } limits { name } } }',
    {},
    admin.secret,
  );
  expect([status, (data?.['account'] as { id: string }).id]).toEqual([
    200,
    shownId('Account', team.accountId),
  ]);
  const reader = await t.raw('{ account { keys { nodes { id } } } }', {}, team.secret);
  expect([reader.status, reader.errors?.[0]?.extensions['code']]).toEqual([403, 'SCOPE_MISSING']);
});

it('an operator sees any account through `operator`, and no more than others elsewhere', async () => {
  const all = FIELDS.map(({ name }) => [name, 'seen']);
  const { secret } = await t.issueKey(boss.token, 'LIVE', ['ADMIN']);
  for (const credential of [boss.token, secret]) {
    expect(judged(await look('operator', team.accountId, credential))).toEqual(all);
    expect((await look('operator', randomUUID(), credential)).seen).toBeNull();
  }
  expect((await look('account', team.accountId, boss.token)).seen).toBeNull();
  // Of the test calls there is nothing in the figures that an operator is shown.
  const test = await t.issueKey(boss.token, 'TEST', ['READ', 'ADMIN']);
  expect((await look('operator', team.accountId, test.secret)).status).toBe(403);
});

it('operators page through all accounts, and find one by its e-mail or its plan', async () => {
  const accounts = async (filter: object, first = 100, after?: string) => {
    const { data, errors } = await t.raw(
      `query ($first: Int!, $after: String, $filter: AccountFilter) {
        operator { accounts(first: $first, after: $after, filter: $filter) {
          nodes { id plan { id } } pageInfo { hasNextPage endCursor }
        } }
      }`,
      { filter, first, after },
      boss.token,
    );
    if (errors) throw new Error(JSON.stringify(errors));
    return (
      data?.['operator'] as {
        accounts: { nodes: { id: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
      }
    ).accounts;
  };
  const idsOf = ({ nodes }: { nodes: { id: string }[] }) => nodes.map(({ id }) => givenId('Account', id));
  const all = idsOf(await accounts({}));
  expect(all.slice(-2)).toEqual([other.accountId, team.accountId]);
  const paged: string[] = [];
  for (let after: string | undefined; ;) {
    const { nodes, pageInfo } = await accounts({}, 3, after);
    paged.push(...idsOf({ nodes }));
    if (!pageInfo.hasNextPage) break;
    after = pageInfo.endCursor;
  }
  expect(paged).toEqual(all);
  expect(idsOf(await accounts({ planId: 'team' }))).toEqual([other.accountId, team.accountId]);
  const email = `found.${randomUUID()}@example.com`;
  const { accountId } = await t.register(email);
  await t.caughtUp();
  expect(idsOf(await accounts({ email: email.toUpperCase() }))).toEqual([accountId]);
  for (const filter of [{ email: 'nobody@example.com' }, { email: 'none' }, { email, planId: 'team' }]) {
    expect((await accounts(filter)).nodes).toEqual([]);
  }
});
