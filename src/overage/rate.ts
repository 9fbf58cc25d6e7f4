import { sumOf } from '../money/money.js';
import type { Whole } from '../money/whole.js';
import { wholeOf } from '../money/whole.js';
import type { Meter } from '../plans/meters.js';
import { decimalsOf, quantityOf } from '../plans/meters.js';
import { blocksOf, rateOverage, rounded } from '../plans/rate.js';
import { billedPart } from '../usage/limits/periods.js';
import type { RatedLine } from './events.js';
import type { BillingPeriod, PaidLife, Priced, TermsOf } from './terms.js';

/**
 * Raised when an amount comes out otherwise: a closed period names the one that it was rated with (decision 30). A
 * correction of it is rated with the newest.
 */
export const RATER = 2;

/** Amounts of the ledger, by meter and the name of a part of a period. */
export type UsedOf = (meter: string, part: string) => bigint;
/** Units of overage that credits have paid, by the same. */
export type PaidByCredits = (meter: string, part: string) => number;

/** What was used above what is included, under one price. */
export interface Over {
  readonly terms: TermsOf;
  readonly meter: string;
  readonly part: string;
  /** What was used in the period under the prices before. */
  readonly before: bigint;
  readonly used: bigint;
  readonly over: bigint;
}

/** Between which amounts of a part overage is paid for; undefined: to the last. */
export type PaidFor = (
  meter: string,
  part: string,
) => readonly (readonly [from: Whole, to: Whole | undefined])[];

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
      const start = before;
      const after = before + amount;
      const priced = terms.overage.find((one) => one.meter === meter);
      const over = priced ? above(after, priced.included) - above(before, priced.included) : 0n;
      before = after;
      return priced ? [{ terms, meter, part, before: start, used: amount, over }] : [];
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
  paidFor: PaidFor = () => [[0, undefined]],
): RatedLine[] {
  return overOf(life, period.id, used).flatMap((one): RatedLine[] => {
    const { terms, meter, part, used: amount, over } = one;
    const priced = terms.overage.find((one) => one.meter === meter);
    if (!priced || over <= 0n) return [];
    const paid = credits(meter, part);
    const left = over > BigInt(paid) ? over - BigInt(paid) : 0n;
    const allowed = allowedOf(one, priced.included, paidFor(meter, part));
    const quantity = left < allowed ? left : allowed;
    if (quantity <= 0n && paid === 0) return [];
    return [
      {
        id: `${part}:${meter}`,
        kind: 'overage',
        description: describe(meter, quantity, priced, meters),
        meter,
        period: period.id,
        from: period.from,
        to: period.to,
        terms: terms.revision,
        plan: terms.plan,
        used: wholeOf(amount),
        included: priced.included,
        over: wholeOf(over),
        credits: paid,
        quantity: wholeOf(quantity),
        amount: rounded(rateOverage(priced, quantity)),
        events: [terms.eventId],
      },
    ];
  });
}

/** What is above what is included and was used while overage was paid for. */
function allowedOf({ before, used }: Over, included: number, ranges: ReturnType<PaidFor>): bigint {
  const least = (one: bigint, other: bigint): bigint => (one < other ? one : other);
  return ranges.reduce((sum, [from, to]) => {
    const start = least(BigInt(from), used);
    const end = to === undefined ? used : least(BigInt(to), used);
    return end > start ? sum + above(before + end, included) - above(before + start, included) : sum;
  }, 0n);
}

/** Lines that come to a cap at most: the last ones are lowered. */
export function cappedAt(lines: readonly RatedLine[], most: number): RatedLine[] {
  let left = most;
  return lines.map((line) => {
    const amount = Math.min(line.amount, left);
    left -= amount;
    if (amount === line.amount) return line;
    return { ...line, amount, description: `${line.description}, up to the spend cap` };
  });
}

/** `1,560 × request above the 10,000 included`; where blocks are priced, `… included, as 2 blocks of 1,000` */
function describe(
  meter: string,
  quantity: bigint,
  { included, per }: Priced,
  meters: readonly Meter[],
): string {
  const decimals = decimalsOf(meter, meters);
  const unit = meters.find(({ id }) => id === meter)?.unit ?? meter;
  const shown = (amount: bigint | number): string => {
    const [whole = '0', fraction] = quantityOf(amount, decimals).split('.');
    return fraction === undefined ? grouped(whole) : `${grouped(whole)}.${fraction}`;
  };
  const above = `${shown(quantity)} × ${unit} above the ${shown(included)} included`;
  if (per === 1 || quantity === 0n) return above;
  const blocks = blocksOf(quantity, per);
  return `${above}, as ${grouped(String(blocks))} ${blocks === 1n ? 'block' : 'blocks'} of ${shown(per)}`;
}

const grouped = (digits: string): string => digits.replace(/\B(?=(\d{3})+$)/g, ',');

/** What a period that was closed before comes to now, less what was billed of it; nothing where that is the same. */
export function adjustmentOf(
  now: readonly RatedLine[],
  billed: readonly RatedLine[],
  period: BillingPeriod,
  closing: string,
  /** Ids of the events by which use has changed, as far as there are any. */
  corrections: readonly string[] = [],
): RatedLine | undefined {
  const amount = sumOf(now) - sumOf(billed);
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
    events: [...new Set([...billed, ...now].flatMap(({ events }) => events).concat(corrections))],
  };
}
