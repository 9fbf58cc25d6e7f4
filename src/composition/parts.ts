import type { Queries } from '../../projections/index.js';
import { RegisterUser } from '../accounts/register.js';
import { KeySecrets } from '../keys/secrets.js';
import type { UsageChanges } from '../usage/analytics/usageChanges.js';
import type { Access } from './access.js';
import type { Billing } from './billing.js';
import type { Metering } from './metering.js';
import type { OverageParts } from './overage.js';
import type { Projections } from './projections.js';
import type { Reporting } from './reporting.js';
import type { Scanner } from './scanner.js';
import type { Search } from '../catalogue/search.js';
import type { Stores } from './stores.js';

/** Everything that answers a call. */
export interface Parts {
  readonly stores: Stores;
  readonly projections: Projections;
  readonly queries: Queries;
  readonly access: Access;
  readonly metering: Metering;
  readonly search: Search;
  readonly usageChanges: UsageChanges;
  readonly reporting: Reporting;
  /** Undefined where nobody takes payments. */
  readonly billing: Billing | undefined;
  /** Undefined where the profile sells no analyses. */
  readonly scanner: Scanner | undefined;
  readonly overage: OverageParts;
}

/** The commands that GraphQL and the demo account share. */
export interface ApiCommands {
  readonly register: RegisterUser;
  readonly keySecrets: KeySecrets;
}

export function createCommands({ stores, access }: Pick<Parts, 'stores' | 'access'>): ApiCommands {
  const { commands, personal, secrets, clock, operatorEmails, admission } = stores;
  // Somebody has to invite the others.
  const admissionOf = (email: string) => (operatorEmails.includes(email) ? 'open' : admission);
  return {
    register: new RegisterUser(commands, personal, secrets.EMAIL_HASH_KEY, clock, admissionOf),
    keySecrets: new KeySecrets(commands, secrets.KEY_PEPPER, () => access.plans.profile),
  };
}
