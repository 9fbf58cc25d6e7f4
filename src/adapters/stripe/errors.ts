import Stripe from 'stripe';
import { PaymentRefused, PaymentsUnavailable } from '../../billing/payments.js';

/** Says what a failure at Stripe means to us. @throws PaymentRefused, PaymentsUnavailable */
export async function asked<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof Stripe.errors.StripeCardError) {
      throw new PaymentRefused(error.decline_code ?? error.code ?? 'card_declined', error.message, true);
    }
    if (error instanceof Stripe.errors.StripeInvalidRequestError) {
      throw new PaymentRefused(error.code ?? 'request_refused', error.message, false);
    }
    if (error instanceof Stripe.errors.StripeError) {
      throw new PaymentsUnavailable('the payment service does not answer', { cause: error });
    }
    throw error;
  }
}
