import type { CallDimension, CallQueries } from '../../../projections/calls/queries.js';
import { isCallDimension } from '../../../projections/calls/queries.js';
import type { Bin } from '../../../projections/calls/sketches.js';
import { quantilesOf } from '../../../projections/calls/sketches.js';
import type { Position } from '../../eventsourcing/event.js';
import { START } from '../../eventsourcing/event.js';
import type { Behind } from '../../following/behind.js';
import type { Grouping, UsageReports, UsesAsked } from '../../../projections/usage/reports.js';
import type { ResponseTimes } from '../types.js';

/** How long a group's calls of an interval took; null for none, and where that is not kept. */
export type TimesOf = (bucket: number, group: readonly string[]) => Promise<ResponseTimes | null>;

const PARTS = [0.5, 0.95, 0.99];

/** A value of each dimension, as one name. */
const nameOf = (bucket: number, group: readonly string[]): string => JSON.stringify([bucket, ...group]);

/** Percentiles of the time of execution. */
export class ResponseTimeReports {
  /**
   * @param reports of a ledger that was waited for
   * @param stored position of the newest event that this process has stored
   */
  constructor(
    private readonly queries: Behind<Pick<CallQueries, 'sketches'>>,
    private readonly reports: Pick<UsageReports, 'times'>,
    private readonly stored: () => Position,
  ) {}

  /**
   * Reads nothing until it is asked, and then once for all groups and intervals.
   * @param groups those that are shown
   * @param position what they must have seen, beside what this process has stored
   */
  of(
    { account, environment, filter, properties = {} }: UsesAsked,
    boundaries: readonly Date[],
    groupBy: readonly Grouping[],
    groups: readonly (readonly string[])[],
    position: Position = START,
  ): TimesOf {
    const known = [...groupBy, ...Object.keys(filter)].every(isCallDimension);
    if (!known || Object.keys(properties).length > 0 || !byTheHour(boundaries))
      return () => Promise.resolve(null);
    let read: Promise<ReadonlyMap<string, ResponseTimes>> | undefined;
    const load = async (): Promise<ReadonlyMap<string, ResponseTimes>> => {
      const queries = await this.queries.upTo(Math.max(position, this.stored()));
      const asked = { account, environment, filter };
      const by = groupBy as readonly string[] as readonly CallDimension[];
      const shown = distinct(groups);
      // What was executed here, and what back ends say of what they have executed.
      const rows = await Promise.all([
        queries.sketches(asked, 'duration', boundaries, by, shown),
        this.reports.times(asked, boundaries, by, shown),
      ]);
      const bins = new Map<string, Bin[]>();
      for (const { bucket, group, bins: some } of rows.flat()) {
        const name = nameOf(bucket, group);
        bins.set(name, [...(bins.get(name) ?? []), ...some]);
      }
      return new Map(
        [...bins].flatMap(([name, all]) => {
          const times = timesOf(all);
          return times ? [[name, times] as const] : [];
        }),
      );
    };
    return async (bucket, group) => (await (read ??= load())).get(nameOf(bucket, group)) ?? null;
  }
}

/** Sketches are kept by the hour: of less there is none. */
const byTheHour = (boundaries: readonly Date[]): boolean =>
  boundaries.every((date, i) => i === 0 || date.getTime() - (boundaries[i - 1] as Date).getTime() >= HOUR_MS);

const HOUR_MS = 3_600_000;

function distinct(groups: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return [...new Map(groups.map((group) => [JSON.stringify(group), group])).values()];
}

function timesOf(bins: readonly Bin[]): ResponseTimes | undefined {
  const quantiles = quantilesOf(bins, PARTS);
  if (!quantiles) return undefined;
  const [p50Ms = 0, p95Ms = 0, p99Ms = 0] = quantiles.map((us) => us / 1000);
  const calls = bins.reduce((sum, [, count]) => sum + count, 0);
  return { p50Ms, p95Ms, p99Ms, calls: String(calls) };
}
