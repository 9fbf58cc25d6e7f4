import type { CostExtension } from '../../../src/graphql/cost/report.js';
import { startApp } from '../../support/app.js';
import type { TestApp } from '../../support/app.js';

let t: TestApp;
beforeAll(async () => {
  t = await startApp({ patterns: 'patterns' });
});
afterAll(() => t.close());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly data?: unknown;
  readonly errors?: readonly { readonly message: string; readonly extensions: Record<string, unknown> }[];
  readonly extensions?: { readonly cost?: CostExtension };
}

async function ask(query: string, credential?: string, mode?: string, variables = {}): Promise<Answer> {
  const response = await fetch(`${t.app.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(credential !== undefined && { authorization: `Bearer ${credential}` }),
      ...(mode !== undefined && { 'graphql-cost': mode }),
    },
    body: JSON.stringify({ query, variables }),
  });
  return { status: response.status, headers: response.headers, ...((await response.json()) as object) };
}

const page = (first: number, inner = 'nodes { name }') => `{ patterns(first: ${first}) { ${inner} } }`;
/** 301 points for 100 patterns. */
const EDGES = 'edges { node { example { language } } }';

/** 301 points for each time, and one for the query. */
const dear = (times: number): string => {
  const fields = Array.from({ length: times }, (_, i) => `a${i}: patterns(first: 100) { ${EDGES} }`);
  return `{ ${fields.join(' ')} }`;
};

it('takes the estimate, gives back what the answer did not cost, and says both', async () => {
  const { secret } = await t.customer();
  const { status, headers, extensions } = await ask('{ categories { slug } }', secret);
  const categories = 8;
  expect([status, extensions?.cost]).toEqual([
    200,
    {
      requestedQueryCost: 1 + 100,
      actualQueryCost: 1 + categories,
      throttleStatus: {
        maximumAvailable: 1000,
        currentlyAvailable: 1000 - 1 - categories,
        restoreRate: 16.667,
      },
      policies: [
        expect.objectContaining({
          id: 'requests-minute',
          meter: 'requests',
          amount: 10,
          remaining: 9,
        }) as object,
        expect.objectContaining({
          id: 'requests-month',
          meter: 'requests',
          amount: 1000,
          remaining: 999,
        }) as object,
        expect.objectContaining({ id: 'cost-minute', meter: 'cost', amount: 1000, remaining: 991 }) as object,
      ],
      version: expect.stringMatching(/^1-/) as string,
    },
  ]);
  expect(headers.get('ratelimit')).toContain('"cost-minute";r=991;');
});

it('refuses what the bucket has not now, spending nothing, and says when it will', async () => {
  const { secret } = await t.customer();
  expect((await ask(dear(3), secret)).status).toBe(200);
  const { status, headers, data, errors, extensions } = await ask(dear(3), secret);
  expect([status, data]).toEqual([429, undefined]);
  const retryAfter = Number(headers.get('retry-after'));
  expect(errors?.[0]?.extensions).toEqual({
    code: 'RATE_LIMITED',
    limit: 'cost-minute',
    amount: '1000',
    window: 'minute',
    used: expect.stringMatching(/^\d+$/) as string,
    retryAfter,
  });
  expect(retryAfter).toBeGreaterThanOrEqual(1);
  expect(retryAfter).toBeLessThanOrEqual(60);
  expect(extensions?.cost).toMatchObject({ requestedQueryCost: 904, actualQueryCost: null });
  // It took neither points nor one of the requests.
  expect((await ask(page(1), secret)).headers.get('x-ratelimit-used')).toBe('2');
});

it('refuses for good what never fits: the plan’s bucket, and any call', async () => {
  const { secret } = await t.customer();
  const never = await ask(dear(4), secret);
  expect([never.status, never.data, never.headers.get('retry-after')]).toEqual([422, undefined, null]);
  expect(never.errors?.[0]?.extensions).toEqual({
    code: 'QUERY_COST_EXCEEDED',
    limit: 'cost-minute',
    amount: '1000',
    window: 'minute',
    used: '0',
  });
  expect(never.extensions?.cost?.requestedQueryCost).toBe(1 + 4 * 301);

  // A plan without limits has one nevertheless: what a call may come to at all.
  const all = await t.customer('enterprise');
  const uses = Array.from(
    { length: 20 },
    (_, i) => `u${i}: account { usageTimeline(interval: DAY, first: 4000) { points { calls } } }`,
  );
  expect((await ask(`{ ${uses.join(' ')} }`, all.secret)).status).toBe(422);
  const fitting = await ask(dear(20), all.secret);
  expect([fitting.status, fitting.extensions?.cost?.throttleStatus]).toEqual([200, null]);
});

it('refuses sizes out of their range before anything is spent', async () => {
  const { secret } = await t.customer();
  for (const first of [-1, 0, 101, 10_000]) {
    const { status, errors, extensions } = await ask(page(first), secret);
    expect([first, status, errors]).toEqual([
      first,
      400,
      [
        {
          message: '"first" must be 1 to 100.',
          extensions: { code: 'INVALID_INPUT', field: 'first', path: 'patterns' },
        },
      ],
    ]);
    expect(extensions).toBeUndefined();
  }
  expect((await ask(page(1), secret)).headers.get('x-ratelimit-used')).toBe('1');
});

describe('the header GraphQL-Cost', () => {
  it('"report" shows beside the answer what each field can cost', async () => {
    const { secret } = await t.customer();
    const { data, extensions } = await ask(page(3, 'totalCount nodes { name useCount }'), secret, 'report');
    expect(data).toMatchObject({ patterns: { totalCount: expect.any(Number) as number } });
    expect(extensions?.cost).toMatchObject({
      requestedQueryCost: 1 + 1 + 5 + 3 * 2,
      actualQueryCost: 1 + 1 + 5 + 3 * 2,
      fields: [
        { path: '', count: 1, points: 1 },
        { path: 'patterns', count: 1, points: 1 },
        { path: 'patterns.totalCount', count: 1, points: 5 },
        { path: 'patterns.nodes', count: 3, points: 3 },
        { path: 'patterns.nodes.useCount', count: 3, points: 3 },
      ],
    });
  });

  it('"validate" shows it without executing or spending anything', async () => {
    const { secret } = await t.customer();
    const query = 'query ($n: Int!) { patterns(first: $n) { nodes { name } } }';
    const { status, data, extensions, headers } = await ask(query, secret, 'validate', { n: 50 });
    expect([status, data]).toEqual([200, null]);
    expect(extensions?.cost).toMatchObject({
      requestedQueryCost: 52,
      actualQueryCost: null,
      throttleStatus: { maximumAvailable: 1000, currentlyAvailable: 1000 },
      fields: [{ path: '' }, { path: 'patterns' }, { path: 'patterns.nodes', count: 50, points: 50 }],
    });
    expect(headers.get('x-ratelimit-used')).toBe('0');
    const mutation =
      'mutation { registerUser(input: {email: "dry@example.com", password: "correct horse"}) { __typename } }';
    expect(await ask(mutation, undefined, 'validate')).toMatchObject({
      status: 200,
      data: null,
      extensions: { cost: { requestedQueryCost: expect.any(Number) as number } },
    });
    // It was not executed.
    expect(await ask(mutation)).toMatchObject({
      data: { registerUser: { __typename: 'RegisterUserPayload' } },
    });
  });

  it('"validate" is guarded: sixty a minute', async () => {
    const { secret } = await t.customer();
    const answers = await Promise.all(Array.from({ length: 70 }, () => ask(page(1), secret, 'validate')));
    // Issuing the key was one of the sixty.
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(59);
  });

  it('has no other word', async () => {
    const { secret } = await t.customer();
    const { status, errors } = await ask(page(1), secret, 'explain');
    expect([status, errors?.[0]?.message]).toEqual([
      400,
      'The header GraphQL-Cost is "report" or "validate".',
    ]);
  });

  it('tells the cost of what is guarded, of which nothing is taken', async () => {
    const { secret } = await t.customer();
    expect((await ask('{ me { account { id } } }', secret)).extensions).toBeUndefined();
    const { extensions } = await ask('{ me { account { id } } }', secret, 'report');
    expect(extensions?.cost).toMatchObject({ requestedQueryCost: 3, actualQueryCost: 3, policies: [] });
  });
});

it('holds the bucket exactly against parallel calls (law 2)', async () => {
  const { secret } = await t.customer('developer');
  const before = Date.now();
  const answers = await Promise.all(Array.from({ length: 40 }, () => ask(page(100, EDGES), secret)));
  const passed = answers.filter(({ status }) => status === 200).length;
  expect(answers.every(({ status }) => status === 200 || status === 429)).toBe(true);
  const refilled = ((Date.now() - before) / 60_000) * 6_000;
  expect(passed).toBeGreaterThanOrEqual(Math.floor(6_000 / 302));
  // The answers cost up to 302 points; at most so many were there.
  const spent = answers.reduce((sum, { extensions }) => sum + (extensions?.cost?.actualQueryCost ?? 0), 0);
  expect(spent).toBeLessThanOrEqual(6_000 + refilled);
});
