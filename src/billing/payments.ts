import type { Money } from '../money/money.js';
import { Outage } from '../outage.js';
import type { Coupon } from './decideCoupon.js';
import type { Offer, PriceList } from './decide.js';
import type { InvoiceSnapshot } from './decideInvoice.js';
import type { Snapshot } from './recordSubscription.js';

/** Stripe, or its stand-in, does not answer: nobody knows whether anything was done. Try again. */
export class PaymentsUnavailable extends Outage {}

/** It was refused and nothing was done: a card was declined, or the request makes no sense at Stripe. */
export class PaymentRefused extends Error {
  constructor(
    /** E.g. `card_declined`. */
    readonly code: string,
    /** For the customer. */
    message: string,
    readonly isCard: boolean,
  ) {
    super(message);
    this.name = 'PaymentRefused';
  }
}

export interface CheckoutPage {
  readonly session: string;
  /** Where the customer pays; null once it is over. */
  readonly url: string | null;
  readonly expiresAt: string;
  readonly status: 'open' | 'complete' | 'expired';
  /** As it was asked for. */
  readonly checkoutId: string | null;
}

/** A page on which something is paid that is sold by the piece. */
export interface PaymentPage {
  readonly id: string;
  /** Null once it is over. */
  readonly url: string | null;
  readonly status: CheckoutPage['status'];
  /** Null as long as nothing was paid. */
  readonly intent: string | null;
}

