import { PAID_PLAN_EVENTS } from '../billing/events.js';
import type { Capability, PolicyServices, Services } from '../capability.js';
import { billingTimeOf } from '../clock.js';
import type { StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import type { KeyEvent } from '../keys/events.js';
import { keyStream, limitsOfKey } from '../keys/events.js';
import type { Profile } from '../plans/profile.js';
import { billingTermsOf, metersOf, thresholdsOf, usageTermsOf } from '../plans/profile.js';
import type { RouteCall } from '../rest/route.js';
import { UsageAnalytics } from './analytics/analytics.js';
import type { UsageReading } from './analytics/analyticsResolvers.js';
import { AccountUsageResolver, UsageGroupResolver, UsageResolver } from './analytics/analyticsResolvers.js';
import { audited } from './audited.js';
import { DuplicateUsesResolver } from './reports/duplicateResolvers.js';
import { usageLoaders } from './loaders.js';
import { OperatorUsageResolver } from './analytics/metricsResolvers.js';
import { forgetSubjects } from './policies.js';
import { publicEvents } from './publicEvents.js';
import { QuotaResolver } from './limits/quotaResolvers.js';
import { RecordUsageResolver } from './reports/reportResolvers.js';
import { reservationNodes, ReservationsResolver } from './reservations/reservationResolvers.js';
import { CorrectUsageResolver } from './reports/reversalResolvers.js';
import { AccountLimitsResolver, UsageChangedResolver } from './resolvers.js';
import { ResponseTimeReports } from './analytics/responseTimes.js';
import { ProjectionResolver } from './analytics/projectionResolvers.js';
import { projectionRoute } from './analytics/projectionRoute.js';
import { askedFor, READ, usageRoutes } from './routes.js';
import { TracesResolver } from './records/traceResolvers.js';
import { Traces } from './records/traces.js';
import { AccountThresholdsResolver } from './thresholds/thresholdResolvers.js';
import { Thresholds } from './thresholds/thresholds.js';
import { timelineRoutes } from './analytics/timelineRoutes.js';
import { UseLog } from './records/useLog.js';
import { AccountUsesResolver } from './records/useResolvers.js';

/** Batches that are read to tell what was used since a plan has changed. */
const BATCHES = { events: 500, bytes: 8 * 1024 * 1024 } as const;

/** The policy that tells of thresholds, with the plans and limits that hold. */
function watchThresholds(services: PolicyServices): Thresholds {
  const { commands, queries, asOf, profile, store } = services;
  const ledgerAt = asOf('usage', () => Promise.resolve([]));
  const planOf = asOf('accounts', async (accountId) => {
    const plan = await queries.accounts.planOf(accountId);
    return plan === undefined ? [] : [plan];
  });
  const anchorOf = asOf('overage', async (accountId) => {
    const { anchor = null } = (await queries.overage.of(accountId)) ?? {};
    return anchor === null ? [] : [String(anchor)];
  });
  return new Thresholds({
    commands,
    ledger: queries.usage,
    ledgerAt: (position) => ledgerAt('', position),
    limitsOf: async (accountId, position) => {
      const [anchor] = await anchorOf(accountId, position);
      const [id = profile.defaultPlan] = await planOf(accountId, position);
      const named = profile.plans.find((plan) => plan.id === id);
      const plan = named ?? profile.plans.find((one) => one.id === profile.defaultPlan);
      const limits = plan?.limits ?? [];
      if (anchor === undefined) return { limits, anchors: undefined };
      const billing = Number(anchor);
      const anniversary = billingTermsOf(profile).months === 'anniversary';
      return { limits, anchors: { billing, ...(anniversary && { month: billing }) } };
    },
    limitsOfKey: async (keyId) => {
      const [issued] = await commands.load(keyStream(keyId));
      return issued?.type === 'KeyIssued'
        ? limitsOfKey(as<Extract<KeyEvent, { type: 'KeyIssued' }>>(issued).data.limits)
        : [];
    },
    percents: thresholdsOf(profile),
    usageTimeOf: (at) => billingTimeOf(at, services),
    batchesAfter: (position, upTo) =>
      store.readTypes(new Set(['UsesRecorded']), position, upTo, BATCHES.events, BATCHES.bytes),
    changes: Object.fromEntries(
      ['PlanGranted', 'SubscriptionEnded', ...PAID_PLAN_EVENTS].map((type) => [
        type,
        ({ streamId }: StoredEvent) => streamId,
      ]),
    ),
  });
}

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
  stored,
  models,
}: Pick<Services, 'queries' | 'subjectIds' | 'memory' | 'stored' | 'models'>): UsageReading => ({
  analytics: new UsageAnalytics(queries.usageReports),
  responseTimes: new ResponseTimeReports(queries.calls, queries.usageReports, stored),
  calls: queries.calls,
  queries: queries.usage,
  subjectIds,
  profile: () => memory.plans.profile,
  stored,
  ledgerReached: (position, timeoutMs) => models.reached('usage', position, timeoutMs),
});

