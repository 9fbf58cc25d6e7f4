import { Readable } from 'node:stream';
import { z } from 'zod';
import type { Dimension } from '../../projections/usage/reports.js';
import { DIMENSIONS } from '../../projections/usage/reports.js';
import type { BucketSums, UsesAsked } from '../../projections/usage/reports.js';
import { csvLine } from '../csv.js';
import { invalidInput } from '../graphql/kit/errors.js';
import { givenId } from '../graphql/kit/ids.js';
import type { Logger } from '../logger.js';
import { decimalsOf, quantityOf } from '../plans/meters.js';
import { metersOf } from '../plans/profile.js';
import { parameter } from '../rest/commandRoute.js';
import type { Route, RouteCall, RouteSpec } from '../rest/route.js';
import { ShownQuantity } from '../rest/shapes.js';
import { dayOf, timeOf } from '../text/time.js';
import { isTimeZone } from '../text/timeZone.js';
import type { Interval, TimelineAsked } from './analytics.js';
import { INTERVALS } from './analytics.js';
import type { UsageReading } from './analyticsResolvers.js';
import { checkDimensions, filterOf, staleOf } from './analyticsResolvers.js';
import type { Payer } from './reportedUse.js';
import { shownGroup, shownSums } from './shownUsage.js';
import type { UsageDimension } from './types.js';
import { MAX, USE_STATUSES_SHOWN } from './types.js';

/** Of a CSV: groups at most in one interval, and intervals that are read, and held, at once. */
const CSV = { groups: 1_000, intervals: 8 } as const;

const QUERY: NonNullable<RouteSpec['query']> = {
  accountId: 'The account; by default that of the caller. Others than their own only operators may ask for.',
  keyId: 'Usage of this key.',
  interval: 'quarter-hour, hour, day or month; by default day.',
  from: 'As 2026-11-29 or in RFC 3339; by default the beginning of the month in UTC, by the month a year ago, by the hour a day ago.',
  to: 'Exclusive; by default now.',
  timeZone: 'By whose clocks days and months begin, as Asia/Kolkata; by default UTC.',
  groupBy: `Up to three of ${DIMENSIONS.join(', ')}, with commas between.`,
  operation: 'Usage of this operation.',
  endpoint: 'Usage of this endpoint.',
  source: 'Usage of this data source.',
  subject: 'Usage by this end customer, as the back end names them.',
  status: 'ok, error, timeout or refused.',
};

export interface TimelineRoutes extends UsageReading {
  /** Whose usage is asked for. @throws ApiError NOT_FOUND for what is not the caller's */
  readonly askedFor: (call: RouteCall) => Promise<Payer>;
  readonly access: Route['access'];
  readonly log: Logger;
}

/** `/v1/usage/timeline` and `/v1/usage/timeline.csv`: what `Account.usageTimeline` says, over plain HTTP. */
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
            }),
          ),
          omittedGroups: z.number(),
          stale: z.boolean(),
        }),
      },
      handle: async (call) => {
        const { accountId, asked } = await askedBy(options, call);
        const stale = await staleOf(options, accountId, 0);
        const { from, to, boundaries, points, omittedGroups } = await options.analytics.timeline(
          asked,
          call.usageTime,
        );
        const meters = metersOf(options.profile());
        const shown = points.map((point) => ({
          from: boundaries[point.bucket] as Date,
          to: boundaries[point.bucket + 1] as Date,
          group: Object.fromEntries(
            shownGroup(point.group, asked.groupBy).map((value, i) => [asked.groupBy[i] as string, value]),
          ),
          ...shownSums(point, meters),
        }));
        const { interval, timeZone } = asked;
        return { body: { accountId, from, to, interval, timeZone, points: shown, omittedGroups, stale } };
      },
    },
    {
      ...shared,
      path: '/v1/usage/timeline.csv',
      summary: 'The same as CSV, with up to 1,000 groups in each interval: a column for each meter.',
      handle: async (call) => {
        const { asked } = await askedBy(options, call);
        const boundaries = options.analytics.boundaries(asked, call.usageTime);
        const body = Readable.from(lines(options, asked, boundaries), { objectMode: false });
        body.on('error', (error) => options.log.error('an export of usage ended early', error));
        return {
          headers: {
            'content-type': 'text/csv; charset=utf-8; header=present',
            'content-disposition': 'attachment; filename="usage.csv"',
            'cache-control': 'no-store',
          },
          body,
        };
      },
    },
  ];
}

