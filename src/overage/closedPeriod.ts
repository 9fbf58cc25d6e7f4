import type { BilledUse } from '../../projections/billedUse/queries.js';
import type { Position } from '../eventsourcing/event.js';
import type { LookedAt, UseCorrection } from './corrections.js';
import { adjustmentsOf, lookedAtAgain } from './corrections.js';
import type { ClosedPeriod, Correction } from './events.js';
import type { PaidByCredits } from './rate.js';
import { sumOf } from '../money/money.js';
import { RATER } from './rate.js';
import type { Account, Running, Statements } from './statements.js';
import { allowancesOf } from './terms.js';

/** What a period has come to, with what corrections change of those that were closed before. */
export function closedPeriod(
  statements: Pick<Statements, 'rate'>,
  account: Account,
  { life, period }: Running,
  use: BilledUse,
  paid: PaidByCredits,
  corrected: readonly UseCorrection[] = [],
): ClosedPeriod {
  const again = lookedAtAgain(account, life.currency, corrected);
  const own = statements.rate(account, life, period, use, paid);
  const looked = { use, paid, corrected, closing: period.id };
  const all = [...own, ...adjustmentsOf(statements, account, again, looked)];
  // No invoice follows that could have what is left of them: a correction beside it settles them.
  const lines = life.endedAt !== undefined && sumOf(all) < 0 ? own : all;
  return {
    period: period.id,
    from: period.from,
    to: period.to,
    subscription: life.subscription,
    currency: life.currency,
    asOf: use.seen,
    rater: RATER,
    included: allowancesOf(life),
    lines,
    total: sumOf(lines),
  };
}

/**
 * What the last period of a subscription leaves to be settled by itself: it has looked at all corrections until now,
 * and nobody looks at them again.
 */
export function correctionBeside(
  statements: Pick<Statements, 'rate'>,
  account: Account,
  { life: { currency } }: Running,
  { asOf, lines: own }: ClosedPeriod,
  { use, paid, corrected }: Omit<LookedAt, 'closing'>,
): Correction | undefined {
  if (own.some(({ kind }) => kind === 'adjustment')) return undefined;
  const correction = correctionAt(currency, asOf);
  const again = lookedAtAgain(account, currency, corrected);
  const lines = adjustmentsOf(statements, account, again, { use, paid, corrected, closing: correction });
  if (lines.length === 0) return undefined;
  return { correction, currency, asOf, rater: RATER, lines, total: sumOf(lines) };
}

/** Names what was corrected up to an event: each currency by itself. */
export const correctionAt = (currency: string, asOf: Position): string => `correction:${currency}:${asOf}`;
