import type { AccountQueries } from '../../projections/accounts/queries.js';
import type { AuditQueries } from '../../projections/audit/queries.js';
import type { CatalogueQueries } from '../../projections/catalogue/queries.js';
import type { IdentityQueries } from '../../projections/identities/queries.js';
import type { KeyQueries } from '../../projections/keys/queries.js';
import type { SessionQueries } from '../../projections/sessions/queries.js';
import type { TeamQueries } from '../../projections/teams/queries.js';
import type { UsageQueries } from '../../projections/usage/queries.js';
import { RegisterUser } from '../accounts/register.js';
import { KeySecrets } from '../keys/secrets.js';
import type { UsageChanges } from '../usage/usageChanges.js';
import type { Access } from './access.js';
import type { Metering } from './metering.js';
import type { Projections } from './projections.js';
import type { Search } from './search.js';
import type { Stores } from './stores.js';

/** The queries of all read models. */
export interface Queries {
  readonly accounts: AccountQueries;
  readonly keys: KeyQueries;
  readonly identities: IdentityQueries;
  readonly sessions: SessionQueries;
  readonly teams: TeamQueries;
  readonly catalogue: CatalogueQueries;
  readonly usage: UsageQueries;
  readonly audit: AuditQueries;
}

/** Everything that answers a call. */
export interface Parts {
  readonly stores: Stores;
  readonly projections: Projections;
  readonly queries: Queries;
  readonly access: Access;
  readonly metering: Metering;
  readonly search: Search;
  readonly usageChanges: UsageChanges;
}

/** The commands that GraphQL and the demo account share. */
export interface ApiCommands {
  readonly register: RegisterUser;
  readonly keySecrets: KeySecrets;
}

export function createCommands({ stores, access }: Pick<Parts, 'stores' | 'access'>): ApiCommands {
  const { commands, personal, secrets, clock } = stores;
  return {
    register: new RegisterUser(commands, personal, secrets.EMAIL_HASH_KEY, clock),
    keySecrets: new KeySecrets(commands, secrets.KEY_PEPPER, () => access.plans.profile),
  };
}
