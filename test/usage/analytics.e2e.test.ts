import {
  LimitsDocument,
  OperatorMetricsDocument,
  OperatorResetQuotaDocument,
  RecordUsageDocument,
  UsageDocument,
  UsageThresholdsDocument,
  UsageTimelineDocument,
  UsesDocument,
} from '../generated/graphql.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import { quantityIn } from '../support/usage.js';

const DAY_MS = 86_400_000;

let t: TestApp;
let backEnd: string;
let operator: Awaited<ReturnType<TestApp['customer']>>;

beforeAll(async () => {
  t = await startApp({ env: { PROFILE: 'videomind' } });
  operator = await t.customer();
  await t.makeOperator(operator);
  backEnd = (await t.issueKey(operator.token, 'LIVE', ['ADMIN'])).secret;
});
afterAll(() => t.close());

/** Reports uses of one video each. */
async function report(uses: readonly object[]): Promise<void> {
  const input = { uses: uses.map((use) => ({ meter: 'videos', ...use })) };
  const { data } = await t.query(RecordUsageDocument, { input }, backEnd);
  const result = data?.recordUsage;
  if (result?.__typename !== 'RecordUsagePayload') throw new Error(JSON.stringify(result));
  expect(result.results.map(({ refusal }) => refusal)).toEqual(uses.map(() => null));
  await t.caughtUp();
}

async function get(path: string, credential: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`${t.app.url}${path}`, { headers: { authorization: `Bearer ${credential}` } });
  return { status: response.status, text: await response.text() };
}

it('shows usage by the day of a time zone, by key and end customer, over GraphQL, JSON and CSV', async () => {
  const { secret, keyId, token } = await t.customer();
  const second = await t.issueKey(token);
  // Half past seven in the evening of UTC is another day in Kolkata.
  const noon = Math.floor(Date.now() / DAY_MS) * DAY_MS - DAY_MS + DAY_MS / 2;
  const [day, evening] = [noon, noon + 7.5 * 3_600_000].map((at) => new Date(at).toISOString());
  await report([
    { useId: 'a', keyId, at: day, subject: 'jane@example.com' },
    { useId: 'b', keyId, at: evening },
    { useId: 'c', keyId: second.keyId, at: evening, quantity: 2 },
  ]);
  const timeline = async (variables: object) => {
    const asked = { interval: 'DAY' as const, from: new Date(noon - DAY_MS / 2).toISOString(), ...variables };
    const { data, errors } = await t.query(UsageTimelineDocument, asked, secret);
    expect(errors).toBeUndefined();
    return (data?.account?.usageTimeline?.points ?? []).map(
      (point) => [point.from, point.group, quantityIn(point, 'videos')] as const,
    );
  };
  const midnight = (shift: number): string => new Date(noon - DAY_MS / 2 - shift).toISOString();
  expect(await timeline({})).toEqual([[midnight(0), [], 4]]);
  const [today, tomorrow] = [midnight(5.5 * 3_600_000), midnight(5.5 * 3_600_000 - DAY_MS)];
  expect(await timeline({ timeZone: 'Asia/Kolkata' })).toEqual([
    [today, [], 1],
    [tomorrow, [], 3],
  ]);
  expect(await timeline({ timeZone: 'Asia/Kolkata', groupBy: ['KEY'] })).toEqual([
    [today, [`key_${keyId}`], 1],
    [tomorrow, expect.arrayContaining([expect.any(String)]), expect.any(Number)],
    [tomorrow, expect.arrayContaining([expect.any(String)]), expect.any(Number)],
  ]);
  // The journal has a random id for the name.
  expect(await timeline({ filter: { subject: 'jane@example.com' } })).toEqual([[midnight(0), [], 1]]);
  expect(await timeline({ filter: { subject: 'joe@example.com' } })).toEqual([]);
  expect(await timeline({ filter: { keyId: `key_${second.keyId}` } })).toEqual([[midnight(0), [], 2]]);

  const from = midnight(0).slice(0, 10);
  const query = `from=${from}&timeZone=Asia/Kolkata&groupBy=key&keyId=key_${second.keyId}`;
  const json = await get(`/v1/usage/timeline?${query}`, secret);
  expect(JSON.parse(json.text)).toMatchObject({
    interval: 'day',
    timeZone: 'Asia/Kolkata',
    points: [{ from: tomorrow, group: { key: `key_${second.keyId}` }, calls: '1' }],
    stale: false,
  });
  const csv = await get(`/v1/usage/timeline.csv?${query}`, secret);
  expect(csv.text.split('\r\n')).toEqual([
    expect.stringMatching(/^from,to,key,calls,refused,errors,meanDurationMs,requests,cost,videos/),
    expect.stringMatching(new RegExp(`^${tomorrow},[^,]*,key_${second.keyId},1,0,0,0,0,0,2`)),
    '',
  ]);
});

