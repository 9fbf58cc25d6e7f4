import type { Scope } from '../../keys/events.js';
import type { Role } from '../../teams/events.js';

/** What somebody may do in one account: as a key of it, as a member, or as an operator of the service. */
export type Standing =
  | { readonly kind: 'key'; readonly scopes: readonly Scope[] }
  | { readonly kind: 'member'; readonly role: Role }
  | { readonly kind: 'operator' };
