import { Arg, Args, ArgsType, Ctx, Field, FieldResolver, Int, Resolver, Root } from 'type-graphql';
import type { UsageQueries } from '../../projections/usage/queries.js';
import type { UsesAsked } from '../../projections/usage/reports.js';
import { Account } from '../accounts/types.js';
import type { Position } from '../eventsourcing/event.js';
import type { PositionTokens } from '../eventsourcing/positionToken.js';
import { Cost, Range, Sized } from '../graphql/cost/directives.js';
import { Access, MEMBERS } from '../graphql/kit/access.js';
import type { RequestContext } from '../graphql/kit/context.js';
import { environmentIn } from '../graphql/kit/context.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { invalidInput } from '../graphql/kit/errors.js';
import { TimeZone } from '../graphql/kit/timeZone.js';
import { metersOf } from '../plans/profile.js';
import type { Profile } from '../plans/profile.js';
import type { UsageAnalytics } from './analytics.js';
import { shownGroup, shownSums } from './shownUsage.js';
import type { SubjectIds } from './subjectIds.js';
import type { UsagePoint } from './types.js';
import {
  MAX,
  MAX_DIMENSIONS,
  Usage,
  UsageDimension,
  UsageFilter,
  UsageGroup,
  UsageInterval,
  UsageTimeline,
} from './types.js';

/** How long an answer waits for the ledger to have seen the newest calls, in milliseconds. */
const LEDGER_WAIT_MS = 1_000;
/** No use has it: ids of end customers are longer. */
const NOBODY = '-';

export interface UsageReading {
  readonly analytics: UsageAnalytics;
  readonly queries: Pick<UsageQueries, 'waits'>;
  readonly subjectIds: Pick<SubjectIds, 'known'>;
  readonly profile: () => Profile;
  /** Position of the newest batch that this node has stored. */
  readonly journalPosition: () => Position;
  readonly ledgerReached: (position: Position, timeoutMs: number) => Promise<boolean>;
}

@ArgsType()
export class TimelineArgs {
  @Field(() => DateTimeISO, {
    nullable: true,
    description:
      'The first interval is the one that holds it; by default the beginning of the month (UTC) by the day, a year ago by the month, else a day ago.',
  })
  from?: Date | null;

  @Field(() => DateTimeISO, {
    nullable: true,
    description: 'The last interval is the one that it ends in; by default now.',
  })
  to?: Date | null;

  @Field(() => UsageInterval, {
    defaultValue: UsageInterval.DAY,
    description: 'The length of the intervals.',
  })
  interval!: UsageInterval;

  @Field(() => TimeZone, { defaultValue: 'UTC', description: 'By whose clocks days and months begin.' })
  timeZone!: string;

  @Field(() => [UsageDimension], {
    defaultValue: [],
    description: `At most ${MAX_DIMENSIONS}; without any there is one group.`,
  })
  groupBy!: UsageDimension[];

  @Field(() => UsageFilter, { nullable: true, description: 'Which usage is meant; all of it by default.' })
  filter?: UsageFilter | null;

  @Range(1, MAX.points)
  @Field(() => Int, {
    defaultValue: 400,
    description: `Points at most, 1 to ${MAX.points}: of more groups those with the most calls are shown.`,
  })
  first!: number;
}

@ArgsType()
class BreakdownArgs {
  @Field(() => [UsageDimension], { description: `1 to ${MAX_DIMENSIONS}.` })
  groupBy!: UsageDimension[];

  @Range(1, MAX.groups)
  @Field(() => Int, { defaultValue: 20, description: `Groups at most, 1 to ${MAX.groups}.` })
  first!: number;
}

@Resolver(() => Account)
export class AccountUsageResolver {
  constructor(
    private readonly reading: UsageReading,
    private readonly tokens: PositionTokens,
  ) {}

  @Access({ scope: 'read', roles: MEMBERS })
  @Cost(2)
  @FieldResolver(() => Usage, {
    nullable: true,
    description:
      'What the account has used: the live calls, or the test calls when asked with a test key. By key: `{ account { usage { breakdown(groupBy: [KEY]) { group totals { meter quantity } } } } }`.',
  })
  async usage(
    @Root() account: Account,
    @Ctx() context: RequestContext,
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
    @Arg('minPosition', () => String, {
      nullable: true,
      description: 'A `position`: the answer waits up to a second to include it.',
    })
    minPosition: string | undefined,
  ): Promise<Usage> {
    const position = minPosition == null ? 0 : this.tokens.decode(minPosition);
    if (position === undefined) {
      throw invalidInput('minPosition', '"minPosition" is not a position of this service.');
    }
    const span = this.reading.analytics.span(from ?? undefined, to ?? undefined, context.usageTime);
    const stale = await staleOf(this.reading, account.id, position);
    const asked = await askedOf(this.reading, account, context, filter);
    const sums = await this.reading.analytics.total(asked, span);
    return Object.assign(new Usage(), {
      ...span,
      ...shownSums(sums, metersOf(this.reading.profile())),
      asked,
      stale,
    });
  }

