import fc from 'fast-check';
import { fromSql } from 'pgvector';
import { catalogue } from '../../projections/catalogue/model.js';
import { CatalogueSearch } from '../../projections/catalogue/search.js';
import { Sketches } from '../../projections/catalogue/sketches.js';
import { floatsParameter, PatternVectors } from '../../projections/catalogue/vectors.js';
import type { PatternContent } from '../../src/catalogue/events.js';
import { embeddingHash } from '../../src/catalogue/events.js';
import { StoredEvent } from '../../src/eventsourcing/event.js';
import type { Sql } from '../../src/sql/sql.js';
import { deferred } from '../eventsourcing/fixtures.js';
import { freshSql } from '../support/database.js';

// What searches find by meaning, held beside what is in the tables and beside a naive comparison.

/** Not a multiple of a word's bits. */
const DIMENSIONS = 70;
const TIERS = ['community', 'basic', 'enterprise'] as const;
const CATEGORIES = ['api', 'testing'] as const;
const EVERYTHING = { tiers: TIERS, published: Number.MAX_SAFE_INTEGER };

let database: Awaited<ReturnType<typeof freshSql>>;
let sql: Sql;
let runs = 0;

beforeAll(async () => {
  database = await freshSql();
  sql = database.sql;
});
afterAll(() => database.remove());

interface Known {
  readonly content: PatternContent;
  readonly published: number;
  readonly vector: Float32Array;
}

/** A catalogue of its own, with vectors, and a naive model of it. */
async function open() {
  const name = `run${runs++}`;
  const t = (table: string): string => `read.${name}_${table}`;
  await sql.script(`CREATE SCHEMA IF NOT EXISTS read; ${catalogue.create(t)}`);
  const access = {
    t,
    state: () => ({ model: name, version: 1, generation: 1, checkpoint: 0, changed: 0, replays: 0 }),
  };
  const vectors = await PatternVectors.open(sql, access, { id: name, dimensions: DIMENSIONS });
  const known = new Map<string, Known>();
  let position = 0;
  const publish = async (contents: readonly PatternContent[]): Promise<void> => {
    const metadata = JSON.stringify({ schemaVersion: 1, at: new Date(0).toISOString() });
    const events = contents.map((content) => {
      const type = known.has(content.slug) ? 'PatternRevised' : 'PatternPublished';
      const id = `pattern-${content.slug}`;
      const stored = new StoredEvent(
        ++position,
        id,
        0,
        `${position}`,
        type,
        JSON.stringify(content),
        metadata,
      );
      const published = known.get(content.slug)?.published ?? position;
      known.set(content.slug, { content, published, vector: vectorOf(content) });
      return stored;
    });
    await sql.transaction(catalogue.fold(events, t));
  };
  const remember = (contents: readonly PatternContent[]): Promise<void> =>
    vectors.remember(
      contents.map((content) => ({ hash: embeddingHash(content), vector: vectorOf(content) })),
    );
  return { access, vectors, known, publish, remember };
}

/** Made up from the text that it stands for, so that an equal text has an equal vector. */
function vectorOf(content: PatternContent): Float32Array {
  const bytes = Buffer.from(embeddingHash(content));
  const vector = Float32Array.from({ length: DIMENSIONS }, (_, i) =>
    Math.sin((bytes[i % bytes.length] as number) * (i + 1)),
  );
  const norm = Math.hypot(...vector);
  return vector.map((x) => x / norm);
}

const patternOf = (slug: string, tier: string, category: string, words: string): PatternContent => ({
  slug,
  name: `Pattern ${slug}`,
  category,
  tier,
  tags: [],
  description: words,
  example: null,
});

const arbitraryPattern = fc
  .tuple(
    fc.integer({ min: 1, max: 40 }).map((n) => `p${n}`),
    fc.constantFrom(...TIERS),
    fc.constantFrom(...CATEGORIES),
    fc.constantFrom('one', 'two', 'three', 'four'),
  )
  .map((parts) => patternOf(...parts));
/** A batch that names no pattern twice. */
const batch = fc.uniqueArray(arbitraryPattern, { maxLength: 20, selector: ({ slug }) => slug });

/** How many signs differ. */
const distance = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, x, i) => sum + (x > 0 === (b[i] as number) > 0 ? 0 : 1), 0);

const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);

it('sends vectors as the bits that they are', async () => {
  const float = fc.float({ noNaN: true });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.float32Array({ minLength: 1, maxLength: 5, noNaN: true })),
      float,
      async (parts, last) => {
        const vectors = [...parts, Float32Array.of(last)];
        const [row] = await sql.query<{ floats: string }>('SELECT $1::float4[]::text AS floats', [
          floatsParameter(...vectors),
        ]);
        const arrived = row?.floats.slice(1, -1).split(',').map(Number) ?? [];
        expect(Float32Array.from(arrived)).toEqual(
          Float32Array.from(vectors.flatMap((vector) => [...vector])),
        );
      },
    ),
    { numRuns: 50 },
  );
});

it('stores what pgvector’s own package reads as the same vector', async () => {
  const { vectors, publish, remember } = await open();
  const pattern = patternOf('stored', 'basic', 'api', 'words');
  await publish([pattern]);
  await remember([pattern]);
  await vectors.missing(1);
  const [row] = await sql.query<{ text: string }>(`SELECT vector::text AS text FROM ${vectors.table}`);
  const stored = fromSql(row?.text ?? '') as number[];
  expect(Float32Array.from(stored)).toEqual(vectorOf(pattern));
});

