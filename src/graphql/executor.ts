import type {
  DocumentNode,
  ExecutionResult,
  GraphQLSchema,
  NamedTypeNode,
  OperationDefinitionNode,
  VariableDefinitionNode,
} from 'graphql';
import { execute, GraphQLScalarType, Kind, print, visit } from 'graphql';
import { compileQuery, isCompiledQuery } from 'graphql-jit';
import { BoundedMap } from '../boundedMap.js';
import type { RequestContext } from './context.js';
import type { OperationShape } from './metering.js';
import { shapeOf } from './metering.js';

type Run = (
  context: RequestContext,
  /** As they were sent. */
  variables: Readonly<Record<string, unknown>>,
  /** The same as graphql-js coerces them. */
  coerced: Readonly<Record<string, unknown>>,
) => ExecutionResult | Promise<ExecutionResult>;

/** A document's operation, made ready once and kept. */
export interface PreparedOperation {
  readonly shape: OperationShape;
  readonly run: Run;
}

interface Entry {
  readonly shape: OperationShape;
  readonly interpreted: Run;
  compiled: Run | undefined;
  seen: number;
}

/** Compiling costs milliseconds: only documents that come again are worth it. */
const COMPILE_AT = 3;

/**
 * graphql-jit's own coercion refuses what has a default in a place that may not be null, so compiled
 * documents are given variables that graphql-js has coerced, and take them as they are.
 */
const COERCED = new GraphQLScalarType({ name: 'CoercedVariable', parseValue: (value) => value });
const COERCED_TYPE: NamedTypeNode = { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: COERCED.name } };

function takesCoerced({ defaultValue: _coerced, ...node }: VariableDefinitionNode): VariableDefinitionNode {
  // It insists on this type where a variable decides about @skip or @include.
  const decides = print(node.type) === 'Boolean!';
  return { ...node, type: decides ? node.type : COERCED_TYPE };
}

/**
 * Executes operations: a document that comes again is compiled with graphql-jit, everything else is
 * interpreted by graphql-js, which is the reference (test/graphql/executor.test.ts compares the two).
 */
export class Executor {
  readonly #entries = new BoundedMap<Entry>(1_000);

  /** The schema as graphql-jit sees it: with one more type, for variables. */
  readonly #compileSchema: GraphQLSchema;

  constructor(private readonly schema: GraphQLSchema) {
    const getType = (name: string) => (name === COERCED.name ? COERCED : schema.getType(name));
    this.#compileSchema = Object.create(schema, { getType: { value: getType } }) as GraphQLSchema;
  }

  /** @param id names the document and the operation in it, e.g. by its hash */
  prepare(id: string, document: DocumentNode, operation: OperationDefinitionNode): PreparedOperation {
    let entry = this.#entries.get(id);
    if (!entry) {
      entry = {
        shape: shapeOf(this.schema, document, operation),
        interpreted: this.interpreted(document, operation),
        compiled: undefined,
        seen: 0,
      };
      this.#entries.set(id, entry);
    }
    if (++entry.seen === COMPILE_AT) entry.compiled = this.compiled(document, operation);
    return { shape: entry.shape, run: entry.compiled ?? entry.interpreted };
  }

  interpreted(document: DocumentNode, operation: OperationDefinitionNode): Run {
    const operationName = operation.name?.value;
    return (contextValue, variableValues) =>
      execute({
        schema: this.schema,
        document,
        contextValue,
        variableValues,
        operationName: operationName ?? null,
      });
  }

  /** @returns undefined for what graphql-jit can't compile */
  compiled(document: DocumentNode, operation: OperationDefinitionNode): Run | undefined {
    try {
      const untyped = visit(document, { VariableDefinition: takesCoerced });
      const query = compileQuery(this.#compileSchema, untyped, operation.name?.value ?? '');
      if (!isCompiledQuery(query)) return undefined;
      return (context, _variables, coerced) => query.query({}, context, coerced);
    } catch {
      return undefined;
    }
  }
}
