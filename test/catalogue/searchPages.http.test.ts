import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';

let t: TestApp;
let secret: string;
beforeAll(async () => {
  t = await startApp({ patterns: 'patterns' });
  ({ secret } = await t.customer('enterprise'));
});
afterAll(() => t.close());

interface Edge {
  readonly cursor: string;
  readonly score: number;
  readonly node: {
    readonly id: string;
    readonly slug: string;
    readonly category: string;
    readonly tier: string;
  };
}
interface Found {
  readonly edges: readonly Edge[];
  readonly nodes: readonly { readonly id: string }[];
  readonly facets: Readonly<Record<'categories' | 'tiers', readonly { value: string; count: number }[]>>;
  readonly pageInfo: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
}

const SEARCH = `query ($query: String!, $first: Int!, $after: String, $filter: PatternFilter) {
  searchPatterns(query: $query, first: $first, after: $after, filter: $filter) {
    edges { cursor score node { id slug category tier } } nodes { id }
    facets { categories { value count } tiers { value count } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;

const ask = (query: string, first: number, after?: string | null, filter?: object) =>
  t.raw(SEARCH, { query, first, after, filter }, secret);
async function search(...asked: Parameters<typeof ask>): Promise<Found> {
  const { data, errors } = await ask(...asked);
  if (errors) throw new Error(JSON.stringify(errors));
  return data?.['searchPatterns'] as Found;
}

it('pages through all that fits, the best first, each once, and counts it by facets', async () => {
  const whole = await search('event', 50);
  expect(whole.edges.length).toBeGreaterThan(4);
  expect(whole.pageInfo.hasNextPage).toBe(false);
  const scores = whole.edges.map(({ score }) => score);
  expect(scores).toEqual([...scores].sort((a, b) => b - a));
  const seen: Edge[] = [];
  for (let after: string | null = null; ;) {
    const page: Found = await search('event', 2, after);
    expect(page.nodes).toEqual(page.edges.map(({ node }) => ({ id: node.id })));
    expect(page.pageInfo).toMatchObject({
      hasPreviousPage: after !== null,
      startCursor: page.edges[0]?.cursor,
      endCursor: page.edges.at(-1)?.cursor,
    });
    // Of all pages, whichever is asked for.
    expect(page.facets).toEqual(whole.facets);
    seen.push(...page.edges);
    if (!page.pageInfo.hasNextPage) break;
    after = page.pageInfo.endCursor;
  }
  expect(seen).toEqual(whole.edges);
  for (const [facet, of] of [
    ['categories', 'category'],
    ['tiers', 'tier'],
  ] as const) {
    const counts = new Map<string, number>();
    for (const { node } of whole.edges) counts.set(node[of], (counts.get(node[of]) ?? 0) + 1);
    expect(new Map(whole.facets[facet].map(({ value, count }) => [value, count]))).toEqual(counts);
  }
});

it('finds within a category and a tier', async () => {
  const whole = await search('event', 50);
  const { category, tier } = (whole.edges[0] as Edge).node;
  const narrow = await search('event', 50, null, { category, tier });
  expect(narrow.edges.length).toBeGreaterThan(0);
  expect(narrow.edges.every(({ node }) => node.category === category && node.tier === tier)).toBe(true);
  expect(narrow.facets.tiers).toEqual([{ value: tier, count: narrow.edges.length }]);
  expect((await search('event', 50, null, { tier: 'none' })).edges).toEqual([]);
  // What the plan does not include is not found by asking for its tier.
  const { secret: small } = await t.customer();
  const { data } = await t.raw(SEARCH, { query: 'event', first: 50, filter: { tier: 'premium' } }, small);
  expect((data?.['searchPatterns'] as Found).edges).toEqual([]);
});

it('knows no cursor of another search, or of another list', async () => {
  const { pageInfo } = await search('event', 1);
  const list = await t.raw('{ patterns(first: 1) { pageInfo { endCursor } } }', {}, secret);
  const foreign = (list.data?.['patterns'] as Found).pageInfo.endCursor;
  for (const [query, after, filter] of [
    ['events', pageInfo.endCursor, undefined],
    ['event', pageInfo.endCursor, { category: 'security' }],
    ['event', foreign, undefined],
    ['event', 'nonsense', undefined],
  ] as const) {
    const { errors } = await ask(query, 1, after, filter);
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'INVALID_INPUT', field: 'after' });
  }
});

it('an empty page has no place, and the newest patterns come in their order', async () => {
  expect(await search('zzzz', 5)).toEqual({
    edges: [],
    nodes: [],
    facets: { categories: [], tiers: [] },
    pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
  });
  const newest = async (first: number, after?: string | null) => {
    const { data } = await t.raw(
      `query ($first: Int!, $after: String) {
        patterns(first: $first, after: $after, orderBy: NEWEST) { nodes { id } pageInfo { endCursor } } }`,
      { first, after },
      secret,
    );
    return data?.['patterns'] as Pick<Found, 'nodes' | 'pageInfo'>;
  };
  const { sql, projector } = t.app.parts;
  const rows = await sql.query<{ id: string }>(
    `SELECT id FROM ${projector.access('catalogue').t('patterns')} ORDER BY published DESC LIMIT 60`,
  );
  const half = await newest(30);
  const rest = await newest(30, half.pageInfo.endCursor);
  expect([...half.nodes, ...rest.nodes].map(({ id }) => id)).toEqual(rows.map(({ id }) => `pat_${id}`));
});

it('a pattern is named by exactly one of id and slug', async () => {
  const one = 'query ($by: PatternBy!) { pattern(by: $by) { ... on Pattern { id slug } } }';
  const bySlug = await t.raw(one, { by: { slug: 'circuit-breaker' } }, secret);
  const { id } = bySlug.data?.['pattern'] as { id: string };
  expect((await t.raw(one, { by: { id } }, secret)).data).toEqual(bySlug.data);
  // As it was given before ids had prefixes.
  expect((await t.raw(one, { by: { id: id.replace('pat_', '') } }, secret)).data).toEqual(bySlug.data);
  for (const by of [{}, { id, slug: 'circuit-breaker' }, { id: null }, { id, slug: null }]) {
    const { status, data } = await t.raw(one, { by }, secret);
    expect([by, status, data]).toEqual([by, 400, undefined]);
  }
  for (const by of ['{ }', `{ id: "${id}", slug: "x" }`]) {
    const { status } = await t.raw(`{ pattern(by: ${by}) { __typename } }`, {}, secret);
    expect(status).toBe(400);
  }
});
