import Stripe from 'stripe';
import type { CheckSignature } from '../../billing/webhooks.js';

/** How old a signature may be, in seconds. */
const TOLERANCE_SECONDS = 300;

/**
 * Checks signatures of webhooks against each of the secrets.
 * @throws RangeError for an empty one, under which anybody could sign
 */
export function signatureCheck(secrets: readonly string[]): CheckSignature {
  if (secrets.some((secret) => secret.trim() === '')) throw new RangeError('a secret of webhooks is empty');
  const { signature } = Stripe.webhooks;
  if (!signature) throw new Error('the SDK of Stripe has no check of signatures');
  return (body, header, now) => secrets.some((secret) => isSigned(body, header, secret, now));

  function isSigned(body: Buffer, header: string, secret: string, now: number): boolean {
    try {
      return signature?.verifyHeader(body, header, secret, TOLERANCE_SECONDS, undefined, now) === true;
    } catch (error) {
      if (error instanceof Stripe.errors.StripeSignatureVerificationError) return false;
      throw error;
    }
  }
}
