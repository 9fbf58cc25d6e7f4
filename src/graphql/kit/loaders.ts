import DataLoader from 'dataloader';
import type { AccountQueries, AccountRow, UserRow } from '../../../projections/accounts/queries.js';
import type { CatalogueQueries } from '../../../projections/catalogue/queries.js';
import type { UsageQueries } from '../../../projections/usage/queries.js';
import type { PersonalData } from '../../secrets/personalData.js';

const MAX_BATCH = 200;

/** One batch for all the single reads of a request's fields. */
export interface Loaders {
  readonly account: DataLoader<string, AccountRow | undefined>;
  /** The name that an account was given, or else that of the user who opened it; null for neither. */
  readonly accountName: DataLoader<string, string | null>;
  readonly user: DataLoader<string, UserRow | undefined>;
  /** A sealed text, opened; null once it has been erased. */
  readonly unsealed: DataLoader<string, string | null>;
  readonly patternUses: DataLoader<string, number>;
  /** In the order of publication. */
  readonly patternNumber: DataLoader<string, number | undefined>;
  /** Milliseconds since the epoch; undefined for a key without a call that counts. */
  readonly keyLastUsed: DataLoader<string, number | undefined>;
}

export function createLoaders(
  accounts: AccountQueries,
  catalogue: CatalogueQueries,
  usage: UsageQueries,
  personal: PersonalData,
): Loaders {
  const byId = <R extends { id: string }>(load: (ids: readonly string[]) => Promise<R[]>) =>
    new DataLoader<string, R | undefined>(
      async (ids) => {
        const rows = new Map((await load(ids)).map((row) => [row.id, row]));
        return ids.map((id) => rows.get(id));
      },
      { maxBatchSize: MAX_BATCH },
    );
  const account = byId((ids) => accounts.accounts(ids));
  const user = byId((ids) => accounts.users(ids));
  const unsealed = new DataLoader<string, string | null>((sealed) => personal.unsealAll(sealed), {
    maxBatchSize: MAX_BATCH,
  });
  const nameOf = async (id: string): Promise<string | null> => {
    const row = await account.load(id);
    if (!row || row.deleted_at !== null) return null;
    const sealed = row.name ?? (await user.load(row.owner_id))?.name;
    const name = sealed == null ? null : await unsealed.load(sealed);
    return name === '' ? null : name;
  };
  return {
    account,
    accountName: new DataLoader((ids) => Promise.all(ids.map(nameOf)), { maxBatchSize: MAX_BATCH }),
    user,
    unsealed,
    patternUses: new DataLoader(
      async (ids) => {
        const uses = await catalogue.uses(ids);
        return ids.map((id) => uses.get(id) ?? 0);
      },
      { maxBatchSize: MAX_BATCH },
    ),
    patternNumber: new DataLoader(async (ids) => {
      const { numbers } = await catalogue.published();
      return ids.map((id) => numbers.get(id));
    }),
    keyLastUsed: new DataLoader(
      async (ids) => {
        const times = await usage.lastUsed(ids);
        return ids.map((id) => times.get(id));
      },
      { maxBatchSize: MAX_BATCH },
    ),
  };
}
