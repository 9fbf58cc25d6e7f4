import type { PatternVectors } from '../../projections/catalogue/vectors.js';
import { embeddingText } from './events.js';
import type { Embedder } from './embedder.js';

const BATCH = 8;

/**
 * Computes the vectors that the catalogue lacks, a few at a time, whenever the catalogue has changed.
 * The list of work is the difference between patterns and vectors, so a crash forgets nothing.
 */
export class VectorWorker {
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(
    private readonly vectors: PatternVectors,
    private readonly embedder: Embedder,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** The catalogue may have changed. */
  wake(): void {
    this.#again = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (this.#again && !this.#stopped) this.wake();
    });
  }

  /** Resolves when nothing is left to do. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        for (;;) {
          const missing = await this.vectors.missing(BATCH);
          if (missing.length === 0 || this.#stopped) break;
          const computed = await this.embedder.embed(missing.map(embeddingText));
          await this.vectors.remember(
            computed.map((vector, i) => ({ hash: missing[i]?.embedding_hash as string, vector })),
          );
        }
      } catch (error) {
        // Search by words goes on; the next change of the catalogue, or start, tries again.
        this.onError(error);
      }
    }
  }
}
