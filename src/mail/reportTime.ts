import { z } from 'zod';
import { ConfigError } from '../config.js';
import { calendarSteps, isTimeZone, offsetAt } from '../text/timeZone.js';
import { readYamlFile } from '../yamlFile.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How many days that were missed are still told of. */
export const MISSED_DAYS = 14;

/** When operators get the figures of the day before: configuration, and no part of the published plans. */
const ReportTime = z.strictObject({
  /** By the clocks of the zone, 0 to 23. */
  hour: z.number().int().min(0).max(23),
  /** Of the IANA database. Days are those of its calendar. */
  timeZone: z.string().refine(isTimeZone, 'is no time zone, such as Europe/Berlin or UTC').default('UTC'),
});
export type ReportTime = z.infer<typeof ReportTime>;

/** What a profile says under `dailyReport`; undefined where nothing is reported. @throws ConfigError */
export async function readReportTime(file: string): Promise<ReportTime | undefined> {
  const source = await readYamlFile(file);
  const { dailyReport } = (source?.content ?? {}) as { readonly dailyReport?: unknown };
  if (!source || dailyReport === undefined) return undefined;
  const parsed = ReportTime.safeParse(dailyReport);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    parsed.error.issues.map(({ path, message }) => {
      const at = ['dailyReport', ...path];
      return `${source.place(at)}: ${at.join('.')}: ${message}`;
    }),
  );
}

/** A day of the zone's calendar. Times are milliseconds since the epoch. */
export interface ReportedDay {
  /** E.g. `2026-11-28`. */
  readonly day: string;
  readonly from: number;
  /** When the next one begins. */
  readonly to: number;
  /** When it is reported. */
  readonly due: number;
}

/** The days whose report is due at a time, the oldest first. */
export function daysDue({ hour, timeZone }: ReportTime, now: number): ReportedDay[] {
  const most = MISSED_DAYS + 3;
  const starts = calendarSteps(timeZone, 'day', now - (MISSED_DAYS + 1) * DAY_MS, now + 1, most);
  const days = starts.slice(0, -1).map((from, index): ReportedDay => {
    const to = starts[index + 1] as number;
    const later = to + hour * HOUR_MS;
    return {
      day: new Date(from + offsetAt(timeZone, from)).toISOString().slice(0, 10),
      from,
      to,
      // Where the clocks are changed before that hour, it comes earlier or later.
      due: later + offsetAt(timeZone, to) - offsetAt(timeZone, later),
    };
  });
  return days.filter(({ due }) => due <= now).slice(-MISSED_DAYS);
}

/** When a day of the zone's calendar begins and ends. */
export function spanOf({ timeZone }: ReportTime, day: string): readonly [from: Date, to: Date] {
  const noon = Date.parse(`${day}T12:00:00Z`);
  const within = noon - offsetAt(timeZone, noon);
  const [from = NaN, to = NaN] = calendarSteps(timeZone, 'day', within, within + DAY_MS, 3);
  return [new Date(from), new Date(to)];
}
