import 'reflect-metadata';
import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import type { InvoiceRow } from '../../projections/invoices/queries.js';
import { Sized } from '../graphql/cost/directives.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { BigIntText, Money, moneyOf } from '../graphql/kit/money.js';
import { Node } from '../graphql/kit/node.js';
import { connectionOf } from '../graphql/kit/pages.js';
import type { InvoiceDiscount as StoredDiscount } from './events.js';
import type { Whole } from '../money/whole.js';
import type { Preview } from './payments.js';
import { Period } from './types.js';

/** So many lines of an invoice are shown, and so many events of a line. */
export const MAX_LINES = 100;
const MAX_EVENTS = 20;
/** So many discounts of an invoice are shown; `discount` is the sum of all. */
const MAX_DISCOUNTS = 3;

export enum InvoiceStatus {
  DRAFT = 'draft',
  OPEN = 'open',
  PAID = 'paid',
  VOID = 'void',
  UNCOLLECTIBLE = 'uncollectible',
}
registerEnumType(InvoiceStatus, {
  name: 'InvoiceStatus',
  description: 'State of an invoice.',
  valuesConfig: {
    DRAFT: { description: 'Not issued yet; it may still change.' },
    OPEN: { description: 'Issued, and to be paid.' },
    PAID: { description: 'Paid in full.' },
    VOID: { description: 'Voided: nothing is due.' },
    UNCOLLECTIBLE: { description: 'Written off: payment is no longer expected.' },
  },
});

export enum InvoiceLineKind {
  PLAN = 'plan',
  PRORATION = 'proration',
  USAGE = 'usage',
  OTHER = 'other',
}
registerEnumType(InvoiceLineKind, {
  name: 'InvoiceLineKind',
  description: 'What a line of an invoice is for.',
  valuesConfig: {
    PLAN: { description: 'A plan for one period.' },
    PRORATION: { description: 'Part of a period, after a change of plan.' },
    USAGE: { description: 'Usage beyond what the plan includes.' },
    OTHER: { description: 'What fits none of the other kinds.' },
  },
});

@ObjectType({ simpleResolvers: true, description: 'A line of an invoice: a charge or a credit.' })
export class InvoiceLine {
  @Field(() => InvoiceLineKind, { description: 'What the line is for.' })
  kind!: InvoiceLineKind;

  @Field(() => String, {
    description:
      'Text on the printed invoice. For usage it says how many blocks are charged where blocks are priced: one that is begun is charged whole.',
  })
  description!: string;

  @Field(() => BigIntText, {
    description: 'Number of units charged. Of usage they are the smallest ones of `meter`.',
  })
  quantity!: string;

  @Field(() => ID, {
    nullable: true,
    description: 'Meter that `quantity` is of, e.g. `requests`. Null for all but usage.',
  })
  meter!: string | null;

  @Field(() => Money, { description: 'Amount before discounts and tax. Negative for a credit.' })
  total!: Money;

  @Field(() => Period, { description: 'Period that the line covers.' })
  period!: Period;

  @Sized({ assumedSize: MAX_EVENTS })
  @Field(() => [ID], { description: 'Ids of the events from which the line was calculated.' })
  eventIds!: readonly string[];
}

@ObjectType({ simpleResolvers: true, description: 'What one discount takes off an invoice.' })
export class InvoiceDiscount {
  @Field(() => String, { nullable: true, description: 'Code of the coupon. Null if it was given otherwise.' })
  coupon!: string | null;

  @Field(() => String, { description: 'Text on the printed invoice.' })
  name!: string;

  @Field(() => Money, { description: 'What it takes off, as a positive amount.' })
  amount!: Money;
}

@ObjectType({
  implements: Node,
  description:
    'An invoice, or a preview of one. The next invoice of an account has an id, too, always the same; when it is issued it gets its own.',
})
export class Invoice extends Node {
  @Field(() => String, {
    nullable: true,
    description:
      'Number on the printed invoice, e.g. `ACME-2027-000001`: without gaps for each issuer and year. Null before it is issued.',
  })
  number!: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Number of the same invoice at the payment service, as its receipts and pages show it. Null if it has none of its own.',
  })
  paymentReference!: string | null;

  @Field(() => InvoiceStatus, { description: 'Whether it is a draft, to be paid, paid or void.' })
  status!: InvoiceStatus;

  @Field(() => DateTimeISO, { nullable: true, description: 'When it was issued.' })
  issuedAt!: Date | null;

  @Field(() => Period, { description: 'Period that the invoice covers.' })
  period!: Period;

  @Field(() => Money, { description: 'Sum of the lines, before discount and tax.' })
  subtotal!: Money;

  @Field(() => Money, { description: 'Discount, as a positive amount.' })
  discount!: Money;

  @Sized({ assumedSize: MAX_DISCOUNTS })
  @Field(() => [InvoiceDiscount], {
    description: `What \`discount\` is the sum of, one for each coupon; at most ${MAX_DISCOUNTS}.`,
  })
  discounts!: readonly InvoiceDiscount[];

  @Field(() => Money, { description: 'Tax included in `total`. 0 if none is due.' })
  tax!: Money;

  @Field(() => Money, {
    description: 'Part of `tax` that prices include: `subtotal` has it already. 0 where tax is added.',
  })
  taxIncluded!: Money;

  @Field(() => Money, { description: '`subtotal` − `discount` + `tax` − `taxIncluded`.' })
  total!: Money;

  @Field(() => Money, { description: 'Amount to be paid: `total` minus credit of the account.' })
  due!: Money;

  @Field(() => Money, { description: 'Amount paid so far.' })
  paid!: Money;

  @Field(() => Money, {
    description: 'Amount credited since it was issued: less was to be paid, or some of it was given back.',
  })
  credited!: Money;

  @Field(() => DateTimeISO, {
    nullable: true,
    description: 'When a failed payment is tried again. Null if it is not.',
  })
  nextAttemptAt!: Date | null;

  /** Known of what is not issued. */
  previewLines?: readonly InvoiceLine[];
}

