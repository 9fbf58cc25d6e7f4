import 'reflect-metadata';
import { ArgsType, Field, Float, Int, ObjectType } from 'type-graphql';
import type { RevenueRow } from '../../projections/revenue/queries.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { CurrencyCode, Money, moneyOf } from '../graphql/kit/money.js';

@ArgsType()
export class RevenueArgs {
  @Field(() => DateTimeISO, {
    nullable: true,
    description: 'From when on changes count (inclusive). By default 30 days before `to`.',
  })
  from?: Date | null;

  @Field(() => DateTimeISO, {
    nullable: true,
    description: 'Until when (exclusive): figures are those of this moment. By default now.',
  })
  to?: Date | null;
}

@ObjectType({
  simpleResolvers: true,
  description: 'What has changed of the monthly recurring revenue, each rounded by itself.',
})
export class RevenueMovements {
  @Field(() => Money, { description: 'MRR of accounts that have never paid for a plan before.' })
  new!: Money;

  @Field(() => Money, { description: 'What accounts that paid already pay more, by another plan or price.' })
  expansion!: Money;

  @Field(() => Money, { description: 'What accounts that still pay pay less. Not negative.' })
  contraction!: Money;

  @Field(() => Money, { description: 'MRR of subscriptions that have ended or were paused. Not negative.' })
  churn!: Money;

  @Field(() => Money, {
    description: 'MRR of accounts that had ended or paused a subscription, and pay again.',
  })
  reactivation!: Money;
}

@ObjectType({
  simpleResolvers: true,
  description:
    'What is earned in one currency, computed from events. Amounts are before tax unless they say so.',
})
export class Revenue {
  @Field(() => CurrencyCode, { description: 'The currency, in ISO 4217, e.g. `USD`.' })
  currency!: string;

  @Field(() => Money, {
    description:
      'Monthly recurring revenue at `to`: the prices of all plans that are paid for, a year as twelve months. Trials count from when they are converted; overage, credits and discounts do not count; late payments do.',
  })
  mrr!: Money;

  @Field(() => RevenueMovements, { description: 'What has changed of `mrr` between `from` and `to`.' })
  movements!: RevenueMovements;

  @Field(() => Int, { description: 'Accounts that pay for a plan at `to`.' })
  payingAccounts!: number;

  @Field(() => Money, {
    nullable: true,
    description: 'Average revenue per account: `mrr` by `payingAccounts`; null where nobody pays.',
  })
  arpu!: Money | null;

  @Field(() => Float, {
    nullable: true,
    description:
      'Of the accounts that paid at `from`, the share that does not at `to`, from 0 to 1; null where nobody paid.',
  })
  churnRate!: number | null;

  @Field(() => Int, { description: 'Trials that have begun.' })
  trialsStarted!: number;

  @Field(() => Int, { description: 'Trials that have become paid subscriptions, whenever they began.' })
  trialsConverted!: number;

  @Field(() => Money, {
    description: 'The totals of all invoices that were issued, tax and overage included, paid or not.',
  })
  invoiced!: Money;

  @Field(() => Money, {
    description:
      'What was paid for credits, and for analyses that are paid one by one, without an account too.',
  })
  oneTime!: Money;

  @Field(() => Int, { description: 'Number of payments in `oneTime`.' })
  oneTimePayments!: number;

  @Field(() => Money, {
    nullable: true,
    description: 'Average of a payment in `oneTime`, rounded. Null if there was none.',
  })
  paidPerPayment!: Money | null;

  @Field(() => Money, {
    description: 'What was paid back of `oneTime`, here or at the payment service. Not of disputes.',
  })
  refunds!: Money;

  @Field(() => Money, {
    description:
      'What banks took back because customers disputed payments, of invoices too, less what was won. Negative if more was won than disputed.',
  })
  disputed!: Money;
}

export function revenueOf(row: RevenueRow): Revenue {
  const { currency } = row;
  const money = (amount: number): Money => moneyOf({ amount, currency });
  const monthly = (yearly: number): Money => money(Math.round(yearly / 12));
  return Object.assign(new Revenue(), {
    currency,
    mrr: monthly(row.yearly),
    movements: Object.assign(new RevenueMovements(), {
      new: monthly(row.fresh),
      expansion: monthly(row.expansion),
      contraction: monthly(row.contraction),
      churn: monthly(row.churn),
      reactivation: monthly(row.reactivation),
    }),
    payingAccounts: row.paying,
    arpu: row.paying === 0 ? null : money(Math.round(row.yearly / 12 / row.paying)),
    churnRate: row.paying_before === 0 ? null : row.lost / row.paying_before,
    trialsStarted: row.trials_started,
    trialsConverted: row.trials_converted,
    invoiced: money(row.invoiced),
    oneTime: money(row.one_time),
    oneTimePayments: row.one_time_payments,
    paidPerPayment:
      row.one_time_payments === 0 ? null : money(Math.round(row.one_time / row.one_time_payments)),
    refunds: money(row.refunds),
    disputed: money(row.disputed),
  });
}
