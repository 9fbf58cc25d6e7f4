import type { Money } from '../money/money.js';
import type { Purchase } from './state.js';

/** A page on which credits are paid. */
export interface PackCheckout {
  readonly session: string;
  /** Null once it is over. */
  readonly url: string | null;
  readonly expiresAt: string;
  readonly status: 'open' | 'complete' | 'expired';
  /** The payment, once it has succeeded. */
  readonly payment: string | null;
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
  /** Pays all of it back. A payment that was refunded already answers so. */
  refund(payment: string, key: string): Promise<Money>;
}
