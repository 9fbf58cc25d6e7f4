import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { catalogue as catalogueModel } from '../projections/catalogue/model.js';
import { CatalogueSearch } from '../projections/catalogue/search.js';
import { Sketches } from '../projections/catalogue/sketches.js';
import { PatternVectors } from '../projections/catalogue/vectors.js';
import { Projector } from '../src/following/projector.js';
import { PostgresEventStore } from '../src/adapters/postgres/eventStore.js';
import { patternId, readPatternFiles } from '../src/catalogue/importer.js';
import type { PatternContent } from '../src/catalogue/events.js';
import { embeddingHash, patternStream } from '../src/catalogue/events.js';
import { NO_STREAM } from '../src/eventsourcing/eventStore.js';
import { EventReader } from '../src/following/reader.js';
import { schemaVersionOf } from '../src/eventsourcing/upcasting.js';
import { Profile } from '../src/plans/profile.js';
import type { Sql } from '../src/sql/sql.js';
import { quantile } from './statistics.js';

const PATTERNS = 10_000;
const DIMENSIONS = 384;
const MODEL = { id: 'bench', dimensions: DIMENSIONS };

/** Deterministic, so that runs compare (a linear congruential generator, Numerical Recipes). */
function random(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

function unitVector(next: () => number): Float32Array {
  const vector = Float32Array.from({ length: DIMENSIONS }, () => next() - 0.5);
  const norm = Math.hypot(...vector);
  return vector.map((x) => x / norm);
}

/** Patterns made of sentences of the real ones, so that words are as frequent as they are. */
function generated(real: readonly PatternContent[]): PatternContent[] {
  const next = random(7);
  const pick = <T>(all: readonly T[]): T => all[Math.floor(next() * all.length)] as T;
  const sentences = real.flatMap(({ description }) => description.split(/(?<=\.) /));
  return Array.from({ length: PATTERNS }, (_, i) => ({
    ...pick(real),
    slug: `generated-${i}`,
    name: `${pick(real).name.split(' ')[0]} ${pick(real).name.split(' ').at(-1)} ${i}`,
    description: [pick(sentences), pick(sentences), pick(sentences)].join(' '),
  }));
}

/** From the query's vector to the answer, at 10,000 patterns, in milliseconds (95th percentile). */
export async function benchSearch(sql: Sql, quick: boolean): Promise<number> {
  const profile = Profile.parse(parse(readFileSync('profiles/specql.yaml', 'utf8')));
  const store = await PostgresEventStore.open(sql);
  const projector = await Projector.open(sql, new EventReader(store), [catalogueModel], (_model, error) => {
    throw error;
  });
  projector.start();
  const contents = generated(await readPatternFiles(join('patterns'), profile.tiers));
  const metadata = JSON.stringify({
    schemaVersion: schemaVersionOf('PatternPublished'),
    at: new Date().toISOString(),
    environment: 'live',
    correlationId: 'bench',
  });
  // Straight into the store, many to a commit: the import is not what is measured.
  for (let i = 0; i < contents.length; i += 250) {
    const publish = (content: PatternContent) => {
      const data = JSON.stringify(content);
      const event = { id: randomUUID(), type: 'PatternPublished', data, metadata };
      return store.append(patternStream(patternId(content.slug)), NO_STREAM, [event]);
    };
    await Promise.all(contents.slice(i, i + 250).map(publish));
  }
  await projector.allReached(await store.head(), 600_000);

  const catalogue = projector.access('catalogue');
  const vectors = await PatternVectors.open(sql, catalogue, MODEL);
  const next = random(11);
  for (let i = 0; i < contents.length; i += 500) {
    const slice = contents.slice(i, i + 500);
    await vectors.remember(slice.map((c) => ({ hash: embeddingHash(c), vector: unitVector(next) })));
  }
  await vectors.missing(1);
  await sql.script('ANALYZE');

  const search = new CatalogueSearch(sql, catalogue, {
    vectors: vectors.table,
    sketches: new Sketches(sql, vectors.table, DIMENSIONS),
    minSimilarity: -1,
  });
  const queries = JSON.parse(readFileSync('test/search/queries.json', 'utf8')) as { query: string }[];
  const horizon = { tiers: profile.tiers.slice(0, 3), published: Number.MAX_SAFE_INTEGER };
  const times: number[] = [];
  const rounds = quick ? 3 : 6;
  for (let round = 0; round < rounds; round++) {
    for (const { query } of queries) {
      const vector = unitVector(next);
      const started = performance.now();
      await search.search({ text: query, vector, horizon, category: undefined, first: 10 });
      if (round > 0) times.push(performance.now() - started);
    }
  }
  await projector.stop();
  return quantile(times, 0.95);
}
