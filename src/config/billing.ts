import { z } from 'zod';
import { ConfigError } from './error.js';
import { listed, url } from './values.js';

/** Variables of payments. */
export const BillingVariables = z.object({
  BILLING: z.enum(['stripe', 'sandbox', 'off']).optional(),
  STRIPE_SECRET_KEY: z
    .string()
    .regex(/^(sk|rk)_(live|test)_\w+$/, 'must be a secret or restricted key of Stripe: sk_live_…, rk_test_…')
    .optional(),
  STRIPE_PUBLISHABLE_KEY: z
    .string()
    .regex(/^pk_(live|test)_\w+$/, 'must be a publishable key of Stripe: pk_live_…')
    .optional(),
  STRIPE_WEBHOOK_SECRET: z
    .string()
    .default('')
    .transform(listed)
    .refine(
      (secrets) => secrets.every((text) => /^whsec_[A-Za-z0-9+/=_-]{16,}$/.test(text)),
      'must be signing secrets of webhook endpoints, whsec_…, separated by commas',
    ),
  STRIPE_API_BASE: url.optional(),
  PAYMENT_RETURN_URL: url
    // What was paid is told in its query.
    .refine((text) => !/[?#]/.test(text), 'must be an address without ? and #')
    .optional(),
});

/** Who takes payments: Stripe, the built-in sandbox that stands in for it, or nobody. */
export interface BillingConfig {
  readonly mode: 'stripe' | 'sandbox' | 'off';
  readonly secretKey: string | undefined;
  readonly publishableKey: string | undefined;
  /** Of the webhook endpoint; several while one is replaced. */
  readonly webhookSecrets: readonly string[];
  /** Where Stripe's API is; undefined for Stripe's own address. */
  readonly apiBase: string | undefined;
  /**
   * Prices that exist at Stripe already, by `<plan>-<interval>`: STRIPE_PRO_PRICE_ID has those of a month of pro. The
   * first in a currency is sold; the others are recognised.
   */
  readonly priceIds: ReadonlyMap<string, readonly string[]>;
}

const PRICE_ID = /^STRIPE_(?<plan>[A-Z0-9_]+?)(?<yearly>_YEARLY)?_PRICE_ID$/;

/**
 * @param set all variables: those of prices are named by plans
 * @throws ConfigError
 */
export function billingOf(
  e: z.infer<typeof BillingVariables>,
  set: NodeJS.ProcessEnv,
  production: boolean,
): BillingConfig {
  const mode = e.BILLING ?? (e.STRIPE_SECRET_KEY ? 'stripe' : production ? 'off' : 'sandbox');
  const problems: string[] = [];
  if (mode === 'stripe' && e.STRIPE_SECRET_KEY === undefined) {
    problems.push('STRIPE_SECRET_KEY: must be set for BILLING=stripe');
  }
  if (mode === 'stripe' && e.STRIPE_WEBHOOK_SECRET.length === 0) {
    problems.push('STRIPE_WEBHOOK_SECRET: must be set, since nothing is known of payments without webhooks');
  }
  const [secret, publishable] = [e.STRIPE_SECRET_KEY, e.STRIPE_PUBLISHABLE_KEY].map(
    (key) => key?.split('_')[1],
  );
  if (secret && publishable && secret !== publishable) {
    problems.push(`STRIPE_PUBLISHABLE_KEY: is a ${publishable} key, and STRIPE_SECRET_KEY a ${secret} key`);
  }
  const priceIds = new Map<string, readonly string[]>();
  for (const [name, value = ''] of Object.entries(set)) {
    const { plan, yearly } = PRICE_ID.exec(name)?.groups ?? {};
    if (plan === undefined) continue;
    const ids = listed(value);
    if (ids.length === 0 || !ids.every((id) => /^price_\w+$/.test(id))) {
      problems.push(`${name}: must be the id of a price, price_…; former ones after it, separated by commas`);
    }
    priceIds.set(`${plan.toLowerCase().replaceAll('_', '-')}-${yearly ? 'year' : 'month'}`, ids);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    mode,
    secretKey: e.STRIPE_SECRET_KEY,
    publishableKey: e.STRIPE_PUBLISHABLE_KEY,
    webhookSecrets: e.STRIPE_WEBHOOK_SECRET,
    apiBase: e.STRIPE_API_BASE,
    priceIds,
  };
}
