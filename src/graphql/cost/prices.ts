import { createHash } from 'node:crypto';
import type {
  GraphQLField,
  GraphQLInputType,
  GraphQLNamedOutputType,
  GraphQLObjectType,
  GraphQLSchema,
} from 'graphql';
import {
  getNamedType,
  getNullableType,
  isAbstractType,
  isCompositeType,
  isInputObjectType,
  isIntrospectionType,
  isListType,
  isObjectType,
} from 'graphql';
import type { ListSize } from './directives.js';
import { listSizeOf, rangeOf, weightOf } from './directives.js';

/** An argument that says how long a list is. */
export interface SlicingArgument {
  readonly name: string;
  /** Whether it is itself a list: its length is the size. */
  readonly isList: boolean;
  /** Where it is not given. */
  readonly default: number | undefined;
  readonly min: number;
  readonly max: number;
}

/** How long a list is at most. */
export interface Bound {
  readonly arguments: readonly SlicingArgument[];
  /** Exactly one of the arguments has to be there. */
  readonly requireOne: boolean;
  /** Where no argument says; undefined where one has to. */
  readonly assumed: number | undefined;
}

export interface FieldPrice {
  /** Points for resolving it once. */
  readonly weight: number;
  /** Points for giving an argument, by its name; those without a price are left out. */
  readonly argumentWeights: ReadonlyMap<string, number>;
  readonly isList: boolean;
  /** Of the list that it gives, or of those in `sizedFields`. */
  readonly bound: Bound | undefined;
  /** The fields of its object that have the bound in its place. */
  readonly sizedFields: ReadonlySet<string>;
}

/** The version of how prices are put together: a change of the formula is a change of what was billed. */
const FORMULA = 1;

/** Every price of a schema. A schema that prices nothing, or has a list without a bound, is refused. */
export class Prices {
  readonly #types = new Map<string, number>();
  readonly #fields = new Map<string, FieldPrice>();
  /** Names formula and prices, e.g. `1-5f0c2a9be1d4`; it changes with every price. */
  readonly version: string;

