import { Arg, Args, Ctx, FieldResolver, Resolver } from 'type-graphql';
import type { PlanHistoryQueries } from '../../projections/planHistory/queries.js';
import type { UsageReports, UsesAsked } from '../../projections/usage/reports.js';
import { QUARTER_MS } from '../../projections/usage/reports.js';
import { Cost, Sized } from '../graphql/cost/directives.js';
import type { RequestContext } from '../graphql/kit/context.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { invalidInput } from '../graphql/kit/errors.js';
import { Operator } from '../operators/types.js';
import { metersOf } from '../plans/profile.js';
import type { UsageReading } from './analyticsResolvers.js';
import { filterOf, TimelineArgs, timelineOf } from './analyticsResolvers.js';
import { METRIC_DAYS, OperatorMetrics, TOP } from './metricsTypes.js';
import { shownSums } from './shownUsage.js';
import { UsageTimeline } from './types.js';

const DAY_MS = 86_400_000;
/** How long an answer waits for the ledger to have seen the newest calls, in milliseconds. */
const LEDGER_WAIT_MS = 1_000;

@Resolver(() => Operator)
export class OperatorUsageResolver {
  constructor(
    private readonly reading: UsageReading,
    private readonly reports: Pick<UsageReports, 'total' | 'groups' | 'accounts'>,
    private readonly history: PlanHistoryQueries,
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
    const from = new Date(at.getTime() - METRIC_DAYS * DAY_MS);
    const all: UsesAsked = { account: undefined, environment: 'live', filter: {} };
    // Usage is kept by the quarter-hour: the one that is not over counts whole.
    const [begin, end] = [from, at].map(
      (time) => new Date(Math.ceil(time.getTime() / QUARTER_MS) * QUARTER_MS),
    ) as [Date, Date];
    const { profile, journalPosition, ledgerReached } = this.reading;
    await ledgerReached(journalPosition(), LEDGER_WAIT_MS);
    const [plans, changes, total, endpoints, accounts] = await Promise.all([
      this.history.accountsByPlan(at, profile().defaultPlan),
      this.history.changes(from, at),
      this.reports.total(all, begin, end),
      this.reports.groups(all, begin, end, ['endpoint'], TOP.endpoints),
      this.reports.accounts(all, begin, end, TOP.accounts),
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
    const { journalPosition, ledgerReached } = this.reading;
    const fresh = await ledgerReached(journalPosition(), LEDGER_WAIT_MS);
    const filter = await filterOf(this.reading, '', args.filter ?? {});
    return timelineOf(this.reading, { account: undefined, environment: 'live', filter }, args, now, !fresh);
  }
}
