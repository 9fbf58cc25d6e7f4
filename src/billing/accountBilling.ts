import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import { byPolicy } from '../eventsourcing/policy.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { fold } from '../eventsourcing/decider.js';
import type { StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import { subscriptionStream } from '../plans/events.js';
import type { Coupon } from './decideCoupon.js';
import { couponOf } from './decideCoupon.js';
import { offerFor } from './decideAgreedPrice.js';
import type { BillingCommand, PriceList } from './decide.js';
import { billingDecider } from './decide.js';
import type { BillingEvent, CheckoutEnd } from './events.js';
import { DUPLICATE } from './events.js';
import type { InvoiceRecorder } from './invoiceRecorder.js';
import type { Payments } from './payments.js';
import { PaymentRefused } from './payments.js';
import type { Snapshot } from './recordSubscription.js';
import { duplicatesOf } from './recordSubscription.js';
import { retryStale } from '../eventsourcing/retryStale.js';
import type { Asked, BillingState, Paid, Scheduled } from './state.js';
import { subscriptionsOf } from './trialCards.js';

/** Stripe forgets keys after a day: what is older is looked up before it is sent again (decision 23). */
const KEYS_LIVE_MS = 20 * 3_600_000;

type BillingRequestFailed = Extract<BillingEvent, { type: 'BillingRequestFailed' }>['data'];

export interface AccountBillingOptions {
  readonly commands: CommandHandler;
  readonly payments: Payments;
  readonly invoices: InvoiceRecorder;
  readonly priceList: () => PriceList;
  readonly coupons: () => readonly Coupon[];
  readonly graceDays: () => number;
  /** Where the customer comes back to. */
  readonly returnUrl: string;
  /** Of the owner, where there is one. */
  readonly emailOf: (accountId: string) => Promise<string | null>;
  readonly clock: Clock;
  /** By which Stripe bills. */
  readonly billingClock: Clock;
}

/**
 * Does at Stripe what an account has asked for, and records what Stripe says. All of it can be done again at any
 * time, here and elsewhere at once: keys make one of it at Stripe, expected revisions make one of it here.
 */
export class AccountBilling {
  readonly #running = new Map<string, Promise<unknown>>();

  constructor(private readonly options: AccountBillingOptions) {}

  /** @throws PaymentsUnavailable, Outage: what was asked for stays asked for */
  settle(accountId: string): Promise<BillingState> {
    return this.#serial(accountId, async () => {
      await this.#openCustomer(accountId);
      await this.#closeReplaced(accountId);
      // Its price may have been withdrawn meanwhile.
      if (await this.#openCheckout(accountId)) await this.#closeReplaced(accountId);
      const done = await this.#doAsked(accountId);
      const state = await this.#record(accountId);
      if (done === undefined || state.asked?.id !== done) return state;
      await this.#failRequest(accountId, done, WITHOUT_EFFECT);
      return this.state(accountId);
    });
  }

  /**
   * Records an invoice as Stripe has it.
   * @param toldBy the id of Stripe's event that has told of it
   * @param refunds whether some of it was given back
   */
  recordInvoice(accountId: string, invoiceId: string, toldBy?: string, refunds?: boolean): Promise<void> {
    return this.#serial(accountId, () => this.options.invoices.record(accountId, invoiceId, toldBy, refunds));
  }

  /** Does what time alone has made due: takes the plan from an account whose grace is over, or tells it. */
  followTime(accountId: string): Promise<void> {
    return this.#serial(accountId, async () => {
      const now = new Date(this.options.billingClock()).toISOString();
      await this.#send(accountId, { type: 'FollowTime', now }, `time:${now}`);
    });
  }

  async state(accountId: string): Promise<BillingState> {
    return (await this.#load(accountId)).state;
  }

  async #load(accountId: string) {
    const history = await this.options.commands.load(subscriptionStream(accountId));
    return { history, state: fold(billingDecider, history) };
  }

  /** The session of a checkout at the payment service, or why it was refused there. */
  async checkoutSession(
    accountId: string,
    checkoutId: string,
  ): Promise<{ readonly session?: string; readonly problem?: string | null }> {
    let problem: string | null | undefined;
    for (const stored of await this.options.commands.load(subscriptionStream(accountId))) {
      const { type, data } = as<BillingEvent>(stored);
      if (type === 'CheckoutOpened' && data.checkoutId === checkoutId) return { session: data.session };
      if (type === 'CheckoutEnded' && data.checkoutId === checkoutId) problem = data.problem;
    }
    return problem === undefined ? {} : { problem };
  }

  /** Why Stripe has refused what was asked; undefined where it has not. */
  async failureOf(accountId: string, requestId: string): Promise<BillingRequestFailed | undefined> {
    for (const stored of await this.options.commands.load(subscriptionStream(accountId))) {
      const { type, data } = as<BillingEvent>(stored);
      if (type === 'BillingRequestFailed' && data.requestId === requestId) return data;
    }
    return undefined;
  }

  async #openCustomer(accountId: string): Promise<void> {
    const { payments, emailOf } = this.options;
    const { history, state } = await this.#load(accountId);
    if (!state.customerAsked || state.customer !== undefined) return;
    const age = this.#ageOf(history, 'CustomerRequested');
    const found = age > KEYS_LIVE_MS ? await payments.findCustomer(accountId) : undefined;
    const email = found === undefined ? await emailOf(accountId) : null;
    const created =
      found ?? (await payments.createCustomer({ accountId, email }, `tollgraph:customer:${accountId}`));
    await this.#send(accountId, { type: 'RecordCustomer', customer: created }, 'customer');
  }

  /** Of several pages that were asked for only the newest can be paid. */
  async #closeReplaced(accountId: string): Promise<void> {
    const { replaced } = await this.state(accountId);
    for (const { id, session = '' } of replaced) {
      const { status } = await this.options.payments.expireCheckout(session, `tollgraph:expire:${id}`);
      // Somebody has paid there meanwhile: that is known before another page is opened.
      if (status === 'complete') await this.#record(accountId);
      await this.#endCheckout(accountId, id, status === 'complete' ? 'completed' : 'expired');
    }
  }

  /** @returns whether a page was opened */
  async #openCheckout(accountId: string): Promise<boolean> {
    const { payments, priceList, coupons, returnUrl } = this.options;
    const { history, state } = await this.#load(accountId);
    const { checkout, customer, paid } = state;
    if (!checkout || checkout.session !== undefined || customer === undefined) return false;
    const { id: checkoutId, price, trialDays, coupon: code } = checkout;
    const end = async (problem: string): Promise<false> => {
      await this.#endCheckout(accountId, checkoutId, 'failed', problem);
      return false;
    };
    if (paid) return end('already_subscribed');
    const offer = offerFor(state, priceList(), price);
    if (!offer) return end('price_unknown');
    const coupon = code === undefined ? undefined : couponOf(coupons(), code);
    if (code !== undefined && !coupon) return end('coupon_unknown');
    // Whoever asked for it has left long ago.
    if (this.#ageOf(history, 'CheckoutRequested') > KEYS_LIVE_MS) return end('too_late');
    try {
      const { session, expiresAt } = await payments.createCheckout(
        {
          accountId,
          customer,
          checkoutId,
          offer,
          trialDays,
          coupon,
          successUrl: `${returnUrl}?checkout={CHECKOUT_SESSION_ID}`,
          cancelUrl: returnUrl,
        },
        `tollgraph:checkout:${checkoutId}`,
      );
      const command: BillingCommand = { type: 'RecordCheckout', checkoutId, session, expiresAt };
      await this.#send(accountId, command, `checkout:${checkoutId}`);
      return true;
    } catch (error) {
      if (!(error instanceof PaymentRefused)) throw error;
      return end(error.code);
    }
  }

  /** @returns the id of what was asked for, where Stripe says that it is done */
  async #doAsked(accountId: string): Promise<string | undefined> {
    const { history, state } = await this.#load(accountId);
    const { asked, paid } = state;
    if (!asked || !paid) return undefined;
    const old = this.#ageOf(history, REQUESTS[asked.kind]) > KEYS_LIVE_MS;
    // It may have been done long ago, and its answer lost.
    const current = old ? await this.#record(accountId) : undefined;
    if (current && current.asked?.id !== asked.id) return undefined;
    try {
      // Before it is over, so that a crash between the two leaves it asked for.
      if (asked.kind === 'cancel' && asked.refund) await this.#refund(accountId, paid.subscription);
      await this.#do(asked, paid, state, `tollgraph:${asked.id}${old ? ':late' : ''}`);
      return asked.id;
    } catch (error) {
      if (!(error instanceof PaymentRefused)) throw error;
      // Nothing is changed: neither is what was to come. Each try has dropped that before it was refused, so that the
      // answers to the key of an earlier one are of no use.
      if (asked.kind === 'change') {
        await this.#schedule(state, paid, asked.before, `tollgraph:${asked.id}:back:${randomUUID()}`);
      }
      await this.#failRequest(accountId, asked.id, error);
      return undefined;
    }
  }

  #failRequest(
    accountId: string,
    requestId: string,
    { code, message }: { readonly code: string; readonly message: string },
  ): Promise<void> {
    return this.#send(accountId, { type: 'FailRequest', requestId, code, message }, `fail:${requestId}`);
  }

  /** Lets a change come once more that was to come before. */
  async #schedule(
    state: BillingState,
    { subscription }: Paid,
    change: Scheduled | undefined,
    key: string,
  ): Promise<void> {
    const { payments, priceList } = this.options;
    const offer = change && offerFor(state, priceList(), change.price);
    if (offer) await payments.changeAtPeriodEnd({ subscription, offer }, key);
  }

  async #do(asked: Asked, paid: Paid, state: BillingState, key: string): Promise<void> {
    const { payments, priceList, coupons } = this.options;
    const { subscription, price } = paid;
    if (asked.kind === 'cancel') return payments.cancel(subscription, asked.when, key);
    if (asked.kind === 'pause') return payments.pause(subscription, key);
    if (asked.kind === 'resume') {
      if (paid.pausedAt !== undefined) return payments.endPause(subscription, key);
      await payments.resume(subscription, key);
      return this.#schedule(state, paid, paid.dropped, `${key}:back`);
    }
    if (asked.price === price) return payments.stay(subscription, key);
    const offer = offerFor(state, priceList(), asked.price);
    if (!offer) throw new PaymentRefused('price_unknown', 'The price is not sold any more.', false);
    const coupon = asked.coupon === undefined ? undefined : couponOf(coupons(), asked.coupon);
    if (asked.coupon !== undefined && !coupon) {
      throw new PaymentRefused('coupon_unknown', 'The coupon is not offered any more.', false);
    }
    if (asked.when === 'period_end') return payments.changeAtPeriodEnd({ subscription, offer, coupon }, key);
    return payments.changeNow({ subscription, offer, coupon, prorationAt: asked.prorationAt }, key);
  }

  /** Asks Stripe, and appends what has changed at the revision from before it was asked. */
  async #record(accountId: string): Promise<BillingState> {
    const { commands, graceDays, billingClock } = this.options;
    const stream = subscriptionStream(accountId);
    const { customer, checkout } = await this.state(accountId);
    if (customer !== undefined) {
      let snapshots: readonly Snapshot[] = [];
      await retryStale(async () => {
        const { state } = await this.#load(accountId);
        const asOf = state.events;
        snapshots = await subscriptionsOf(accountId, state, customer, this.options);
        const command: BillingCommand = {
          type: 'RecordSubscriptions',
          snapshots,
          asOf,
          graceDays: graceDays(),
          at: new Date(billingClock()).toISOString(),
        };
        return commands.handle(billingDecider, stream, command, this.#context(randomUUID(), accountId));
      });
      await this.#endDuplicates(accountId, snapshots);
    }
    if (checkout?.session !== undefined) {
      await this.#followCheckout(accountId, checkout.id, checkout.session);
    }
    return this.state(accountId);
  }

  async #followCheckout(accountId: string, checkoutId: string, session: string): Promise<void> {
    const { payments } = this.options;
    const { paid } = await this.state(accountId);
    // Who has a subscription by now pays for no other: a page that is still open is closed.
    const { status } = await (paid
      ? payments.expireCheckout(session, `tollgraph:expire:${checkoutId}`)
      : payments.checkout(session));
    if (status === 'open') return;
    await this.#endCheckout(accountId, checkoutId, status === 'complete' ? 'completed' : 'expired');
  }

  #endCheckout(
    accountId: string,
    checkoutId: string,
    how: CheckoutEnd,
    problem: string | null = null,
  ): Promise<void> {
    const command: BillingCommand = { type: 'EndCheckout', checkoutId, how, problem };
    return this.#send(accountId, command, `end-checkout:${checkoutId}`);
  }

  async #refund(accountId: string, subscription: string): Promise<void> {
    const { payments, invoices } = this.options;
    const key = `tollgraph:unwanted:${subscription}`;
    const { invoices: credited } = await payments.refundSubscription(subscription, key);
    for (const invoice of credited) await invoices.record(accountId, invoice, undefined, true);
  }

  /** An account pays for one subscription: others are ended, and what was paid for them given back. */
  async #endDuplicates(accountId: string, snapshots: readonly Snapshot[]): Promise<void> {
    const { payments, invoices } = this.options;
    for (const duplicate of duplicatesOf(await this.state(accountId), snapshots)) {
      const { subscription, status, plan, currency } = duplicate;
      const key = `tollgraph:duplicate:${subscription}`;
      if (status !== 'canceled') await payments.cancel(subscription, 'now', key, DUPLICATE);
      const { refunded, invoices: credited } = await payments.refundSubscription(subscription, key);
      for (const invoice of credited) await invoices.record(accountId, invoice, undefined, true);
      const command: BillingCommand = { type: 'RecordDuplicate', subscription, plan, currency, refunded };
      await this.#send(accountId, command, `duplicate:${subscription}`);
    }
  }

  async #send(accountId: string, command: BillingCommand, commandId: string): Promise<void> {
    const { commands } = this.options;
    await commands.handle(
      billingDecider,
      subscriptionStream(accountId),
      command,
      this.#context(commandId, accountId),
    );
  }

  #context(commandId: string, accountId: string) {
    return byPolicy('billing', commandId, { at: this.options.clock(), about: accountId });
  }

  /** How long ago the newest event of a type was stored, in milliseconds. */
  #ageOf(history: readonly StoredEvent[], type: string): number {
    const last = history.findLast((event) => event.type === type);
    return last ? this.options.clock() - Date.parse(last.metadata.at) : 0;
  }

  /** One after the other for each account. */
  #serial<T>(accountId: string, work: () => Promise<T>): Promise<T> {
    const before = this.#running.get(accountId) ?? Promise.resolve();
    const done = before.then(work, work);
    const settled = done
      .catch(() => undefined)
      .then(() => {
        if (this.#running.get(accountId) === settled) this.#running.delete(accountId);
      });
    this.#running.set(accountId, settled);
    return done;
  }
}

/**
 * Of what Stripe has answered as done, and that changed nothing there: somebody has undone it, or it is no longer what
 * the key stood for. To ask again would be answered the same.
 */
const WITHOUT_EFFECT = {
  code: 'without_effect',
  message:
    'The payment service has accepted the request, and the subscription is as it was before. Try again.',
};

const REQUESTS: Readonly<Record<Asked['kind'], string>> = {
  change: 'PlanChangeRequested',
  cancel: 'CancellationRequested',
  resume: 'ResumptionRequested',
  pause: 'PauseRequested',
};
