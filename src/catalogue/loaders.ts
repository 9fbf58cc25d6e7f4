import DataLoader from 'dataloader';
import type { LoaderServices } from '../capability.js';
import { inBatches } from '../graphql/kit/loaders.js';

export interface CatalogueLoaders {
  readonly patternUses: DataLoader<string, number>;
  /** In the order of publication. */
  readonly patternNumber: DataLoader<string, number | undefined>;
}

declare module '../graphql/kit/loaders.js' {
  interface Loaders extends CatalogueLoaders {}
}

export const catalogueLoaders = ({ queries: { catalogue } }: LoaderServices): CatalogueLoaders => ({
  patternUses: inBatches(async (ids) => {
    const uses = await catalogue.uses(ids);
    return ids.map((id) => uses.get(id) ?? 0);
  }),
  // All of them are known at once.
  patternNumber: new DataLoader(async (ids) => {
    const { numbers } = await catalogue.published();
    return ids.map((id) => numbers.get(id));
  }),
});
