import type DataLoader from 'dataloader';
import type { LoaderServices } from '../capability.js';
import { inBatches } from '../graphql/kit/loaders.js';

export interface UsageLoaders {
  /** Milliseconds since the epoch; undefined for a key without a call that counts. */
  readonly keyLastUsed: DataLoader<string, number | undefined>;
}

declare module '../graphql/kit/loaders.js' {
  interface Loaders extends UsageLoaders {}
}

export const usageLoaders = ({ queries: { usage } }: LoaderServices): UsageLoaders => ({
  keyLastUsed: inBatches(async (ids) => {
    const times = await usage.lastUsed(ids);
    return ids.map((id) => times.get(id));
  }),
});
