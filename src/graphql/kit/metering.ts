import type { OperationDefinitionNode } from 'graphql';
import { Kind } from 'graphql';
import type { DocumentNode, GraphQLSchema, SelectionSetNode } from 'graphql';
import { Extensions } from 'type-graphql';

/**
 * How a root field is metered.
 * `governed`: needs a key, takes from the plan's limits, is recorded before it is answered.
 * `guarded`: what an account needs to help itself; behind a guard of its own, never refused for quota.
 * `service`: what back ends of the service ask or report for all customers; not limited. For others it is guarded.
 * `anonymous`: callable without an account, limited by address.
 */
export type Metering = 'governed' | 'guarded' | 'service' | 'anonymous';

/** Declares a root field's metering; a root field without it does not pass the tests. */
export const Metered = (metering: Metering): MethodDecorator => Extensions({ metering });

export function meteringOf(schema: GraphQLSchema, operation: string, field: string): Metering | undefined {
  const type = schema.getRootType(operation as OperationDefinitionNode['operation']);
  return type?.getFields()[field]?.extensions['metering'] as Metering | undefined;
}

export interface OperationShape {
  readonly kind: 'query' | 'mutation' | 'subscription';
  /** Root fields by name, each once, in order. Introspection is left out. */
  readonly rootFields: readonly string[];
  /** Those that are limited by address, for each answer that is asked for: under two aliases one stands here twice. */
  readonly anonymousCalls: readonly string[];
  /** The strictest metering of its fields; `open` for an operation of introspection alone. */
  readonly metering: Metering | 'open';
}

/** Looks at an operation's root fields, fragments included, whether skipped or not. */
export function shapeOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): OperationShape {
  const calls = new Map<string, string>();
  const visited = new Set<string>();
  const collect = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        const { alias, name } = selection;
        if (!name.value.startsWith('__')) calls.set(alias?.value ?? name.value, name.value);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        collect(selection.selectionSet);
      } else if (!visited.has(selection.name.value)) {
        visited.add(selection.name.value);
        for (const definition of document.definitions) {
          if (
            definition.kind === Kind.FRAGMENT_DEFINITION &&
            definition.name.value === selection.name.value
          ) {
            collect(definition.selectionSet);
          }
        }
      }
    }
  };
  collect(operation.selectionSet);
  const of = (field: string) => meteringOf(schema, operation.operation, field);
  const anonymousCalls = [...calls.values()].filter((field) => of(field) === 'anonymous');
  const rootFields = [...new Set(calls.values())];
  const meterings = rootFields.map(of);
  const metering =
    meterings.length === 0
      ? 'open'
      : meterings.some((m) => m === 'governed' || m === undefined)
        ? 'governed'
        : (['guarded', 'anonymous', 'service'] as const).find((metering) => meterings.includes(metering));
  return { kind: operation.operation, rootFields, anonymousCalls, metering: metering ?? 'governed' };
}
