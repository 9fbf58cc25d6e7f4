import type { Position } from '../eventsourcing/event.js';
import type { Whole } from '../money/whole.js';

/** What happens once overage has come to the cap of an account. */
export type CapRule =
  /** Calls are refused until the period is over, or the cap is raised. */
  | 'refuse'
  /** It is told, and calls go on. */
  | 'alert';

export interface SpendCap {
  /** Minor units of `currency` for one billing period, before tax. */
  readonly amount: number;
  readonly currency: string;
  readonly whenReached: CapRule;
}

/** What the ledger had of a meter, in smallest units, in a part of the running billing period. */
export interface UsedThen {
  readonly meter: string;
  readonly part: string;
  readonly amount: Whole;
}

/** What was used of one meter under one price, as it is billed. Quantities are smallest units of the meter. */
export interface RatedLine {
  /** Unique in its account, the same each time it is computed. */
  readonly id: string;
  /** `adjustment`: what a correction of a period that was closed before changes. */
  readonly kind: 'overage' | 'adjustment';
  readonly description: string;
  readonly meter: string;
  /** The billing period that was used in. */
  readonly period: string;
  readonly from: string;
  readonly to: string;
  /** Revision of the event on the subscription's stream that set the price; null for an adjustment. */
  readonly terms: number | null;
  readonly plan: string;
  /** What was used under this price. */
  readonly used: Whole;
  /** What the plan includes in a period. */
  readonly included: number;
  /** What of `used` is above that. */
  readonly over: Whole;
  /** What of `over` credits have paid. */
  readonly credits: number;
  /** What is billed: `over` − `credits`, and no more than what was used while overage was allowed. */
  readonly quantity: Whole;
  /** Minor units, rounded once (decision 26); negative for money that comes back. */
  readonly amount: number;
  /** Ids of the events that it comes from (law 7). */
  readonly events: readonly string[];
}

/** What a price included for a meter in one billing period, in smallest units. */
export interface Allowance {
  /** Revision of the event on the subscription's stream that set the price. */
  readonly terms: number;
  readonly meter: string;
  readonly amount: number;
}

export interface ClosedPeriod {
  /** As uses are stamped with it. */
  readonly period: string;
  readonly from: string;
  readonly to: string;
  readonly subscription: string;
  readonly currency: string;
  /** The last event that the ledger had seen: checked by folding the journal up to it. */
  readonly asOf: Position;
  /** By which it was rated: what is corrected later is rated by the same, whatever the profile says then. */
  readonly included: readonly Allowance[];
  /** Version of the rater (decision 30). */
  readonly rater: number;
  readonly lines: readonly RatedLine[];
  /** The sum of the lines. */
  readonly total: number;
}

/** What corrections of closed periods come to, where no later period follows whose invoice would have it. */
export interface Correction {
  /** Unique in its account. */
  readonly correction: string;
  readonly currency: string;
  /** The last event that the ledger had seen. */
  readonly asOf: Position;
  readonly rater: number;
  /** One for each period that comes to another amount now. */
  readonly lines: readonly RatedLine[];
  /** The sum of the lines, in minor units: negative for money that comes back. */
  readonly total: number;
}

/** Names the line by which an invoice gives back what no credit note could. */
export const OWED = 'owed';

/** What was done about a correction at the payment service. */
export interface Settlement {
  readonly correction: string;
  /** What bills it; null where nothing is billed by itself. */
  readonly invoice: string | null;
  /** What gives money back. */
  readonly creditNotes: readonly string[];
  /** Minor units that no invoice could give back: they count on the next one, if there ever is one. */
  readonly owed: number;
}

/** Stream `overage-<account id>`: whether use above limits is paid for, and what came of it, period by period. */
export type OverageEvent =
  | {
      readonly type: 'OverageAllowed';
      readonly data: {
        readonly cap: SpendCap | null;
        readonly at: string;
        readonly by: string;
        /** What was used before: it is not billed. Absent where that was not kept: then it is. */
        readonly used?: readonly UsedThen[];
      };
    }
  | {
      readonly type: 'OverageStopped';
      readonly data: {
        readonly at: string;
        readonly by: string;
        /** What was used until then: what comes later is not billed. Absent where that was not kept. */
        readonly used?: readonly UsedThen[];
      };
    }
  | {
      /** Told once for each period: what was used has come to the cap. */
      readonly type: 'SpendCapReached';
      readonly data: {
        readonly period: string;
        readonly cap: SpendCap;
        readonly spent: number;
      };
    }
  | {
      /** The period is over, and so is the time for late uses: what it came to is fixed. */
      readonly type: 'PeriodClosed';
      readonly data: ClosedPeriod;
    }
  | {
      /**
       * Its lines stand on an invoice of the payment service, or wait for the next one. Told once more where the
       * subscription has ended before that was issued: then they stand on another one.
       */
      readonly type: 'PeriodInvoiced';
      readonly data: {
        readonly period: string;
        readonly invoice: string | null;
        /** Nothing follows any more by which they would not be issued. */
        readonly ended?: true;
      };
    }
  | {
      /** Use of closed periods has changed since the last one was closed, and the subscription has ended. */
      readonly type: 'OverageCorrected';
      readonly data: Correction;
    }
  | { readonly type: 'CorrectionSettled'; readonly data: Settlement };

export const overageStream = (accountId: string): string => `overage-${accountId}`;
