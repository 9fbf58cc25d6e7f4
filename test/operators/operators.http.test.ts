import { givenId, shownId } from '../../src/graphql/kit/ids.js';
import { userDecider } from '../../src/accounts/decideUser.js';
import { userStream } from '../../src/accounts/events.js';
import { OPERATORS_STREAM } from '../../src/operators/events.js';
import { subscriptionStream } from '../../src/plans/events.js';
import { allEvents } from '../crash/facts.js';
import {
  AccountAuditLogDocument,
  AuditLogDocument,
  DeleteAccountDocument,
  GrantOperatorDocument,
  OperatorGrantPlanDocument,
  IssueKeyDocument,
  MeDocument,
  OperatorAccountDocument,
  OperatorRevokeKeyDocument,
  RevokeOperatorDocument,
} from '../generated/graphql.js';
import type { AuditFilter, AuditLogQueryVariables, KeyScope } from '../generated/graphql.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import { parseCsv } from '../audit/parseCsv.js';
import { until } from '../support/until.js';

type User = Awaited<ReturnType<TestApp['register']>>;

let t: TestApp;
/** By configuration. */
let boss: User;
/** By the boss. Another account: each may ask sixty times a minute. */
let deputy: User;
beforeAll(async () => {
  t = await startApp({ env: { OPERATORS: 'someone@example.com, Boss@Example.com' } });
  boss = await t.register('boss@example.com');
});
afterAll(() => t.close());

async function verify({ userId }: User): Promise<void> {
  await t.app.parts.commands.handle(
    userDecider,
    userStream(userId),
    { type: 'VerifyEmail' },
    {
      commandId: crypto.randomUUID(),
      caller: `user:${userId}`,
      requestHash: 'verify',
      at: new Date(),
      environment: 'live',
      correlationId: 'test',
    },
  );
}

async function keyOf({ token }: User, scopes: string[], environment: 'LIVE' | 'TEST' = 'LIVE') {
  const input = { name: 'test', environment, scopes: scopes as KeyScope[] };
  const result = (await t.query(IssueKeyDocument, { input }, token)).data?.issueKey;
  if (result?.__typename !== 'IssueKeyPayload') throw new Error(JSON.stringify(result));
  return { secret: result.secret as string, keyId: givenId('Key', result.key.id) };
}

const codeOf = async (credential?: string) =>
  (await t.query(AuditLogDocument, {}, credential)).errors?.[0]?.extensions['code'];

const grantPlan = async (
  accountId: string,
  over: Partial<{ planId: string; reason: string; commandId: string }> = {},
  credential = boss.token,
) => {
  const input = { accountId, planId: 'team', reason: 'a test', ...over };
  return (await t.query(OperatorGrantPlanDocument, { input }, credential)).data?.operatorGrantPlan;
};
const grantOperator = async ({ userId }: Pick<User, 'userId'>, credential = boss.token) => {
  const input = { userId, reason: 'helps out' };
  return (await t.query(GrantOperatorDocument, { input }, credential)).data?.grantOperator;
};
const revokeOperator = async ({ userId }: Pick<User, 'userId'>, credential = boss.token) => {
  const input = { userId, reason: 'has left' };
  return (await t.query(RevokeOperatorDocument, { input }, credential)).data?.revokeOperator;
};

type Asked = Pick<AuditLogQueryVariables, 'first' | 'after'> & AuditFilter & { accountId?: string };

/** Of all accounts, or of one. */
async function log({ first, after, accountId: id, ...filter }: Asked) {
  await t.caughtUp();
  const page = { first, after, filter };
  const { data, errors } =
    id === undefined
      ? await t.query(AuditLogDocument, page, deputy.token)
      : await t.query(OperatorAccountDocument, { id, ...page }, deputy.token);
  const operator = data?.operator;
  const found = operator && ('account' in operator ? operator.account?.auditLog : operator.auditLog);
  if (!found) throw new Error(JSON.stringify(errors));
  return found;
}

it('whoever has an e-mail of OPERATORS is an operator from its verification on, and the log tells', async () => {
  expect(await codeOf(boss.token)).toBe('OPERATOR_REQUIRED');
  await verify(boss);
  const { store } = t.app.parts;
  await until(async () => (await store.readStream(OPERATORS_STREAM)).length > 0);
  expect(await codeOf(boss.token)).toBe(undefined);
  const [granted] = await store.readStream(OPERATORS_STREAM);
  expect(granted).toMatchObject({
    type: 'OperatorGranted',
    data: { userId: boss.userId, source: 'configuration' },
  });
  expect(granted?.metadata.caller).toBe('policy:keep-operators');
});

