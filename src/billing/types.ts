import 'reflect-metadata';
import { createUnionType, Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import type { SubscriptionRow } from '../../projections/subscriptions/queries.js';
import { Plan } from '../plans/planTypes.js';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { Money, moneyOf } from '../graphql/kit/money.js';
import { Conflict, InvalidInput, NotAllowed, PaymentRequired } from '../graphql/kit/refusals.js';
import type { Offer } from './decide.js';

export enum BillingInterval {
  MONTH = 'month',
  YEAR = 'year',
}
registerEnumType(BillingInterval, {
  name: 'BillingInterval',
  description: 'How often a price is due.',
  valuesConfig: {
    MONTH: { description: 'It is paid every month.' },
    YEAR: { description: 'It is paid every year.' },
  },
});

export enum SubscriptionStatus {
  TRIALING = 'trialing',
  ACTIVE = 'active',
  PAST_DUE = 'past_due',
  SUSPENDED = 'suspended',
}
registerEnumType(SubscriptionStatus, {
  name: 'SubscriptionStatus',
  description: 'Whether a plan that is paid for is in force.',
  valuesConfig: {
    TRIALING: { description: 'It is being tried: the first payment is due at `trialEndsAt`.' },
    ACTIVE: { description: 'It is paid in full.' },
    PAST_DUE: { description: 'A payment has failed. The plan stays in force until `graceEndsAt`.' },
    SUSPENDED: { description: 'The limits of the default plan hold until the open invoice is paid.' },
  },
});

export enum ChangeStatus {
  REQUESTED = 'requested',
  CONFIRMED = 'confirmed',
}
registerEnumType(ChangeStatus, {
  name: 'ChangeStatus',
  description: 'How far a change of plan has got.',
  valuesConfig: {
    REQUESTED: { description: 'The payment service has not answered yet. It is asked again by itself.' },
    CONFIRMED: { description: 'It is certain: in force, or scheduled.' },
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
    PERIOD_END: { description: 'When the period that is paid for is over. Until then it can be resumed.' },
    NOW: { description: 'At once. Nothing is paid back.' },
  },
});

@ObjectType({ simpleResolvers: true, description: 'What a plan costs for one interval.' })
export class Price {
  @Field(() => ID, { description: 'Its id, e.g. `developer-month-usd`.' })
  id!: string;

  @Field(() => Plan, { description: 'The plan that it buys.' })
  plan!: Plan;

  @Field(() => BillingInterval, { description: 'How often it is due.' })
  interval!: BillingInterval;

  @Field(() => Money, { description: 'The amount, before tax.' })
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
  @Field(() => DateTimeISO, { description: 'When the period begins (inclusive).' })
  from!: Date;

  @Field(() => DateTimeISO, { description: 'Its end, exclusive.' })
  to!: Date;
}

@ObjectType({ simpleResolvers: true, description: 'A change of plan that is under way, or scheduled.' })
export class PlanChange {
  @Field(() => Plan, { description: 'The plan that follows.' })
  plan!: Plan;

  @Field(() => ID, { description: 'The price that follows.' })
  priceId!: string;

  @Field(() => DateTimeISO, { nullable: true, description: 'From when; null where that is not certain yet.' })
  effectiveAt!: Date | null;

  @Field(() => ChangeStatus, { description: 'How far it has got.' })
  status!: ChangeStatus;
}

@ObjectType({ simpleResolvers: true, description: 'A plan that an account pays for.' })
export class PlanSubscription {
  @Field(() => ID, { description: 'Id of the subscription.' })
  id!: string;

  @Field(() => Plan, { description: 'The plan that is subscribed to.' })
  plan!: Plan;

  @Field(() => Price, {
    description: 'The price that was agreed when it began, whatever a newer one says.',
  })
  price!: Price;

  @Field(() => SubscriptionStatus, { description: 'Whether the plan is in force.' })
  status!: SubscriptionStatus;

  @Field(() => Period, { description: 'The period that was paid for last.' })
  period!: Period;

  @Field(() => DateTimeISO, { nullable: true, description: 'When the trial ends, or has ended.' })
  trialEndsAt!: Date | null;

  @Field(() => DateTimeISO, { nullable: true, description: 'When it ends; null while it goes on.' })
  cancelsAt!: Date | null;

  @Field(() => DateTimeISO, {
    nullable: true,
    description: 'After a failed payment: until when the plan stays in force.',
  })
  graceEndsAt!: Date | null;

  @Field(() => PlanChange, { nullable: true, description: 'A change that is under way or scheduled.' })
  pendingChange!: PlanChange | null;
}

/** Nothing for an account that pays for nothing. */
export function subscriptionOf(
  row: SubscriptionRow | undefined,
  planOf: (id: string) => Plan,
): PlanSubscription | null {
  if (!row || row.status === null || row.status === 'ended' || row.subscription === null) return null;
  const { plan, price, interval, amount, currency, period_start: from, period_end: to } = row;
  if (plan === null || price === null || interval === null || currency === null || !from || !to) return null;
  const sold = planOf(plan);
  return Object.assign(new PlanSubscription(), {
    id: row.subscription,
    plan: sold,
    price: priceOf({ id: price, interval, amount: amount ?? 0, currency }, sold),
    status: row.suspended ? SubscriptionStatus.SUSPENDED : (row.status as SubscriptionStatus),
    period: { from: new Date(from), to: new Date(to) },
    trialEndsAt: dateOf(row.trial_ends_at),
    cancelsAt: dateOf(row.cancels_at),
    graceEndsAt: dateOf(row.grace_ends_at),
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
  @Field(() => ID, { description: 'The price to subscribe to: see `prices`.' })
  priceId!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'A page on which to pay.' })
export class StartCheckoutPayload {
  @Field(() => String, {
    nullable: true,
    description: 'Where the customer pays, on a page of the payment service; null once it is over.',
  })
  url!: string | null;

  @Field(() => DateTimeISO, { description: 'Until when it can be paid.' })
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

@ObjectType({ simpleResolvers: true, description: 'A page on which to change cards and read invoices.' })
export class OpenBillingPortalPayload {
  @Field(() => String, {
    description: 'Its address, for a few minutes. Whoever has it needs no other credential.',
  })
  url!: string;

  @Field(() => String, {
    description: 'Opaque event-log position of the change. Pass it as `minPosition` to read your own write.',
  })
  position!: string;
}

@InputType({ description: 'Input for `changePlan`.' })
export class ChangePlanInput {
  @Field(() => ID, { description: 'The price to change to: see `prices`.' })
  priceId!: string;

  @Field(() => DateTimeISO, {
    nullable: true,
    description:
      '`prorationAt` of a preview, at most an hour old: what is due is then what the preview has said. By default now.',
  })
  prorationAt?: Date | null;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@InputType({ description: 'Input for `cancelSubscription`.' })
export class CancelSubscriptionInput {
  @Field(() => CancellationTime, { defaultValue: CancellationTime.PERIOD_END, description: 'When it ends.' })
  when!: CancellationTime;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@InputType({ description: 'Input for `resumeSubscription`.' })
export class ResumeSubscriptionInput {
  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The subscription as it is now.' })
export class SubscriptionPayload {
  @Field(() => PlanSubscription, { nullable: true, description: 'The subscription; null once it has ended.' })
  subscription!: PlanSubscription | null;

  @Field(() => String, {
    description: 'Opaque event-log position of the change. Pass it as `minPosition` to read your own write.',
  })
  position!: string;
}

@ObjectType({ simpleResolvers: true, description: 'What a change of plan would cost.' })
export class PlanChangePreview {
  @Field(() => DateTimeISO, { description: 'From when the new plan would be in force.' })
  effectiveAt!: Date;

  @Field(() => Money, { description: 'What would be charged at `effectiveAt`, tax included.' })
  due!: Money;

  @Field(() => DateTimeISO, {
    nullable: true,
    description: 'Pass it to `changePlan` to pay exactly this; null for a change when the period is over.',
  })
  prorationAt!: Date | null;
}

export const StartCheckoutResult = createUnionType({
  name: 'StartCheckoutResult',
  description: 'The page on which to pay, or why there is none.',
  types: () => [StartCheckoutPayload, Conflict, NotAllowed, InvalidInput] as const,
});
export const OpenBillingPortalResult = createUnionType({
  name: 'OpenBillingPortalResult',
  description: 'The page, or why there is none.',
  types: () => [OpenBillingPortalPayload, NotAllowed, InvalidInput] as const,
});
export const ChangePlanResult = createUnionType({
  name: 'ChangePlanResult',
  description: 'The subscription with its change, or why nothing changes.',
  types: () => [SubscriptionPayload, PaymentRequired, Conflict, NotAllowed, InvalidInput] as const,
});
export const EndSubscriptionResult = createUnionType({
  name: 'EndSubscriptionResult',
  description: 'The subscription, or why nothing changes.',
  types: () => [SubscriptionPayload, Conflict, NotAllowed, InvalidInput] as const,
});
export const PlanChangePreviewResult = createUnionType({
  name: 'PlanChangePreviewResult',
  description: 'What the change would cost, or why it cannot be made.',
  types: () => [PlanChangePreview, PaymentRequired, Conflict, NotAllowed, InvalidInput] as const,
});
