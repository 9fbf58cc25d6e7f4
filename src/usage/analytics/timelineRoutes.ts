import { z } from 'zod';
import { shownId } from '../../graphql/kit/ids.js';
import { metersOf } from '../../plans/profile.js';
import type { Route, RouteSpec } from '../../rest/route.js';
import { ShownQuantity } from '../../rest/shapes.js';
import { staleOf } from './analyticsResolvers.js';
import { shownOmitted } from './shownUsage.js';
import { csvLines, exported, jsonLines, shownPoints } from './timelineExport.js';
import type { TimelineRoutes } from './timelineQuery.js';
import { askedBy, TIMELINE_QUERY } from './timelineQuery.js';

/** What uses came to. */
const SUMS = {
  totals: z.array(ShownQuantity),
  calls: z.string(),
  refused: z.string(),
  errors: z.string(),
  meanDurationMs: z.number().nullable(),
};

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
        query: TIMELINE_QUERY,
        answer: z.object({
          accountId: z.string().nullable(),
          from: z.iso.datetime(),
          to: z.iso.datetime(),
          interval: z.string(),
          timeZone: z.string(),
          points: z.array(
            z.object({
              from: z.iso.datetime(),
              to: z.iso.datetime(),
              group: z.record(z.string(), z.string()),
              ...SUMS,
              responseTimes: z
                .object({ p50Ms: z.number(), p95Ms: z.number(), p99Ms: z.number(), calls: z.string() })
                .nullable()
                .optional(),
            }),
          ),
          omittedGroups: z.number(),
          omitted: z
            .object({
              ...SUMS,
              share: z.number(),
            })
            .nullable(),
          stale: z.boolean(),
        }),
      },
      handle: async (call) => {
        const { asked, withTimes } = await askedBy(options, call);
        const stale = await staleOf(options, asked.account, 0);
        const { from, to, boundaries, points } = await options.analytics.timeline(asked, call.usageTime);
        const { interval, timeZone } = asked;
        return {
          body: {
            accountId: asked.account === undefined ? null : shownId('Account', asked.account),
            from,
            to,
            interval,
            timeZone,
            points: await shownPoints(options, asked, boundaries, points.sums, withTimes),
            omittedGroups: points.omitted,
            omitted: shownOmitted(points, metersOf(options.profile())),
            stale,
          },
        };
      },
    },
    {
      ...shared,
      path: '/v1/usage/timeline.csv',
      spec: exportSpec(
        'text/csv',
        'The same as CSV, with a column for each meter. Of more than 1,000 groups in eight intervals the busiest are shown; what the others came to is one more line in each interval, without a group, and with their number in the column omittedGroups.',
      ),
      handle: (call) =>
        exported(options, call, 'text/csv; charset=utf-8; header=present', 'usage.csv', csvLines),
    },
    {
      ...shared,
      path: '/v1/usage/timeline.ndjson',
      spec: exportSpec(
        'application/x-ndjson',
        'The same as NDJSON, a line for each point. Of more than 1,000 groups in eight intervals the busiest are shown; what the others came to is one more line in each interval, with omittedGroups in place of group.',
      ),
      handle: (call) =>
        exported(options, call, 'application/x-ndjson; charset=utf-8', 'usage.ndjson', jsonLines),
    },
  ];
}

const exportSpec = (text: string, summary: string): RouteSpec => ({ summary, query: TIMELINE_QUERY, text });
