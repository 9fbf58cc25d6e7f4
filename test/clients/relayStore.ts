import { readFileSync } from 'node:fs';
import type { ArgumentNode, DocumentNode, OperationDefinitionNode, SelectionSetNode } from 'graphql';
import {
  buildSchema,
  getNamedType,
  getNullableType,
  isAbstractType,
  isCompositeType,
  isListType,
  isObjectType,
  Kind,
  parse,
  print,
  TypeInfo,
  valueFromASTUntyped,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { GraphQLCompositeType, GraphQLOutputType } from 'graphql';
import { createClient } from 'graphql-sse';
import type { ConcreteRequest, PayloadError, Variables } from 'relay-runtime';
import relay from 'relay-runtime';
import type { Connect, Outcome } from './client.js';
import { codesOf } from './client.js';
import { relayNetwork } from './relay.js';

const { createOperationDescriptor, Environment, RecordSource, Store } = relay;

const schema = buildSchema(readFileSync('schema/schema.graphql', 'utf8'));

/** What Relay's compiler adds to what is sent: the ids that records go by, and the types of what may be several. */
function withIds(document: DocumentNode): DocumentNode {
  const types = new TypeInfo(schema);
  const field = (name: string, alias?: string) => ({
    kind: Kind.FIELD as const,
    name: { kind: Kind.NAME as const, value: name },
    ...(alias !== undefined && { alias: { kind: Kind.NAME as const, value: alias } }),
  });
  return visit(
    document,
    visitWithTypeInfo(types, {
      SelectionSet: {
        leave: (node, _key, parent) => {
          const type = types.getParentType();
          const added = [
            ...(isAbstractType(type) ? [field('__typename')] : []),
            ...(type && 'getFields' in type && type.getFields()['id'] ? [field('id')] : []),
            ...(isAbstractType(type) && (parent as { kind?: Kind }).kind === Kind.INLINE_FRAGMENT
              ? [field('__typename', `__is${type.name}`)]
              : []),
          ];
          return { ...node, selections: [...node.selections, ...added] };
        },
      },
    }),
  );
}

/** An operation as Relay's compiler would write it, as far as our queries go. */
function compiled(text: string): ConcreteRequest {
  const asked = parse(text);
  const sent = withIds(asked);
  const operationOf = (document: DocumentNode) => document.definitions[0] as OperationDefinitionNode;
  const { name, operation, variableDefinitions = [], selectionSet } = operationOf(asked);
  const root = schema.getRootType(operation) as GraphQLCompositeType;
  const argumentDefinitions = variableDefinitions.map(({ variable, defaultValue }) => ({
    kind: 'LocalArgument',
    name: variable.name.value,
    defaultValue: defaultValue ? valueFromASTUntyped(defaultValue) : null,
  }));
  const called = name?.value ?? 'Test';
  return {
    kind: 'Request',
    fragment: {
      kind: 'Fragment',
      name: called,
      type: root.name,
      abstractKey: null,
      metadata: null,
      argumentDefinitions,
      selections: selectionsOf(selectionSet, root),
    },
    operation: {
      kind: 'Operation',
      name: called,
      argumentDefinitions,
      selections: selectionsOf(operationOf(sent).selectionSet, root),
    },
    params: {
      id: null,
      cacheID: text,
      text: print(sent),
      name: called,
      metadata: {},
      operationKind: operation as 'query',
    },
  } as unknown as ConcreteRequest;
}

function selectionsOf({ selections }: SelectionSetNode, parent: GraphQLCompositeType): object[] {
  return selections.map((selection) => {
    if (selection.kind === Kind.INLINE_FRAGMENT) {
      const type = schema.getType(selection.typeCondition?.name.value ?? '') as GraphQLCompositeType;
      return {
        kind: 'InlineFragment',
        type: type.name,
        abstractKey: isAbstractType(type) ? `__is${type.name}` : null,
        selections: selectionsOf(selection.selectionSet, type),
      };
    }
    if (selection.kind !== Kind.FIELD) throw new Error('fragments with a name are not compiled here');
    const field = {
      alias: selection.alias?.value ?? null,
      name: selection.name.value,
      args: selection.arguments?.map(argumentOf) ?? null,
      storageKey: null,
    };
    if (!selection.selectionSet || !('getFields' in parent)) return { kind: 'ScalarField', ...field };
    const output = parent.getFields()[field.name]?.type as GraphQLOutputType;
    const type = getNamedType(output);
    if (!isCompositeType(type)) throw new Error(`${field.name} has no fields`);
    return {
      kind: 'LinkedField',
      ...field,
      concreteType: isObjectType(type) ? type.name : null,
      plural: isListType(getNullableType(output)),
      selections: selectionsOf(selection.selectionSet, type),
    };
  });
}

function argumentOf({ name, value }: ArgumentNode): object {
  return value.kind === Kind.VARIABLE
    ? { kind: 'Variable', name: name.value, variableName: value.name.value }
    : { kind: 'Literal', name: name.value, value: valueFromASTUntyped(value) };
}

/** Relay with its store, which keeps each object once, by its id. */
export function relayEnvironment(url: string, headers: Record<string, string>) {
  const events = createClient({ url, headers, retryAttempts: 0 });
  const store = new Store(new RecordSource());
  const environment = new Environment({ network: relayNetwork(url, headers, events), store });
  const operation = (text: string, variables: Variables) =>
    createOperationDescriptor(compiled(text), variables);
  /** What the store knows, whether anybody has asked for it so or not. */
  const known = (text: string, variables: Variables = {}): Outcome['data'] => {
    const { data, isMissingData } = environment.lookup(operation(text, variables).fragment);
    return isMissingData ? undefined : data;
  };
  const ask = async (text: string, variables: Variables = {}): Promise<Outcome> => {
    const asked = operation(text, variables);
    environment.retain(asked);
    const execute = /^\s*mutation/.test(text)
      ? environment.executeMutation({ operation: asked })
      : environment.execute({ operation: asked });
    try {
      await execute.toPromise();
      return { data: known(text, variables), codes: [] };
    } catch (error) {
      const { source } = error as { source?: { errors?: readonly PayloadError[] } };
      if (!source?.errors) throw error;
      return { data: undefined, codes: codesOf(source.errors as never) };
    }
  };
  return { ask, known, records: () => store.getSource().getRecordIDs(), close: () => events.dispose() };
}

export const connectRelayStore: Connect = (url, headers) => relayEnvironment(url, headers);
