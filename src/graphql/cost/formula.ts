import type { DocumentNode, FieldNode, FragmentDefinitionNode, GraphQLSchema } from 'graphql';
import type { GraphQLObjectType, OperationDefinitionNode, ValueNode } from 'graphql';
import { getNamedType, GraphQLError, isAbstractType, isObjectType, Kind, visit } from 'graphql';
import { collectFields, collectSubfields } from 'graphql/execution/collectFields.js';
import { BoundedMap } from '../../boundedMap.js';
import { compositeKey } from '../../eventsourcing/compositeKey.js';
import { ApiError } from '../kit/errors.js';
import type { Bound, Prices } from './prices.js';

/** Fields of one operation, with what fragments repeat: more than any page of an application asks for. */
const MAX_FIELDS = 1_000;
/** What is made ready for these few combinations of conditions is kept, unless it is large. */
const KEPT = { combinations: 4, fields: 250 } as const;
/** What a query that introspects pays for each `__schema` and `__type`: what they give is bounded. */
const INTROSPECTION = 100;
/** No cost is beyond it, so that every sum is exact. No plan has as many points. */
export const MAX_POINTS = 1_000_000_000;

export type Variables = Readonly<Record<string, unknown>>;

/** A size that is known once the variables are: its place among those of the operation. */
interface Sliced {
  readonly index: number;
}
type Size = number | Sliced;

/** A field of an answer, at its place. */
export interface Step {
  /** Of the answer: the alias, or the name. */
  readonly key: string;
  /** For resolving it once, its arguments included. */
  readonly weight: number;
  readonly size: Size;
  /** One for each type that its values may be of. */
  readonly types: readonly ValueCost[];
  /** What it comes to where no variable has a say. */
  readonly constant: number | undefined;
}

/** What a value of a type costs in this place. */
interface ValueCost {
  readonly weight: number;
  /** Its fields that cost something. */
  readonly steps: readonly Step[];
  /** Its weight and the fields where no variable has a say. */
  readonly constant: number;
  /** The other ones. */
  readonly open: readonly Step[];
}

/** An argument that decides a size, where it stands. */
interface Slice {
  readonly path: string;
  readonly bound: Bound;
  /** What is given: a value or the name of a variable; absent where nothing is. */
  readonly given: ReadonlyMap<string, Given>;
}
type Given = { readonly value: unknown } | { readonly variable: string };

/** An operation whose conditions are decided. */
interface Compiled {
  readonly root: ValueCost;
  readonly slices: readonly Slice[];
  /** How many it has, fragments included. */
  readonly fields: number;
}

/** What an operation costs with these variables. */
export interface Cost {
  /** Points that the answer can come to at most. */
  readonly estimate: number;
  /** Points of the answer, never more than the estimate as long as lists keep their bounds. */
  actual(data: unknown): number;
  /** The estimate by fields; their points sum up to it. */
  fields(): FieldCost[];
}

export interface FieldCost {
  /** Response keys from the root on; the empty one is the operation itself. */
  readonly path: string;
  /** How many values it gives at most, in all places. */
  readonly count: number;
  /** Of resolving it so often, and of the objects that it gives; fields of those are counted at theirs. */
  readonly points: number;
}

/**
 * The cost of an operation as a formula of its variables. It is put together the way graphql-js executes:
 * with its own collecting of fields, for each concrete type, so that fragments, merged fields, aliases and
 * `@skip` and `@include` count as they are executed. What the conditions decide is put together once for
 * each combination of them.
 */
export class CostFormula {
  readonly #fragments: Record<string, FragmentDefinitionNode> = {};
  readonly #conditions: readonly string[];
  readonly #compiled = new BoundedMap<Compiled>(KEPT.combinations);
  #fields = 0;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly prices: Prices,
    document: DocumentNode,
    private readonly operation: OperationDefinitionNode,
  ) {
    for (const definition of document.definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION) this.#fragments[definition.name.value] = definition;
    }
    this.#conditions = conditionsOf(document);
  }

  /** How many fields it had at most, fragments included, whenever it was asked what it costs. */
  get size(): number {
    return this.#fields;
  }

  /** Names prices and formula. */
  get version(): string {
    return this.prices.version;
  }

  /**
   * @param variables as graphql-js coerces them
   * @returns the refusal of a size that is missing or out of its range, or of a query that is too large
   */
  of(variables: Variables): Cost | ApiError {
    try {
      const compiled = this.#of(variables);
      const sizes = compiled.slices.map((slice) => sizeOf(slice, variables));
      return {
        estimate: Math.min(MAX_POINTS, pointsOf(compiled.root, sizes)),
        actual: (data) => Math.min(MAX_POINTS, measured([compiled.root], data)),
        fields: () => [...fieldsOf(compiled.root, sizes)],
      };
    } catch (error) {
      if (error instanceof ApiError) return error;
      // A condition that may not be null, and is.
      if (error instanceof GraphQLError) return new ApiError('INVALID_INPUT', error.message);
      throw error;
    }
  }

  #of(variables: Variables): Compiled {
    const decided = compositeKey(...this.#conditions.map((name) => String(variables[name])));
    let compiled = this.#compiled.get(decided);
    if (!compiled) {
      compiled = new Compiler(this.schema, this.prices, this.#fragments, variables).compile(this.operation);
      this.#fields = Math.max(this.#fields, compiled.fields);
      if (compiled.fields <= KEPT.fields) this.#compiled.set(decided, compiled);
    }
    return compiled;
  }
}