it('what is for operators is refused to everybody else, and to keys that do not act for one', async () => {
  const other = await t.customer();
  const { secret: admin } = await keyOf(other, ['READ', 'ADMIN']);
  expect(await codeOf()).toBe('SESSION_MISSING');
  expect(await codeOf(other.token)).toBe('OPERATOR_REQUIRED');
  expect(await codeOf(other.secret)).toBe('SCOPE_MISSING');
  expect(await codeOf(admin)).toBe('OPERATOR_REQUIRED');
  const read = await keyOf(boss, ['READ', 'WRITE']);
  const test = await keyOf(boss, ['READ', 'ADMIN'], 'TEST');
  const live = await keyOf(boss, ['READ', 'ADMIN']);
  expect(await codeOf(read.secret)).toBe('SCOPE_MISSING');
  expect(await codeOf(test.secret)).toBe('OPERATOR_REQUIRED');
  expect(await codeOf(live.secret)).toBe(undefined);
  const reason = 'a test';
  for (const [document, input] of [
    [OperatorGrantPlanDocument, { accountId: other.accountId, planId: 'team', reason }],
    [GrantOperatorDocument, { userId: other.userId, reason }],
    [RevokeOperatorDocument, { userId: boss.userId, reason }],
    [OperatorRevokeKeyDocument, { keyId: live.keyId, reason }],
  ] as const) {
    const { errors } = await t.raw(document.toString(), { input }, other.token);
    expect(errors?.[0]?.extensions['code']).toBe('OPERATOR_REQUIRED');
  }
});

it('grants a plan, which is in force at once; the event says who, why and from where, by a hash', async () => {
  const { token, accountId } = await t.customer();
  const commandId = crypto.randomUUID();
  const first = await grantPlan(accountId, { reason: ' a friend of the house ', commandId });
  expect(first).toMatchObject({
    __typename: 'OperatorGrantPlanPayload',
    accountId: shownId('Account', accountId),
    plan: { id: 'team' },
  });
  expect((await t.query(MeDocument, {}, token)).data?.me?.account.plan.id).toBe('team');
  const events = await t.events();
  expect(await grantPlan(accountId, { reason: ' a friend of the house ', commandId })).toEqual(first);
  expect(await grantPlan(accountId, { reason: 'another', commandId })).toMatchObject({
    code: 'COMMAND_ID_REUSED',
  });
  expect(await grantPlan(accountId, { planId: 'gold' })).toMatchObject({ code: 'PLAN_UNKNOWN' });
  expect(await grantPlan(accountId, { reason: ' ' })).toMatchObject({ code: 'INVALID_INPUT' });
  expect(await grantPlan(accountId, { reason: 'x'.repeat(501) })).toMatchObject({ code: 'INVALID_INPUT' });
  expect(await grantPlan(crypto.randomUUID())).toMatchObject({ code: 'NOT_FOUND' });
  expect(await t.events()).toBe(events);
  const [event] = await t.app.parts.store.readStream(subscriptionStream(accountId));
  const actor = `operator:${boss.userId}`;
  expect(event).toMatchObject({
    data: { grantedBy: actor, reason: 'a friend of the house' },
    metadata: { caller: actor, reason: 'a friend of the house' },
  });
  expect(event?.metadata.address).toMatch(/^[\w-]{22}$/);
  expect(event?.metadataText).not.toContain('10.0.');
});

it('a deleted account gets no plan', async () => {
  const { token, accountId } = await t.register();
  await t.query(DeleteAccountDocument, { input: { password: 'correct horse' } }, token);
  expect(await grantPlan(accountId)).toMatchObject({ code: 'NOT_FOUND' });
});

it('makes another operator, with a verified e-mail only, who is none at once when revoked', async () => {
  const second = await t.register();
  expect(await grantOperator(second)).toMatchObject({ code: 'NOT_FOUND' });
  await verify(second);
  expect(await grantOperator(second)).toMatchObject({
    __typename: 'GrantOperatorPayload',
    userId: shownId('User', second.userId),
  });
  const { secret } = await keyOf(second, ['ADMIN']);
  expect([await codeOf(second.token), await codeOf(secret)]).toEqual([undefined, undefined]);
  expect(await revokeOperator(boss, second.token)).toMatchObject({
    __typename: 'NotAllowed',
    code: 'OPERATOR_CONFIGURED',
  });
  expect(await revokeOperator(second, secret)).toMatchObject({ __typename: 'RevokeOperatorPayload' });
  expect([await codeOf(second.token), await codeOf(secret)]).toEqual([
    'OPERATOR_REQUIRED',
    'OPERATOR_REQUIRED',
  ]);
  expect(await revokeOperator(second)).toMatchObject({ code: 'NOT_FOUND' });
});

