import pgvector from 'pgvector';
import type { Sql } from '../../src/sql/sql.js';
import type { ReadModelAccess } from '../readModel.js';

/** A pattern whose vector is missing or belongs to an older text. */
export interface MissingVector {
  readonly pattern_id: string;
  readonly name: string;
  readonly description: string;
  readonly embedding_hash: string;
}

/** The table of a model: vectors of different models are never mixed. */
export function vectorTable(modelId: string): string {
  return `read.vectors_${modelId.replace(/[^a-z0-9]+/g, '_')}`;
}

/**
 * Vectors of the catalogue for one model. `vault.embeddings` remembers what was computed, by content
 * hash, and survives every rebuild; the narrow table beside it is what a search scans, so tier,
 * category and publication are in it and the vector is not TOASTed.
 */
export class PatternVectors {
  private constructor(
    private readonly sql: Sql,
    private readonly catalogue: ReadModelAccess,
    private readonly modelId: string,
    readonly table: string,
  ) {}

  static async open(
    sql: Sql,
    catalogue: ReadModelAccess,
    model: { readonly id: string; readonly dimensions: number },
  ): Promise<PatternVectors> {
    const table = vectorTable(model.id);
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
        vector         vector(${model.dimensions}) NOT NULL
      );
      ALTER TABLE ${table} ALTER COLUMN vector SET STORAGE PLAIN;`);
    return new PatternVectors(sql, catalogue, model.id, table);
  }

  /** Brings the table up to the catalogue as far as vectors are known; returns what has to be computed. */
  async missing(limit: number): Promise<MissingVector[]> {
    const patterns = this.catalogue.t('patterns');
    await this.sql.query(
      `INSERT INTO ${this.table} AS v
       SELECT p.id, p.tier, p.category, p.published, p.embedding_hash, e.vector
         FROM ${patterns} p
         JOIN vault.embeddings e ON e.model = $1 AND e.hash = p.embedding_hash
         LEFT JOIN ${this.table} o ON o.pattern_id = p.id
        WHERE (o.embedding_hash, o.tier, o.category, o.published)
              IS DISTINCT FROM (p.embedding_hash, p.tier, p.category, p.published)
       ON CONFLICT (pattern_id) DO UPDATE SET
         tier = excluded.tier, category = excluded.category, published = excluded.published,
         embedding_hash = excluded.embedding_hash, vector = excluded.vector`,
      [this.modelId],
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
       SELECT $1, u.hash, u.vector::vector FROM unnest($2::text[], $3::text[]) AS u(hash, vector)
       ON CONFLICT (model, hash) DO NOTHING`,
      [
        this.modelId,
        vectors.map(({ hash }) => hash),
        vectors.map(({ vector }) => pgvector.toSql([...vector]) as string),
      ],
      'projection',
    );
  }
}
