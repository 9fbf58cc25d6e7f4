import type { DirectiveNode } from 'graphql';
import { buildASTSchema, getDirectiveValues, parse } from 'graphql';
import { Directive } from 'type-graphql';

/**
 * The directives that say what an answer costs: `@cost` and `@listSize` as in the GraphQL Cost Directives
 * Specification (https://ibm.github.io/graphql-specs/cost-spec.html), and `@range`, without which the size
 * of a page would have no bound that clients can see.
 */
const DEFINITIONS = buildASTSchema(
  parse(/* GraphQL */ `
    """
    Cost points. On a type: charged for each object of that type in an answer (default 1; 0 for scalars and
    enums). On a field: charged once when the field is resolved, in addition to its objects (default 0). On an
    argument or input field: charged when it is given (default 0).
    """
    directive @cost(
      """
      Whole points, 0 to 10,000.
      """
      weight: String!
    ) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR

    """
    The maximum number of items in the list. The cost of an operation is estimated with it.
    """
    directive @listSize(
      """
      List size assumed when no slicing argument applies.
      """
      assumedSize: Int
      """
      Arguments that set the size; the largest one counts. Of an argument that is a list, its length counts.
      """
      slicingArguments: [String!]
      """
      Fields of the returned object that have this size, instead of the field itself.
      """
      sizedFields: [String!]
      """
      Whether exactly one slicing argument must be given. A default value counts as given.
      """
      requireOneSlicingArgument: Boolean = true
    ) on FIELD_DEFINITION

    """
    The allowed range of an argument or input field, both ends included; of a list, the range of its length.
    Other values are refused with INVALID_INPUT: for an argument, before anything is executed or charged; for an
    input field, in the result.
    """
    directive @range(
      """
      The smallest.
      """
      min: Int!
      """
      The largest.
      """
      max: Int!
    ) on ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION

    type Query {
      unused: Int
    }
  `),
);

export const COST_DIRECTIVES = ['cost', 'listSize', 'range'].map((name) => directive(name));

function directive(name: string) {
  const found = DEFINITIONS.getDirective(name);
  if (!found) throw new Error(`there is no directive @${name}`);
  return found;
}

export interface ListSize {
  readonly assumedSize?: number | undefined;
  readonly slicingArguments?: readonly string[] | undefined;
  readonly sizedFields?: readonly string[] | undefined;
  readonly requireOneSlicingArgument?: boolean | undefined;
}

/** The base price of a mutation: a command is loaded, decided, appended and waited for. */
export const MUTATION = 10;

/** Prices a type, a field or an argument, in cost points. */
export const Cost = (weight: number) => Directive(`@cost(weight: "${weight}")`);

/** Bounds a list. */
export const Sized = (size: ListSize) => {
  const values = Object.entries(size).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  return Directive(`@listSize(${values.join(', ')})`);
};

/** Bounds a number that is given, or the length of a list. */
export const Range = (min: number, max: number) => Directive(`@range(min: ${min}, max: ${max})`);

/** A part of the schema, as far as directives stand on it. */
interface Directed {
  readonly astNode?: { readonly directives?: readonly DirectiveNode[] | undefined } | null | undefined;
}

const valuesOf = (name: string, { astNode }: Directed): Readonly<Record<string, unknown>> | undefined =>
  getDirectiveValues(directive(name), astNode ?? { directives: [] });

/** @returns cost points, undefined where none are given. @throws Error for what is no weight */
export function weightOf(part: Directed): number | undefined {
  const text = valuesOf('cost', part)?.['weight'] as string | undefined;
  if (text === undefined) return undefined;
  const weight = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(weight <= 10_000)) {
    throw new Error(`@cost(weight: "${text}"): a weight is a whole number of points, 0 to 10,000`);
  }
  return weight;
}

export const listSizeOf = (part: Directed): ListSize | undefined => valuesOf('listSize', part);

export const rangeOf = (part: Directed) =>
  valuesOf('range', part) as { readonly min: number; readonly max: number } | undefined;