  @Access({ scope: 'read', roles: MEMBERS })
  @Cost(2)
  @Sized({ slicingArguments: ['first'], sizedFields: ['points'] })
  @FieldResolver(() => UsageTimeline, {
    nullable: true,
    description:
      'Usage over time, by the days and months of a time zone, in groups. Example: `{ account { usageTimeline(interval: DAY, timeZone: "Asia/Kolkata", groupBy: [KEY]) { points { from group totals { meter quantity } } } } }`.',
  })
  async usageTimeline(
    @Root() account: Account,
    @Ctx() context: RequestContext,
    @Args(() => TimelineArgs) args: TimelineArgs,
  ): Promise<UsageTimeline> {
    const stale = await staleOf(this.reading, account.id, 0);
    const asked = await askedOf(this.reading, account, context, args.filter);
    return timelineOf(this.reading, asked, args, context.usageTime, stale);
  }
}

@Resolver(() => Usage)
export class UsageResolver {
  constructor(private readonly reading: UsageReading) {}

  @Cost(2)
  @Sized({ slicingArguments: ['first'] })
  @FieldResolver(() => [UsageGroup], {
    nullable: true,
    description: 'The same by group, those with the most calls first.',
  })
  async breakdown(
    @Root() { asked, from, to }: Usage,
    @Args(() => BreakdownArgs) { groupBy, first }: BreakdownArgs,
  ): Promise<UsageGroup[]> {
    checkDimensions(groupBy, 1);
    const { sums } = await this.reading.analytics.groups(asked, { from, to }, groupBy, first);
    const meters = metersOf(this.reading.profile());
    return sums.map((one) => ({ ...shownSums(one, meters), group: shownGroup(one.group, groupBy) }));
  }

  @Cost(2)
  @FieldResolver(() => Usage, {
    nullable: true,
    description:
      'What the account has used in the time before, which is as long and ends where this one begins.',
  })
  async previous(@Root() { asked, from, to, stale }: Usage): Promise<Usage> {
    const before = new Date(Math.max(0, 2 * from.getTime() - to.getTime()));
    const sums = await this.reading.analytics.total(asked, { from: before, to: from });
    const shown = shownSums(sums, metersOf(this.reading.profile()));
    return Object.assign(new Usage(), { ...shown, from: before, to: from, asked, stale });
  }
}

/** What of an account somebody asks for. */
export async function askedOf(
  reading: Pick<UsageReading, 'subjectIds'>,
  account: Account,
  context: Pick<RequestContext, 'caller'>,
  filter: UsageFilter | null | undefined,
): Promise<UsesAsked> {
  return {
    account: account.id,
    environment: environmentIn(account, context),
    filter: await filterOf(reading, account.id, filter ?? {}),
  };
}

/** By dimension; what is not given is left out. */
export async function filterOf(
  { subjectIds }: Pick<UsageReading, 'subjectIds'>,
  accountId: string,
  { keyId, subject, ...others }: { readonly [Name in keyof UsageFilter]?: string | null | undefined },
): Promise<UsesAsked['filter']> {
  const named = subject == null ? undefined : ((await subjectIds.known(accountId, subject)) ?? NOBODY);
  const wanted = { ...others, key: keyId, subject: named };
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value != null));
}

/** Whether calls may be missing, once the ledger has had its time. */
export async function staleOf(
  { journalPosition, ledgerReached, queries }: UsageReading,
  accountId: string,
  position: Position,
): Promise<boolean> {
  const fresh = await ledgerReached(Math.max(position, journalPosition()), LEDGER_WAIT_MS);
  return !fresh || (await queries.waits(accountId));
}

/** @throws ApiError INVALID_INPUT */
export function checkDimensions(groupBy: readonly UsageDimension[], least = 0): void {
  if (groupBy.length < least || groupBy.length > MAX_DIMENSIONS || new Set(groupBy).size < groupBy.length) {
    throw invalidInput('groupBy', `"groupBy" has ${least} to ${MAX_DIMENSIONS} dimensions, each once.`);
  }
}

/** @throws ApiError INVALID_INPUT */
export async function timelineOf(
  { analytics, profile }: Pick<UsageReading, 'analytics' | 'profile'>,
  asked: UsesAsked,
  { from, to, interval, timeZone, groupBy, first }: TimelineArgs,
  now: number,
  stale: boolean,
): Promise<UsageTimeline> {
  checkDimensions(groupBy);
  const span = { from: from ?? undefined, to: to ?? undefined };
  const timeline = await analytics.timeline({ ...asked, ...span, interval, timeZone, groupBy, first }, now);
  const { boundaries, points, omittedGroups } = timeline;
  const meters = metersOf(profile());
  return {
    from: timeline.from,
    to: timeline.to,
    interval,
    timeZone,
    points: points.map((point): UsagePoint => ({
      ...shownSums(point, meters),
      from: boundaries[point.bucket] as Date,
      to: boundaries[point.bucket + 1] as Date,
      group: shownGroup(point.group, groupBy),
    })),
    omittedGroups,
    stale,
  };
}
