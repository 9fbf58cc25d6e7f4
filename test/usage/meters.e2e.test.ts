import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IssueKeyInput, VerifyKeyInput } from '../generated/graphql.js';
import { IssueKeyDocument, LimitsDocument, VerifyKeyDocument } from '../generated/graphql.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import type { Place } from '../support/database.js';
import { freshPlace } from '../support/database.js';
import { SHARED_REDIS_URL } from '../support/redis.js';

/** A product that counts videos and the seconds in them, in tenths. */
const METERS = `meters:
  - { id: videos, unit: video, aggregation: count }
  - { id: seconds, unit: second, aggregation: sum, decimals: 1 }
  - { id: storage, unit: gigabyte, aggregation: latest, decimals: 1 }
  - { id: workers, unit: worker, aggregation: max }
  - { id: models, unit: model, aggregation: unique, property: model }
`;
const LIMITS = `      - { id: videos-day, meter: videos, window: day, amount: 3 }
      - { id: seconds-hour, meter: seconds, window: hour, amount: 1000 }
      - { id: videos-lifetime, meter: videos, window: lifetime, amount: 100 }
      - { id: videos-billing, meter: videos, window: billing-period, amount: 50 }
`;
const SUBJECT_LIMITS = `    subjectLimits:
      - { id: videos-subject, meter: videos, window: month, amount: 2 }
`;

let root: string;
let place: Place;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tollgraph-meters-'));
  await cp('profiles', join(root, 'profiles'), { recursive: true });
  const file = join(root, 'profiles', 'specql.yaml');
  const text = await readFile(file, 'utf8');
  const free = /^ {2}- id: free\n(?:.*\n)*? {4}limits:\n/m.exec(text)?.[0] ?? '';
  await writeFile(
    file,
    text
      .replace(/^tiers:/m, `${METERS}tiers:`)
      .replace(free, free.replace(/ {4}limits:\n$/, `${SUBJECT_LIMITS}$&`) + LIMITS),
  );
});
afterAll(() => rm(root, { recursive: true, force: true }));
beforeEach(async () => {
  place = await freshPlace({ ready: true });
});
afterEach(() => place.remove());

const limiters = [
  ['in process', {}],
  ...(SHARED_REDIS_URL === undefined ? [] : [['through Redis', { REDIS_URL: SHARED_REDIS_URL }] as const]),
] as const;

