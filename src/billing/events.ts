import type { BlobFacts } from '../blobs/store.js';
import type { Whole } from '../money/whole.js';

/** What was done about an event of Stripe. */
export type WebhookEffect =
  /** What it is about was fetched from Stripe, and what had changed was recorded. */
  | 'applied'
  /** A type that nothing follows from. */
  | 'none'
  /** About a customer who belongs to none of our accounts. */
  | 'unknown_customer'
  /** From Stripe's other mode, live or test: it never touches our accounts. */
  | 'other_mode';

/**
 * Stream `stripe_event-<Stripe's id>`: an event of Stripe, stored as it came before it was answered. It is a
 * signal alone: what it is about is fetched again, since events come late, twice and in any order (law 6).
 */
export type StripeEventEvent =
  | {
      readonly type: 'StripeEventReceived';
      readonly data: {
        /** E.g. `invoice.paid`; types that nobody knows yet are kept too. */
        readonly eventType: string;
        /** When it was created at Stripe, to the second. ISO 8601. */
        readonly createdAt: string;
        readonly livemode: boolean;
        readonly apiVersion: string | null;
        /** The connected account that it comes from; null for our own. */
        readonly connectedAccount: string | null;
        /** What it is about. */
        readonly object: { readonly type: string; readonly id: string | null };
        readonly customer: string | null;
        /** The whole event, which may be personal, sealed for `subject`. Without a hash it was not kept. */
        readonly body: BlobFacts & { readonly subject: string };
        /** Whether it was fetched from Stripe's list of events, after its webhook had not come. */
        readonly backfilled: boolean;
      };
    }
  | {
      readonly type: 'StripeEventHandled';
      readonly data: { readonly effect: WebhookEffect; readonly accountId: string | null };
    };

export const stripeEventStream = (id: string): string => `stripe_event-${id}`;

/** Whose personal data the bodies of Stripe's events about a customer are: erased with the customer's account. */
export const customerSubject = (customer: string | null): string => `stripe:${customer ?? 'nobody'}`;

/** What a subscription is paid for: pinned when it starts, whatever the profile says later (decision 5). */
export interface Terms {
  /** The subscription's id at Stripe. */
  readonly subscription: string;
  readonly plan: string;
  /** Our price, e.g. `developer-month-usd`. */
  readonly price: string;
  readonly interval: 'month' | 'year';
  /** Minor units of the currency for one interval. */
  readonly amount: number;
  readonly currency: string;
  /** ISO 8601. */
  readonly periodStart: string;
  readonly periodEnd: string;
}

/** From when on billing periods count, milliseconds since the epoch: those before and after a pause share none. */
export const anchorFrom = ({
  periodStart,
  billedFrom,
}: Pick<Terms, 'periodStart'> & { readonly billedFrom?: string }): number =>
  Date.parse(billedFrom ?? periodStart);

/** A discount that a subscription has: what it takes off, and until when. */
export interface Discount {
  /** At Stripe. */
  readonly id: string;
  /** Our coupon's code; null for one that is none of ours. */
  readonly coupon: string | null;
  readonly name: string;
  readonly percentOff: number | null;
  /** Minor units of `currency`. */
  readonly amountOff: number | null;
  readonly currency: string | null;
  /** ISO 8601; null where it is for all invoices, or for the next one alone. */
  readonly endsAt: string | null;
}

/** A price that an operator has agreed with one account. */
export interface AgreedPrice {
  /** Its id, e.g. `enterprise-year-usd-5f2b1c1e9a3d4c7b`. */
  readonly price: string;
  readonly plan: string;
  readonly interval: 'month' | 'year';
  /** Minor units of the currency for one interval. */
  readonly amount: number;
  readonly currency: string;
}

export type SuspensionReason = 'grace_over' | 'unpaid' | 'trial_without_card';
export type CheckoutEnd = 'completed' | 'expired' | 'failed';

/**
 * Stream `subscription-<account id>`, beside what operators grant: what was asked of Stripe, by whom, and what
 * Stripe confirmed (decision 23). All times are ISO 8601.
 */
