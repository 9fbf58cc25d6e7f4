import type { PatternContent, PatternEvent } from '../../src/catalogue/events.js';
import { embeddingHash, patternHash } from '../../src/catalogue/events.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import { as } from '../../src/eventsourcing/event.js';
import type { ReadModel } from '../../src/following/readModel.js';

interface Folded {
  readonly content: PatternContent;
  readonly published: { readonly position: number; readonly at: string } | undefined;
  readonly at: string;
}

/** The catalogue with its full-text index. Vectors are filled in later, by content hash. */
export const catalogue: ReadModel = {
  name: 'catalogue',
  version: 2,
  tables: ['patterns', 'lexemes'],
  handles: new Set<PatternEvent['type']>(['PatternPublished', 'PatternRevised']),
  create: (t) => `
    CREATE TABLE ${t('patterns')} (
      id             text PRIMARY KEY,
      slug           text NOT NULL UNIQUE,
      name           text NOT NULL,
      category       text NOT NULL,
      tier           text NOT NULL,
      tags           text[] NOT NULL,
      description    text NOT NULL,
      example_language  text,
      example_text      text,
      content_hash   text NOT NULL,
      embedding_hash text NOT NULL,
      -- Position of its publication: "the first N" of a plan are by this (decision 16).
      published      bigint NOT NULL,
      published_at   timestamptz NOT NULL,
      revised_at     timestamptz NOT NULL,
      tsv            tsvector NOT NULL
    );
    -- Beside the row rather than in it, each word of a search would fetch it anew for each candidate.
    ALTER TABLE ${t('patterns')} ALTER COLUMN tsv SET STORAGE MAIN;
    -- In how many patterns a lexeme occurs: the weights of the full-text search.
    CREATE TABLE ${t('lexemes')} (lexeme text PRIMARY KEY, documents bigint NOT NULL);`,
  // kB: what is pending in a GIN index is gone through by every search, and PGlite never vacuums it away.
  indexes: (t) => [
    `CREATE INDEX ON ${t('patterns')} (tier, published)`,
    `CREATE INDEX ON ${t('patterns')} (category, tier, published)`,
    `CREATE INDEX ON ${t('patterns')} USING gin (tsv) WITH (gin_pending_list_limit = 64)`,
    `CREATE INDEX ON ${t('patterns')} USING gin (name gin_trgm_ops) WITH (gin_pending_list_limit = 64)`,
  ],
  fold: (events, t) => {
    const folded = latest(events);
    const rows = [...folded].map(([id, { content, published, at }]) => ({
      id,
      ...content,
      example_language: content.example?.language ?? null,
      example_text: content.example?.text ?? null,
      content_hash: patternHash(content),
      embedding_hash: embeddingHash(content),
      published: published?.position ?? null,
      published_at: published?.at ?? null,
      revised_at: at,
    }));
    const ids = [[...folded.keys()]];
    const lexemesOfThese = `
      SELECT lexeme, count(*) AS documents
        FROM ${t('patterns')}, unnest(tsvector_to_array(tsv)) AS lexeme
       WHERE id = ANY($1::text[]) GROUP BY lexeme`;
    return [
      {
        text: `UPDATE ${t('lexemes')} AS l SET documents = l.documents - o.documents
                 FROM (${lexemesOfThese}) AS o WHERE l.lexeme = o.lexeme`,
        params: ids,
      },
      {
        text: `INSERT INTO ${t('patterns')}
               SELECT r.id, slug, name, category, tier, words.tags, description, example_language, example_text,
                      content_hash, embedding_hash,
                      -- A revision leaves the publication as it was.
                      coalesce(r.published, (SELECT p.published FROM ${t('patterns')} p WHERE p.id = r.id)),
                      coalesce(r.published_at, (SELECT p.published_at FROM ${t('patterns')} p WHERE p.id = r.id)),
                      revised_at,
                      setweight(to_tsvector('english', name), 'A')
                        || setweight(to_tsvector('english', array_to_string(words.tags, ' ')), 'B')
                        || setweight(to_tsvector('english', description), 'C')
                 FROM jsonb_to_recordset($1::jsonb) AS r(
                        id text, slug text, name text, category text, tier text, tags jsonb,
                        description text, example_language text, example_text text, content_hash text,
                        embedding_hash text, published bigint, published_at timestamptz, revised_at timestamptz),
                      LATERAL (SELECT ARRAY(SELECT jsonb_array_elements_text(r.tags)) AS tags) AS words
               ON CONFLICT (id) DO UPDATE SET
                 name = excluded.name, category = excluded.category, tier = excluded.tier,
                 tags = excluded.tags, description = excluded.description,
                 example_language = excluded.example_language, example_text = excluded.example_text,
                 content_hash = excluded.content_hash, embedding_hash = excluded.embedding_hash,
                 revised_at = excluded.revised_at, tsv = excluded.tsv`,
        params: [JSON.stringify(rows)],
      },
      {
        text: `INSERT INTO ${t('lexemes')} AS l ${lexemesOfThese}
               ON CONFLICT (lexeme) DO UPDATE SET documents = l.documents + excluded.documents`,
        params: ids,
      },
      { text: `DELETE FROM ${t('lexemes')} WHERE documents = 0` },
    ];
  },
};

/** One row for each pattern of the page: the newest content, the publication if it is among them. */
function latest(events: readonly StoredEvent[]): Map<string, Folded> {
  const folded = new Map<string, Folded>();
  for (const stored of events) {
    const event = as<PatternEvent>(stored);
    const { at } = stored.metadata;
    const published =
      event.type === 'PatternPublished'
        ? { position: stored.position, at }
        : folded.get(stored.streamId)?.published;
    folded.set(stored.streamId, { content: event.data, published, at });
  }
  return folded;
}