/** A line as events and read models have it. */
interface StoredLine {
  readonly kind: string;
  readonly description: string;
  readonly quantity: Whole;
  readonly meter?: string | null;
  readonly amount: number;
  readonly periodStart: string | Date;
  readonly periodEnd: string | Date;
  readonly events: readonly string[];
}

export const InvoiceConnection = connectionOf(Invoice, {
  entry: 'Invoice',
  one: 'invoice',
  many: 'invoices',
});

export function invoiceOf(row: InvoiceRow): Invoice {
  const { currency } = row;
  const money = (amount: number): Money => moneyOf({ amount, currency });
  return Object.assign(new Invoice(), {
    id: row.id,
    number: row.number,
    paymentReference: row.reference,
    status: row.status as InvoiceStatus,
    issuedAt: new Date(row.issued_at),
    period: { from: new Date(row.period_start), to: new Date(row.period_end) },
    subtotal: money(row.subtotal),
    discount: money(row.discount),
    discounts: discountsOf(row.discounts, currency),
    tax: money(row.tax),
    taxIncluded: money(row.tax_included),
    total: money(row.total),
    due: money(row.due),
    paid: money(row.paid),
    credited: money(row.credited),
    nextAttemptAt: row.next_attempt_at && new Date(row.next_attempt_at),
  });
}

const discountsOf = (discounts: readonly StoredDiscount[], currency: string): InvoiceDiscount[] =>
  discounts
    .slice(0, MAX_DISCOUNTS)
    .map(({ coupon, name, amount }) =>
      Object.assign(new InvoiceDiscount(), { coupon, name, amount: moneyOf({ amount, currency }) }),
    );

/** Where there are more lines than are shown, the last one is the sum of the others: lines always add up. */
export function linesOf(lines: readonly StoredLine[], currency: string): InvoiceLine[] {
  const shown = lines.length > MAX_LINES ? lines.slice(0, MAX_LINES - 1) : lines;
  const rest = lines.slice(shown.length);
  return [...shown, ...(rest.length > 0 ? [sumOf(rest)] : [])].map((line) =>
    Object.assign(new InvoiceLine(), {
      kind: line.kind as InvoiceLineKind,
      description: line.description,
      quantity: String(line.quantity),
      meter: line.meter ?? null,
      total: moneyOf({ amount: line.amount, currency }),
      period: { from: new Date(line.periodStart), to: new Date(line.periodEnd) },
      eventIds: line.events.slice(0, MAX_EVENTS),
    }),
  );
}

function sumOf(lines: readonly StoredLine[]): StoredLine {
  const times = (which: 'periodStart' | 'periodEnd'): number[] =>
    lines.map((line) => new Date(line[which]).getTime());
  return {
    kind: 'other',
    description: `${lines.length} further lines`,
    quantity: 1,
    amount: lines.reduce((sum, { amount }) => sum + amount, 0),
    periodStart: new Date(Math.min(...times('periodStart'))),
    periodEnd: new Date(Math.max(...times('periodEnd'))),
    events: [...new Set(lines.flatMap(({ events }) => events))],
  };
}

/** What is to be issued next has an id of its account alone. */
const NEXT = 'in_next-';
const nextInvoiceId = (accountId: string): string => `${NEXT}${accountId}`;

/** The account whose next invoice an id names; undefined for one that is issued. */
export const accountOfNext = (id: string): string | undefined =>
  id.startsWith(NEXT) ? id.slice(NEXT.length) : undefined;

/** The invoice of the running period, as the payment service says it would be. */
export function upcomingOf(accountId: string, { currency, lines, discounts, ...preview }: Preview): Invoice {
  const { subtotal, tax, taxIncluded, total, due, ...period } = preview;
  const money = (amount: number): Money => moneyOf({ amount, currency });
  return Object.assign(new Invoice(), {
    id: nextInvoiceId(accountId),
    number: null,
    paymentReference: null,
    status: InvoiceStatus.DRAFT,
    issuedAt: null,
    period: { from: new Date(period.periodStart), to: new Date(period.periodEnd) },
    subtotal: money(subtotal),
    discount: money(subtotal + tax - taxIncluded - total),
    discounts: discountsOf(discounts ?? [], currency),
    tax: money(tax),
    taxIncluded: money(taxIncluded),
    total: money(total),
    due: money(due),
    paid: money(0),
    credited: money(0),
    nextAttemptAt: null,
    previewLines: linesOf(lines, currency),
  });
}
