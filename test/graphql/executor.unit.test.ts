import { getVariableValues } from 'graphql/execution/values.js';
import fc from 'fast-check';
import type {
  DocumentNode,
  ExecutionResult,
  GraphQLOutputType,
  GraphQLSchema,
  OperationDefinitionNode,
} from 'graphql';
import {
  GraphQLError,
  isAbstractType,
  isEnumType,
  isListType,
  isNonNullType,
  isScalarType,
  Kind,
  parse,
  validate,
} from 'graphql';
import type { RequestContext } from '../../src/graphql/kit/context.js';
import { ApiError } from '../../src/graphql/kit/errors.js';
import { Executor } from '../../src/graphql/execution/executor.js';
import { publicError } from '../../src/graphql/execution/execution.js';
import { createSchema } from '../../src/graphql/execution/schema.js';
import { silentLogger } from '../../src/logger.js';
import { randomOf, randomQuery } from './randomQueries.js';

type Class = abstract new (...args: never[]) => object;

/** What type-graphql has been told by the decorators of resolvers and types. */
interface Metadata {
  readonly queries: readonly Handler[];
  readonly mutations: readonly Handler[];
  readonly subscriptions: readonly Handler[];
  readonly fieldResolvers: readonly (Handler & {
    readonly kind: 'internal' | 'external';
    readonly getObjectType?: () => Class;
  })[];
  readonly objectTypes: readonly { readonly name: string; readonly target: Class }[];
}

interface Handler {
  readonly target: Class;
  readonly methodName: string;
  readonly schemaName: string;
}

const { TypeGraphQLMetadataStorage: metadata } = globalThis as unknown as {
  readonly TypeGraphQLMetadataStorage: Metadata;
};

/** The classes behind object types. */
const CLASSES: ReadonlyMap<string, Class> = new Map(
  metadata.objectTypes.map(({ name, target }) => [name, target]),
);

/** Every resolver of the schema: its class, the method, and the field that it answers. */
const RESOLVERS: readonly { target: Class; method: string; field: string }[] = [
  ...metadata.queries.map((handler) => ({ handler, type: 'Query' })),
  ...metadata.mutations.map((handler) => ({ handler, type: 'Mutation' })),
  ...metadata.fieldResolvers
    .filter(({ kind }) => kind === 'external')
    .map((handler) => ({
      handler,
      type: metadata.objectTypes.find(({ target }) => target === handler.getObjectType?.())?.name ?? '',
    })),
].map(({ handler: { target, methodName, schemaName }, type }) => ({
  target,
  method: methodName,
  field: `${type}.${schemaName}`,
}));

/** A world in which every field's value follows from a seed, where it is, and its arguments. */
class World {
  readonly schema: GraphQLSchema;
  seed = 0;
  /**
   * What goes wrong. Never both at once: graphql-js 16 leaves a rejection unhandled when another item of
   * the same list has failed at once.
   */
  trouble: 'nothing' | 'values' | 'rejections' = 'nothing';
  calls: string[] = [];

  constructor() {
    const instances = new Map<Class, Record<string, unknown>>();
    for (const { target, method, field } of RESOLVERS) {
      const instance =
        instances.get(target) ?? (Object.create(target.prototype as object) as Record<string, unknown>);
      instance[method] = (...args: readonly unknown[]) => this.#resolve(field, args);
      instances.set(target, instance);
    }
    this.schema = createSchema([...instances.values()]);
  }

