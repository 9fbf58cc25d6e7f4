/** The fixed windows; minute and hour slide and have no period. */
export type FixedWindow = 'day' | 'month';

export function isFixed(window: string): window is FixedWindow {
  return window === 'day' || window === 'month';
}

export interface Period {
  readonly name: string;
  /** When it begins, milliseconds since the epoch. */
  readonly begin: number;
  /** When the next one begins, milliseconds since the epoch. */
  readonly end: number;
}

const DAY_MS = 86_400_000;

/** The periods of one UTC day. Nearly all calls share a day, and formatting a date is slow. */
let known: { readonly day: number; readonly periods: Readonly<Record<FixedWindow, Period>> } | undefined;

/** The periods of the UTC calendar that `at` falls in. */
export function periodsAt(at: number): Readonly<Record<FixedWindow, Period>> {
  const day = Math.floor(at / DAY_MS);
  if (known?.day !== day) {
    const date = new Date(day * DAY_MS);
    const iso = date.toISOString();
    const month = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
    const nextMonth = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
    known = {
      day,
      periods: {
        day: { name: `day:${iso.slice(0, 10)}`, begin: day * DAY_MS, end: (day + 1) * DAY_MS },
        month: { name: `month:${iso.slice(0, 7)}`, begin: month, end: nextMonth },
      },
    };
  }
  return known.periods;
}

/** Names the period of the UTC calendar that `at` falls in, e.g. `month:2026-11`. */
export function periodOf(window: FixedWindow, at: number): string {
  return periodsAt(at)[window].name;
}

/** When the period after the one of `at` begins, milliseconds since the epoch. */
export function periodEnd(window: FixedWindow, at: number): number {
  return periodsAt(at)[window].end;
}
