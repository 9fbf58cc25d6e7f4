import type {
  DocumentNode,
  FieldNode,
  GraphQLField,
  GraphQLObjectType,
  GraphQLSchema,
  OperationDefinitionNode,
  SelectionSetNode,
} from 'graphql';
import {
  getNamedType,
  GraphQLError,
  getNullableType,
  GraphQLSkipDirective,
  GraphQLIncludeDirective,
  isAbstractType,
  isListType,
  isObjectType,
  isScalarType,
  Kind,
} from 'graphql';
import { getArgumentValues, getDirectiveValues } from 'graphql/execution/values.js';
import { listSizeOf, weightOf } from '../../../src/graphql/cost/directives.js';

type Variables = Readonly<Record<string, unknown>>;
interface Selected {
  readonly key: string;
  readonly nodes: FieldNode[];
}

/** A field whose arguments cannot be used fails when it is executed; what the others say of its cost holds all the same. */
function argumentsOf(
  field: GraphQLField<unknown, unknown>,
  node: FieldNode,
  variables: Variables,
): Variables {
  const each = field.args.map((arg) => {
    try {
      return getArgumentValues({ ...field, args: [arg] }, node, variables);
    } catch (error) {
      if (error instanceof GraphQLError) return {};
      throw error;
    }
  });
  return Object.assign({}, ...each) as Variables;
}

/**
 * The cost by the rules alone, for comparison: one recursion over the document with its variables, which
 * keeps nothing, prepares nothing and collects fields by itself.
 */
export function naiveCost(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Variables,
): number {
  const included = (node: SelectionSetNode['selections'][number]): boolean =>
    getDirectiveValues(GraphQLSkipDirective, node, variables)?.['if'] !== true &&
    getDirectiveValues(GraphQLIncludeDirective, node, variables)?.['if'] !== false;

  const applies = (condition: string | undefined, type: GraphQLObjectType): boolean => {
    if (condition === undefined || condition === type.name) return true;
    const on = schema.getType(condition);
    return isAbstractType(on) && schema.isSubType(on, type);
  };

  const select = (
    type: GraphQLObjectType,
    sets: readonly SelectionSetNode[],
    found: Selected[] = [],
    spread: Set<string> = new Set(),
  ): Selected[] => {
    for (const selection of sets.flatMap(({ selections }) => selections)) {
      if (!included(selection)) continue;
      if (selection.kind === Kind.FIELD) {
        const key = selection.alias?.value ?? selection.name.value;
        const same = found.find((other) => other.key === key);
        if (same) same.nodes.push(selection);
        else found.push({ key, nodes: [selection] });
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        if (applies(selection.typeCondition?.name.value, type)) {
          select(type, [selection.selectionSet], found, spread);
        }
      } else if (!spread.has(selection.name.value)) {
        spread.add(selection.name.value);
        for (const fragment of document.definitions) {
          if (fragment.kind !== Kind.FRAGMENT_DEFINITION || fragment.name.value !== selection.name.value)
            continue;
          if (applies(fragment.typeCondition.name.value, type)) {
            select(type, [fragment.selectionSet], found, spread);
          }
        }
      }
    }
    return found;
  };

  const ofObject = (
    type: GraphQLObjectType,
    sets: readonly SelectionSetNode[],
    sizes: ReadonlyMap<string, number>,
  ): number => {
    let sum = weightOf(type) ?? 1;
    for (const { nodes } of select(type, sets)) {
      const [node] = nodes as [FieldNode];
      const name = node.name.value;
      if (name === '__typename') continue;
      if (name === '__schema' || name === '__type') {
        sum += 100;
        continue;
      }
      const field = type.getFields()[name];
      if (!field) throw new Error(`${type.name} has no field ${name}`);
      const given = argumentsOf(field, node, variables);
      const bound = listSizeOf(field);
      const asked = (bound?.slicingArguments ?? []).flatMap((arg) => {
        const value = given[arg] as number | readonly unknown[] | null | undefined;
        return typeof value === 'object' && value !== null ? value.length : (value ?? []);
      });
      const said = asked.length > 0 ? Math.max(...asked) : bound?.assumedSize;
      const isList = isListType(getNullableType(field.type));
      const times = isList ? (sizes.get(name) ?? said ?? NaN) : 1;
      const inner = new Map((bound?.sizedFields ?? []).map((sized) => [sized, said ?? NaN]));
      const of = getNamedType(field.type);
      const below = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
      const objects = isAbstractType(of) ? schema.getPossibleTypes(of) : isObjectType(of) ? [of] : [];
      const each =
        isObjectType(of) || isAbstractType(of)
          ? Math.max(...objects.map((object) => ofObject(object, below, inner)))
          : ((isScalarType(of) ? weightOf(of) : undefined) ?? 0);
      sum += weightOf(field) ?? 0;
      for (const arg of field.args) {
        if (node.arguments?.some((a) => a.name.value === arg.name)) sum += weightOf(arg) ?? 0;
      }
      sum += times * each;
    }
    return sum;
  };

  const root = schema.getRootType(operation.operation);
  if (!root) throw new Error('no root type');
  return ofObject(root, [operation.selectionSet], new Map());
}