it('knows the nearest sketches of what may be seen, whatever is published and revised', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(batch, { minLength: 1, maxLength: 4 }),
      fc.record({
        tiers: fc.subarray([...TIERS]),
        category: fc.option(fc.constantFrom(...CATEGORIES), { nil: undefined }),
        published: fc.integer({ min: 0, max: 80 }),
        count: fc.integer({ min: 1, max: 30 }),
      }),
      async (batches, { tiers, category, published, count }) => {
        const { vectors, known, publish, remember } = await open();
        const sketches = new Sketches(sql, vectors.table, DIMENSIONS);
        for (const contents of batches) {
          await publish(contents);
          await remember(contents);
          await vectors.missing(1);
          await sketches.refresh();
        }
        const query = vectorOf(patternOf('query', 'basic', 'api', 'five'));
        const visible = [...known.values()].filter(
          ({ content, published: at }) =>
            tiers.includes(content.tier as (typeof TIERS)[number]) &&
            at <= published &&
            (category === undefined || content.category === category),
        );
        const found = sketches
          .nearest(query, { tiers, published }, category, count)
          .map((id) => known.get(id) as Known);
        expect(visible).toEqual(expect.arrayContaining(found));
        expect(new Set(found).size).toBe(found.length);
        const distances = (all: readonly Known[]) => sorted(all.map(({ vector }) => distance(query, vector)));
        expect(distances(found)).toEqual(distances(visible).slice(0, count));
      },
    ),
    { numRuns: 20 },
  );
});

it('misses nothing of writers and refreshes that run at the same time', async () => {
  const { access, vectors, known, publish, remember } = await open();
  const model = { id: access.state().model, dimensions: DIMENSIONS };
  const other = await PatternVectors.open(sql, access, model);
  const sketches = new Sketches(sql, vectors.table, DIMENSIONS);
  const query = vectorOf(patternOf('query', 'basic', 'api', 'five'));
  for (let round = 0; round < 20; round++) {
    const contents = Array.from({ length: 60 }, (_, i) =>
      patternOf(`p${(round * 17 + i) % 90}`, TIERS[(round + i) % 3] as string, 'api', `words ${round}`),
    );
    await publish(contents);
    await remember(contents.slice(0, 30));
    await Promise.all([
      vectors.missing(1),
      remember(contents.slice(30)).then(() => other.missing(1)),
      sketches.refresh(),
      other.missing(1),
      sketches.refresh(),
      vectors.missing(1),
    ]);
    await sketches.refresh();
    for (const tier of TIERS) {
      const expected = [...known.values()].filter(({ content }) => content.tier === tier);
      const found = sketches.nearest(query, { ...EVERYTHING, tiers: [tier] }, undefined, 1_000);
      expect(found.sort()).toEqual(expected.map(({ content }) => content.slug).sort());
    }
  }
});

it('is not set back by an older answer that comes late', async () => {
  const { vectors, publish, remember } = await open();
  const late = deferred();
  let asked = 0;
  const query: Sql['query'] = async (...args) => {
    const first = asked++ === 0;
    const rows = await sql.query<never>(...args);
    if (first) await late.promise;
    return rows;
  };
  const sketches = new Sketches({ ...sql, query }, vectors.table, DIMENSIONS);
  const pattern = patternOf('moving', 'community', 'api', 'words');
  await publish([pattern]);
  await remember([pattern]);
  await vectors.missing(1);
  const slow = sketches.refresh();
  await publish([{ ...pattern, tier: 'enterprise' }]);
  await vectors.missing(1);
  await sketches.refresh();
  late.resolve();
  await slow;
  const seenBy = (tier: string): string[] =>
    sketches.nearest(vectorOf(pattern), { ...EVERYTHING, tiers: [tier] }, undefined, 1);
  expect([seenBy('community'), seenBy('enterprise')]).toEqual([[], ['moving']]);
});

it('reads more sketches than one statement brings', async () => {
  const { vectors, publish, remember } = await open();
  const contents = Array.from({ length: 2_500 }, (_, i) => patternOf(`p${i}`, 'basic', 'api', 'words'));
  await publish(contents);
  await remember(contents);
  await vectors.missing(1);
  const sketches = new Sketches(sql, vectors.table, DIMENSIONS);
  await sketches.refresh();
  const all = sketches.nearest(vectorOf(contents[0] as PatternContent), EVERYTHING, undefined, 10_000);
  expect(new Set(all).size).toBe(2_500);
});

it('finds nothing that has moved above the plan, though its vector has not followed yet', async () => {
  const { access, vectors, publish, remember } = await open();
  const pattern = patternOf('moving', 'community', 'api', 'words');
  await publish([pattern]);
  await remember([pattern]);
  await vectors.missing(1);
  const sketches = new Sketches(sql, vectors.table, DIMENSIONS);
  const search = new CatalogueSearch(sql, access, { vectors: vectors.table, sketches, minSimilarity: 0.2 });
  const request = { text: 'else', vector: vectorOf(pattern), category: undefined, first: 10 };
  const found = async (tier: string): Promise<(number | null)[]> => {
    const horizon = { ...EVERYTHING, tiers: [tier] };
    return (await search.search({ ...request, horizon })).hits.map(({ ranks }) => ranks.meaning);
  };
  expect(await found('community')).toEqual([1]);

  await publish([{ ...pattern, tier: 'enterprise' }]);
  expect(await found('community')).toEqual([]);
  await vectors.missing(1);
  expect(await found('enterprise')).toEqual([1]);
});
