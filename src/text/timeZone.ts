import { BoundedMap } from '../boundedMap.js';

/** Names of the IANA database: `Asia/Kolkata`, `UTC`. Engines take offsets and legacy names beside them. */
const NAME = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+){0,2}$/;
const MAX_LENGTH = 64;
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** The largest offset of any zone, and a little more. */
const MAX_OFFSET_MS = 15 * 3_600_000;

const FORMATS = new BoundedMap<Intl.DateTimeFormat>(100);

/** Undefined for what is no time zone. */
function formatOf(zone: string): Intl.DateTimeFormat | undefined {
  const known = FORMATS.get(zone);
  if (known) return known;
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    FORMATS.set(zone, format);
    return format;
  } catch {
    return undefined;
  }
}

/** Whether it is the name of a time zone in the IANA database, as this Node.js has it. */
export const isTimeZone = (name: string): boolean =>
  name.length <= MAX_LENGTH && NAME.test(name) && formatOf(name) !== undefined;

/** `MM/DD/YYYY, HH:MM:SS` */
const SHOWN = /^(\d+)\/(\d+)\/(\d+), (\d+):(\d+):(\d+)$/;

/** How far the clocks of a zone are ahead of UTC at that time, in milliseconds; below zero where they are behind. */
export function offsetAt(zone: string, at: number): number {
  if (zone === 'UTC') return 0;
  const parts = SHOWN.exec(formatOf(zone)?.format(at) ?? '');
  if (!parts) throw new RangeError('there is no such time zone');
  const [month = 0, day = 0, year = 0, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000;
}

/** A day of the calendar, as UTC's clocks would have its midnight: milliseconds since the epoch. */
type LocalDay = number;

const localDayOf = (zone: string, at: number): LocalDay =>
  Math.floor((at + offsetAt(zone, at)) / DAY_MS) * DAY_MS;

/** When a day begins: mostly at midnight, and where clocks are put forward at midnight, at one. */
function startOfDay(zone: string, day: LocalDay): number {
  const offset = offsetAt(zone, day - offsetAt(zone, day));
  const midnight = day - offset;
  // The first moment with that date; where no clock was set about then it is midnight.
  if (offsetAt(zone, midnight) === offset && localDayOf(zone, midnight - 1) < day) return midnight;
  let [before, from] = [day - MAX_OFFSET_MS, day + MAX_OFFSET_MS];
  while (from - before > MINUTE_MS) {
    const middle = Math.floor((before + from) / 2 / MINUTE_MS) * MINUTE_MS;
    if (localDayOf(zone, middle) >= day) from = middle;
    else before = middle;
  }
  return from;
}

/** The months of a calendar, counted from year 0. */
const monthsOf = (day: LocalDay): number => {
  const date = new Date(day);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
};
const firstOf = (months: number): LocalDay => Date.UTC(Math.floor(months / 12), months % 12, 1);

/** Steps of a calendar. Minutes and hours are as long everywhere; days and months go by the zone's clocks. */
export type CalendarStep = 'day' | 'month';

/**
 * When the days or months begin that hold a time, up to the first that begins at or after its end.
 * @param zone the name of a time zone
 * @param from milliseconds since the epoch
 * @param to exclusive
 * @param most days or months at most; of more it gives one more
 */
export function calendarSteps(
  zone: string,
  step: CalendarStep,
  from: number,
  to: number,
  most: number,
): number[] {
  const first = localDayOf(zone, from);
  const starts: number[] = [];
  for (let n = 0; starts.length <= most + 1; n++) {
    const day = step === 'day' ? first + n * DAY_MS : firstOf(monthsOf(first) + n);
    const start = startOfDay(zone, day);
    // A day that a zone has left out, as it crossed the date line, is none.
    if (starts.length === 0 || start > (starts.at(-1) as number)) starts.push(start);
    if (start >= to) break;
  }
  return starts;
}
