import { Readable } from 'node:stream';
import { z } from 'zod';
import type { Grouping } from '../../../projections/usage/reports.js';
import { DIMENSIONS, propertyOf } from '../../../projections/usage/reports.js';
import type { BucketSums, UsesAsked } from '../../../projections/usage/reports.js';
import { csvLine } from '../../csv.js';
import { invalidInput } from '../../graphql/kit/errors.js';
import { givenId } from '../../graphql/kit/ids.js';
import type { Logger } from '../../logger.js';
import { metersOf } from '../../plans/profile.js';
import type { Profile } from '../../plans/profile.js';
import { onlyParameters, parameter } from '../../rest/commandRoute.js';
import type { Reply, Route, RouteCall, RouteSpec } from '../../rest/route.js';
import { ShownQuantity } from '../../rest/shapes.js';
import { dayOf, timeOf } from '../../text/time.js';
import { isTimeZone } from '../../text/timeZone.js';
import type { Interval, TimelineAsked } from './analytics.js';
import { INTERVALS } from './analytics.js';
import type { UsageReading } from './analyticsResolvers.js';
import { groupingOf, staleOf, whichOf } from './analyticsResolvers.js';
import type { Payer } from '../reports/reportedUse.js';
import type { TimesOf } from './responseTimes.js';
import { shownGroup, shownSums } from './shownUsage.js';
import type { ResponseTimes, UsageDimension } from '../types.js';
import { MAX, USE_STATUSES_SHOWN } from '../types.js';

/** Of an export: groups at most in one interval, and intervals that are read, and held, at once. */
const EXPORT = { groups: 1_000, intervals: 8 } as const;

const QUERY: NonNullable<RouteSpec['query']> = {
  accountId: 'The account; by default that of the caller. Others than their own only operators may ask for.',
  keyId: 'Usage of this key.',
  interval: 'quarter-hour, hour, day or month; by default day.',
  from: 'As 2026-11-29 or in RFC 3339; by default the beginning of the month in UTC, by the month a year ago, by the hour a day ago.',
  to: 'Exclusive; by default now.',
  timeZone: 'By whose clocks days and months begin, as Asia/Kolkata; by default UTC.',
  groupBy: `Up to three of ${DIMENSIONS.join(', ')}, with commas between, and up to three properties that the service has named for reports, as property.model.`,
  planId: 'Usage under this plan.',
  property: 'Usage with this property, as model=small: of those that the service has named for reports.',
  operation: 'Usage of this operation.',
  endpoint: 'Usage of this endpoint.',
  source: 'Usage of this data source.',
  subject: 'Usage by this end customer, as the back end names them.',
  status: 'ok, error, timeout or refused.',
  responseTimes: '1: with percentiles of the time of execution, in milliseconds, within 2 percent.',
};

export interface TimelineRoutes extends UsageReading {
  /** Whose usage is asked for. @throws ApiError NOT_FOUND for what is not the caller's */
  readonly askedFor: (call: RouteCall) => Promise<Payer>;
  readonly access: Route['access'];
  readonly log: Logger;
}

/** `/v1/usage/timeline`, `/v1/usage/timeline.csv` and `.ndjson`: what `Account.usageTimeline` says, over plain HTTP. */
export function timelineRoutes(options: TimelineRoutes): Route[] {
  const shared = {
    method: 'GET',
    metering: 'guarded',
    access: options.access,
    cost: 0,
    problems: true,
  } as const;
  return [
    {
      ...shared,
      path: '/v1/usage/timeline',
      spec: {
        summary: 'What an account or key has used over time, in groups.',
        query: QUERY,
        answer: z.object({
          accountId: z.string(),
          from: z.iso.datetime(),
          to: z.iso.datetime(),
          interval: z.string(),
          timeZone: z.string(),
          points: z.array(
            z.object({
              from: z.iso.datetime(),
              to: z.iso.datetime(),
              group: z.record(z.string(), z.string()),
              totals: z.array(ShownQuantity),
              calls: z.string(),
              refused: z.string(),
              errors: z.string(),
              meanDurationMs: z.number().nullable(),
              responseTimes: z
                .object({ p50Ms: z.number(), p95Ms: z.number(), p99Ms: z.number(), calls: z.string() })
                .nullable()
                .optional(),
            }),
          ),
          omittedGroups: z.number(),
          stale: z.boolean(),
        }),
      },
      handle: async (call) => {
        const { accountId, asked, withTimes } = await askedBy(options, call);
        const stale = await staleOf(options, accountId, 0);
        const { from, to, boundaries, points, omittedGroups } = await options.analytics.timeline(
          asked,
          call.usageTime,
        );
        const shown = await shownPoints(options, asked, boundaries, points, withTimes);
        const { interval, timeZone } = asked;
        return { body: { accountId, from, to, interval, timeZone, points: shown, omittedGroups, stale } };
      },
    },
    {
      ...shared,
      path: '/v1/usage/timeline.csv',
      summary: 'The same as CSV, with up to 1,000 groups in each interval: a column for each meter.',
      handle: (call) =>
        exported(options, call, 'text/csv; charset=utf-8; header=present', 'usage.csv', csvLines),
    },
    {
      ...shared,
      path: '/v1/usage/timeline.ndjson',
      summary: 'The same as NDJSON, with up to 1,000 groups in each interval: a line for each point.',
      handle: (call) =>
        exported(options, call, 'application/x-ndjson; charset=utf-8', 'usage.ndjson', jsonLines),
    },
  ];
}

