import type { Grouping } from '../../../projections/usage/reports.js';
import type { Grouped, Sums } from '../../../projections/usage/reports.js';
import { addedUp } from '../../../projections/usage/reports.js';
import { shownId } from '../../graphql/kit/ids.js';
import type { Meter } from '../../plans/meters.js';
import { totalsOf } from '../limits/limitTypes.js';
import type { OmittedUsage, UsageSums } from '../types.js';

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

/** What the groups came to that are left out; null for none. */
export function shownOmitted(
  { sums, omitted, others }: Grouped<Sums>,
  meters: readonly Meter[],
): OmittedUsage | null {
  if (omitted === 0) return null;
  const rest = addedUp(others);
  const all = sums.reduce((sum, { uses }) => sum + uses, rest.uses);
  return { ...shownSums(rest, meters), share: all === 0n ? 0 : Number(rest.uses) / Number(all) };
}

/** Ids have their prefixes. */
export const shownGroup = (group: readonly string[], groupBy: readonly Grouping[]): string[] =>
  group.map((value, i) => {
    const type = { key: 'Key', account: 'Account' } as const;
    const by = groupBy[i];
    return (by === 'key' || by === 'account') && value !== '' ? shownId(type[by], value) : value;
  });