it('who was made one by another is one like all', async () => {
  deputy = await t.register();
  await verify(deputy);
  await grantOperator(deputy);
  expect(await codeOf(deputy.token)).toBe(undefined);
});

it('revokes a key of any account at once', async () => {
  const { secret, keyId, accountId } = await t.customer();
  const revoke = async (id: string) => {
    const input = { keyId: id, reason: 'it was found in public' };
    return (await t.query(OperatorRevokeKeyDocument, { input }, boss.token)).data?.operatorRevokeKey;
  };
  expect((await t.raw('{ patterns { totalCount } }', {}, secret)).status).toBe(200);
  expect(await revoke(keyId)).toMatchObject({
    __typename: 'OperatorRevokeKeyPayload',
    key: { id: shownId('Key', keyId), revokedAt: expect.any(String) as string },
    accountId: shownId('Account', accountId),
  });
  const { errors } = await t.raw('{ patterns { totalCount } }', {}, secret);
  expect(errors?.[0]?.extensions['code']).toBe('KEY_REVOKED');
  expect(await revoke(crypto.randomUUID())).toMatchObject({ code: 'NOT_FOUND' });
  const { nodes } = await log({ accountId, action: 'KeyRevoked' });
  expect(nodes).toEqual([
    expect.objectContaining({
      actor: { type: 'USER', actorId: shownId('User', boss.userId), asOperator: true },
      subject: shownId('Key', keyId),
      reason: 'it was found in public',
      address: expect.stringMatching(/^[\w-]{22}$/) as string,
    }),
  ]);
});

