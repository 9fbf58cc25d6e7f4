/** Times are whole seconds since the epoch, as on Stripe's wire. */
export type Seconds = number;

export const HOUR = 3_600;
export const DAY = 86_400;

export interface Recurrence {
  readonly interval: 'day' | 'week' | 'month' | 'year';
  readonly interval_count: number;
}

export interface Period {
  readonly start: Seconds;
  readonly end: Seconds;
}

/** The anchor moved by so many intervals: months and years keep its day, or take the last one that there is (UTC). */
export function boundary(anchor: Seconds, { interval, interval_count }: Recurrence, n: number): Seconds {
  const count = interval_count * n;
  if (interval === 'day') return anchor + count * DAY;
  if (interval === 'week') return anchor + count * 7 * DAY;
  const date = new Date(anchor * 1000);
  const months = date.getUTCMonth() + (interval === 'year' ? 12 * count : count);
  const year = date.getUTCFullYear();
  const lastDay = new Date(Date.UTC(year, months + 1, 0)).getUTCDate();
  const time = (anchor % DAY) * 1000;
  return (Date.UTC(year, months, Math.min(date.getUTCDate(), lastDay)) + time) / 1000;
}

/** The period that holds a moment, counted from the anchor and never from the last period. */
export function periodAt(anchor: Seconds, recurrence: Recurrence, at: Seconds): Period {
  const length = boundary(anchor, recurrence, 1) - anchor;
  let n = Math.floor((at - anchor) / length);
  while (boundary(anchor, recurrence, n) > at) n--;
  while (boundary(anchor, recurrence, n + 1) <= at) n++;
  return { start: boundary(anchor, recurrence, n), end: boundary(anchor, recurrence, n + 1) };
}

/** `31d`, `2h`, `1mo`, `1y` or an ISO date, from a moment on. Undefined where it is neither. */
export function later(from: Seconds, text: string): Seconds | undefined {
  const [, digits, unit] = /^(\d{1,4})\s*(s|m|h|d|w|mo|y)$/.exec(text.trim()) ?? [];
  if (digits === undefined) {
    const date = Date.parse(text);
    return /^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(date) ? Math.floor(date / 1000) : undefined;
  }
  const n = Number(digits);
  if (unit === 'mo') return boundary(from, { interval: 'month', interval_count: 1 }, n);
  if (unit === 'y') return boundary(from, { interval: 'year', interval_count: 1 }, n);
  return from + n * { s: 1, m: 60, h: HOUR, d: DAY, w: 7 * DAY }[unit as 's' | 'm' | 'h' | 'd' | 'w'];
}