export type BillingEvent =
  /** The account needs a customer at Stripe. */
  | { readonly type: 'CustomerRequested'; readonly data: { readonly by: string } }
  | { readonly type: 'CustomerCreated'; readonly data: { readonly customer: string } }
  | {
      readonly type: 'CheckoutRequested';
      readonly data: {
        readonly checkoutId: string;
        readonly plan: string;
        readonly price: string;
        readonly interval: 'month' | 'year';
        readonly amount: number;
        readonly currency: string;
        /** The version of the profile that the price is from. */
        readonly profileVersion: number;
        /** Null where the account has had its trial, or the plan has none. */
        readonly trialDays: number | null;
        /** The coupon's code; absent where none was given. */
        readonly coupon?: string;
        readonly by: string;
      };
    }
  | {
      readonly type: 'CheckoutOpened';
      readonly data: { readonly checkoutId: string; readonly session: string; readonly expiresAt: string };
    }
  | {
      readonly type: 'CheckoutEnded';
      readonly data: {
        readonly checkoutId: string;
        readonly how: CheckoutEnd;
        readonly problem: string | null;
      };
    }
  | {
      /** Nobody is to pay on its page any more, which is closed. */
      readonly type: 'CheckoutWithdrawn';
      readonly data: { readonly checkoutId: string };
    }
  | { readonly type: 'TrialStarted'; readonly data: Terms & { readonly trialEndsAt: string } }
  | { readonly type: 'TrialConverted'; readonly data: Terms }
  | { readonly type: 'SubscriptionStarted'; readonly data: Terms }
  | { readonly type: 'PeriodRenewed'; readonly data: Terms }
  | {
      /** The account may subscribe at it, and nobody else. */
      readonly type: 'PriceAgreed';
      readonly data: AgreedPrice & { readonly by: string };
    }
  | {
      /** Nobody subscribes at it any more; whoever pays it keeps it. */
      readonly type: 'AgreedPriceWithdrawn';
      readonly data: {
        readonly price: string;
        /** The page that was open for it, and is closed; null where there was none. */
        readonly checkoutId: string | null;
        readonly by: string;
      };
    }
  | {
      readonly type: 'PlanChangeRequested';
      readonly data: {
        readonly changeId: string;
        readonly from: string;
        readonly plan: string;
        readonly price: string;
        readonly when: 'now' | 'period_end';
        /** As of when the running period is divided: a preview at this time is exact. */
        readonly prorationAt: string;
        /** The coupon's code; absent where none was given: then discounts stay as they are. */
        readonly coupon?: string;
        readonly by: string;
      };
    }
  | {
      /** The discounts of a subscription are others: all that it has now. */
      readonly type: 'DiscountsChanged';
      readonly data: { readonly subscription: string; readonly discounts: readonly Discount[] };
    }
  | {
      readonly type: 'PlanChanged';
      readonly data: Terms & { readonly from: string; readonly changeId: string | null };
    }
  | {
      readonly type: 'PlanChangeScheduled';
      readonly data: {
        readonly changeId: string | null;
        readonly plan: string;
        readonly price: string;
        readonly at: string;
      };
    }
  | {
      readonly type: 'PlanChangeUnscheduled';
      readonly data: {
        readonly price: string;
        /** The request to stay that it answers; absent where nobody has asked here. */
        readonly changeId?: string;
      };
    }
  | {
      readonly type: 'CancellationRequested';
      readonly data: {
        readonly requestId: string;
        readonly when: 'now' | 'period_end';
        readonly by: string;
        /** Whether all that was paid is given back. */
        readonly refund?: true;
      };
    }
  | { readonly type: 'CancellationScheduled'; readonly data: { readonly at: string } }
  | {
      readonly type: 'ResumptionRequested';
      readonly data: { readonly requestId: string; readonly by: string };
    }
  | {
      readonly type: 'PauseRequested';
      readonly data: { readonly requestId: string; readonly by: string };
    }
  | {
      /** Nothing is billed until it is resumed. What is left of the period is credited then. */
      readonly type: 'SubscriptionPaused';
      readonly data: { readonly subscription: string; readonly plan: string; readonly at: string };
    }
  | {
      /** A pause is over: a period begins with it. */
      readonly type: 'SubscriptionResumed';
      readonly data: Terms & {
        /**
         * Where Stripe's period is the one from before the pause: from when use is billed, in periods of its own.
         * Absent: from `periodStart` on.
         */
        readonly billedFrom?: string;
      };
    }
  | { readonly type: 'CancellationRevoked'; readonly data: { readonly plan: string } }
  | {
      /** Stripe has refused what was asked for: nothing of it was done. */
      readonly type: 'BillingRequestFailed';
      readonly data: { readonly requestId: string; readonly code: string; readonly message: string };
    }
  | {
      readonly type: 'PaymentOverdue';
      readonly data: { readonly plan: string; readonly since: string; readonly graceEndsAt: string };
    }
  | {
      /** What is free is soon paid for: told once, three days before. */
      readonly type: 'TrialEnding';
      readonly data: {
        readonly plan: string;
        readonly trialEndsAt: string;
        /** Whether the subscription ends with the trial, so that nothing is paid. */
        readonly cancelled: boolean;
      };
    }
  | {
      /** A plan is soon lost: told once, three days before. */
      readonly type: 'GraceEnding';
      readonly data: { readonly plan: string; readonly graceEndsAt: string };
    }
  | { readonly type: 'PaymentRecovered'; readonly data: { readonly plan: string } }
  | {
      readonly type: 'AccessSuspended';
      readonly data: { readonly plan: string; readonly reason: SuspensionReason };
    }
  | { readonly type: 'AccessRestored'; readonly data: { readonly plan: string } }
  | {
      /** The first payment never came: nothing was granted. */
      readonly type: 'ActivationFailed';
      readonly data: { readonly subscription: string };
    }
  | {
      /** A further subscription beside the one that is paid for: it was ended, and what was paid for it given back. */
      readonly type: 'DuplicateSubscriptionEnded';
      readonly data: {
        readonly subscription: string;
        readonly plan: string;
        readonly currency: string;
        /** Minor units that were given back. */
        readonly refunded: number;
      };
    }
  | {
      readonly type: 'PaidSubscriptionEnded';
      readonly data: {
        readonly subscription: string;
        readonly plan: string;
        readonly reason: string;
        readonly endedAt: string;
      };
    };

