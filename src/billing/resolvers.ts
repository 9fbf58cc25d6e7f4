import { Arg, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import type { AgreedPriceQueries } from '../../projections/agreedPrices/queries.js';
import type { SubscriptionQueries } from '../../projections/subscriptions/queries.js';
import { ID } from 'type-graphql';
import type { Plan } from '../plans/planTypes.js';
import { Account } from '../accounts/types.js';
import type { Refusal as RefusalValue } from '../eventsourcing/decider.js';
import { derivedId } from '../eventsourcing/ids.js';
import { Sized } from '../graphql/cost/directives.js';
import { Access, inReach, MEMBERS, PAYERS } from '../graphql/kit/access.js';
import type { CommandInput, CommandSender } from '../graphql/kit/command.js';
import { Command } from '../graphql/kit/command.js';
import type { RequestContext, StandingIn } from '../graphql/kit/context.js';
import { accountOf, actorOf } from '../graphql/kit/context.js';
import { Metered } from '../graphql/kit/metering.js';
import { Conflict, NotAllowed, PaymentRequired, refusalOf } from '../graphql/kit/refusals.js';
import { subscriptionStream } from '../plans/events.js';
import type { AccountBilling } from './accountBilling.js';
import type { Coupon, GivenCoupon } from './decideCoupon.js';
import { couponOf, USED_UP, usedUp } from './decideCoupon.js';
import { offerFor, offersWith } from './decideAgreedPrice.js';
import type { BillingCommand, PriceList } from './decide.js';
import { billingDecider } from './decide.js';
import { isUpgrade } from './decidePlanChange.js';
import { NO_SUBSCRIPTION } from './decideRefusals.js';
import type { BillingEvent } from './events.js';
import type { Payments } from './payments.js';
import { PaymentRefused } from './payments.js';
import {
  CancelSubscriptionInput,
  ChangePlanInput,
  ChangePlanResult,
  EndSubscriptionResult,
  OpenBillingPortalInput,
  OpenBillingPortalPayload,
  OpenBillingPortalResult,
  PauseSubscriptionInput,
  PlanChangePreviewResult,
  PlanSubscription,
  previewOf,
  Price,
  priceOf,
  ResumeSubscriptionInput,
  StartCheckoutInput,
  StartCheckoutPayload,
  StartCheckoutResult,
  subscriptionOf,
  SubscriptionPayload,
} from './types.js';

/** More than any profile has. */
const MAX_OFFERS = 100;
/** A preview is good for so long, in milliseconds. */
const PREVIEW_MS = 3_600_000;

/** What resolvers of billing work with, where payments are taken. */
export interface Desk {
  readonly billing: AccountBilling;
  readonly payments: Payments;
  /** The time by which the payment service bills. */
  readonly now: () => number;
  readonly returnUrl: string;
}

export interface BillingResolverOptions {
  readonly sender: CommandSender;
  /** Undefined where nobody takes payments. */
  readonly desk: Desk | undefined;
  readonly priceList: () => PriceList;
  readonly coupons: () => readonly Coupon[];
  readonly profileVersion: () => number;
  readonly planOf: (id: string) => Plan;
  readonly queries: SubscriptionQueries;
  readonly agreedPrices: AgreedPriceQueries;
  readonly standingIn: StandingIn;
  /** Waits until queries show what commands have stored. */
  readonly shown: () => Promise<void>;
}

const SUBSCRIPTION_ACCESS = { scope: 'read', roles: MEMBERS } as const;
export const BILLING_OFF: RefusalValue = { code: 'BILLING_OFF', message: 'This service takes no payments.' };

@Resolver()
export class BillingResolver {
  constructor(private readonly options: BillingResolverOptions) {}

  @Metered('guarded')
  @Access({ scope: 'read', roles: MEMBERS })
  @Sized({ assumedSize: MAX_OFFERS })
  @Query(() => [Price], {
    nullable: true,
    description:
      'Prices of all plans that can be subscribed to, from the smallest plan to the largest, then those that were agreed with the account alone.',
  })
  async prices(@Ctx() context: RequestContext): Promise<Price[]> {
    const { priceList, planOf, desk, agreedPrices } = this.options;
    const own = desk ? await agreedPrices.offeredTo(accountOf(context)) : [];
    return offersWith(own, priceList()).map((offer) => priceOf(offer, planOf(offer.plan)));
  }

  @Command(() => StartCheckoutResult, {
    access: { scope: 'admin', roles: PAYERS },
    description:
      'Creates a page on which to subscribe to a plan. The plan takes effect once it is paid or its trial has begun.',
  })
  async startCheckout(
    @Ctx() context: RequestContext,
    @Arg('input', () => StartCheckoutInput, { description: 'Input for `startCheckout`.' })
    input: StartCheckoutInput,
  ): Promise<typeof StartCheckoutResult> {
    const { desk, priceList, profileVersion } = this.options;
    if (!desk) return refusalOf(BILLING_OFF, 'NotAllowed');
    const accountId = accountOf(context);
    const checkoutId = this.#idOf('checkout', context, input);
    const by = actorOf(context);
    const request = `start-checkout:${input.priceId}${requestOf(input.coupon)}`;
    const sent = await this.#send(context, input, request, {
      type: 'RequestCheckout',
      checkoutId,
      price: input.priceId,
      ...priceList(),
      profileVersion: profileVersion(),
      coupon: this.#given(desk, input.coupon),
      by,
    });
    if (sent.kind === 'refused') return refusalOf(sent.refusal, 'Conflict');
    await desk.billing.settle(accountId);
    const { session, problem } = await desk.billing.checkoutSession(accountId, checkoutId);
    if (session === undefined) {
      if (problem === USED_UP) return refusalOf(usedUp());
      return new Conflict('CHECKOUT_FAILED', 'The payment service has refused to open a checkout.');
    }
    const { url, expiresAt } = await desk.payments.checkout(session);
    return Object.assign(new StartCheckoutPayload(), {
      url,
      expiresAt: new Date(expiresAt),
      position: sent.position,
    });
  }

  @Command(() => OpenBillingPortalResult, {
    access: { scope: 'admin', roles: PAYERS },
    description: 'Creates a page of the payment service on which to change cards and pay open invoices.',
  })
  async openBillingPortal(
    @Ctx() context: RequestContext,
    @Arg('input', () => OpenBillingPortalInput, { description: 'Input for `openBillingPortal`.' })
    input: OpenBillingPortalInput,
  ): Promise<typeof OpenBillingPortalResult> {
    const { desk } = this.options;
    if (!desk) return refusalOf(BILLING_OFF, 'NotAllowed');
    const accountId = accountOf(context);
    const command = { type: 'RequestCustomer', by: actorOf(context) } as const;
    const sent = await this.#send(context, input, 'open-billing-portal', command);
    if (sent.kind === 'refused') return refusalOf(sent.refusal);
    const { customer = '' } = await desk.billing.settle(accountId);
    const url = await desk.payments.openPortal(customer, desk.returnUrl);
    return Object.assign(new OpenBillingPortalPayload(), { url, position: sent.position });
  }

  @Command(() => ChangePlanResult, {
    access: { scope: 'admin', roles: PAYERS },
    description:
      'Changes the plan that the account pays for. A larger plan or a longer interval takes effect at once, and the prorated difference is charged. Any other change takes effect at the end of the period. Preview it with `Account.planChangePreview`.',
  })
  async changePlan(
    @Ctx() context: RequestContext,
    @Arg('input', () => ChangePlanInput, { description: 'Input for `changePlan`.' }) input: ChangePlanInput,
  ): Promise<typeof ChangePlanResult> {
    const { desk, priceList } = this.options;
    if (!desk) return refusalOf(BILLING_OFF, 'NotAllowed');
    const now = desk.now();
    const at = input.prorationAt?.getTime() ?? now;
    if (at > now || at < now - PREVIEW_MS) {
      const message = 'prorationAt must be of a preview that is at most an hour old.';
      return refusalOf({ code: 'INVALID_INPUT', message, field: 'prorationAt' });
    }
    const changeId = this.#idOf('plan-change', context, input);
    const when = input.prorationAt?.toISOString() ?? '';
    const request = `change-plan:${input.priceId}:${when}${requestOf(input.coupon)}`;
    const sent = await this.#send(context, input, request, {
      type: 'RequestPlanChange',
      changeId,
      price: input.priceId,
      ...priceList(),
      prorationAt: new Date(Math.floor(at / 1000) * 1000).toISOString(),
      coupon: this.#given(desk, input.coupon),
      by: actorOf(context),
    });
    if (sent.kind === 'refused') return refusalOf(sent.refusal, 'Conflict', 'PaymentRequired');
    const failure = await this.#settled(desk, accountOf(context), changeId);
    if (failure?.code === USED_UP) return refusalOf(usedUp());
    if (failure) {
      const { code, message } = failure;
      return new PaymentRequired('PAYMENT_FAILED', `${message} (${code}). Nothing was changed.`);
    }
    return this.#payload(accountOf(context), sent.position);
  }

  @Command(() => EndSubscriptionResult, {
    access: { scope: 'admin', roles: PAYERS },
    description: 'Cancels the subscription. When it ends, the account moves to the default plan.',
  })
  async cancelSubscription(
    @Ctx() context: RequestContext,
    @Arg('input', () => CancelSubscriptionInput, { description: 'Input for `cancelSubscription`.' })
    input: CancelSubscriptionInput,
  ): Promise<typeof EndSubscriptionResult> {
    const { when } = input;
    return this.#end(context, input, `cancel-subscription:${when}`, (requestId, by) => ({
      type: 'RequestCancellation',
      requestId,
      when,
      by,
    }));
  }

  @Command(() => EndSubscriptionResult, {
    access: { scope: 'admin', roles: PAYERS },
    description:
      'Ends a pause: a new period begins and is charged, less what was left of the period that was paid. Or undoes a cancellation that has not taken effect yet.',
  })
  async resumeSubscription(
    @Ctx() context: RequestContext,
    @Arg('input', () => ResumeSubscriptionInput, { description: 'Input for `resumeSubscription`.' })
    input: ResumeSubscriptionInput,
  ): Promise<typeof EndSubscriptionResult> {
    return this.#end(context, input, 'resume-subscription', (requestId, by) => ({
      type: 'RequestResumption',
      requestId,
      by,
    }));
  }

  @Command(() => EndSubscriptionResult, {
    access: { scope: 'admin', roles: PAYERS },
    description:
      'Pauses the subscription at once. Nothing is billed, and the account has the limits of the default plan, until `resumeSubscription`; what is left of the paid period is credited then.',
  })
  async pauseSubscription(
    @Ctx() context: RequestContext,
    @Arg('input', () => PauseSubscriptionInput, { description: 'Input for `pauseSubscription`.' })
    input: PauseSubscriptionInput,
  ): Promise<typeof EndSubscriptionResult> {
    return this.#end(context, input, 'pause-subscription', (requestId, by) => ({
      type: 'RequestPause',
      requestId,
      by,
    }));
  }

  async #end(
    context: RequestContext,
    input: CommandInput,
    request: string,
    command: (requestId: string, by: string) => BillingCommand,
  ): Promise<typeof EndSubscriptionResult> {
    const { desk } = this.options;
    if (!desk) return refusalOf(BILLING_OFF, 'NotAllowed');
    const requestId = this.#idOf('end', context, input);
    const sent = await this.#send(context, input, request, command(requestId, actorOf(context)));
    if (sent.kind === 'refused') return refusalOf(sent.refusal, 'Conflict', 'PaymentRequired');
    const failure = await this.#settled(desk, accountOf(context), requestId);
    if (failure) return new NotAllowed(failure.code, failure.message);
    return this.#payload(accountOf(context), sent.position);
  }

  #given(desk: Desk, code: string | null | undefined): GivenCoupon | undefined {
    return givenCoupon(code, this.options.coupons(), desk);
  }

  /** The same command sent again meets what it has asked for. */
  #idOf(kind: string, context: RequestContext, { commandId }: CommandInput): string {
    return derivedId(kind, actorOf(context), commandId ?? context.correlationId);
  }

  #send(context: RequestContext, input: CommandInput, request: string, command: BillingCommand) {
    return this.options.sender.send(context, input, {
      decider: billingDecider,
      stream: subscriptionStream(accountOf(context)),
      command,
      request,
    });
  }

  /** Does it at the payment service. @returns why it was refused there, where it was */
  async #settled(
    { billing }: Desk,
    accountId: string,
    requestId: string,
  ): Promise<Extract<BillingEvent, { type: 'BillingRequestFailed' }>['data'] | undefined> {
    await billing.settle(accountId);
    return billing.failureOf(accountId, requestId);
  }

  async #payload(accountId: string, position: string): Promise<SubscriptionPayload> {
    const { shown, queries, planOf, priceList } = this.options;
    await shown();
    const subscription = subscriptionOf(await queries.of(accountId), planOf, priceList());
    return Object.assign(new SubscriptionPayload(), { subscription, position });
  }
}

