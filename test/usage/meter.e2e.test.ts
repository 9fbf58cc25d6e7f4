import { canonicalJson } from '../../src/canonicalJson.js';
import { accountDecider } from '../../src/accounts/decideAccount.js';
import { accountStream } from '../../src/accounts/events.js';
import type { UsageEvent, Use } from '../../src/usage/events.js';
import { completeUse } from '../../src/usage/journal/useJson.js';
import {
  IssueKeyDocument,
  MeDocument,
  PatternDocument,
  PatternsDocument,
  LimitsDocument,
  UsageBreakdownDocument,
  UsageDocument,
  UsageTimelineDocument,
} from '../generated/graphql.js';
import type { Answer, TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import { freshPlace } from '../support/database.js';
import { quantityIn } from '../support/usage.js';

let t: TestApp;
beforeAll(async () => {
  t = await startApp();
});
afterAll(() => t.close());

const list = (secret: string) => t.query(PatternsDocument, { first: 5 }, secret);

const codesOf = ({ errors }: Answer<unknown>): unknown[] =>
  (errors ?? []).map(({ extensions }) => extensions['code']);

/** Nobody waits for the record of a refusal; but it is stored before, or with, any later record. */
async function refusalsStored(): Promise<void> {
  const { secret } = await t.customer('enterprise');
  expect((await list(secret)).status).toBe(200);
}

/** All uses of an account in the journal, in the order of their positions. */
async function journalOf(app: TestApp, accountId: string): Promise<{ use: Use; batch: string }[]> {
  const events = await app.app.parts.store.readAll(0, 10_000, 100_000_000);
  return events
    .filter(({ type }) => type === 'UsesRecorded')
    .flatMap((stored) => {
      const { groups } = stored.data as UsageEvent['data'];
      return groups
        .filter(({ account }) => account === accountId)
        .flatMap(({ uses }) => uses.map((use) => ({ use: completeUse(use), batch: stored.dataText })));
    });
}

async function standing(secret: string): Promise<Record<string, unknown>> {
  const account = (await t.query(LimitsDocument, {}, secret)).data?.account;
  const usage = (await t.query(UsageDocument, {}, secret)).data?.account?.usage;
  return {
    used: Object.fromEntries((account?.limits ?? []).map(({ name, used }) => [name, Number(used)])),
    remaining: Object.fromEntries(
      (account?.limits ?? []).map(({ name, remaining }) => [name, Number(remaining)]),
    ),
    requests: quantityIn(usage),
    refused: Number(usage?.refused),
    stale: usage?.stale,
  };
}

const monthSeconds = (): number => {
  const now = new Date();
  const days = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 0)).getUTCDate();
  return days * 86_400;
};

