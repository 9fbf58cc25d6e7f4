import { BoundedMap } from '../boundedMap.js';
import type { Embedder } from './embedder.js';

/** Vectors of queries, remembered by normalised text (never by tier: all plans share them). */
export class QueryEmbedder {
  readonly #vectors = new BoundedMap<Promise<Float32Array | undefined>>(5_000);

  /** @param onError a failure leaves the search by words; it is reported, not shown */
  constructor(
    private readonly embedder: () => Embedder | undefined,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** @returns undefined when there is no model, or it failed */
  vectorOf(text: string): Promise<Float32Array | undefined> {
    const embedder = this.embedder();
    if (!embedder) return Promise.resolve(undefined);
    const key = text.toLowerCase().replace(/\s+/g, ' ');
    const known = this.#vectors.get(key);
    if (known) return known;
    const vector = embedder.embed([key]).then(
      ([first]) => first,
      (error: unknown) => {
        this.#vectors.delete(key);
        this.onError(error);
        return undefined;
      },
    );
    this.#vectors.set(key, vector);
    return vector;
  }
}
