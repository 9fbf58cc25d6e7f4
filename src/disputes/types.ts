import 'reflect-metadata';
import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import type { DisputeRow } from '../../projections/disputes/queries.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { IdOf } from '../graphql/kit/ids.js';
import { Money, moneyOf } from '../graphql/kit/money.js';
import { connectionOf } from '../graphql/kit/pages.js';

export enum DisputeStatus {
  INQUIRY = 'inquiry',
  INQUIRY_CLOSED = 'inquiry_closed',
  OPEN = 'open',
  WON = 'won',
  LOST = 'lost',
}
registerEnumType(DisputeStatus, {
  name: 'DisputeStatus',
  description: 'State of a dispute.',
  valuesConfig: {
    INQUIRY: {
      description: 'The bank asks about the payment, and has taken no money. It may become a dispute.',
    },
    INQUIRY_CLOSED: { description: 'The bank asks no more, and has taken no money.' },
    OPEN: { description: 'The bank has taken the money back and has not decided yet.' },
    WON: { description: 'The bank has returned the money.' },
    LOST: { description: 'The customer keeps the money.' },
  },
});

export enum DisputedPurchase {
  INVOICE = 'invoice',
  CREDITS = 'credits',
  ANALYSIS = 'analysis',
  OTHER = 'other',
}
registerEnumType(DisputedPurchase, {
  name: 'DisputedPurchase',
  description: 'What the disputed payment has paid.',
  valuesConfig: {
    INVOICE: { description: 'An invoice. The plan stays as it is.' },
    CREDITS: {
      description: 'Credits. They are taken back when the dispute is opened, and given back when it is won.',
    },
    ANALYSIS: { description: 'One analysis. The payment pays for nothing unless the dispute is won.' },
    OTHER: { description: 'Something else, e.g. a charge made at the payment service.' },
  },
});

@ObjectType({
  simpleResolvers: true,
  description:
    'A payment that the customer has asked their bank to take back (a chargeback), or that the bank asks about before it takes anything (an inquiry).',
})
export class Dispute {
  @Field(() => ID, { description: 'Id at the payment service, e.g. `dp_1…`. Answer it there.' })
  id!: string;

  @IdOf('Account')
  @Field(() => ID, { nullable: true, description: 'The account that paid. Null if there was none.' })
  accountId!: string | null;

  @Field(() => DisputedPurchase, { description: 'What was paid.' })
  purchase!: DisputedPurchase;

  @Field(() => DisputeStatus, { description: 'Whether it is decided, and how.' })
  status!: DisputeStatus;

  @Field(() => Money, { description: 'What the bank takes back. Of an inquiry, what it asks about.' })
  amount!: Money;

  @Field(() => String, { description: 'Reason in the words of the payment service, e.g. `fraudulent`.' })
  reason!: string;

  @Field(() => DateTimeISO, { description: 'When it was recorded here.' })
  openedAt!: Date;

  @Field(() => DateTimeISO, {
    nullable: true,
    description:
      'Deadline for evidence at the payment service. After it, a dispute is lost. Null if none can be given.',
  })
  respondBy!: Date | null;

  @Field(() => DateTimeISO, {
    nullable: true,
    description: 'When it was won, lost or closed. Null while it is open.',
  })
  closedAt!: Date | null;

  @Field(() => ID, {
    nullable: true,
    description: 'The payment at the payment service, e.g. `pi_3…`. Null if it has no id there.',
  })
  paymentId!: string | null;

  @Field(() => ID, { nullable: true, description: 'The paid invoice. Null if something else was paid.' })
  invoiceId!: string | null;
}

export const DisputeConnection = connectionOf(Dispute, {
  entry: 'Dispute',
  one: 'dispute',
  many: 'disputes',
});

export const disputeOf = (row: DisputeRow): Dispute =>
  Object.assign(new Dispute(), {
    id: row.id,
    accountId: row.account_id,
    purchase: row.subject as DisputedPurchase,
    status: row.status as DisputeStatus,
    amount: moneyOf(row),
    reason: row.reason,
    openedAt: new Date(row.opened_at),
    respondBy: row.respond_by && new Date(row.respond_by),
    closedAt: row.closed_at && new Date(row.closed_at),
    paymentId: row.payment,
    invoiceId: row.invoice,
  });
