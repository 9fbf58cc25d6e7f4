import { Arg, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { UsesAsked } from '../../../projections/usage/reports.js';
import { Account } from '../../accounts/types.js';
import { Cost } from '../../graphql/cost/directives.js';
import { Access, MEMBERS } from '../../graphql/kit/access.js';
import type { PlanOf, RequestContext } from '../../graphql/kit/context.js';
import { invalidInput } from '../../graphql/kit/errors.js';
import { isLimitable } from '../../plans/meters.js';
import { metersOf } from '../../plans/profile.js';
import type { UsageReading } from './analyticsResolvers.js';
import { askedOf, staleOf } from './analyticsResolvers.js';
import { RESETTABLE } from '../events.js';
import { LimitWindow, totalsOf } from '../limits/limitTypes.js';
import { unresetPeriodAt } from '../limits/periods.js';
import { projectedTotal, WEEK_HOURS } from './projection.js';
import { ProjectionMethod, UsageProjection } from './projectionTypes.js';
import { UsageFilter } from '../types.js';

const HOUR_MS = 3_600_000;
const WEEK_MS = WEEK_HOURS * HOUR_MS;
/** Whoever has used nothing for so long before the last week begins anew. */
const BEFORE_MS = 4 * WEEK_MS;

export type ProjectionReading = UsageReading & { readonly planOf: PlanOf };

@Resolver(() => Account)
export class ProjectionResolver {
  constructor(private readonly reading: ProjectionReading) {}

  @Access({ scope: 'read', roles: MEMBERS })
  @Cost(5)
  @FieldResolver(() => UsageProjection, {
    nullable: true,
    description:
      'What the account will have used at the end of the present day, month or billing period, if all goes on as in the last week.',
  })
  async usageProjection(
    @Root() account: Account,
    @Ctx() context: RequestContext,
    @Arg('window', () => LimitWindow, {
      defaultValue: LimitWindow.MONTH,
      description: 'DAY, MONTH or BILLING_PERIOD, as limits over it count.',
    })
    window: LimitWindow,
    @Arg('filter', () => UsageFilter, {
      nullable: true,
      description: 'Which usage is meant; all of it by default.',
    })
    filter: UsageFilter | undefined,
  ): Promise<UsageProjection> {
    const stale = await staleOf(this.reading, account.id, 0);
    const asked = await askedOf(this.reading, account, context, filter);
    return projectionOf(this.reading, asked, window, context.usageTime, stale);
  }
}

/** @throws ApiError INVALID_INPUT */
export async function projectionOf(
  { analytics, planOf, profile }: ProjectionReading,
  asked: UsesAsked,
  given: string,
  now: number,
  stale: boolean,
): Promise<UsageProjection> {
  const window = RESETTABLE.find((one) => one === given);
  if (window === undefined) {
    throw invalidInput('window', '"window" must be DAY, MONTH or BILLING_PERIOD.');
  }
  // Of all accounts together the calendar's.
  const anchors = asked.account === undefined ? undefined : planOf(asked.account).anchors;
  const { begin, end } = unresetPeriodAt(window, now, anchors);
  const hour = Math.floor(now / HOUR_MS) * HOUR_MS;
  const hours = Array.from({ length: WEEK_HOURS + 1 }, (_, i) => new Date(hour - WEEK_MS + i * HOUR_MS));
  const [first] = hours as [Date];
  const [used, before, week] = await Promise.all([
    analytics.added(asked, { from: new Date(begin), to: new Date(hour + HOUR_MS) }),
    analytics.added(asked, { from: new Date(first.getTime() - BEFORE_MS), to: first }),
    analytics.between(asked, hours),
  ]);
  // What does not add up is not on its way anywhere.
  const meters = metersOf(profile()).filter(isLimitable);
  const begun = week[0]?.bucket;
  const isNew = before.uses === 0n;
  const since = isNew ? (begun === undefined ? now : (hours[begun] as Date).getTime()) : undefined;
  const projected = new Map<string, bigint | undefined>();
  for (const { id } of meters) {
    const amounts = Array.from({ length: WEEK_HOURS }, () => 0n);
    for (const { bucket, amounts: of } of week) amounts[bucket] = of.get(id) ?? 0n;
    const known = { used: used.amounts.get(id) ?? 0n, week: amounts, since, now, end };
    projected.set(id, projectedTotal(known));
  }
  const told = since === undefined || hour - since >= HOUR_MS;
  const ends = totalsOf(new Map([...projected].map(([id, amount]) => [id, amount ?? 0n])), meters);
  return {
    from: new Date(begin),
    to: new Date(end),
    asOf: new Date(now),
    method: isNew ? ProjectionMethod.MEAN_SINCE_BEGIN : ProjectionMethod.SAME_TIMES_LAST_WEEK,
    totals: totalsOf(used.amounts, meters).map(({ meter, quantity }, i) => ({
      meter,
      used: quantity,
      projected: told ? (ends[i]?.quantity ?? null) : null,
    })),
    stale,
  };
}
