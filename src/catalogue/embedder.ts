/** A model that turns texts into vectors of unit length. */
export interface Embedder {
  /** Names the model; vectors of different models are never mixed in one query. */
  readonly id: string;
  readonly dimensions: number;
  /** Cosine similarity below which a hit by meaning counts as none. Belongs to the model. */
  readonly minSimilarity: number;
  embed(texts: readonly string[]): Promise<Float32Array[]>;
  close(): Promise<void>;
}
