import { invalid } from '../errors.js';
import type { Routes } from '../http/route.js';
import { numberOf, textOf } from '../http/route.js';
import { complete, openSession } from './checkout.js';

/** What the Stripe CLI pays by in place of a person: calls that the page of a Checkout Session makes at Stripe. */
export const paymentPageRoutes: Routes = {
  'GET /v1/payment_pages/*': (unit, _params, id = '') => unit.get('checkout.session', id),
  'POST /v1/payment_pages/*/confirm': (unit, params, id = '') => {
    const { amount_total: due } = openSession(unit, id);
    const expected = numberOf(params, 'expected_amount');
    if (expected !== undefined && expected !== due) {
      throw invalid(
        `The expected amount (${expected}) is not what is due (${due}).`,
        'expected_amount',
        'checkout_amount_mismatch',
      );
    }
    const method = unit.get('payment_method', textOf(params, 'payment_method') ?? '', 'payment_method');
    const { email, name } = method['billing_details'] as { email: string | null; name: string | null };
    return complete(unit, id, { card: method.id, email, name });
  },
};
