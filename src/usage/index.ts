import type { Capability, Services } from '../capability.js';
import type { Profile } from '../plans/profile.js';
import { metersOf, usageTermsOf } from '../plans/profile.js';
import type { RouteCall } from '../rest/route.js';
import { UsageAnalytics } from './analytics.js';
import type { UsageReading } from './analyticsResolvers.js';
import { AccountUsageResolver, UsageResolver } from './analyticsResolvers.js';
import { audited } from './audited.js';
import { DuplicateUsesResolver } from './duplicateResolvers.js';
import { forgetSubjects } from './policies.js';
import { RecordUsageResolver } from './reportResolvers.js';
import { ReservationsResolver } from './reservationResolvers.js';
import { CorrectUsageResolver } from './reversalResolvers.js';
import { AccountLimitsResolver, UsageChangedResolver } from './resolvers.js';
import { askedFor, READ, usageRoutes } from './routes.js';
import { TracesResolver } from './traceResolvers.js';
import { Traces } from './traces.js';
import { timelineRoutes } from './timelineRoutes.js';
import { UseLog } from './useLog.js';
import { AccountUsesResolver } from './useResolvers.js';

/** How long a list of uses waits for the newest, in milliseconds. */
const LIST_WAIT_MS = 1_000;

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

const readingOf = ({
  queries,
  subjectIds,
  memory,
  journal,
  models,
}: Pick<Services, 'queries' | 'subjectIds' | 'memory' | 'journal' | 'models'>): UsageReading => ({
  analytics: new UsageAnalytics(queries.usageReports),
  queries: queries.usage,
  subjectIds,
  profile: () => memory.plans.profile,
  journalPosition: () => journal.lastPosition,
  ledgerReached: (position, timeoutMs) => models.reached('usage', position, timeoutMs),
});

export const usage: Capability = {
  streams: ['parked_use', 'usage', 'use_reversal'],
  audited,
  policies: ({ subjectIds }) => [forgetSubjects(subjectIds)],
  graphql: {
    resolvers: [
      AccountLimitsResolver,
      AccountUsageResolver,
      UsageResolver,
      AccountUsesResolver,
      UsageChangedResolver,
      RecordUsageResolver,
      ReservationsResolver,
      CorrectUsageResolver,
      TracesResolver,
      DuplicateUsesResolver,
    ],
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
      subjectIds,
      store,
      cursors,
      reversals,
      operatorAction,
    }) => {
      const profile = () => memory.plans.profile;
      const reached = (position: number, timeoutMs: number) => models.reached('usage', position, timeoutMs);
      const reading = readingOf({ queries, subjectIds, memory, journal, models });
      return {
        resolvers: [
          new AccountLimitsResolver(limitStates, profile),
          new AccountUsageResolver(reading, positions),
          new UsageResolver(reading),
          new AccountUsesResolver(
            new UseLog(queries.useBatches, store, queries.usage),
            reading,
            cursors,
            () => models.reached('useBatches', journal.lastPosition, LIST_WAIT_MS),
          ),
          new UsageChangedResolver(queries.usage, limitStates, profile, positions, reached),
          new RecordUsageResolver(recordUsage, positions),
          reservationsResolver(reservations, payers, profile, positions),
          new CorrectUsageResolver(reversals, operatorAction, positions, () => metersOf(profile())),
          new DuplicateUsesResolver(queries.usage, cursors),
          new TracesResolver(new Traces(store, queries.usage), () => metersOf(profile())),
        ],
      };
    },
    notAwaited: ['recordUsage', 'correctUsage', 'reserveUsage', 'settleReservation', 'releaseReservation'],
  },
  routes: ({ queries, limitStates, memory, positions, journal, models, planOf, ...services }) => {
    const { recordUsage, reservations, payers, subjectIds, log, reversals, operatorAction } = services;
    const profile = () => memory.plans.profile;
    const reading = readingOf({ queries, subjectIds, memory, journal, models });
    const routes = usageRoutes({
      recording: new RecordUsageResolver(recordUsage, positions),
      correcting: new CorrectUsageResolver(reversals, operatorAction, positions, () => metersOf(profile())),
      reserving: reservationsResolver(reservations, payers, profile, positions),
      usage: queries.usage,
      limitStates,
      payers,
      profile,
      planOf,
      journalPosition: () => journal.lastPosition,
      ledgerReached: (position, timeoutMs) => models.reached('usage', position, timeoutMs),
    });
    const whose = (call: RouteCall) => askedFor({ payers }, call);
    return [...routes, ...timelineRoutes({ ...reading, askedFor: whose, access: READ, log })];
  },
};
