import { BoundedMap } from '../boundedMap.js';
import type { ReadModelAccess } from './readModel.js';

interface Entry {
  readonly stamp: string;
  readonly answer: Promise<unknown>;
}

/**
 * Answers of read models by their arguments, dropped exactly when one of the models changes
 * (decision 20).
 */
export class AnswerCache {
  readonly #entries = new BoundedMap<Entry>(2_000);

  constructor(private readonly models: readonly ReadModelAccess[]) {}

  get<T>(key: string, load: () => Promise<T>): Promise<T> {
    // Taken before loading: what changes in between leaves an entry that no longer matches.
    const stamp = this.#stamp();
    const known = this.#entries.get(key);
    if (known?.stamp === stamp) return known.answer as Promise<T>;
    const answer = load();
    const entry = { stamp, answer };
    this.#entries.set(key, entry);
    answer.catch(() => {
      // A newer answer may stand here by now.
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    });
    return answer;
  }

  #stamp(): string {
    let stamp = '';
    for (const model of this.models) {
      const { generation, changed, replays } = model.state();
      stamp += `${generation}.${changed}.${replays} `;
    }
    return stamp;
  }
}
