import {
  LimitsDocument,
  OperatorMetricsDocument,
  OperatorResetQuotaDocument,
  PatternsDocument,
  RecordUsageDocument,
  UsageDocument,
  UsageThresholdsDocument,
  UsageTimelineDocument,
  UsesDocument,
} from '../generated/graphql.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import { quantityIn } from '../support/usage.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

interface UsageProjection {
  readonly to: string;
  readonly asOf: string;
  readonly totals: readonly { meter: string; used: string; projected: string | null }[];
}

interface TimedGroup {
  readonly group: readonly string[];
  readonly responseTimes: Readonly<Record<'p50Ms' | 'p95Ms' | 'p99Ms', number>>;
}

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
    accountId: expect.stringMatching(/^acc_/) as string,
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
  const ndjson = await get(`/v1/usage/timeline.ndjson?${query}`, secret);
  const [point, ...none] = ndjson.text.split('\n');
  expect(none).toEqual(['']);
  expect(JSON.parse(point ?? '')).toEqual((JSON.parse(json.text) as { points: unknown[] }).points[0]);
});

it('shows usage by plan and by properties that the profile names', async () => {
  const { secret, keyId, accountId } = await t.customer('pro');
  const of = (...values: readonly string[]) =>
    ['model', 'region', 'job'].map((name, i) => ({ name, value: values[i] ?? name }));
  await report([
    { useId: 'p1', keyId, quantity: 2, properties: of('small', 'eu', 'job 1') },
    { useId: 'p2', keyId, quantity: 3, properties: of('small', 'us', 'job 2') },
  ]);
  await t.grant(accountId, 'business');
  await report([
    { useId: 'p3', keyId, quantity: 4, properties: of('large', 'eu', 'job 3') },
    { useId: 'p4', keyId, quantity: 5 },
  ]);
  const breakdown = async (args: string, usage = '') => {
    const query = `{ account { usage${usage} { breakdown(${args}) { groups { group totals { meter quantity } } } } } }`;
    const { data, errors } = await t.raw(query, {}, secret);
    expect(errors).toBeUndefined();
    const { account } = data as {
      account: {
        usage: {
          breakdown: { groups: { group: string[]; totals: { meter: string; quantity: string }[] }[] };
        };
      };
    };
    return account.usage.breakdown.groups
      .map((one) => [...one.group, quantityIn(one, 'videos')] as const)
      .filter(([, , amount = 1]) => amount !== 0)
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  };
  const byPlan = (await breakdown('groupBy: [PLAN]')).filter(([, amount]) => amount !== 0);
  expect(byPlan).toEqual([
    ['business', 9],
    ['pro', 5],
  ]);
  expect(await breakdown('groupByProperties: ["model"]', '(filter: { planId: "pro" })')).toEqual([
    ['small', 5],
  ]);
  expect(
    await breakdown(
      'groupByProperties: ["model"]',
      '(filter: { properties: [{ name: "region", value: "eu" }] })',
    ),
  ).toEqual([
    ['large', 4],
    ['small', 2],
  ]);
  expect(await breakdown('groupBy: [PLAN], groupByProperties: ["region", "model"]')).toEqual([
    ['business', '', '', 5],
    ['business', 'eu', 'large', 4],
    ['pro', 'eu', 'small', 2],
    ['pro', 'us', 'small', 3],
  ]);
  const csv = await get('/v1/usage/timeline.csv?groupBy=plan,property.model&property=region=us', secret);
  expect(csv.text.split('\r\n').map((line) => line.split(',').slice(2, 5))).toEqual([
    ['plan', 'property.model', 'calls'],
    ['pro', 'small', '1'],
    [],
  ]);
  const single = await t.query(
    UsesDocument,
    { filter: { planId: 'business', properties: [{ name: 'model', value: 'large' }] } },
    secret,
  );
  expect(single.data?.account?.uses?.nodes.map(({ useId }) => useId)).toEqual(['p3']);
  const unnamed = await t.raw(
    '{ account { usage { breakdown(groupByProperties: ["job"]) { omittedGroups } } } }',
    {},
    secret,
  );
  expect(unnamed.errors?.[0]?.message).toContain('model, region');
});

