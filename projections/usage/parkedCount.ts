import type { ReadModels } from '../../src/following/readModel.js';
import type { UsageQueries } from './queries.js';

/** How many uses are parked, for those who cannot wait for an answer: counted whenever the ledger changes. */
export class ParkedCount {
  #count: number | undefined;
  #counting = false;
  #again = false;
  #failing = false;

  constructor(
    models: Pick<ReadModels, 'onChanged'>,
    private readonly usage: Pick<UsageQueries, 'parkedCount'>,
    private readonly onError: (error: unknown) => void,
  ) {
    models.onChanged('usage', () => void this.refresh());
  }

  /** Undefined where it could not be counted; who asks has it tried again. */
  get count(): number | undefined {
    if (this.#count === undefined) void this.refresh();
    return this.#count;
  }

  /** Counts once more; one count at a time, and one more for all changes meanwhile. */
  async refresh(): Promise<void> {
    this.#again = true;
    if (this.#counting) return;
    this.#counting = true;
    try {
      while (this.#again) {
        this.#again = false;
        this.#count = await this.usage.parkedCount();
        this.#failing = false;
      }
    } catch (error) {
      this.#count = undefined;
      if (!this.#failing) this.onError(error);
      this.#failing = true;
    } finally {
      this.#counting = false;
    }
  }
}
