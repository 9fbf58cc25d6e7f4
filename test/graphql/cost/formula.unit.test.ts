import fc from 'fast-check';
import type { DocumentNode, GraphQLFieldResolver, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import {
  buildSchema,
  executeSync,
  getNamedType,
  getNullableType,
  isAbstractType,
  isCompositeType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  parse,
  validate,
} from 'graphql';
import { getVariableValues } from 'graphql/execution/values.js';
import { COST_DIRECTIVES, listSizeOf, weightOf } from '../../../src/graphql/cost/directives.js';
import type { Cost } from '../../../src/graphql/cost/formula.js';
import { CostFormula, MAX_POINTS } from '../../../src/graphql/cost/formula.js';
import { Prices } from '../../../src/graphql/cost/prices.js';
import { ApiError } from '../../../src/graphql/kit/errors.js';
import { createSchema } from '../../../src/graphql/execution/schema.js';
import { randomOf, randomQuery } from '../randomQueries.js';
import { naiveCost } from './walk.js';

const DIRECTIVES = `
  directive @cost(weight: String!) on INPUT_FIELD_DEFINITION | ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | OBJECT | SCALAR
  directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!],
    requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
  directive @range(min: Int!, max: Int!) on ARGUMENT_DEFINITION
`;

/** A schema with everything that a price can depend on. */
const shop = buildSchema(`${DIRECTIVES}
  scalar Blob @cost(weight: "3")
  interface Item { id: ID! related: [Item!]! parts(first: Int! @range(min: 0, max: 100)): [Part] }
  union Found = Book | Tool | Part
  type Book implements Item @cost(weight: "5") {
    id: ID!
    cover: Blob @cost(weight: "2")
    related: [Item!]! @listSize(assumedSize: 3)
    parts(first: Int! @range(min: 0, max: 100)): [Part] @listSize(slicingArguments: ["first"])
    author: Person
  }
  type Tool implements Item {
    id: ID!
    related: [Item!]! @listSize(assumedSize: 7)
    parts(first: Int! @range(min: 0, max: 100)): [Part]
      @cost(weight: "4") @listSize(slicingArguments: ["first"])
    makers: People @listSize(assumedSize: 2, sizedFields: ["list"])
  }
  type Part @cost(weight: "0") { name: String blobs: [Blob!] @listSize(assumedSize: 4) }
  type Person { name: String! books(max: Int = 2 @range(min: -0, max: 100)): [Book!]
    @listSize(slicingArguments: ["max"]) }
  type People { list: [Person!]! @listSize(assumedSize: 50) count: Int! @cost(weight: "6") }
  type Query {
    item(id: ID! @cost(weight: "2")): Item
    search(text: String @cost(weight: "10"), first: Int @range(min: 0, max: 100),
      last: Int @range(min: 0, max: 100)): [Found!]
      @cost(weight: "20") @listSize(slicingArguments: ["first", "last"])
    people(first: Int! = 20 @range(min: 0, max: 100)): People
      @listSize(slicingArguments: ["first"], sizedFields: ["list"])
    optional(first: Int @range(min: 0, max: 100)): [Person]
      @listSize(slicingArguments: ["first"], assumedSize: 9, requireOneSlicingArgument: false)
    many(ids: [ID!]! @range(min: 0, max: 100)): [Item] @listSize(slicingArguments: ["ids"])
    tool: Tool
  }
  type Mutation { buy(id: ID!): Book @cost(weight: "10") }
  type Subscription { sold: Book }
`);

type Variables = Readonly<Record<string, unknown>>;

function operationOf(document: DocumentNode): OperationDefinitionNode {
  const found = document.definitions.find(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  return found as OperationDefinitionNode;
}

const priced = new Map<GraphQLSchema, Prices>();
function pricesOf(schema: GraphQLSchema): Prices {
  const prices = priced.get(schema) ?? new Prices(schema);
  priced.set(schema, prices);
  return prices;
}

function costOf(text: string, given: Variables = {}, schema: GraphQLSchema = shop): Cost | ApiError {
  const document = parse(text);
  expect(validate(schema, document)).toEqual([]);
  const operation = operationOf(document);
  const { coerced, errors } = getVariableValues(schema, operation.variableDefinitions ?? [], given);
  expect(errors).toBeUndefined();
  return new CostFormula(schema, pricesOf(schema), document, operation).of(coerced ?? {});
}

function points(text: string, given: Variables = {}, schema: GraphQLSchema = shop): number {
  const cost = costOf(text, given, schema);
  if (cost instanceof ApiError) throw cost;
  return cost.estimate;
}

const refusalOf = (text: string, given: Variables = {}): string | undefined => {
  const cost = costOf(text, given);
  return cost instanceof ApiError ? `${cost.code} ${cost.message}` : undefined;
};

/** Resolves every field within its bounds, as a seed will, and counts what that costs. */
class Shopkeeper {
  points = 0;
  readonly #random: (n: number) => number;

  constructor(
    private readonly schema: GraphQLSchema,
    seed: number,
  ) {
    this.#random = randomOf(String(seed));
  }

  root(type: string): object {
    return this.#object(this.schema.getType(type));
  }

  readonly resolve: GraphQLFieldResolver<Record<string, unknown>, unknown> = (
    parent,
    given,
    _context,
    info,
  ) => {
    const field = info.parentType.getFields()[info.fieldName];
    if (!field) throw new Error(`no field ${info.fieldName}`);
    this.points += weightOf(field) ?? 0;
    for (const arg of field.args) {
      const there = info.fieldNodes[0]?.arguments?.some(({ name }) => name.value === arg.name);
      if (there) this.points += weightOf(arg) ?? 0;
    }
    const bound = listSizeOf(field);
    const asked = (bound?.slicingArguments ?? []).flatMap((name) => {
      const value = (given as Record<string, number | readonly unknown[] | null>)[name];
      return typeof value === 'object' && value !== null ? value.length : (value ?? []);
    });
    const size = asked.length > 0 ? Math.max(...asked) : bound?.assumedSize;
    const type = getNullableType(field.type);
    if (isListType(type)) {
      if (!isNonNullType(field.type) && this.#random(10) === 0) return null;
      const most = (parent[`size of ${field.name}`] as number | undefined) ?? size ?? NaN;
      const full = this.#random(2) === 0;
      const length = full ? most : this.#random(most + 1);
      return Array.from({ length }, () => this.#value(type.ofType, {}));
    }
    const sizes = Object.fromEntries((bound?.sizedFields ?? []).map((name) => [`size of ${name}`, size]));
    return this.#value(field.type, sizes);
  };

  #value(type: Parameters<typeof getNamedType>[0], sizes: object): unknown {
    const named = getNamedType(type);
    if (!named || (!isNonNullType(type) && this.#random(8) === 0)) return null;
    if (!isCompositeType(named)) {
      this.points += 'astNode' in named && named.name === 'Blob' ? 3 : 0;
      return this.#random(5);
    }
    const objects = isAbstractType(named) ? this.schema.getPossibleTypes(named) : [named];
    return Object.assign(this.#object(objects[this.#random(objects.length)]), sizes);
  }

  #object(type: unknown): object {
    if (!isObjectType(type)) throw new Error('no object');
    this.points += weightOf(type) ?? 1;
    return { __typename: type.name };
  }
}

interface Tally {
  tried: number;
  abstract: number;
}

/** Estimate, answer and breakdown of one query hold together. */
function check(schema: GraphQLSchema, text: string, given: Variables, seed: number, tally: Tally): void {
  const document = parse(text);
  if (validate(schema, document).length > 0) return;
  const operation = operationOf(document);
  const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], given);
  if (!coerced) return;
  const formula = new CostFormula(schema, pricesOf(schema), document, operation);
  // What is kept of other conditions does not matter.
  formula.of(
    Object.fromEntries(
      Object.entries(coerced).map(([name, v]) => [name, v === true ? false : v === false ? true : v]),
    ),
  );
  const cost = formula.of(coerced);
  if (cost instanceof ApiError) return;
  tally.tried++;
  expect(cost.estimate).toBe(Math.min(MAX_POINTS, naiveCost(schema, document, operation, coerced)));
  // What is kept of the first time gives the same the second time.
  expect(formula.of(coerced)).toMatchObject({ estimate: cost.estimate });
  const fields = cost.fields();
  if (cost.estimate < MAX_POINTS) {
    expect(fields.reduce((sum, field) => sum + field.points, 0)).toBe(cost.estimate);
  }
  // Executing what is dear would take long.
  if (schema !== shop || cost.estimate > 1_500 || /__(schema|type)\b/.test(text)) return;
  const keeper = new Shopkeeper(schema, seed);
  const rootValue = keeper.root(schema.getRootType(operation.operation)?.name ?? '');
  const { data, errors } = executeSync({
    schema,
    document,
    rootValue,
    variableValues: given,
    fieldResolver: keeper.resolve as never,
  });
  expect(errors).toBeUndefined();
  const actual = cost.actual(data);
  expect(actual).toBeLessThanOrEqual(cost.estimate);
  expect(actual).toBeGreaterThanOrEqual(keeper.points);
  // Of which type an object was, an answer does not always tell: then it is taken for the dearest.
  if (/\b(item|search|related|many)\b/.test(text)) tally.abstract++;
  else expect(actual).toBe(keeper.points);
}

/** COST_QUERIES=20000 tries more of them. */
const QUERIES = Number(process.env['COST_QUERIES'] ?? 1_200);

describe('for generated queries', () => {
  it.each([
    ['a schema with everything that a price can depend on', shop, QUERIES],
    ['the schema of the product', createSchema(), QUERIES / 4],
  ])(
    'the formula is what a naive walk gives, and no answer costs more (law 3): %s',
    (_name, schema, numRuns) => {
      const tally = { tried: 0, abstract: 0 };
      fc.assert(
        fc.property(randomQuery(schema, { conditions: true }), fc.nat(), ({ text, variables }, seed) =>
          check(schema, text, variables, seed, tally),
        ),
        { numRuns, endOnFailure: true },
      );
      expect(tally.tried).toBeGreaterThan(numRuns / 5);
      if (schema === shop) expect(tally.tried - tally.abstract).toBeGreaterThan(50);
    },
  );
});

describe('what others have been bypassed with:', () => {
  const PAGE = 'query ($n: Int!) { people(first: $n) { list { name } } }';

  it('a size in a variable counts', () => {
    expect(points(PAGE, { n: 50 })).toBe(1 + 1 + 50);
    expect(points('{ people(first: 50) { list { name } } }')).toBe(52);
  });

  it('a negative size is refused, in a variable, too', () => {
    const message = 'INVALID_INPUT "first" must be 0 to 100.';
    expect(refusalOf(PAGE, { n: -200 })).toBe(message);
    expect(refusalOf('{ people(first: -200) { list { name } } }')).toBe(message);
    expect(refusalOf('{ people(first: 101) { list { name } } }')).toBe(message);
    expect(refusalOf('query ($n: Int = 101) { people(first: $n) { list { name } } }')).toBe(message);
  });

  it('a missing size is not one item: the default counts, or the query is refused', () => {
    expect(points('{ people { list { name } } }')).toBe(22);
    expect(points('query ($n: Int) { optional(first: $n) { name } }')).toBe(1 + 9);
    const message = 'INVALID_INPUT Give "first" or "last": how many there may be.';
    expect(refusalOf('{ search { ... on Part { name } } }')).toBe(message);
    expect(refusalOf('query ($n: Int) { search(first: $n) { ... on Part { name } } }')).toBe(message);
    expect(refusalOf('query ($n: Int) { search(first: $n) { ... on Part { name } } }', { n: null })).toBe(
      message,
    );
  });

  it('a list that is given counts by its length, in a variable, too', () => {
    const MANY = 'query ($ids: [ID!]!) { many(ids: $ids) { id } }';
    expect(points('{ many(ids: []) { id } }')).toBe(1);
    expect(points('{ many(ids: [1, "b", 3]) { id } }')).toBe(1 + 3 * 5);
    expect(points(MANY, { ids: ['a', 'b'] })).toBe(1 + 2 * 5);
    expect(points('query ($id: ID!) { many(ids: [$id, $id]) { id } }', { id: 'a' })).toBe(1 + 2 * 5);
    // Each once, where one value stands for a list.
    expect(points('{ many(ids: 70) { id } }')).toBe(1 + 5);
    expect(points(MANY, { ids: 'many' })).toBe(1 + 5);
    const message = 'INVALID_INPUT "ids" must have 0 to 100 entries.';
    const ids = Array.from({ length: 101 }, () => 'a');
    expect(refusalOf(MANY, { ids })).toBe(message);
    expect(refusalOf(`{ many(ids: ${JSON.stringify(ids)}) { id } }`)).toBe(message);
  });

  it('a variable that is not given is not given, whatever it is called', () => {
    expect(points('query ($constructor: Int) { optional(first: $constructor) { name } }')).toBe(1 + 9);
  });

  it('two sizes where one is wanted are refused', () => {
    expect(refusalOf('{ search(first: 1, last: 90) { ... on Part { name } } }')).toBe(
      'INVALID_INPUT Give only one of "first" or "last".',
    );
  });

  it('a selection costs the same inside a fragment', () => {
    const plain = points('{ people(first: 30) { list { books(max: 10) { id } } } }');
    expect(plain).toBe(1 + 1 + 30 * (1 + 10 * 5));
    expect(
      points(`{ ...A } fragment A on Query { people(first: 30) { ...B } }
        fragment B on People { ... on People { list { ...C } } } fragment C on Person { books(max: 10) { id } }`),
    ).toBe(plain);
  });

  it('a field under another alias costs again; merged with itself it costs once', () => {
    const one = '{ list { name } }';
    expect(points(`{ a: people(first: 10) ${one} b: people(first: 10) ${one} }`)).toBe(1 + 2 * 11);
    expect(points(`{ people(first: 10) ${one} people(first: 10) ${one} }`)).toBe(12);
    expect(points('{ tool { id } tool { makers { count } } }')).toBe(1 + 1 + 1 + 6);
  });

  it('what is skipped costs nothing, and what is included does', () => {
    const text = 'query ($yes: Boolean!) { tool { makers @include(if: $yes) { count } id @skip(if: $yes) } }';
    expect(points(text, { yes: true })).toBe(9);
    expect(points(text, { yes: false })).toBe(2);
  });

  it('every way into a connection’s items counts', () => {
    const schema = createSchema();
    const edges = points('{ patterns(first: 10) { edges { node { name } } } }', {}, schema);
    const nodes = points('{ patterns(first: 10) { nodes { name } } }', {}, schema);
    expect([edges, nodes]).toEqual([1 + 1 + 10 * 2, 1 + 1 + 10]);
    const both = points('{ patterns(first: 10) { nodes { name } edges { node { name } } } }', {}, schema);
    expect(both).toBe(edges + nodes - 2);
  });

  it('an abstract type costs what its dearest member costs', () => {
    expect(points('{ item(id: 1) { ... on Tool { id } ... on Book { author { name } } } }')).toBe(
      1 + 2 + 5 + 1,
    );
    expect(points('{ item(id: 1) { related { id } } }')).toBe(1 + 2 + Math.max(5 + 3 * 5, 1 + 7 * 5));
  });

  it('a list below a list multiplies', () => {
    expect(points('{ search(first: 10) { ... on Book { related { parts(first: 5) { blobs } } } } }')).toBe(
      1 + 20 + 10 * (5 + 3 * Math.max(5 + 5 * 12, 1 + 4 + 5 * 12)),
    );
  });

  it('introspection has its price', () => {
    expect(points('{ __schema { types { name } } a: __type(name: "Book") { name } }')).toBe(1 + 200);
  });

  it('a mutation and each event of a subscription have theirs', () => {
    expect(points('mutation { buy(id: 1) { id } }')).toBe(1 + 10 + 5);
    expect(points('subscription { sold { id } }')).toBe(1 + 5);
  });

  it('fragments that multiply are refused before they are walked', () => {
    const names = Array.from({ length: 12 }, (_, i) => `F${i}`);
    const parts = names.map((name, i) => {
      const next = names[i + 1];
      const inner = next ? `{ ...${next} }` : '{ name }';
      const books = (alias: string) => `${alias}: books(max: 1) { author ${inner} }`;
      return `fragment ${name} on Person { ${books('a')} ${books('b')} ${books('c')} }`;
    });
    const text = `{ people { list { ...F0 } } } ${parts.join('\n')}`;
    expect(refusalOf(text)).toMatch(/^QUERY_TOO_LARGE A query may have at most 1000 fields/);
  });

  it('no sum is beyond what numbers hold', () => {
    let text = '{ name }';
    for (let i = 0; i < 12; i++) text = `{ books(max: 100) { author ${text} } }`;
    expect(points(`{ people { list ${text} } }`)).toBe(MAX_POINTS);
  });
});

describe('the answer', () => {
  const cost = costOf('{ people(first: 10) { count list { name books(max: 5) { cover } } } }');
  if (cost instanceof ApiError) throw cost;

  it('costs what it holds', () => {
    expect(cost.estimate).toBe(1 + 1 + 6 + 10 * (1 + 5 * (5 + 2 + 3)));
    const person = (books: unknown) => ({ name: 'Ann', books });
    const list = [person([{ cover: 'x' }, { cover: null }]), person(null), person([])];
    expect(cost.actual({ people: { count: 3, list } })).toBe(1 + 1 + 6 + 3 + (5 + 2 + 3) + (5 + 2));
  });

  it('of an abstract type costs what its fields say', () => {
    const found = costOf(
      '{ item(id: 1) { ... on Tool { parts(first: 9) { name } } ... on Book { cover } } }',
    );
    if (found instanceof ApiError) throw found;
    expect(found.estimate).toBe(1 + 2 + Math.max(1 + 4, 5 + 2 + 3));
    expect(found.actual({ item: { cover: null } })).toBe(1 + 2 + 5 + 2);
    // A tool: a book's cover is not there, and costs nothing.
    expect(found.actual({ item: { parts: [] } })).toBe(1 + 2 + 5);
  });

  it('that has no data costs nothing but what was tried', () => {
    expect(cost.actual({ people: null })).toBe(1);
    expect(cost.actual(null)).toBe(0);
    expect(cost.actual(undefined)).toBe(0);
  });
});

describe('a schema', () => {
  const refused = (sdl: string): string => {
    try {
      new Prices(buildSchema(`${DIRECTIVES} ${sdl}`));
      return 'accepted';
    } catch (error) {
      return (error as Error).message.replace('The schema cannot be priced. ', '');
    }
  };

  it.each([
    ['type Query { all: [Int] }', 'Query.all: a list without a bound'],
    ['type Query { all: [[Int]] @listSize(assumedSize: 1) }', 'Query.all: a list of lists has no bound'],
    ['type Query { all: [Int] @listSize(assumedSize: -1) }', 'Query.all: @listSize: assumedSize is negative'],
    ['type Query { all: [Int] @listSize }', 'Query.all: @listSize: neither assumedSize nor slicingArguments'],
    [
      'type Query { all(first: Int!): [Int] @listSize(slicingArguments: ["first"]) }',
      'Query.all: @listSize: "first" needs a @range that is not negative',
    ],
    [
      'type Query { page: Page other: Page @listSize(assumedSize: 3, sizedFields: ["nodes"]) } type Page { nodes: [Int] }',
      'Page.nodes: a list without a bound',
    ],
    [
      'type Query { all(first: Int @range(min: 1, max: 9)): [Int] @listSize(slicingArguments: ["first"], requireOneSlicingArgument: false) }',
      'Query.all: @listSize: without an argument that has to be given it needs an assumedSize',
    ],
    [
      'type Query { a(many: [In!]): Int } input In { x: Int @cost(weight: "1") }',
      'Query.a: @cost: a list of In has no bound',
    ],
  ])('is refused where a list has no bound: %s', (sdl, message) => {
    expect(refused(sdl)).toContain(message);
  });

  it.each(['-1', '1.5', 'much', '10001', ''])('is refused with the weight "%s"', (weight) => {
    expect(refused(`type Query { a: Int @cost(weight: "${weight}") }`)).toContain(
      'a weight is a whole number',
    );
  });

  it('charges what an input can hold with the argument that it is part of', () => {
    const priced = buildSchema(`${DIRECTIVES}
      type Query { a(one: In, other: Int): Int }
      input In { x: Int @cost(weight: "3"), deep: Deep, again: In }
      input Deep { y: Int @cost(weight: "4") }`);
    const estimate = (text: string, variables = {}) => {
      const document = parse(text);
      const operation = document.definitions[0] as OperationDefinitionNode;
      const cost = new CostFormula(priced, new Prices(priced), document, operation).of(variables);
      return cost instanceof ApiError ? cost.code : cost.estimate - 1;
    };
    expect(estimate('{ a(other: 1) }')).toBe(0);
    expect(estimate('{ a(one: { x: 1 }) }')).toBe(7);
    expect(estimate('query ($in: In) { a(one: $in) }', { in: {} })).toBe(7);
  });

  it('has the version of its prices', () => {
    const version = (sdl: string) => new Prices(buildSchema(`${DIRECTIVES} ${sdl}`)).version;
    expect(version('type Query { a: Int }')).toBe(version('"other words" type Query { a: Int }'));
    expect(version('type Query { a: Int }')).not.toBe(version('type Query { a: Int @cost(weight: "1") }'));
    expect(version('type Query { a: Int }')).toMatch(/^1-[0-9a-f]{12}$/);
  });

  it('of the product is priced, every mutation at 10 points or more', () => {
    const schema = createSchema();
    expect(() => new Prices(schema)).not.toThrow();
    const mutations = Object.values(schema.getMutationType()?.getFields() ?? {});
    expect(mutations.length).toBeGreaterThan(3);
    expect(mutations.filter((field) => (weightOf(field) ?? 0) < 10).map(({ name }) => name)).toEqual([]);
    expect(COST_DIRECTIVES.map(({ name }) => name)).toEqual(['cost', 'listSize', 'range']);
  });
});
