import type { ValueNode } from 'graphql';
import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';

/** As people write numbers: no sign, no exponent, no leading zeros. */
const DECIMAL = /^(0|[1-9]\d{0,18})(\.\d{1,9})?$/;

/** The error does not repeat what was given: callers keep errors in their logs. */
function quantityIn(given: unknown, nodes: ValueNode | null): string {
  if (typeof given === 'number' && Number.isSafeInteger(given) && given >= 0) return String(given);
  if (typeof given === 'string' && DECIMAL.test(given)) return given;
  throw new GraphQLError(
    'A quantity must be a whole number from 0 to 9007199254740991, or a decimal in a string like "12.5", of at most 19 digits and 9 decimals.',
    { nodes },
  );
}

/** An amount of a meter, in its unit; kept as text until the meter says how many decimals it has (decision 26). */
export const Quantity = new GraphQLScalarType<string, string>({
  name: 'Quantity',
  description:
    'An exact decimal quantity, in units of its meter. Output is always a string, e.g. `"12.5"`. Input is a string with at most 19 digits before and 9 after the decimal point, or a whole number up to 9007199254740991. Quantities with more decimals than the meter has are refused, never rounded.',
  specifiedByURL: 'https://www.w3.org/TR/xmlschema11-2/#decimal',
  serialize: (value) => String(value),
  parseValue: (value) => quantityIn(value, null),
  parseLiteral: (node) => {
    // The digits themselves: as a number, long ones would not be what was written.
    return quantityIn(node.kind === Kind.STRING || node.kind === Kind.INT ? node.value : undefined, node);
  },
});
