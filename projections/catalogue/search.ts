import type { Sql } from '../../src/sql/sql.js';
import type { ReadModelAccess } from '../../src/following/readModel.js';
import { AnswerCache } from '../../src/following/answerCache.js';
import type { Horizon, PatternRow } from './queries.js';
import type { Sketches } from './sketches.js';
import { floatsParameter } from './vectors.js';

/** Ranks of a hit in each leg, from 1; null where the leg did not find it. */
export interface LegRanks {
  readonly text: number | null;
  readonly name: number | null;
  readonly meaning: number | null;
}

export interface SearchHit {
  readonly pattern: PatternRow;
  /** Sum of the legs' reciprocal ranks; orders the hits. */
  readonly score: number;
  /** Cosine of query and pattern, also for hits by words; null without a model or a vector. */
  readonly similarity: number | null;
  readonly ranks: LegRanks;
}

export interface SearchRequest {
  readonly text: string;
  /** The query's vector of unit length, absent when there is no model. */
  readonly vector?: Float32Array;
  readonly horizon: Horizon;
  readonly category: string | undefined;
  readonly first: number;
  /** Whether words and names are left aside. */
  readonly byMeaning?: boolean;
  /** The last hit of the page before. */
  readonly after?: SearchPlace | undefined;
}

/** A hit's place among all that fit. */
export interface SearchPlace {
  readonly score: number;
  readonly id: string;
}

export interface SearchPage {
  readonly hits: readonly SearchHit[];
  readonly hasNext: boolean;
  /** Ids of all that fit, on whichever page. */
  readonly matches: readonly string[];
}

/** How many of what fits have each value. */
export interface SearchFacets {
  readonly categories: readonly FacetRow[];
  readonly tiers: readonly FacetRow[];
}

export interface FacetRow {
  readonly value: string;
  readonly count: number;
}

/** Hits that each leg contributes at most. */
const LEG_LIMIT = 50;
/** Patterns with the nearest sketches, which are then compared exactly. */
const CANDIDATES = 300;
const NO_HITS: string[] = [];
/** A hit by words covers at least this share of the query's weight: lenient text legs make fusion worse. */
const MIN_COVERAGE = 0.6;
/** Sums of floating-point numbers differ in the last place by their order. */
const ROUNDING = 1e-9;
/** Names are compared by trigrams only for short queries, where typing errors are likely to be names. */
const MAX_NAME_WORDS = 3;
/** Reciprocal rank fusion (Cormack, Clarke, Büttcher 2009). */
const RRF_K = 60;
const WEIGHTS = { meaning: 1, text: 1.1, name: 1.1 } as const;

type Leg = keyof LegRanks;

/** A word of the query and what it weighs: more, the fewer patterns have it. */
interface Lexeme {
  readonly lexeme: string;
  readonly weight: number;
}

/** Search in words, in names and by meaning, fused; every leg sees only what the plan may see. */
export class CatalogueSearch {
  readonly #counts: AnswerCache;

  constructor(
    private readonly sql: Sql,
    private readonly catalogue: ReadModelAccess,
    /** The model's vectors and its floor; absent without a model. */
    private readonly model:
      | {
          /** As `PatternVectors` names it. */
          readonly vectors: string;
          readonly sketches: Sketches;
          readonly minSimilarity: number;
        }
      | undefined,
  ) {
    this.#counts = new AnswerCache([catalogue]);
  }