it('says what the groups came to that it leaves out, over GraphQL, JSON, CSV and NDJSON', async () => {
  const { secret, keyId } = await t.customer('business');
  const noon = Math.floor(Date.now() / DAY_MS) * DAY_MS - DAY_MS / 2;
  const day = (days: number): string => new Date(noon - days * DAY_MS).toISOString();
  // Of 1,003 sources the first has three uses, and all others one; the last 500 have it the day before.
  const sources = Array.from({ length: 1_003 }, (_, i) => `source ${i}`);
  const uses = ['source 0', 'source 0', ...sources].map((source, i) => ({
    ...{ useId: `left out ${i}`, keyId, source },
    at: day(i < 505 ? 0 : 1),
  }));
  await report(uses.slice(0, 505));
  await report(uses.slice(505));
  const from = day(1).slice(0, 10);
  const { data, errors } = await t.raw(
    `{ account {
         usage(from: "${from}T00:00:00Z") { calls breakdown(groupBy: [SOURCE], first: 2) {
           groups { group calls } omittedGroups omitted { share calls totals { meter quantity } } } }
         none: usage { breakdown(groupBy: [KEY]) { omittedGroups omitted { share } } }
         usageTimeline(from: "${from}T00:00:00Z", to: "${day(0)}", interval: DAY, groupBy: [SOURCE], first: 4) {
           points { group calls } omittedGroups omitted { share calls totals { meter quantity } } } } }`,
    {},
    secret,
  );
  expect(errors).toBeUndefined();
  const { account } = data as { account: Record<string, Record<string, unknown>> };
  const rest = {
    omittedGroups: 1_001,
    omitted: {
      share: 1_001 / 1_005,
      calls: '1001',
      totals: expect.arrayContaining([{ meter: 'videos', quantity: '1001' }]) as unknown,
    },
  };
  const shown = [
    { group: ['source 0'], calls: '3' },
    { group: ['source 1'], calls: '1' },
  ];
  expect(account['usage']).toEqual({ calls: '1005', breakdown: { groups: shown, ...rest } });
  expect(account['none']).toEqual({ breakdown: { omittedGroups: 0, omitted: null } });
  expect(account['usageTimeline']).toEqual({ points: shown, ...rest });

  // Six groups in each of more than 660 intervals are as many points as there may be.
  const fine = new Date(Date.now() - 6.9 * DAY_MS).toISOString();
  const json = await get(`/v1/usage/timeline?interval=quarter-hour&from=${fine}&groupBy=source`, secret);
  expect(JSON.parse(json.text)).toMatchObject({
    omittedGroups: 997,
    omitted: { share: 997 / 1_005, calls: '997' },
  });

  const query = `from=${from}&groupBy=source`;
  const csv = (await get(`/v1/usage/timeline.csv?${query}`, secret)).text.trim().split('\r\n');
  const [header = [], ...lines] = csv.map((line) => line.split(','));
  const [calls, videos] = ['calls', 'videos'].map((name) => header.indexOf(name)) as [number, number];
  expect(header.at(-1)).toBe('omittedGroups');
  // Three of those from the day before have the last names.
  expect(
    lines.filter((line) => line.at(-1) !== '').map((line) => [line[0], line[2], line[videos], line.at(-1)]),
  ).toEqual([[`${from}T00:00:00.000Z`, '', '3', '3']]);
  expect(lines.reduce((sum, line) => sum + Number(line[calls]), 0)).toBe(1_005);
  const ndjson = (await get(`/v1/usage/timeline.ndjson?${query}`, secret)).text.trim().split('\n');
  const points = ndjson.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(points).toHaveLength(1_001);
  expect(points.filter(({ group }) => group === undefined)).toMatchObject([{ omittedGroups: 3, calls: '3' }]);
});

