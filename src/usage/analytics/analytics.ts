import type { Grouping } from '../../../projections/usage/reports.js';
import { QUARTER_MS } from '../../../projections/usage/reports.js';
import type {
  BucketSums,
  Grouped,
  GroupSums,
  Sums,
  UsageReports,
  UsesAsked,
} from '../../../projections/usage/reports.js';
import { invalidInput } from '../../graphql/kit/errors.js';
import { calendarSteps, offsetAt } from '../../text/timeZone.js';

export type Interval = 'quarter-hour' | 'hour' | 'day' | 'month';

/** Of a timeline, by its interval: how many at most, and what they are called. */
export const INTERVALS: Readonly<Record<Interval, { readonly most: number; readonly called: string }>> = {
  'quarter-hour': { most: 7 * 96, called: '7 days by the quarter-hour' },
  hour: { most: 31 * 24 + 1, called: '31 days by the hour' },
  day: { most: 400, called: '400 days by the day' },
  month: { most: 120, called: '120 months by the month' },
};
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** For sums of a whole time. */
const MAX_SPAN_DAYS = 3_660;

export interface Span {
  readonly from: Date;
  readonly to: Date;
}

export interface TimelineAsked extends UsesAsked {
  readonly from: Date | undefined;
  readonly to: Date | undefined;
  readonly interval: Interval;
  readonly timeZone: string;
  readonly groupBy: readonly Grouping[];
  /** Points at most. */
  readonly first: number;
}

export interface Timeline extends Span {
  /** One more than there are intervals. */
  readonly boundaries: readonly Date[];
  /** By interval, of the groups that are shown. */
  readonly points: Grouped<BucketSums>;
}

const monthOf = (now: number): Date => {
  const date = new Date(now);
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1));
};

/** Where a time lies between steps that all are as long. Nothing was used before 1970. */
const floor = (time: Date, step: number): Date =>
  new Date(Math.floor(Math.max(0, time.getTime()) / step) * step);
const ceil = (time: Date, step: number): Date =>
  new Date(Math.ceil(Math.max(0, time.getTime()) / step) * step);

/** What uses came to, for whoever asks in whichever way. */
export class UsageAnalytics {
  constructor(private readonly reports: UsageReports) {}

  /** The time that sums are of: quarter-hours, by default the month so far. @throws ApiError INVALID_INPUT */
  span(from: Date | undefined, to: Date | undefined, now: number): Span {
    const span = {
      from: floor(from ?? monthOf(now), QUARTER_MS),
      to: ceil(to ?? new Date(now + 1), QUARTER_MS),
    };
    ordered(span);
    if (span.to.getTime() - span.from.getTime() > MAX_SPAN_DAYS * DAY_MS) {
      throw invalidInput('from', `At most ${MAX_SPAN_DAYS} days can be summed up.`);
    }
    return span;
  }

  total(asked: UsesAsked, { from, to }: Span): Promise<Sums> {
    return this.reports.total(asked, from, to);
  }

  /** The same of meters that add up alone. */
  added(asked: UsesAsked, { from, to }: Span): Promise<Sums> {
    return this.reports.total(asked, from, to, false);
  }

  /** The groups with the most uses. */
  groups(
    asked: UsesAsked,
    { from, to }: Span,
    groupBy: readonly Grouping[],
    first: number,
  ): Promise<Grouped<GroupSums>> {
    return this.reports.groups(asked, from, to, groupBy, first);
  }

  /** Of meters that add up, between boundaries, in one group, the oldest first. */
  async between(asked: UsesAsked, boundaries: readonly Date[]): Promise<readonly BucketSums[]> {
    return (await this.reports.timeline(asked, boundaries, [], 1, false)).sums;
  }

  /** When the intervals begin, and when the last ends. @throws ApiError INVALID_INPUT */
  boundaries(asked: TimelineAsked, now: number): readonly Date[] {
    return boundariesOf(asked, now);
  }

  /** Between boundaries, by group. @param most groups at most, those with the most uses */
  sums(asked: TimelineAsked, boundaries: readonly Date[], most: number): Promise<Grouped<BucketSums>> {
    return this.reports.timeline(asked, boundaries, asked.groupBy, most);
  }

  /** @throws ApiError INVALID_INPUT */
  async timeline(asked: TimelineAsked, now: number): Promise<Timeline> {
    const boundaries = boundariesOf(asked, now);
    const { groupBy, first } = asked;
    const intervals = boundaries.length - 1;
    if (intervals > first) {
      throw invalidInput(
        'first',
        `There are ${intervals} intervals: ask for as many points, or for a shorter time.`,
      );
    }
    const most = groupBy.length === 0 ? 1 : Math.floor(first / intervals);
    const points = await this.reports.timeline(asked, boundaries, groupBy, most);
    return { from: boundaries[0] as Date, to: boundaries.at(-1) as Date, boundaries, points };
  }
}

function ordered({ from, to }: Span): void {
  if (to <= from) throw invalidInput('to', '"to" must be later than "from".');
}

/** When the intervals begin, and when the last ends. @throws ApiError INVALID_INPUT */
function boundariesOf({ from: given, to: until, interval, timeZone }: TimelineAsked, now: number): Date[] {
  const { most, called } = INTERVALS[interval];
  const from = given ?? (interval === 'month' ? new Date(now - 365 * DAY_MS) : defaultFrom(interval, now));
  const to = until ?? new Date(now + 1);
  ordered({ from, to });
  const tooMany = () => invalidInput('from', `At most ${called} can be asked for at once.`);
  if (interval === 'quarter-hour' || interval === 'hour') {
    const step = interval === 'hour' ? HOUR_MS : QUARTER_MS;
    // Hours of the zone may begin with another minute. Where clocks are set by half an hour, they go on as before.
    const shift = offsetAt(timeZone, from.getTime());
    const begin = floor(new Date(from.getTime() + shift), step).getTime() - shift;
    const count = Math.ceil((to.getTime() - begin) / step);
    if (count > most) throw tooMany();
    return Array.from({ length: count + 1 }, (_, i) => new Date(begin + i * step));
  }
  const begin = Math.max(0, from.getTime());
  const steps = calendarSteps(timeZone, interval, begin, Math.max(begin + 1, to.getTime()), most);
  if (steps.length - 1 > most) throw tooMany();
  return steps.map((start) => new Date(start));
}

const defaultFrom = (interval: Interval, now: number): Date =>
  interval === 'day' ? monthOf(now) : new Date(now - DAY_MS);
