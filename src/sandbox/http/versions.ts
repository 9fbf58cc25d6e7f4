/**
 * Names that parameters had before, by call. A request that names no version is in the account's, which may be an
 * older one: the fixtures of the Stripe CLI are written so. The SDK names its own, and is held to it.
 */
const BEFORE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'POST /v1/payment_intents': { payment_method_types: 'allowed_payment_method_types' },
  'POST /v1/setup_intents': { payment_method_types: 'allowed_payment_method_types' },
  'POST /v1/checkout/sessions': { payment_method_types: 'allowed_payment_method_types' },
};

/** What a call was given, by the names of today. */
export function renamed(
  route: string,
  given: Record<string, unknown>,
  version: string | undefined,
): Record<string, unknown> {
  const names = version === undefined ? BEFORE[route] : undefined;
  if (!names) return given;
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [names[name] ?? name, value]));
}