/** So long before a trial or a grace ends an account is told, in milliseconds. */
export const NOTICE_MS = 3 * 24 * 3_600_000;

/** The events after which the plan that is paid for may be another, and whether one is then. */
const PAID_PLAN = {
  TrialStarted: true,
  TrialConverted: true,
  SubscriptionStarted: true,
  PlanChanged: true,
  PaymentRecovered: true,
  AccessRestored: true,
  SubscriptionResumed: true,
  SubscriptionPaused: false,
  AccessSuspended: false,
  PaidSubscriptionEnded: false,
} as const;

export type PaidPlanEvent = Extract<BillingEvent, { type: keyof typeof PAID_PLAN }>;

export const PAID_PLAN_EVENTS = Object.keys(PAID_PLAN) as readonly PaidPlanEvent['type'][];

/** The plan that is paid for after an event; null for none. */
export const paidPlanAfter = ({ type, data }: PaidPlanEvent): string | null =>
  PAID_PLAN[type] ? data.plan : null;

/** A line of an invoice, in whole minor units of the invoice's currency. */
export interface InvoiceLine {
  readonly id: string;
  readonly kind: 'plan' | 'proration' | 'usage' | 'other';
  readonly description: string;
  /** Of usage smallest units of the meter. */
  readonly quantity: Whole;
  /** Of usage: what was counted. Absent on invoices from before it was kept, and where money alone is billed. */
  readonly meter?: string;
  /** Negative for a credit. Before the invoice's discounts and tax. */
  readonly amount: number;
  readonly periodStart: string;
  readonly periodEnd: string;
  /** Our price; null where the line is for none of ours. */
  readonly price: string | null;
  /** Ids of the events that it comes from (law 7). */
  readonly events: readonly string[];
  /** Of use: which line of the period that has closed. */
  readonly ratedLine?: string;
}

/** What a discount takes off an invoice. */
export interface InvoiceDiscount {
  /** Our coupon's code; null for one that is none of ours. */
  readonly coupon: string | null;
  readonly name: string;
  /** Minor units, not negative. */
  readonly amount: number;
  /** What the coupon takes off: one of the two, where that is known. */
  readonly percentOff?: number | null;
  readonly amountOff?: number | null;
}

/** Where Stripe's figure is another than ours, in minor units. */
export interface InvoiceDifference {
  /** A line of that kind, or a sum. */
  readonly what: InvoiceLine['kind'] | 'discount' | 'subtotal' | 'total';
  /** Stripe's id of the line; null for a sum. */
  readonly line: string | null;
  readonly ours: number;
  readonly theirs: number;
}

/**
 * Stream `invoice_numbers-<issuer>-<year>`: each event is one invoice, and its place on the stream is the number.
 * Without gaps and doubles by that (decision 30).
 */
export interface InvoiceNumbered {
  readonly type: 'InvoiceNumbered';
  readonly data: {
    /** Stripe's id. */
    readonly invoiceId: string;
    readonly accountId: string;
    /** ISO 8601. */
    readonly issuedAt: string;
  };
}

export const invoiceNumbersStream = (series: string): string => `invoice_numbers-${series}`;

