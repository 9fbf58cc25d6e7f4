import 'reflect-metadata';
import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import type { InvoiceRow } from '../../projections/invoices/queries.js';
import { Sized } from '../graphql/cost/directives.js';
import { IdOf } from '../graphql/kit/ids.js';
import { Money, moneyOf } from '../graphql/kit/money.js';
import { connectionOf } from '../graphql/kit/pages.js';
import { Invoice, invoiceOf } from './invoiceTypes.js';

/** So many differences of an invoice are shown. */
const MAX_DIFFERENCES = 100;

export enum InvoiceDifferenceSubject {
  PLAN = 'plan',
  PRORATION = 'proration',
  USAGE = 'usage',
  OTHER = 'other',
  DISCOUNT = 'discount',
  SUBTOTAL = 'subtotal',
  TOTAL = 'total',
}
registerEnumType(InvoiceDifferenceSubject, {
  name: 'InvoiceDifferenceSubject',
  description: 'What of an invoice differs.',
  valuesConfig: {
    PLAN: { description: 'A line for a plan is not the agreed price.' },
    PRORATION: { description: 'A line for part of a period is not the part of the agreed price.' },
    USAGE: { description: 'A line for usage is not what was rated when its period closed.' },
    OTHER: { description: 'A line comes from no event: it was added at the payment service.' },
    DISCOUNT: { description: 'The discount is not what its coupons take off.' },
    SUBTOTAL: { description: 'The subtotal is not the sum of the lines.' },
    TOTAL: { description: 'The total is not subtotal − discount + tax.' },
  },
});

@ObjectType({
  simpleResolvers: true,
  description: 'A figure of the payment service that is not what the events say it should be.',
})
export class InvoiceDifference {
  @Field(() => InvoiceDifferenceSubject, { description: 'What of the invoice differs.' })
  subject!: InvoiceDifferenceSubject;

  @Field(() => String, {
    nullable: true,
    description: 'The payment service’s name of the line, e.g. `il_1…`. Null for a sum.',
  })
  line!: string | null;

  @Field(() => Money, { description: 'What it should be.' })
  expected!: Money;

  @Field(() => Money, { description: 'What the payment service has billed.' })
  actual!: Money;
}

@ObjectType({ description: 'An invoice that differs from the events when it is issued.' })
export class DifferingInvoice {
  @IdOf('Account')
  @Field(() => ID, { description: 'The billed account.' })
  accountId!: string;

  @Field(() => Invoice, { description: 'The invoice as it was issued, and charged.' })
  invoice!: Invoice;

  @Sized({ assumedSize: MAX_DIFFERENCES })
  @Field(() => [InvoiceDifference], { description: `What differs, at most ${MAX_DIFFERENCES}.` })
  differences!: readonly InvoiceDifference[];
}

export const DifferingInvoiceConnection = connectionOf(DifferingInvoice, {
  entry: 'DifferingInvoice',
  one: 'invoice that differs',
  many: 'invoices that differ',
});

export function differingOf(row: InvoiceRow): DifferingInvoice {
  const { currency, account_id: accountId } = row;
  const differences = (row.differences ?? []).slice(0, MAX_DIFFERENCES).map(({ what, line, ours, theirs }) =>
    Object.assign(new InvoiceDifference(), {
      subject: what as InvoiceDifferenceSubject,
      line,
      expected: moneyOf({ amount: ours, currency }),
      actual: moneyOf({ amount: theirs, currency }),
    }),
  );
  return Object.assign(new DifferingInvoice(), { accountId, invoice: invoiceOf(row), differences });
}
