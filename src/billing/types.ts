import 'reflect-metadata';
import { createUnionType, Field, Float, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import type { SubscriptionRow } from '../../projections/subscriptions/queries.js';
import { Plan } from '../plans/planTypes.js';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { Money, moneyOf } from '../graphql/kit/money.js';
import { Node } from '../graphql/kit/node.js';
import { Conflict, InvalidInput, NotAllowed, PaymentRequired } from '../graphql/kit/refusals.js';
import { Sized } from '../graphql/cost/directives.js';
import type { Offer, PriceList } from './decide.js';
import { paidPriceId } from './decideAgreedPrice.js';
import type { Discount as StoredDiscount } from './events.js';

/** A subscription has one coupon of ours; of more, which somebody adds at Stripe, so many are shown. */
const MAX_DISCOUNTS = 3;

export enum BillingInterval {
  MONTH = 'month',
  YEAR = 'year',
}
registerEnumType(BillingInterval, {
  name: 'BillingInterval',
  description: 'How often a price is due.',
  valuesConfig: {
    MONTH: { description: 'Due every month.' },
    YEAR: { description: 'Due every year.' },
  },
});

export enum SubscriptionStatus {
  TRIALING = 'trialing',
  ACTIVE = 'active',
  PAST_DUE = 'past_due',
  SUSPENDED = 'suspended',
  PAUSED = 'paused',
}
registerEnumType(SubscriptionStatus, {
  name: 'SubscriptionStatus',
  description: 'State of a subscription.',
  valuesConfig: {
    TRIALING: { description: 'In its trial. The first payment is due at `trialEndsAt`.' },
    ACTIVE: { description: 'Paid in full.' },
    PAST_DUE: { description: 'A payment failed. The plan stays in force until `graceEndsAt`.' },
    SUSPENDED: {
      description: 'The account has the limits of the default plan until the open invoice is paid.',
    },
    PAUSED: {
      description:
        'Nothing is billed, and the account has the limits of the default plan, until `resumeSubscription`.',
    },
  },
});

export enum ChangeStatus {
  REQUESTED = 'requested',
  CONFIRMED = 'confirmed',
}
registerEnumType(ChangeStatus, {
  name: 'ChangeStatus',
  description: 'State of a change of plan.',
  valuesConfig: {
    REQUESTED: {
      description: 'The payment service has not confirmed it yet. This is retried automatically.',
    },
    CONFIRMED: { description: 'Confirmed: in force, or scheduled.' },
  },
});

export enum CancellationTime {
  PERIOD_END = 'period_end',
  NOW = 'now',
}
registerEnumType(CancellationTime, {
  name: 'CancellationTime',
  description: 'When a subscription ends.',
  valuesConfig: {
    PERIOD_END: { description: 'At the end of the paid period. Until then it can be resumed.' },
    NOW: { description: 'Immediately, without a refund.' },
  },
});

@ObjectType({ simpleResolvers: true, description: 'The price of a plan per interval.' })
export class Price {
  @Field(() => ID, {
    description:
      'Id of the price, e.g. `developer-month-usd`. A price that is paid but no longer offered at this amount has the amount in its id, e.g. `developer-month-usd-2900`.',
  })
  id!: string;

  @Field(() => Plan, { description: 'The plan that it pays for.' })
  plan!: Plan;

  @Field(() => BillingInterval, { description: 'How often the price is due.' })
  interval!: BillingInterval;

  @Field(() => Money, { description: 'Amount per interval, before tax.' })
  amount!: Money;
}

export function priceOf(
  { id, interval, amount, currency }: Pick<Offer, 'id' | 'interval' | 'amount' | 'currency'>,
  plan: Plan,
): Price {
  return Object.assign(new Price(), {
    id,
    plan,
    interval: interval as BillingInterval,
    amount: moneyOf({ amount, currency }),
  });
}

@ObjectType({ simpleResolvers: true, description: 'A time span: `from` inclusive, `to` exclusive.' })
export class Period {
  @Field(() => DateTimeISO, { description: 'When it begins. This moment is included.' })
  from!: Date;

  @Field(() => DateTimeISO, { description: 'When it ends. This moment is not included.' })
  to!: Date;
}

@ObjectType({ simpleResolvers: true, description: 'A pending or scheduled change of plan.' })
export class PlanChange {
  @Field(() => Plan, { description: 'The new plan.' })
  plan!: Plan;

  @Field(() => ID, { description: 'Id of the new price.' })
  priceId!: string;

  @Field(() => DateTimeISO, {
    nullable: true,
    description: 'When it takes effect. Null while that is not certain.',
  })
  effectiveAt!: Date | null;

  @Field(() => ChangeStatus, { description: 'State of the change.' })
  status!: ChangeStatus;
}

@ObjectType({ simpleResolvers: true, description: 'A discount on the invoices of a subscription.' })
export class Discount {
  @Field(() => String, { nullable: true, description: 'Code of the coupon. Null if it was given otherwise.' })
  coupon!: string | null;

  @Field(() => String, { description: 'Text on the printed invoice.' })
  name!: string;

  @Field(() => Float, {
    nullable: true,
    description: 'Percentage off each invoice. Null if it is an amount.',
  })
  percentOff!: number | null;

  @Field(() => Money, { nullable: true, description: 'Amount off each invoice. Null if it is a percentage.' })
  amountOff!: Money | null;

  @Field(() => DateTimeISO, {
    nullable: true,
    description: 'When it ends. Null if it does not, or after the next invoice.',
  })
  endsAt!: Date | null;
}

const discountOf = ({ coupon, name, percentOff, amountOff, currency, endsAt }: StoredDiscount): Discount =>
  Object.assign(new Discount(), {
    coupon,
    name,
    percentOff,
    amountOff: amountOff === null || currency === null ? null : moneyOf({ amount: amountOff, currency }),
    endsAt: endsAt === null ? null : new Date(endsAt),
  });

@ObjectType({
  implements: Node,
  simpleResolvers: true,
  description: 'The paid subscription of an account to a plan.',
})
export class PlanSubscription extends Node {
  @Field(() => Plan, { description: 'The subscribed plan.' })
  plan!: Plan;

  @Field(() => Price, {
    description: 'The agreed price. Later price changes do not affect it.',
  })
  price!: Price;

  @Field(() => SubscriptionStatus, { description: 'State of the subscription.' })
  status!: SubscriptionStatus;

  @Field(() => Period, {
    description: 'The current billing period. While it is paused, the one in which it was paused.',
  })
  period!: Period;

  @Field(() => DateTimeISO, {
    nullable: true,
    description: 'When the trial ends or ended. Null if there was none.',
  })
  trialEndsAt!: Date | null;

  @Field(() => DateTimeISO, { nullable: true, description: 'When the subscription ends. Null if it renews.' })
  cancelsAt!: Date | null;

  @Field(() => DateTimeISO, {
    nullable: true,
    description: 'Until when the plan stays in force after a failed payment. Otherwise null.',
  })
  graceEndsAt!: Date | null;

  @Field(() => DateTimeISO, { nullable: true, description: 'Since when it is paused. Otherwise null.' })
  pausedAt!: Date | null;

  @Sized({ assumedSize: MAX_DISCOUNTS })
  @Field(() => [Discount], { description: 'Discounts on its next invoices.' })
  discounts!: readonly Discount[];

  @Field(() => PlanChange, {
    nullable: true,
    description: 'A pending or scheduled change of plan. Otherwise null.',
  })
  pendingChange!: PlanChange | null;
}

/** Nothing for an account that pays for nothing. */
export function subscriptionOf(
  row: SubscriptionRow | undefined,
  planOf: (id: string) => Plan,
  offered: PriceList,
): PlanSubscription | null {
  if (!row || row.status === null || row.status === 'ended' || row.subscription === null) return null;
  const { plan, price, interval, amount, currency, period_start: from, period_end: to } = row;
  if (plan === null || price === null || interval === null || currency === null || !from || !to) return null;
  const sold = planOf(plan);
  const terms = { plan, price, interval, amount: amount ?? 0, currency };
  return Object.assign(new PlanSubscription(), {
    id: row.subscription,
    plan: sold,
    price: priceOf({ ...terms, id: paidPriceId(terms, offered) }, sold),
    status: row.suspended ? SubscriptionStatus.SUSPENDED : (row.status as SubscriptionStatus),
    period: { from: new Date(from), to: new Date(to) },
    trialEndsAt: dateOf(row.trial_ends_at),
    cancelsAt: dateOf(row.cancels_at),
    graceEndsAt: dateOf(row.grace_ends_at),
    pausedAt: dateOf(row.paused_at),
    discounts: row.discounts.slice(0, MAX_DISCOUNTS).map(discountOf),
    pendingChange: pendingChangeOf(row, planOf),
  });
}

const dateOf = (at: Date | null): Date | null => at && new Date(at);

function pendingChangeOf(row: SubscriptionRow, planOf: (id: string) => Plan): PlanChange | null {
  const { asked_plan: asked, asked_price: askedPrice } = row;
  if (asked !== null && askedPrice !== null) {
    return { plan: planOf(asked), priceId: askedPrice, effectiveAt: null, status: ChangeStatus.REQUESTED };
  }
  const { scheduled_plan: plan, scheduled_price: priceId, scheduled_at: at } = row;
  if (plan === null || priceId === null) return null;
  return { plan: planOf(plan), priceId, effectiveAt: dateOf(at), status: ChangeStatus.CONFIRMED };
}

@InputType({ description: 'Input for `startCheckout`.' })
export class StartCheckoutInput {
  @Field(() => ID, { description: 'Id of the price to subscribe to, as in `prices`.' })
  priceId!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Code of a coupon, in upper or lower case.',
  })
  coupon?: string | null;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The page was created.' })
