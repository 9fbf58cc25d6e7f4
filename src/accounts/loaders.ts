import type DataLoader from 'dataloader';
import type { AccountRow, UserRow } from '../../projections/accounts/queries.js';
import type { LoaderServices } from '../capability.js';
import { inBatches, rowsInBatches } from '../graphql/kit/loaders.js';

export interface AccountLoaders {
  readonly account: DataLoader<string, AccountRow | undefined>;
  /** The name that an account was given, or else that of the user who opened it; null for neither. */
  readonly accountName: DataLoader<string, string | null>;
  readonly user: DataLoader<string, UserRow | undefined>;
  /** A sealed text, opened; null once it has been erased. */
  readonly unsealed: DataLoader<string, string | null>;
}

declare module '../graphql/kit/loaders.js' {
  interface Loaders extends AccountLoaders {}
}

export function accountLoaders({ queries: { accounts }, personal }: LoaderServices): AccountLoaders {
  const account = rowsInBatches((ids) => accounts.accounts(ids));
  const user = rowsInBatches((ids) => accounts.users(ids));
  const unsealed = inBatches<string | null>((sealed) => personal.unsealAll(sealed));
  const nameOf = async (id: string): Promise<string | null> => {
    const row = await account.load(id);
    if (!row || row.deleted_at !== null) return null;
    const sealed = row.name ?? (await user.load(row.owner_id))?.name;
    const name = sealed == null ? null : await unsealed.load(sealed);
    return name === '' ? null : name;
  };
  return { account, accountName: inBatches((ids) => Promise.all(ids.map(nameOf))), user, unsealed };
}
