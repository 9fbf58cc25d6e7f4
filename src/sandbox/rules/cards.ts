import { createHash } from 'node:crypto';

export interface Decline {
  readonly code: string;
  readonly decline_code?: string;
  readonly message: string;
}

const declined = (decline_code: string, message: string): Decline => ({
  code: 'card_declined',
  decline_code,
  message,
});

export const DECLINES = {
  generic_decline: declined('generic_decline', 'Your card was declined.'),
  insufficient_funds: declined('insufficient_funds', 'Your card has insufficient funds.'),
  lost_card: declined('lost_card', 'Your card was declined.'),
  stolen_card: declined('stolen_card', 'Your card was declined.'),
  authentication_required: {
    code: 'authentication_required',
    decline_code: 'authentication_required',
    message: 'Your card was declined. This transaction requires authentication.',
  },
  expired_card: { code: 'expired_card', decline_code: 'expired_card', message: 'Your card has expired.' },
  incorrect_cvc: {
    code: 'incorrect_cvc',
    decline_code: 'incorrect_cvc',
    message: "Your card's security code is incorrect.",
  },
  processing_error: {
    code: 'processing_error',
    decline_code: 'processing_error',
    message: 'An error occurred while processing your card. Try again in a little bit.',
  },
} as const satisfies Record<string, Decline>;
export type DeclineName = keyof typeof DECLINES;

/** How a test card behaves. The number itself is never kept. */
export interface CardBehaviour {
  /** Every charge is declined so. */
  readonly decline?: DeclineName;
  /** It can be saved, although charges are declined. */
  readonly attaches?: boolean;
  /** `always`, or `setup` until somebody has authenticated once. */
  readonly authenticates?: 'always' | 'setup';
  /** Charges are disputed as soon as they are made. */
  readonly disputed?: boolean;
  /** The bank asks about charges as soon as they are made, and takes no money. */
  readonly inquired?: boolean;
  /** Refunds succeed at first, and fail a little later. */
  readonly refundsFail?: boolean;
}

interface TestCard extends CardBehaviour {
  readonly number: string;
  readonly brand: string;
  /** Names for tests: `pm_card_<name>` and `tok_<name>`. */
  readonly names: readonly string[];
}

const visa = (number: string, names: string, behaviour: CardBehaviour = {}): TestCard => ({
  number,
  brand: 'visa',
  names: names.split(' '),
  ...behaviour,
});

const CARDS: readonly TestCard[] = [
  visa('4242424242424242', 'visa us'),
  { number: '5555555555554444', brand: 'mastercard', names: ['mastercard'] },
  { number: '378282246310005', brand: 'amex', names: ['amex'] },
  visa('4000056655665556', 'visa_debit'),
  visa('4000000000000077', 'bypassPending'),
  visa('4000000000000002', 'visa_chargeDeclined chargeDeclined', { decline: 'generic_decline' }),
  visa('4000000000009995', 'visa_chargeDeclinedInsufficientFunds chargeDeclinedInsufficientFunds', {
    decline: 'insufficient_funds',
  }),
  visa('4000000000009987', 'visa_chargeDeclinedLostCard', { decline: 'lost_card' }),
  visa('4000000000009979', 'visa_chargeDeclinedStolenCard', { decline: 'stolen_card' }),
  visa('4000000000000069', 'chargeDeclinedExpiredCard', { decline: 'expired_card' }),
  visa('4000000000000127', 'chargeDeclinedIncorrectCvc', { decline: 'incorrect_cvc' }),
  visa('4000000000000119', 'chargeDeclinedProcessingError', { decline: 'processing_error' }),
  visa('4000000000000341', 'chargeCustomerFail', { decline: 'generic_decline', attaches: true }),
  visa('4000002760003184', 'authenticationRequired threeDSecure2Required', { authenticates: 'always' }),
  visa('4000002500003155', 'authenticationRequiredOnSetup', { authenticates: 'setup' }),
  visa('4000000000000259', 'createDispute', { disputed: true }),
  visa('4000000000001976', 'createDisputeInquiry', { inquired: true }),
  visa('4000000000005126', 'refundFail', { refundsFail: true }),
];

/** What a test card's number stands for; undefined for a number that is none of them. */
export const cardByNumber = (number: string): TestCard | undefined =>
  CARDS.find((card) => card.number === number.replace(/[\s-]/g, ''));

export const cardByName = (name: string): TestCard | undefined =>
  CARDS.find(({ names }) => names.includes(name));

export const behaviourOf = ({ number: _, brand: __, names: ___, ...behaviour }: TestCard): CardBehaviour =>
  behaviour;

/** The same for the same number, and of no use for finding it. */
export const fingerprintOf = (number: string, salt: string): string =>
  createHash('sha256').update(`${salt}:${number}`).digest('base64url').replace(/[-_]/g, 'x').slice(0, 16);
