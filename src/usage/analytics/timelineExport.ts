import { Readable } from 'node:stream';
import type { BucketSums, OtherSums } from '../../../projections/usage/reports.js';
import { csvLine } from '../../csv.js';
import { metersOf } from '../../plans/profile.js';
import type { Reply, RouteCall } from '../../rest/route.js';
import type { TimelineAsked } from './analytics.js';
import type { TimesOf } from './responseTimes.js';
import { shownGroup, shownSums } from './shownUsage.js';
import type { TimelineRoutes } from './timelineQuery.js';
import { askedBy } from './timelineQuery.js';
import type { ResponseTimes } from '../types.js';

/** Of an export: groups at most in one interval, and intervals that are read, and held, at once. */
const EXPORT = { groups: 1_000, intervals: 8 } as const;

type Lines = (
  options: TimelineRoutes,
  asked: TimelineAsked,
  boundaries: readonly Date[],
  withTimes: boolean,
) => AsyncGenerator<string>;

/** An answer of any length: it holds a few intervals at once. */
export async function exported(
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

/** What is shown of a group, or of all others, which come last in their interval. */
type Point = BucketSums | OtherSums;

/** Percentiles of what is shown. */
const timesOf = (
  { responseTimes }: TimelineRoutes,
  asked: TimelineAsked,
  boundaries: readonly Date[],
  points: readonly Point[],
): TimesOf => {
  const groups = points.flatMap((point) => ('omitted' in point ? [] : [point.group]));
  return responseTimes.of(asked, boundaries, asked.groupBy, groups);
};

/** Points as JSON has them. Of the groups that are left out it has their number. */
export function shownPoints(
  options: TimelineRoutes,
  asked: TimelineAsked,
  boundaries: readonly Date[],
  points: readonly Point[],
  withTimes: boolean,
) {
  const meters = metersOf(options.profile());
  const times = timesOf(options, asked, boundaries, points);
  return Promise.all(
    points.map(async (point) => ({
      from: boundaries[point.bucket] as Date,
      to: boundaries[point.bucket + 1] as Date,
      ...('omitted' in point
        ? { omittedGroups: point.omitted }
        : {
            group: Object.fromEntries(
              shownGroup(point.group, asked.groupBy).map((value, i) => [asked.groupBy[i] as string, value]),
            ),
          }),
      ...shownSums(point, meters),
      ...(withTimes && !('omitted' in point) && { responseTimes: await times(point.bucket, point.group) }),
    })),
  );
}

/** A few intervals at a time. */
async function* parts(
  { analytics }: TimelineRoutes,
  asked: TimelineAsked,
  boundaries: readonly Date[],
): AsyncGenerator<{ readonly some: readonly Date[]; readonly points: readonly Point[] }> {
  for (let i = 0; i + 1 < boundaries.length; i += EXPORT.intervals) {
    const some = boundaries.slice(i, i + EXPORT.intervals + 1);
    const { sums, others } = await analytics.sums(asked, some, EXPORT.groups);
    yield { some, points: [...sums, ...others].sort((a, b) => a.bucket - b.bucket) };
  }
}

export async function* jsonLines(
  ...[options, asked, boundaries, withTimes]: Parameters<Lines>
): AsyncGenerator<string> {
  for await (const { some, points } of parts(options, asked, boundaries)) {
    const shown = await shownPoints(options, asked, some, points, withTimes);
    yield shown.map((point) => `${JSON.stringify(point)}\n`).join('');
  }
}

export async function* csvLines(
  ...[options, asked, boundaries, withTimes]: Parameters<Lines>
): AsyncGenerator<string> {
  const meters = metersOf(options.profile());
  const names = meters.map(({ id }) => id);
  const counts = ['calls', 'refused', 'errors', 'meanDurationMs', ...(withTimes ? PERCENTILES : [])];
  const omitted = asked.groupBy.length === 0 ? [] : ['omittedGroups'];
  yield csvLine(['from', 'to', ...asked.groupBy, ...counts, ...names, ...omitted]);
  for await (const { some, points } of parts(options, asked, boundaries)) {
    const times = timesOf(options, asked, some, points);
    const shown = points.map(async (point) =>
      line(point, some, withTimes && !('omitted' in point) ? await times(point.bucket, point.group) : null),
    );
    yield (await Promise.all(shown)).join('');
  }

  function line(point: Point, some: readonly Date[], times: ResponseTimes | null): string {
    const { totals, calls, refused, errors, meanDurationMs } = shownSums(point, meters);
    const quantities = new Map(totals.map(({ meter, quantity }) => [meter, quantity]));
    return csvLine([
      (some[point.bucket] as Date).toISOString(),
      (some[point.bucket + 1] as Date).toISOString(),
      ...('omitted' in point ? asked.groupBy.map(() => '') : shownGroup(point.group, asked.groupBy)),
      calls,
      refused,
      errors,
      meanDurationMs === null ? '' : String(meanDurationMs),
      ...(withTimes ? PERCENTILES.map((name) => (times ? String(times[name]) : '')) : []),
      ...names.map((id) => quantities.get(id) ?? ''),
      ...omitted.map(() => ('omitted' in point ? String(point.omitted) : '')),
    ]);
  }
}

const PERCENTILES = ['p50Ms', 'p95Ms', 'p99Ms'] as const;
