import type { Capability } from '../capability.js';
import { audited } from './audited.js';
import { AccountUsageResolver, UsageChangedResolver } from './resolvers.js';

export const usage: Capability = {
  streams: ['parked_use', 'usage'],
  audited,
  graphql: {
    resolvers: [AccountUsageResolver, UsageChangedResolver],
    create: ({ queries, limitStates, memory, positions, journal, models }) => {
      const profile = () => memory.plans.profile;
      const reached = (position: number, timeoutMs: number) => models.reached('usage', position, timeoutMs);
      return {
        resolvers: [
          new AccountUsageResolver(
            queries.usage,
            limitStates,
            profile,
            positions,
            () => journal.lastPosition,
            reached,
          ),
          new UsageChangedResolver(queries.usage, limitStates, profile, positions, reached),
        ],
      };
    },
  },
};
