import type { DocumentNode, ExecutionResult, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import { execute } from 'graphql';
import { compileQuery, isCompiledQuery } from 'graphql-jit';
import { BoundedMap } from '../boundedMap.js';
import type { RequestContext } from './context.js';
import type { OperationShape } from './metering.js';
import { shapeOf } from './metering.js';

type Run = (
  context: RequestContext,
  variables: Readonly<Record<string, unknown>>,
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
 * Executes operations: a document that comes again is compiled with graphql-jit, everything else is
 * interpreted by graphql-js, which is the reference (test/graphql/executor.test.ts compares the two).
 */
export class Executor {
  readonly #entries = new BoundedMap<Entry>(1_000);

  constructor(private readonly schema: GraphQLSchema) {}

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
      const query = compileQuery(this.schema, document, operation.name?.value ?? '');
      if (!isCompiledQuery(query)) return undefined;
      return (context, variables) => query.query({}, context, variables);
    } catch {
      return undefined;
    }
  }
}
