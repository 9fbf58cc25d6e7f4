import { readFileSync } from 'node:fs';
import { PatternsDocument, SearchPatternsDocument } from '../generated/graphql.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import { importPatterns } from '../../src/catalogue/importer.js';

interface LabelledQuery {
  readonly kind: 'paraphrase' | 'keyword' | 'typo';
  readonly query: string;
  readonly relevant: readonly string[];
}

const QUERIES = JSON.parse(readFileSync('test/search/queries.json', 'utf8')) as LabelledQuery[];

let t: TestApp;
let key: string;

beforeAll(async () => {
  // The starter catalogue and the model that ships with the install.
  t = await startApp({ patterns: 'patterns', env: { EMBEDDINGS: 'local' } });
  key = (await t.customer('enterprise')).secret;
  await t.app.parts.vectors();
});
afterAll(() => t.close());

async function search(query: string, first = 10) {
  const { data } = await t.query(SearchPatternsDocument, { query, first }, key);
  if (!data?.searchPatterns) throw new Error(`no answer for ${query}`);
  return data.searchPatterns;
}

/** Normalised discounted cumulative gain at 10, binary relevance (Järvelin and Kekäläinen 2002). */
function ndcg(found: readonly string[], relevant: readonly string[]): number {
  const gain = (rank: number): number => 1 / Math.log2(rank + 2);
  const dcg = found.reduce((sum, slug, rank) => sum + (relevant.includes(slug) ? gain(rank) : 0), 0);
  const ideal = relevant.slice(0, 10).reduce((sum, _slug, rank) => sum + gain(rank), 0);
  return dcg / ideal;
}

it('has at least 120 patterns in eight categories', async () => {
  const { data } = await t.query(PatternsDocument, { first: 1 }, key);
  expect(data?.patterns?.totalCount).toBeGreaterThanOrEqual(120);
});

it.each([
  ['paraphrase', 0.6],
  ['keyword', 0.8],
  ['typo', 0.85],
] as const)('finds what %s queries mean (nDCG@10 at least %d)', async (kind, least) => {
  const scores: number[] = [];
  for (const { query, relevant } of QUERIES.filter((q) => q.kind === kind)) {
    const { edges } = await search(query);
    scores.push(
      ndcg(
        edges.map(({ node }) => node.slug),
        relevant,
      ),
    );
  }
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  expect(mean).toBeGreaterThanOrEqual(least);
});

it('says honestly that nothing fits', async () => {
  const { edges, degraded } = await search('zebra crossing recipes for grandmother', 5);
  expect(degraded).toBe(false);
  expect(edges).toEqual([]);
});

it('finds a new pattern by words at once and by meaning shortly after', async () => {
  const context = { caller: 'test', environment: 'live', correlationId: 'test', at: new Date() } as const;
  const content = {
    slug: 'lighthouse-keeper',
    name: 'Lighthouse Keeper',
    category: 'testing',
    tier: 'community',
    tags: ['maritime'],
    description: 'Warns ships of the rocks near the coast at night with a strong rotating lamp.',
    example: null,
  };
  await importPatterns(t.app.parts.commands, [content], new Map(), context);
  await t.app.parts.projector.reached('catalogue', await t.app.parts.store.head(), 60_000);
  expect((await search('lighthouse', 1)).edges[0]?.node.slug).toBe('lighthouse-keeper');

  await t.app.parts.vectors();
  const [first] = (await search('keeping boats from running aground in the dark', 1)).edges;
  expect(first?.node.slug).toBe('lighthouse-keeper');
  expect(first?.ranks).toMatchObject({ text: null, meaning: 1 });
  expect(first?.similarity).toBeGreaterThan(0.2);
});
