import type { DocumentNode, FieldNode, GraphQLSchema, OperationDefinitionNode, SelectionNode } from 'graphql';
import {
  getNamedType,
  GraphQLError,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isUnionType,
  Kind,
  OperationTypeNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import type { AccessRule } from '../../graphql/kit/access.js';
import { accessRulesOf } from '../../graphql/kit/access.js';
import type { OperationShape } from '../../graphql/kit/metering.js';
import { shapeOf } from '../../graphql/kit/metering.js';
import { MAX_TOKENS, queryLimits } from '../../graphql/execution/queryLimits.js';
import { literalTexts } from '../../graphql/execution/texts.js';
import type { Known } from './known.js';
import { answerOf } from './known.js';

/** The interface of expected failures (graphql/kit/refusals.ts). */
const REFUSAL = 'Refusal';

/** An operation of a route, valid against the schema. */
export interface RouteDocument {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly access: readonly AccessRule[];
  readonly shape: OperationShape;
  readonly answer: Known;
  /** Types of the schema that say why there is no answer. */
  readonly refusals: ReadonlySet<string>;
  /** Variables that it declares, and whether they have to be given. */
  readonly variables: ReadonlyMap<string, boolean>;
  /** Those of them that are inputs of commands, which may have an id. */
  readonly commands: readonly string[];
}

/** @throws GraphQLError for what is not one operation that the schema can answer */
export function readDocument(schema: GraphQLSchema, text: string): RouteDocument {
  const parsed = parse(text, { maxTokens: MAX_TOKENS, noLocation: false });
  const [first, ...others] = validate(schema, parsed, [...specifiedRules, queryLimits, literalTexts]);
  if (first)
    throw others.length === 0
      ? first
      : new GraphQLError([first, ...others].map(({ message }) => message).join(' '));
  const operations = parsed.definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
  const [only] = operations;
  if (!only || operations.length > 1) throw new GraphQLError('A route has one operation.');
  if (only.operation === OperationTypeNode.SUBSCRIPTION) throw new GraphQLError('A route cannot subscribe.');
  if (!only.name) throw new GraphQLError('The operation needs a name: records of use have it.');
  const refusals = new Set<string>();
  const operation = {
    ...only,
    selectionSet: {
      ...only.selectionSet,
      selections: only.selectionSet.selections.map((selection) =>
        askedWhy(schema, only, selection, refusals),
      ),
    },
  };
  const document = {
    ...parsed,
    definitions: parsed.definitions.map((node) => (node === only ? operation : node)),
  };
  return {
    document,
    operation,
    access: accessRulesOf(schema, document, operation),
    shape: shapeOf(schema, document, operation),
    answer: answerOf(schema, document, operation),
    refusals,
    variables: new Map(
      (only.variableDefinitions ?? []).map(({ variable, type, defaultValue }) => [
        variable.name.value,
        type.kind === Kind.NON_NULL_TYPE && defaultValue === undefined,
      ]),
    ),
    commands: commandsOf(schema, only),
  };
}

function commandsOf(
  schema: GraphQLSchema,
  { operation, selectionSet: { selections } }: OperationDefinitionNode,
): string[] {
  if (operation !== OperationTypeNode.MUTATION) return [];
  const fields = schema.getRootType(operation)?.getFields() ?? {};
  return selections.flatMap((selection) => {
    if (selection.kind !== Kind.FIELD) return [];
    return (selection.arguments ?? []).flatMap(({ name, value }) => {
      const argument = fields[selection.name.value]?.args.find((one) => one.name === name.value);
      const type = argument && getNamedType(argument.type);
      const isCommand = isInputObjectType(type) && 'commandId' in type.getFields();
      return isCommand && value.kind === Kind.VARIABLE ? [value.name.value] : [];
    });
  });
}

const field = (name: string): FieldNode => ({ kind: Kind.FIELD, name: { kind: Kind.NAME, value: name } });

/** A root field that may be refused is asked for the reason too, so that no document has to. */
function askedWhy(
  schema: GraphQLSchema,
  { operation }: OperationDefinitionNode,
  selection: SelectionNode,
  refusals: Set<string>,
): SelectionNode {
  if (selection.kind !== Kind.FIELD) throw new GraphQLError('Name the fields of the operation one by one.');
  const type = schema.getRootType(operation)?.getFields()[selection.name.value]?.type;
  const named = type && getNamedType(type);
  const refusal = schema.getType(REFUSAL);
  if (!isUnionType(named) || !isInterfaceType(refusal) || !selection.selectionSet) return selection;
  const members = named.getTypes().filter((member) => member.getInterfaces().includes(refusal));
  if (members.length === 0) return selection;
  for (const { name } of members) refusals.add(name);
  // Which field of the input it is about, where the refusal says so.
  const details = members.flatMap((member): SelectionNode[] => {
    const fields = isObjectType(member) ? member.getFields() : {};
    const asked: SelectionNode[] = [];
    if (fields['retryAfterSeconds']) asked.push(field('retryAfterSeconds'));
    if (fields['retryAfter']) asked.push(field('retryAfter'));
    if (fields['issues']) {
      asked.push({
        ...field('issues'),
        selectionSet: { kind: Kind.SELECTION_SET, selections: [field('path'), field('message')] },
      });
    }
    return asked.length === 0 ? [] : [on(member.name, asked)];
  });
  return {
    ...selection,
    selectionSet: {
      ...selection.selectionSet,
      selections: [
        field('__typename'),
        ...selection.selectionSet.selections,
        on(REFUSAL, [field('code'), field('message')]),
        ...details,
      ],
    },
  };
}

const on = (type: string, selections: readonly SelectionNode[]): SelectionNode => ({
  kind: Kind.INLINE_FRAGMENT,
  typeCondition: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: type } },
  selectionSet: { kind: Kind.SELECTION_SET, selections },
});
