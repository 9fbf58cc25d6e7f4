import DataLoader from 'dataloader';

/**
 * One batch for all the single reads of a request's fields. Each capability declares its own (`declare module`), and
 * makes them in its front door.
 */
export interface Loaders {}

const MAX_BATCH = 200;

/** Loads values in the order of their ids. */
export const inBatches = <V>(
  load: (ids: readonly string[]) => Promise<readonly (V | Error)[]>,
): DataLoader<string, V> => new DataLoader<string, V>(load, { maxBatchSize: MAX_BATCH });

/** Loads rows by their ids; undefined for those that there are none of. */
export const rowsInBatches = <R extends { readonly id: string }>(
  load: (ids: readonly string[]) => Promise<R[]>,
): DataLoader<string, R | undefined> =>
  inBatches(async (ids) => {
    const rows = new Map((await load(ids)).map((row) => [row.id, row]));
    return ids.map((id) => rows.get(id));
  });