  async search(request: SearchRequest): Promise<SearchPage> {
    // Without a vector there are only words.
    const meaningAlone = request.byMeaning === true && request.vector !== undefined;
    const [text, name, meaning] = await Promise.all([
      meaningAlone ? NO_HITS : this.#byText(request),
      meaningAlone ? NO_HITS : this.#byName(request),
      this.#byMeaning(request),
    ]);
    const legs = { text, name, meaning };
    const scores = new Map<string, number>();
    for (const leg of Object.keys(legs) as Leg[]) {
      legs[leg].forEach((id, index) => {
        scores.set(id, (scores.get(id) ?? 0) + WEIGHTS[leg] / (RRF_K + index + 1));
      });
    }
    const all = [...scores].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
    const { after } = request;
    // What is as good as the last hit, and stands behind it, comes next.
    const rest = after
      ? all.filter(([id, score]) => score < after.score || (score === after.score && id > after.id))
      : all;
    const best = rest.slice(0, request.first);
    const rows = await this.#rows(
      best.map(([id]) => id),
      request,
    );
    const rank = (leg: Leg, id: string): number | null => {
      const index = legs[leg].indexOf(id);
      return index < 0 ? null : index + 1;
    };
    const hits = best.flatMap(([id, score]) => {
      const row = rows.get(id);
      if (!row) return [];
      const ranks = { text: rank('text', id), name: rank('name', id), meaning: rank('meaning', id) };
      return [{ pattern: row, score, similarity: row.similarity, ranks }];
    });
    return { hits, hasNext: rest.length > best.length, matches: all.map(([id]) => id) };
  }

  /** Counts what fits by category and tier, the most frequent first. */
  async facets(ids: readonly string[], { tiers, published }: Horizon): Promise<SearchFacets> {
    const rows = await this.sql.query<FacetRow & { facet: string }>(
      `SELECT CASE WHEN grouping(category) = 0 THEN 'category' ELSE 'tier' END AS facet,
              coalesce(category, tier) AS value, count(*)::int AS count
         FROM ${this.catalogue.t('patterns')}
        WHERE id = ANY($1::text[]) AND tier = ANY($2::text[]) AND published <= $3
        GROUP BY GROUPING SETS ((category), (tier)) ORDER BY count DESC, value`,
      [ids, tiers, published],
    );
    const of = (facet: string): FacetRow[] =>
      rows.filter((row) => row.facet === facet).map(({ value, count }) => ({ value, count }));
    return { categories: of('category'), tiers: of('tier') };
  }

  /** Full text, keeping only patterns that cover most of what is rare in the query. */
  async #byText({ text, horizon, category }: SearchRequest): Promise<string[]> {
    const lexemes = await this.sql.query<Lexeme>(
      `SELECT q.lexeme, ln(1 + $2::float8 / (1 + coalesce(l.documents, 0))) AS weight
         FROM unnest(tsvector_to_array(to_tsvector('english', $1))) AS q(lexeme)
         LEFT JOIN ${this.catalogue.t('lexemes')} l ON l.lexeme = q.lexeme
        ORDER BY weight DESC LIMIT 40`,
      [text, await this.#count()],
    );
    const total = lexemes.reduce((sum, { weight }) => sum + weight, 0);
    if (total === 0) return [];
    // Whoever has none of some lexemes that weigh more than may be missing can't reach the coverage:
    // only who has one of the heaviest, and one of the next such group, is looked at.
    const spare = (1 - MIN_COVERAGE) * total + ROUNDING;
    const groups: string[][] = [];
    for (let from = 0; from < lexemes.length;) {
      let weight = 0;
      let to = from;
      while (to < lexemes.length && weight <= spare) weight += (lexemes[to++] as Lexeme).weight;
      if (weight <= spare) break;
      groups.push(lexemes.slice(from, to).map(({ lexeme }) => lexeme));
      from = to;
    }
    const quoted = (lexeme: string): string => `'${lexeme.replace(/\\/g, '\\\\').replace(/'/g, "''")}'`;
    const all = lexemes.map(({ lexeme }) => quoted(lexeme));
    // One term for each lexeme: unnesting them for every candidate costs several times as much.
    const FIRST = 7;
    const covered = lexemes.map(
      (_, n) => `CASE WHEN p.tsv @@ $${FIRST + 2 * n}::tsquery THEN $${FIRST + 2 * n + 1}::float8 ELSE 0 END`,
    );
    return this.#ids(
      `SELECT id FROM (
         SELECT p.id, p.tsv, p.published, ${covered.join(' + ')} AS covered
           FROM ${this.catalogue.t('patterns')} p
          WHERE p.tsv @@ $4::tsquery
            AND p.tier = ANY($1::text[]) AND p.published <= $2 AND ($3::text IS NULL OR p.category = $3)
         OFFSET 0
       ) AS candidates
       WHERE covered >= $5
       ORDER BY covered DESC, ts_rank(tsv, $6::tsquery) DESC, published DESC LIMIT ${LEG_LIMIT}`,
      horizon,
      category,
      groups.map((group) => `(${group.map(quoted).join(' | ')})`).join(' & '),
      MIN_COVERAGE * total - ROUNDING,
      all.join(' | '),
      ...lexemes.flatMap(({ weight }, n) => [all[n], weight]),
    );
  }

  #count(): Promise<number> {
    return this.#counts.get('count', async () => {
      const [row] = await this.sql.query<{ count: number }>(
        `SELECT count(*) AS count FROM ${this.catalogue.t('patterns')}`,
      );
      return row?.count ?? 0;
    });
  }

  async #byName({ text, horizon, category }: SearchRequest): Promise<string[]> {
    if (text.trim().split(/\s+/).length > MAX_NAME_WORDS) return [];
    return this.#ids(
      `SELECT p.id FROM ${this.catalogue.t('patterns')} p
        WHERE p.name % $4
          AND p.tier = ANY($1::text[]) AND p.published <= $2 AND ($3::text IS NULL OR p.category = $3)
        ORDER BY similarity(p.name, $4) DESC, p.published DESC LIMIT ${LEG_LIMIT}`,
      horizon,
      category,
      text,
    );
  }

  /**
   * By inner product, which for unit vectors is the cosine, among the patterns with the nearest
   * sketches. Exact up to 300 visible patterns.
   */
  async #byMeaning({ horizon, category, vector }: SearchRequest): Promise<string[]> {
    if (vector === undefined || !this.model) return [];
    const { vectors, sketches, minSimilarity } = this.model;
    await sketches.refresh();
    const rows = await this.sql.query<{ id: string }>(
      `SELECT id FROM (
         SELECT pattern_id AS id, vector <#> $2::float4[]::vector AS distance
           FROM ${vectors} WHERE pattern_id = ANY($1::text[])
          ORDER BY distance LIMIT ${LEG_LIMIT}
       ) AS nearest WHERE -distance >= $3 ORDER BY distance`,
      [sketches.nearest(vector, horizon, category, CANDIDATES), floatsParameter(vector), minSimilarity],
    );
    return rows.map(({ id }) => id);
  }

  /** Those that are visible now: what the legs found may have moved to another tier meanwhile. */
  async #rows(
    ids: readonly string[],
    { horizon, category, vector }: SearchRequest,
  ): Promise<Map<string, PatternRow & { similarity: number | null }>> {
    const vectors = vector && this.model?.vectors;
    const params = [horizon.tiers, horizon.published, category ?? null, ids];
    const rows = await this.sql.query<PatternRow & { similarity: number | null }>(
      `SELECT p.id, p.slug, p.name, p.category, p.tier, p.tags, p.description, p.example_language,
              p.example_text, p.published, p.published_at, p.revised_at, 0::bigint AS uses,
              ${vectors ? '-(v.vector <#> $5::float4[]::vector)' : 'NULL::float8'} AS similarity
         FROM ${this.catalogue.t('patterns')} p
         ${vectors ? `LEFT JOIN ${vectors} v ON v.pattern_id = p.id` : ''}
        WHERE p.id = ANY($4::text[])
          AND p.tier = ANY($1::text[]) AND p.published <= $2 AND ($3::text IS NULL OR p.category = $3)`,
      vectors ? [...params, floatsParameter(vector)] : params,
    );
    return new Map(rows.map((row) => [row.id, row]));
  }

  /** Parameters $1 to $3 are the plan's sight and the category, the leg's own begin at $4. */
  async #ids(
    text: string,
    { tiers, published }: Horizon,
    category: string | undefined,
    ...params: readonly unknown[]
  ): Promise<string[]> {
    const rows = await this.sql.query<{ id: string }>(text, [tiers, published, category ?? null, ...params]);
    return rows.map(({ id }) => id);
  }
}
