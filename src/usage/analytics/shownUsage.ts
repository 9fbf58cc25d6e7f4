import type { Grouping } from '../../../projections/usage/reports.js';
import type { Sums } from '../../../projections/usage/reports.js';
import { shownId } from '../../graphql/kit/ids.js';
import type { Meter } from '../../plans/meters.js';
import { totalsOf } from '../limits/limitTypes.js';
import type { UsageSums } from '../types.js';

/** As answers show it. */
export function shownSums(
  { amounts, uses, refused, errors, durationUs }: Sums,
  meters: readonly Meter[],
): UsageSums {
  const executed = Number(uses - refused);
  return {
    totals: totalsOf(amounts, meters),
    calls: String(uses),
    refused: String(refused),
    errors: String(errors),
    meanDurationMs: executed > 0 ? Number(durationUs) / executed / 1000 : null,
  };
}

/** Ids have their prefixes. */
export const shownGroup = (group: readonly string[], groupBy: readonly Grouping[]): string[] =>
  group.map((value, i) => (groupBy[i] === 'key' && value !== '' ? shownId('Key', value) : value));
