import Stripe from 'stripe';

const CALL_MS = 20_000;
const RETRIES = 2;

/** Where Stripe is asked, and as whom. */
export interface StripeAccess {
  readonly secretKey: string;
  /** Where it is not Stripe's own address. */
  readonly address?: { readonly host: string; readonly port: number; readonly protocol: 'http' | 'https' };
}

export const stripeClient = ({ secretKey, address }: StripeAccess): Stripe =>
  new Stripe(secretKey, { ...address, telemetry: false, timeout: CALL_MS, maxNetworkRetries: RETRIES });
