import { differencesOf } from '../../src/billing/checkInvoice.js';
import type { InvoiceSnapshot } from '../../src/billing/decideInvoice.js';
import type { BillingEvent, InvoiceLine, Terms } from '../../src/billing/events.js';
import { StoredEvent } from '../../src/eventsourcing/event.js';
import type { RatedLine } from '../../src/overage/events.js';

const start = '2027-02-01T12:00:00.000Z';
const half = '2027-02-15T12:00:00.000Z';
const end = '2027-03-01T12:00:00.000Z';
const terms = (over: Partial<Terms> = {}): Terms => ({
  subscription: 'sub_1',
  plan: 'developer',
  price: 'developer-month-usd',
  interval: 'month',
  amount: 2900,
  currency: 'usd',
  periodStart: start,
  periodEnd: end,
  ...over,
});
const team = terms({ plan: 'team', price: 'team-month-usd', amount: 19_900 });
const started: BillingEvent = { type: 'SubscriptionStarted', data: terms() };
const changed: BillingEvent = { type: 'PlanChanged', data: { ...team, from: 'developer', changeId: null } };

const line = (over: Partial<InvoiceLine> = {}): InvoiceLine => ({
  id: 'il_1',
  kind: 'plan',
  description: '1 × Developer',
  quantity: 1,
  amount: 2900,
  periodStart: start,
  periodEnd: end,
  price: 'developer-month-usd',
  events: ['e1'],
  ...over,
});

/** With sums that fit its lines, unless they are given. */
function invoice(lines: readonly InvoiceLine[], over: Partial<InvoiceSnapshot> = {}): InvoiceSnapshot {
  const { discount = 0, tax = 0, taxIncluded = 0 } = over;
  const subtotal = lines.reduce((sum, { amount }) => sum + amount, 0);
  const total = subtotal - discount + tax - taxIncluded;
  return {
    id: 'in_1',
    customer: 'cus_1',
    status: 'open',
    number: 'X-0001',
    reason: 'subscription_cycle',
    currency: 'usd',
    issuedAt: start,
    periodStart: start,
    periodEnd: end,
    subtotal,
    discount,
    discounts: [],
    tax,
    taxIncluded,
    total,
    due: total,
    lines,
    paid: 0,
    attempts: 0,
    nextAttemptAt: null,
    credited: 0,
    ...over,
  };
}

const stored = (events: readonly BillingEvent[]): StoredEvent[] =>
  events.map(
    ({ type, data }, n) =>
      new StoredEvent(n + 1, 'subscription-a', n, `e${n}`, type, JSON.stringify(data), '{"schemaVersion":1}'),
  );
const check = (
  of: InvoiceSnapshot,
  events: readonly BillingEvent[] = [started],
  closed: ReadonlyMap<string, readonly RatedLine[]> = new Map(),
): string[] =>
  differencesOf(of, { history: stored(events), closed }).map(
    ({ what, ours, theirs }) => `${what} ${ours} ${theirs}`,
  );

it('finds nothing where all is as agreed', () => {
  expect(check(invoice([line()]))).toEqual([]);
  expect(check(invoice([line({ quantity: 3, amount: 8700 })]))).toEqual([]);
  expect(check(invoice([line()], { tax: 551 }))).toEqual([]);
  expect(check(invoice([line()], { tax: 463, taxIncluded: 463 }))).toEqual([]);
});

it('finds a price that nobody agreed on, and sums that do not add up', () => {
  expect(check(invoice([line({ amount: 2901 })]))).toEqual(['plan 2900 2901']);
  expect(check(invoice([line()], { subtotal: 3000 }))).toEqual(['subtotal 2900 3000', 'total 3000 2900']);
  expect(check(invoice([line()], { total: 2800 }))).toEqual(['total 2900 2800']);
});

it('takes the price as it was agreed when the period began', () => {
  const again: BillingEvent = {
    type: 'SubscriptionStarted',
    data: terms({ amount: 3900, periodStart: end, periodEnd: '2027-04-01T12:00:00.000Z' }),
  };
  expect(check(invoice([line()]), [started, again])).toEqual([]);
  expect(check(invoice([line({ periodStart: end, amount: 3900 })]), [started, again])).toEqual([]);
  expect(check(invoice([line({ periodStart: end })]), [started, again])).toEqual(['plan 3900 2900']);
});

it('bills nothing for a trial', () => {
  const trial: BillingEvent = { type: 'TrialStarted', data: { ...terms(), trialEndsAt: end } };
  expect(check(invoice([line({ amount: 0 })]), [trial])).toEqual([]);
  expect(check(invoice([line()]), [trial])).toEqual(['plan 0 2900']);
});

it('divides the rest of a period, to one minor unit', () => {
  const rest = (amount: number, price: string): InvoiceLine =>
    line({ kind: 'proration', amount, price, periodStart: half });
  const upgrade = (back: number, due: number): InvoiceSnapshot =>
    invoice([rest(back, 'developer-month-usd'), rest(due, 'team-month-usd')]);
  const events = [started, changed];
  expect(check(upgrade(-1450, 9950), events)).toEqual([]);
  expect(check(upgrade(-1449, 9951), events)).toEqual([]);
  expect(check(upgrade(-1400, 9950), events)).toEqual(['proration -1450 -1400']);
  expect(check(upgrade(-1450, 9990), events)).toEqual(['proration 9950 9990']);
});

it('compares use with what was rated, line by line, and explains no other line', () => {
  const rated = [{ id: 'a', amount: 300 } as RatedLine, { id: 'b', amount: -40 } as RatedLine];
  const use = (ratedLine: string, amount: number): InvoiceLine =>
    line({ kind: 'usage', price: null, events: ['closed'], ratedLine, amount });
  const closed = new Map([['closed', rated]]);
  expect(check(invoice([use('a', 300), use('b', -40)]), [], closed)).toEqual([]);
  expect(check(invoice([use('a', 310)]), [], closed)).toEqual(['usage 300 310']);
  expect(check(invoice([use('a', 300)]), [], new Map())).toEqual(['usage 0 300']);
  expect(check(invoice([line({ kind: 'other', price: null, events: [], amount: 500 })]))).toEqual([
    'other 0 500',
  ]);
});

it('takes discounts off plans alone, one after the other', () => {
  const off = (percentOff: number | null, amountOff: number | null, amount: number) => ({
    coupon: null,
    name: 'x',
    percentOff,
    amountOff,
    amount,
  });
  const with_ = (discount: number, ...discounts: ReturnType<typeof off>[]): string[] =>
    check(invoice([line()], { discount, discounts }));
  expect(with_(580, off(20, null, 580))).toEqual([]);
  expect(with_(500, off(20, null, 500))).toEqual(['discount 580 500']);
  expect(with_(2900, off(null, 5000, 2900))).toEqual([]);
  // 2900 − 20 % = 2320, − 500; the other way round it would be less.
  expect(with_(1080, off(20, null, 580), off(null, 500, 500))).toEqual([]);
  // 33.3 % of 2900 is 965.7: rounded, as Stripe does.
  expect(with_(966, off(33.3, null, 966))).toEqual([]);
  // What is not known can't be compared.
  expect(with_(700, off(null, null, 700))).toEqual([]);
});