/** Variables that decide whether something is executed at all. */
function conditionsOf(document: DocumentNode): readonly string[] {
  const names = new Set<string>();
  visit(document, {
    Directive: ({ arguments: args = [] }) => {
      for (const { value } of args) if (value.kind === Kind.VARIABLE) names.add(value.name.value);
    },
  });
  return [...names];
}

class Compiler {
  readonly #slices: Slice[] = [];
  #fields = 0;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly prices: Prices,
    private readonly fragments: Record<string, FragmentDefinitionNode>,
    private readonly variables: Variables,
  ) {}

  compile(operation: OperationDefinitionNode): Compiled {
    const type = this.schema.getRootType(operation.operation);
    if (!type) throw new Error(`there is no root type for a ${operation.operation}`);
    const { schema, fragments, variables } = this;
    const collected = collectFields(schema, fragments, variables, type, operation.selectionSet);
    const root = this.#value(type, collected, new Map(), '');
    return { root, slices: this.#slices, fields: this.#fields };
  }

  #value(
    type: GraphQLObjectType,
    collected: ReadonlyMap<string, readonly FieldNode[]>,
    sizes: ReadonlyMap<string, Size>,
    path: string,
  ): ValueCost {
    const steps: Step[] = [];
    for (const [key, nodes] of collected) {
      if (++this.#fields > MAX_FIELDS) {
        throw new ApiError(
          'QUERY_TOO_LARGE',
          `A query may have at most ${MAX_FIELDS} fields, fragments included.`,
        );
      }
      const step = this.#step(type, key, nodes, sizes, path === '' ? key : `${path}.${key}`);
      if (step && step.constant !== 0) steps.push(step);
    }
    const weight = this.prices.ofType(type);
    const constant = steps.reduce((sum, step) => sum + (step.constant ?? 0), weight);
    return { weight, steps, constant, open: steps.filter((step) => step.constant === undefined) };
  }

  #step(
    parent: GraphQLObjectType,
    key: string,
    nodes: readonly FieldNode[],
    sizes: ReadonlyMap<string, Size>,
    path: string,
  ): Step | undefined {
    const node = nodes[0] as FieldNode;
    const name = node.name.value;
    if (name === '__typename') return undefined;
    if (name === '__schema' || name === '__type') {
      return { key, weight: INTROSPECTION, size: 1, types: [], constant: INTROSPECTION };
    }
    const field = parent.getFields()[name];
    if (!field) throw new Error(`${parent.name} has no field ${name}`);
    const price = this.prices.ofField(parent, name);
    let weight = price.weight;
    for (const arg of node.arguments ?? []) weight += price.argumentWeights.get(arg.name.value) ?? 0;
    const own = price.bound && this.#size(price.bound, node, path);
    const size = price.isList ? (sizes.get(name) ?? own) : 1;
    // Prices have refused the schema; should that ever fail, so does the query.
    if (size === undefined) throw new Error(`${parent.name}.${name} is a list without a bound`);

    const type = getNamedType(field.type);
    const inner = new Map<string, Size>();
    if (own !== undefined) for (const sized of price.sizedFields) inner.set(sized, own);
    const objects = isAbstractType(type)
      ? this.schema.getPossibleTypes(type)
      : isObjectType(type)
        ? [type]
        : [];
    const types = objects.map((object) => {
      const { schema, fragments, variables } = this;
      return this.#value(object, collectSubfields(schema, fragments, variables, object, nodes), inner, path);
    });
    if (objects.length === 0) {
      const value = this.prices.ofType(type);
      types.push({ weight: value, steps: [], constant: value, open: [] });
    }
    const decided = typeof size === 'number' && types.every(({ open }) => open.length === 0);
    const constant = decided ? weight + size * Math.max(...types.map((kind) => kind.constant)) : undefined;
    return { key, weight, size, types, constant };
  }

  #size(bound: Bound, node: FieldNode, path: string): Size {
    const given = new Map<string, Given>();
    for (const arg of node.arguments ?? []) {
      const slicing = bound.arguments.find(({ name }) => name === arg.name.value);
      if (slicing) given.set(slicing.name, givenBy(arg.value, slicing.isList));
    }
    const slice = { path, bound, given };
    const open = [...given.values()].some((value) => 'variable' in value);
    if (!open) return sizeOf(slice, {});
    this.#slices.push(slice);
    return { index: this.#slices.length - 1 };
  }
}

