import type { ASTVisitor, ValidationContext } from 'graphql';
import { GraphQLError, isIntrospectionType, Kind, SchemaMetaFieldDef } from 'graphql';
import type { DocumentNode, FieldNode, SelectionSetNode } from 'graphql';
import { ApiError } from '../kit/errors.js';
import { Comparisons } from './comparisons.js';
import { fragmentInCircle } from './fragmentCircles.js';

/** Of a document; checked by the parser. */
export const MAX_TOKENS = 2_000;
export const MAX_DEPTH = 12;
/** Fields with an alias, in the whole document. */
export const MAX_ALIASES = 50;
/** Root fields of an operation, aliases and fragments counted. */
export const MAX_ROOT_FIELDS = 20;
/** Of a document: graphql-js compares each with each. */
export const MAX_FRAGMENTS = 100;
/** Of fields that an answer would merge: graphql-js compares each with each, too. */
export const MAX_COMPARISONS = 20_000;

/** Characters; the name goes into records and into an index of the ledger. */
export const MAX_OPERATION_NAME = 100;

/**
 * Why a variable does not fit, without what was given. graphql-js repeats the whole value, which can hold a
 * password or a token, and callers keep errors in their logs.
 */
export function withoutValue(error: GraphQLError): GraphQLError {
  const { message, nodes, originalError } = error;
  // Only what is about a value has a reason of its own; it ends the message, behind variable, value and path.
  if (!originalError) return error;
  const variable = /^Variable "[^"]+"/.exec(message)?.[0] ?? 'A variable';
  const path = / at "[^"\\]+"$/.exec(message.slice(0, -`; ${originalError.message}`.length))?.[0] ?? '';
  return new GraphQLError(`${variable}${path} does not fit: ${reasonOf(originalError.message)}`, {
    nodes: nodes ?? null,
  });
}

/** What graphql-js and our own scalars say of a value without repeating it. */
const WITHOUT_VALUE = [
  /^Expected (non-nullable )?type "[^"]+"( not to be null| to be an object)?\.$/,
  /^Field "[^"]*" (of required type "[^"]+" was not provided|is not defined by type "[^"]+")\./,
  /^Exactly one key must be specified/,
  // Of ours, all begin like this: "A time must be …".
  /^An? [a-z]+ (must|may) /,
];

function reasonOf(message: string): string {
  if (WITHOUT_VALUE.some((pattern) => pattern.test(message))) return message;
  const cannot = /^(?:Enum "\w+"|\w+) cannot represent (?:an? )?[a-z0-9 -]*value(?=[: ])/.exec(message)?.[0];
  if (cannot !== undefined) return `${cannot}.`;
  const enumName = /^Value ".*" does not exist in "(\w+)" enum\./s.exec(message)?.[1];
  return enumName === undefined ? 'Not a value of this type.' : `Not a value of the enum "${enumName}".`;
}

/**
 * A validation rule: refuses documents that are deep or wide beyond any use. What the
 * other rules would take long over, or walk in circles, is refused before they see it: they stop where this
 * one hands them a document without definitions.
 */
export function queryLimits(context: ValidationContext): ASTVisitor {
  const tooLarge = (message: string): void => context.reportError(new ApiError('QUERY_TOO_LARGE', message));
  let aliases = 0;
  let within = 0;
  return {
    Document: (document) => {
      const refusal = refusedDocument(context, document);
      if (!refusal) return undefined;
      context.reportError(refusal);
      return { ...document, definitions: [] };
    },
    Field: (node) => {
      // Each level of aliases multiplies the ones above, and nothing of it is priced.
      if (node.alias && isOfIntrospection(context, node) && ++within === 1) {
        tooLarge('Introspection takes no aliases, except for __type.');
      }
      if (node.alias && ++aliases === MAX_ALIASES + 1) {
        tooLarge(`A query may have at most ${MAX_ALIASES} aliases.`);
      }
    },
    OperationDefinition: (node) => {
      if (!context.getSchema().getRootType(node.operation)) {
        context.reportError(new GraphQLError(`There are no operations of the kind ${node.operation}.`));
      }
    },
  };
}

