import { Arg, Args, ArgsType, Ctx, Field, FieldResolver, Int, Resolver, Root } from 'type-graphql';
import type { UsageQueries } from '../../../projections/usage/queries.js';
import type { CallQueries } from '../../../projections/calls/queries.js';
import type { Grouping, UsesAsked } from '../../../projections/usage/reports.js';
import { Account } from '../../accounts/types.js';
import type { Position } from '../../eventsourcing/event.js';
import type { PositionTokens } from '../../eventsourcing/positionToken.js';
import type { Behind } from '../../following/behind.js';
import { Cost, Range, Sized } from '../../graphql/cost/directives.js';
import { Access, MEMBERS } from '../../graphql/kit/access.js';
import type { RequestContext } from '../../graphql/kit/context.js';
import { environmentIn } from '../../graphql/kit/context.js';
import { DateTimeISO } from '../../graphql/kit/dateTime.js';
import { invalidInput } from '../../graphql/kit/errors.js';
import { TimeZone } from '../../graphql/kit/timeZone.js';
import { MAX_REPORTED_PROPERTIES, metersOf, reportedProperties } from '../../plans/profile.js';
import type { Profile } from '../../plans/profile.js';
import type { UsageAnalytics } from './analytics.js';
import type { ResponseTimeReports } from './responseTimes.js';
import { shownGroup, shownOmitted, shownSums } from './shownUsage.js';
import type { SubjectIds } from '../reports/subjectIds.js';
import type { UsagePoint } from '../types.js';
import {
  LimitDenials,
  MAX,
  MAX_DENIALS,
  MAX_DIMENSIONS,
  RESPONSE_TIMES,
  ResponseTimes,
  Usage,
  UsageBreakdown,
  UsageDimension,
  UsageFilter,
  UsageGroup,
  UsageInterval,
  UsageTimeline,
} from '../types.js';

/** How long an answer waits for the ledger to have seen the newest calls, in milliseconds. */
const LEDGER_WAIT_MS = 1_000;

export interface UsageReading {
  readonly analytics: UsageAnalytics;
  readonly responseTimes: ResponseTimeReports;
  readonly calls: Behind<Pick<CallQueries, 'denials' | 'sketches'>>;
  readonly queries: Pick<UsageQueries, 'waits'>;
  readonly subjectIds: Pick<SubjectIds, 'idOf'>;
  readonly profile: () => Profile;
  /** Position of the newest event that this process has stored. */
  readonly stored: () => Position;
  readonly ledgerReached: (position: Position, timeoutMs: number) => Promise<boolean>;
}

@ArgsType()
abstract class GroupArgs {
  @Field(() => [UsageDimension], {
    defaultValue: [],
    description: `At most ${MAX_DIMENSIONS}; without any there is one group.`,
  })
  groupBy!: UsageDimension[];

  @Field(() => [String], {
    defaultValue: [],
    description: `Properties of reported uses to group by as well, at most ${MAX_REPORTED_PROPERTIES}: of those that the service has named for reports. They count for what was recorded since it named them.`,
  })
  groupByProperties!: string[];
}

@ArgsType()
export class TimelineArgs extends GroupArgs {
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
class BreakdownArgs extends GroupArgs {
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
      'What the account has used: the live calls, or the test calls when asked with a test key. By key: `{ account { usage { breakdown(groupBy: [KEY]) { groups { group totals { meter quantity } } } } } }`.',
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
      position,
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
  @Sized({ slicingArguments: ['first'], sizedFields: ['groups'] })
  @FieldResolver(() => UsageBreakdown, { nullable: true, description: 'The same by group.' })
  async breakdown(
    @Root() { asked, from, to, position }: Usage,
    @Args(() => BreakdownArgs) { first, ...args }: BreakdownArgs,
  ): Promise<UsageBreakdown> {
    const groupBy = groupingOf(args, this.reading.profile(), 1);
    const found = await this.reading.analytics.groups(asked, { from, to }, groupBy, first);
    const meters = metersOf(this.reading.profile());
    const groups = found.sums.map(({ group }) => group);
    const times = this.reading.responseTimes.of(asked, [from, to], groupBy, groups, position);
    return {
      groups: found.sums.map((one) => ({
        ...shownSums(one, meters),
        group: shownGroup(one.group, groupBy),
        times: () => times(0, one.group),
      })),
      omittedGroups: found.omitted,
      omitted: shownOmitted(found, meters),
    };
  }

  @Cost(5)
  @FieldResolver(() => ResponseTimes, { nullable: true, description: RESPONSE_TIMES })
  responseTimes(@Root() { asked, from, to, position }: Usage): Promise<ResponseTimes | null> {
    return this.reading.responseTimes.of(asked, [from, to], [], [], position)(0, []);
  }

  @Cost(2)
  @Sized({ assumedSize: MAX_DENIALS })
  @FieldResolver(() => [LimitDenials], {
    nullable: true,
    description: `What limits have refused in this time, whatever the filter, the most first, ${MAX_DENIALS} at most. An hour of UTC counts whole if it begins in it.`,
  })
  async denials(@Root() { asked, from, to, position }: Usage): Promise<LimitDenials[]> {
    const { calls, stored } = this.reading;
    const queries = await calls.upTo(Math.max(position, stored()));
    const rows = await queries.denials(asked, from, to, MAX_DENIALS);
    return rows.map((row) => ({ ...row, calls: String(row.calls) }));
  }