it('shows how long calls took, by operation, source and hour, and of reported uses what was told', async () => {
  const { secret, keyId } = await t.customer('pro');
  await report([
    { useId: 'no time', keyId },
    { useId: 'slow', keyId, durationMs: 8_000, endpoint: '/v1/parse', source: 'ocr' },
    { useId: 'slower', keyId, durationMs: 16_000, endpoint: '/v1/parse', source: 'ocr' },
  ]);
  const reserved = await t.raw(
    `mutation { reserveUsage(input: { keyId: "${keyId}", endpoint: "/v1/parse", quantities: [{ meter: "videos", quantity: 1 }] }) {
       ... on ReserveUsagePayload { reservation { id } } ... on Refusal { message } } }`,
    {},
    backEnd,
  );
  const { id } = (reserved.data?.['reserveUsage'] as { reservation: { id: string } }).reservation;
  const settle = async (durationMs: number): Promise<unknown> => {
    const { data } = await t.raw(
      `mutation { settleReservation(input: { reservationId: "${id}", durationMs: ${durationMs} }) {
         ... on EndReservationPayload { replayed } ... on Refusal { code message } } }`,
      {},
      backEnd,
    );
    return data?.['settleReservation'];
  };
  expect(await settle(-1)).toMatchObject({ code: 'INVALID_INPUT' });
  expect(await settle(32_000)).toEqual({ replayed: false });
  expect(await settle(64_000)).toEqual({ replayed: true });
  for (let i = 0; i < 3; i++) await t.query(PatternsDocument, { first: 1 }, secret);
  await t.caughtUp();
  const times = 'responseTimes { p50Ms p95Ms p99Ms calls }';
  const { data, errors } = await t.raw(
    `{ account { usage { ${times} byOperation: breakdown(groupBy: [OPERATION]) { groups { group ${times} } }
         bySource: breakdown(groupBy: [SOURCE]) { groups { group ${times} } }
         byPlan: breakdown(groupBy: [PLAN]) { groups { ${times} } }
         byField: breakdown(groupBy: [FIELD]) { groups { group calls } }
         byEndpoint: breakdown(groupBy: [ENDPOINT]) { groups { group ${times} } } }
       usageTimeline(interval: HOUR, groupBy: [ENDPOINT]) { points { group ${times} } }
       fine: usageTimeline(interval: QUARTER_HOUR) { points { ${times} } } } }`,
    {},
    secret,
  );
  expect(errors).toBeUndefined();
  const { usage, usageTimeline, fine } = (data as { account: Record<string, unknown> }).account;
  const ms = expect.any(Number) as unknown;
  const told = { p50Ms: ms, p95Ms: ms, p99Ms: ms };
  expect(usage).toMatchObject({ responseTimes: { ...told, calls: '6' } });
  const {
    responseTimes: of,
    byOperation,
    bySource,
    byPlan,
    byField,
    byEndpoint,
  } = usage as {
    responseTimes: Record<'p50Ms' | 'p95Ms' | 'p99Ms', number>;
    byOperation: { groups: unknown };
    bySource: { groups: readonly TimedGroup[] };
    byPlan: { groups: unknown };
    byField: { groups: unknown };
    byEndpoint: { groups: readonly TimedGroup[] };
  };
  expect(of.p50Ms).toBeGreaterThan(0);
  expect(of.p50Ms <= of.p95Ms && of.p95Ms <= of.p99Ms).toBe(true);
  expect(byOperation.groups).toEqual(
    expect.arrayContaining([{ group: ['Patterns'], responseTimes: { ...told, calls: '3' } }]),
  );
  const ocr = bySource.groups.find(({ group }) => group[0] === 'ocr')?.responseTimes;
  expect(ocr).toEqual({ ...told, calls: '2' });
  expect(Math.abs((ocr?.p50Ms ?? NaN) - 8_000)).toBeLessThanOrEqual(160);
  const parsed = byEndpoint.groups.find(({ group }) => group[0] === '/v1/parse')?.responseTimes;
  expect(parsed).toEqual({ ...told, calls: '3' });
  expect(Math.abs((parsed?.p50Ms ?? NaN) - 16_000)).toBeLessThanOrEqual(320);
  expect(byPlan.groups).toEqual([{ responseTimes: null }]);
  expect(byField.groups).toEqual([
    { group: [''], calls: '4' },
    { group: ['patterns'], calls: '3' },
  ]);
  const ofField = await get('/v1/usage/timeline?groupBy=field&field=patterns', secret);
  expect(JSON.parse(ofField.text)).toMatchObject({ points: [{ group: { field: 'patterns' }, calls: '3' }] });
  const { points } = usageTimeline as {
    points: readonly { group: string[]; responseTimes: object | null }[];
  };
  expect(points.find(({ group }) => group[0] === '/graphql')?.responseTimes).toMatchObject(told);
  expect((fine as { points: readonly object[] }).points.at(-1)).toEqual({ responseTimes: null });
  const json = await get('/v1/usage/timeline?interval=day&groupBy=operation&responseTimes=1', secret);
  const body = JSON.parse(json.text) as {
    points: readonly { group: object; responseTimes: object | null }[];
  };
  expect(
    body.points.find(({ group }) => JSON.stringify(group).includes('Patterns'))?.responseTimes,
  ).toMatchObject({
    calls: '3',
  });
  const csv = await get('/v1/usage/timeline.csv?interval=day&responseTimes=1', secret);
  expect(csv.text).toMatch(/^from,to,calls,refused,errors,meanDurationMs,p50Ms,p95Ms,p99Ms,requests/);
  expect(csv.text.split('\r\n')[1]).toMatch(/^[^,]*,[^,]*,7,0,0,[\d.]+,[\d.]+,[\d.]+,[\d.]+,/);
});