  #resolve(field: string, args: readonly unknown[]): unknown {
    const call = JSON.stringify([field, args.filter((arg) => arg !== CONTEXT)]);
    this.calls.push(call);
    const random = randomOf(`${this.seed} ${call}`);
    const [typeName, name] = field.split('.') as [string, string];
    const type = this.schema.getType(typeName);
    if (!type || !('getFields' in type)) throw new Error(`there is no ${field}`);
    const fieldType = type.getFields()[name]?.type as GraphQLOutputType;
    if (this.trouble === 'values' && random(100) < 8) throw new Error(`${field} threw`);
    if (this.trouble === 'rejections' && random(100) < 30) {
      const error =
        random(2) === 0 ? new Error(`${field} rejected`) : new ApiError('NOT_FOUND', `no ${field}`);
      return Promise.reject(error);
    }
    const value = this.#value(fieldType, random, call);
    return this.trouble === 'values' || random(2) === 0 ? value : Promise.resolve(value);
  }

  #value(type: GraphQLOutputType, random: (n: number) => number, id: string): unknown {
    if (isNonNullType(type)) {
      if (this.trouble === 'values' && random(100) < 3) return random(2) === 0 ? null : undefined;
      return this.#present(type.ofType as GraphQLOutputType, random, id);
    }
    return random(100) < 15 ? null : this.#present(type, random, id);
  }

  #present(type: GraphQLOutputType, random: (n: number) => number, id: string): unknown {
    if (isListType(type)) {
      return Array.from({ length: random(4) }, (_, i) =>
        this.#value(type.ofType as GraphQLOutputType, random, `${id}.${i}`),
      );
    }
    if (isEnumType(type)) return type.getValues()[random(type.getValues().length)]?.value;
    if (isScalarType(type)) {
      if (type.name === 'Int' && this.trouble === 'values' && random(100) < 5) return 1.5;
      if (type.name === 'Int') return random(1_000);
      if (type.name === 'Float') return random(1_000) / 8;
      if (type.name === 'Boolean') return random(2) === 0;
      if (type.name === 'DateTime') return new Date(random(2_000_000_000) * 1_000);
      return ['', 'text', 'ü "quoted"\n\\', String(random(1_000))][random(4)];
    }
    if (isAbstractType(type)) {
      const members = this.schema.getPossibleTypes(type);
      return this.#present(members[random(members.length)] as GraphQLOutputType, random, id);
    }
    if (!('getFields' in type)) throw new Error(`cannot make a ${String(type)}`);
    const object = Object.create((CLASSES.get(type.name)?.prototype ?? Object.prototype) as object) as Record<
      string,
      unknown
    >;
    object['nameOfThis'] = id;
    for (const [name, field] of Object.entries(type.getFields())) {
      object[name] = this.#value(field.type, random, `${id}.${name}`);
    }
    return object;
  }
}

const CONTEXT = {} as RequestContext;
const world = new World();
const executor = new Executor(world.schema);

interface Shown {
  readonly data: unknown;
  /** What callers see of the errors, by the null in the data that they explain. */
  readonly errors: ReadonlyMap<string, readonly string[]>;
}

function shown({ data, errors }: ExecutionResult): Shown {
  const plain = data === undefined ? 'none' : (JSON.parse(JSON.stringify(data)) as unknown);
  const byNull = new Map<string, string[]>();
  for (const error of errors ?? []) {
    // A field that nobody answers throws in both, and would compare equal.
    if (error.originalError instanceof TypeError) throw error;
    const { message, path, locations, extensions } = publicError(silentLogger, error);
    // The id of the log entry is another one each time.
    const { id: _id, ...rest } = extensions ?? {};
    // The two word this one differently where a field is merged; callers never see it.
    const inside = /^Cannot return null/.exec(error.message)?.[0] ?? error.message;
    const text = JSON.stringify({ inside, message, path, locations, rest });
    const place = nullAt(plain, path ?? []);
    byNull.set(place, [...(byNull.get(place) ?? []), text]);
  }
  return { data: plain, errors: byNull };
}

/** The place on the way to an error at which the data ends in null. */
function nullAt(data: unknown, path: readonly (string | number)[]): string {
  let value = data;
  for (const [i, step] of path.entries()) {
    if (value === null) return JSON.stringify(path.slice(0, i));
    value = (value as Record<string | number, unknown>)[step];
  }
  return JSON.stringify(path);
}

/**
 * The same data, and for every null the same reason. Where several fields fail beneath one null, the
 * specification asks for one of the errors (section 6.4.4): graphql-js gives the first, graphql-jit all.
 */