/** An invoice that Stripe has issued, under our number (decision 30). */
export interface IssuedInvoice {
  readonly accountId: string;
  readonly number: string | null;
  /** Stripe's number; absent on invoices from before ours, which have Stripe's as their number. */
  readonly reference?: string | null;
  /** Why: Stripe's word, e.g. `subscription_cycle`. */
  readonly reason: string;
  readonly currency: string;
  readonly issuedAt: string;
  readonly periodStart: string;
  readonly periodEnd: string;
  readonly subtotal: number;
  /** Not negative. */
  readonly discount: number;
  /** What `discount` is the sum of; absent on invoices from before coupons were sold. */
  readonly discounts?: readonly InvoiceDiscount[];
  /** All of it, included in the lines or added to them. */
  readonly tax: number;
  /** Of the tax, what prices include: the lines and the subtotal have it already. None in older events. */
  readonly taxIncluded?: number;
  /** Subtotal − discount + the tax that is added. */
  readonly total: number;
  /** What is to be paid: the total after the customer's balance. */
  readonly due: number;
  readonly lines: readonly InvoiceLine[];
}

/** Stream `invoice-<Stripe's id>`. */
export type InvoiceEvent =
  | { readonly type: 'InvoiceFinalised'; readonly data: IssuedInvoice }
  | {
      /** When it was issued, it was not what our own events say it should be. */
      readonly type: 'InvoiceDiffers';
      readonly data: { readonly accountId: string; readonly differences: readonly InvoiceDifference[] };
    }
  | { readonly type: 'InvoicePaid'; readonly data: { readonly accountId: string; readonly paid: number } }
  | {
      readonly type: 'PaymentFailed';
      readonly data: {
        readonly accountId: string;
        readonly attempt: number;
        /** Null where it is not tried again. */
        readonly nextAttemptAt: string | null;
      };
    }
  | { readonly type: 'InvoiceVoided'; readonly data: { readonly accountId: string } }
  | { readonly type: 'InvoiceWrittenOff'; readonly data: { readonly accountId: string } }
  | {
      /** What was credited since: less was to be paid, or some of it was given back. */
      readonly type: 'InvoiceCredited';
      readonly data: {
        readonly accountId: string;
        /** All of it, so far. */
        readonly credited: number;
        /** Of it, what was given back without a credit note. None in older events. */
        readonly refunded?: number;
      };
    };

/** Stream `payment-<Stripe's id of the payment intent>`: what was paid without an account, and for what it was used, each thing once. */
export type PaymentEvent =
  | {
      readonly type: 'PaymentUsed';
      readonly data: {
        readonly purpose: 'analysis';
        /** SHA-256 of what it was used for: the same again is the same use. */
        readonly content: string;
      };
    }
  | {
      readonly type: 'PaymentReceived';
      readonly data: {
        readonly purpose: 'analysis';
        /** Minor units. */
        readonly amount: number;
        readonly currency: string;
      };
    }
  | {
      /** It was given back, or a part of it, by whomever. */
      readonly type: 'PaymentRefunded';
      readonly data: {
        /** Minor units that were given back since the last of these; below 0 where a refund has failed. */
        readonly amount: number;
        /** All of it, so far. */
        readonly refunded: number;
        readonly currency: string;
      };
    };

/** Stream `refund-<Stripe's id>`: what was given back has not reached the customer, and is with the seller again. */
export interface RefundFailed {
  readonly type: 'RefundFailed';
  readonly data: {
    /** Null where it was paid without an account. */
    readonly accountId: string | null;
    /** Minor units. */
    readonly amount: number;
    readonly currency: string;
    /** Stripe's word, e.g. `expired_or_canceled_card`; null where it says none. */
    readonly reason: string | null;
    /** Stripe's ids. */
    readonly charge: string;
    readonly payment: string | null;
  };
}

/** Stream `trial_card-<hash of a card>`: which account has had the trial that the card gives. */
export interface TrialCardUsed {
  readonly type: 'TrialCardUsed';
  readonly data: { readonly accountId: string };
}

/** Why a subscription was ended at once: its card has given a trial to another account. */
export const TRIAL_USED = 'trial_used';

/** Why a subscription was ended at once: the account has another. */
export const DUPLICATE = 'duplicate';

export const trialCardStream = (hash: string): string => `trial_card-${hash}`;

export const paymentStream = (intent: string): string => `payment-${intent}`;

export const refundStream = (id: string): string => `refund-${id}`;

export const invoiceStream = (id: string): string => `invoice-${id}`;
