import 'reflect-metadata';
import type { ValueNode } from 'graphql';
import { GraphQLError, GraphQLScalarType } from 'graphql';
import { Field, Int, ObjectType } from 'type-graphql';
import type { Money as Amount } from '../../money/money.js';
import { exponentOf } from '../../money/money.js';

const outputOnly = (name: string) => (_value: unknown, nodes?: ValueNode | null) => {
  throw new GraphQLError(`${name} is for answers alone.`, { nodes: nodes ?? null });
};

/** An integer of any size, as text: JSON's numbers are exact up to 2^53 alone. */
export const BigIntText = new GraphQLScalarType<string, string>({
  name: 'BigInt',
  description: 'An integer of any size, as a string, e.g. `"2900"` or `"-140"`.',
  specifiedByURL: 'https://www.w3.org/TR/xmlschema11-2/#integer',
  serialize: (value) => String(value),
  parseValue: outputOnly('BigInt'),
  parseLiteral: (node) => outputOnly('BigInt')(undefined, node),
});

export const CurrencyCode = new GraphQLScalarType<string, string>({
  name: 'CurrencyCode',
  description: 'A currency in three capital letters (ISO 4217), e.g. `USD`.',
  specifiedByURL: 'https://www.iso.org/iso-4217-currency-codes.html',
  serialize: (value) => String(value).toUpperCase(),
  parseValue: outputOnly('CurrencyCode'),
  parseLiteral: (node) => outputOnly('CurrencyCode')(undefined, node),
});

@ObjectType({
  simpleResolvers: true,
  description:
    'An exact amount of money, e.g. 29.00 USD as `{ minorUnits: "2900", exponent: 2, currency: "USD" }`.',
})
export class Money {
  @Field(() => BigIntText, {
    description: 'Amount in the smallest unit of the currency, e.g. cents: `"2900"` is 29.00 USD.',
  })
  minorUnits!: string;

  @Field(() => Int, {
    description: 'Number of decimal places in `minorUnits`: 2 for USD, 0 for JPY.',
  })
  exponent!: number;

  @Field(() => CurrencyCode, { description: 'ISO 4217 currency code, e.g. `USD`.' })
  currency!: string;
}

export const moneyOf = ({ amount, currency }: Amount): Money => ({
  minorUnits: String(amount),
  exponent: exponentOf(currency),
  currency,
});