it('lists single uses, the last first, by key and in pages', async () => {
  const { secret, keyId, token } = await t.customer('pro');
  const second = await t.issueKey(token);
  for (let i = 0; i < 5; i++) await report([{ useId: `u${i}`, keyId: i === 2 ? second.keyId : keyId }]);
  const page = async (variables: object) => {
    const { data, errors } = await t.query(UsesDocument, variables, secret);
    expect(errors).toBeUndefined();
    const { nodes = [], pageInfo } = data?.account?.uses ?? {};
    return {
      ids: nodes.map(({ useId }) => useId),
      nodes,
      next: pageInfo?.hasNextPage ? pageInfo.endCursor : null,
    };
  };
  const first = await page({ first: 3 });
  expect(first.ids).toEqual(['u4', 'u3', 'u2']);
  expect(first.nodes[0]).toMatchObject({
    keyId: `key_${keyId}`,
    status: 'OK',
    calls: '1',
    quantities: [{ meter: 'videos', quantity: '1' }],
    reversal: false,
  });
  const rest = await page({ first: 3, after: first.next });
  expect([rest.ids, rest.next]).toEqual([['u1', 'u0'], null]);
  expect((await page({ filter: { keyId: `key_${second.keyId}` } })).ids).toEqual(['u2']);
  expect((await page({ to: '2020-01-01T00:00:00Z' })).ids).toEqual([]);
});

it('refuses what it cannot tell, and another account is none', async () => {
  const { secret } = await t.customer();
  const other = await t.customer();
  const cases: readonly (readonly [path: string, status: number, field: string])[] = [
    ['interval=week', 400, 'interval'],
    ['timeZone=Mars/Olympus', 400, 'timeZone'],
    ['groupBy=plan', 400, 'groupBy'],
    ['groupBy=key,key', 400, 'groupBy'],
    ['from=yesterday', 400, 'from'],
    ['from=2020-01-01', 400, 'from'],
    ['from=2026-01-02&to=2026-01-01', 400, 'to'],
    ['status=lost', 400, 'status'],
    ['format=xml', 400, 'format'],
    [`accountId=${other.accountId}`, 404, ''],
  ];
  for (const [query, status, field] of cases) {
    for (const path of ['timeline', 'timeline.csv']) {
      const told = await get(`/v1/usage/${path}?${query}`, secret);
      const body = JSON.parse(told.text) as Record<string, unknown>;
      expect([query, told.status, body['field'] ?? '']).toEqual([query, status, field]);
    }
  }
  const bad = await t.raw(
    '{ account { usageTimeline(interval: DAY, timeZone: "Mars/Olympus") { stale } } }',
    {},
    secret,
  );
  expect(bad.status).toBe(400);
});

/** Until policies have seen all that is stored, and read models what follows from it. */
async function settled(): Promise<void> {
  const { policies, store } = t.app.parts;
  for (let head = -1; head < (await store.head());) {
    head = await store.head();
    expect(await policies.reached(head, 60_000)).toBe(true);
  }
  await t.caughtUp();
}

/** Videos of the day's limit. */
const videosOf = async (secret: string): Promise<readonly unknown[]> => {
  const { data } = await t.query(LimitsDocument, {}, secret);
  const limit = data?.account?.limits?.find(({ name }) => name === 'videos-day');
  return [limit?.used, limit?.remaining];
};

