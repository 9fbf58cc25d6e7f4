import { invalid } from '../errors.js';
import type { CheckoutSession, PaymentIntent, PaymentMethod } from '../objects.js';
import { present } from '../present.js';
import { debitOf } from '../rules/debits.js';
import type { Seconds } from '../rules/time.js';
import type { Unit } from '../unit.js';

// Direct debits of one-time payments: the bank says only later whether it has paid.

const REFUSED = {
  code: 'payment_intent_payment_attempt_failed',
  decline_code: 'insufficient_funds',
  message: 'The customer’s bank has refused the debit.',
};

/** A bank account as a payment method. @throws ApiError of a number that is no test account's */
export function addAccount(unit: Unit, iban: string): PaymentMethod {
  const debit = debitOf(iban);
  if (!debit) {
    throw invalid(
      'The IBAN is invalid. The sandbox takes test accounts alone, such as AT611904300234573201.',
      'sepa_debit[iban]',
      'invalid_bank_account_iban',
    );
  }
  return unit.add('payment_method', {
    ...unit.base('payment_method', 'payment_method'),
    allow_redisplay: 'unspecified',
    billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
    customer: null,
    customer_account: null,
    metadata: {},
    sepa_debit: {
      bank_code: iban.slice(4, 9),
      branch_code: '',
      country: iban.slice(0, 2),
      fingerprint: null,
      generated_from: { charge: null, setup_attempt: null },
      last4: iban.slice(-4),
    },
    type: 'sepa_debit',
    $: { behaviour: {}, debit },
  });
}

/** When the bank says what has become of a payment; undefined where it is not asked. */
export const debitDueAt = ({ status, $ }: PaymentIntent): Seconds | undefined =>
  status === 'processing' ? $.debit?.at : undefined;

/** The bank has paid, or refused: the charge, the payment and the page on which it was made follow. */
export function settleDebit(unit: Unit, intent: PaymentIntent): void {
  const { fails = false } = intent.$.debit ?? {};
  delete intent.$.debit;
  const charge = unit.edit('charge', intent.latest_charge ?? '');
  if (fails) {
    Object.assign(charge, { status: 'failed', failure_code: REFUSED.code, failure_message: REFUSED.message });
    const method = present(unit.find('payment_method', intent.payment_method));
    intent.last_payment_error = { type: 'card_error', ...REFUSED, charge: charge.id, payment_method: method };
    intent.status = 'requires_payment_method';
    intent.payment_method = null;
  } else {
    Object.assign(charge, { status: 'succeeded', paid: true, amount_captured: charge.amount });
    intent.status = 'succeeded';
    intent.amount_received = intent.amount;
  }
  unit.emit(fails ? 'charge.failed' : 'charge.succeeded', charge);
  unit.emit(fails ? 'payment_intent.payment_failed' : 'payment_intent.succeeded', intent);
  const page = unit.find('checkout.session', intent.$.checkout);
  if (page?.payment_intent === intent.id) settlePage(unit, unit.edit('checkout.session', page.id), fails);
}

function settlePage(unit: Unit, session: CheckoutSession, failed: boolean): void {
  if (!failed) session.payment_status = 'paid';
  unit.emit(`checkout.session.async_payment_${failed ? 'failed' : 'succeeded'}`, session);
}