  /** @throws Error that names every list without a bound, and every directive that makes no sense */
  constructor(private readonly schema: GraphQLSchema) {
    const problems: string[] = [];
    const attempt = (place: string, work: () => void): void => {
      try {
        work();
      } catch (error) {
        problems.push(`${place}: ${(error as Error).message}`);
      }
    };
    for (const type of this.#outputTypes()) {
      attempt(type.name, () => {
        this.#types.set(type.name, weightOf(type) ?? (isCompositeType(type) ? 1 : 0));
      });
      if (!isObjectType(type)) continue;
      for (const field of Object.values(type.getFields())) {
        const place = `${type.name}.${field.name}`;
        attempt(place, () => this.#fields.set(place, priceOf(field)));
      }
    }
    for (const [place, { isList, bound, sizedFields }] of this.#fields) {
      const [type = '', name = ''] = place.split('.');
      const own = bound !== undefined && sizedFields.size === 0;
      if (isList && !own && !this.#sizedFromOutside(type, name))
        problems.push(`${place}: a list without a bound`);
    }
    if (problems.length > 0) throw new Error(`The schema cannot be priced. ${problems.join('; ')}`);
    const listed = JSON.stringify([
      ...this.#types,
      ...[...this.#fields].map(([place, p]) => [place, plain(p)]),
    ]);
    this.version = `${FORMULA}-${createHash('sha256').update(listed).digest('hex').slice(0, 12)}`;
  }

  /** Points for each object or value of a type. */
  ofType({ name }: GraphQLNamedOutputType): number {
    const weight = this.#types.get(name);
    if (weight === undefined) throw new Error(`${name} has no price`);
    return weight;
  }

  ofField(type: GraphQLObjectType, name: string): FieldPrice {
    const price = this.#fields.get(`${type.name}.${name}`);
    if (!price) throw new Error(`${type.name}.${name} has no price`);
    return price;
  }

  #outputTypes(): GraphQLNamedOutputType[] {
    return Object.values(this.schema.getTypeMap()).filter(
      (type): type is GraphQLNamedOutputType => !isIntrospectionType(type) && type.name !== '',
    );
  }

  /** Whether every field that leads to the type gives this list of it a size. */
  #sizedFromOutside(typeName: string, list: string): boolean {
    const type = this.schema.getType(typeName);
    const leading = this.#outputTypes().flatMap((from) =>
      isObjectType(from)
        ? Object.values(from.getFields()).flatMap((field) => {
            const to = getNamedType(field.type);
            const leads =
              to === type || (isAbstractType(to) && isObjectType(type) && this.schema.isSubType(to, type));
            return leads ? [this.#fields.get(`${from.name}.${field.name}`)] : [];
          })
        : [],
    );
    return leading.length > 0 && leading.every((price) => price?.sizedFields.has(list));
  }
}

function priceOf(field: GraphQLField<unknown, unknown>): FieldPrice {
  const argumentWeights = new Map<string, number>();
  for (const arg of field.args) {
    const weight = (weightOf(arg) ?? 0) + weightOfInput(arg.type);
    if (weight > 0) argumentWeights.set(arg.name, weight);
  }
  const type = getNullableType(field.type);
  const isList = isListType(type);
  if (isList && isListType(getNullableType(type.ofType))) throw new Error('a list of lists has no bound');
  const size = listSizeOf(field);
  const sizedFields = new Set(size?.sizedFields ?? []);
  if (isList && sizedFields.size > 0) throw new Error('@listSize: a list has no sizedFields');
  return {
    weight: weightOf(field) ?? 0,
    argumentWeights,
    isList,
    bound: size && boundOf(field, size),
    sizedFields,
  };
}

/**
 * Points for all fields of an input that have a price, given or not: an upper bound that no variable has a say
 * in. @throws Error where how many there are has no bound
 */
function weightOfInput(given: GraphQLInputType, within: readonly string[] = []): number {
  const type = getNamedType(given);
  if (!isInputObjectType(type) || within.includes(type.name)) return 0;
  const weights = Object.values(type.getFields()).map(
    (field) => (weightOf(field) ?? 0) + weightOfInput(field.type, [...within, type.name]),
  );
  const weight = weights.reduce((sum, one) => sum + one, 0);
  if (weight > 0 && isListType(getNullableType(given))) {
    throw new Error(`@cost: a list of ${type.name} has no bound`);
  }
  return weight;
}

function boundOf(field: GraphQLField<unknown, unknown>, size: ListSize): Bound {
  const named = size.slicingArguments ?? [];
  if (named.length === 0 && size.assumedSize === undefined) {
    throw new Error('@listSize: neither assumedSize nor slicingArguments');
  }
  if (size.assumedSize !== undefined && size.assumedSize < 0)
    throw new Error('@listSize: assumedSize is negative');
  const slicing = named.map((name) => {
    const arg = field.args.find((candidate) => candidate.name === name);
    if (!arg) throw new Error(`@listSize: there is no argument ${name}`);
    const range = rangeOf(arg);
    if (!range || range.min < 0) throw new Error(`@listSize: "${name}" needs a @range that is not negative`);
    const given: unknown = arg.defaultValue;
    const length: unknown = Array.isArray(given) ? given.length : given;
    return {
      name,
      isList: isListType(getNullableType(arg.type)),
      default: typeof length === 'number' ? length : undefined,
      ...range,
    };
  });
  const requireOne = named.length > 0 && (size.requireOneSlicingArgument ?? true);
  if (named.length > 0 && !requireOne && size.assumedSize === undefined) {
    throw new Error('@listSize: without an argument that has to be given it needs an assumedSize');
  }
  return { arguments: slicing, requireOne, assumed: size.assumedSize };
}

/** As JSON shows it whole. */
const plain = (price: FieldPrice): object => ({
  ...price,
  argumentWeights: [...price.argumentWeights],
  sizedFields: [...price.sizedFields],
});