function expectSame(actual: Shown, expected: Shown): void {
  expect(actual.data).toEqual(expected.data);
  expect([...actual.errors.keys()].sort()).toEqual([...expected.errors.keys()].sort());
  for (const [place, reasons] of expected.errors) {
    expect(actual.errors.get(place)).toEqual(expect.arrayContaining(reasons.slice(0, 1)));
  }
}

async function runBoth(text: string, variables: Readonly<Record<string, unknown>>) {
  const document = parse(text);
  const operation = document.definitions.find(
    (definition): definition is OperationDefinitionNode => definition.kind === Kind.OPERATION_DEFINITION,
  );
  if (!operation) throw new Error('no operation');
  const compiled = executor.compiled(document, operation);
  const { coerced } = getVariableValues(world.schema, operation.variableDefinitions ?? [], variables);
  const outcome = async (run: ReturnType<Executor['interpreted']>) => {
    world.calls = [];
    const result = shown(await run(CONTEXT, variables, coerced ?? {}));
    return { result, calls: world.calls.sort() };
  };
  const expected = await outcome(executor.interpreted(document, operation));
  // Variables that their types refuse are told before anything is executed, compiled or not.
  return { expected, actual: coerced && compiled && (await outcome(compiled)) };
}

async function compare(conditions: boolean, numRuns: number): Promise<number> {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(
      randomQuery(world.schema, { conditions }),
      fc.nat(),
      fc.constantFrom('nothing', 'values', 'rejections'),
      async ({ text, variables }, seed, trouble) => {
        const problems = validate(world.schema, parse(text));
        fc.pre(problems.length === 0);
        Object.assign(world, { seed, trouble });
        const { expected, actual } = await runBoth(text, variables);
        if (!actual) return;
        compared++;
        expectSame(actual.result, expected.result);
        // Where an argument is refused and its parent goes with it, the rest of the parent may be left out.
        if (trouble === 'nothing' && expected.result.errors.size === 0) {
          expect(actual.calls).toEqual(expected.calls);
        }
      },
    ),
    { numRuns, interruptAfterTimeLimit: 8_000, markInterruptAsFailure: false, endOnFailure: true },
  );
  return compared;
}

it('has every field of the schema answered that a resolver answers', () => {
  expect(RESOLVERS.length).toBeGreaterThan(50);
  const roots = [world.schema.getQueryType(), world.schema.getMutationType()];
  const fields = roots.flatMap((root) =>
    Object.keys(root?.getFields() ?? {}).map((name) => `${root?.name}.${name}`),
  );
  expect(fields.filter((name) => !RESOLVERS.some(({ field }) => field === name))).toEqual([]);
});

describe('a compiled operation', () => {
  it('answers like an interpreted one, whatever is asked and whatever resolvers do', async () => {
    expect(await compare(false, 200)).toBeGreaterThan(20);
  });

  it('answers like an interpreted one where @skip and @include are used', async () => {
    await compare(true, 60);
  });
});

describe('interpreted, because graphql-jit gets it wrong, is', () => {
  const operationOf = (text: string): [document: DocumentNode, operation: OperationDefinitionNode] => {
    const document = parse(text);
    return [document, document.definitions[0] as OperationDefinitionNode];
  };

  it.each([
    ['a condition', '{ categories { slug @skip(if: false) } }'],
    [
      'a fragment under a condition',
      '{ ...F @include(if: true) } fragment F on Query { categories { slug } }',
    ],
    ['a field called like what an object inherits from', '{ categories { __proto__: slug } }'],
    ['an input', 'mutation ($i: RevokeKeyInput!) { revokeKey(input: $i) { __typename } }'],
  ])('%s', (_what, text) => {
    expect(executor.compiled(...operationOf(text))).toBeUndefined();
  });

  // Not wrong, but as long as two seconds in one piece.
  it('introspection', () => {
    expect(executor.compiled(...operationOf('{ __schema { types { name } } }'))).toBeUndefined();
    expect(executor.compiled(...operationOf('{ __type(name: "Query") { name } }'))).toBeUndefined();
  });

  it('nothing else that the product is asked often', () => {
    for (const text of [
      'query ($slug: String!) { pattern(by: { slug: $slug }) { ... on Pattern { name } ... on Refusal { code } } }',
      'query ($q: String!) { searchPatterns(query: $q) { edges { node { name } } } }',
      '{ patterns(first: 5) { nodes { name useCount } totalCount } }',
    ]) {
      expect(executor.compiled(...operationOf(text))).toBeDefined();
    }
  });
});

