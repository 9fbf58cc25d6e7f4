import type { Sql } from '../../src/sql/sql.js';
import type { ReadModelAccess } from '../readModel.js';

/** A pattern whose vector is missing or belongs to an older text. */
export interface MissingVector {
  readonly pattern_id: string;
  readonly name: string;
  readonly description: string;
  readonly embedding_hash: string;
}

/**
 * The tables of a model: vectors of different models are never mixed. `sketches` holds what a search
 * scans, one bit for each dimension beside what it filters by; `vectors` what it then compares exactly.
 */
export interface VectorTables {
  readonly sketches: string;
  readonly vectors: string;
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

/** A sketch as SQL: the sign of each dimension (pgvector's binary quantisation). */
export const sketchOf = (vector: string, dimensions: number): string =>
  `binary_quantize(${vector})::bit(${dimensions})`;

/**
 * Vectors of the catalogue for one model. `vault.embeddings` remembers what was computed, by content
 * hash, and survives every rebuild; the tables beside it follow the catalogue.
 */
export class PatternVectors {
  private constructor(
    private readonly sql: Sql,
    private readonly catalogue: ReadModelAccess,
    private readonly model: { readonly id: string; readonly dimensions: number },
    readonly tables: VectorTables,
  ) {}

  static async open(
    sql: Sql,
    catalogue: ReadModelAccess,
    model: { readonly id: string; readonly dimensions: number },
  ): Promise<PatternVectors> {
    const name = model.id.replace(/[^a-z0-9]+/g, '_');
    const tables = { sketches: `read.sketches_${name}`, vectors: `read.vectors_${name}` };
    await sql.script(`
      CREATE SCHEMA IF NOT EXISTS vault;
      CREATE TABLE IF NOT EXISTS vault.embeddings (
        model  text NOT NULL,
        hash   text NOT NULL,
        vector vector NOT NULL,
        PRIMARY KEY (model, hash)
      );
      CREATE TABLE IF NOT EXISTS ${tables.vectors} (
        pattern_id     text PRIMARY KEY,
        embedding_hash text NOT NULL,
        vector         vector(${model.dimensions}) NOT NULL
      );
      ALTER TABLE ${tables.vectors} ALTER COLUMN vector SET STORAGE PLAIN;
      CREATE TABLE IF NOT EXISTS ${tables.sketches} (
        pattern_id     text PRIMARY KEY,
        tier           text NOT NULL,
        category       text NOT NULL,
        published      bigint NOT NULL,
        embedding_hash text NOT NULL,
        sketch         bit(${model.dimensions}) NOT NULL
      );`);
    return new PatternVectors(sql, catalogue, model, tables);
  }

  /** Brings the tables up to the catalogue as far as vectors are known; returns what has to be computed. */
  async missing(limit: number): Promise<MissingVector[]> {
    const patterns = this.catalogue.t('patterns');
    const { sketches, vectors } = this.tables;
    // The sketch goes last, as one that is there says that the vector is.
    await this.sql.transaction(
      [
        {
          text: `INSERT INTO ${vectors}
                 SELECT p.id, p.embedding_hash, e.vector
                   FROM ${patterns} p
                   JOIN vault.embeddings e ON e.model = $1 AND e.hash = p.embedding_hash
                   LEFT JOIN ${vectors} o ON o.pattern_id = p.id
                  WHERE o.embedding_hash IS DISTINCT FROM p.embedding_hash
                 ON CONFLICT (pattern_id) DO UPDATE SET
                   embedding_hash = excluded.embedding_hash, vector = excluded.vector`,
          params: [this.model.id],
        },
        {
          text: `INSERT INTO ${sketches}
                 SELECT p.id, p.tier, p.category, p.published, p.embedding_hash,
                        ${sketchOf('v.vector', this.model.dimensions)}
                   FROM ${patterns} p
                   JOIN ${vectors} v ON v.pattern_id = p.id AND v.embedding_hash = p.embedding_hash
                   LEFT JOIN ${sketches} o ON o.pattern_id = p.id
                  WHERE (o.embedding_hash, o.tier, o.category, o.published)
                        IS DISTINCT FROM (p.embedding_hash, p.tier, p.category, p.published)
                 ON CONFLICT (pattern_id) DO UPDATE SET
                   tier = excluded.tier, category = excluded.category, published = excluded.published,
                   embedding_hash = excluded.embedding_hash, sketch = excluded.sketch`,
        },
      ],
      'projection',
    );
    return this.sql.query<MissingVector>(
      `SELECT p.id AS pattern_id, p.name, p.description, p.embedding_hash
         FROM ${patterns} p LEFT JOIN ${sketches} s ON s.pattern_id = p.id
        WHERE s.embedding_hash IS DISTINCT FROM p.embedding_hash
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