type Lines = (
  options: TimelineRoutes,
  asked: TimelineAsked,
  boundaries: readonly Date[],
  withTimes: boolean,
) => AsyncGenerator<string>;

/** An answer of any length: it holds a few intervals at once. */
async function exported(
  options: TimelineRoutes,
  call: RouteCall,
  contentType: string,
  filename: string,
  lines: Lines,
): Promise<Reply> {
  const { asked, withTimes } = await askedBy(options, call);
  const boundaries = options.analytics.boundaries(asked, call.usageTime);
  const body = Readable.from(lines(options, asked, boundaries, withTimes), { objectMode: false });
  body.on('error', (error) => options.log.error('an export of usage ended early', error));
  return {
    headers: {
      'content-type': contentType,
      'content-disposition': `attachment; filename="${filename}"`,
      'cache-control': 'no-store',
    },
    body,
  };
}

/** Percentiles of what is shown. */
const timesOf = (
  { responseTimes }: TimelineRoutes,
  asked: TimelineAsked,
  boundaries: readonly Date[],
  points: readonly BucketSums[],
): TimesOf => {
  const groups = points.map(({ group }) => group);
  return responseTimes.of(asked, boundaries, asked.groupBy, groups);
};

/** Points as JSON has them. */
function shownPoints(
  options: TimelineRoutes,
  asked: TimelineAsked,
  boundaries: readonly Date[],
  points: readonly BucketSums[],
  withTimes: boolean,
) {
  const meters = metersOf(options.profile());
  const times = timesOf(options, asked, boundaries, points);
  return Promise.all(
    points.map(async (point) => ({
      from: boundaries[point.bucket] as Date,
      to: boundaries[point.bucket + 1] as Date,
      group: Object.fromEntries(
        shownGroup(point.group, asked.groupBy).map((value, i) => [asked.groupBy[i] as string, value]),
      ),
      ...shownSums(point, meters),
      ...(withTimes && { responseTimes: await times(point.bucket, point.group) }),
    })),
  );
}

/** A few intervals at a time. */
async function* parts(
  { analytics }: TimelineRoutes,
  asked: TimelineAsked,
  boundaries: readonly Date[],
): AsyncGenerator<{ readonly some: readonly Date[]; readonly points: readonly BucketSums[] }> {
  for (let i = 0; i + 1 < boundaries.length; i += EXPORT.intervals) {
    const some = boundaries.slice(i, i + EXPORT.intervals + 1);
    yield { some, points: await analytics.sums(asked, some, EXPORT.groups) };
  }
}

async function* jsonLines(
  ...[options, asked, boundaries, withTimes]: Parameters<Lines>
): AsyncGenerator<string> {
  for await (const { some, points } of parts(options, asked, boundaries)) {
    const shown = await shownPoints(options, asked, some, points, withTimes);
    yield shown.map((point) => `${JSON.stringify(point)}\n`).join('');
  }
}

async function* csvLines(
  ...[options, asked, boundaries, withTimes]: Parameters<Lines>
): AsyncGenerator<string> {
  const meters = metersOf(options.profile());
  const names = meters.map(({ id }) => id);
  const counts = ['calls', 'refused', 'errors', 'meanDurationMs', ...(withTimes ? PERCENTILES : [])];
  yield csvLine(['from', 'to', ...asked.groupBy, ...counts, ...names]);
  for await (const { some, points } of parts(options, asked, boundaries)) {
    const times = timesOf(options, asked, some, points);
    const shown = points.map(async (point) =>
      line(point, some, withTimes ? await times(point.bucket, point.group) : undefined),
    );
    yield (await Promise.all(shown)).join('');
  }

  function line(point: BucketSums, some: readonly Date[], times?: ResponseTimes | null): string {
    const { totals, calls, refused, errors, meanDurationMs } = shownSums(point, meters);
    const quantities = new Map(totals.map(({ meter, quantity }) => [meter, quantity]));
    return csvLine([
      (some[point.bucket] as Date).toISOString(),
      (some[point.bucket + 1] as Date).toISOString(),
      ...shownGroup(point.group, asked.groupBy),
      calls,
      refused,
      errors,
      meanDurationMs === null ? '' : String(meanDurationMs),
      ...(withTimes ? PERCENTILES.map((name) => (times ? String(times[name]) : '')) : []),
      ...names.map((id) => quantities.get(id) ?? ''),
    ]);
  }
}

