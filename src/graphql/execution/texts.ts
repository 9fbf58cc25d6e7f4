import type {
  ASTNode,
  ASTVisitor,
  GraphQLInputType,
  GraphQLNamedType,
  GraphQLScalarType,
  GraphQLSchema,
  ValidationContext,
  VariableDefinitionNode,
} from 'graphql';
import {
  getNamedType,
  GraphQLID,
  GraphQLInt,
  GraphQLString,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  Kind,
  typeFromAST,
} from 'graphql';
import { idProblem, unfit } from '../../text/text.js';
import type { ApiError } from '../kit/errors.js';
import { invalidInput } from '../kit/errors.js';
import { JUDGES_ITSELF } from '../kit/judgesItself.js';

/** Looks at the texts of an operation's variables, as they were coerced. */
export type CheckTexts = (variables: Readonly<Record<string, unknown>>) => ApiError | undefined;

/** What is wrong with a text, and the names of fields and indexes down to it. */
interface Fault {
  readonly path: string[];
  /** @param field names the text in the sentence */
  readonly say: (field: string) => string;
}

/** Looks at a value that was coerced. */
type Check = (value: unknown) => Fault | undefined;

const NOTHING: CheckTexts = () => undefined;

/** Ids are opaque and bounded; other texts keep the door's rules, and their fields' own where they are used. */
const problemOf = (type: GraphQLNamedType, field: string, text: string): string | undefined =>
  type === GraphQLID ? idProblem(field, text) : unfit(field, text);

/**
 * What looks at the variables of an operation: at every text that one of them can hold, whichever field it is for.
 * Made once for an operation, so that those without texts cost nothing.
 */
export function textsOf(schema: GraphQLSchema, definitions: readonly VariableDefinitionNode[]): CheckTexts {
  const checks = definitions.flatMap(({ variable: { name }, type: node }) => {
    const type = typeFromAST(schema, node as never) as GraphQLInputType | undefined;
    const check = type && checkOf(type, new Map());
    return check ? [[name.value, check] as const] : [];
  });
  if (checks.length === 0) return NOTHING;
  return (variables) => {
    for (const [name, check] of checks) {
      const fault = check(variables[name]);
      if (fault) return refused([name, ...fault.path], fault.say);
    }
    return undefined;
  };
}

/** @param known what was made before, by type: an input may hold itself */
function checkOf(type: GraphQLInputType, known: Map<GraphQLInputType, Check | undefined>): Check | undefined {
  if (isNonNullType(type)) return checkOf(type.ofType, known);
  if (isEnumType(type)) return undefined;
  if (isListType(type)) {
    const check = checkOf(type.ofType, known);
    return check && ((value) => (Array.isArray(value) ? within(value, () => check) : undefined));
  }
  if (!isInputObjectType(type)) return type === GraphQLInt ? undefined : scalarCheck(type);
  if (type.extensions[JUDGES_ITSELF] === true) return undefined;
  if (known.has(type)) return known.get(type);
  const checks = new Map<string, Check>();
  const check: Check = (value) => (isObject(value) ? within(value, (name) => checks.get(name)) : undefined);
  known.set(type, check);
  for (const field of Object.values(type.getFields())) {
    const found = checkOf(field.type, known);
    if (found) checks.set(field.name, found);
  }
  if (checks.size === 0) known.set(type, undefined);
  return known.get(type);
}

/** A scalar is a text, or a value of any shape that may hold some. */
function scalarCheck(type: GraphQLScalarType): Check {
  const check: Check = (value) => {
    if (typeof value === 'string') {
      return problemOf(type, '', value) === undefined
        ? undefined
        : { path: [], say: (field) => problemOf(type, field, value) as string };
    }
    if (!isObject(value)) return undefined;
    const named = Object.keys(value).every((name) => unfit('', name) === undefined);
    return named ? within(value, () => check) : { path: [], say: (field) => `"${field}" has an unfit name.` };
  };
  return check;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** The first fault of the values in a list or an object. */
function within(values: object, checkFor: (name: string) => Check | undefined): Fault | undefined {
  for (const [name, value] of Object.entries(values)) {
    const fault = checkFor(name)?.(value);
    if (fault) return { ...fault, path: [name, ...fault.path] };
  }
  return undefined;
}

/** The field is named as the deciders name it: from the input on, without the variable or the argument. */
function refused(path: readonly string[], say: (field: string) => string): ApiError {
  const field = (path.length > 1 ? path.slice(1) : path).join('.');
  return invalidInput(field, say(field));
}

/** A validation rule: the same for the texts that stand in a document. */
export function literalTexts(context: ValidationContext): ASTVisitor {
  return {
    StringValue: ({ value }, _key, parent, _path, ancestors) => {
      const type = getNamedType(context.getInputType()) ?? GraphQLString;
      if (problemOf(type, '', value) === undefined) return;
      if (getNamedType(context.getParentInputType())?.extensions[JUDGES_ITSELF] === true) return;
      const place = placeOf([...ancestors, ...(parent ? [parent] : [])]);
      const error = refused(place, (field) => problemOf(type, field, value) as string);
      context.reportError(error);
    },
  };
}

/** Names the argument, or the variable whose default it is, and the fields down to a value. */
function placeOf(ancestors: readonly (ASTNode | readonly ASTNode[])[]): readonly string[] {
  const names = ancestors.flatMap((node) => {
    if (!('kind' in node)) return [];
    if (node.kind === Kind.VARIABLE_DEFINITION) return node.variable.name.value;
    return node.kind === Kind.ARGUMENT || node.kind === Kind.OBJECT_FIELD ? node.name.value : [];
  });
  return names.length > 0 ? names : ['text'];
}
