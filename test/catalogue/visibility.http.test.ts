import fc from 'fast-check';
import type { PatternContent } from '../../src/catalogue/events.js';
import { patternStream } from '../../src/catalogue/events.js';
import { patternId } from '../../src/catalogue/importer.js';
import { derivedId } from '../../src/eventsourcing/ids.js';
import { PatternDocument, PatternsDocument, SearchPatternsDocument } from '../generated/graphql.js';
import type { PatternsQuery } from '../generated/graphql.js';
import type { Answer, TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';

// Decision 16: a plan includes the first N of its tiers by publication, alike wherever it is asked.

const TIERS = ['community', 'basic', 'premium', 'enterprise'] as const;
const CATEGORIES = ['api', 'security', 'testing'] as const;
/** As in profiles/specql.yaml, from the smallest to the largest. */
const PLANS = [
  { id: 'free', tiers: 1, patterns: 100 },
  { id: 'developer', tiers: 2, patterns: 1_000 },
  { id: 'team', tiers: 3, patterns: 5_000 },
  { id: 'enterprise', tiers: 4, patterns: Infinity },
] as const;
type Plan = (typeof PLANS)[number];

const planNamed = (id: string): Plan => PLANS.find((plan) => plan.id === id) as Plan;

/** The naive model: patterns in the order of their publication. */
class Model {
  readonly published: PatternContent[] = [];

  visible(plan: Plan, category?: string): PatternContent[] {
    const tiers: readonly string[] = TIERS.slice(0, plan.tiers);
    return this.published
      .filter(({ tier }) => tiers.includes(tier))
      .slice(0, plan.patterns)
      .filter((content) => category === undefined || content.category === category);
  }

  categories(plan: Plan): { slug: string; patternCount: number }[] {
    const counts = new Map<string, number>();
    for (const { category } of this.visible(plan)) counts.set(category, (counts.get(category) ?? 0) + 1);
    return [...counts]
      .map(([slug, patternCount]) => ({ slug, patternCount }))
      .sort((a, b) => (a.slug < b.slug ? -1 : 1));
  }

  opens(slug: string): string | undefined {
    return PLANS.find((plan) => this.visible(plan).some((content) => content.slug === slug))?.id;
  }
}

/** Publishes many at once: each is the event that its command would make, appended on its own stream. */
async function publish(t: TestApp, model: Model, contents: readonly PatternContent[]): Promise<void> {
  const { store, projector } = t.app.parts;
  const at = new Date().toISOString();
  for (let from = 0; from < contents.length; from += 256) {
    await Promise.all(
      contents.slice(from, from + 256).map((content) =>
        store.append(patternStream(patternId(content.slug)), -1, [
          {
            id: derivedId('test', content.slug),
            type: 'PatternPublished',
            data: JSON.stringify(content),
            metadata: JSON.stringify({ schemaVersion: 1, at, environment: 'live', correlationId: 'test' }),
          },
        ]),
      ),
    );
  }
  model.published.push(...contents);
  if (!(await projector.allReached(await store.head(), 600_000))) throw new Error('the catalogue is behind');
}

let slugs = 0;
const content = (tier: string, category: string, description = 'A pattern.'): PatternContent => {
  const slug = `pattern-${++slugs}`;
  return { slug, name: `Pattern ${slugs}`, category, tier, tags: ['generated'], description, example: null };
};

interface Listed {
  readonly slugs: string[];
  readonly totals: Set<number>;
}

/** Pages through the whole list. */
async function listAll(t: TestApp, secret: string, first: number, category?: string): Promise<Listed> {
  const listed: Listed = { slugs: [], totals: new Set() };
  let after: string | null = null;
  for (;;) {
    const answer: Answer<PatternsQuery> = await t.query(
      PatternsDocument,
      { first, after, filter: { category: category ?? null } },
      secret,
    );
    const page: PatternsQuery['patterns'] | undefined = answer.data?.patterns;
    if (!page) throw new Error(JSON.stringify(answer.errors));
    listed.slugs.push(...page.nodes.map(({ slug }) => slug));
    listed.totals.add(page.totalCount as number);
    expect(page.pageInfo.endCursor === null).toBe(page.nodes.length === 0);
    if (!page.pageInfo.hasNextPage) return listed;
    // A page that isn't the last is full.
    expect(page.nodes).toHaveLength(first);
    after = page.pageInfo.endCursor;
  }
}

const newestFirst = (contents: readonly PatternContent[]): string[] =>
  contents.map(({ slug }) => slug).reverse();

async function categoriesOf(t: TestApp, secret: string): Promise<unknown> {
  return (await t.raw('{ categories { slug patternCount } }', {}, secret)).data?.['categories'];
}

async function read(t: TestApp, secret: string, slug: string): Promise<string> {
  const { data } = await t.query(PatternDocument, { by: { slug } }, secret);
  const result = data?.pattern;
  if (result?.__typename === 'PlanRequired') return `${result.code} ${result.plan.id}`;
  return result?.__typename === 'Pattern' ? result.slug : (result?.code ?? 'nothing');
}

describe('seven thousand patterns', () => {
  let t: TestApp;
  const model = new Model();
  const secrets = new Map<string, string>();
  const secretOf = (plan: string): string => secrets.get(plan) as string;

  beforeAll(async () => {
    t = await startApp();
    // Unlimited calls need the enterprise plan; what a smaller plan sees is asked in few large pages.
    for (const { id } of PLANS) secrets.set(id, (await t.customer(id)).secret);
    const contents = Array.from({ length: 7_000 }, (_, i) =>
      content(
        TIERS[(i * 7) % 4] as string,
        CATEGORIES[i % 3] as string,
        // A word that a hundredth of them share, evenly over the tiers.
        i % 101 === 0 ? 'Speaks of zeppelins.' : 'A pattern.',
      ),
    );
    await publish(t, model, contents);
  });
  afterAll(() => t.close());

  it.each(['developer', 'team', 'enterprise'])(
    'are paged through by the plan %s, none missing, none twice',
    async (plan) => {
      const expected = newestFirst(model.visible(planNamed(plan)));
      const { slugs: listed, totals } = await listAll(t, secretOf(plan), 100);
      expect(listed).toEqual(expected);
      expect(totals).toEqual(new Set([expected.length]));
    },
  );

  it('are a hundred for the free plan, the first of its tier', async () => {
    const { slugs: listed, totals } = await listAll(t, secretOf('free'), 100);
    expect(listed).toEqual(
      newestFirst(model.published.filter(({ tier }) => tier === 'community').slice(0, 100)),
    );
    expect(totals).toEqual(new Set([100]));
  });

  it.each(PLANS.map(({ id }) => id))(
    'are filtered by category within what the plan %s sees',
    async (plan) => {
      const expected = model.visible(planNamed(plan), 'security');
      const { data } = await t.query(
        PatternsDocument,
        { first: 100, filter: { category: 'security' } },
        secretOf(plan),
      );
      expect(data?.patterns?.totalCount).toBe(expected.length);
      expect(data?.patterns?.nodes.map(({ slug }) => slug)).toEqual(newestFirst(expected).slice(0, 100));
      expect(await categoriesOf(t, secretOf(plan))).toEqual(model.categories(planNamed(plan)));
    },
  );

  it.each(PLANS.map(({ id }) => id))('are searched by the plan %s within its sight', async (plan) => {
    const expected = model
      .visible(planNamed(plan))
      .filter(({ description }) => description.includes('zeppelin'));
    const { data } = await t.query(
      SearchPatternsDocument,
      { query: 'about zeppelins', first: 50 },
      secretOf(plan),
    );
    const found = data?.searchPatterns?.edges.map(({ node }) => node.slug) ?? [];
    expect(found).toHaveLength(Math.min(50, expected.length));
    expect(expected.map(({ slug }) => slug)).toEqual(expect.arrayContaining(found));
    expect(found.length).toBeGreaterThan(0);
  });

  it('name the smallest plan that opens what is beyond', async () => {
    // Around the edges of each plan: the last that it includes and the first that it does not.
    for (const plan of PLANS.slice(0, 3)) {
      const tiers: readonly string[] = TIERS.slice(0, plan.tiers);
      const ofTiers = model.published.filter(({ tier }) => tiers.includes(tier));
      const [last, beyond] = ofTiers.slice(plan.patterns - 1, plan.patterns + 1) as [
        PatternContent,
        PatternContent,
      ];
      expect(await read(t, secretOf(plan.id), last.slug)).toBe(last.slug);
      expect(await read(t, secretOf(plan.id), beyond.slug)).toBe(`PLAN_REQUIRED ${model.opens(beyond.slug)}`);
      expect(await read(t, secretOf('enterprise'), beyond.slug)).toBe(beyond.slug);
    }
    expect(await read(t, secretOf('enterprise'), 'no-such-pattern')).toBe('NOT_FOUND');
    expect(await read(t, secretOf('free'), 'no-such-pattern')).toBe('NOT_FOUND');
  });

  it('are listed the most read first, then the newest; reads with test keys move nothing', async () => {
    const { token } = await t.customer('enterprise');
    const { secret: live } = await t.issueKey(token);
    const { secret: test } = await t.issueKey(token, 'TEST');
    const [older, old, newer] = [10, 20, 30].map(
      (i) => (model.visible(planNamed('free'))[i] as PatternContent).slug,
    ) as [string, string, string];
    for (const [slug, times] of [
      [old, 2],
      [older, 1],
      [newer, 1],
    ] as const) {
      for (let i = 0; i < times; i++) expect(await read(t, live, slug)).toBe(slug);
    }
    const unread = (model.visible(planNamed('free'))[40] as PatternContent).slug;
    for (let i = 0; i < 5; i++) expect(await read(t, test, unread)).toBe(unread);
    await t.caughtUp();

    const { data } = await t.query(PatternsDocument, { first: 5 }, live);
    const top = data?.patterns?.nodes.map(({ slug, useCount }) => [slug, useCount]) ?? [];
    const reads = new Map(top as [string, number][]);
    // The tests above have read a few as well, each once.
    expect(top[0]).toEqual([old, 2]);
    expect([...reads.values()]).toEqual([...reads.values()].sort((a, b) => b - a));
    const { slugs: all } = await listAll(t, live, 100);
    expect(new Set(all).size).toBe(7_000);
    expect(all.indexOf(newer)).toBeLessThan(all.indexOf(older));
    expect(all.indexOf(older)).toBeLessThan(20);
    expect(all.indexOf(unread)).toBeGreaterThan(20);
  });

  it('have cursors that another order or another service did not make', async () => {
    const page = (await t.query(PatternsDocument, { first: 2 }, secretOf('enterprise'))).data?.patterns;
    const cursor = page?.pageInfo.endCursor as string;
    for (let at = 0; at < cursor.length; at++) {
      const after = cursor.slice(0, at) + (cursor[at] === 'A' ? 'Q' : 'A') + cursor.slice(at + 1);
      const { data, errors } = await t.query(PatternsDocument, { first: 2, after }, secretOf('enterprise'));
      expect([at, data?.patterns, errors?.[0]?.extensions['code']]).toEqual([at, null, 'INVALID_INPUT']);
    }
  });
});

it('holds alike in lists, reads, searches and categories, whatever is published', async () => {
  const t = await startApp();
  try {
    const model = new Model();
    const enterprise = await t.customer('enterprise');
    const batch = fc.array(fc.tuple(fc.constantFrom(...TIERS), fc.constantFrom(...CATEGORIES)), {
      minLength: 1,
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(
        batch,
        fc.constantFrom(...PLANS),
        fc.integer({ min: 1, max: 100 }),
        async (added, plan, first) => {
          await publish(
            t,
            model,
            added.map(([tier, category]) => content(tier, category, 'About walruses.')),
          );
          // A fresh account for each: its limits are not what is tested.
          const own = plan.id === 'enterprise' ? enterprise : await t.customer(plan.id);
          const expected = model.visible(plan);
          const size = plan.id === 'free' ? 100 : first < 20 ? 20 : first;
          const { slugs: listed, totals } = await listAll(t, own.secret, size);
          expect(listed).toEqual(newestFirst(expected));
          expect(totals).toEqual(new Set([expected.length]));
          expect(await categoriesOf(t, own.secret)).toEqual(model.categories(plan));

          const search = await t.query(SearchPatternsDocument, { query: 'walruses', first: 50 }, own.secret);
          const found = search.data?.searchPatterns?.edges.map(({ node }) => node.slug) ?? [];
          expect(found).toHaveLength(Math.min(50, expected.length));
          expect(expected.map(({ slug }) => slug)).toEqual(expect.arrayContaining(found));

          for (const { slug } of [model.published.at(-1), model.published.at(-7)].flatMap(
            (one) => one ?? [],
          )) {
            const included = expected.some((one) => one.slug === slug);
            // Reading moves a pattern up, which is another test's matter: only what is refused is read.
            if (!included) expect(await read(t, own.secret, slug)).toBe(`PLAN_REQUIRED ${model.opens(slug)}`);
          }
        },
      ),
      { numRuns: 8 },
    );
  } finally {
    await t.close();
  }
});
