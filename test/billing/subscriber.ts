import {
  CancelSubscriptionDocument,
  ChangePlanDocument,
  PauseSubscriptionDocument,
  PlanChangePreviewDocument,
  ResumeSubscriptionDocument,
  StartCheckoutDocument,
  SubscriptionDocument,
} from '../generated/graphql.js';
import type { Shop } from './shop.js';

/** A user who pays for an account, over HTTP. */
export class Subscriber {
  #seen = 0;
  #billed = 0;

  private constructor(
    private readonly shop: Shop,
    readonly token: string,
    readonly accountId: string,
    readonly userId: string,
  ) {}

  static async register(shop: Shop): Promise<Subscriber> {
    const { token, accountId, userId } = await shop.test.register();
    return new Subscriber(shop, token, accountId, userId);
  }

  /** What has happened on the subscription since the last look. */
  async news(): Promise<string[]> {
    const all = await this.shop.happened(this.accountId);
    const fresh = all.slice(this.#seen);
    this.#seen = all.length;
    return fresh;
  }

  /** The invoices that were issued since the last look. */
  async bills(): Promise<string[][]> {
    const all = await this.shop.invoices(this.accountId);
    const fresh = all.slice(this.#billed);
    this.#billed = all.length;
    return fresh;
  }

  /** The account's plan, and what it pays for. */
  async now(): Promise<Record<string, unknown>> {
    const { data } = await this.shop.test.query(SubscriptionDocument, {}, this.token);
    const { plan, subscription } = data?.account ?? {};
    return {
      plan: plan?.id,
      ...(subscription && {
        status: subscription.status,
        pays: moneyText(subscription.price.amount),
        until: subscription.period.to,
        ...(subscription.cancelsAt !== null && { cancelsAt: subscription.cancelsAt }),
        ...(subscription.pausedAt !== null && { pausedAt: subscription.pausedAt }),
        ...(subscription.graceEndsAt !== null && { graceEndsAt: subscription.graceEndsAt }),
        ...(subscription.pendingChange && {
          next: `${subscription.pendingChange.plan.id}, ${subscription.pendingChange.status}`,
        }),
      }),
    };
  }

  /** The address of a page on which to pay. */
  async checkout(priceId: string, coupon?: string): Promise<string> {
    const result = await this.startCheckout(priceId, coupon);
    if (result?.__typename !== 'StartCheckoutPayload' || result.url == null) {
      throw new Error(`startCheckout answered ${JSON.stringify(result)}`);
    }
    return result.url;
  }

  async startCheckout(priceId: string, coupon?: string) {
    const input = { priceId, ...(coupon !== undefined && { coupon }) };
    const { data } = await this.shop.test.query(StartCheckoutDocument, { input }, this.token);
    return data?.startCheckout;
  }

  /** Subscribes, as a person does on the page. */
  async subscribe(priceId: string, card?: string, coupon?: string): Promise<void> {
    const { status } = await this.shop.pay(await this.checkout(priceId, coupon), card);
    if (status !== 303) throw new Error(`the page answered ${status}`);
    await this.shop.settled();
  }

  async preview(priceId: string, coupon?: string): Promise<unknown> {
    const variables = { priceId, ...(coupon !== undefined && { coupon }) };
    const { data } = await this.shop.test.query(PlanChangePreviewDocument, variables, this.token);
    return data?.account?.planChangePreview;
  }

  async changeTo(priceId: string, coupon?: string): Promise<unknown> {
    const input = { priceId, ...(coupon !== undefined && { coupon }) };
    const { data } = await this.shop.test.query(ChangePlanDocument, { input }, this.token);
    return data?.changePlan;
  }

  async cancel(): Promise<unknown> {
    const { data } = await this.shop.test.query(CancelSubscriptionDocument, { input: {} }, this.token);
    return data?.cancelSubscription;
  }

  async pause(): Promise<unknown> {
    const { data } = await this.shop.test.query(PauseSubscriptionDocument, { input: {} }, this.token);
    return data?.pauseSubscription;
  }

  async resume(): Promise<unknown> {
    const { data } = await this.shop.test.query(ResumeSubscriptionDocument, { input: {} }, this.token);
    return data?.resumeSubscription;
  }
}

const moneyText = ({ minorUnits, currency }: { minorUnits: unknown; currency: unknown }): string =>
  `${String(minorUnits)} ${String(currency)}`;
