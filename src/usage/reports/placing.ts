import type { Anchors, FixedWindow } from '../limits/periods.js';
import type { EndedTerms } from '../../plans/profile.js';
import { billedPart, periodAt, unresetPeriodAt } from '../limits/periods.js';

/** The periods in which a use counts that is reported afterwards. */
export interface Placed {
  /** As records have them. */
  readonly periods: readonly string[];
  /** Whether one of them is not that of its time, which was closed. */
  readonly late: boolean;
  /** For each window, a moment of its period. */
  readonly counts: Readonly<Record<FixedWindow, number>>;
}

/**
 * Where a use counts: in the period of its time while that is open, afterwards in the present one.
 * @param at when it was used, milliseconds since the epoch
 * @param closeAfterMs how long a period stays open after its end
 */
export function placeUse(
  at: number,
  now: number,
  anchors: Anchors | undefined,
  closeAfterMs: number,
  /** The subscription that has ended last, where none runs. */
  ended?: EndedTerms,
): Placed {
  const within = (window: FixedWindow, from?: Anchors): number =>
    now < periodAt(window, at, from).end + closeAfterMs ? at : now;
  const [day, calendar] = [within('day'), within('month')];
  const [month, billing] = [within('month', anchors), within('billing-period', anchors)];
  // It is billed for by the period, however often a quota of it is reset.
  const billed = unresetPeriodAt('billing-period', billing, anchors).id;
  const past =
    anchors?.billing == null && ended && at >= ended.billing && at < ended.at
      ? unresetPeriodAt('billing-period', at, ended)
      : undefined;
  const ids = [
    periodAt('day', day).id,
    periodAt('day', day, anchors).id,
    periodAt('month', calendar).id,
    periodAt('month', month, anchors).id,
    billed,
    periodAt('billing-period', billing, anchors).id,
    ...(anchors?.billing != null && anchors.terms != null ? [billedPart(billed, anchors.terms)] : []),
    // No period follows in which it could count: it is a correction of its own.
    ...(past && ended ? [billedPart(past.id, ended.terms)] : []),
  ];
  return {
    periods: [...new Set(ids)],
    late:
      [day, calendar, month, billing].some((counted) => counted !== at) ||
      (past !== undefined && now >= Math.min(past.end, ended?.at ?? past.end) + closeAfterMs),
    counts: { day, month, 'billing-period': billing, lifetime: now },
  };
}