/** Meters whose uses do not add up: reported, shown on every way, taken back, and limited by nothing. */
async function readings(t: TestApp, backEnd: string): Promise<void> {
  const { keyId, accountId, secret, token } = await t.customer();
  const now = Date.now();
  const use = (useId: string, meter: string, ago: number, more: object = {}): object => ({
    useId,
    keyId: `key_${keyId}`,
    meter,
    at: new Date(now - ago).toISOString(),
    ...more,
  });
  const model = (value: string): object => ({ properties: [{ name: 'model', value }] });
  const json = async (
    path: string,
    body?: object,
    credential = backEnd,
  ): Promise<Record<string, unknown>> => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${credential}` };
    const init = body && { method: 'POST', body: JSON.stringify(body) };
    return (await (await fetch(`${t.app.url}${path}`, { headers, ...init })).json()) as Record<
      string,
      unknown
    >;
  };
  const report = async (uses: readonly object[]): Promise<unknown[]> => {
    const { results } = await json('/v1/usage', { uses });
    return (results as { status: string; refusal: { code: string; message: string } | null }[]).map(
      ({ status, refusal }) => refusal?.message ?? status.replace('PROVISIONAL', 'ACCEPTED'),
    );
  };
  const told = [
    use('w1', 'workers', 5, { quantity: 3 }),
    use('w2', 'workers', 9, { quantity: 8 }),
    use('w3', 'workers', 1, { quantity: 0 }),
    // What comes last is not what is newest.
    use('s1', 'storage', 4, { quantity: '12.5' }),
    use('s2', 'storage', 2, { quantity: '7.5' }),
    use('s3', 'storage', 8, { quantity: '90.1' }),
    use('m1', 'models', 4, model('large')),
    use('m2', 'models', 3, model('small')),
    use('m3', 'models', 2, model('large')),
  ];
  expect(await report(told)).toEqual(told.map(() => 'ACCEPTED'));
  expect(await report(told.slice(0, 1))).toEqual(['DUPLICATE']);
  expect(
    await report([
      use('w1', 'workers', 5, { quantity: 9 }),
      use('m4', 'models', 1),
      use('m5', 'models', 1, { ...model('new'), quantity: 2 }),
      use('w4', 'workers', 1, { quantity: '0.5' }),
    ]),
  ).toEqual([
    expect.stringContaining('A use with this id is stored'),
    '"models" counts the values of the property "model": send one.',
    '"quantity" can only be 1: "models" counts values.',
    expect.stringContaining('"quantity" must be a number of 0 or more'),
  ]);
  const shown = async (): Promise<unknown> => {
    await t.caughtUp();
    const totals = 'totals { meter quantity }';
    const { data } = await t.raw(
      `{ account { usage { ${totals} } usageTimeline(groupBy: [KEY]) { points { group ${totals} } } } }`,
      {},
      secret,
    );
    const { usage, usageTimeline } = data?.['account'] as {
      usage: { totals: unknown };
      usageTimeline: { points: { group: unknown; totals: unknown }[] };
    };
    const { totals: byHttp } = await json('/v1/usage', undefined, secret);
    const read = (totals: unknown): unknown => {
      const all = totals as { meter: string; quantity: string }[];
      const some = all.filter(({ meter }) => ['storage', 'workers', 'models'].includes(meter));
      return Object.fromEntries(some.map(({ meter, quantity }) => [meter, quantity]));
    };
    const point = usageTimeline.points.find(({ group }) => String(group) === `key_${keyId}`);
    expect([read(byHttp), read(point?.totals)]).toEqual([read(usage.totals), read(usage.totals)]);
    return read(usage.totals);
  };
  expect(await shown()).toEqual({ storage: '7.5', workers: '8', models: '2' });
  const { data: ahead } = await t.raw('{ account { usageProjection { totals { meter } } } }', {}, secret);
  const { usageProjection } = ahead?.['account'] as { usageProjection: { totals: { meter: string }[] } };
  // What does not add up is not on its way to a sum.
  for (const meter of ['storage', 'workers', 'models']) {
    expect(usageProjection.totals).not.toContainEqual({ meter });
  }
  const csv = await fetch(`${t.app.url}/v1/usage/timeline.csv`, {
    headers: { authorization: `Bearer ${secret}` },
  });
  const [head = '', line = ''] = (await csv.text()).split(/\r?\n/);
  const column = (name: string): string | undefined => line.split(',')[head.split(',').indexOf(name)];
  expect(['storage', 'workers', 'models'].map(column)).toEqual(['7.5', '8', '2']);

  const correct = async (useId: string): Promise<unknown> =>
    (await json('/v1/usage/corrections', { accountId: `acc_${accountId}`, useId, reason: 'wrong' }))[
      'reversed'
    ];
  expect(await correct('w2')).toEqual([{ meter: 'workers', quantity: '8' }]);
  expect(await correct('s2')).toEqual([{ meter: 'storage', quantity: '7.5' }]);
  expect(await correct('m2')).toEqual([{ meter: 'models', quantity: '1' }]);
  expect(await shown()).toEqual({ storage: '12.5', workers: '3', models: '1' });

  // Nothing can hold them, and nothing spends from them.
  const limits = [{ meter: 'workers', window: 'DAY' as const, max: 5 }];
  const { data } = await t.query(IssueKeyDocument, { input: { name: 'held', limits } }, token);
  expect(data?.issueKey).toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringContaining('A limit cannot be on "workers"') as string,
  });
  const reserved = await json('/v1/reservations', {
    keyId: `key_${keyId}`,
    endpoint: '/work',
    quantities: [{ meter: 'workers', quantity: '1' }],
  });
  expect(reserved).toMatchObject({ code: 'INVALID_INPUT' });
}

/**
 * Limits of each end customer: taken, reported, reserved and shown, beside those of the account.
 * @returns what is used and left of the limit of one who has used it up
 */
async function endCustomers(t: TestApp, backEnd: string): Promise<(app?: TestApp) => Promise<unknown>> {
  const json = async (path: string, body?: object, credential = backEnd, app = t) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${credential}` };
    const init = body && { method: 'POST', body: JSON.stringify(body) };
    return (await (await fetch(`${app.app.url}${path}`, { headers, ...init })).json()) as Record<
      string,
      unknown
    >;
  };
  const videos = (quantity: number) => [{ meter: 'videos', quantity: String(quantity) }];
  const { secret, keyId } = await t.customer();
  const spend = (subject: string, more: object = {}) =>
    json('/v1/keys/verify', {
      secret,
      spend: { endpoint: '/videos', quantities: videos(1), subject, ...more },
    });
  const left = async (subject: string, app = t): Promise<unknown> => {
    const { limits } = await json(`/v1/quota?subject=${encodeURIComponent(subject)}`, undefined, secret, app);
    const own = (limits as { name: string; used: string; remaining: string }[]).find(
      ({ name }) => name === 'videos-subject',
    );
    return [own?.used, own?.remaining];
  };
  const ada = 'ada@example.com';
  expect(await left(ada)).toEqual(['0', '2']);
  expect(await spend(ada)).toMatchObject({ valid: true });
  expect(await spend(ada)).toMatchObject({ valid: true });
  expect(await spend(ada)).toMatchObject({ valid: false, code: 'QUOTA_EXCEEDED' });
  // A use of another is not held against it; with the account's own limit it is.
  expect(await spend('bob')).toMatchObject({ valid: true });
  expect(await spend('carol')).toMatchObject({ valid: false, code: 'QUOTA_EXCEEDED' });
  expect(await spend('')).toMatchObject({ code: 'INVALID_INPUT' });
  const { data } = await t.raw(
    'query ($subject: String) { account { limits(subject: $subject) { name source used remaining } } }',
    { subject: ada },
    secret,
  );
  expect((data?.['account'] as { limits: unknown[] }).limits.at(-1)).toEqual({
    name: 'videos-subject',
    source: 'SUBJECT',
    used: '2',
    remaining: '0',
  });
  // What is reported is a fact.
  const use = { useId: 'of-ada', keyId: `key_${keyId}`, meter: 'videos', subject: ada };
  const { results } = await json('/v1/usage', { uses: [use] });
  expect(results).toMatchObject([{ status: 'OVER_LIMIT' }]);
  expect(await left(ada)).toEqual(['3', '0']);

  const other = await t.customer();
  const reserve = (quantity: number, subject = ada) =>
    json('/v1/reservations', {
      keyId: `key_${other.keyId}`,
      endpoint: '/videos',
      quantities: videos(quantity),
      subject,
    });
  const reserved = await reserve(2);
  const { id } = reserved['reservation'] as { id: string };
  expect(await reserve(1)).toMatchObject({ code: 'QUOTA_EXCEEDED' });
  const settled = await json(`/v1/reservations/${id}/settle`, { quantities: videos(1) });
  expect(settled).toMatchObject({ replayed: false });
  expect(await reserve(1)).toMatchObject({ replayed: false });
  expect(await reserve(1)).toMatchObject({ code: 'QUOTA_EXCEEDED' });
  return (app = t) => left(ada, app);
}