describe('the audit log', () => {
  /** Everything that a spreadsheet or a parser could stumble over. */
  const ODD = '=HYPERLINK("http://x","a"),\r\n"b"\n–ü😀\'; \\';
  let customer: Awaited<ReturnType<TestApp['customer']>>;
  beforeAll(async () => {
    customer = await t.customer();
    await grantPlan(customer.accountId, { reason: ODD });
    await t.caughtUp();
  });

  it('is paged, the newest first, and filtered by account, actor, action and time', async () => {
    const all = (await log({ first: 100 })).nodes;
    const events = (await allEvents(t.app.parts.store)).map(({ id }) => id);
    const order = all.map(({ id }) => events.indexOf(givenId('AuditEntry', id)));
    expect(order).toEqual([...order].sort((a, b) => b - a));
    const paged: unknown[] = [];
    for (let after: string | undefined; ;) {
      const page = await log({ first: 7, ...(after !== undefined && { after }) });
      paged.push(...page.nodes);
      if (!page.pageInfo.hasNextPage) break;
      after = page.pageInfo.endCursor ?? '';
    }
    expect(paged).toEqual(all);
    expect(all.length).toBeGreaterThan(20);

    const { accountId, userId } = customer;
    const mine = all.filter((entry) => entry.accountId === shownId('Account', accountId));
    expect((await log({ accountId })).nodes).toEqual(mine);
    expect(mine.map(({ action }) => action)).toEqual([
      'PlanGranted',
      'KeyIssued',
      'SessionStarted',
      'AccountOpened',
    ]);
    const actorId = shownId('User', userId);
    const ofUser = all.filter(({ actor }) => actor.actorId === actorId);
    expect(ofUser.length).toBeGreaterThan(1);
    expect((await log({ actorId })).nodes).toEqual(ofUser);
    const above = all.filter(
      ({ actor }) => actor.asOperator && actor.actorId === shownId('User', boss.userId),
    );
    expect(above.length).toBeGreaterThan(0);
    expect((await log({ actorId: shownId('User', boss.userId), first: 100 })).nodes).toEqual(
      expect.arrayContaining(above),
    );
    expect((await log({ action: 'PlanGranted', first: 100 })).nodes).toEqual(
      all.filter(({ action }) => action === 'PlanGranted'),
    );
    const from = all[10]?.at as string;
    const to = all[3]?.at as string;
    expect((await log({ from, to, first: 100 })).nodes).toEqual(
      all.filter(({ at }) => at >= from && at < to),
    );
    const { errors } = await t.query(AuditLogDocument, { after: 'nonsense' }, deputy.token);
    expect(errors?.[0]?.extensions['code']).toBe('INVALID_INPUT');
  });

  it('shows an account its own entries', async () => {
    const { data } = await t.query(AccountAuditLogDocument, {}, customer.token);
    const { nodes } = await log({ accountId: customer.accountId });
    expect(data?.me?.account.auditLog?.nodes.map(({ id }) => id)).toEqual(nodes.map(({ id }) => id));
  });

  const get = (path: string, credential?: string): Promise<Response> =>
    fetch(`${t.app.url}/v1/audit.${path}`, {
      headers: credential === undefined ? {} : { authorization: `Bearer ${credential}` },
    });
  const lines = async (path: string, credential: string): Promise<Record<string, unknown>[]> => {
    const response = await get(path, credential);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'application/x-ndjson; charset=utf-8',
    ]);
    const text = await response.text();
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };

  it('is exported whole as NDJSON and as CSV, which say the same', async () => {
    const { nodes } = await log({ first: 100 });
    const entries = await lines('ndjson', deputy.token);
    const ids = entries.map(({ id }) => id);
    expect(ids.slice(-nodes.length)).toEqual(nodes.map(({ id }) => id));
    const response = await get('csv', deputy.token);
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="audit.csv"');
    const [columns = [], ...rows] = parseCsv(await response.text());
    expect(columns).toEqual(['id', 'at', 'action', 'actor', 'accountId', 'subject', 'reason', 'address']);
    const plain = (value: unknown): string => (typeof value === 'string' ? value : '');
    const expected = entries.map((entry) => columns.map((column) => plain(entry[column])));
    // What would be a formula is none: the odd reason, and one of 64 hashed addresses begins with a minus.
    const asTold = (cell: string): string => (/^'[=+@-]/.test(cell) ? cell.slice(1) : cell);
    expect(rows.map((row) => row.map(asTold))).toEqual(expected);
    expect(rows.flat().filter((cell) => cell.startsWith("'="))).toEqual([`'${ODD}`]);
  });

  it('is exported by the same filters, and to an account its own', async () => {
    const { accountId, token } = customer;
    const mine = (await log({ accountId })).nodes.map(({ id }) => id);
    const idsOf = async (path: string, credential: string) =>
      (await lines(path, credential)).map(({ id }) => id);
    expect(await idsOf(`ndjson?account=${accountId}`, deputy.token)).toEqual(mine);
    expect(await idsOf('ndjson', token)).toEqual(mine);
    const { secret } = await keyOf(customer, ['ADMIN']);
    await t.caughtUp();
    expect((await idsOf(`ndjson?account=${accountId}`, secret)).slice(1)).toEqual(mine);
    expect(await idsOf('ndjson?from=2100-01-01', token)).toEqual([]);
    const [grant] = await lines(`ndjson?account=${accountId}&action=PlanGranted`, deputy.token);
    expect(grant).toMatchObject({
      actor: `operator:${shownId('User', boss.userId)}`,
      subject: shownId('Account', accountId),
    });
    const actor = encodeURIComponent(grant?.['actor'] as string);
    expect((await idsOf(`ndjson?account=${accountId}&actor=${actor}`, deputy.token)).length).toBe(1);
    const [plan] = mine;
    expect(await idsOf('ndjson?action=PlanGranted&to=2100-01-01T00:00:00Z', token)).toEqual([plan]);
  });

  it.each<[string, string, () => string | undefined, number, string]>([
    ['nobody', 'csv', () => undefined, 401, 'SESSION_MISSING'],
    ['a made-up session', 'csv', () => 'eyJ', 401, 'SESSION_INVALID'],
    ['a key without the scope', 'csv', () => customer.secret, 403, 'SCOPE_MISSING'],
    ['whoever asks for another account', 'ndjson?account=other', () => customer.token, 404, 'NOT_FOUND'],
    ['a time that is none', 'csv?from=yesterday', () => deputy.token, 400, 'INVALID_INPUT'],
    ['a day that is none', 'csv?to=2026-13-01', () => deputy.token, 400, 'INVALID_INPUT'],
    ['a filter given twice', 'csv?actor=a&actor=b', () => deputy.token, 400, 'INVALID_INPUT'],
    ['a filter that there is not', 'csv?user=a', () => deputy.token, 400, 'INVALID_INPUT'],
  ])('is not exported to %s', async (_name, path, credential, status, code) => {
    const response = await get(path, credential());
    const { errors } = (await response.json()) as { errors: { extensions: { code: string } }[] };
    expect([response.status, errors[0]?.extensions.code]).toEqual([status, code]);
  });

  it('is built again, row for row', async () => {
    await t.caughtUp();
    expect(await t.app.parts.projector.rebuild('audit')).toMatchObject({ differing: [] });
  });
});
