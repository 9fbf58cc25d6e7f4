import type { Capability, Services } from '../capability.js';
import type { Profile } from '../plans/profile.js';
import { metersOf, usageTermsOf } from '../plans/profile.js';
import { audited } from './audited.js';
import { forgetSubjects } from './policies.js';
import { RecordUsageResolver } from './reportResolvers.js';
import { ReservationsResolver } from './reservationResolvers.js';
import { AccountUsageResolver, UsageChangedResolver } from './resolvers.js';
import { usageRoutes } from './routes.js';

const reservationsResolver = (
  reservations: Services['reservations'],
  payers: Services['payers'],
  profile: () => Profile,
  positions: Services['positions'],
): ReservationsResolver =>
  new ReservationsResolver(
    reservations,
    payers,
    () => metersOf(profile()),
    () => usageTermsOf(profile()),
    positions,
  );

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
          reservationsResolver(reservations, payers, profile, positions),
        ],
      };
    },
    notAwaited: ['recordUsage', 'reserveUsage', 'settleReservation', 'releaseReservation'],
  },
  routes: ({ queries, limitStates, memory, positions, journal, models, planOf, ...services }) => {
    const { recordUsage, reservations, payers } = services;
    const profile = () => memory.plans.profile;
    return usageRoutes({
      recording: new RecordUsageResolver(recordUsage, positions),
      reserving: reservationsResolver(reservations, payers, profile, positions),
      usage: queries.usage,
      limitStates,
      payers,
      profile,
      planOf,
      journalPosition: () => journal.lastPosition,
      ledgerReached: (position, timeoutMs) => models.reached('usage', position, timeoutMs),
    });
  },
};
