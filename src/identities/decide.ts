import type { Decider } from '../eventsourcing/decider.js';
import { accept } from '../eventsourcing/decider.js';
import type { IdentityLinked } from './events.js';

export interface IdentityCommand {
  readonly type: 'LinkIdentity';
  readonly link: IdentityLinked['data'];
}

/** Linked once, for good: another user never gets it. */
export const identityDecider: Decider<{ linked: boolean }, IdentityCommand, IdentityLinked> = {
  initial: { linked: false },
  evolve: () => ({ linked: true }),
  decide: ({ linked }, { link }) => (linked ? accept() : accept({ type: 'IdentityLinked', data: link })),
};
