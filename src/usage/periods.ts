/** The fixed windows; minute and hour slide and have no period. */
export type FixedWindow = 'day' | 'month';

export function isFixed(window: string): window is FixedWindow {
  return window === 'day' || window === 'month';
}

/** Names the period of the UTC calendar that `at` falls in, e.g. `month:2026-11`. */
export function periodOf(window: FixedWindow, at: number): string {
  const iso = new Date(at).toISOString();
  return window === 'day' ? `day:${iso.slice(0, 10)}` : `month:${iso.slice(0, 7)}`;
}

/** When the period after the one of `at` begins, milliseconds since the epoch. */
export function periodEnd(window: FixedWindow, at: number): number {
  const date = new Date(at);
  return window === 'day'
    ? Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + 1)
    : Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}
