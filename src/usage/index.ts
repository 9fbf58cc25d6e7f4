import type { Capability } from '../capability.js';
import { metersOf, usageTermsOf } from '../plans/profile.js';
import { audited } from './audited.js';
import { forgetSubjects } from './policies.js';
import { RecordUsageResolver } from './reportResolvers.js';
import { ReservationsResolver } from './reservationResolvers.js';
import { AccountUsageResolver, UsageChangedResolver } from './resolvers.js';

export const usage: Capability = {
  streams: ['parked_use', 'usage'],
  audited,
  policies: ({ subjectIds }) => [forgetSubjects(subjectIds)],
  graphql: {
    resolvers: [AccountUsageResolver, UsageChangedResolver, RecordUsageResolver, ReservationsResolver],
    create: ({
      queries,
      limitStates,
      memory,
      positions,
      journal,
      models,
      recordUsage,
      reservations,
      payers,
    }) => {
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
          new RecordUsageResolver(recordUsage, positions),
          new ReservationsResolver(
            reservations,
            payers,
            () => metersOf(profile()),
            () => usageTermsOf(profile()),
            positions,
          ),
        ],
      };
    },
    notAwaited: ['recordUsage', 'reserveUsage', 'settleReservation', 'releaseReservation'],
  },
};
