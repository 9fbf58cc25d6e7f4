import type { Capability } from '../capability.js';
import { audited } from './audited.js';
import { Identities } from './identities.js';

export const identities: Capability = {
  streams: ['identity'],
  audited,
  memory: async ({ queries }) => {
    const identities = new Identities();
    identities.load(await queries.identities.links(), await queries.sessions.ends());
    return { identities };
  },
};
