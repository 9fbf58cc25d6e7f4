/** What was paid by a payment that a customer disputes. */
export type DisputeSubject = 'invoice' | 'credits' | 'analysis' | 'other';

/** A payment that a customer has asked their bank to take back. */
export interface Disputed {
  /** Null where it was paid without an account. */
  readonly accountId: string | null;
  readonly subject: DisputeSubject;
  /** Minor units that the bank takes back, or asks about. */
  readonly amount: number;
  /** What of it was still paid, where a part had been refunded before. Absent: all of it. */
  readonly unrefunded?: number;
  readonly currency: string;
  /** The payment service's word, e.g. `fraudulent`. */
  readonly reason: string;
  /** Until when it can be answered there, ISO 8601; null where it cannot. */
  readonly respondBy: string | null;
  /** The payment service's ids. */
  readonly charge: string;
  readonly payment: string | null;
  readonly invoice: string | null;
}

/** Credits that were bought by a disputed payment. */
export interface DisputedCredits {
  readonly dispute: string;
  readonly payment: string;
  /** Minor units. */
  readonly amount: number;
  readonly status: 'open' | 'won' | 'lost';
}

/** How one has ended. */
export interface DisputeEnd {
  readonly accountId: string | null;
  readonly subject: DisputeSubject;
  /** Minor units that came back, or did not. */
  readonly amount: number;
  readonly unrefunded?: number;
  readonly currency: string;
}

/** Stream `dispute-<the payment service's id>`. */
export type DisputeEvent =
  /** The bank asks, and takes no money yet. */
  | { readonly type: 'InquiryOpened'; readonly data: Disputed }
  | { readonly type: 'InquiryClosed'; readonly data: DisputeEnd }
  | { readonly type: 'DisputeOpened'; readonly data: Disputed }
  | { readonly type: 'DisputeWon'; readonly data: DisputeEnd }
  | { readonly type: 'DisputeLost'; readonly data: DisputeEnd };

export const disputeStream = (id: string): string => `dispute-${id}`;
