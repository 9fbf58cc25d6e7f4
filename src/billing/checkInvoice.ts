import type { StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import { roundedRatio } from '../money/money.js';
import type { RatedLine } from '../overage/events.js';
import type { InvoiceSnapshot } from './decideInvoice.js';
import type { BillingEvent, InvoiceDifference, InvoiceLine, Terms } from './events.js';
import type { PaidTerms } from './paidTerms.js';
import { paidAt, paidTermsIn } from './paidTerms.js';

/** What is known here, by which an invoice of Stripe's is checked. */
export interface InvoiceFacts {
  /** The account's stream of its subscription. */
  readonly history: readonly StoredEvent[];
  /** What billing periods came to when they closed, by the ids of the events. */
  readonly closed: ReadonlyMap<string, readonly Pick<RatedLine, 'id' | 'amount'>[]>;
}

/** Parts of a period are divided from what was billed, which is rounded already: so much may a line differ. */
const PRORATION_TOLERANCE = 1;

/**
 * Compares an invoice, as it is when it is issued, with what it should be by our own events: each line, the discounts
 * and the sums. Taxes are taken as Stripe reports them.
 */
export function differencesOf(invoice: InvoiceSnapshot, facts: InvoiceFacts): InvoiceDifference[] {
  const { lines, subtotal, discount, tax, taxIncluded, total } = invoice;
  const found: InvoiceDifference[] = [];
  const compare = (
    what: InvoiceDifference['what'],
    line: string | null,
    ours: number,
    theirs: number,
  ): void => {
    if (ours !== theirs) found.push({ what, line, ours, theirs });
  };
  const agreed = agreedTerms(facts.history);
  for (const line of lines) {
    const ours = expectedOf(line, agreed, facts.closed);
    if (ours === undefined) continue;
    const tolerance = line.kind === 'proration' ? PRORATION_TOLERANCE : 0;
    if (Math.abs(ours - line.amount) > tolerance) compare(line.kind, line.id, ours, line.amount);
  }
  const off = expectedDiscount(invoice);
  if (off !== undefined) compare('discount', null, off, discount);
  compare('subtotal', null, sumOf(lines.map(({ amount }) => amount)), subtotal);
  compare('total', null, subtotal - discount + tax - taxIncluded, total);
  return found;
}

interface Agreed {
  readonly terms: readonly PaidTerms[];
  readonly changes: readonly Terms[];
  readonly trialEnds: ReadonlySet<string>;
  /** Whether a discount may have made parts of periods cheaper. */
  readonly discounted: boolean;
}

/** What is followed beside what is paid for; everything else is left aside. */
type Followed = Extract<
  BillingEvent,
  { type: 'TrialStarted' | 'PlanChanged' | 'CheckoutRequested' | 'PlanChangeRequested' | 'DiscountsChanged' }
>;

function agreedTerms(history: readonly StoredEvent[]): Agreed {
  const changes: Terms[] = [];
  const trialEnds = new Set<string>();
  let discounted = false;
  for (const stored of history) {
    const { type, data } = as<Followed>(stored);
    switch (type) {
      case 'TrialStarted':
        trialEnds.add(data.trialEndsAt);
        break;
      case 'PlanChanged':
        changes.push(data);
        break;
      case 'CheckoutRequested':
      case 'PlanChangeRequested':
        discounted ||= data.coupon !== undefined;
        break;
      case 'DiscountsChanged':
        discounted ||= data.discounts.length > 0;
        break;
      default:
      // Of no interest here.
    }
  }
  return { terms: paidTermsIn(history), changes, trialEnds, discounted };
}

/** What a line should come to; undefined where that can't be said. */
function expectedOf(line: InvoiceLine, agreed: Agreed, closed: InvoiceFacts['closed']): number | undefined {
  switch (line.kind) {
    case 'plan':
      return expectedPlan(line, agreed);
    case 'proration':
      return expectedProration(line, agreed);
    case 'usage': {
      const [event = ''] = line.events;
      return closed.get(event)?.find(({ id }) => id === line.ratedLine)?.amount ?? 0;
    }
    case 'other':
      // Nothing here says why it is billed.
      return 0;
  }
}

function expectedPlan({ price, periodStart, periodEnd, quantity }: InvoiceLine, agreed: Agreed) {
  if (agreed.trialEnds.has(periodEnd)) return 0;
  const paid = paidAt(agreed.terms, price, periodStart);
  return paid && paid.terms.amount * Number(quantity);
}

/** The rest of a period: what is given back of the old price, and what the new one costs. */
function expectedProration(line: InvoiceLine, { terms, changes, discounted }: Agreed): number | undefined {
  if (discounted) return undefined;
  const isCredit = line.amount < 0;
  const held = (isCredit ? terms.map((paid) => paid.terms) : changes).findLast(
    ({ price, periodEnd }) => price === line.price && periodEnd === line.periodEnd,
  );
  if (!held) return undefined;
  const [start, end, at] = [held.periodStart, held.periodEnd, line.periodStart].map((one) =>
    Date.parse(one),
  ) as [number, number, number];
  if (end <= start) return undefined;
  const amount =
    roundedRatio(BigInt(held.amount) * BigInt(end - at), BigInt(end - start)) * Number(line.quantity);
  return isCredit ? -amount : amount;
}

/** What discounts should take off; undefined where lines or terms are not known well enough. */
function expectedDiscount({ lines, discounts = [] }: InvoiceSnapshot): number | undefined {
  const isForeign = lines.some(({ kind, amount }) => kind === 'other' && amount > 0);
  if (isForeign) return undefined;
  const left = lines.flatMap(({ kind, amount }) => (kind === 'plan' && amount > 0 ? [amount] : []));
  let off = 0;
  for (const { percentOff = null, amountOff = null } of discounts) {
    if (percentOff === null && amountOff === null) return undefined;
    let fixed = amountOff ?? 0;
    for (const [place, amount] of left.entries()) {
      const cut = percentOff === null ? Math.min(fixed, amount) : percentOfAmount(amount, percentOff);
      if (percentOff === null) fixed -= cut;
      left[place] = amount - cut;
      off += cut;
    }
  }
  return off;
}

const PERCENT_SCALE = 10_000;

const percentOfAmount = (amount: number, percent: number): number =>
  roundedRatio(BigInt(amount) * BigInt(Math.round(percent * PERCENT_SCALE)), BigInt(100 * PERCENT_SCALE));

const sumOf = (amounts: readonly number[]): number => amounts.reduce((sum, amount) => sum + amount, 0);