/** What a command's id stands for beside its other content. */
const requestOf = (coupon: string | null | undefined): string => (coupon == null ? '' : `:${coupon}`);

const givenCoupon = (
  code: string | null | undefined,
  coupons: readonly Coupon[],
  { now }: Desk,
): GivenCoupon | undefined =>
  code == null ? undefined : { code, coupons, now: new Date(now()).toISOString() };

@Resolver(() => Account)
export class AccountBillingResolver {
  constructor(private readonly options: BillingResolverOptions) {}

  @Access(SUBSCRIPTION_ACCESS)
  @FieldResolver(() => PlanSubscription, {
    nullable: true,
    description: 'The paid subscription of the account. Null if it pays for no plan.',
  })
  async subscription(@Root() { id }: Account): Promise<PlanSubscription | null> {
    const { queries, planOf, priceList } = this.options;
    return subscriptionOf(await queries.of(id), planOf, priceList());
  }

  /** As with `Account.subscription`, in the account of each. Of what has ended there is none. */
  async find(ids: readonly string[], context: RequestContext): Promise<PlanSubscription[]> {
    const { queries, planOf, priceList, standingIn } = this.options;
    const rows = await inReach(
      await queries.byIds(ids),
      ({ account_id: accountId }) => standingIn(context, accountId),
      SUBSCRIPTION_ACCESS,
    );
    return rows.flatMap((row) => subscriptionOf(row, planOf, priceList()) ?? []);
  }