async function* lines(
  { analytics, profile }: TimelineRoutes,
  asked: TimelineAsked,
  boundaries: readonly Date[],
): AsyncGenerator<string> {
  const meters = metersOf(profile()).filter(
    ({ aggregation }) => aggregation === 'sum' || aggregation === 'count',
  );
  const names = meters.map(({ id }) => id);
  yield csvLine(['from', 'to', ...asked.groupBy, 'calls', 'refused', 'errors', 'meanDurationMs', ...names]);
  for (let i = 0; i + 1 < boundaries.length; i += CSV.intervals) {
    const some = boundaries.slice(i, i + CSV.intervals + 1);
    const points = await analytics.sums(asked, some, CSV.groups);
    yield points.map((point) => line(point, some, asked.groupBy)).join('');
  }

  function line(point: BucketSums, some: readonly Date[], groupBy: readonly Dimension[]): string {
    const { calls, refused, errors, meanDurationMs } = shownSums(point, meters);
    return csvLine([
      (some[point.bucket] as Date).toISOString(),
      (some[point.bucket + 1] as Date).toISOString(),
      ...shownGroup(point.group, groupBy),
      calls,
      refused,
      errors,
      meanDurationMs === null ? '' : String(meanDurationMs),
      ...names.map((id) => quantityOf(point.amounts.get(id) ?? 0n, decimalsOf(id, meters))),
    ]);
  }
}

/** @throws ApiError INVALID_INPUT, NOT_FOUND */
async function askedBy(
  options: TimelineRoutes,
  call: RouteCall,
): Promise<{ readonly accountId: string; readonly asked: TimelineAsked }> {
  const [unknown] = Object.keys(call.query).filter((name) => !Object.hasOwn(QUERY, name));
  if (unknown !== undefined) throw invalidInput(unknown, `Parameters are ${Object.keys(QUERY).join(', ')}.`);
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
  const filter = await filterOf(options, accountId, {
    keyId: keyId === undefined ? undefined : givenId('Key', keyId),
    operation: parameter(call, 'operation'),
    endpoint: parameter(call, 'endpoint'),
    source: parameter(call, 'source'),
    subject: parameter(call, 'subject'),
    status,
  });
  const uses: UsesAsked = { account: accountId, environment, filter };
  const [from, to] = [momentOf(call, 'from'), momentOf(call, 'to')];
  const groupBy = groupsOf(parameter(call, 'groupBy'));
  return {
    accountId,
    asked: { ...uses, from, to, interval: interval as Interval, timeZone, groupBy, first: MAX.points },
  };
}

function groupsOf(given: string | undefined): readonly Dimension[] {
  const groupBy = given?.split(',') ?? [];
  if (!groupBy.every((name) => (DIMENSIONS as readonly string[]).includes(name))) {
    throw invalidInput(
      'groupBy',
      `"groupBy" is up to three of ${DIMENSIONS.join(', ')}, with commas between.`,
    );
  }
  checkDimensions(groupBy as UsageDimension[]);
  return groupBy as Dimension[];
}

/** A day alone is its beginning in UTC. */
function momentOf(call: RouteCall, name: string): Date | undefined {
  const text = parameter(call, name);
  if (text === undefined) return undefined;
  const time = dayOf(text) ?? timeOf(text);
  if (!time) throw invalidInput(name, `"${name}" must be a time like 2026-11-23 or 2026-11-23T10:00:00Z.`);
  return time;
}