export class StartCheckoutPayload {
  @Field(() => String, {
    nullable: true,
    description: 'Address of the page: send the customer there. Null after it has expired or was paid.',
  })
  url!: string | null;

  @Field(() => DateTimeISO, { description: 'When the page expires.' })
  expiresAt!: Date;

  @Field(() => String, {
    description: 'Opaque event-log position of the change. Pass it as `minPosition` to read your own write.',
  })
  position!: string;
}

@InputType({ description: 'Input for `openBillingPortal`.' })
export class OpenBillingPortalInput {
  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The page was created.' })
export class OpenBillingPortalPayload {
  @Field(() => String, {
    description:
      'Address of the page, valid for a few minutes. Anyone who has it can use it without another credential.',
  })
  url!: string;

  @Field(() => String, {
    description: 'Opaque event-log position of the change. Pass it as `minPosition` to read your own write.',
  })
  position!: string;
}

@InputType({ description: 'Input for `changePlan`.' })
export class ChangePlanInput {
  @Field(() => ID, {
    description:
      'Id of the price to change to, as in `prices`; or of the price that is paid, to take back a scheduled change.',
  })
  priceId!: string;

  @Field(() => DateTimeISO, {
    nullable: true,
    description:
      '`prorationAt` of a preview that is at most an hour old, to pay exactly the previewed amount. Defaults to now.',
  })
  prorationAt?: Date | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Code of a coupon, in upper or lower case. It replaces the discounts of the subscription; without it they stay.',
  })
  coupon?: string | null;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@InputType({ description: 'Input for `cancelSubscription`.' })