it.each(limiters)('any meter of the profile is counted, limited and shown, %s', async (_name, env) => {
  let t: TestApp = await startApp({ root, place, env });
  const issue = async (token: string, input: Partial<IssueKeyInput>): Promise<string> => {
    const { data } = await t.query(IssueKeyDocument, { input: { name: 'test', ...input } }, token);
    if (data?.issueKey?.__typename !== 'IssueKeyPayload') throw new Error(JSON.stringify(data));
    return data.issueKey.secret as string;
  };
  try {
    const operator = await t.customer();
    await t.makeOperator(operator);
    const backEnd = await issue(operator.token, { scopes: ['ADMIN'] });
    const { token } = await t.register();
    const secret = await issue(token, {});
    const limits = [{ meter: 'videos', window: 'MONTH', max: 2 }] as const;
    const narrow = await issue(token, { limits: [...limits] });

    const spend = async (key: string, quantities: Record<string, string | number>) => {
      const input: VerifyKeyInput = {
        secret: key,
        spend: {
          endpoint: '/videos',
          quantities: Object.entries(quantities).map(([meter, quantity]) => ({ meter, quantity })),
        },
      };
      const { data, errors } = await t.query(VerifyKeyDocument, { input }, backEnd);
      const answer = data?.verifyKey;
      if (answer?.__typename === 'VerifyKeyPayload') return answer;
      throw new Error(JSON.stringify(errors ?? answer));
    };
    const shown = async (key: string): Promise<Record<string, number>> => {
      const { data } = await t.query(LimitsDocument, {}, key);
      return Object.fromEntries((data?.account?.limits ?? []).map(({ name, used }) => [name, Number(used)]));
    };

    expect(await spend(secret, { videos: 1, seconds: '12.5' })).toMatchObject({ valid: true });
    expect(await shown(secret)).toMatchObject({ 'videos-day': 1, 'seconds-hour': 12.5, 'cost-minute': 0 });
    // What has no limit of its own asked is charged to none; a call may come to several requests.
    expect(await spend(secret, {})).toMatchObject({ valid: true });
    expect(await spend(secret, { requests: 3 })).toMatchObject({ valid: true });
    expect(await shown(secret)).toMatchObject({ 'videos-day': 1, 'requests-month': 5 });
    // A key's limit, and more than the bucket holds.
    expect(await spend(narrow, { videos: 2 })).toMatchObject({ valid: true });
    expect(await shown(narrow)).toMatchObject({ 'videos-day': 3, 'key-videos-month': 2 });
    // How much of my month is left, by key: as a newcomer writes it with the documentation alone.
    const { data: ofMonth } = await t.raw(
      '{ account { limits { name window remaining resetAt } keys(first: 100) { nodes { name limitStatus { name window source used remaining } } } } }',
      {},
      token,
    );
    const { limits: ofPlan, keys } = ofMonth?.['account'] as {
      limits: readonly { name: string }[];
      keys: { nodes: readonly { limitStatus: readonly object[] }[] };
    };
    expect(ofPlan.map(({ name }) => name)).toContain('requests-month');
    expect(keys.nodes.map(({ limitStatus }) => limitStatus)).toEqual([
      [],
      [{ name: 'key-videos-month', window: 'MONTH', source: 'KEY', used: '2', remaining: '0' }],
    ]);
    expect(await spend(secret, { videos: 1 })).toMatchObject({ valid: false, code: 'QUOTA_EXCEEDED' });
    expect(await spend(secret, { seconds: '100.1' })).toMatchObject({ valid: false, useId: null });
    await expect(spend(secret, { minutes: 1 })).rejects.toThrow('There is no meter of this name');
    await expect(spend(secret, { seconds: '0.25' })).rejects.toThrow('at most 1 decimals');
    // What is spent can be counted: readers would park more.
    await expect(spend(secret, { seconds: '100000000000.1' })).rejects.toThrow('at most 100000000000.');
    expect(await spend(secret, { seconds: '100000000000' })).toMatchObject({ code: 'QUERY_COST_EXCEEDED' });
    for (const bad of ['-1', '1e3', 'NaN', '']) {
      await expect(spend(secret, { seconds: bad })).rejects.toThrow('quantity must be');
    }

    // In and out as it was given, to the last digit; what Lua could not count is refused, not rounded.
    const most = [
      { meter: 'seconds', window: 'MONTH', max: '900719925474099.1' },
      { meter: 'videos', window: 'LIFETIME', max: '9007199254740991' },
    ] as const;
    const wide = await issue(token, { limits: [...most] });
    expect(await spend(wide, { videos: 0, seconds: '0.1' })).toMatchObject({ valid: true });
    const { data: ofWide } = await t.query(LimitsDocument, {}, wide);
    expect(ofWide?.account?.limits?.slice(-2)).toMatchObject([
      {
        ...most[0],
        source: 'KEY',
        used: '0.1',
        remaining: '900719925474099',
        resetAt: expect.any(String) as string,
      },
      { ...most[1], source: 'KEY', used: '0', remaining: '9007199254740991', resetAt: null },
    ]);
    for (const max of ['9007199254740992', '9223372036854775807']) {
      await expect(issue(token, { limits: [{ ...most[1], max }] })).rejects.toThrow('9007199254740991');
    }

    await readings(t, backEnd);
    const ofAda = await endCustomers(t, backEnd);
    expect(await ofAda()).toEqual(['3', '0']);

    // Over a restart the ledger and the journal tell.
    const before = [await shown(secret), await shown(narrow)];
    await t.close();
    t = await startApp({ root, place, env });
    expect([await shown(secret), await shown(narrow)]).toEqual([
      { ...before[0], 'seconds-hour': expect.any(Number) as number },
      { ...before[1], 'seconds-hour': expect.any(Number) as number },
    ]);
    expect(await shown(secret)).toMatchObject({ 'videos-day': 3, 'videos-billing': 3, 'videos-lifetime': 3 });
    expect((await shown(secret))['seconds-hour']).toBeGreaterThanOrEqual(12);
    expect(await ofAda(t)).toEqual(['3', '0']);
  } finally {
    await t.close();
  }
});
