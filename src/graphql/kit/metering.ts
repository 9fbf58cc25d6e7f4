import type {
  DocumentNode,
  FieldNode,
  GraphQLSchema,
  OperationDefinitionNode,
  SelectionSetNode,
} from 'graphql';
import {
  DirectiveLocation,
  getDirectiveValues,
  GraphQLDirective,
  GraphQLEnumType,
  GraphQLNonNull,
  Kind,
} from 'graphql';
import { getArgumentValues } from 'graphql/execution/values.js';
import { Directive } from 'type-graphql';
import { parseId } from './ids.js';

/**
 * How a root field is metered.
 * `governed`: needs a key, takes from the plan's limits, is recorded before it is answered.
 * `guarded`: what an account needs to help itself; behind a guard of its own, never refused for quota.
 * `service`: what back ends of the service ask or report for all customers; not limited. For others it is guarded.
 * `anonymous`: callable without an account, limited by address.
 */
export type Metering = 'governed' | 'guarded' | 'service' | 'anonymous';

/** `by id`: governed where an id that is given is one of what is sold, else guarded. */
export type DeclaredMetering = Metering | 'by id';

const METERINGS: Readonly<
  Record<string, { readonly value: DeclaredMetering; readonly description: string }>
> = {
  GOVERNED: {
    value: 'governed',
    description: 'Takes one request and cost points from the plan. Recorded before it is answered.',
  },
  GUARDED: {
    value: 'guarded',
    description: 'Free. Limited to 60 operations per minute and account.',
  },
  SERVICE: {
    value: 'service',
    description: 'Free and not limited. For back ends that act for customers.',
  },
  ANONYMOUS: {
    value: 'anonymous',
    description: 'Needs no account. Limited per IP address.',
  },
  BY_ID: {
    value: 'by id',
    description: 'GOVERNED if one of the ids is a pattern’s, otherwise GUARDED.',
  },
};

export const METERED_DIRECTIVE = new GraphQLDirective({
  name: 'metered',
  description:
    'What a request for the field costs and how it is limited. If an operation has several such fields, the strictest rule applies.',
  locations: [DirectiveLocation.FIELD_DEFINITION],
  args: {
    as: {
      type: new GraphQLNonNull(
        new GraphQLEnumType({
          name: 'Metering',
          description: 'How a call is metered and limited.',
          values: METERINGS,
        }),
      ),
      description: 'The metering rule.',
    },
  },
});

/** Declares a root field's metering; a root field without it does not pass the tests. */
export const Metered = (metering: DeclaredMetering): PropertyDecorator & MethodDecorator =>
  Directive(`@metered(as: ${metering.toUpperCase().replace(' ', '_')})`);

export function meteringOf(
  schema: GraphQLSchema,
  operation: string,
  field: string,
): DeclaredMetering | undefined {
  const type = schema.getRootType(operation as OperationDefinitionNode['operation']);
  const { astNode } = type?.getFields()[field] ?? {};
  return getDirectiveValues(METERED_DIRECTIVE, astNode ?? {})?.['as'] as DeclaredMetering | undefined;
}

/** Reading a pattern is a use of it; all else that has an id an account needs to help itself. */
const meteringOfIds = (ids: readonly unknown[]): Metering =>
  ids.some((id) => typeof id === 'string' && parseId(id)?.type === 'Pattern') ? 'governed' : 'guarded';

export interface OperationShape {
  readonly kind: 'query' | 'mutation' | 'subscription';
  /** Root fields by name, each once, in order. Introspection is left out. */
  readonly rootFields: readonly string[];
  /** Those that are limited by address, for each answer that is asked for: under two aliases one stands here twice. */
  readonly anonymousCalls: readonly string[];
  /**
   * The strictest metering of its fields; `open` for an operation of introspection alone. Where ids decide it
   * is what it can be at most.
   */
  readonly metering: Metering | 'open';
  /** The same once the variables are known, as graphql-js coerces them. */
  meteringWith(variables: Readonly<Record<string, unknown>>): Metering | 'open';
}

/** Looks at an operation's root fields, fragments included, whether skipped or not. */
export function shapeOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): OperationShape {
  const calls = new Map<string, string>();
  const nodes = new Map<string, FieldNode>();
  const visited = new Set<string>();
  const collect = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        const { alias, name } = selection;
        if (name.value.startsWith('__')) continue;
        calls.set(alias?.value ?? name.value, name.value);
        nodes.set(alias?.value ?? name.value, selection);
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
  const fields = schema.getRootType(operation.operation)?.getFields();
  const byIds = [...nodes.values()].filter(({ name }) => of(name.value) === 'by id');
  const fixed = rootFields.map(of).filter((metering) => metering !== 'by id');
  const meteringWith: OperationShape['meteringWith'] = (variables) => {
    if (byIds.length === 0) return metering;
    const ids = byIds.map((node) => {
      const field = fields?.[node.name.value];
      return field ? Object.values(getArgumentValues(field, node, variables)).flat() : [];
    });
    return strictest([...fixed, ...ids.map(meteringOfIds)]);
  };
  const metering = strictest(byIds.length > 0 ? [...fixed, 'governed'] : fixed);
  return { kind: operation.operation, rootFields, anonymousCalls, metering, meteringWith };
}

function strictest(meterings: readonly (Metering | undefined)[]): Metering | 'open' {
  if (meterings.length === 0) return 'open';
  if (meterings.some((metering) => metering === 'governed' || metering === undefined)) return 'governed';
  const others = ['guarded', 'anonymous', 'service'] as const;
  return others.find((metering) => meterings.includes(metering)) ?? 'governed';
}