export class CancelSubscriptionInput {
  @Field(() => CancellationTime, {
    defaultValue: CancellationTime.PERIOD_END,
    description: 'When the subscription ends.',
  })
  when!: CancellationTime;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@InputType({ description: 'Input for `pauseSubscription`.' })
export class PauseSubscriptionInput {
  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@InputType({ description: 'Input for `resumeSubscription`.' })
export class ResumeSubscriptionInput {
  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The subscription after the change.' })
export class SubscriptionPayload {
  @Field(() => PlanSubscription, {
    nullable: true,
    description: 'The subscription. Null after it has ended.',
  })
  subscription!: PlanSubscription | null;

  @Field(() => String, {
    description: 'Opaque event-log position of the change. Pass it as `minPosition` to read your own write.',
  })
  position!: string;
}

@ObjectType({
  simpleResolvers: true,
  description: 'What a change of plan would cost, and when it would take effect.',
})
export class PlanChangePreview {
  @Field(() => DateTimeISO, { description: 'When the new plan would take effect.' })
  effectiveAt!: Date;

  @Field(() => Money, { description: 'Amount that would be charged at `effectiveAt`, including tax.' })
  due!: Money;

  @Field(() => DateTimeISO, {
    nullable: true,
    description:
      'Pass it to `changePlan` within an hour to pay exactly this amount. Null if the change takes effect at the end of the period.',
  })
  prorationAt!: Date | null;

  @Field(() => Money, {
    description: 'Discount on `due`, as a positive amount. Prorated lines are net of their discounts.',
  })
  discount!: Money;
}

/** What a change would cost at a time. @param prorationAt null where it takes effect at the end of the period */
export function previewOf(
  effectiveAt: string,
  { due, discount, currency }: { readonly due: number; readonly discount: number; readonly currency: string },
  prorationAt: string | null,
): PlanChangePreview {
  return Object.assign(new PlanChangePreview(), {
    effectiveAt: new Date(effectiveAt),
    due: moneyOf({ amount: due, currency }),
    discount: moneyOf({ amount: discount, currency }),
    prorationAt: prorationAt === null ? null : new Date(prorationAt),
  });
}

export const StartCheckoutResult = createUnionType({
  name: 'StartCheckoutResult',
  description: 'The page on which to pay, or the reason why there is none.',
  types: () => [StartCheckoutPayload, Conflict, NotAllowed, InvalidInput] as const,
});
export const OpenBillingPortalResult = createUnionType({
  name: 'OpenBillingPortalResult',
  description: 'The page, or the reason why there is none.',
  types: () => [OpenBillingPortalPayload, NotAllowed, InvalidInput] as const,
});
export const ChangePlanResult = createUnionType({
  name: 'ChangePlanResult',
  description: 'The subscription with its change, or the reason why nothing changed.',
  types: () => [SubscriptionPayload, PaymentRequired, Conflict, NotAllowed, InvalidInput] as const,
});
export const EndSubscriptionResult = createUnionType({
  name: 'EndSubscriptionResult',
  description: 'The subscription, or the reason why nothing changed.',
  types: () => [SubscriptionPayload, PaymentRequired, Conflict, NotAllowed, InvalidInput] as const,
});
export const PlanChangePreviewResult = createUnionType({
  name: 'PlanChangePreviewResult',
  description: 'The preview, or the reason why the change cannot be made.',
  types: () => [PlanChangePreview, PaymentRequired, Conflict, NotAllowed, InvalidInput] as const,
});
