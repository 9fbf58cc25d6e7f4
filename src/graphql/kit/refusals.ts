import 'reflect-metadata';
import { Field, Int, InterfaceType, ObjectType } from 'type-graphql';
import { BAD_COMMAND_ID } from '../../eventsourcing/commandId.js';
import type { Refusal as RefusalValue } from '../../eventsourcing/decider.js';
import { Plan } from '../../plans/planTypes.js';
import { Cost, Sized } from '../cost/directives.js';

/** Every code that a command is refused with, by what helps against it: one code for one thing. */
const CODES = {
  InvalidInput: {
    INVALID_INPUT: 'see `issues`',
    PASSWORD_WRONG: 'the current password is another one',
    TOKEN_INVALID: 'the token is expired, used up or unknown',
    PLAN_UNKNOWN: 'the service has no such plan',
    PRICE_UNKNOWN: 'the service has no such price: see `prices`',
    COUPON_UNKNOWN: 'the service has no such coupon',
    COUPON_EXPIRED: 'the coupon is over',
    COUPON_USED_UP: 'the coupon has been redeemed as often as it can be',
    COUPON_NOT_APPLICABLE: 'the coupon is for other prices, plans or currencies, or for a whole period',
    COMMAND_ID_REUSED: 'the `commandId` was used before, for something else',
    USE_TOO_OLD: 'uses are not taken for as long',
    USE_IN_FUTURE: 'a use may be at most five minutes ahead',
  },
  NotFound: { NOT_FOUND: 'nothing has this id or slug, or it belongs to another account' },
  Conflict: {
    EMAIL_TAKEN: 'another user has this e-mail',
    ALREADY_INVITED: 'an invitation to this e-mail is open: withdraw it first',
    ALREADY_MEMBER: 'the user is a member already',
    LAST_OPERATOR: 'no operator would be left: add another one first',
    KEY_REVOKED: 'the key has been revoked: issue a new one',
    KEY_EXPIRED: 'the key has expired: issue a new one',
    NO_SUBSCRIPTION: 'the account pays for no plan: `startCheckout`',
    ALREADY_SUBSCRIBED: 'the account pays for a plan: `changePlan`',
    PLAN_UNCHANGED: 'the account has this plan at this price',
    CHANGE_SCHEDULED: 'this change is scheduled already',
    CHANGE_PENDING: 'an earlier change is under way: try again in a few seconds',
    CURRENCY_MISMATCH: 'the subscription is paid in another currency: end it first',
    CANCELLATION_SCHEDULED: 'the subscription is about to end: `resumeSubscription` first',
    ALREADY_CANCELLED: 'the subscription is about to end already',
    NOT_CANCELLED: 'the subscription is neither paused nor about to end',
    SUBSCRIPTION_PAUSED: 'the subscription is paused: `resumeSubscription` first',
    TRIAL_RUNNING: 'nothing is paid in a trial, so that there is nothing to pause',
    CHECKOUT_FAILED: 'the payment service has refused the checkout',
    USE_ID_REUSED: 'another use has this id: correct that one, or send a new id',
    FILE_RECEIVED: 'the analysis has its file: create another one',
    RESERVATION_ENDED: 'the reservation has ended otherwise',
    NOT_PAID: 'the credits were given, not bought: void them instead',
    ALREADY_REFUNDED: 'the credits were refunded already',
    RESERVATION_OPEN: 'the reservation has not ended: settle or release it',
    ALREADY_REVERSED: 'the use was reversed before',
    MAIL_PENDING: 'the mail is on its way',
    MAIL_EXPIRED: 'what the mail offers is over: it has to be asked for anew',
  },
  NotAllowed: {
    ROLE_MISSING: 'your role in the account does not allow it',
    FIRST_OWNER: 'the user who opened an account stays its owner',
    EMAIL_UNVERIFIED: 'verify your e-mail first',
    OPERATOR_CONFIGURED: 'the configuration of the service names this operator',
    TEAMS_NOT_OFFERED: 'no plan of the service has teams',
    BILLING_OFF: 'the service takes no payments',
    OVERAGE_NOT_OFFERED: 'no plan of the service has a price for use above its limits',
    CREDITS_NOT_OFFERED: 'the service has no credits',
    REGISTRATION_CLOSED: 'the service takes no registrations',
    INVITATION_REQUIRED: 'registering takes an invitation of an operator to this e-mail',
    ANALYSES_NOT_OFFERED: 'the service sells no analyses',
  },
  PaymentRequired: {
    PAYMENT_OVERDUE: 'a payment has failed: pay the open invoice first, `openBillingPortal`',
    PAYMENT_FAILED: 'the payment was declined, and nothing was changed',
    PAYMENT_USED: 'the payment was used for something else',
    PAYMENT_REQUIRED: 'pay for it first, or choose a plan that includes it',
  },
  PlanRequired: { PLAN_REQUIRED: 'the plan of the account does not include it' },
  LimitReached: {
    TOO_MANY_INVITATIONS: 'too many invitations wait for an answer: withdraw some first',
    TOO_MANY_ENDPOINTS: 'there are too many webhook endpoints: delete one first',
    TOO_MANY_RULE_SETS: 'there are too many rule sets, or too many versions of one: delete one first',
    TOO_MANY_SECRETS:
      'too many secrets of the key, or of the webhook endpoint, work at once: wait until one expires',
    RATE_LIMITED: 'a limit by the minute or hour is used up: wait',
    QUOTA_EXCEEDED: 'the quota of this period is used up',
    QUERY_COST_EXCEEDED: 'it is more than the limit allows at once',
  },
  SignInRefused: {
    SIGN_IN_REFUSED: 'the e-mail or the password is wrong',
    SIGN_IN_LIMITED: 'too many attempts: wait `retryAfterSeconds`',
    REFRESH_TOKEN_INVALID: 'the refresh token is unknown or expired, or its session has ended',
    REFRESH_TOKEN_REUSED: 'the refresh token was used before, so its session was ended',
  },
} as const;

