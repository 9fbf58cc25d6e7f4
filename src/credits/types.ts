import 'reflect-metadata';
import { createUnionType, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { Sized } from '../graphql/cost/directives.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { IdOf } from '../graphql/kit/ids.js';
import { Money, moneyOf } from '../graphql/kit/money.js';
import { Node } from '../graphql/kit/node.js';
import { Payload } from '../graphql/kit/payload.js';
import { Quantity } from '../graphql/kit/quantity.js';
import { Conflict, InvalidInput, NotAllowed, NotFound } from '../graphql/kit/refusals.js';
import { MAX_PRIORITY, MAX_TOP_UPS } from './decide.js';
import type { CreditState, Grant, TopUp } from './state.js';
import { availableOf, inOrder } from './state.js';

/** More than an account ever has that are worth a look. */
const MAX_GRANTS = 100;

export enum CreditGrantSource {
  OPERATOR = 'operator',
  PURCHASE = 'purchase',
}
registerEnumType(CreditGrantSource, {
  name: 'CreditGrantSource',
  description: 'Where credits come from.',
  valuesConfig: {
    OPERATOR: { description: 'An operator has given them.' },
    PURCHASE: { description: 'They were bought.' },
  },
});

@ObjectType({
  implements: Node,
  simpleResolvers: true,
  description: 'Credits that were given or bought at once.',
})
export class CreditGrant extends Node {
  @Field(() => CreditGrantSource, { description: 'Where the credits come from.' })
  source!: CreditGrantSource;

  @Field(() => Quantity, { description: 'How many credits it had in the beginning.' })
  amount!: string;

  @Field(() => Quantity, { description: 'How many it has left.' })
  remaining!: string;

  @Field(() => DateTimeISO, {
    nullable: true,
    description: 'From when it pays for no more use; null for never.',
  })
  expiresAt!: Date | null;

  @Field(() => Int, { description: 'Of two that expire together, the smaller one is spent first.' })
  priority!: number;

  @Field(() => Money, { nullable: true, description: 'Amount paid for it. Null for a gift.' })
  paid!: Money | null;

  @Field(() => Boolean, { description: 'Whether the payment was given back, and the credits with it.' })
  refunded!: boolean;
}

@ObjectType({
  simpleResolvers: true,
  description: 'When credits are bought without being asked for each time, with the card that is on file.',
})
export class CreditTopUp {
  @Field(() => ID, { description: 'The pack that is bought.' })
  packId!: string;

  @Field(() => Quantity, { description: 'It is bought when fewer credits than these are left.' })
  below!: string;

  @Field(() => Int, { description: 'Purchases a month of UTC at most.' })
  maxPerMonth!: number;

  @Field(() => Boolean, {
    description: 'True once a payment has failed or was disputed: nothing is bought until it is set again.',
  })
  stopped!: boolean;
}

@ObjectType({ simpleResolvers: true, description: 'The credits of an account. They are spent on overage.' })
export class CreditBalance {
  @Field(() => Quantity, { description: 'What can be spent now.' })
  available!: string;

  @Field(() => Quantity, {
    description:
      'The same; negative where credits were refunded, or their payment disputed, after they had been spent.',
  })
  balance!: string;

  @Field(() => Boolean, {
    description: 'Whether nothing can be spent until a negative balance is made good. Calls go on.',
  })
  blocked!: boolean;

  @Field(() => CreditTopUp, {
    nullable: true,
    description: 'When more are bought by themselves; null for never. See `setCreditTopUp`.',
  })
  topUp!: CreditTopUp | null;

  @Sized({ assumedSize: MAX_GRANTS })
  @Field(() => [CreditGrant], { description: 'Those that have credits left, in the order of spending.' })
  grants!: readonly CreditGrant[];
}

/** A grant is found among those of its account, so that what is shown as its id names both. */
const SEPARATOR = '.';

/** What the shown id of a grant names; an id alone, as facts have it, is of the account that is given beside it. */
export function grantNamed(id: string): { readonly accountId: string | undefined; readonly grantId: string } {
  const at = id.indexOf(SEPARATOR);
  if (at < 0) return { accountId: undefined, grantId: id };
  return { accountId: id.slice(0, at), grantId: id.slice(at + 1) };
}

export const grantOf = (accountId: string, grant: Grant): CreditGrant =>
  Object.assign(new CreditGrant(), {
    id: `${accountId}${SEPARATOR}${grant.id}`,
    source: grant.source as CreditGrantSource,
    amount: String(grant.amount),
    remaining: String(grant.remaining),
    expiresAt: grant.expiresAt === null ? null : new Date(grant.expiresAt),
    priority: grant.priority,
    paid: grant.paid && moneyOf(grant.paid),
    refunded: grant.refunded,
  });

const topUpOf = ({ pack, below, perMonth, stopped }: TopUp): CreditTopUp => ({
  packId: pack,
  below: String(below),
  maxPerMonth: perMonth,
  stopped,
});

export function balanceOf(accountId: string, state: CreditState): CreditBalance {
  const available = availableOf(state);
  const left = inOrder(state.grants.values()).filter(({ remaining }) => remaining > 0);
  return Object.assign(new CreditBalance(), {
    available: String(available),
    balance: String(state.debt > 0 ? -state.debt : available),
    blocked: state.debt > 0,
    topUp: state.topUp ? topUpOf(state.topUp) : null,
    grants: left.slice(0, MAX_GRANTS).map((grant) => grantOf(accountId, grant)),
  });
}

@ObjectType({ simpleResolvers: true, description: 'Credits that can be bought at once.' })
export class CreditPackOffer {
  @Field(() => ID, { description: 'Its id, for `buyCredits`.' })
  id!: string;

  @Field(() => String, { description: 'Display name of the offer.' })
  name!: string;

  @Field(() => Quantity, { description: 'How many credits it has.' })
  credits!: string;

  @Field(() => Money, { description: 'Price before tax.' })
  price!: Money;

  @Field(() => Int, { description: 'How many months they are good for.' })
  months!: number;
}

@InputType({ description: 'Input for `buyCredits`.' })
export class BuyCreditsInput {
  @Field(() => ID, { description: 'The pack to buy: see `creditPacks`.' })
  packId!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@InputType({ description: 'Input for `setCreditTopUp`.' })
export class SetCreditTopUpInput {
  @Field(() => ID, {
    nullable: true,
    description: 'The pack to buy: see `creditPacks`. Null for buying nothing any more.',
  })
  packId?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Buy when fewer credits than these are left, at least 1. Required with a pack.',
  })
  below?: number | null;

  @Field(() => Int, {
    defaultValue: 1,
    description: `Purchases a month of UTC at most, 1 to ${MAX_TOP_UPS}.`,
  })
  maxPerMonth!: number;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The credits of the account as they are now.' })
export class SetCreditTopUpPayload extends Payload {
  @Field(() => CreditBalance, { description: 'The credits, with what is bought by itself.' })
  credits!: CreditBalance;
}

@ObjectType({ simpleResolvers: true, description: 'A page on which to pay for credits.' })
export class BuyCreditsPayload extends Payload {
  @Field(() => String, {
    nullable: true,
    description: 'Address of the page: send the customer there. Null after it has expired or was paid.',
  })
  url!: string | null;

  @Field(() => DateTimeISO, {
    nullable: true,
    description: 'When the page expires. Null after it has expired or was paid.',
  })
  expiresAt!: Date | null;
}

@InputType({ description: 'Input for `operatorGrantCredits`.' })
export class OperatorGrantCreditsInput {
  @IdOf('Account')
  @Field(() => ID, { description: 'Id of the account that gets the credits.' })
  accountId!: string;

  @Field(() => Int, { description: 'How many, at least 1.' })
  amount!: number;

  @Field(() => DateTimeISO, {
    nullable: true,
    description: 'From when they pay for no more use; moved to the next midnight of UTC. By default never.',
  })
  expiresAt?: Date | null;

  @Field(() => Int, {
    defaultValue: 0,
    description: `Of two grants that expire together, the smaller one is spent first. 0 to ${MAX_PRIORITY}.`,
  })
  priority!: number;

  @Field(() => String, {
    description: 'Reason, 1 to 500 characters. Kept forever, so it must not contain personal data.',
  })
  reason!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@InputType({ description: 'Input for `operatorVoidCredits` and `operatorRefundCredits`.' })
export class OperatorCreditsInput {
  @IdOf('Account')
  @Field(() => ID, { description: 'Id of the account that has the credits.' })
  accountId!: string;

  @IdOf('CreditGrant')
  @Field(() => ID, { description: 'Id of the grant, as in `account.credits`.' })
  grantId!: string;

  @Field(() => String, {
    description: 'Reason, 1 to 500 characters. Kept forever, so it must not contain personal data.',
  })
  reason!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'Credits that were changed by an operator.' })
export class OperatorCreditsPayload extends Payload {
  @Field(() => CreditGrant, { nullable: true, description: 'The grant as it is now.' })
  grant!: CreditGrant | null;

  @Field(() => CreditBalance, { description: 'The credits of the account as they are now.' })
  credits!: CreditBalance;
}

export const BuyCreditsResult = createUnionType({
  name: 'BuyCreditsResult',
  description: 'The page on which to pay, or the reason why there is none.',
  types: () => [BuyCreditsPayload, Conflict, NotAllowed, InvalidInput] as const,
});
export const SetCreditTopUpResult = createUnionType({
  name: 'SetCreditTopUpResult',
  description: 'The credits, or the reason why nothing changed.',
  types: () => [SetCreditTopUpPayload, NotAllowed, InvalidInput] as const,
});
export const OperatorCreditsResult = createUnionType({
  name: 'OperatorCreditsResult',
  description: 'The grant, or the reason why nothing changed.',
  types: () => [OperatorCreditsPayload, NotFound, Conflict, NotAllowed, InvalidInput] as const,
});
