import type { DocumentNode, ExecutionResult, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import {
  BREAK,
  execute,
  GraphQLError,
  isEnumType,
  isInputObjectType,
  SchemaMetaFieldDef,
  TypeMetaFieldDef,
  visit,
} from 'graphql';
import { compileQuery, isCompiledQuery } from 'graphql-jit';
import { BoundedMap } from '../../boundedMap.js';
import type { AccessRule } from '../kit/access.js';
import { accessRulesOf } from '../kit/access.js';
import type { RequestContext } from '../kit/context.js';
import { CostFormula } from '../cost/formula.js';
import { Prices } from '../cost/prices.js';
import type { OperationShape } from '../kit/metering.js';
import { shapeOf } from '../kit/metering.js';
import type { CheckTexts } from './texts.js';
import { textsOf } from './texts.js';

export type Run = (
  context: RequestContext,
  /** As they were sent. */
  variables: Readonly<Record<string, unknown>>,
  /** The same as graphql-js coerces them. */
  coerced: Readonly<Record<string, unknown>>,
) => ExecutionResult | Promise<ExecutionResult>;

/** A document's operation, made ready once and kept. */
export interface PreparedOperation {
  readonly shape: OperationShape;
  /** Who may ask for all that it names. */
  readonly access: readonly AccessRule[];
  readonly cost: CostFormula;
  readonly texts: CheckTexts;
  readonly run: Run;
}

/** Compiling costs milliseconds: only documents that are executed again are worth it. */
const COMPILE_AT = 3;
/** What is compiled takes 7 KB a field for as long as it is kept. What is larger is interpreted. */
const KEPT = { operations: 200, fields: 100 } as const;

/**
 * Executes operations: a document that is executed again is compiled with graphql-jit, everything else is
 * interpreted by graphql-js, which is the reference (test/graphql/executor.unit.test.ts compares the two).
 */
export class Executor {
  /** As long as Apollo or the known operations keep the document. */
  readonly #entries = new WeakMap<OperationDefinitionNode, PreparedOperation>();
  readonly #compiled = new BoundedMap<Run>(KEPT.operations);
  readonly #prices: Prices;
  #ids = 0;

  /** @throws Error for a schema with a list without a bound */
  constructor(private readonly schema: GraphQLSchema) {
    this.#prices = new Prices(schema);
  }

  prepare(document: DocumentNode, operation: OperationDefinitionNode): PreparedOperation {
    let entry = this.#entries.get(operation);
    if (!entry) {
      const cost = new CostFormula(this.schema, this.#prices, document, operation);
      entry = {
        shape: shapeOf(this.schema, document, operation),
        access: accessRulesOf(this.schema, document, operation),
        cost,
        texts: textsOf(this.schema, operation.variableDefinitions ?? []),
        run: this.#run(document, operation, cost),
      };
      this.#entries.set(operation, entry);
    }
    return entry;
  }

  /**
   * Counts what is executed, not what is asked for: fragments that multiply are small as text and take minutes
   * to compile, and the cost has refused them by then.
   */
  #run(document: DocumentNode, operation: OperationDefinitionNode, cost: CostFormula): Run {
    const interpreted = this.interpreted(document, operation);
    const id = String(++this.#ids);
    let executed = 0;
    return (context, variables, coerced) => {
      let run = this.#compiled.get(id);
      if (!run && ++executed >= COMPILE_AT && cost.size <= KEPT.fields) {
        run = this.compiled(document, operation);
        if (run) this.#compiled.set(id, run);
        // Once it is forgotten it is counted anew; what can't be compiled is not tried again.
        executed = run ? 0 : -Infinity;
      }
      return (run ?? interpreted)(context, variables, coerced);
    };
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

  /** @returns undefined for what graphql-jit can't compile, compiles into something else, or takes too long for */
  compiled(document: DocumentNode, operation: OperationDefinitionNode): Run | undefined {
    if (isInterpreted(this.schema, document)) return undefined;
    try {
      const query = compileQuery(this.schema, document, operation.name?.value ?? '');
      if (!isCompiledQuery(query)) return undefined;
      return (context, _variables, coerced) => {
        const result = query.query({}, context, coerced);
        return result instanceof Promise
          ? result.then((settled) => withOrigins(settled, operation))
          : withOrigins(result, operation);
      };
    } catch {
      return undefined;
    }
  }
}

/**
 * What graphql-jit gets wrong: documents with @skip or @include (it loses a fragment that is spread twice
 * under different conditions, and takes a condition that is null for false), with a field under the alias
 * __proto__ (which it drops), and with variables of an input type (it does not know the defaults of input
 * fields) or an enum. The other variables it is given as graphql-js has coerced them, since its own coercion
 * refuses a default in a place that may not be null. And introspection, whose fields are not among those that
 * an operation may have so many of: compiling it would take seconds.
 */
function isInterpreted(schema: GraphQLSchema, document: DocumentNode): boolean {
  let found = false;
  visit(document, {
    Directive: () => {
      found = true;
      return BREAK;
    },
    Field: ({ name, alias }) => {
      found ||= INTROSPECTION.has(name.value) || alias?.value === '__proto__';
    },
    NamedType: ({ name }) => {
      const type = schema.getType(name.value);
      found ||= isInputObjectType(type) || isEnumType(type);
    },
  });
  return found;
}

const INTROSPECTION: ReadonlySet<string> = new Set([SchemaMetaFieldDef.name, TypeMetaFieldDef.name]);

/** graphql-jit's own errors say nothing of where they come from; graphql-js' do, and errors are shown by it. */
function withOrigins(result: ExecutionResult, operation: OperationDefinitionNode): ExecutionResult {
  if (!result.errors) return result;
  return { ...result, errors: result.errors.map((error) => withOrigin(error, operation)) };
}

function withOrigin(error: GraphQLError, operation: OperationDefinitionNode): GraphQLError {
  if (error.originalError) return error;
  const { message, path, locations } = error;
  const originalError = message.startsWith('Cannot return null for non-nullable field')
    ? new Error(message)
    : new GraphQLError(message, { nodes: message.startsWith('Argument "') ? operation : null });
  const whole = new GraphQLError(message, { path: path ?? null, originalError });
  return Object.defineProperty(whole, 'locations', { value: locations, enumerable: true });
}