export const usage: Capability = {
  streams: ['parked_use', 'usage', 'usage_threshold', 'use_reversal'],
  audited,
  publicEvents,
  policies: (services) => [forgetSubjects(services.subjectIds), watchThresholds(services)],
  graphql: {
    resolvers: [
      AccountLimitsResolver,
      AccountUsageResolver,
      UsageResolver,
      UsageGroupResolver,
      ProjectionResolver,
      AccountUsesResolver,
      AccountThresholdsResolver,
      UsageChangedResolver,
      RecordUsageResolver,
      ReservationsResolver,
      CorrectUsageResolver,
      TracesResolver,
      DuplicateUsesResolver,
      QuotaResolver,
      OperatorUsageResolver,
    ],
    loaders: usageLoaders,
    create: ({
      queries,
      limitStates,
      memory,
      positions,
      stored,
      counted,
      models,
      recordUsage,
      reservations,
      payers,
      subjectIds,
      store,
      cursors,
      reversals,
      operatorAction,
      commands,
      planOf,
      standingIn,
    }) => {
      const profile = () => memory.plans.profile;
      const reached = (position: number, timeoutMs: number) => models.reached('usage', position, timeoutMs);
      const reading = readingOf({ queries, subjectIds, memory, stored, models });
      return {
        resolvers: [
          new AccountLimitsResolver(limitStates, profile, subjectIds),
          new AccountUsageResolver(reading, positions),
          new UsageResolver(reading),
          new UsageGroupResolver(),
          new ProjectionResolver({ ...reading, planOf }),
          new AccountUsesResolver(
            new UseLog(queries.useBatches.asTheyStand, store, queries.usage),
            reading,
            cursors,
            () => Promise.all([queries.useBatches.upTo(stored()), counted()]),
          ),
          new AccountThresholdsResolver(queries.thresholds, cursors, stored, () => metersOf(profile())),
          new UsageChangedResolver(queries.usage, limitStates, profile, positions, reached),
          new RecordUsageResolver(recordUsage, positions),
          reservationsResolver(reservations, payers, profile, positions),
          new CorrectUsageResolver(reversals, operatorAction, positions, () => metersOf(profile())),
          new DuplicateUsesResolver(queries.usage, cursors, counted),
          new TracesResolver(new Traces(store, queries.usage), () => metersOf(profile())),
          new OperatorUsageResolver({ ...reading, planOf }, queries.usageReports, queries.planHistory),
          new QuotaResolver(commands, operatorAction, planOf, limitStates, profile, positions),
        ],
        nodes: { Reservation: reservationNodes(reservations, standingIn, () => metersOf(profile())) },
      };
    },
    notAwaited: ['recordUsage', 'correctUsage', 'reserveUsage', 'settleReservation', 'releaseReservation'],
  },
  routes: ({ queries, limitStates, memory, positions, stored, models, planOf, ...services }) => {
    const { recordUsage, reservations, payers, subjectIds, log, reversals, operatorAction } = services;
    const profile = () => memory.plans.profile;
    const reading = readingOf({ queries, subjectIds, memory, stored, models });
    const routes = usageRoutes({
      recording: new RecordUsageResolver(recordUsage, positions),
      correcting: new CorrectUsageResolver(reversals, operatorAction, positions, () => metersOf(profile())),
      reserving: reservationsResolver(reservations, payers, profile, positions),
      usage: queries.usage,
      limitStates,
      payers,
      subjectIds,
      profile,
      planOf,
      stored,
      ledgerReached: (position, timeoutMs) => models.reached('usage', position, timeoutMs),
    });
    const whose = (call: RouteCall) => askedFor({ payers }, call);
    const shared = { ...reading, askedFor: whose, access: READ };
    return [...routes, ...timelineRoutes({ ...shared, log }), projectionRoute({ ...shared, planOf })];
  },
};