type Kind = keyof typeof CODES;

const KIND_OF: ReadonlyMap<string, Kind> = new Map(
  (Object.keys(CODES) as Kind[]).flatMap((kind) =>
    Object.keys(CODES[kind]).map((code) => [code, kind] as const),
  ),
);

/** The end of a description: its codes, each with what it means. */
function codesOf(kind: Kind): string {
  const listed = Object.entries(CODES[kind]).map(([code, meaning]) => `\`${code}\` (${meaning})`);
  return `${listed.length === 1 ? 'Code' : 'Codes'}: ${listed.join(', ')}.`;
}

/** What an expected failure looks like, whichever it is. */
@InterfaceType({
  description:
    'An expected failure, returned as part of the result rather than in `errors`. Select `... on Refusal { code message }` in every mutation: it also matches types that are added later. The concrete type tells you the remedy.',
})
export abstract class Refusal {
  @Field(() => String, {
    description: 'Stable, machine-readable code, e.g. `EMAIL_TAKEN`. New codes may be added.',
  })
  code: string;

  @Field(() => String, {
    description: 'Explanation for people, in English. The wording may change: branch on `code`.',
  })
  message: string;

  constructor(code: string, message: string) {
    this.code = code;
    this.message = message;
  }
}

/** Of one refusal, and of the way to a field. */
const MAX_ISSUES = 20;
const MAX_PATH = 10;

// An explanation costs nothing.
@Cost(0)
@ObjectType({ simpleResolvers: true, description: 'One problem with an input.' })
export class InputIssue {
  @Sized({ assumedSize: MAX_PATH })
  @Field(() => [String], {
    description:
      'Path below `input`, e.g. `["spend", "method"]`. List indexes are decimal numbers. Empty if the problem is with the input as a whole.',
  })
  path!: readonly string[];

  @Field(() => String, { description: 'Code of the problem, as in `Refusal.code`.' })
  code!: string;

  @Field(() => String, { description: 'Explanation for people, in English.' })
  message!: string;
}

@ObjectType({
  implements: Refusal,
  simpleResolvers: true,
  description: `The input must be changed. ${codesOf('InvalidInput')}`,
})
export class InvalidInput extends Refusal {
  @Sized({ assumedSize: MAX_ISSUES })
  @Field(() => [InputIssue], {
    description: `Everything that is wrong, at most ${MAX_ISSUES} issues. \`code\` and \`message\` repeat the first.`,
  })
  issues: readonly InputIssue[];

  /** @param field the way to it, with dots: `spend.method`; null for the input as a whole */
  constructor(message: string, field: string | null, code = 'INVALID_INPUT') {
    super(code, message);
    this.issues = [{ path: field === null ? [] : field.split('.'), code, message }];
  }