  @Access({ scope: 'read', roles: PAYERS })
  @FieldResolver(() => PlanChangePreviewResult, {
    nullable: true,
    description: 'What changing to a price would cost, to the cent. `changePlan` carries it out.',
  })
  async planChangePreview(
    @Root() { id }: Account,
    @Arg('priceId', () => ID, { description: 'Id of the price to change to, as in `prices`.' })
    priceId: string,
    @Arg('coupon', () => String, {
      nullable: true,
      description: 'Code of a coupon to use with the change.',
    })
    code?: string | null,
  ): Promise<typeof PlanChangePreviewResult> {
    const { desk, priceList, coupons } = this.options;
    if (!desk) return refusalOf(BILLING_OFF, 'NotAllowed');
    const state = await desk.billing.state(id);
    const prorationAt = new Date(Math.floor(desk.now() / 1000) * 1000).toISOString();
    const decision = billingDecider.decide(state, {
      type: 'RequestPlanChange',
      changeId: 'preview',
      price: priceId,
      ...priceList(),
      prorationAt,
      coupon: givenCoupon(code, coupons(), desk),
      by: 'preview',
    });
    if (decision.kind === 'refused') return refusalOf(decision.refusal, 'Conflict', 'PaymentRequired');
    const { paid, customer } = state;
    const offer = offerFor(state, priceList(), priceId);
    if (!paid || customer === undefined || !offer) {
      return new Conflict(NO_SUBSCRIPTION, 'The account has no subscription. Use `startCheckout`.');
    }
    // What was to come is taken back.
    if (offer.id === paid.price) {
      return previewOf(prorationAt, { due: 0, discount: 0, currency: paid.currency }, null);
    }
    const now = isUpgrade(paid, offer, priceList().plans);
    const coupon = code == null ? undefined : couponOf(coupons(), code);
    try {
      const change = { customer, subscription: paid.subscription, offer, coupon };
      const preview = await desk.payments.previewChange(change, now ? prorationAt : undefined);
      const { due, currency, discounts = [] } = preview;
      const discount = discounts.reduce((sum, { amount }) => sum + amount, 0);
      return previewOf(
        now ? prorationAt : paid.periodEnd,
        { due, discount, currency },
        now ? prorationAt : null,
      );
    } catch (error) {
      if (!(error instanceof PaymentRefused)) throw error;
      if (error.code === USED_UP) return refusalOf(usedUp());
      return new PaymentRequired('PAYMENT_FAILED', error.message);
    }
  }
}