it('compiles what is executed again, and not what is refused each time: that may be beyond all bounds', async () => {
  const document = parse('{ categories { slug } }');
  const operation = document.definitions[0] as OperationDefinitionNode;
  const fresh = new Executor(world.schema);
  const compiling = jest.spyOn(fresh, 'compiled');
  for (let i = 0; i < 5; i++) fresh.prepare(document, operation);
  expect(compiling).not.toHaveBeenCalled();
  for (let i = 0; i < 5; i++) await fresh.prepare(document, operation).run(CONTEXT, {}, {});
  expect(compiling).toHaveBeenCalledTimes(1);
});

it('does not compile what is large, which would be kept', async () => {
  const fields = (count: number) => Array.from({ length: count }, (_, i) => `a${i}: slug`).join(' ');
  const compiled = async (text: string): Promise<number> => {
    const fresh = new Executor(world.schema);
    const compiling = jest.spyOn(fresh, 'compiled');
    const document = parse(text);
    const prepared = fresh.prepare(document, document.definitions[0] as OperationDefinitionNode);
    for (let i = 0; i < 5; i++) {
      prepared.cost.of({});
      await prepared.run(CONTEXT, {}, {});
    }
    return compiling.mock.calls.length;
  };
  expect(await compiled(`{ categories { ${fields(90)} } }`)).toBe(1);
  expect(await compiled(`{ categories { ${fields(110)} } }`)).toBe(0);
});

it('keeps so many compiled operations and no more: whose turn it was longest ago is compiled again', async () => {
  const fresh = new Executor(world.schema);
  const compiling = jest.spyOn(fresh, 'compiled');
  const documents = Array.from({ length: 201 }, (_, i) => parse(`{ categories { a${i}: slug } }`));
  const runThrice = async (document: DocumentNode): Promise<void> => {
    const { run } = fresh.prepare(document, document.definitions[0] as OperationDefinitionNode);
    for (let i = 0; i < 3; i++) await run(CONTEXT, {}, {});
  };
  for (const document of documents) await runThrice(document);
  expect(compiling).toHaveBeenCalledTimes(201);
  await runThrice(documents[200] as DocumentNode);
  expect(compiling).toHaveBeenCalledTimes(201);
  await runThrice(documents[0] as DocumentNode);
  expect(compiling).toHaveBeenCalledTimes(202);
});

it("keeps no room for what can't be compiled", async () => {
  const fresh = new Executor(world.schema);
  const compiling = jest.spyOn(fresh, 'compiled');
  const runThrice = async (text: DocumentNode): Promise<void> => {
    const { run } = fresh.prepare(text, text.definitions[0] as OperationDefinitionNode);
    for (let i = 0; i < 3; i++) await run(CONTEXT, {}, {});
  };
  const compiled = parse('{ categories { slug } }');
  await runThrice(compiled);
  for (let i = 0; i < 200; i++) await runThrice(parse('{ __schema { queryType { name } } }'));
  await runThrice(compiled);
  expect(compiling.mock.calls.filter(([document]) => document === compiled)).toHaveLength(1);
});

it('hides a value that does not fit the schema, and keeps the caller’s own mistake', () => {
  const about = (error: GraphQLError) => publicError(silentLogger, error).extensions?.['code'];
  const document = parse('{ categories { slug } }');
  expect(about(new GraphQLError('Int cannot represent non-integer value: 1.5'))).toBe('INTERNAL');
  expect(about(new GraphQLError('wrong', { nodes: document.definitions[0] ?? null }))).toBe(
    'GRAPHQL_EXECUTION_ERROR',
  );
});