  /** Several problems of one field, at least one: the first of them are told. */
  static of([first = '', ...others]: readonly string[], field: string): InvalidInput {
    const made = new InvalidInput(first, field);
    const [issue] = made.issues as [InputIssue];
    const more = others.slice(0, MAX_ISSUES - 1).map((message) => ({ ...issue, message }));
    made.issues = [issue, ...more];
    return made;
  }
}

@ObjectType({
  implements: Refusal,
  simpleResolvers: true,
  description: `Nothing has this id, or you may not see it. ${codesOf('NotFound')}`,
})
export class NotFound extends Refusal {
  constructor(message: string) {
    super('NOT_FOUND', message);
  }
}

@ObjectType({
  implements: Refusal,
  simpleResolvers: true,
  description: `It conflicts with the current state: change that first, or send something else. ${codesOf('Conflict')}`,
})
export class Conflict extends Refusal {}

@ObjectType({
  implements: Refusal,
  simpleResolvers: true,
  description: `You are not allowed to do this, whatever you send. ${codesOf('NotAllowed')}`,
})
export class NotAllowed extends Refusal {}

@ObjectType({
  implements: Refusal,
  simpleResolvers: true,
  description: `A payment is needed. ${codesOf('PaymentRequired')}`,
})
export class PaymentRequired extends Refusal {}

@ObjectType({
  implements: Refusal,
  simpleResolvers: true,
  description: `A larger plan is needed. ${codesOf('PlanRequired')}`,
})
export class PlanRequired extends Refusal {
  @Field(() => Plan, { description: 'The smallest plan that includes it.' })
  plan: Plan;

  constructor(plan: Plan, message: string) {
    super('PLAN_REQUIRED', message);
    this.plan = plan;
  }
}

@ObjectType({
  implements: Refusal,
  simpleResolvers: true,
  description: `A limit is reached. ${codesOf('LimitReached')}`,
})
export class LimitReached extends Refusal {}

@ObjectType({
  implements: Refusal,
  simpleResolvers: true,
  description: `Signing in was refused. ${codesOf('SignInRefused')}`,
})
export class SignInRefused extends Refusal {
  @Field(() => Int, {
    nullable: true,
    description: 'Seconds to wait before trying again. Null if waiting does not help.',
  })
  retryAfterSeconds: number | null;

  constructor(code: string, message: string, retryAfterSeconds: number | null = null) {
    super(code, message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The kinds that need nothing beside code and message. */
interface Plain {
  readonly NotFound: NotFound;
  readonly Conflict: Conflict;
  readonly NotAllowed: NotAllowed;
  readonly PaymentRequired: PaymentRequired;
  readonly LimitReached: LimitReached;
  readonly SignInRefused: SignInRefused;
}
const PLAIN: { readonly [K in keyof Plain]: (code: string, message: string) => Plain[K] } = {
  NotFound: (_code, message) => new NotFound(message),
  Conflict: (code, message) => new Conflict(code, message),
  NotAllowed: (code, message) => new NotAllowed(code, message),
  PaymentRequired: (code, message) => new PaymentRequired(code, message),
  LimitReached: (code, message) => new LimitReached(code, message),
  SignInRefused: (code, message) => new SignInRefused(code, message),
};

/**
 * A decider's refusal as the result of a mutation; about the input, where its code says nothing else.
 * @param kinds that the union of the mutation has, beside InvalidInput
 * @throws Error for a code of a kind that it does not have
 */
export function refusalOf<K extends keyof Plain = never>(
  { code, message, field }: RefusalValue,
  ...kinds: readonly K[]
): InvalidInput | Plain[K] {
  const kind = KIND_OF.get(code) ?? 'InvalidInput';
  if (kind === 'InvalidInput') return new InvalidInput(message, field ?? null, code);
  const allowed = kinds.find((one) => one === kind);
  if (allowed === undefined) throw new Error(`${code} is no refusal of this mutation`);
  return PLAIN[allowed](code, message);
}

/** What was not done: it is not there, or the input is why. */
export const notDone = (refusal: RefusalValue): NotFound | InvalidInput => refusalOf(refusal, 'NotFound');

export const badCommandId = (): InvalidInput => new InvalidInput(BAD_COMMAND_ID, 'commandId');

/** @param waitMs until the next attempt */
export function limited(waitMs: number): SignInRefused {
  const seconds = Math.ceil(waitMs / 1000);
  return new SignInRefused('SIGN_IN_LIMITED', 'There were too many attempts. Wait before the next.', seconds);
}
