import type { Place } from '../support/database.js';
import { freshPlace } from '../support/database.js';
import type { Product } from './product.js';
import { kill, spawnProduct } from './product.js';
import type { Root } from './root.js';
import { makeRoot } from './root.js';

/** What tests start, each on data of its own. */
export interface Starts {
  /** With few patterns, and more requests than any test sends. */
  readonly root: () => Root;
  readonly place: () => Place;
  /** Starts the server; it is killed once its test has ended. */
  readonly run: (env?: NodeJS.ProcessEnv, folder?: string) => Product;
  readonly stop: (product: Product) => Promise<void>;
  /** Starts what must be refused: exit code 1, one sentence, no stack. */
  readonly refusal: (env?: NodeJS.ProcessEnv) => Promise<string>;
}

/** @param ready whether the tables are there that the first start makes */
export function prepareStarts({ ready }: { readonly ready: boolean }): Starts {
  let root: Root;
  let place: Place;
  const running = new Set<Product>();
  beforeAll(async () => {
    root = await makeRoot({ patterns: 3, amount: 1_000_000 });
  });
  afterAll(() => root.remove());
  beforeEach(async () => {
    place = await freshPlace({ ready });
  });
  afterEach(async () => {
    for (const product of running) await kill(product);
    running.clear();
    await place.remove();
  });

  const run = (env: NodeJS.ProcessEnv = {}, folder = root.path): Product => {
    const product = spawnProduct(place, folder, env);
    running.add(product);
    return product;
  };
  return {
    root: () => root,
    place: () => place,
    run,
    stop: async (product) => {
      product.process.kill('SIGTERM');
      expect(await product.exited).toEqual({ code: 0, signal: null });
    },
    refusal: async (env = {}) => {
      const product = run(env);
      expect(await product.url).toBeUndefined();
      expect(await product.exited).toEqual({ code: 1, signal: null });
      expect(product.stderr()).not.toMatch(/^\s+at /m);
      return product.stderr();
    },
  };
}
