import { Arg, Args, Ctx, FieldResolver, Resolver } from 'type-graphql';
import type { Bin } from '../../../projections/calls/sketches.js';
import { ACCURACY, quantilesOf, valueOf } from '../../../projections/calls/sketches.js';
import type { PlanHistoryQueries } from '../../../projections/planHistory/queries.js';
import type { UsageReports, UsesAsked } from '../../../projections/usage/reports.js';
import { QUARTER_MS } from '../../../projections/usage/reports.js';
import { START } from '../../eventsourcing/event.js';
import type { Behind } from '../../following/behind.js';
import { Cost, Sized } from '../../graphql/cost/directives.js';
import type { RequestContext } from '../../graphql/kit/context.js';
import { DateTimeISO } from '../../graphql/kit/dateTime.js';
import { invalidInput } from '../../graphql/kit/errors.js';
import { Operator } from '../../operators/types.js';
import { metersOf } from '../../plans/profile.js';
import { whichOf, TimelineArgs, timelineOf } from './analyticsResolvers.js';
import type { CostDistribution } from './metricsTypes.js';
import { COST_CLASSES, METRIC_DAYS, OperatorMetrics, TOP } from './metricsTypes.js';
import { LimitWindow } from '../limits/limitTypes.js';
import { projectionOf } from './projectionResolvers.js';
import type { ProjectionReading } from './projectionResolvers.js';
import { UsageProjection } from './projectionTypes.js';
import { shownSums } from './shownUsage.js';
import { MAX_DENIALS, Usage, UsageFilter, UsageTimeline } from '../types.js';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** How long an answer waits for the ledger to have seen the newest calls, in milliseconds. */
const LEDGER_WAIT_MS = 1_000;

/** The end of the hour that a moment is in. */
const hourAfter = (time: Date): Date => new Date((Math.floor(time.getTime() / HOUR_MS) + 1) * HOUR_MS);

function distributionOf(bins: readonly Bin[]): CostDistribution | null {
  const quantiles = quantilesOf(bins, [0.5, 0.95, 0.99]);
  if (!quantiles) return null;
  const [p50 = 0, p95 = 0, p99 = 0] = quantiles;
  const counts = [...COST_CLASSES, null].map((upTo) => ({ upTo, calls: 0 }));
  for (const [bin, count] of bins) {
    const value = valueOf(bin);
    const found = counts.find(({ upTo }) => upTo === null || value <= upTo * (1 + ACCURACY));
    if (found) found.calls += count;
  }
  return { p50, p95, p99, classes: counts.map(({ upTo, calls }) => ({ upTo, calls: String(calls) })) };
}

@Resolver(() => Operator)
export class OperatorUsageResolver {
  constructor(
    private readonly reading: ProjectionReading,
    private readonly reports: Pick<UsageReports, 'total' | 'groups' | 'accounts'>,
    private readonly plans: Behind<PlanHistoryQueries>,
  ) {}

  @Cost(50)
  @FieldResolver(() => OperatorMetrics, {
    nullable: true,
    description:
      'Figures of the whole service at any moment, computed from events. Each says how it is defined. Revenue is not among them.',
  })
  async metrics(
    @Ctx() { usageTime: now }: RequestContext,
    @Arg('asOf', () => DateTimeISO, { nullable: true, description: 'The moment; by default now.' })
    asOf: Date | undefined,
  ): Promise<OperatorMetrics> {
    const at = asOf ?? new Date(now);
    if (at.getTime() > now) throw invalidInput('asOf', '"asOf" must not be in the future.');
    // The calendar of the database begins with the year 1.
    if (at.getTime() < 0) throw invalidInput('asOf', '"asOf" must not be before 1970.');
    const from = new Date(at.getTime() - METRIC_DAYS * DAY_MS);
    const all: UsesAsked = { account: undefined, environment: 'live', filter: {} };
    // Usage is kept by the quarter-hour: the one that is not over counts whole.
    const [begin, end] = [from, at].map(
      (time) => new Date(Math.ceil(time.getTime() / QUARTER_MS) * QUARTER_MS),
    ) as [Date, Date];
    const { profile, stored, ledgerReached } = this.reading;
    const [history, queries] = await Promise.all([
      this.plans.upTo(stored()),
      this.reading.calls.upTo(stored()),
      ledgerReached(stored(), LEDGER_WAIT_MS),
    ]);
    const [plans, changes, total, endpoints, accounts, denials, [costs]] = await Promise.all([
      history.accountsByPlan(at, profile().defaultPlan),
      history.changes(from, at),
      this.reports.total(all, begin, end),
      this.reports.groups(all, begin, end, ['endpoint'], TOP.endpoints),
      this.reports.accounts(all, begin, end, TOP.accounts),
      queries.denials(all, from, hourAfter(at), MAX_DENIALS),
      queries.sketches(all, 'cost', [from, hourAfter(at)], []),
    ]);
    const meters = metersOf(profile());
    const { calls, refused, errors } = shownSums(total, meters);
    return {
      asOf: at,
      accounts: plans.reduce((sum, plan) => sum + plan.accounts, 0),
      accountsByPlan: plans
        .slice(0, TOP.plans)
        .map(({ plan: planId, accounts: count }) => ({ planId, accounts: count })),
      newAccounts: changes.opened,
      deletedAccounts: changes.deleted,
      calls,
      limitHits: refused,
      denials: denials.map((row) => ({ ...row, calls: String(row.calls) })),
      costDistribution: costs ? distributionOf(costs.bins) : null,
      errors,
      endpoints: endpoints.sums.map((sums) => {
        const executed = Number(sums.uses - sums.refused);
        const errorRate = executed > 0 ? Number(sums.errors) / executed : 0;
        return { ...shownSums(sums, meters), endpoint: sums.group[0] ?? '', errorRate };
      }),
      topAccounts: accounts.sums.map((sums) => ({
        ...shownSums(sums, meters),
        accountId: sums.group[0] ?? '',
      })),
    };
  }

