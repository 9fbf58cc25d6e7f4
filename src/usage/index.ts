import type { Capability } from '../capability.js';
import { UsageResolver } from './resolvers.js';

export const usage: Capability = {
  streams: ['parked_use', 'usage'],
  graphql: {
    resolvers: [UsageResolver],
    create: ({ queries, limitStates, planOf, memory, positions, journal, models }) => ({
      resolvers: [
        new UsageResolver(
          queries.usage,
          limitStates,
          planOf,
          () => memory.plans.profile,
          positions,
          () => journal.lastPosition,
          (position, timeoutMs) => models.reached('usage', position, timeoutMs),
        ),
      ],
    }),
  },
};