it('tells once when half, most and all of a limit are used, and lets an operator reset it', async () => {
  const { secret, keyId, accountId, userId, token } = await t.customer('pro');
  const told = async () => {
    await settled();
    const { data } = await t.query(UsageThresholdsDocument, {}, secret);
    return (data?.account?.usageThresholds?.nodes ?? []).map(({ limit, percent, max }) => [
      limit,
      percent,
      max,
    ]);
  };
  // 30 videos a day.
  await report([{ useId: 'half', keyId, quantity: 15 }]);
  expect(await told()).toEqual([['videos-day', 50, '30']]);
  await report([{ useId: 'more', keyId, quantity: 2 }]);
  expect(await told()).toHaveLength(1);
  await report([{ useId: 'all', keyId, quantity: 13 }]);
  expect(await told()).toEqual([
    ['videos-day', 100, '30'],
    ['videos-day', 80, '30'],
    ['videos-day', 50, '30'],
  ]);
  const mails = (
    await t.app.parts.store.readTypes(
      new Set(['MailRequested']),
      0,
      await t.app.parts.store.head(),
      1_000,
      1e7,
    )
  )
    .map(({ data }) => data as { kind: string; userId: string; threshold?: object })
    .filter((mail) => mail.kind === 'usage-threshold' && mail.userId === userId);
  expect(mails.map(({ threshold }) => threshold)).toEqual(
    [50, 80, 100].map((percent) => ({ limit: 'videos-day', percent })),
  );

  const reset = async (over: object = {}, credential = operator.token) => {
    const input = { accountId, window: 'DAY' as const, reason: 'an outage of ours', ...over };
    return (await t.query(OperatorResetQuotaDocument, { input }, credential)).data?.operatorResetQuota;
  };
  expect(await videosOf(secret)).toEqual(['30', '0']);
  const first = await reset({ commandId: 'reset-1' });
  expect(first).toMatchObject({ __typename: 'OperatorResetQuotaPayload', replayed: false });
  expect(await videosOf(secret)).toEqual(['0', '30']);
  // Sent again it is the first one.
  await report([{ useId: 'after', keyId, quantity: 1 }]);
  expect(await reset({ commandId: 'reset-1' })).toMatchObject({ replayed: true });
  expect(await videosOf(secret)).toEqual(['1', '29']);
  // What was used stays, and thresholds are told of the new counter again.
  const usage = (await t.query(UsageDocument, {}, secret)).data?.account?.usage;
  expect(quantityIn(usage, 'videos')).toBe(31);
  await report([{ useId: 'half again', keyId, quantity: 14 }]);
  expect((await told())[0]).toEqual(['videos-day', 50, '30']);
  expect(await told()).toHaveLength(4);

  expect(await reset({ window: 'LIFETIME' })).toMatchObject({ code: 'INVALID_INPUT' });
  expect(await reset({ reason: '' })).toMatchObject({ code: 'INVALID_INPUT' });
  expect(await reset({ accountId: 'nobody' })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await reset({}, token)).toBeUndefined();
});

it('shows operators the whole service at any moment, and nobody else', async () => {
  const before = new Date();
  const metrics = async (asOf?: Date, credential = operator.token) => {
    const { data, errors } = await t.query(
      OperatorMetricsDocument,
      { asOf: asOf?.toISOString() ?? null },
      credential,
    );
    return data?.operator?.metrics ?? errors;
  };
  const { accountId, keyId, token } = await t.customer('business');
  await report(Array.from({ length: 50 }, (_, i) => ({ useId: `m${i}`, keyId })));
  const now = await metrics();
  const then = await metrics(before);
  if (!now || !then || !('accounts' in now) || !('accounts' in then))
    throw new Error(JSON.stringify([now, then]));
  const of = (plan: string, { accountsByPlan }: typeof now): number =>
    accountsByPlan.find(({ planId }) => planId === plan)?.accounts ?? 0;
  expect([now.accounts - then.accounts, of('business', now) - of('business', then)]).toEqual([1, 1]);
  expect(now.newAccounts - then.newAccounts).toBe(1);
  expect(now.topAccounts[0]).toMatchObject({ accountId: `acc_${accountId}`, calls: '50' });
  expect(Number(now.calls)).toBeGreaterThanOrEqual(50);
  expect(now.endpoints.find(({ endpoint }) => endpoint === '/v1/usage') ?? now.endpoints[0]).toMatchObject({
    errorRate: 0,
  });
  // Long before anybody was there.
  expect(await metrics(new Date('2020-01-01T00:00:00Z'))).toMatchObject({
    accounts: 0,
    calls: '0',
    topAccounts: [],
  });
  expect(await metrics(new Date(Date.now() + DAY_MS))).toMatchObject([
    { extensions: { code: 'INVALID_INPUT' } },
  ]);
  expect(await metrics(undefined, token)).toMatchObject([{ extensions: { code: 'OPERATOR_REQUIRED' } }]);
  const timeline = await t.raw(
    '{ operator { usageTimeline(interval: DAY) { points { calls } } } }',
    {},
    operator.token,
  );
  expect(timeline.errors).toBeUndefined();
  expect(JSON.stringify(timeline.data)).toContain('calls');
});