it('projects where a period ends, over GraphQL and HTTP', async () => {
  const { secret, keyId } = await t.customer('business');
  const fields = 'from to asOf method totals { meter used projected }';
  const projection = async (window: string) => {
    const { data, errors } = await t.raw(
      `{ account { usageProjection(window: ${window}) { ${fields} } } }`,
      {},
      secret,
    );
    const { account } = data as { account: { usageProjection: UsageProjection } };
    const { usageProjection } = account;
    const videos = usageProjection?.totals.find(({ meter }) => meter === 'videos');
    return { ...usageProjection, videos, errors };
  };
  expect((await projection('MONTH')).videos).toMatchObject({ used: '0', projected: null });
  const hour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
  // One an hour for two days, the last of them an hour ago.
  const hours = Array.from({ length: 48 }, (_, i) => new Date(hour - (i + 1) * HOUR_MS).toISOString());
  await report(hours.map((at, i) => ({ useId: `h${i}`, keyId, at })));
  const month = await projection('MONTH');
  expect(month).toMatchObject({ method: 'MEAN_SINCE_BEGIN' });
  const used = Number(month.videos?.used);
  const left = Date.parse(month.to) - Date.parse(month.asOf);
  expect(Number(month.videos?.projected)).toBe(used + Math.round(left / HOUR_MS));
  const json = await get('/v1/usage/projection?window=day', secret);
  expect(JSON.parse(json.text)).toMatchObject({ window: 'day', method: 'MEAN_SINCE_BEGIN', stale: false });
  expect((await get('/v1/usage/projection?window=year', secret)).status).toBe(400);
  expect((await projection('MINUTE')).errors?.[0]?.extensions['code']).toBe('INVALID_INPUT');
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
    ['groupBy=planet', 400, 'groupBy'],
    ['groupBy=property.job', 400, 'groupBy'],
    ['property=job=nightly', 400, 'property'],
    ['property=model', 400, 'property'],
    ['responseTimes=yes', 400, 'responseTimes'],
    ['groupBy=key,key', 400, 'groupBy'],
    ['from=yesterday', 400, 'from'],
    ['from=2020-01-01', 400, 'from'],
    ['from=2026-01-02&to=2026-01-01', 400, 'to'],
    ['status=lost', 400, 'status'],
    ['format=xml', 400, 'format'],
    [`accountId=${other.accountId}`, 404, ''],
  ];
  for (const [query, status, field] of cases) {
    for (const path of ['timeline', 'timeline.csv', 'timeline.ndjson']) {
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
  // Ten calls an hour are free. Refusals are stored before any later record, or with it.
  const free = await t.customer();
  for (let call = 0; call < 12; call++) await t.query(PatternsDocument, { first: 1 }, free.secret);
  await report(Array.from({ length: 50 }, (_, i) => ({ useId: `m${i}`, keyId })));
  const now = await metrics();
  const then = await metrics(before);
  if (!now || !then || !('accounts' in now) || !('accounts' in then))
    throw new Error(JSON.stringify([now, then]));
  const of = (plan: string, { accountsByPlan }: typeof now): number =>
    accountsByPlan.find(({ planId }) => planId === plan)?.accounts ?? 0;
  expect([now.accounts - then.accounts, of('business', now) - of('business', then)]).toEqual([2, 1]);
  expect(now.newAccounts - then.newAccounts).toBe(2);
  expect(now.denials).toEqual([{ limit: 'requests-hour', code: 'RATE_LIMITED', calls: '2' }]);
  expect(now.limitHits).toBe('2');
  const { classes = [], p50 = 0, p95 = 0 } = now.costDistribution ?? {};
  expect(p50).toBeGreaterThan(0);
  expect(p95).toBeGreaterThanOrEqual(p50);
  expect(classes.map(({ upTo }) => upTo)).toEqual([0, 1, 10, 100, 1_000, 10_000, null]);
  const calls = classes.reduce((sum, one) => sum + Number(one.calls), 0);
  expect(calls).toBeGreaterThanOrEqual(10);
  const own = await t.raw('{ account { usage { denials { limit calls } } } }', {}, free.token);
  expect(own.data).toEqual({ account: { usage: { denials: [{ limit: 'requests-hour', calls: '2' }] } } });
  const [top] = now.topAccounts.filter((one) => one.accountId === `acc_${accountId}`);
  expect(top).toMatchObject({ calls: '50' });
  const most = now.topAccounts.map((one) => Number(one.calls));
  expect(most).toEqual([...most].sort((a, b) => b - a));
  expect(Number(now.calls)).toBeGreaterThanOrEqual(50);
  expect(now.endpoints.find(({ endpoint }) => endpoint === '/v1/usage') ?? now.endpoints[0]).toMatchObject({
    errorRate: 0,
  });
  // Long before anybody was there.
  for (const past of ['2020-01-01T00:00:00Z', '1970-01-01T00:00:00Z']) {
    expect(await metrics(new Date(past))).toMatchObject({ accounts: 0, calls: '0', topAccounts: [] });
  }
  expect(await metrics(new Date('0001-01-01T00:00:00Z'))).toMatchObject([
    { extensions: { code: 'INVALID_INPUT' } },
  ]);
  expect(await metrics(new Date(Date.now() + DAY_MS))).toMatchObject([
    { extensions: { code: 'INVALID_INPUT' } },
  ]);
  expect(await metrics(undefined, token)).toMatchObject([{ extensions: { code: 'OPERATOR_REQUIRED' } }]);
  const timeline = await t.raw(
    `{ operator {
         usageTimeline(interval: DAY) { points { calls responseTimes { p95Ms } } }
         usage { calls denials { calls } previous { calls } breakdown(groupBy: [PLAN]) { groups { group calls } } }
         usageProjection { method totals { meter projected } }
       } }`,
    {},
    operator.token,
  );
  expect(timeline.errors).toBeUndefined();
  const { operator: whole } = timeline.data as { operator: unknown };
  const { usage, usageProjection, usageTimeline } = whole as {
    usage: { calls: string; breakdown: { groups: { group: string[]; calls: string }[] } };
    usageProjection: object;
    usageTimeline: { points: { responseTimes: object | null }[] };
  };
  expect(usage.breakdown.groups.find(({ group }) => group[0] === 'business')).toBeDefined();
  expect(usage.breakdown.groups.reduce((sum, one) => sum + Number(one.calls), 0)).toBe(Number(usage.calls));
  expect(usageProjection).toMatchObject({ method: 'MEAN_SINCE_BEGIN' });
  expect(usageTimeline.points.at(-1)?.responseTimes).toEqual({
    p95Ms: expect.any(Number) as unknown,
  });
  const shownAccount = `acc_${accountId}`;
  const byAccount = await t.raw(
    '{ operator { usage { breakdown(groupBy: [ACCOUNT], first: 1) { groups { group calls } } } } }',
    {},
    operator.token,
  );
  expect(JSON.stringify(byAccount.data)).toContain('"group":["acc_');
  const json = await get('/v1/usage/timeline?allAccounts=1&groupBy=account,plan', backEnd);
  expect(JSON.parse(json.text)).toMatchObject({
    accountId: null,
    points: expect.arrayContaining([
      expect.objectContaining({ group: { account: shownAccount, plan: 'business' }, calls: '50' }),
    ]) as unknown,
  });
  const csv = await get('/v1/usage/timeline.csv?allAccounts=1&groupBy=account', backEnd);
  expect(csv.text.split('\r\n')[0]).toMatch(/^from,to,account,calls,/);
  expect(csv.text).toContain(`,${shownAccount},50,`);
  expect((await get('/v1/usage/timeline.csv?allAccounts=1', token)).status).toBe(403);
  expect((await get(`/v1/usage/timeline?allAccounts=1&accountId=${shownAccount}`, backEnd)).status).toBe(400);
  const billing = '{ operator { usageProjection(window: BILLING_PERIOD) { method } } }';
  expect((await t.raw(billing, {}, operator.token)).errors?.[0]?.extensions['code']).toBe('INVALID_INPUT');
});
