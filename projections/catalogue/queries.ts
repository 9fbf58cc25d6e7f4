import { compositeKey } from '../../src/eventsourcing/compositeKey.js';
import type { Sql } from '../../src/sql/sql.js';
import { AnswerCache } from '../../src/following/answerCache.js';
import type { ReadModelAccess } from '../../src/following/readModel.js';

export interface PatternRow {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly category: string;
  readonly tier: string;
  readonly tags: readonly string[];
  readonly description: string;
  readonly example_language: string | null;
  readonly example_text: string | null;
  readonly published: number;
  readonly published_at: Date;
  readonly revised_at: Date;
  /** Reads with live keys. */
  readonly uses: number;
}

/** What of the catalogue a plan may see. */
export interface Sight {
  readonly tiers: readonly string[];
  /** At most so many, the first by publication; null for all. */
  readonly patterns: number | null;
}

/** A sight with its number turned into a position: visible is what was published up to there. */
export interface Horizon {
  readonly tiers: readonly string[];
  readonly published: number;
}

/** The place behind a row in the order of `list`. */
export interface PatternCursor {
  readonly uses: number;
  readonly published: number;
}

const COLUMNS = `p.id, p.slug, p.name, p.category, p.tier, p.tags, p.description,
  p.example_language, p.example_text, p.published, p.published_at, p.revised_at`;

/** The most used first, then the newest; or the newest alone. */
export type PatternOrdering = 'most used' | 'newest';

const ORDERINGS: Readonly<Record<PatternOrdering, { readonly behind: string; readonly by: string }>> = {
  'most used': {
    behind: '(uses, published) < ($4::bigint, $5::bigint)',
    by: 'uses DESC, published DESC',
  },
  newest: { behind: 'published < $5::bigint', by: 'published DESC' },
};

export class CatalogueQueries {
  /** What depends on the catalogue alone: reading patterns leaves it valid. */
  readonly #catalogueAnswers: AnswerCache;
  readonly #rankedAnswers: AnswerCache;

  constructor(
    private readonly sql: Sql,
    private readonly catalogue: ReadModelAccess,
    private readonly popularity: ReadModelAccess,
  ) {
    this.#catalogueAnswers = new AnswerCache([catalogue]);
    this.#rankedAnswers = new AnswerCache([catalogue, popularity]);
  }

  /** The plan's tiers, and the publication position of the last pattern that it includes. */
  horizon({ tiers, patterns }: Sight): Promise<Horizon> {
    return this.#catalogueAnswers.get(compositeKey('horizon', patterns, ...tiers), async () => {
      if (patterns === null) return { tiers, published: Number.MAX_SAFE_INTEGER };
      const [last] = await this.sql.query<{ published: number }>(
        `SELECT published FROM ${this.catalogue.t('patterns')} WHERE tier = ANY($1::text[])
          ORDER BY published LIMIT 1 OFFSET $2`,
        [tiers, patterns - 1],
      );
      return { tiers, published: last?.published ?? Number.MAX_SAFE_INTEGER };
    });
  }

  /** A pattern by id or slug, whoever may see it. */
  find(by: 'id' | 'slug', value: string): Promise<PatternRow | undefined> {
    return this.#catalogueAnswers.get(compositeKey(by, value), async () => {
      const [row] = await this.sql.query<PatternRow>(
        `SELECT ${COLUMNS}, 0::bigint AS uses FROM ${this.catalogue.t('patterns')} p WHERE ${by} = $1`,
        [value],
      );
      return row;
    });
  }

  /** Patterns by their ids, whoever may see them. */
  async byIds(ids: readonly string[]): Promise<PatternRow[]> {
    const [id, ...others] = ids;
    if (id === undefined) return [];
    if (others.length === 0) {
      const row = await this.find('id', id);
      return row ? [row] : [];
    }
    return this.sql.query<PatternRow>(
      `SELECT ${COLUMNS}, 0::bigint AS uses FROM ${this.catalogue.t('patterns')} p WHERE id = ANY($1::text[])`,
      [ids],
    );
  }

  async uses(ids: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.sql.query<{ pattern_id: string; uses: number }>(
      `SELECT pattern_id, uses FROM ${this.popularity.t('uses')} WHERE pattern_id = ANY($1::text[])`,
      [ids],
    );
    return new Map(rows.map((row) => [row.pattern_id, row.uses]));
  }

  /** In the order that is asked for; one row more than `first` where there are more. */
  list(
    horizon: Horizon,
    category: string | undefined,
    order: PatternOrdering,
    first: number,
    after: PatternCursor | undefined,
    /** So many are left out before. */
    offset = 0,
  ): Promise<PatternRow[]> {
    const key = JSON.stringify(['list', horizon, category, order, first, after, offset]);
    const { behind, by } = ORDERINGS[order];
    return this.#rankedAnswers.get(key, () =>
      this.sql.query<PatternRow>(
        `SELECT * FROM (
           SELECT ${COLUMNS}, coalesce(u.uses, 0) AS uses
             FROM ${this.catalogue.t('patterns')} p
             LEFT JOIN ${this.popularity.t('uses')} u ON u.pattern_id = p.id
            WHERE p.tier = ANY($1::text[]) AND p.published <= $2 AND ($3::text IS NULL OR p.category = $3)
         ) AS visible
         WHERE $4::bigint IS NULL OR ${behind}
         ORDER BY ${by} LIMIT $6 OFFSET $7`,
        [
          horizon.tiers,
          horizon.published,
          category ?? null,
          after?.uses ?? null,
          after?.published ?? null,
          first + 1,
          offset,
        ],
      ),
    );
  }

  /** All ids in the order of publication: a pattern's number is its place, from 1. */
  published(): Promise<{ readonly ids: readonly string[]; readonly numbers: ReadonlyMap<string, number> }> {
    return this.#catalogueAnswers.get('published', async () => {
      const rows = await this.sql.query<{ id: string }>(
        `SELECT id FROM ${this.catalogue.t('patterns')} ORDER BY published`,
      );
      const ids = rows.map(({ id }) => id);
      return { ids, numbers: new Map(ids.map((id, index) => [id, index + 1])) };
    });
  }

  count(horizon: Horizon, category: string | undefined): Promise<number> {
    return this.#catalogueAnswers.get(JSON.stringify(['count', horizon, category]), async () => {
      const [row] = await this.sql.query<{ count: number }>(
        `SELECT count(*) AS count FROM ${this.catalogue.t('patterns')}
          WHERE tier = ANY($1::text[]) AND published <= $2 AND ($3::text IS NULL OR category = $3)`,
        [horizon.tiers, horizon.published, category ?? null],
      );
      return row?.count ?? 0;
    });
  }

  categories(horizon: Horizon): Promise<{ category: string; patterns: number }[]> {
    return this.#catalogueAnswers.get(JSON.stringify(['categories', horizon]), () =>
      this.sql.query(
        `SELECT category, count(*) AS patterns FROM ${this.catalogue.t('patterns')}
          WHERE tier = ANY($1::text[]) AND published <= $2 GROUP BY category ORDER BY category`,
        [horizon.tiers, horizon.published],
      ),
    );
  }

  /** Content hashes by pattern id: what an import compares files with. */
  async contentHashes(): Promise<Map<string, string>> {
    const rows = await this.sql.query<{ id: string; content_hash: string }>(
      `SELECT id, content_hash FROM ${this.catalogue.t('patterns')}`,
    );
    return new Map(rows.map((row) => [row.id, row.content_hash]));
  }
}
