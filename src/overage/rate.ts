import { decimalsOf, quantityOf } from '../plans/meters.js';
import type { Meter } from '../plans/meters.js';
import { rateOverage, rounded } from '../plans/rate.js';
import { billedPart } from '../usage/periods.js';
import type { RatedLine } from './events.js';
import type { BillingPeriod, PaidLife, TermsOf } from './terms.js';

/** Raised when an amount comes out otherwise; what was closed by an earlier one stands (decision 30). */
export const RATER = 1;

/** Amounts of the ledger, by meter and the name of a part of a period. */
export type UsedOf = (meter: string, part: string) => bigint;
/** Units of overage that credits have paid, by the same. */
export type PaidByCredits = (meter: string, part: string) => number;

/** What was used above what is included, under one price. */
export interface Over {
  readonly terms: TermsOf;
  readonly meter: string;
  readonly part: string;
  readonly used: bigint;
  readonly over: bigint;
}

/**
 * What of a period is above what was included. The allowance in force counts against the whole period's use, in the
 * order of the prices; overage that was due is not undone by another plan.
 */
export function overOf(life: PaidLife, periodId: string, used: UsedOf): Over[] {
  const meters = new Set(life.terms.flatMap(({ overage }) => overage.map(({ meter }) => meter)));
  return [...meters].flatMap((meter) => {
    let before = 0n;
    return life.terms.flatMap((terms): Over[] => {
      const part = billedPart(periodId, terms.revision);
      const amount = used(meter, part);
      const after = before + amount;
      const priced = terms.overage.find((one) => one.meter === meter);
      const over = priced ? above(after, priced.included) - above(before, priced.included) : 0n;
      before = after;
      return priced ? [{ terms, meter, part, used: amount, over }] : [];
    });
  });
}

const above = (amount: bigint, included: number): bigint =>
  amount > BigInt(included) ? amount - BigInt(included) : 0n;

/** The lines of a period: each meter under each price, rounded once. Those of nothing are left out. */
export function rateLines(
  life: PaidLife,
  period: BillingPeriod,
  used: UsedOf,
  credits: PaidByCredits,
  meters: readonly Meter[],
): RatedLine[] {
  return overOf(life, period.id, used).flatMap(({ terms, meter, part, used: amount, over }): RatedLine[] => {
    const priced = terms.overage.find((one) => one.meter === meter);
    if (!priced || over <= 0n) return [];
    const paid = credits(meter, part);
    const quantity = over > BigInt(paid) ? over - BigInt(paid) : 0n;
    return [
      {
        id: `${part}:${meter}`,
        kind: 'overage',
        description: describe(meter, quantity, priced.included, meters),
        meter,
        period: period.id,
        from: period.from,
        to: period.to,
        terms: terms.revision,
        plan: terms.plan,
        used: Number(amount),
        included: priced.included,
        over: Number(over),
        credits: paid,
        quantity: Number(quantity),
        amount: rounded(rateOverage(priced, quantity)),
        events: [terms.eventId],
      },
    ];
  });
}

/** `1,560 requests above the 10,000 included` */
function describe(meter: string, quantity: bigint, included: number, meters: readonly Meter[]): string {
  const decimals = decimalsOf(meter, meters);
  const unit = meters.find(({ id }) => id === meter)?.unit ?? meter;
  const shown = (amount: bigint | number): string => {
    const [whole = '0', fraction] = quantityOf(amount, decimals).split('.');
    const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
    return fraction === undefined ? grouped : `${grouped}.${fraction}`;
  };
  return `${shown(quantity)} × ${unit} above the ${shown(included)} included`;
}

/** What a period that was closed before comes to now, less what was billed of it; nothing where that is the same. */
export function adjustmentOf(
  now: readonly RatedLine[],
  billed: readonly RatedLine[],
  period: BillingPeriod,
  closing: string,
): RatedLine | undefined {
  const sum = (lines: readonly RatedLine[]): number => lines.reduce((total, { amount }) => total + amount, 0);
  const amount = sum(now) - sum(billed);
  if (amount === 0) return undefined;
  const [first] = [...now, ...billed];
  return {
    id: `${period.id}:adjustment:${closing}`,
    kind: 'adjustment',
    description: `Correction of use from ${period.from.slice(0, 10)} to ${period.to.slice(0, 10)}`,
    meter: first?.meter ?? '',
    period: period.id,
    from: period.from,
    to: period.to,
    terms: null,
    plan: first?.plan ?? '',
    used: 0,
    included: 0,
    over: 0,
    credits: 0,
    quantity: 1,
    amount,
    events: [...new Set([...billed, ...now].flatMap(({ events }) => events))],
  };
}
