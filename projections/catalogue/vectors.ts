import type { Sql } from '../../src/sql/sql.js';
import type { ReadModelAccess } from '../../src/following/readModel.js';

/** A pattern whose vector is missing or belongs to an older text. */
export interface MissingVector {
  readonly pattern_id: string;
  readonly name: string;
  readonly description: string;
  readonly embedding_hash: string;
}

const FLOAT4 = 700;
const HEADER_BYTES = 20;
const ELEMENT_BYTES = 8;

/**
 * Vectors, one behind the other, as a parameter of type `float4[]` in PostgreSQL's binary format, which
 * both drivers send as it is: the same bits arrive. Text would be parsed digit by digit, which takes
 * PGlite 2 ms for a vector, as long as all else that is done with it.
 */
export function floatsParameter(...vectors: readonly Float32Array[]): Buffer {
  const length = vectors.reduce((sum, vector) => sum + vector.length, 0);
  const buffer = Buffer.alloc(HEADER_BYTES + ELEMENT_BYTES * length);
  // Dimensions, no nulls, the type, the size of the one dimension, its first index.
  [1, 0, FLOAT4, length, 1].forEach((field, i) => buffer.writeInt32BE(field, 4 * i));
  let at = HEADER_BYTES;
  for (const vector of vectors) {
    for (const x of vector) {
      buffer.writeInt32BE(4, at);
      buffer.writeFloatBE(x, at + 4);
      at += ELEMENT_BYTES;
    }
  }
  return buffer;
}

/**
 * Vectors of the catalogue for one model: vectors of different models are never mixed.
 * `vault.embeddings` remembers what was computed, by content hash, and survives every rebuild; the table
 * beside it follows the catalogue, and `Sketches` follow the table.
 */
export class PatternVectors {
  private constructor(
    private readonly sql: Sql,
    private readonly catalogue: ReadModelAccess,
    private readonly model: { readonly id: string; readonly dimensions: number },
    readonly table: string,
  ) {}

  static async open(
    sql: Sql,
    catalogue: ReadModelAccess,
    model: { readonly id: string; readonly dimensions: number },
  ): Promise<PatternVectors> {
    const table = `read.pattern_vectors_${model.id.replace(/[^a-z0-9]+/g, '_')}`;
    await sql.script(`
      CREATE SCHEMA IF NOT EXISTS vault;
      CREATE TABLE IF NOT EXISTS vault.embeddings (
        model  text NOT NULL,
        hash   text NOT NULL,
        vector vector NOT NULL,
        PRIMARY KEY (model, hash)
      );
      CREATE TABLE IF NOT EXISTS ${table} (
        pattern_id     text PRIMARY KEY,
        tier           text NOT NULL,
        category       text NOT NULL,
        published      bigint NOT NULL,
        embedding_hash text NOT NULL,
        -- Counts the writes of rows: whoever has read up to one of them reads on behind it.
        change         bigint NOT NULL UNIQUE,
        vector         vector(${model.dimensions}) NOT NULL
      );
      ALTER TABLE ${table} ALTER COLUMN vector SET STORAGE PLAIN;`);
    return new PatternVectors(sql, catalogue, model, table);
  }

  /** Brings the table up to the catalogue as far as vectors are known; returns what has to be computed. */
  async missing(limit: number): Promise<MissingVector[]> {
    const patterns = this.catalogue.t('patterns');
    await this.sql.transaction(
      [
        // One writer at a time: changes are seen in the order of their numbers, and none later than a higher one.
        { text: `LOCK TABLE ${this.table} IN SHARE ROW EXCLUSIVE MODE` },
        {
          text: `INSERT INTO ${this.table}
                 SELECT p.id, p.tier, p.category, p.published, p.embedding_hash,
                        (SELECT coalesce(max(change), 0) FROM ${this.table}) + row_number() OVER (ORDER BY p.published),
                        e.vector
                   FROM ${patterns} p
                   JOIN vault.embeddings e ON e.model = $1 AND e.hash = p.embedding_hash
                   LEFT JOIN ${this.table} o ON o.pattern_id = p.id
                  WHERE (o.embedding_hash, o.tier, o.category, o.published)
                        IS DISTINCT FROM (p.embedding_hash, p.tier, p.category, p.published)
                 ON CONFLICT (pattern_id) DO UPDATE SET
                   tier = excluded.tier, category = excluded.category, published = excluded.published,
                   embedding_hash = excluded.embedding_hash, change = excluded.change, vector = excluded.vector`,
          params: [this.model.id],
        },
      ],
      'projection',
    );
    return this.sql.query<MissingVector>(
      `SELECT p.id AS pattern_id, p.name, p.description, p.embedding_hash
         FROM ${patterns} p LEFT JOIN ${this.table} v ON v.pattern_id = p.id
        WHERE v.embedding_hash IS DISTINCT FROM p.embedding_hash
        ORDER BY p.published LIMIT $1`,
      [limit],
      'projection',
    );
  }

  /** Remembers computed vectors; the next `missing` takes them into the table. */
  async remember(vectors: readonly { hash: string; vector: Float32Array }[]): Promise<void> {
    await this.sql.query(
      `INSERT INTO vault.embeddings (model, hash, vector)
       SELECT $1, u.hash, ($3::float4[])[$4 * (u.n - 1) + 1 : $4 * u.n]::vector
         FROM unnest($2::text[]) WITH ORDINALITY AS u(hash, n)
       ON CONFLICT (model, hash) DO NOTHING`,
      [
        this.model.id,
        vectors.map(({ hash }) => hash),
        floatsParameter(...vectors.map(({ vector }) => vector)),
        this.model.dimensions,
      ],
      'projection',
    );
  }
}