  @Cost(50)
  @FieldResolver(() => Usage, {
    nullable: true,
    description:
      'What all accounts have used, live, as `Account.usage` has it for one. End customers have no names here.',
  })
  async usage(
    @Ctx() { usageTime: now }: RequestContext,
    @Arg('from', () => DateTimeISO, {
      nullable: true,
      description: 'Rounded down to the quarter-hour; by default the beginning of the month (UTC).',
    })
    from: Date | undefined,
    @Arg('to', () => DateTimeISO, {
      nullable: true,
      description: 'Rounded up to the quarter-hour; by default now. At most ten years.',
    })
    to: Date | undefined,
    @Arg('filter', () => UsageFilter, {
      nullable: true,
      description: 'Which usage is meant; all of it by default.',
    })
    filter: UsageFilter | undefined,
  ): Promise<Usage> {
    const span = this.reading.analytics.span(from, to, now);
    const [asked, stale] = [await this.#asked(filter), await this.#stale()];
    const sums = await this.reading.analytics.total(asked, span);
    const shown = shownSums(sums, metersOf(this.reading.profile()));
    return Object.assign(new Usage(), { ...span, ...shown, asked, position: START, stale });
  }

  @Cost(50)
  @FieldResolver(() => UsageProjection, {
    nullable: true,
    description:
      'Where the day or month of UTC ends for all accounts together, as `Account.usageProjection`.',
  })
  async usageProjection(
    @Ctx() { usageTime: now }: RequestContext,
    @Arg('window', () => LimitWindow, { defaultValue: LimitWindow.MONTH, description: 'DAY or MONTH.' })
    window: LimitWindow,
  ): Promise<UsageProjection> {
    if (window !== LimitWindow.DAY && window !== LimitWindow.MONTH) {
      throw invalidInput('window', '"window" must be DAY or MONTH.');
    }
    const [asked, stale] = [await this.#asked(undefined), await this.#stale()];
    return projectionOf(this.reading, asked, window, now, stale);
  }

  @Cost(50)
  @Sized({ slicingArguments: ['first'], sizedFields: ['points'] })
  @FieldResolver(() => UsageTimeline, {
    nullable: true,
    description:
      'Live usage of all accounts over time, as `Account.usageTimeline` has it for one. End customers have no names here.',
  })
  async usageTimeline(
    @Ctx() { usageTime: now }: RequestContext,
    @Args(() => TimelineArgs) args: TimelineArgs,
  ): Promise<UsageTimeline> {
    const [asked, stale] = [await this.#asked(args.filter), await this.#stale()];
    return timelineOf(this.reading, asked, args, now, stale);
  }

  /** Live uses of all accounts. @throws ApiError INVALID_INPUT */
  async #asked(filter: UsageFilter | null | undefined): Promise<UsesAsked> {
    const which = await whichOf(this.reading, '', filter ?? {});
    return { account: undefined, environment: 'live', ...which };
  }

  async #stale(): Promise<boolean> {
    const { stored, ledgerReached } = this.reading;
    return !(await ledgerReached(stored(), LEDGER_WAIT_MS));
  }
}