function givenBy(value: ValueNode, isList: boolean): Given {
  if (value.kind === Kind.VARIABLE) return { variable: value.name.value };
  if (value.kind === Kind.NULL) return { value: null };
  // One value in the place of a list is a list of one.
  if (isList) return { value: value.kind === Kind.LIST ? value.values.length : 1 };
  return { value: value.kind === Kind.INT ? Number(value.value) : null };
}

/** A variable that is not given may be called like what every object inherits, e.g. `constructor`. */
function valueOf(variables: Variables, name: string): unknown {
  const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
  return Array.isArray(value) ? value.length : value;
}

/** @throws ApiError for a size that is missing, given twice, or out of its range */
function sizeOf({ path, bound, given }: Slice, variables: Variables): number {
  let size: number | undefined;
  let present = 0;
  for (const { name, isList, default: otherwise, min, max } of bound.arguments) {
    const what = given.get(name);
    const said =
      what === undefined ? undefined : 'value' in what ? what.value : valueOf(variables, what.variable);
    const value = said === undefined ? otherwise : said;
    if (value === undefined || value === null) continue;
    present++;
    if (typeof value !== 'number' || !(value >= min && value <= max)) {
      const message = isList
        ? `"${name}" must have ${min} to ${max} entries.`
        : `"${name}" must be ${min} to ${max}.`;
      throw new ApiError('INVALID_INPUT', message, { field: name, path });
    }
    size = Math.max(size ?? 0, value);
  }
  const names = bound.arguments.map(({ name }) => `"${name}"`).join(' or ');
  if (bound.requireOne && present !== 1) {
    const message = present === 0 ? `Give ${names}: how many there may be.` : `Give only one of ${names}.`;
    throw new ApiError('INVALID_INPUT', message, { field: bound.arguments[0]?.name, path });
  }
  return size ?? bound.assumed ?? fail(path);
}

function fail(path: string): never {
  throw new Error(`nothing bounds ${path}`);
}

const sized = (size: Size, sizes: readonly number[]): number =>
  typeof size === 'number' ? size : (sizes[size.index] as number);

function points(step: Step, sizes: readonly number[]): number {
  if (step.constant !== undefined) return step.constant;
  let most = 0;
  for (const kind of step.types) most = Math.max(most, pointsOf(kind, sizes));
  return step.weight + sized(step.size, sizes) * most;
}

function pointsOf(kind: ValueCost, sizes: readonly number[]): number {
  let sum = kind.constant;
  for (const step of kind.open) sum += points(step, sizes);
  return sum;
}

/**
 * The points of a value of the answer. Where it may be of several types and does not say which, it is taken
 * for the dearest, reckoned with what it holds.
 */
function measured(types: readonly ValueCost[], value: unknown): number {
  if (value === null || value === undefined) return 0;
  let most = 0;
  for (const { weight, steps } of types) {
    let sum = weight;
    for (const step of steps) sum += measuredAt(step, (value as Record<string, unknown>)[step.key]);
    most = Math.max(most, sum);
  }
  return most;
}

function measuredAt({ weight, types }: Step, value: unknown): number {
  // Not in the answer: it was of another type, or had no data.
  if (value === undefined) return 0;
  if (!Array.isArray(value)) return weight + measured(types, value);
  let sum = weight;
  for (const item of value) sum += measured(types, item);
  return sum;
}

/** Where an object may be of several types, the dearest is shown. */
function* fieldsOf(
  kind: ValueCost,
  sizes: readonly number[],
  path = '',
  count = 1,
  weight = 0,
): Generator<FieldCost> {
  yield { path, count, points: weight + count * kind.weight };
  for (const step of kind.steps) {
    const inner = count * sized(step.size, sizes);
    const most = Math.max(0, ...step.types.map((each) => pointsOf(each, sizes)));
    const dearest = step.types.find((each) => pointsOf(each, sizes) === most);
    const at = path === '' ? step.key : `${path}.${step.key}`;
    if (dearest) yield* fieldsOf(dearest, sizes, at, inner, count * step.weight);
    else yield { path: at, count: inner, points: count * step.weight };
  }
}
