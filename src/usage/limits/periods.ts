/** The fixed windows; minute and hour slide and have no period. */
export type FixedWindow = 'day' | 'month' | 'billing-period' | 'lifetime';

const FIXED: ReadonlySet<string> = new Set<FixedWindow>(['day', 'month', 'billing-period', 'lifetime']);

export const isFixed = (window: string): window is FixedWindow => FIXED.has(window);

/** A period that counts anew: each time in a counter of its own, since none is ever reset in place. */
export interface PeriodReset {
  /** Its id without a generation. */
  readonly period: string;
  /** How often it was reset. */
  readonly generation: number;
}

export interface Period {
  /**
   * Names its counter for good: `day:2026-11-22` and `month:2026-11` of the calendar, `month:<anchor>:<n>`
   * from an anchor on, where n counts from 0, and `lifetime`; after a reset with `~<window>.<generation>` behind it. Two that hold other moments have other names.
   */
  readonly id: string;
  /** When it begins, milliseconds since the epoch. */
  readonly begin: number;
  /** When the next one begins; Infinity for the whole life. */
  readonly end: number;
}

/**
 * The moments, milliseconds since the epoch, from which on months are counted. Null or absent: the calendar
 * of UTC.
 */
export interface Anchors {
  /** Periods that an operator has begun anew, by their windows. */
  readonly resets?: Readonly<Partial<Record<FixedWindow, PeriodReset>>> | undefined;
  /** Of windows of a month. */
  readonly month?: number | null;
  /** Of billing periods, which are months too. */
  readonly billing?: number | null;
  /**
   * The revision of the event that says at which prices the account is billed. What is used under one of them is
   * counted by itself, so that each part of a period is rated at its own price.
   */
  readonly terms?: number | null;
}

const DAY_MS = 86_400_000;

/** The whole life of an account: it ends with the last time that there is. */
export const LIFETIME: Period = { id: 'lifetime', begin: -Infinity, end: Infinity };

/** The last ones asked for. Nearly all calls share them, and formatting a date is slow. */
let today: Period = { id: '', begin: 0, end: 0 };
let thisMonth: Period = { id: '', begin: 0, end: 0 };

function dayOf(at: number): Period {
  if (at >= today.begin && at < today.end) return today;
  const begin = Math.floor(at / DAY_MS) * DAY_MS;
  today = { id: `day:${new Date(begin).toISOString().slice(0, 10)}`, begin, end: begin + DAY_MS };
  return today;
}

function monthOf(at: number): Period {
  if (at >= thisMonth.begin && at < thisMonth.end) return thisMonth;
  const date = new Date(at);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  const id = `month:${date.toISOString().slice(0, 7)}`;
  thisMonth = { id, begin: Date.UTC(year, month, 1), end: Date.UTC(year, month + 1, 1) };
  return thisMonth;
}

/** So many months after the anchor: the same day and time, or the last day of a month that has not got it. */
export function monthsAfter(anchor: number, months: number): number {
  const date = new Date(anchor);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + months];
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const sinceMidnight = anchor - Math.floor(anchor / DAY_MS) * DAY_MS;
  return Date.UTC(year, month, Math.min(date.getUTCDate(), lastDay)) + sinceMidnight;
}

function anchoredMonth(at: number, anchor: number): Period {
  const [now, from] = [new Date(at), new Date(anchor)];
  let n = (now.getUTCFullYear() - from.getUTCFullYear()) * 12 + now.getUTCMonth() - from.getUTCMonth();
  if (monthsAfter(anchor, n) > at) n--;
  return { id: `month:${anchor}:${n}`, begin: monthsAfter(anchor, n), end: monthsAfter(anchor, n + 1) };
}

/** The period of a window that `at` falls in: the same for the same three, at whatever time it is asked for. */
export function periodAt(window: FixedWindow, at: number, anchors: Anchors = {}): Period {
  const period = unresetPeriodAt(window, at, anchors);
  const reset = anchors.resets?.[window];
  return reset?.period === period.id ? { ...period, id: resetId(window, reset) } : period;
}

/** Two windows may have one period, of which each is reset by itself. */
const resetId = (window: FixedWindow, { period, generation }: PeriodReset): string =>
  `${period}~${window}.${generation}`;

/** The same, as if no quota had ever been reset. */
export function unresetPeriodAt(window: FixedWindow, at: number, { month, billing }: Anchors = {}): Period {
  if (window === 'lifetime') return LIFETIME;
  if (window === 'day') return dayOf(at);
  const anchor = window === 'month' ? month : billing;
  return anchor == null ? monthOf(at) : anchoredMonth(at, anchor);
}

/** Names the part of a billing period that is billed at the same prices. */
export const billedPart = (periodId: string, terms: number): string => `${periodId}:${terms}`;

/** Which of the periods that a use is stored with is that of a window. */
export function countedIn(
  window: FixedWindow,
  periods: readonly string[],
  { month, billing }: Anchors = {},
): string | undefined {
  if (window === 'lifetime') return LIFETIME.id;
  const anchor = window === 'month' ? month : billing;
  const first = window === 'day' ? 'day:' : anchor == null ? undefined : `month:${anchor}:`;
  const base = periods.find((id) => (first === undefined ? isPartOfLifetime(id) : id.startsWith(first)));
  if (base === undefined) return undefined;
  const [period = base] = base.split('~');
  return periods.findLast((id) => id.startsWith(`${period}~${window}.`)) ?? period;
}

/** The periods that every use is stored with, whatever its limits: reports and later plans go by them. */
export function periodsOf(at: number, anchors: Anchors = {}): readonly string[] {
  const { month, billing, terms, resets } = anchors;
  const ids = [dayOf(at).id, monthOf(at).id];
  if (month != null) ids.push(anchoredMonth(at, month).id);
  if (billing != null) {
    const { id } = anchoredMonth(at, billing);
    if (billing !== month) ids.push(id);
    if (terms != null) ids.push(billedPart(id, terms));
  }
  for (const window in resets) {
    const { id } = periodAt(window as FixedWindow, at, anchors);
    if (!ids.includes(id)) ids.push(id);
  }
  return ids;
}

/** Names the period of the UTC calendar that `at` falls in, e.g. `month:2026-11`. */
export const periodOf = (window: 'day' | 'month', at: number): string => periodAt(window, at).id;

/** When the period after the one of `at` begins, milliseconds since the epoch. */
export const periodEnd = (window: 'day' | 'month', at: number): number => periodAt(window, at).end;

/** The ids of months of the calendar, as a regular expression of JavaScript and PostgreSQL. */
export const MONTHS = '^month:[0-9]{4,}-[0-9]{2}$';
const MONTH = new RegExp(MONTHS);

const DAY = /^day:[0-9]{4,}-[0-9]{2}-[0-9]{2}$/;

/** Whether this is a day of the calendar, that was not begun anew: each use has one. */
export const isDay = (id: string): boolean => DAY.test(id);

/** Whether amounts of this period are part of the whole life; each use has one such period. */
export const isPartOfLifetime = (id: string): boolean => MONTH.test(id);