describe('the limit of ten requests a minute', () => {
  it('lets ten pass, counts them in the headers, and refuses the eleventh', async () => {
    const { secret } = await t.customer();
    const before = Math.floor(Date.now() / 1000);
    for (let call = 1; call <= 10; call++) {
      const { status, headers } = await list(secret);
      expect(status).toBe(200);
      expect(headers.get('ratelimit-policy')).toBe(
        `"requests-minute";q=10;w=60, "requests-month";q=1000;w=${monthSeconds()}, "cost-minute";q=1000;w=60`,
      );
      expect(headers.get('ratelimit')).toMatch(
        new RegExp(
          `^"requests-minute";r=${10 - call};t=\\d+, "requests-month";r=${1000 - call};t=\\d+, "cost-minute"`,
        ),
      );
      expect(headers.get('x-ratelimit-limit')).toBe('10');
      expect(headers.get('x-ratelimit-used')).toBe(String(call));
      expect(headers.get('x-ratelimit-remaining')).toBe(String(10 - call));
      const reset = Number(headers.get('x-ratelimit-reset'));
      expect(reset).toBeGreaterThan(before);
      expect(reset).toBeLessThanOrEqual(Math.ceil(Date.now() / 1000) + 60);
      expect(headers.get('retry-after')).toBeNull();
    }

    const { status, headers, data, errors } = await list(secret);
    expect(status).toBe(429);
    expect(data).toBeUndefined();
    const retryAfter = Number(headers.get('retry-after'));
    expect(retryAfter).toBeGreaterThanOrEqual(1);
    expect(retryAfter).toBeLessThanOrEqual(60);
    expect(errors).toEqual([
      {
        message: 'Too many requests. Try again after the number of seconds in Retry-After.',
        extensions: {
          code: 'RATE_LIMITED',
          limit: 'requests-minute',
          amount: '10',
          window: 'minute',
          used: '10',
          retryAfter,
        },
      },
    ]);
    expect(headers.get('ratelimit')).toMatch(
      /^"requests-minute";r=0;t=\d+, "requests-month";r=990;t=\d+, "cost-minute"/,
    );
    expect(headers.get('x-ratelimit-remaining')).toBe('0');
    expect(Number(headers.get('x-ratelimit-reset'))).toBeGreaterThan(before);
  });

  // Law 2.
  it('lets exactly ten of fifty parallel requests pass, over two keys of the account', async () => {
    const { secret, token, accountId } = await t.customer();
    const { secret: second } = await t.issueKey(token);
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => list(i % 2 ? secret : second)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(40);
    const used = answers
      .filter(({ status }) => status === 200)
      .map(({ headers }) => Number(headers.get('x-ratelimit-used')));
    expect(used.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const answered = (await journalOf(t, accountId)).filter(({ use }) => use.status === 'ok');
    expect(answered).toHaveLength(10);
  });

  it('takes nothing for what is refused; usage shows it as refused', async () => {
    const { secret, accountId } = await t.customer();
    for (let i = 0; i < 15; i++) await list(secret);
    await refusalsStored();
    // Ten empty pages of eight points, which come back at 17 a second.
    const points = expect.any(Number) as number;
    expect(await standing(secret)).toEqual({
      used: { 'requests-minute': 10, 'requests-month': 10, 'cost-minute': points },
      remaining: { 'requests-minute': 0, 'requests-month': 990, 'cost-minute': expect.any(Number) as number },
      requests: 10,
      refused: 5,
      stale: false,
    });
    const refused = (await journalOf(t, accountId)).map(({ use }) => use).slice(10);
    expect(refused).toHaveLength(5);
    for (const use of refused) {
      expect(use).toMatchObject({ status: 'refused', meters: {}, periods: [], durationUs: 0, patterns: [] });
      expect(use.refusal).toEqual({
        amount: 10,
        code: 'RATE_LIMITED',
        count: 1,
        limit: 'requests-minute',
        used: 10,
      });
    }
  });

  it('takes nothing for what is refused before: bad documents, bad variables, bad credentials', async () => {
    const { secret, token, accountId } = await t.customer();
    await t.raw('{ nope }', {}, secret);
    await t.raw('{ patterns {', {}, secret);
    await t.raw('query($first: Int!) { patterns(first: $first) { totalCount } }', {}, secret);
    await t.raw(
      'query($category: String) { patterns(filter: { category: $category }) { totalCount } }',
      { category: '\0' },
      secret,
    );
    await t.raw('{ patterns { totalCount } }', {}, 'sk_live_nothing');
    await t.raw('mutation { issueKey(input: { name: "" }) { __typename } }', {}, token);
    await t.raw('{ __typename __schema { queryType { name } } }', {}, secret);
    expect(await standing(secret)).toMatchObject({
      used: { 'requests-minute': 0, 'requests-month': 0 },
      requests: 0,
    });
    expect(await journalOf(t, accountId)).toEqual([]);
  });

  it('leaves what an account needs to help itself', async () => {
    const { secret, token } = await t.customer();
    for (let i = 0; i < 11; i++) await list(secret);
    expect((await list(secret)).status).toBe(429);
    for (const document of [MeDocument, LimitsDocument, UsageDocument]) {
      for (const credential of [secret, token]) {
        const answer = await t.raw(document.toString(), {}, credential);
        expect([answer.status, answer.errors]).toEqual([200, undefined]);
      }
    }
    const { data } = await t.query(IssueKeyDocument, { input: { name: 'another' } }, token);
    expect(data?.issueKey?.__typename).toBe('IssueKeyPayload');
    // But not as a way around: with a governed field beside it, it is a governed call.
    const mixed = await t.raw('{ me { account { id } } categories { slug } }', {}, secret);
    expect([mixed.status, codesOf(mixed)]).toEqual([429, ['RATE_LIMITED']]);
    const hidden = '{ ...A me { account { id } } } fragment A on Query { ... { categories { slug } } }';
    expect((await t.raw(hidden, {}, secret)).status).toBe(429);
  });
});

it('gives a larger plan its larger limits at once', async () => {
  const { secret, accountId } = await t.customer();
  for (let i = 0; i < 10; i++) await list(secret);
  expect((await list(secret)).status).toBe(429);
  await t.grant(accountId, 'developer');
  const { status, headers } = await list(secret);
  expect([status, headers.get('x-ratelimit-limit'), headers.get('x-ratelimit-used')]).toEqual([
    200,
    '60',
    '11',
  ]);
  await t.grant(accountId, 'enterprise');
  const free = await list(secret);
  expect([free.status, free.headers.get('ratelimit'), free.headers.get('x-ratelimit-limit')]).toEqual([
    200,
    null,
    null,
  ]);
  expect((await t.query(LimitsDocument, {}, secret)).data?.account).toMatchObject({
    plan: { id: 'enterprise' },
    limits: [],
  });
});

it('guards what no plan limits with sixty a minute for each account', async () => {
  const { secret, token } = await t.customer('enterprise');
  const other = await t.customer();
  const ask = (i: number) => t.query(LimitsDocument, {}, i % 2 ? secret : token);
  // Issuing the key was one of the sixty.
  const answers = await Promise.all(Array.from({ length: 70 }, (_, i) => ask(i)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(59);
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(11);
  for (const answer of refused) {
    expect(codesOf(answer)).toEqual(['RATE_LIMITED']);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(60);
  }
  // Another account is not concerned, nor are this one's governed calls.
  expect((await t.query(LimitsDocument, {}, other.secret)).status).toBe(200);
  expect((await list(secret)).status).toBe(200);
});

// Law 1.
describe('an answer', () => {
  it('leaves only when its use is stored', async () => {
    const { secret, accountId } = await t.customer();
    const { store } = t.app.parts;
    const append = store.append.bind(store);
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    let arrived = (): void => {};
    const reached = new Promise<void>((resolve) => (arrived = resolve));
    store.append = async (stream, expected, events, priority) => {
      if (priority === 'journal') {
        arrived();
        await gate;
      }
      return append(stream, expected, events, priority);
    };
    try {
      let answered = false;
      const answer = list(secret).finally(() => (answered = true));
      await reached;
      // A whole round trip of another call: time enough for an answer that would not wait.
      expect((await t.query(MeDocument, {}, secret)).status).toBe(200);
      expect(answered).toBe(false);
      expect(await journalOf(t, accountId)).toEqual([]);
      open();
      expect((await answer).status).toBe(200);
      expect(await journalOf(t, accountId)).toHaveLength(1);
    } finally {
      open();
      store.append = append;
    }
  });

  it.each<[string, string, object, string | null, string[], estimate: number, actual: number]>([
    ['a named query', PatternsDocument.toString(), { first: 5 }, 'Patterns', ['patterns'], 18, 8],
    [
      'two aliases',
      '{ b: categories { slug } a: pattern(by: { slug: "x" }) { __typename } c: categories { slug } }',
      {},
      null,
      ['categories', 'pattern'],
      1 + 100 + 1 + 100,
      1 + 1,
    ],
    ['a refused argument', '{ patterns(after: "x") { totalCount } }', {}, null, ['patterns'], 1 + 1 + 5, 1],
    [
      'a guarded field beside it',
      '{ me { account { id } } categories { slug } }',
      {},
      null,
      ['me', 'categories'],
      1 + 2 + 100,
      1 + 2,
    ],
  ])(
    'has a complete record in the journal: %s',
    async (_name, query, variables, operation, rootFields, estimate, actual) => {
      const { secret, accountId, keyId } = await t.customer();
      const before = Date.now();
      await t.raw(query, variables, secret);
      const [record, ...more] = await journalOf(t, accountId);
      if (!record) throw new Error('nothing was recorded');
      expect(more).toEqual([]);
      const { use, batch } = record;
      const iso = new Date(use.at).toISOString();
      expect(use).toEqual({
        actualCost: actual,
        address: expect.stringMatching(/^[\w-]{22}$/) as string,
        at: expect.any(Number) as number,
        costVersion: expect.stringMatching(/^1-[\da-f]{12}$/) as string,
        durationUs: expect.any(Number) as number,
        endpoint: '/graphql',
        environment: 'live',
        estimatedCost: estimate,
        id: expect.stringMatching(/^[\da-f]{8}\.\d{17}\.[\da-z]+-[\da-z]+$/) as string,
        key: keyId,
        meters: { cost: actual, requests: 1 },
        method: 'POST',
        operation,
        patterns: [],
        periods: [`day:${iso.slice(0, 10)}`, `month:${iso.slice(0, 7)}`],
        plan: 'free',
        planVersion: 1,
        refusal: null,
        rootFields,
        source: null,
        status: 'ok',
      });
      expect(use.at).toBeGreaterThanOrEqual(before);
      expect(Number.isInteger(use.durationUs) && use.durationUs > 0).toBe(true);
      // Canonical as it was written: hashes of it hold (decision 9).
      expect(batch).toBe(canonicalJson(JSON.parse(batch)));
      expect(batch).not.toContain('10.0.');
    },
  );

  it('by GET is recorded as such', async () => {
    const { secret, accountId } = await t.customer();
    const query = encodeURIComponent('query ByGet { categories { slug } }');
    const headers = { 'x-api-key': secret, 'apollo-require-preflight': 'true' };
    const response = await fetch(`${t.app.url}/graphql?query=${query}`, { headers });
    expect([response.status, await response.json()]).toMatchObject([200, { data: { categories: [] } }]);
    const [record] = await journalOf(t, accountId);
    expect(record?.use).toMatchObject({ method: 'GET', operation: 'ByGet' });
  });

  it('and usage agrees with what was sent', async () => {
    const { secret } = await t.customer('developer');
    for (let i = 0; i < 4; i++) await list(secret);
    for (let i = 0; i < 3; i++) await t.query(PatternDocument, { by: { slug: 'x' } }, secret);
    await t.raw('{ categories { slug } }', {}, secret);
    const { data } = await t.query(UsageBreakdownDocument, { groupBy: ['OPERATION'] }, secret);
    expect(data?.account?.usage?.breakdown?.groups.map(({ group, calls }) => [...group, calls])).toEqual([
      ['Patterns', '4'],
      ['Pattern', '3'],
      ['categories', '1'],
    ]);
    const byHour = await t.query(UsageTimelineDocument, { interval: 'HOUR' }, secret);
    const { points = [], stale } = byHour.data?.account?.usageTimeline ?? {};
    expect(points.reduce((sum, point) => sum + quantityIn(point), 0)).toBe(8);
    expect(points.every(({ errors, refused }) => errors === '0' && refused === '0')).toBe(true);
    expect(stale).toBe(false);
    expect(await standing(secret)).toMatchObject({
      used: { 'requests-minute': 8, 'requests-month': 8 },
      remaining: { 'requests-minute': 52, 'requests-month': 9_992 },
    });
  });
});

describe('a restart', () => {
  it('forgets no call, adds no event and shows no demo key again', async () => {
    const place = await freshPlace({ ready: true });
    try {
      const first = await startApp({ place, demo: true });
      expect(first.app.demoKey).toMatch(/^sk_test_/);
      const { secret } = await first.customer();
      const { secret: developer, accountId } = await first.customer('developer');
      for (let i = 0; i < 10; i++) await first.query(PatternsDocument, { first: 1 }, secret);
      for (let i = 0; i < 7; i++) await first.query(PatternsDocument, { first: 1 }, developer);
      // What a policy makes good after a crash bears the time of its cause, which may be long ago.
      await first.app.parts.commands.handle(
        accountDecider,
        accountStream(crypto.randomUUID()),
        { type: 'OpenAccount', ownerId: 'late' },
        {
          commandId: 'late',
          caller: 'policy:open-account',
          requestHash: 'late',
          at: new Date(Date.now() - 3_600_000),
          environment: 'live',
          correlationId: 'test',
          causationId: crypto.randomUUID(),
        },
      );
      await first.close();

      const second = await startApp({ place, demo: true });
      const head = await second.events();
      await second.close();

      const third = await startApp({ place, demo: true });
      try {
        expect(await third.events()).toBe(head);
        expect(third.app.demoKey).toBeUndefined();
        const refused = await third.query(PatternsDocument, { first: 1 }, secret);
        expect([refused.status, codesOf(refused)]).toEqual([429, ['RATE_LIMITED']]);
        const { headers } = await third.query(PatternsDocument, { first: 1 }, developer);
        expect(headers.get('ratelimit')).toMatch(/"requests-minute";r=52;.*"requests-month";r=9992;/);
        expect(await journalOf(third, accountId)).toHaveLength(8);
      } finally {
        await third.close();
      }
    } finally {
      await place.remove();
    }
  });
});