function isOfIntrospection(context: ValidationContext, { name }: FieldNode): boolean {
  const parent = context.getParentType();
  return name.value === SchemaMetaFieldDef.name || (parent != null && isIntrospectionType(parent));
}

/** Why the other rules need not look at the document, if so. */
function refusedDocument(
  context: ValidationContext,
  { definitions }: DocumentNode,
): GraphQLError | undefined {
  const tooLarge = (message: string): ApiError => new ApiError('QUERY_TOO_LARGE', message);
  const fragments = definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
  if (fragments.length > MAX_FRAGMENTS)
    return tooLarge(`A query may have at most ${MAX_FRAGMENTS} fragments.`);
  const circle = fragmentInCircle(context, fragments);
  if (circle)
    return new GraphQLError(`Cannot spread fragment "${circle.name.value}" within itself.`, {
      nodes: circle,
    });
  const comparisons = new Comparisons(context, MAX_COMPARISONS);
  for (const { name, selectionSet } of definitions.filter(
    (node) => node.kind === Kind.OPERATION_DEFINITION,
  )) {
    if (name && name.value.length > MAX_OPERATION_NAME) {
      return tooLarge(`The name of an operation may have at most ${MAX_OPERATION_NAME} characters.`);
    }
    if (rootFieldsOf(context, selectionSet, new Set()) > MAX_ROOT_FIELDS) {
      return tooLarge(`An operation may have at most ${MAX_ROOT_FIELDS} root fields.`);
    }
    if (depthOf(context, selectionSet, new Map()) > MAX_DEPTH) {
      return tooLarge(`A query may be at most ${MAX_DEPTH} levels deep.`);
    }
    if (!comparisons.allow(selectionSet)) {
      return tooLarge('The query asks for the same fields again and again. Ask for each once.');
    }
  }
  return undefined;
}

/** How many fields stand at the root; each fragment counts once, since spread again it adds no answer. */
function rootFieldsOf(
  context: ValidationContext,
  { selections }: SelectionSetNode,
  fragments: Set<string>,
): number {
  let count = 0;
  for (const selection of selections) {
    if (selection.kind === Kind.FIELD) {
      count++;
    } else if (selection.kind === Kind.INLINE_FRAGMENT) {
      count += rootFieldsOf(context, selection.selectionSet, fragments);
    } else if (!fragments.has(selection.name.value)) {
      fragments.add(selection.name.value);
      const fragment = context.getFragment(selection.name.value);
      if (fragment) count += rootFieldsOf(context, fragment.selectionSet, fragments);
    }
  }
  return count;
}

/** The deepest level of fields; each fragment is measured once, however often it is spread. */
function depthOf(
  context: ValidationContext,
  { selections }: SelectionSetNode,
  fragments: Map<string, number>,
): number {
  let deepest = 0;
  for (const selection of selections) {
    let depth = 0;
    if (selection.kind === Kind.FIELD) {
      // The standard introspection query is deep by nature and bounded by the schema.
      const introspection = selection.name.value.startsWith('__');
      depth =
        1 +
        (selection.selectionSet && !introspection ? depthOf(context, selection.selectionSet, fragments) : 0);
    } else if (selection.kind === Kind.INLINE_FRAGMENT) {
      depth = depthOf(context, selection.selectionSet, fragments);
    } else {
      depth = fragmentDepth(context, selection.name.value, fragments);
    }
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

function fragmentDepth(context: ValidationContext, name: string, fragments: Map<string, number>): number {
  const known = fragments.get(name);
  if (known !== undefined) return known;
  // Cycles are another rule's business; here they must only end.
  fragments.set(name, 0);
  const fragment = context.getFragment(name);
  const depth = fragment ? depthOf(context, fragment.selectionSet, fragments) : 0;
  fragments.set(name, depth);
  return depth;
}
