import type { BilledUse } from '../../projections/billedUse/queries.js';
import type { Position } from '../eventsourcing/event.js';
import type { OverageState } from './decide.js';
import { billedOf, lookedAtUpTo } from './decide.js';
import type { RatedLine } from './events.js';
import type { PaidByCredits } from './rate.js';
import { adjustmentOf } from './rate.js';
import type { Account, CreditsOf, Running, Statements } from './statements.js';
import type { BillingPeriod, PaidLife } from './terms.js';
import { asClosed, isPeriodOf, partsOfPeriod } from './terms.js';

/**
 * Periods that are looked at again whatever has happened since, the newest: uses that are settled late change them, too.
 * Others are where a correction names them.
 */
const LOOKED_AT_AGAIN = 3;

/** An event by which use has changed that was recorded before. */
export interface UseCorrection {
  readonly eventId: string;
  readonly position: Position;
  /** Those that the use counts in, as it is stamped with them. */
  readonly periods: readonly string[];
}

/** What has corrected an account's use since an event, oldest first. */
export type CorrectionsOf = (accountId: string, after: Position) => Promise<readonly UseCorrection[]>;

/** The periods of a subscription that are closed, oldest first; of one that was paused, those between two pauses. */
export const closedBefore = ({ closed }: OverageState, life: PaidLife): BillingPeriod[] =>
  [...closed.values()]
    .filter((one) => isPeriodOf(life, one.period))
    .map(({ period: id, from, to }) => ({ id, from, to }));

/** The closed periods of all subscriptions in a currency, oldest first, each by what it was rated with. */
export const closedIn = ({ lives, state }: Account, currency: string): Running[] =>
  lives
    .filter((life) => life.currency === currency)
    .flatMap((life) =>
      closedBefore(state, life).map((period) => ({
        life: asClosed(life, state.closed.get(period.id)?.included ?? []),
        period,
      })),
    );

/** Those of them that may come to another amount now: the newest, and what corrections name. */
export function lookedAtAgain(
  account: Account,
  currency: string,
  corrected: readonly UseCorrection[],
): Running[] {
  const closed = closedIn(account, currency);
  return closed.filter(
    (one, place) => place >= closed.length - LOOKED_AT_AGAIN || corrected.some((by) => isAbout(by, one)),
  );
}

const isAbout = ({ periods }: UseCorrection, { life, period }: Running): boolean =>
  partsOfPeriod(life, period.id).some((part) => periods.includes(part));

/** What adjustments are computed from. */
export interface LookedAt {
  readonly use: BilledUse;
  readonly paid: PaidByCredits;
  readonly corrected: readonly UseCorrection[];
  /** Names what bills the difference. */
  readonly closing: string;
}

/** What closed periods come to now, less what was billed of them. */
export function adjustmentsOf(
  statements: Pick<Statements, 'rate'>,
  account: Account,
  again: readonly Running[],
  { use, paid, corrected, closing }: LookedAt,
): RatedLine[] {
  return again.flatMap((one): RatedLine[] => {
    const { life, period } = one;
    const now = statements.rate(account, life, period, use, paid);
    const by = corrected.filter((each) => each.position <= use.seen && isAbout(each, one));
    const adjustment = adjustmentOf(
      now,
      billedOf(account.state, period.id),
      period,
      closing,
      by.map(({ eventId }) => eventId),
    );
    return adjustment ? [adjustment] : [];
  });
}

/**
 * What corrections have changed of closed periods until now, which the invoice of the running one will have.
 * @param credits what they have paid, without drawing more
 */
export async function adjustmentsSoFar(
  statements: Statements,
  accountId: string,
  credits: CreditsOf,
  corrections: CorrectionsOf,
): Promise<RatedLine[]> {
  const account = await statements.account(accountId);
  const running = statements.running(account);
  if (!running) return [];
  const { life, period } = running;
  const corrected = await corrections(accountId, lookedAtUpTo(account.state, life.currency));
  const again = lookedAtAgain(account, life.currency, corrected);
  if (again.length === 0) return [];
  const use = await statements.read(accountId, [], again);
  const paid = await credits(accountId, statements.correctable(again, use));
  return adjustmentsOf(statements, account, again, { use, paid, corrected, closing: period.id });
}
