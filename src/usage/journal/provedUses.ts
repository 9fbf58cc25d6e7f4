import type { PlanInForce } from '../../plans/profile.js';
import type { Use } from '../events.js';
import type { ProvedBatch } from './journal.js';
import type { MeterAmounts, Noted } from '../limits/limiter.js';
import type { UsagePayers } from '../reports/payers.js';
import type { Anchors, FixedWindow } from '../limits/periods.js';
import { periodAt } from '../limits/periods.js';
import { accountOf } from '../reports/payers.js';

/**
 * What limits have to know of a batch that proved stored after all: the uses that count nevertheless. Nobody has
 * noted them, since their callers were told to try again.
 */
export function notedOfProved(
  { groups, position, at: storedAt }: ProvedBatch,
  now: number,
  planOf: (accountId: string) => PlanInForce,
  payers: Pick<UsagePayers, 'limitsOf'>,
): Noted[] {
  return groups.flatMap(({ account: accountId, uses }) => {
    const plan = planOf(accountId);
    return uses.flatMap((use): Noted[] => {
      const { id, phase, environment, key: keyId, at } = use;
      // A reservation is given up by the correction.
      if (phase === undefined || phase === 'reserved') return [];
      const account = accountOf({ accountId, environment, keyId }, plan, now, payers, use.subject);
      const counts = countsOf(use, storedAt, plan.anchors);
      return [{ ...account, amounts: changeOf(use), at, counts, record: `${id}|${phase}`, position }];
    });
  });
}

/** What a record adds to what its use came to before. */
export function changeOf({
  phase,
  meters,
  replaces = {},
}: Pick<Use, 'phase' | 'meters' | 'replaces'>): MeterAmounts {
  const sign = phase === 'reversed' ? -1 : 1;
  const all = new Set([...Object.keys(meters), ...Object.keys(replaces)]);
  return Object.fromEntries(
    [...all].map((meter) => [meter, sign * (meters[meter] ?? 0) - (replaces[meter] ?? 0)]),
  );
}

/** For each window a moment of the period that the record says it counts in: that of its use, or of its storing. */
export function countsOf(
  { at, periods }: Use,
  storedAt: number,
  anchors: Anchors | undefined,
): Noted['counts'] {
  const within = (window: FixedWindow): number =>
    window === 'lifetime' || periods.includes(periodAt(window, at, anchors).id) ? at : storedAt;
  return {
    day: within('day'),
    month: within('month'),
    'billing-period': within('billing-period'),
    lifetime: at,
  };
}