/** A page on which something was to be paid, for whoever comes back from it. */
export interface PaidPage {
  readonly status: CheckoutPage['status'];
  /** Where it is paid; null once it is over. */
  readonly url: string | null;
  /** Whether the money has come, or nothing was due. With some ways to pay a bank confirms that days later. */
  readonly paid: boolean;
  /** Whether the bank has refused it after all. */
  readonly failed: boolean;
  readonly what:
    | { readonly kind: 'subscription'; readonly accountId: string; readonly subscription: string | null }
    | { readonly kind: 'credits'; readonly accountId: string; readonly purchase: string }
    | { readonly kind: 'analysis' };
  readonly total: Money;
  /** Stripe's id; null where nothing is invoiced. */
  readonly invoice: string | null;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** What an invoice would come to. */
export type Preview = Pick<
  InvoiceSnapshot,
  'currency' | 'lines' | 'subtotal' | 'discounts' | 'tax' | 'total' | 'due'
> & {
  readonly taxIncluded: number;
  readonly periodStart: string;
  readonly periodEnd: string;
};

/** What a profile sells at the payment service. */
export interface Shelf extends PriceList {
  /** Those that can still be redeemed. */
  readonly coupons: readonly Coupon[];
}

/** A product, a price or a coupon as it is at the payment service, against what the profile says. */
export interface CatalogueEntry {
  readonly kind: 'product' | 'price' | 'coupon';
  /** Ours: the plan, the price, or the coupon. */
  readonly id: string;
  /** Of the one that is there. */
  readonly existing: string | null;
  readonly state:
    /** It is there as the profile says. */
    | 'current'
    /** It is not there. */
    | 'missing'
    /** There is one at another amount: those who pay it keep it, and others get a new one. */
    | 'outdated'
    /** The configuration names one that is something else. */
    | 'wrong'
    /** An operator has agreed it with one account. */
    | 'agreed'
    /** The profile has it no more: those who pay it keep it. */
    | 'retired';
  /** For people: what it costs. */
  readonly detail: string;
}

/**
 * The port to whoever takes the money. All that changes something takes a key: sent again with it within a day,
 * it does nothing and answers the same.
 * @throws PaymentRefused, PaymentsUnavailable
 */
export interface Payments {
  /** Whether money moves: `livemode` of its events. */
  readonly live: boolean;
  /** Looks for the customer of an account that was created earlier, and whose answer was lost. */
  findCustomer(accountId: string): Promise<string | undefined>;
  createCustomer(
    customer: { readonly accountId: string; readonly email: string | null },
    key: string,
  ): Promise<string>;
  /** The account that is written on a customer, maybe one of another installation; undefined where there is none. */
  accountOf(customer: string): Promise<string | undefined>;
  createCheckout(
    checkout: {
      readonly accountId: string;
      readonly customer: string;
      readonly checkoutId: string;
      readonly offer: Offer;
      readonly trialDays: number | null;
      readonly coupon?: Coupon | undefined;
      readonly successUrl: string;
      readonly cancelUrl: string;
    },
    key: string,
  ): Promise<CheckoutPage>;
  checkout(session: string): Promise<CheckoutPage>;
  /** Closes the page of a checkout. @returns how it is then: one that was paid before stays paid */
  expireCheckout(session: string, key: string): Promise<CheckoutPage>;
  /** @returns undefined for a page that is none of ours */
  paidPage(session: string): Promise<PaidPage | undefined>;
  /** What there is of the profile's products, prices and coupons. */
  catalogue(shelf: Shelf): Promise<CatalogueEntry[]>;
  /** Makes the products, prices and coupons that are missing or outdated. What is there is never edited. */
  makeCatalogue(shelf: Shelf): Promise<void>;
  /** The address of the page on which a customer changes cards, and reads invoices. */
  openPortal(customer: string, returnUrl: string): Promise<string>;
  /** All subscriptions of a customer, those that are over too. */
  subscriptions(customer: string): Promise<Snapshot[]>;
  /** What a change to a price would cost, at once or from the next period on. */
  previewChange(
    change: {
      readonly customer: string;
      readonly subscription: string;
      readonly offer: Offer;
      readonly coupon?: Coupon | undefined;
    },
    prorationAt: string | undefined,
  ): Promise<Preview>;
  /** At once; what is due is charged. Where that fails nothing changes. A coupon replaces what discounts there are. */
  changeNow(
    change: {
      readonly subscription: string;
      readonly offer: Offer;
      readonly coupon?: Coupon | undefined;
      readonly prorationAt: string;
    },
    key: string,
  ): Promise<void>;
  changeAtPeriodEnd(
    change: { readonly subscription: string; readonly offer: Offer; readonly coupon?: Coupon | undefined },
    key: string,
  ): Promise<void>;
  /** Takes a change back that was to come when the period is over. */
  stay(subscription: string, key: string): Promise<void>;
  /** @param reason kept with one that is cancelled at once */
  cancel(subscription: string, when: 'now' | 'period_end', key: string, reason?: string): Promise<void>;
  /** Takes a cancellation back. */
  resume(subscription: string, key: string): Promise<void>;
  /** At once: nothing more is billed, and what is left of the period is credited on the next invoice. */
  pause(subscription: string, key: string): Promise<void>;
  /** A period begins, and is charged; where that fails the payment is overdue. */
  endPause(subscription: string, key: string): Promise<void>;
  /** Gives back all that was paid for a subscription, and voids what is open. Done again it does nothing. */
  refundSubscription(
    subscription: string,
    key: string,
  ): Promise<{ readonly refunded: number; readonly invoices: readonly string[] }>;
  /** A payment of one thing, without a customer. */
  createIntent(
    payment: Money & { readonly purpose: string },
    key: string,
  ): Promise<{ readonly id: string; readonly clientSecret: string }>;
  /** A page on which several of one thing are paid at once, without a customer. @param payment for one of them */
  openPaymentPage(
    payment: Money & {
      readonly purpose: string;
      readonly quantity: number;
      /** What is paid, for people. */
      readonly name: string;
      readonly paidUrl: string;
      readonly unpaidUrl: string;
    },
    key: string,
  ): Promise<PaymentPage>;
  paymentPage(
    id: string,
  ): Promise<PaymentPage & { readonly purpose: string | undefined; readonly quantity: number }>;
  intent(id: string): Promise<
    Money & {
      /** Stripe's word, e.g. `succeeded`. */
      readonly status: string;
      readonly purpose: string | undefined;
      /** How many things it pays for, each with the same part of the amount. */
      readonly quantity: number;
      /** What was given back in all, in minor units. */
      readonly refunded: number;
      /** Of it, what `refundOne` has given back. */
      readonly refundedForThings: number;
      /** Whether the customer has disputed it, and that was not decided for us. */
      readonly disputed: boolean;
    }
  >;
  /** The payment that a charge was made for. */
  intentOfCharge(charge: string): Promise<string | undefined>;
  /**
   * Gives back what was paid for one thing. Done again it does nothing, however much later.
   * @returns the id of the refund
   */
  refundOne(
    id: string,
    refund: {
      /** Tells it from the other things that the payment pays for. */
      readonly thing: string;
      /** Minor units. */
      readonly amount: number;
    },
    key: string,
  ): Promise<string>;
  /** Events whose webhooks were not delivered, of the last 30 days, the oldest first; whole, as they are stored. */
  undelivered(): Promise<readonly unknown[]>;
  /** @param refunds whether refunds are looked for that it does not tell of: those without a credit note */
  invoice(id: string, refunds?: boolean): Promise<InvoiceSnapshot>;
  /** A refund, and the customer who had paid what it gives back, where there was one. */
  refund(id: string): Promise<
    Money & {
      readonly charge: string | undefined;
      readonly payment: string | undefined;
      readonly customer: string | undefined;
      /** Whether the money is with the seller again; and why, in Stripe's word. */
      readonly failed: boolean;
      readonly reason: string | undefined;
    }
  >;
  /** The invoice that a charge was for; undefined where it was for none. */
  invoiceOfCharge(charge: string): Promise<string | undefined>;
  /** The newest first. */
  invoices(customer: string): Promise<InvoiceSnapshot[]>;
  /** The invoice of the running period as it stands; undefined where there will be none. */
  upcoming(customer: string, subscription: string): Promise<Preview | undefined>;
}