const PERCENTILES = ['p50Ms', 'p95Ms', 'p99Ms'] as const;

/** @throws ApiError INVALID_INPUT, NOT_FOUND */
async function askedBy(
  options: TimelineRoutes,
  call: RouteCall,
): Promise<{ readonly accountId: string; readonly asked: TimelineAsked; readonly withTimes: boolean }> {
  onlyParameters(call, Object.keys(QUERY));
  const { accountId, environment } = await options.askedFor(call);
  const interval = parameter(call, 'interval') ?? 'day';
  if (!Object.hasOwn(INTERVALS, interval)) {
    throw invalidInput('interval', `"interval" is one of ${Object.keys(INTERVALS).join(', ')}.`);
  }
  const timeZone = parameter(call, 'timeZone') ?? 'UTC';
  if (!isTimeZone(timeZone)) {
    throw invalidInput('timeZone', '"timeZone" is a name of the IANA database, like Asia/Kolkata.');
  }
  const status = parameter(call, 'status');
  if (status !== undefined && !USE_STATUSES_SHOWN.includes(status)) {
    throw invalidInput('status', `"status" is one of ${USE_STATUSES_SHOWN.join(', ')}.`);
  }
  const keyId = parameter(call, 'keyId');
  const filter = {
    planId: parameter(call, 'planId'),
    properties: propertiesIn(parameter(call, 'property')),
    keyId: keyId === undefined ? undefined : givenId('Key', keyId),
    operation: parameter(call, 'operation'),
    endpoint: parameter(call, 'endpoint'),
    source: parameter(call, 'source'),
    subject: parameter(call, 'subject'),
    status,
  };
  const which = await whichOf(options, accountId, filter, 'property');
  const uses: UsesAsked = { account: accountId, environment, ...which };
  const [from, to] = [momentOf(call, 'from'), momentOf(call, 'to')];
  const groupBy = groupsOf(parameter(call, 'groupBy'), options.profile());
  const withTimes = parameter(call, 'responseTimes') ?? '0';
  if (!['0', '1'].includes(withTimes)) throw invalidInput('responseTimes', '"responseTimes" must be 0 or 1.');
  return {
    accountId,
    withTimes: withTimes === '1',
    asked: { ...uses, from, to, interval: interval as Interval, timeZone, groupBy, first: MAX.points },
  };
}

/** Dimensions, and properties behind `property.`. @throws ApiError INVALID_INPUT */
function groupsOf(given: string | undefined, profile: Profile): readonly Grouping[] {
  const names = given?.split(',') ?? [];
  const properties = names.flatMap((name) => propertyOf(name) ?? []);
  const groupBy = names.filter((name) => propertyOf(name) === undefined);
  if (!groupBy.every((name) => (DIMENSIONS as readonly string[]).includes(name))) {
    throw invalidInput(
      'groupBy',
      `"groupBy" is up to three of ${DIMENSIONS.join(', ')}, with commas between, and property.<name>.`,
    );
  }
  const asked = { groupBy: groupBy as UsageDimension[], groupByProperties: properties };
  return groupingOf(asked, profile, 0, 'groupBy');
}

/** @throws ApiError INVALID_INPUT */
function propertiesIn(given: string | undefined): { name: string; value: string }[] | undefined {
  if (given === undefined) return undefined;
  const end = given.indexOf('=');
  if (end < 1) throw invalidInput('property', '"property" is a name and a value, as model=small.');
  return [{ name: given.slice(0, end), value: given.slice(end + 1) }];
}

/** A day alone is its beginning in UTC. */
function momentOf(call: RouteCall, name: string): Date | undefined {
  const text = parameter(call, name);
  if (text === undefined) return undefined;
  const time = dayOf(text) ?? timeOf(text);
  if (!time) throw invalidInput(name, `"${name}" must be a time like 2026-11-23 or 2026-11-23T10:00:00Z.`);
  return time;
}
