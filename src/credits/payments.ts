import type { Money } from '../money/money.js';
import type { Purchase } from './state.js';

/** A page on which credits are paid. */
export interface PackCheckout {
  readonly session: string;
  /** Null once it is over. */
  readonly url: string | null;
  readonly expiresAt: string;
  readonly status: 'open' | 'complete' | 'expired';
  /** The payment, once it has succeeded: of a direct debit days after the page. */
  readonly payment: string | null;
  /** Whether the bank has refused it after the page. */
  readonly failed: boolean;
}

/**
 * The port by which credits are bought and paid back. What changes something takes a key: sent again with it within
 * a day, it does nothing and answers the same.
 * @throws PaymentRefused, PaymentsUnavailable
 */
export interface CreditPayments {
  open(
    checkout: {
      readonly accountId: string;
      readonly customer: string;
      readonly purchase: Purchase;
      readonly name: string;
      readonly returnUrl: string;
    },
    key: string,
  ): Promise<PackCheckout>;
  checkout(session: string): Promise<PackCheckout>;
  /** Closes a page. @returns how it is then: one that was paid before stays paid */
  expire(session: string, key: string): Promise<PackCheckout>;
  /**
   * Pays with the card that the customer has on file. What was paid for this purchase already answers so.
   * @returns the payment, null while it is not known whether it has succeeded
   */
  charge(
    charge: {
      readonly accountId: string;
      readonly customer: string;
      readonly purchase: Purchase;
      readonly name: string;
    },
    key: string,
  ): Promise<string | null>;
  /**
   * What `charge` has paid for a purchase, charging nothing.
   * @returns the payment, null while it is not known whether it has succeeded, undefined for none
   */
  charged(of: { readonly customer: string; readonly purchase: Purchase }): Promise<string | null | undefined>;
  /** Pays back what was not paid back yet. @returns what was paid back in all */
  refund(payment: string, key: string): Promise<Money>;
  /** Of a charge: its payment, and what was paid back of it in all, by whomever. */
  refunded(charge: string): Promise<Money & { readonly payment: string | null }>;
}
