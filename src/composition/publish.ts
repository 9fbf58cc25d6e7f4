import { join } from 'node:path';
import type { CatalogueQueries } from '../../projections/catalogue/queries.js';
import { importPatterns, readPatternFiles } from '../catalogue/importer.js';
import { verifiedHolderOf } from '../accounts/verifiedHolder.js';
import { configuredOperators, makeOperators } from '../operators/configured.js';
import { publishProfile } from '../plans/publish.js';
import type { OnProgress, StartOptions } from './options.js';
import type { Stores } from './stores.js';
import { SYSTEM } from './stores.js';

/** Publishes the plans where the profile's file has changed. */
export async function publishPlans({ commands, profile, clock }: Stores): Promise<void> {
  await publishProfile(commands, profile, { ...SYSTEM, at: new Date(clock()) });
}

/** Makes the configuration's change of operators since the last start an event. */
export async function publishOperators({
  commands,
  personal,
  secrets,
  operatorEmails,
  clock,
}: Stores): Promise<void> {
  const users = await configuredOperators(operatorEmails, (email) =>
    verifiedHolderOf(commands, personal, secrets.EMAIL_HASH_KEY, email),
  );
  await makeOperators(commands, users, { ...SYSTEM, at: new Date(clock()) });
}

/** Publishes the patterns' files as far as they have changed. @returns how many have */
export async function publishPatterns(
  { root, patterns }: StartOptions,
  { commands, profile, clock }: Stores,
  catalogue: CatalogueQueries,
  report: OnProgress,
): Promise<number> {
  if (patterns === null || profile.tiers.length === 0) return 0;
  return importPatterns(
    commands,
    await readPatternFiles(patterns ?? join(root, 'patterns'), profile.tiers),
    await catalogue.contentHashes(),
    { ...SYSTEM, at: new Date(clock()) },
    (done, total) => report('Loading the catalogue', done, total),
  );
}