  @Cost(2)
  @FieldResolver(() => Usage, {
    nullable: true,
    description:
      'What the account has used in the time before, which is as long and ends where this one begins.',
  })
  async previous(@Root() { asked, from, to, position, stale }: Usage): Promise<Usage> {
    const before = new Date(Math.max(0, 2 * from.getTime() - to.getTime()));
    const sums = await this.reading.analytics.total(asked, { from: before, to: from });
    const shown = shownSums(sums, metersOf(this.reading.profile()));
    return Object.assign(new Usage(), { ...shown, from: before, to: from, asked, position, stale });
  }
}

/** Of points of a timeline, too. */
@Resolver(() => UsageGroup)
export class UsageGroupResolver {
  @FieldResolver(() => ResponseTimes, { nullable: true, description: RESPONSE_TIMES })
  responseTimes(@Root() { times }: UsageGroup): Promise<ResponseTimes | null> {
    return times();
  }
}

/** What of an account somebody asks for. @throws ApiError INVALID_INPUT */
export async function askedOf(
  reading: Pick<UsageReading, 'subjectIds' | 'profile'>,
  account: Account,
  context: Pick<RequestContext, 'caller'>,
  filter: UsageFilter | null | undefined,
): Promise<UsesAsked> {
  const environment = environmentIn(account, context);
  return { account: account.id, environment, ...(await whichOf(reading, account.id, filter ?? {})) };
}

/**
 * Which uses a filter means; what is not given is left out.
 * @param field what a refusal of properties names
 * @throws ApiError INVALID_INPUT
 */
export async function whichOf(
  { subjectIds, profile }: Pick<UsageReading, 'subjectIds' | 'profile'>,
  accountId: string,
  {
    keyId,
    planId,
    subject,
    properties,
    ...others
  }: {
    readonly [Name in Exclude<keyof UsageFilter, 'properties'>]?: string | null | undefined;
  } & Pick<UsageFilter, 'properties'>,
  field = 'filter.properties',
): Promise<Pick<UsesAsked, 'filter' | 'properties'>> {
  const named = subject == null ? undefined : await subjectIds.idOf(accountId, subject);
  const wanted = { ...others, key: keyId, plan: planId, subject: named };
  const names = (properties ?? []).map(({ name }) => name);
  checkProperties(field, names, profile());
  return {
    filter: Object.fromEntries(Object.entries(wanted).filter(([, value]) => value != null)),
    properties: Object.fromEntries((properties ?? []).map(({ name, value }) => [name, value])),
  };
}

/** Whether calls may be missing, once the ledger has had its time. @param accountId undefined for all accounts */
export async function staleOf(
  { stored, ledgerReached, queries }: UsageReading,
  accountId: string | undefined,
  position: Position,
): Promise<boolean> {
  const fresh = await ledgerReached(Math.max(position, stored()), LEDGER_WAIT_MS);
  return !fresh || (accountId !== undefined && (await queries.waits(accountId)));
}

/** What usage is grouped by. @param field what a refusal of properties names @throws ApiError INVALID_INPUT */
export function groupingOf(
  { groupBy, groupByProperties }: Pick<GroupArgs, 'groupBy' | 'groupByProperties'>,
  profile: Profile,
  least = 0,
  field = 'groupByProperties',
): readonly Grouping[] {
  const tooMany = groupBy.length > MAX_DIMENSIONS || new Set(groupBy).size < groupBy.length;
  if (tooMany || groupBy.length + groupByProperties.length < least) {
    throw invalidInput('groupBy', `"groupBy" has ${least} to ${MAX_DIMENSIONS} dimensions, each once.`);
  }
  checkProperties(field, groupByProperties, profile);
  return [...groupBy, ...groupByProperties.map((name) => `property.${name}` as const)];
}

/** @throws ApiError INVALID_INPUT for other properties than those that reports go by */
function checkProperties(field: string, names: readonly string[], profile: Profile): void {
  const known = reportedProperties(profile);
  if (names.every((name) => known.includes(name)) && new Set(names).size === names.length) return;
  const which = known.length === 0 ? 'This service has none.' : `There are: ${known.join(', ')}.`;
  throw invalidInput(field, `Reports go by the properties that the service names, each once. ${which}`);
}

/** @throws ApiError INVALID_INPUT */
export async function timelineOf(
  { analytics, profile, responseTimes }: Pick<UsageReading, 'analytics' | 'profile' | 'responseTimes'>,
  asked: UsesAsked,
  { from, to, interval, timeZone, first, ...args }: TimelineArgs,
  now: number,
  stale: boolean,
): Promise<UsageTimeline> {
  const groupBy = groupingOf(args, profile());
  const span = { from: from ?? undefined, to: to ?? undefined };
  const timeline = await analytics.timeline({ ...asked, ...span, interval, timeZone, groupBy, first }, now);
  const { boundaries, points } = timeline;
  const meters = metersOf(profile());
  const times = responseTimes.of(
    asked,
    boundaries,
    groupBy,
    points.sums.map(({ group }) => group),
  );
  return {
    from: timeline.from,
    to: timeline.to,
    interval,
    timeZone,
    points: points.sums.map((point): UsagePoint => ({
      ...shownSums(point, meters),
      from: boundaries[point.bucket] as Date,
      to: boundaries[point.bucket + 1] as Date,
      group: shownGroup(point.group, groupBy),
      times: () => times(point.bucket, point.group),
    })),
    omittedGroups: points.omitted,
    omitted: shownOmitted(points, meters),
    stale,
  };
}
