import { BoundedMap } from '../boundedMap.js';
import type { Embedder } from './embedder.js';

/** How long a search waits for a model that is still being loaded, in milliseconds. */
const MODEL_WAIT_MS = 2_000;

/** Vectors of queries, remembered by normalised text (never by tier: all plans share them). */
export class QueryEmbedder {
  readonly #vectors = new BoundedMap<Promise<Float32Array | undefined>>(5_000);

  /**
   * @param loading the model once it is loaded, undefined where there is none
   * @param onError a failure leaves the search by words; it is reported, not shown
   */
  constructor(
    private readonly loading: Promise<Embedder | undefined>,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** @returns undefined when there is no model, or not yet, or it failed */
  async vectorOf(text: string): Promise<Float32Array | undefined> {
    const embedder = await this.#model();
    if (!embedder) return undefined;
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

  async #model(): Promise<Embedder | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), MODEL_WAIT_MS);
    });
    try {
      return await Promise.race([this.loading, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
