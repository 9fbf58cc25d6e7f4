/** Currencies without a minor unit, as Stripe counts them. */
const WITHOUT_DECIMALS = new Set('bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' '));
/** Currencies with three decimals, the last of which is 0. */
const WITH_THREE = new Set('bhd jod kwd omr tnd'.split(' '));
/** Counted in hundredths, and whole all the same. */
const WHOLE_HUNDREDS = new Set(['isk', 'ugx']);

/** What Stripe charges at least in one payment, in minor units as it counts them; 50 where a currency is not named. */
const MINIMUM_CHARGE: Readonly<Record<string, number>> = {
  aed: 200,
  bgn: 100,
  czk: 1500,
  dkk: 250,
  gbp: 30,
  hkd: 400,
  huf: 17_500,
  mxn: 1000,
  myr: 200,
  nok: 300,
  pln: 200,
  ron: 200,
  sek: 300,
  thb: 1000,
};

/** What Stripe charges at most in one payment: eight digits. */
export const MAX_CHARGE = 99_999_999;

/** A ratio as a whole number, halves away from zero (decision 26). @param below above zero */
export function roundedRatio(above: bigint, below: bigint): number {
  const magnitude = above < 0n ? -above : above;
  const whole = (2n * magnitude + below) / (2n * below);
  return Number(above < 0n ? -whole : whole);
}

/** An amount in whole minor units, e.g. cents. */
export interface Money {
  readonly amount: number;
  /** ISO 4217, lower case. */
  readonly currency: string;
}

/** How many digits of an amount stand behind the point. */
export function exponentOf(currency: string): number {
  if (WITHOUT_DECIMALS.has(currency)) return 0;
  return WITH_THREE.has(currency) ? 3 : 2;
}

/** Why an amount of the currency cannot be charged; undefined where it can. Nothing can be charged too. */
export function chargeProblem({ amount, currency }: Money): string | undefined {
  const minimum = MINIMUM_CHARGE[currency] ?? 50;
  if (amount !== 0 && amount < minimum)
    return `at least ${minimum} can be charged in ${currency}, or nothing`;
  if (amount > MAX_CHARGE) return `at most ${MAX_CHARGE} can be charged`;
  if (WHOLE_HUNDREDS.has(currency) && amount % 100 !== 0) {
    return `${currency} has no decimals, and is counted in hundredths: the amount must be a multiple of 100`;
  }
  if (WITH_THREE.has(currency) && amount % 10 !== 0) {
    return `the last of the three decimals of ${currency} must be 0`;
  }
  return undefined;
}

const ISO_4217 = new Set(Intl.supportedValuesOf('currency').map((code) => code.toLowerCase()));

export const isCurrency = (code: string): boolean => ISO_4217.has(code);

/** An amount for people: `29.00 USD`, `500 JPY`. */
export function moneyText({ amount, currency }: Money): string {
  const exponent = exponentOf(currency);
  const digits = String(Math.abs(amount)).padStart(exponent + 1, '0');
  const whole = digits.slice(0, digits.length - exponent);
  const fraction = exponent === 0 ? '' : `.${digits.slice(digits.length - exponent)}`;
  return `${amount < 0 ? '−' : ''}${whole}${fraction} ${currency.toUpperCase()}`;
}

/** What parts come to, in minor units. */
export const sumOf = (parts: readonly Pick<Money, 'amount'>[]): number =>
  parts.reduce((sum, { amount }) => sum + amount, 0);
