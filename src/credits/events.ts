import type { Position } from '../eventsourcing/event.js';
import type { Money } from '../money/money.js';

/** What a grant has left. */
export interface Remainder {
  readonly grantId: string;
  readonly remaining: number;
}

/** How an account stands after an event. */
export interface Standing {
  /** Every grant that has something left. */
  readonly remainders: readonly Remainder[];
  /** What was taken back after it had been spent: no credits are spent until it is made good. */
  readonly debt: number;
}

/** How a purchase ends that brings no credits; `refunded` where it was paid for an account that is deleted. */
export type PurchaseEnd = 'expired' | 'failed' | 'refunded';

export type CreditSource = 'operator' | 'purchase';

/** Stream `credits-<account id>`: whole credits, each standing for one unit of overage at the profile's rate. */
export type CreditEvent =
  | {
      readonly type: 'CreditsGranted';
      readonly data: Standing & {
        readonly grantId: string;
        readonly amount: number;
        /** ISO 8601, a midnight of UTC; null for never. */
        readonly expiresAt: string | null;
        /** Of two that expire together the smaller one is spent first. */
        readonly priority: number;
        readonly source: CreditSource;
        /** What was paid; null for a gift. */
        readonly paid: Money | null;
        /** Stripe's id of the payment. */
        readonly payment: string | null;
        readonly by: string;
      };
    }
  | {
      /** Use above limits was looked at, and as much of it as there were credits for is paid. */
      readonly type: 'CreditsDrawn';
      readonly data: Standing & {
        /** The part of a billing period, as uses are stamped with it. */
        readonly part: string;
        readonly meter: string;
        /** When the billing period ends, ISO 8601. */
        readonly until: string;
        /** Units above what is included that had been looked at before, and up to now. */
        readonly from: number;
        readonly to: number;
        /** Units that are paid. */
        readonly units: number;
        /** Credits that they cost, by grant. */
        readonly draws: readonly { readonly grantId: string; readonly credits: number }[];
        /** The last event that the ledger had seen. */
        readonly asOf: Position;
      };
    }
  | {
      /** Use that credits had paid counts no more: they go back to the grants that they came from. */
      readonly type: 'CreditDrawReversed';
      readonly data: Standing & {
        readonly part: string;
        readonly meter: string;
        readonly until: string;
        /** Units above what is included, as they are now. */
        readonly to: number;
        /** Units that are paid no more. */
        readonly units: number;
        readonly asOf: Position;
      };
    }
  | {
      /** Something that is sold by the piece is paid: no use above a limit. */
      readonly type: 'CreditsSpent';
      readonly data: Standing & {
        /** Names what is paid: once. */
        readonly purpose: string;
        readonly draws: readonly { readonly grantId: string; readonly credits: number }[];
      };
    }
  | {
      /** What was paid by the piece was not delivered. */
      readonly type: 'CreditsReturned';
      readonly data: Standing & { readonly purpose: string };
    }
  | {
      readonly type: 'CreditsExpired';
      readonly data: Standing & { readonly grantId: string; readonly amount: number };
    }
  | {
      /** An operator has taken back what was left of a grant. */
      readonly type: 'CreditsVoided';
      readonly data: Standing & { readonly grantId: string; readonly amount: number; readonly by: string };
    }
  | {
      readonly type: 'CreditRefundRequested';
      readonly data: { readonly grantId: string; readonly by: string };
    }
  | {
      /** The payment was given back, or a part of it: so are the credits, those too that were spent. */
      readonly type: 'CreditsRefunded';
      readonly data: Standing & {
        readonly grantId: string;
        /** Credits that are taken back now. */
        readonly amount: number;
        /** What was paid back for them. */
        readonly refunded: Money | null;
        /** There is more of the payment that was not paid back. */
        readonly partial?: true;
      };
    }
  | {
      /** The payment is disputed: what was bought by it is taken back, those too that were spent. */
      readonly type: 'CreditsWithdrawn';
      readonly data: Standing & {
        readonly grantId: string;
        /** The payment service's id of the dispute. */
        readonly dispute: string;
        readonly amount: number;
      };
    }
  | {
      /** The dispute was won: they are back. */
      readonly type: 'CreditsReinstated';
      readonly data: Standing & {
        readonly grantId: string;
        readonly dispute: string;
        readonly amount: number;
      };
    }
  | {
      /** It was refused, and nothing was given back. */
      readonly type: 'CreditRefundFailed';
      readonly data: { readonly grantId: string; readonly code: string };
    }
  | {
      /** What was given back has not reached the customer, and is with the seller again: so are the credits. */
      readonly type: 'CreditRefundReversed';
      readonly data: Standing & {
        readonly grantId: string;
        /** Credits that are back. */
        readonly amount: number;
        /** What was not given back after all. */
        readonly reversed: Money;
      };
    }
  | {
      readonly type: 'CreditPurchaseRequested';
      readonly data: {
        readonly purchaseId: string;
        readonly pack: string;
        readonly credits: number;
        readonly amount: number;
        readonly currency: string;
        readonly months: number;
        readonly by: string;
        /** The month of UTC that it counts in, e.g. 2026-11, where it was asked for since few were left; else null. */
        readonly automatic: string | null;
      };
    }
  | {
      /** When credits are bought without being asked for each time; without a pack, never. */
      readonly type: 'CreditTopUpSet';
      readonly data: {
        readonly pack: string | null;
        /** Bought when fewer are left. */
        readonly below: number;
        /** Purchases a month of UTC at most. */
        readonly perMonth: number;
        readonly by: string;
      };
    }
  | {
      readonly type: 'CreditPurchaseOpened';
      readonly data: { readonly purchaseId: string; readonly session: string };
    }
  | {
      /** Nothing was bought. What was bought is granted under the id of the purchase. */
      readonly type: 'CreditPurchaseEnded';
      readonly data: { readonly purchaseId: string; readonly how: PurchaseEnd };
    };

/** What was used of one meter in one part of a billing period above what is included, in units. */
export interface OverUse {
  readonly part: string;
  readonly meter: string;
  /** When the billing period ends. */
  readonly until: string;
  readonly over: number;
  /** Credits for one unit. */
  readonly rate: number;
  /** Of `over`, what was used at or after a moment: a grant that expired then does not pay for it. */
  readonly overFrom: (expiresAt: string) => number;
  /** Its period is closed: no more is paid with credits, and what they have paid too much comes back. */
  readonly closed?: true;
}

/** What was used above what is included, so far. */
export interface UseSoFar {
  readonly uses: readonly OverUse[];
  /** The last event that the ledger had seen. */
  readonly asOf: Position;
  readonly now: string;
}

export const creditStream = (accountId: string): string => `credits-${accountId}`;
