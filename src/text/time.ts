/** RFC 3339, section 5.6: with a zone, and whole to the second. */
const TIME =
  /^(?<date>\d{4}-\d\d-\d\d)T(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)(\.\d{1,30})?(Z|[+-](?<zoneHour>\d\d):(?<zoneMinute>\d\d))$/i;
const DATE = /^(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)$/;

/** In UTC: years 1 to 9999, which ISO 8601 writes with four digits and PostgreSQL reads. */
export function isStorable(time: Date): boolean {
  const year = time.getUTCFullYear();
  return year >= 1 && year <= 9999;
}

/** Whether the calendar has that day: `Date` takes 30 February for a day in March. */
function isDay(text: string): boolean {
  const { year, month, day } = DATE.exec(text)?.groups ?? {};
  if (year === undefined) return false;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
}

/**
 * A point in time as text, e.g. `2026-11-23T10:15:30Z`, in the years 1 to 9999 of UTC. Parts of a second are cut
 * to milliseconds. There is no hour 24 and no second 60.
 * @returns undefined for whatever is none, a day that the calendar does not have among it
 */
export function timeOf(text: string): Date | undefined {
  const { date, hour, minute, second, zoneHour = '00', zoneMinute = '00' } = TIME.exec(text)?.groups ?? {};
  if (date === undefined || !isDay(date)) return undefined;
  if (Number(hour) > 23 || Number(zoneHour) > 23) return undefined;
  if ([minute, second, zoneMinute].some((part) => Number(part) > 59)) return undefined;
  const time = new Date(text);
  return isStorable(time) ? time : undefined;
}

/** A day as text, e.g. `2026-11-23`: its beginning in UTC. @returns undefined for whatever is none */
export function dayOf(text: string): Date | undefined {
  if (!isDay(text)) return undefined;
  const time = new Date(`${text}T00:00:00Z`);
  return isStorable(time) ? time : undefined;
}
