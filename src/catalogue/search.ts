import { CatalogueSearch } from '../../projections/catalogue/search.js';
import { Sketches } from '../../projections/catalogue/sketches.js';
import { PatternVectors } from '../../projections/catalogue/vectors.js';
import type { Embedder } from './embedder.js';
import { VectorWorker } from './vectorWorker.js';
import type { Logger } from '../logger.js';
import type { ReadModels } from '../following/readModel.js';
import type { Shutdown } from '../shutdown.js';
import type { Sql } from '../sql/sql.js';

/** Search in the catalogue: by words from the beginning, by meaning once the model is loaded. */
export interface Search extends Pick<CatalogueSearch, 'search' | 'facets'> {
  /** The model; undefined where there is none. */
  readonly model: Promise<Embedder | undefined>;
  /** Resolves when every pattern has its vector, where this process computes them. */
  idle(): Promise<void>;
}

/**
 * Loads the embedding model while the server already answers.
 * @param openModel undefined where there is to be none
 * @param fills whether this process keeps the catalogue's vectors, too
 */
export function openSearch(
  { models, sql }: { readonly models: ReadModels; readonly sql: Sql },
  openModel: (() => Promise<Embedder>) | undefined,
  fills: boolean,
  log: Logger,
  shutdown: Shutdown,
): Search {
  const catalogue = models.access('catalogue');
  let search = new CatalogueSearch(sql, catalogue, undefined);
  let worker: VectorWorker | undefined;
  const load = async (open: () => Promise<Embedder>): Promise<Embedder> => {
    const model = await open();
    shutdown.add('embedding model', () => model.close());
    const vectors = await PatternVectors.open(sql, catalogue, model);
    const sketches = new Sketches(sql, vectors.table, model.dimensions);
    // What there is by now is read before a search would wait for it.
    await sketches.refresh();
    const { minSimilarity } = model;
    search = new CatalogueSearch(sql, catalogue, { vectors: vectors.table, sketches, minSimilarity });
    if (fills) {
      const filling = new VectorWorker(vectors, model, (error) =>
        log.error('vectors are not computed', error),
      );
      worker = filling;
      shutdown.add('vector worker', () => filling.stop());
      models.onChanged('catalogue', () => filling.wake());
      filling.wake();
    }
    return model;
  };
  const model =
    openModel !== undefined
      ? load(openModel).catch((error: unknown) => {
          log.error('the embedding model cannot be loaded', error);
          return undefined;
        })
      : Promise.resolve(undefined);
  shutdown.add('loading of the embedding model', () => model);
  return {
    search: (request) => search.search(request),
    facets: (ids, horizon) => search.facets(ids, horizon),
    model,
    idle: async () => {
      await model;
      await worker?.idle();
    },
  };
}
